//! What a tally comes to: [`Totals`], the counts of each bundle, and the one sentence a person should read.
//!
//! Terminal, Markdown and JSON all take their figures from here, so they cannot differ.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use crate::{
    anchor::Place,
    change::RangeInfo,
    coverage::State,
    disposition::{Decision, Disposition},
    finding::{Anchor, LineRange, Severity},
    report::{coverage, earlier, foreign, words},
    reviewer::{Lineage, ReviewerId},
    tally::{
        Agreement, Issue, Member, Tally,
        gate::{Gate, GateResult, Override},
        since::{Became, Carried, short},
        verdict::Conclusion,
    },
};

/// The figures of a tally. Retracted findings count only in `retracted`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    /// Issues with two or more lineages.
    pub convergent: usize,
    /// All issues.
    pub distinct: usize,
    /// Findings that were taken back.
    pub retracted: usize,
    /// Texts that were not usable.
    pub rejected: usize,
    /// Issues by severity; all three are always there.
    pub by_severity: BTreeMap<Severity, usize>,
    /// Issues by lineage; an issue of two lineages counts for both.
    pub by_lineage: BTreeMap<Lineage, usize>,
    /// Issues that a human decided about, by decision.
    pub decided: BTreeMap<Decision, usize>,
}

/// Counts `tally`.
pub fn totals(tally: &Tally) -> Totals {
    let mut totals =
        Totals { rejected: tally.rejects.len(), retracted: retracted(tally).len(), ..Totals::default() };
    for severity in [Severity::Info, Severity::Warn, Severity::Block] {
        totals.by_severity.insert(severity, 0);
    }
    for issue in counted(tally) {
        totals.distinct += 1;
        totals.convergent += usize::from(issue.is_convergent());
        *totals.by_severity.entry(issue.severity).or_default() += 1;
        if let Some(disposition) = &issue.disposition {
            *totals.decided.entry(disposition.decision).or_default() += 1;
        }
        for lineage in &issue.lineages {
            *totals.by_lineage.entry(lineage.clone()).or_default() += 1;
        }
    }
    totals
}

/// Issues with at least one finding that still stands, in rank order.
pub fn counted(tally: &Tally) -> impl Iterator<Item = &Issue> {
    tally.issues.iter().filter(|issue| issue.is_counted())
}

/// Counted issues that no human dismissed, in rank order.
pub fn open(tally: &Tally) -> impl Iterator<Item = &Issue> {
    tally.issues.iter().filter(|issue| issue.is_open())
}

/// Counted issues that a human decided to be false or not to be repaired, with the decision, in rank order.
pub fn dismissed(tally: &Tally) -> impl Iterator<Item = (&Issue, &Disposition)> {
    let decided = counted(tally).filter_map(|issue| Some((issue, issue.disposition.as_ref()?)));
    decided.filter(|(_, disposition)| disposition.decision.dismisses())
}

/// Issues of the last review that nobody reports now, without those that were fixed before it.
pub fn earlier(tally: &Tally) -> impl Iterator<Item = &Carried> {
    tally.earlier.iter().filter(|one| one.became != Became::Fixed || one.is_newly_fixed())
}

/// Whether an issue that is still open was called worse, or found by more lineages, at the last review.
pub fn was_worse(issue: &Issue) -> bool {
    issue.still_open().is_some_and(|before| {
        before.severity > issue.severity || before.lineages.len() > issue.lineages.len()
    })
}

/// `decided false by Ada on 2026-11-21: tests only`, harmless to show.
pub fn decided_words(disposition: &Disposition) -> String {
    let Disposition { decision, by, at, why, .. } = disposition;
    let because = if why.trim().is_empty() { String::new() } else { format!(": {why}") };
    foreign::one_line(&format!("decided {decision} by {by} on {}{because}", at.strftime("%Y-%m-%d")))
}

/// Findings that were taken back, in tally order.
pub fn retracted(tally: &Tally) -> Vec<&Member> {
    let members = tally.issues.iter().flat_map(|issue| &issue.members).chain(&tally.unplaced);
    members.filter(|member| member.anchored.finding.retracted).collect()
}

/// Findings without a place that still stand.
pub fn unplaced(tally: &Tally) -> Vec<&Member> {
    tally.unplaced.iter().filter(|member| !member.anchored.finding.retracted).collect()
}

