//! The run's own verdict: [`conclude`] makes a [`Conclusion`] of severities, agreement and coverage.
//!
//! It does not count the reviewers' verdicts: those are opinions on a bundle, shown beside it. Whether anything is let
//! through is the gate's decision, not this one's. The rule and its reasons: `docs/design/verdict.md`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Issue, Member, Tally,
    gate::{self, Gate},
    since::{Earlier, Scope},
};
use crate::{
    coverage::State,
    disposition::Decision,
    finding::{Severity, Verdict},
    reviewer::ReviewerId,
};

/// What a run comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conclusion {
    /// `None` when too little was read to say: inconclusive.
    pub verdict: Option<Verdict>,
    /// Why, for people; never empty.
    pub reasons: Vec<String>,
}

impl Conclusion {
    /// `ship`, `ship-with-fixes`, `hold` or `inconclusive`.
    pub fn word(&self) -> &'static str {
        self.verdict.map_or("inconclusive", Verdict::word)
    }
}

/// Judges the run.
///
/// - *inconclusive* when anything was read by fewer lineages than asked for, whatever was found in the rest;
/// - *hold* when a BLOCK is agreed on by two or more lineages, on the claim or on the place, when one lineage's BLOCK was
///   decided to be real by a human or confirmed in cross-examination, and when it could not have been confirmed by a second lineage: it comes from a
///   static tool or from the repository's history, or fewer than two lineages of models answered where it was found;
/// - *ship-with-fixes* when anything else of WARN or worse stands;
/// - *ship* otherwise.
///
/// Findings without a place count as those of one lineage. Retracted ones do not count, nor do issues that a human
/// decided to be false or not to be repaired; the reasons say how many. A *ship* also says how many texts were rejected, and where
/// models were asked and none answered.
///
/// What the last review of the same pull request left and nobody reports now weighs as it did then, until its code is gone. Where
/// nothing came since, that alone is judged.
pub fn conclude(tally: &Tally, gate: &Gate) -> Conclusion {
    let found = Found::of(tally);
    let (verdict, mut reasons) = found.judged();
    let again = tally.since.as_ref().is_some_and(|since| since.scope == Scope::Incremental);
    let is_unchanged = again && tally.bundles.is_empty() && tally.excluded.is_empty();
    if tally.coverage.is_empty() && !is_unchanged {
        return Conclusion { verdict: None, reasons: vec!["nothing was put to a reviewer".to_owned()] };
    }
    let weighty = |issue: &Issue| issue.severity >= Severity::Warn;
    let earlier = |issue: &Earlier| issue.severity >= Severity::Warn;
    let set_aside = gate::dismissed(tally, weighty, earlier, str::to_owned);
    if gate.unread.is_empty() {
        if verdict == Verdict::Ship {
            let other = if set_aside.is_empty() { "" } else { "else " };
            reasons.push(format!("nothing {other}of WARN or worse was found"));
            let unread = "text that looked like a finding could not be used";
            let unheard = gate::some(unheard(tally).len(), "bundle", "bundles").into_iter();
            reasons.extend(unheard.map(|bundles| format!("no model answered on {bundles}")));
            reasons.extend(gate::some(tally.rejects.len(), unread, &unread.replacen("text", "texts", 1)));
        }
        return Conclusion { verdict: Some(verdict), reasons: [reasons, set_aside].concat() };
    }
    Conclusion { verdict: None, reasons: [gate.unread.clone(), reasons, set_aside].concat() }
}

/// The issues that each alone make the verdict *hold*, by id.
pub fn holding(tally: &Tally) -> BTreeSet<&str> {
    let models = models_by_bundle(tally);
    let open = tally.issues.iter().filter(|issue| issue.is_open());
    let now = open.filter(|issue| weight(issue, &models).holds()).map(|issue| issue.id.as_str());
    let earlier = tally.earlier.iter().filter(|one| one.is_open() && one.issue.holds);
    now.chain(earlier.map(|one| one.issue.id.as_str())).collect()
}

/// What an issue weighs, the weightiest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// BLOCK by several lineages.
    Agreed,
    /// BLOCK by one lineage that a human decided to be real.
    Decided,
    /// BLOCK by one lineage, confirmed by an examiner of another.
    Confirmed,
    /// BLOCK of static tools or of the repository's history alone.
    Factual,
    /// BLOCK by one lineage of models where no second could have confirmed it.
    Unopposed,
    /// An issue that made the last review hold, less weighty or not reported now.
    Held,
    /// Other BLOCKs.
    Alone,
    /// BLOCK by one lineage, refuted by an examiner of another.
    Refuted,
    /// A BLOCK of the last review that is called less, or not reported, now.
    WasBlock,
    /// WARN.
    Warning,
    /// A WARN of the last review that is called less, or not reported, now.
    WasWarning,
    /// Anything less.
    Remark,
}

