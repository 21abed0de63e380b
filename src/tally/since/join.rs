//! Puts the last review's issues beside those of this one: [`join`].
//!
//! An issue is an earlier one when it has its id, or when it says the same at the same place in other words. A dismissal holds for other
//! words only where nothing but the words is another: [`heed`]. What nobody reports now is [`Carried`]: fixed only where its code is gone and somebody read what is there now.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use super::{
    Became, Carried, Earlier, Scope, Since, Standing, Whereabouts,
    left::{self, TEXT_KEPT},
};
use crate::{
    anchor::plain_name,
    bundle::{Bundle, Excluded},
    coverage::State,
    disposition::{self, Disposition},
    finding::LineRange,
    tally::{
        Coverage, Issue, Member, Sameness,
        claim::Claim,
        cluster::{MOST_COMPARED, NEAR},
    },
};

/// Likeness from which on a dismissal holds for other words: none of 70 pairs of different remarks on the same lines are so alike, and 57 % of
/// those about the same issue (docs/design/agreement.md).
const SURELY: f32 = 0.4;

/// What this review showed to whom, and what came of it.
pub(in crate::tally) struct Shown<'a> {
    pub(in crate::tally) bundles: &'a [Bundle],
    pub(in crate::tally) excluded: &'a [Excluded],
    pub(in crate::tally) coverage: &'a [Coverage],
}

/// Says of each of `issues` how it relates to the last review, and gives the issues of that which nobody reports now, the weightiest first.
/// `decided` is the last word about each issue.
pub(in crate::tally) fn join(
    since: &Since,
    issues: &mut [Issue],
    decided: &BTreeMap<String, Disposition>,
    shown: &Shown<'_>,
) -> Vec<Carried> {
    let Some(last) = &since.last else { return Vec::new() };
    let mut earlier: BTreeMap<&str, &Earlier> =
        last.issues.iter().map(|one| (one.id.as_str(), one)).collect();
    let mut unmet = Vec::new();
    for (at, issue) in issues.iter_mut().enumerate().filter(|(_, issue)| issue.is_counted()) {
        issue.standing = Some(Standing::New);
        match earlier.remove(issue.id.as_str()) {
            Some(before) => {
                meet(issue, before);
                heed(issue, before, decided);
            }
            None => unmet.push(at),
        }
    }
    reworded(issues, &unmet, &mut earlier, decided);
    let reading = Reading::of(since, shown);
    let mut carried: Vec<Carried> = earlier.into_values().map(|one| reading.carry(one, decided)).collect();
    carried.sort_by(|a, b| rank(a).cmp(&rank(b)));
    carried
}

/// Smaller comes first.
fn rank(one: &Carried) -> impl Ord + '_ {
    let Earlier { severity, agreement, lineages, path, lines, id, .. } = &one.issue;
    (one.became, Reverse(*agreement), Reverse(lineages.len()), Reverse(*severity), path, lines, id)
}

fn meet(issue: &mut Issue, before: &Earlier) {
    issue.standing = Some(if before.is_fixed { Standing::BackAgain } else { Standing::StillOpen });
    issue.earlier = Some(Box::new(before.clone()));
}

/// Lets the dismissal of `before` hold for `issue`, unless somebody has decided about that one too. It holds for nothing but other words:
/// every one of the issue's findings says what was dismissed, at the same lines, whose code stands, and none calls it worse.
fn heed(issue: &mut Issue, before: &Earlier, decided: &BTreeMap<String, Disposition>) {
    if decided.contains_key(&issue.id) {
        return;
    }
    let Some(dismissal) = dismissal(before, decided) else { return };
    let sought = Sought::new(before);
    let is_there = matches!(before.now, Whereabouts::There { .. });
    let is_same = issue.id == before.id || (is_there && sought.is_at_lines(issue) && sought.is_all_of(issue));
    if is_same && issue.severity <= dismissal.severity {
        issue.disposition = Some(dismissal);
    }
}

/// What dismisses an earlier issue: a decision about it, or about the issue that it says in other words.
fn dismissal(before: &Earlier, decided: &BTreeMap<String, Disposition>) -> Option<Disposition> {
    let about = before.disposition.as_ref().map_or(&before.id, |decision| &decision.issue);
    let word = decided.get(&before.id).or_else(|| decided.get(about));
    word.filter(|one| one.decision.dismisses()).cloned()
}

/// Takes out of `earlier` what the issues at `unmet` say in other words.
fn reworded(
    issues: &mut [Issue],
    unmet: &[usize],
    earlier: &mut BTreeMap<&str, &Earlier>,
    decided: &BTreeMap<String, Disposition>,
) {
    let mut by_path: HashMap<&str, Vec<usize>> = HashMap::new();
    for at in unmet {
        by_path.entry(issues[*at].path.as_str()).or_default().push(*at);
    }
    let mut pairs: Vec<(usize, &Earlier)> = Vec::new();
    let mut taken = BTreeSet::new();
    for before in earlier.values() {
        let sought = Sought::new(before);
        let here = by_path.get(sought.path).into_iter().flatten();
        let same = |at: &&usize| !taken.contains(*at) && sought.is_said_in(&issues[**at]);
        if let Some(at) =
            here.copied().filter(|at| same(&at)).min_by(|a, b| issues[*a].id.cmp(&issues[*b].id))
        {
            taken.insert(at);
            pairs.push((at, *before));
        }
    }
    for (at, before) in pairs {
        earlier.remove(before.id.as_str());
        meet(&mut issues[at], before);
        heed(&mut issues[at], before, decided);
    }
}

