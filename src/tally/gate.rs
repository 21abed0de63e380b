//! The gate: whether a tally passes a policy. The main type is [`Policy`]; [`evaluate`] applies it.
//!
//! It reads counts only: no text of a finding or a reply can change its answer.

mod overrule;
mod policy;

use std::collections::{BTreeMap, BTreeSet};

pub use overrule::Override;
pub use policy::{Bar, FailOn, Policy, Rule};

use super::{
    Issue, Member, Tally,
    since::{Became, Earlier, Scope},
    verdict,
};
use crate::{
    bundle::{Bundle, ExcludeReason},
    change::RepoPath,
    coverage::State,
    disposition::Decision,
    reviewer::{Lineage, ReviewerId},
};

/// The gate's answer with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Pass, fail, inconclusive or off.
    pub result: GateResult,
    /// The policy in words, such as `fail-on block, min-lineages 2`.
    pub policy: String,
    /// Why, for people.
    pub reasons: Vec<String>,
    /// What fails, sorted: ids of issues, now and from the last review, and names of findings without a place.
    pub issues: Vec<String>,
    /// What too few lineages answered, for people, with the gate off too: while there is any, the run is inconclusive.
    pub unread: Vec<String>,
    /// Who lets it pass all the same.
    pub overruled: Option<Override>,
}

/// The gate's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateResult {
    /// Nothing that fails, and enough was read.
    Pass,
    /// Something that fails.
    Fail,
    /// Too little was read to say.
    Inconclusive,
    /// No gate was asked for, and somebody answered.
    Off,
}

/// Applies `policy`. No reviewer answered, fewer lineages than asked, or a run that was cut short: inconclusive even when the gate
/// is off.
///
/// What fails, fails whatever was not read. To pass a gate, **every** bundle must have been answered by at least
/// `min_lineages` lineages, and by as many as must agree for anything in it to fail where the panel has so many (at least one, and no more
/// than are on a panel that `[[route]]` rules chose for it); with the gate off the lineages are counted over the whole run.
/// Offline reviewers answer with their own lineages, but never in place of models: where models were asked and none answered, nothing
/// passes. Findings without a place count, by the strictest of the bars that their bundle's
/// files have; retracted ones do not, nor do issues that a human dismissed, and the reasons say how many those are.
pub fn evaluate(tally: &Tally, policy: &Policy) -> Gate {
    let judge = Judge::new(tally, policy);
    let failing = judge.failing();
    let cut_short: Vec<String> = tally.run.cut_short.iter().cloned().chain(forgotten(tally)).collect();
    let thin = thin(tally, policy.min_coverage);
    let unread = |asked| [cut_short.clone(), judge.unread(asked), thin.clone()].concat();
    let lacking = if policy.is_off() {
        [cut_short.clone(), judge.too_few_overall(Asked::ByPolicy), thin.clone()].concat()
    } else {
        [unread(Asked::ToAgree), judge.without_model()].concat()
    };
    let (result, mut reasons) = if !failing.is_empty() {
        (GateResult::Fail, [failing, lacking].concat())
    } else if !lacking.is_empty() {
        (GateResult::Inconclusive, lacking)
    } else if policy.is_off() {
        (GateResult::Off, Vec::new())
    } else {
        (GateResult::Pass, vec![judge.passed()])
    };
    reasons.extend(judge.set_aside());
    reasons.extend(unreadable(tally));
    let unread = unread(Asked::ByPolicy);
    let issues = judge.issues();
    Gate { result, policy: policy.to_string(), reasons, issues, unread, overruled: None }
}

/// How many lineages are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// As many as `min_lineages` says.
    ByPolicy,
    /// Also as many as must agree for anything to fail.
    ToAgree,
}

impl Gate {
    /// The answer about a run that cannot be judged, and why.
    pub fn unjudged(policy: &Policy, reasons: Vec<String>) -> Self {
        let unread = reasons.clone();
        Self {
            result: GateResult::Inconclusive,
            policy: policy.to_string(),
            reasons,
            issues: Vec::new(),
            unread,
            overruled: None,
        }
    }
}

impl GateResult {
    /// Every answer.
    pub const ALL: [Self; 4] = [Self::Pass, Self::Fail, Self::Inconclusive, Self::Off];

    /// The word used in the tally.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Off => "off",
        }
    }
}

/// A tally under a policy.
struct Judge<'a> {
    tally: &'a Tally,
    policy: &'a Policy,
    /// Under which former path files that were renamed are known.
    renamed: BTreeMap<String, &'a RepoPath>,
    /// Places of the bars that the files of a bundle have.
    bars: BTreeMap<&'a str, BTreeSet<usize>>,
}