impl Weight {
    /// All that are told, in the order of the reasons, with the words for one and for several.
    const TOLD: [(Self, &'static str, &'static str); 11] = [
        (Self::Agreed, "BLOCK found by several lineages", "BLOCKs found by several lineages"),
        (Self::Decided, "BLOCK decided to be real", "BLOCKs decided to be real"),
        (
            Self::Confirmed,
            "BLOCK by one lineage, confirmed by another",
            "BLOCKs by one lineage, confirmed by another",
        ),
        (
            Self::Factual,
            "BLOCK of a static tool or the repository's history, which no model need confirm",
            "BLOCKs of static tools or the repository's history, which no model need confirm",
        ),
        (
            Self::Unopposed,
            "BLOCK that no second lineage was there to confirm",
            "BLOCKs that no second lineage was there to confirm",
        ),
        (
            Self::Held,
            "issue that held the last review and is still open",
            "issues that held the last review and are still open",
        ),
        (Self::Alone, "BLOCK by one lineage alone", "BLOCKs by one lineage alone"),
        (
            Self::Refuted,
            "BLOCK by one lineage, refuted by another",
            "BLOCKs by one lineage, refuted by another",
        ),
        (Self::WasBlock, "BLOCK still open from the last review", "BLOCKs still open from the last review"),
        (Self::Warning, "WARN", "WARNs"),
        (Self::WasWarning, "WARN still open from the last review", "WARNs still open from the last review"),
    ];

    /// Whether it alone makes the verdict *hold*.
    fn holds(self) -> bool {
        match self {
            Self::Agreed | Self::Decided | Self::Confirmed | Self::Factual | Self::Unopposed | Self::Held => {
                true
            }
            Self::Alone
            | Self::Refuted
            | Self::WasBlock
            | Self::Warning
            | Self::WasWarning
            | Self::Remark => false,
        }
    }
}

/// What a reported issue weighs; no less than at the last review, since when it is open.
fn weight(issue: &Issue, models: &BTreeMap<&str, usize>) -> Weight {
    let now = match issue.severity {
        Severity::Block if issue.is_convergent() => Weight::Agreed,
        Severity::Block if is_decided_real(issue) => Weight::Decided,
        Severity::Block if issue.is_confirmed() => Weight::Confirmed,
        Severity::Block if issue.is_refuted() => Weight::Refuted,
        Severity::Block if is_factual(issue) => Weight::Factual,
        Severity::Block if unopposed(issue, models) => Weight::Unopposed,
        Severity::Block => Weight::Alone,
        Severity::Warn => Weight::Warning,
        Severity::Info => Weight::Remark,
    };
    now.min(issue.still_open().map_or(Weight::Remark, weight_then))
}

/// What an issue of the last review weighs as long as it is open.
fn weight_then(issue: &Earlier) -> Weight {
    let is_decided = issue.disposition.as_ref().is_some_and(|one| one.decision == Decision::Real);
    match issue.severity {
        _ if issue.holds => Weight::Held,
        Severity::Block if is_decided => Weight::Decided,
        Severity::Block => Weight::WasBlock,
        Severity::Warn => Weight::WasWarning,
        Severity::Info => Weight::Remark,
    }
}

/// Counts of what weighs.
#[derive(Debug, Default)]
struct Found(BTreeMap<Weight, usize>);

impl Found {
    fn of(tally: &Tally) -> Self {
        let models = models_by_bundle(tally);
        let reported =
            tally.issues.iter().filter(|issue| issue.is_open()).map(|issue| weight(issue, &models));
        let earlier = tally.earlier.iter().filter(|one| one.is_open()).map(|one| weight_then(&one.issue));
        let unplaced = tally.unplaced.iter().filter(|member| !member.anchored.finding.retracted);
        let unplaced = unplaced.map(|member| {
            let second = models.get(member.bundle.as_str()) >= Some(&2);
            match member.anchored.finding.severity {
                Severity::Block if !member.lineage.is_model() => Weight::Factual,
                Severity::Block if second => Weight::Alone,
                Severity::Block => Weight::Unopposed,
                Severity::Warn => Weight::Warning,
                Severity::Info => Weight::Remark,
            }
        });
        let mut found = Self::default();
        for weight in reported.chain(earlier).chain(unplaced) {
            *found.0.entry(weight).or_default() += 1;
        }
        found
    }