/// What was found in one bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    /// Issues of two or more lineages with a standing finding made about the bundle.
    pub convergent: usize,
    /// All issues with a standing finding made about the bundle.
    pub distinct: usize,
}

/// What was found in each bundle; those that nobody read are not in it, which is not the same as nothing found.
pub fn by_bundle(tally: &Tally) -> BTreeMap<&str, Found> {
    let answered = tally.coverage.iter().filter(|task| task.outcome.state == State::Answered);
    let mut all: BTreeMap<&str, Found> =
        answered.map(|task| (task.outcome.bundle.as_str(), Found::default())).collect();
    for issue in counted(tally) {
        let bundles: BTreeSet<&str> = standing(issue).map(|member| member.bundle.as_str()).collect();
        for bundle in bundles {
            let found = all.entry(bundle).or_default();
            found.distinct += 1;
            found.convergent += usize::from(issue.is_convergent());
        }
    }
    all
}

/// The members of an issue that were not taken back.
pub fn standing(issue: &Issue) -> impl Iterator<Item = &Member> {
    issue.members.iter().filter(|member| !member.anchored.finding.retracted)
}

/// The member whose words stand for the issue: the first of the issue's severity.
pub fn spokesman(issue: &Issue) -> Option<&Member> {
    issue.spokesman()
}

/// Lineages that were heard: those with a whole answer, and those whose cut-off answer holds a standing finding.
pub fn heard(tally: &Tally) -> BTreeSet<&Lineage> {
    let whole: BTreeSet<&ReviewerId> = tally
        .coverage
        .iter()
        .filter(|task| task.outcome.state == State::Answered)
        .map(|task| &task.outcome.reviewer)
        .collect();
    let panel = tally.panel.reviewers.iter().filter(|reviewer| whole.contains(&reviewer.id));
    let placed = counted(tally).flat_map(|issue| &issue.lineages);
    let loose = tally.unplaced.iter().filter(|member| !member.anchored.finding.retracted);
    let found = placed.chain(loose.map(|member| &member.lineage));
    panel.map(|reviewer| &reviewer.lineage).chain(found).collect()
}

/// `asked: anthropic (opus and sonnet), history; nothing from kimi`; `None` where nobody was.
pub fn who(tally: &Tally) -> Option<String> {
    let mut lineages: BTreeMap<&str, Vec<&ReviewerId>> = BTreeMap::new();
    for seat in &tally.panel.reviewers {
        lineages.entry(seat.lineage.as_str()).or_default().push(&seat.id);
    }
    if lineages.is_empty() || tally.coverage.is_empty() {
        return None;
    }
    let told = |(lineage, reviewers): (&&str, &Vec<&ReviewerId>)| match reviewers.as_slice() {
        [one] if one.as_str() == *lineage => (*lineage).to_owned(),
        several => {
            let names: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
            format!("{lineage} ({})", words::list(&names))
        }
    };
    let told: Vec<String> = lineages.iter().map(told).collect();
    let answered = |id: &ReviewerId| {
        let mut tasks = tally.coverage.iter().map(|task| &task.outcome);
        tasks.any(|task| task.reviewer == *id && task.state == State::Answered)
    };
    let ids = tally.panel.reviewers.iter().map(|seat| &seat.id);
    let silent: Vec<&str> = ids.filter(|id| !answered(id)).map(ReviewerId::as_str).collect();
    let silent =
        if silent.is_empty() { String::new() } else { format!("; nothing from {}", words::list(&silent)) };
    Some(format!("asked: {}{silent}", told.join(", ")))
}

/// How long the run took; `None` while that is not known.
pub fn time(tally: &Tally) -> Option<String> {
    let at = |text: &str| text.parse::<Timestamp>().ok();
    let (start, end) = (at(&tally.run.started_at)?, at(tally.run.finished_at.as_deref()?)?);
    let span = u64::try_from(end.duration_since(start).as_millis()).ok()?;
    // Records know whole seconds.
    Some(words::duration(span.max(1_000)))
}