impl<'a> Judge<'a> {
    fn new(tally: &'a Tally, policy: &'a Policy) -> Self {
        let files = tally.bundles.iter().flat_map(|bundle| &bundle.files);
        let renamed = files.filter_map(|file| Some((file.path.to_string(), file.old_path.as_ref()?)));
        let bars = |bundle: &'a Bundle| {
            let names = bundle.files.iter().flat_map(|file| [&file.path].into_iter().chain(&file.old_path));
            (bundle.id.as_str(), names.map(|path| policy.place(path)).collect())
        };
        let bars = tally.bundles.iter().map(bars).collect();
        Self { tally, policy, renamed: renamed.collect(), bars }
    }

    /// Places of the bars for what is at `path`: that of its name, and that of what it was called before the change.
    fn places(&self, path: &str) -> BTreeSet<usize> {
        let here = RepoPath::from_display(path);
        let before = self.renamed.get(path).copied();
        [&here].into_iter().chain(before).map(|path| self.policy.place(path)).collect()
    }

    /// Places of the bars of a bundle; the usual one where its files are not known.
    fn places_in(&self, bundle: &str) -> BTreeSet<usize> {
        let known = self.bars.get(bundle).filter(|places| !places.is_empty());
        known.cloned().unwrap_or_else(|| BTreeSet::from([self.policy.rules.len()]))
    }

    /// What the policy fails on, in words, rule by rule.
    fn failing(&self) -> Vec<String> {
        let places = 0..=self.policy.rules.len();
        places.flat_map(|place| self.failing_at(place)).chain(self.failing_without_place()).collect()
    }

    fn failing_at(&self, place: usize) -> Vec<String> {
        let (bar, rule) = (self.policy.bar_at(place), self.policy.named(place));
        let open = self.failing_issues().filter(|(_, at)| *at == place).count();
        let earlier = self.failing_earlier().filter(|(_, at)| *at == place).count();
        let noun = |head| bar.noun(head) + &rule;
        let noun_before = |head| format!("{} still open from the last review{rule}", bar.noun(head));
        [
            some(open, &noun("issue"), &noun("issues")),
            some(earlier, &noun_before("issue"), &noun_before("issues")),
        ]
        .concat()
    }

    /// Issues that fail, with the place of the bar.
    fn failing_issues(&self) -> impl Iterator<Item = (&'a Issue, usize)> {
        let open = self.tally.issues.iter().filter(|issue| issue.is_open());
        open.filter_map(|issue| Some((issue, self.failed(&issue.path, |bar| bar.concerns(issue))?)))
    }

    /// What fails of the last review and is not reported now.
    fn failing_earlier(&self) -> impl Iterator<Item = (&'a Earlier, usize)> {
        let open = self.tally.earlier.iter().filter(|one| one.is_open()).map(|one| &one.issue);
        open.filter_map(|issue| Some((issue, self.failed(&issue.path, |bar| bar.concerns_earlier(issue))?)))
    }

    /// A finding without a place is counted once, under the first bar of its bundle that it fails.
    fn failing_unplaced(&self) -> impl Iterator<Item = (&'a Member, usize)> {
        let standing = self.tally.unplaced.iter().filter(|member| !member.anchored.finding.retracted);
        standing.filter_map(|member| {
            let severity = member.anchored.finding.severity;
            let fails = |place: &usize| self.policy.bar_at(*place).concerns_alone(severity);
            Some((member, self.places_in(&member.bundle).into_iter().find(fails)?))
        })
    }

    /// Place of the first bar that what is at `path` fails.
    fn failed(&self, path: &str, fails: impl Fn(&Bar) -> bool) -> Option<usize> {
        self.places(path).into_iter().find(|place| fails(self.policy.bar_at(*place)))
    }

    /// Names of all that fails, sorted.
    fn issues(&self) -> Vec<String> {
        let now = self.failing_issues().map(|(issue, _)| issue.id.clone());
        let earlier = self.failing_earlier().map(|(issue, _)| issue.id.clone());
        let unplaced = self.failing_unplaced().map(|(member, _)| member.claim_id().to_string());
        let mut names: Vec<String> = now.chain(earlier).chain(unplaced).collect();
        names.sort_unstable();
        names
    }

    fn failing_without_place(&self) -> Vec<String> {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for (_, place) in self.failing_unplaced() {
            *counts.entry(place).or_default() += 1;
        }
        let words = |(place, count): (usize, usize)| {
            let (bar, rule) = (self.policy.bar_at(place), self.policy.named(place));
            let noun = |head| format!("{} without a usable place{rule}", bar.noun(head));
            some(count, &noun("finding"), &noun("findings"))
        };
        counts.into_iter().flat_map(words).collect()
    }

    /// What would have counted if no human had dismissed it: `1 issue of BLOCK not counted: decided false`.
    fn set_aside(&self) -> Vec<String> {
        let at = |place: usize| {
            let bar = self.policy.bar_at(place);
            let now = |issue: &Issue| self.failed(&issue.path, |bar| bar.concerns(issue)) == Some(place);
            let earlier =
                |one: &Earlier| self.failed(&one.path, |bar| bar.concerns_earlier(one)) == Some(place);
            dismissed(self.tally, now, earlier, |head| bar.noun(head) + &self.policy.named(place))
        };
        (0..=self.policy.rules.len()).flat_map(at).collect()
    }

    /// What was read too little, in words: the whole run, else single bundles.
    fn unread(&self, by: Asked) -> Vec<String> {
        let overall = self.too_few_overall(by);
        if !overall.is_empty() {
            return overall;
        }
        // By how many lineages of how many, which bundles.
        let mut short: Vec<((usize, usize), Vec<&str>)> = Vec::new();
        for (bundle, lineages) in answered_by(self.tally) {
            let (few, asked) = (lineages.len(), self.needed(bundle, by));
            match short.iter_mut().find(|(same, _)| *same == (few, asked)) {
                _ if few >= asked => {}
                Some((_, bundles)) => bundles.push(bundle),
                None => short.push(((few, asked), vec![bundle])),
            }
        }
        short.into_iter().map(|((few, asked), bundles)| self.too_few(&bundles, few, asked)).collect()
    }

    /// `bundle c2_web and 3 more were answered by nobody`.
    fn too_few(&self, bundles: &[&str], few: usize, asked: usize) -> String {
        let which = which(bundles);
        match few {
            0 => format!("{which} answered by nobody"),
            few => format!("{which} answered by {}, {}", lineages(few), self.wanted(asked)),
        }
    }

    /// What others answered, but none of the models that were asked, in words.
    fn without_model(&self) -> Vec<String> {
        let answered = answered_by(self.tally);
        let by_others = |bundle: &&str| answered.get(bundle).is_some_and(|lineages| !lineages.is_empty());
        let unheard: Vec<&str> = verdict::unheard(self.tally).into_iter().filter(by_others).collect();
        if unheard.is_empty() {
            return Vec::new();
        }
        vec![format!("{} answered by no model that was asked", which(&unheard))]
    }

    /// `2 asked for`.
    fn wanted(&self, asked: usize) -> String {
        if asked > self.policy.min_lineages.max(1) {
            format!("{asked} needed to agree")
        } else {
            format!("{asked} asked for")
        }
    }

    /// How many lineages must have answered about `bundle`.
    fn needed(&self, bundle: &str, by: Asked) -> usize {
        let least = match by {
            Asked::ByPolicy => self.policy.min_lineages,
            Asked::ToAgree => self.policy.min_lineages.max(self.to_agree(bundle)),
        };
        self.tally.run.routes.needed(bundle, &self.tally.panel, least)
    }

    /// How many lineages must agree for anything about `bundle` to fail; no more than are on the panel.
    fn to_agree(&self, bundle: &str) -> usize {
        let to_agree = self.places_in(bundle).into_iter().map(|place| self.policy.bar_at(place).least());
        let seats: BTreeSet<&Lineage> = self.tally.panel.reviewers.iter().map(|seat| &seat.lineage).collect();
        to_agree.max().unwrap_or(1).min(seats.len())
    }

    /// Says so when the run as a whole was answered by too few lineages.
    fn too_few_overall(&self, by: Asked) -> Vec<String> {
        let answered = answered_by(self.tally);
        let asked = answered.keys().map(|bundle| self.needed(bundle, by)).max().unwrap_or(1);
        let overall: BTreeSet<_> = answered.values().flatten().collect();
        match overall.len() {
            _ if answered.is_empty() => Vec::new(),
            0 => vec!["no reviewer answered".to_owned()],
            few if few < asked => vec![format!("{} answered, {}", lineages(few), self.wanted(asked))],
            _ => Vec::new(),
        }
    }

    fn passed(&self) -> String {
        let tally = self.tally;
        let again = tally.since.as_ref().is_some_and(|since| since.scope == Scope::Incremental);
        if tally.bundles.is_empty() && tally.coverage.is_empty() {
            return match tally.excluded.len() {
                0 if again => "nothing that fails, and nothing new since the last review".to_owned(),
                0 => "nothing to review".to_owned(),
                left_out => {
                    format!("nothing was shown to reviewers: all changed files ({left_out}) are left out")
                }
            };
        }
        let least = self.policy.min_lineages.max(1);
        let has_fewer = |bundle: &Bundle| self.needed(&bundle.id, Asked::ByPolicy) < least;
        let or =
            if tally.bundles.iter().any(has_fewer) { ", or by all of the panel its route chose" } else { "" };
        let asked_a_model = tally.panel.reviewers.iter().any(|seat| seat.lineage.is_model());
        let unasked = if asked_a_model { "" } else { "; no model was asked" };
        format!(
            "nothing that fails, and every bundle was answered by {} or more{or}{unasked}{}",
            lineages(least),
            unshown(tally)
        )
    }
}