    fn judged(&self) -> (Verdict, Vec<String>) {
        let count = |weight: Weight| self.0.get(&weight).copied().unwrap_or(0);
        let told = Weight::TOLD.iter().flat_map(|(weight, one, many)| gate::some(count(*weight), one, many));
        let verdict = match self.0.keys().min() {
            Some(weight) if weight.holds() => Verdict::Hold,
            None | Some(Weight::Remark) => Verdict::Ship,
            Some(_) => Verdict::ShipWithFixes,
        };
        (verdict, told.collect())
    }
}

fn is_decided_real(issue: &Issue) -> bool {
    issue.disposition.as_ref().is_some_and(|disposition| disposition.decision == Decision::Real)
}

/// Whether no model reports it.
fn is_factual(issue: &Issue) -> bool {
    standing(issue).all(|member| !member.lineage.is_model())
}

/// Whether no lineage of a model but the finder's own answered where the issue was found.
fn unopposed(issue: &Issue, models: &BTreeMap<&str, usize>) -> bool {
    standing(issue).all(|member| !member.lineage.is_model() || models.get(member.bundle.as_str()) < Some(&2))
}

/// Members that were not taken back.
fn standing(issue: &Issue) -> impl Iterator<Item = &Member> {
    issue.members.iter().filter(|member| !member.anchored.finding.retracted)
}

/// How many lineages of models answered each bundle.
fn models_by_bundle(tally: &Tally) -> BTreeMap<&str, usize> {
    let answered = gate::answered_by(tally).into_iter();
    answered.map(|(bundle, by)| (bundle, by.iter().filter(|lineage| lineage.is_model()).count())).collect()
}