/// ` by 3 lineages`, to stand behind the coverage; one alone cannot agree with anybody, and that is said.
pub fn heard_words(heard: usize) -> String {
    match heard {
        0 => String::new(),
        1 => " by 1 lineage, so none could agree".to_owned(),
        heard => format!(" by {}", words::count(heard, "lineage")),
    }
}

/// `2 of 3 lineages`.
pub fn agreement(issue: &Issue, heard: usize) -> String {
    format!("{} of {}", issue.convergence(), words::count(heard, "lineage"))
}

/// What the lineages of an issue agree on; `None` for one lineage alone.
pub fn agreed_on(agreement: Agreement) -> Option<&'static str> {
    match agreement {
        Agreement::Claim => Some("same claim"),
        Agreement::Place => Some("same place"),
        Agreement::Single => None,
    }
}

/// `src/lib.rs:42`, `src/lib.rs:10-12`, `src/lib.rs in parse`, harmless to show.
pub fn place(issue: &Issue) -> String {
    place_words(&issue.path, issue.lines, issue.symbol.as_deref())
}

/// The further places of one finding, as [`place`] shows them. What cannot be a path of the repository is left out.
pub fn also_at(member: &Member) -> Vec<String> {
    let shown = |one: &Place| Some(place_words(one.path.as_deref()?, one.lines, one.symbol.as_deref()));
    member.anchored.also.iter().filter_map(shown).collect()
}

pub(super) fn place_words(path: &str, lines: Option<LineRange>, symbol: Option<&str>) -> String {
    let path = foreign::one_line(path);
    match (lines, symbol) {
        (Some(lines), _) if lines.start == lines.end => format!("{path}:{}", lines.start),
        (Some(lines), _) => format!("{path}:{}-{}", lines.start, lines.end),
        (None, Some(symbol)) => format!("{path} in {}", foreign::one_line(symbol)),
        (None, None) => path,
    }
}

/// What is to be known about a place. Unchecked places are told once, at the top; a move tells its own reason.
pub fn place_remarks(member: &Member) -> Vec<&str> {
    let anchored = &member.anchored;
    if member.anchor() == Anchor::Unchecked || anchored.finding.where_text.trim().is_empty() {
        return Vec::new();
    }
    let told = member.anchor() == Anchor::Moved && anchored.note.is_some();
    let lies = place_note(member.anchor()).filter(|_| !told);
    lies.into_iter().chain(anchored.note.as_deref()).collect()
}

/// The reviewer's own word for the severity, as it wrote it, where it is another one than ours.
pub fn own_word(member: &Member) -> Option<&str> {
    let finding = &member.anchored.finding;
    let own = finding.severity_word.trim();
    (!own.is_empty() && !own.eq_ignore_ascii_case(finding.severity.word())).then_some(own)
}

/// What a reader must know about where a place lies; nothing for a place inside the diff.
pub fn place_note(anchor: Anchor) -> Option<&'static str> {
    match anchor {
        Anchor::Changed | Anchor::Context => None,
        Anchor::Moved => Some("moved"),
        Anchor::File => Some("outside the shown lines"),
        Anchor::Outside => Some("outside the change"),
        Anchor::Nowhere => Some("place not found"),
        Anchor::Unchecked => Some("not checked"),
    }
}

/// Said once for a tally whose places could not be checked; else nothing.
pub fn unchecked_words(tally: &Tally) -> &'static str {
    let unchecked = counted(tally).flat_map(standing).any(|member| member.anchor() == Anchor::Unchecked);
    if unchecked { "; places were not checked, no bundle at hand" } else { "" }
}

/// Digits of an issue's id that people are shown at least.
const SHORTEST_ID: usize = 8;

/// The issues of a tally by their id.
pub struct Directory<'a> {
    issues: HashMap<&'a str, &'a Issue>,
    /// Every id of the tally in order.
    ids: Vec<&'a str>,
}

impl<'a> Directory<'a> {
    /// Of the counted issues of `tally`.
    pub fn of(tally: &'a Tally) -> Self {
        let mut ids: Vec<&str> = tally.issues.iter().map(|issue| issue.id.as_str()).collect();
        ids.sort_unstable();
        Self { issues: counted(tally).map(|issue| (issue.id.as_str(), issue)).collect(), ids }
    }