/// How many files no reviewer saw, by reason: who writes a change can call a new file generated, and a pass must not hide that.
fn unshown(tally: &Tally) -> String {
    let count = |reason: ExcludeReason| tally.excluded.iter().filter(|file| file.reason == reason).count();
    let counts = ExcludeReason::ALL.map(|reason| (count(reason), reason.word()));
    let told: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if told.is_empty() {
        return String::new();
    }
    let noun = if tally.excluded.len() == 1 { "file was" } else { "files were" };
    format!("; {} {noun} shown to nobody ({})", tally.excluded.len(), told.join(", "))
}

/// Says so when the last review's record had no room for all of its issues: nobody can tell what became of the others.
pub(super) fn forgotten(tally: &Tally) -> Vec<String> {
    let last = tally.since.as_ref().and_then(|since| since.last.as_ref());
    some(
        last.map_or(0, |last| last.dropped),
        "issue of the last review is not known any more",
        "issues of the last review are not known any more",
    )
}

/// Says so when less than `least` percent of what was asked was answered in full.
fn thin(tally: &Tally, least: u8) -> Vec<String> {
    let asked = tally.coverage.iter().filter(|task| task.outcome.state != State::NotRouted);
    let (all, whole) = asked.fold((0, 0), |(all, whole), task| {
        (all + 1, whole + usize::from(task.outcome.state == State::Answered))
    });
    if whole * 100 >= all * usize::from(least) {
        return Vec::new();
    }
    vec![format!("{whole} of {all} questions answered in full, {least} % asked for")]
}