/// The bundles that were put to models of which none answered.
pub(super) fn unheard(tally: &Tally) -> BTreeSet<&str> {
    let answered = models_by_bundle(tally);
    let seats = &tally.panel.reviewers;
    let is_model = |id: &ReviewerId| seats.iter().any(|seat| seat.id == *id && seat.lineage.is_model());
    let outcomes = tally.coverage.iter().map(|task| &task.outcome);
    let asked = outcomes.filter(|outcome| outcome.state != State::NotRouted && is_model(&outcome.reviewer));
    let asked = asked.map(|outcome| outcome.bundle.as_str());
    asked.filter(|bundle| answered.get(bundle).is_none_or(|models| *models == 0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        change::RangeInfo,
        coverage::Outcome,
        judgement::Judgements,
        reviewer::{Lineage, Panel, Seat},
        tally::{
            Input, RunInfo, TaskReply,
            gate::{FailOn, Policy},
            tally,
        },
    };

    const LEAK: &str = "the socket leaks when the handshake fails because the early return skips close";
    const RACE: &str = "two threads bump the shared counter at once without any lock and lose increments";

    /// A reply with a finding for each `SEVERITY path:line claim`; an empty one when there is none.
    fn reply(reviewer: &str, findings: &[(&str, &str, &str)], whole: bool) -> TaskReply {
        let block = |(severity, place, what): &(&str, &str, &str)| {
            let place = if place.is_empty() { String::new() } else { format!("WHERE: {place}\n") };
            format!("SEVERITY: {severity}\n{place}WHAT: {what}\nWHY: it does\n\n")
        };
        let text = findings.iter().map(block).collect::<String>() + "VERDICT: ship\n";
        let reviewer = ReviewerId::new(reviewer).unwrap();
        let outcome = Outcome::new("c1_x".to_owned(), reviewer, State::Answered);
        TaskReply { outcome, text: Some(if whole { text } else { String::new() }) }
    }

    fn panel(replies: &[TaskReply]) -> Panel {
        let lineages =
            [("opus", "anthropic"), ("kimi", "moonshot"), ("rules", "static:rules"), ("history", "history")];
        let seat = |reply: &TaskReply| {
            let id = reply.outcome.reviewer.clone();
            let lineage = lineages.iter().find(|(name, _)| *name == id.as_str()).unwrap().1;
            Seat { provider: "replay".into(), model: id.to_string(), lineage: Lineage::new(lineage), id }
        };
        Panel { reviewers: replies.iter().map(seat).collect() }
    }

    #[track_caller]
    fn check(replies: Vec<TaskReply>, min_lineages: usize, expect: &str) {
        let input = Input {
            run: RunInfo::default(),
            range: RangeInfo::default(),
            panel: panel(&replies),
            bundles: Vec::new(),
            excluded: Vec::new(),
            replies,
            judgements: Judgements::default(),
            dispositions: Vec::new(),
            since: None,
        };
        let tally = tally(input);
        let gate = gate::evaluate(&tally, &Policy::plain(FailOn::Never, min_lineages));
        let conclusion = conclude(&tally, &gate);
        assert_eq!(format!("{}: {}", conclusion.word(), conclusion.reasons.join("; ")), expect);
    }

    #[test]
    fn agreement_on_a_block_holds() {
        let both = |other| {
            let kimi = ("WARN", "a.rs:5", other);
            vec![reply("opus", &[("BLOCK", "a.rs:5", LEAK)], true), reply("kimi", &[kimi], true)]
        };
        check(both(LEAK), 1, "hold: 1 BLOCK found by several lineages");
        check(both(RACE), 1, "ship-with-fixes: 1 BLOCK by one lineage alone; 1 WARN");
    }

    #[test]
    fn a_block_of_one_lineage_holds_where_nobody_could_confirm_it() {
        let block = |by| reply(by, &[("BLOCK", "a.rs:5", LEAK)], true);
        let clean = |by| reply(by, &[], true);
        let unopposed = "hold: 1 BLOCK that no second lineage was there to confirm";
        check(vec![block("opus")], 1, unopposed);
        check(vec![block("opus"), clean("rules"), clean("history")], 1, unopposed);
        check(vec![block("opus"), clean("kimi")], 1, "ship-with-fixes: 1 BLOCK by one lineage alone");
        let loose = reply("opus", &[("BLOCK", "", LEAK)], true);
        check(vec![loose.clone()], 1, unopposed);
        check(vec![loose, clean("kimi")], 1, "ship-with-fixes: 1 BLOCK by one lineage alone");
    }

    #[test]
    fn a_block_that_no_model_need_confirm_holds() {
        let clean = |by| reply(by, &[], true);
        let factual =
            "hold: 1 BLOCK of a static tool or the repository's history, which no model need confirm";
        for by in ["rules", "history"] {
            for place in ["a.rs:5", ""] {
                let block = reply(by, &[("BLOCK", place, LEAK)], true);
                check(vec![block.clone()], 1, factual);
                check(vec![block, clean("opus"), clean("kimi")], 1, factual);
            }
        }
    }

    #[test]
    fn warnings_are_to_be_fixed_and_remarks_ship() {
        check(vec![reply("opus", &[("WARN", "a.rs:5", LEAK)], true)], 1, "ship-with-fixes: 1 WARN");
        let info = reply("opus", &[("INFO", "a.rs:5", LEAK)], true);
        check(vec![info], 1, "ship: nothing of WARN or worse was found");
        let expect =
            "ship: nothing of WARN or worse was found; 1 text that looked like a finding could not be used";
        check(vec![reply("opus", &[("WARN", "", "Nothing to report.")], true)], 1, expect);
    }

    #[test]
    fn inconclusive_when_too_little_was_read() {
        let silent = |by| reply(by, &[], false);
        let clean = |by| reply(by, &[], true);
        check(vec![silent("opus")], 1, "inconclusive: no reviewer answered");
        check(vec![clean("opus"), silent("kimi")], 1, "ship: nothing of WARN or worse was found");
        check(vec![clean("opus"), silent("kimi")], 2, "inconclusive: 1 lineage answered, 2 asked for");
        let block = reply("opus", &[("BLOCK", "a.rs:5", LEAK)], true);
        let expect = "inconclusive: 1 lineage answered, 2 asked for; \
                      1 BLOCK that no second lineage was there to confirm";
        check(vec![block, silent("kimi")], 2, expect);
        check(vec![], 1, "inconclusive: nothing was put to a reviewer");
    }

    #[test]
    fn a_ship_says_where_no_model_was_heard() {
        let silent = |by| reply(by, &[], false);
        let clean = |by| reply(by, &[], true);
        let expect = "ship: nothing of WARN or worse was found; no model answered on 1 bundle";
        check(vec![silent("opus"), silent("kimi"), clean("rules")], 1, expect);
        check(vec![silent("opus"), clean("kimi")], 1, "ship: nothing of WARN or worse was found");
        check(vec![clean("rules"), silent("history")], 1, "ship: nothing of WARN or worse was found");
    }
}