    /// The shortest beginning of the issue's id, of eight characters or more, that no other id of the tally begins with; else
    /// the whole id.
    pub fn short_id(&self, issue: &'a Issue) -> &'a str {
        let id = issue.id.as_str();
        let at = self.ids.partition_point(|other| *other < id);
        let beside =
            [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter_map(|at| self.ids.get(at));
        let shared =
            beside.map(|other| id.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count()).max();
        id.get(..(shared.unwrap_or(0) + 1).max(SHORTEST_ID)).unwrap_or(id)
    }

    /// The counted issue of that id.
    pub fn find(&self, id: &str) -> Option<&'a Issue> {
        self.issues.get(id).copied()
    }

    /// Places of the issues named in `see_also`, without those at the issue's own place.
    pub fn neighbours(&self, issue: &Issue) -> Vec<String> {
        let own = place(issue);
        let near = |id: &String| self.issues.get(id.as_str()).map(|other| place(other));
        let mut places: Vec<String> =
            issue.see_also.iter().filter_map(near).filter(|place| *place != own).collect();
        places.dedup();
        places
    }
}

/// Ids and headings of all bundles; those of a folder of replies are known by their ids only.
pub fn bundle_heads(tally: &Tally) -> Vec<(&str, String)> {
    let shown = tally.bundles.iter().map(|bundle| (bundle.id.as_str(), coverage::bundle_head(bundle)));
    let mut heads: Vec<(&str, String)> = shown.collect();
    let mut known: HashSet<&str> = heads.iter().map(|(id, _)| *id).collect();
    for task in &tally.coverage {
        let id = task.outcome.bundle.as_str();
        if known.insert(id) {
            heads.push((id, words::bundle_name(id)));
        }
    }
    heads
}

/// The sentence that says what came out, honest about what was not read. No final full stop.
pub fn headline(tally: &Tally) -> String {
    let (whole, all) = coverage::answered(tally);
    let heard = heard(tally).len();
    if heard == 0 {
        let carried = still_open(tally).map(|open| format!("; {open} from it")).unwrap_or_default();
        return earlier::nothing_new(tally).map_or_else(|| nobody(tally, all), |nothing| nothing + &carried);
    }
    if let Some(found) = found(tally) {
        return found;
    }
    let bundles = bundle_heads(tally).len();
    let lineages = words::count(heard, "lineage");
    if whole < all {
        let missing = all - whole;
        let are = if missing == 1 { "is" } else { "are" };
        return format!("nothing found by {lineages}, but {missing} of {all} answers {are} missing");
    }
    format!("nothing found by {lineages} in {}", words::count(bundles, "bundle"))
}

fn nobody(tally: &Tally, asked: usize) -> String {
    match (asked, tally.bundles.is_empty(), tally.excluded.len()) {
        (0, true, 0) => "nothing to review".to_owned(),
        (0, true, files) => {
            format!("nothing was reviewed: {} left out, none shown", words::count(files, "file"))
        }
        _ => "not reviewed: nobody answered".to_owned(),
    }
}

/// What was found; `None` when nothing was.
fn found(tally: &Tally) -> Option<String> {
    let (agreed, alone): (Vec<&Issue>, Vec<&Issue>) = open(tally).partition(|issue| issue.is_convergent());
    let mut parts = Vec::new();
    if !agreed.is_empty() {
        let issues = words::count(agreed.len(), "issue");
        parts.push(format!("{issues} found by several lineages ({})", severities(&agreed)));
    }
    if !alone.is_empty() {
        let issues = match (agreed.len(), alone.len()) {
            (0, 1) => "1 issue, found".to_owned(),
            (0, all) => format!("{}, each found", words::count(all, "issue")),
            (_, others) => words::grouped(others as u64),
        };
        parts.push(format!("{issues} by one lineage alone ({})", severities(&alone)));
    }
    parts.extend(still_open(tally).map(|open| format!("{open} from the last review")));
    let (loose, rejected) = (unplaced(tally).len(), tally.rejects.len());
    if loose > 0 {
        let noun =
            if parts.is_empty() { words::count(loose, "finding") } else { words::grouped(loose as u64) };
        parts.push(format!("{noun} without a place"));
    }
    let dismissed = dismissed(tally).count() + earlier::of(tally, Became::Dismissed).count();
    if dismissed > 0 {
        let noun = if parts.is_empty() {
            words::count(dismissed, "issue")
        } else {
            words::grouped(dismissed as u64)
        };
        parts.push(format!("{noun} dismissed by a human"));
    }
    if parts.is_empty() && rejected > 0 {
        parts.push(format!("nothing usable found, but {} could not be read", words::count(rejected, "text")));
    }
    (!parts.is_empty()).then(|| words::list(&parts))
}

/// `2 issues still open (1 BLOCK, 1 WARN)`: those that nobody reports now; `None` when there is none.
fn still_open(tally: &Tally) -> Option<String> {
    let open: Vec<Severity> = earlier::open(tally).map(|one| one.issue.severity).collect();
    let issues = words::count(open.len(), "issue");
    (!open.is_empty()).then(|| format!("{issues} still open ({})", by_severity(open.iter().copied())))
}

/// `2 BLOCK, 1 WARN`.
fn severities(issues: &[&Issue]) -> String {
    by_severity(issues.iter().map(|issue| issue.severity))
}

fn by_severity(all: impl Iterator<Item = Severity>) -> String {
    let mut counts: BTreeMap<Severity, usize> = BTreeMap::new();
    for severity in all {
        *counts.entry(severity).or_default() += 1;
    }
    let shown: Vec<String> = counts.iter().rev().map(|(severity, n)| format!("{n} {severity}")).collect();
    shown.join(", ")
}

/// The run's verdict in one line: `verdict: hold (1 BLOCK found by several lineages)`. No final full stop.
pub fn verdict_line(conclusion: &Conclusion) -> String {
    foreign::one_line(&format!("verdict: {} ({})", conclusion.word(), conclusion.reasons.join("; ")))
}

/// The gate in one line: `gate failed (fail-on block): 1 BLOCK issue`. No final full stop.
pub fn gate_line(gate: &Gate) -> String {
    let word = match gate.result {
        GateResult::Pass => "gate passed",
        GateResult::Fail => "gate failed",
        GateResult::Inconclusive => "inconclusive",
        GateResult::Off => "gate off",
    };
    let policy = if gate.policy.is_empty() { String::new() } else { format!(" ({})", gate.policy) };
    let reasons =
        if gate.reasons.is_empty() { String::new() } else { format!(": {}", gate.reasons.join("; ")) };
    let overruled = gate.overruled.as_ref().map(|one| format!("; {}", overridden(one))).unwrap_or_default();
    foreign::one_line(&format!("{word}{policy}{reasons}{overruled}"))
}

/// `passed by override of Ada on 2026-11-21: why`.
pub fn overridden(one: &Override) -> String {
    format!("passed by override of {} on {}: {}", one.by, one.at.strftime("%Y-%m-%d"), one.why)
}

/// The gate in a line for a commit's status; who lets it pass comes first, since platforms cut the end off.
pub fn status_line(gate: &Gate) -> String {
    let reasons = gate.reasons.join("; ");
    foreign::one_line(&match &gate.overruled {
        Some(one) => {
            format!("passed by override of {}: {} ({}: {reasons})", one.by, one.why, gate.result.word())
        }
        None => format!("{}: {reasons}", gate.result.word()),
    })
}

/// The commits of a range: `1111111..2222222`; its words where it is of none.
pub fn commits(range: &RangeInfo) -> String {
    match (&range.base, &range.head) {
        (Some(base), Some(head)) => format!("{}..{}", short(base), short(head)),
        (None, Some(head)) => short(head).to_owned(),
        (_, None) => range.spec.clone(),
    }
}

/// The gate for a terminal: its answer, each reason on a line, and what it is about.
pub fn gate_lines(gate: &Gate, about: &str) -> String {
    let word = match gate.result {
        GateResult::Pass => "Gate passed",
        GateResult::Fail => "Gate failed",
        GateResult::Inconclusive => "Inconclusive",
        GateResult::Off => "Gate off",
    };
    let reasons = gate.reasons.iter().cloned().chain(gate.overruled.as_ref().map(overridden));
    let lines =
        [format!("{word} ({})", gate.policy)].into_iter().chain(reasons.map(|one| format!("- {one}")));
    lines.chain([about.to_owned()]).map(|line| foreign::one_line(&line) + "\n").collect()
}
