//! The gate: whether a tally passes a policy. The main type is [`Policy`]; [`evaluate`] applies it.
//!
//! It reads counts only: no text of a finding or a reply can change its answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Deserialize;

use super::{
    Issue, Tally,
    since::{Became, Earlier, Scope},
};
use crate::{
    bundle::Bundle,
    coverage::State,
    disposition::Decision,
    finding::{Finding, Severity},
    reviewer::{Lineage, ReviewerId},
};

/// What makes the gate fail (`--fail-on`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Nothing: the gate is off.
    #[default]
    Never,
    /// Any counted issue.
    Any,
    /// An issue of WARN or worse.
    Warn,
    /// An issue of BLOCK.
    Block,
    /// An issue that two or more lineages agree on.
    Convergent,
}

impl FailOn {
    /// Every choice, the mildest first.
    pub const ALL: [Self; 5] = [Self::Never, Self::Any, Self::Warn, Self::Block, Self::Convergent];
}

/// The policy of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// What fails.
    pub fail_on: FailOn,
    /// Fewest distinct lineages that must have answered.
    pub min_lineages: usize,
}

/// The gate's answer with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Pass, fail, inconclusive or off.
    pub result: GateResult,
    /// The policy in words, such as `fail-on block, min-lineages 2`.
    pub policy: String,
    /// Why, for people.
    pub reasons: Vec<String>,
    /// What too few lineages answered, for people, with the gate off too: while there is any, the run is inconclusive.
    pub unread: Vec<String>,
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
/// `min_lineages` lineages (at least one, and no more than are on a panel that `[[route]]` rules chose for it); with the gate off the
/// lineages are counted over the whole run.
/// Offline reviewers answer with their own lineages. Findings without a place count; retracted ones do not, nor do issues that a
/// human dismissed, and the reasons say how many those are.
pub fn evaluate(tally: &Tally, policy: Policy) -> Gate {
    let failing = failing(tally, policy.fail_on);
    let cut_short: Vec<String> = tally.run.cut_short.iter().cloned().collect();
    let unread = [cut_short.clone(), unread(tally, policy.min_lineages)].concat();
    let lacking = match policy.fail_on {
        FailOn::Never => [cut_short, too_few_overall(tally, policy.min_lineages)].concat(),
        FailOn::Any | FailOn::Warn | FailOn::Block | FailOn::Convergent => unread.clone(),
    };
    let (result, mut reasons) = if !failing.is_empty() {
        (GateResult::Fail, [failing, lacking].concat())
    } else if !lacking.is_empty() {
        (GateResult::Inconclusive, lacking)
    } else if policy.fail_on == FailOn::Never {
        (GateResult::Off, Vec::new())
    } else {
        (GateResult::Pass, vec![passed(tally, policy)])
    };
    reasons.extend(set_aside(tally, policy.fail_on));
    reasons.extend(unreadable(tally));
    Gate { result, policy: policy.to_string(), reasons, unread }
}

impl FailOn {
    /// The word of the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Any => "any",
            Self::Warn => "warn",
            Self::Block => "block",
            Self::Convergent => "convergent",
        }
    }

    /// Whether an issue of this kind fails.
    fn concerns(self, issue: &Issue) -> bool {
        match self.severity() {
            Some(least) => issue.is_counted() && issue.worst_severity() >= least,
            None => self == Self::Convergent && issue.is_counted() && issue.is_or_was_convergent(),
        }
    }

    /// The same of an issue that nobody reports now.
    fn concerns_earlier(self, issue: &Earlier) -> bool {
        match self.severity() {
            Some(least) => issue.severity >= least,
            None => self == Self::Convergent && issue.is_convergent(),
        }
    }

    /// What fails, in words: `issues of BLOCK`.
    fn noun(self, head: &str) -> String {
        match (self, self.severity()) {
            (Self::Convergent, _) => format!("{head} that two or more lineages agree on"),
            (_, Some(Severity::Block)) => format!("{head} of {}", Severity::Block),
            (_, Some(least)) => format!("{head} of {least} or worse"),
            (_, None) => head.to_owned(),
        }
    }

    /// The least severity that fails on its own.
    fn severity(self) -> Option<Severity> {
        match self {
            Self::Never | Self::Convergent => None,
            Self::Any => Some(Severity::Info),
            Self::Warn => Some(Severity::Warn),
            Self::Block => Some(Severity::Block),
        }
    }
}