/// An earlier issue, to be found in other words.
struct Sought<'a> {
    path: &'a str,
    lines: Option<LineRange>,
    symbol: Option<&'a str>,
    claim: Claim,
}

impl<'a> Sought<'a> {
    fn new(before: &'a Earlier) -> Self {
        let (path, lines) = match &before.now {
            Whereabouts::There { path, lines } => (path.as_str(), *lines),
            Whereabouts::Unknown => (before.path.as_str(), before.lines),
            Whereabouts::Gone => (before.path.as_str(), None),
        };
        Self {
            path,
            lines,
            symbol: before.symbol.as_deref().map(plain_name),
            claim: claim(&before.what, &before.why),
        }
    }

    fn is_said_in(&self, issue: &Issue) -> bool {
        standing(issue).take(MOST_COMPARED).any(|member| self.is_same(member))
    }

    /// Whether each of the findings says it, so that `issue` holds nothing else.
    fn is_all_of(&self, issue: &Issue) -> bool {
        let mut findings = standing(issue);
        findings.by_ref().take(MOST_COMPARED).all(|member| self.is_surely_same(member))
            && findings.next().is_none()
    }

    fn is_surely_same(&self, member: &Member) -> bool {
        let finding = &member.anchored.finding;
        let theirs = claim(&finding.what, &finding.why);
        self.claim.compare(&theirs) == Sameness::Same && self.claim.similarity(&theirs) >= SURELY
    }

    /// Whether `issue` is at its lines and not about much more.
    fn is_at_lines(&self, issue: &Issue) -> bool {
        let is_tight = |a: LineRange, b: LineRange| {
            a.gap(b) == 0 && a.start.abs_diff(b.start) <= NEAR && a.end.abs_diff(b.end) <= NEAR
        };
        issue.path == self.path && self.lines.zip(issue.lines).is_some_and(|(a, b)| is_tight(a, b))
    }

    fn is_same(&self, member: &Member) -> bool {
        let finding = &member.anchored.finding;
        self.is_near(member) && self.claim.compare(&claim(&finding.what, &finding.why)) == Sameness::Same
    }

    /// As between the findings of one run; a place that is only a file is near all of it.
    fn is_near(&self, member: &Member) -> bool {
        let (lines, symbol) = (member.anchored.lines, member.anchored.symbol.as_deref().map(plain_name));
        let whole_file = |lines: Option<LineRange>, symbol: Option<&str>| lines.is_none() && symbol.is_none();
        let by_line = self.lines.zip(lines).is_some_and(|(a, b)| a.gap(b) <= NEAR);
        let by_symbol = self.symbol.is_some() && self.symbol == symbol;
        by_line || by_symbol || whole_file(self.lines, self.symbol) || whole_file(lines, symbol)
    }
}

/// Reads a claim as far as a record keeps it, so that what was kept compares as equal to itself.
fn claim(what: &str, why: &str) -> Claim {
    Claim::read(&left::kept(what, TEXT_KEPT), &left::kept(why, TEXT_KEPT))
}

fn standing(issue: &Issue) -> impl Iterator<Item = &Member> {
    issue.members.iter().filter(|member| !member.anchored.finding.retracted)
}

/// Which files this review read, and which it had to do with.
struct Reading {
    /// Shown, and somebody answered.
    read: BTreeSet<String>,
    /// Differ in what was asked about.
    touched: BTreeSet<String>,
    /// Everything of the pull request was asked about.
    is_whole: bool,
}

impl Reading {
    fn of(since: &Since, shown: &Shown<'_>) -> Self {
        let answered = |bundle: &&Bundle| {
            let mut of_it = shown.coverage.iter().filter(|task| task.outcome.bundle == bundle.id);
            of_it.any(|task| task.outcome.state == State::Answered)
        };
        let paths = |bundle: &Bundle| -> Vec<String> {
            let both = bundle.files.iter().flat_map(|file| std::iter::once(&file.path).chain(&file.old_path));
            both.map(ToString::to_string).collect()
        };
        let left_out =
            shown.excluded.iter().flat_map(|file| std::iter::once(&file.path).chain(&file.old_path));
        Self {
            read: shown.bundles.iter().filter(answered).flat_map(paths).collect(),
            touched: shown.bundles.iter().flat_map(paths).chain(left_out.map(ToString::to_string)).collect(),
            is_whole: since.scope != Scope::Incremental,
        }
    }

    fn carry(&self, before: &Earlier, decided: &BTreeMap<String, Disposition>) -> Carried {
        let mut issue = before.clone();
        issue.disposition = match decided.get(&issue.id) {
            Some(_) => disposition::of(decided, &issue.id),
            None => dismissal(before, decided),
        };
        if let Whereabouts::There { path, lines } = &before.now {
            (issue.path, issue.lines) = (path.clone(), *lines);
        }
        let dismissed = issue.disposition.as_ref().is_some_and(|one| one.decision.dismisses());
        let became = match before.now {
            Whereabouts::Gone if self.has_read(&before.path) => Became::Fixed,
            // It was gone before, its code is not back, and nobody reports it now.
            Whereabouts::Gone | Whereabouts::Unknown if before.is_fixed => Became::Fixed,
            _ if dismissed => Became::Dismissed,
            _ if before.is_fixed => Became::BackAgain,
            Whereabouts::Gone | Whereabouts::There { .. } | Whereabouts::Unknown => Became::StillOpen,
        };
        Carried { issue, became }
    }

    /// Whether what is at `path` now was read, or is no part of the pull request any more.
    fn has_read(&self, path: &str) -> bool {
        self.read.contains(path) || (self.is_whole && !self.touched.contains(path))
    }
}