/// The issues of a kind that humans dismissed, in words, for each decision.
pub(super) fn dismissed(
    tally: &Tally,
    concerns: impl Fn(&Issue) -> bool,
    concerns_earlier: impl Fn(&Earlier) -> bool,
    noun: impl Fn(&str) -> String,
) -> Vec<String> {
    let words = |decision: Decision| {
        let issues = tally.issues.iter().filter(|issue| issue.is_counted() && concerns(issue));
        let earlier = tally.earlier.iter().filter(|one| one.became == Became::Dismissed);
        let earlier = earlier.map(|one| &one.issue).filter(|issue| concerns_earlier(issue));
        let earlier = earlier.filter_map(|issue| Some(issue.disposition.as_ref()?.decision));
        let decided = issues.filter_map(Issue::dismissed).chain(earlier);
        let count = decided.filter(|one| *one == decision).count();
        let words = |head| format!("{} not counted: decided {decision}", noun(head));
        some(count, &words("issue"), &words("issues"))
    };
    Decision::ALL.into_iter().flat_map(words).collect()
}

/// The lineages that answered, for each bundle; bundles that nobody answered included.
pub(super) fn answered_by(tally: &Tally) -> BTreeMap<&str, BTreeSet<Lineage>> {
    let mut answered: BTreeMap<&str, BTreeSet<Lineage>> =
        tally.bundles.iter().map(|bundle| (bundle.id.as_str(), BTreeSet::new())).collect();
    let lineages: BTreeMap<&ReviewerId, &Lineage> =
        tally.panel.reviewers.iter().map(|one| (&one.id, &one.lineage)).collect();
    let of = |id| lineages.get(id).map_or_else(Lineage::unknown, |one| (*one).clone());
    for coverage in &tally.coverage {
        let by = answered.entry(&coverage.outcome.bundle).or_default();
        if coverage.outcome.state == State::Answered {
            by.insert(of(&coverage.outcome.reviewer));
        }
    }
    answered
}

/// What stays unknown, for people; it decides nothing.
fn unreadable(tally: &Tally) -> Vec<String> {
    some(
        tally.rejects.len(),
        "passage of a reply could not be read as a finding",
        "passages of replies could not be read as findings",
    )
}

pub(super) fn some(count: usize, one: &str, many: &str) -> Vec<String> {
    match count {
        0 => Vec::new(),
        1 => vec![format!("1 {one}")],
        more => vec![format!("{more} {many}")],
    }
}

pub(super) fn lineages(count: usize) -> String {
    if count == 1 { "1 lineage".to_owned() } else { format!("{count} lineages") }
}

/// `bundle c2_web and 3 more were`.
fn which(bundles: &[&str]) -> String {
    let first = bundles.first().copied().map(name).unwrap_or_default();
    match bundles.len() {
        0 | 1 => format!("bundle {first} was"),
        all => format!("bundle {first} and {} more were", all - 1),
    }
}

fn name(bundle: &str) -> &str {
    if bundle.is_empty() { "(unnamed)" } else { bundle }
}