impl GateResult {
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

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fail-on {}, min-lineages {}", self.fail_on.word(), self.min_lineages)
    }
}

/// Issues that the policy fails on.
fn open(tally: &Tally, fail_on: FailOn) -> usize {
    tally.issues.iter().filter(|issue| issue.is_open() && fail_on.concerns(issue)).count()
}

/// What would have counted if no human had dismissed it: `1 issue of BLOCK not counted: decided false`.
fn set_aside(tally: &Tally, fail_on: FailOn) -> Vec<String> {
    let (now, earlier) =
        (|issue: &Issue| fail_on.concerns(issue), |one: &Earlier| fail_on.concerns_earlier(one));
    dismissed(tally, now, earlier, |head| fail_on.noun(head))
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

/// What the policy fails on, in words.
fn failing(tally: &Tally, fail_on: FailOn) -> Vec<String> {
    let mut reasons = some(open(tally, fail_on), &fail_on.noun("issue"), &fail_on.noun("issues"));
    let earlier = tally.earlier.iter().filter(|one| one.is_open() && fail_on.concerns_earlier(&one.issue));
    let noun = |head| format!("{} still open from the last review", fail_on.noun(head));
    reasons.extend(some(earlier.count(), &noun("issue"), &noun("issues")));
    if let Some(least) = fail_on.severity() {
        let counts = |finding: &Finding| !finding.retracted && finding.severity >= least;
        let unplaced = tally.unplaced.iter().filter(|member| counts(&member.anchored.finding)).count();
        let noun = |head| format!("{} without a usable place", fail_on.noun(head));
        reasons.extend(some(unplaced, &noun("finding"), &noun("findings")));
    }
    reasons
}

/// What was read too little, in words: the whole run, else single bundles.
fn unread(tally: &Tally, min_lineages: usize) -> Vec<String> {
    let overall = too_few_overall(tally, min_lineages);
    if !overall.is_empty() {
        return overall;
    }
    // By how many lineages of how many, which bundles.
    let mut short: Vec<((usize, usize), Vec<&str>)> = Vec::new();
    for (bundle, by) in answered_by(tally) {
        let (few, asked) = (by.len(), needed(tally, bundle, min_lineages));
        match short.iter_mut().find(|(same, _)| *same == (few, asked)) {
            _ if few >= asked => {}
            Some((_, bundles)) => bundles.push(bundle),
            None => short.push(((few, asked), vec![bundle])),
        }
    }
    short.into_iter().map(|((few, asked), bundles)| too_few(&bundles, few, asked)).collect()
}

/// `bundle c2_web and 3 more were answered by nobody`.
fn too_few(bundles: &[&str], few: usize, asked: usize) -> String {
    let first = bundles.first().copied().map(name).unwrap_or_default();
    let which = match bundles.len() {
        0 | 1 => format!("bundle {first} was"),
        all => format!("bundle {first} and {} more were", all - 1),
    };
    match few {
        0 => format!("{which} answered by nobody"),
        few => format!("{which} answered by {}, {asked} asked for", lineages(few)),
    }
}

/// How many lineages must have answered about `bundle`.
fn needed(tally: &Tally, bundle: &str, min_lineages: usize) -> usize {
    tally.run.routes.needed(bundle, &tally.panel, min_lineages)
}

/// Says so when the run as a whole was answered by too few lineages.
fn too_few_overall(tally: &Tally, min_lineages: usize) -> Vec<String> {
    let answered = answered_by(tally);
    let asked = answered.keys().map(|bundle| needed(tally, bundle, min_lineages)).max().unwrap_or(1);
    let overall: BTreeSet<_> = answered.values().flatten().collect();
    match overall.len() {
        _ if answered.is_empty() => Vec::new(),
        0 => vec!["no reviewer answered".to_owned()],
        few if few < asked => vec![format!("{} answered, {asked} asked for", lineages(few))],
        _ => Vec::new(),
    }
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

fn passed(tally: &Tally, policy: Policy) -> String {
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
    let least = policy.min_lineages.max(1);
    let has_fewer = |bundle: &Bundle| needed(tally, &bundle.id, least) < least;
    let or =
        if tally.bundles.iter().any(has_fewer) { ", or by all of the panel its route chose" } else { "" };
    format!("nothing that fails, and every bundle was answered by {} or more{or}", lineages(least))
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

fn name(bundle: &str) -> &str {
    if bundle.is_empty() { "(unnamed)" } else { bundle }
}
