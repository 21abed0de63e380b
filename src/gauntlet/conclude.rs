//! From what came of the phases to the document: [`conclude`] holds divergences against the register, weighs everything and
//! names what a reader should know besides.

use jiff::civil::Date;

use super::{
    assess::{Reason, Weight, assess},
    carried,
    document::{
        AssessmentEntry, CaseEntry, CaseWord, CheckWord, GapEntry, GauntletDocument, GauntletSchema, Line,
        Parity, PhaseWord, Review, Run, ServiceWord, Smoke, SpecEntry,
    },
    gap::{End, Entry, Judged, Register, Seen, Standing},
    parity::Report,
    words,
};
use crate::report::words::{count, list_up_to};

/// Earlier gauntlets that are shown.
const TREND: usize = 5;

/// Checks that are named in a reason.
const NAMED: usize = 3;

/// A phase, as far as it was carried out.
#[derive(Debug, Clone)]
pub enum Phase<T> {
    /// The file declares none.
    NotDeclared,
    /// Left out on request, in words: `--skip review`.
    LeftOut(String),
    /// Declared and not begun, and why.
    Unbegun(String),
    /// What came of it.
    Carried(T),
}

impl<T> Phase<T> {
    /// By reference.
    pub fn as_ref(&self) -> Phase<&T> {
        match self {
            Self::NotDeclared => Phase::NotDeclared,
            Self::LeftOut(by) => Phase::LeftOut(by.clone()),
            Self::Unbegun(why) => Phase::Unbegun(why.clone()),
            Self::Carried(result) => Phase::Carried(result),
        }
    }

    /// With something else made of what came of it.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Phase<U> {
        match self {
            Self::NotDeclared => Phase::NotDeclared,
            Self::LeftOut(by) => Phase::LeftOut(by),
            Self::Unbegun(why) => Phase::Unbegun(why),
            Self::Carried(result) => Phase::Carried(make(result)),
        }
    }
}

/// What came of all phases.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Which run.
    pub run: Run,
    /// The chain of checks.
    pub smoke: Phase<Smoke>,
    /// The review and what it weighs.
    pub review: Phase<(Review, Reason)>,
    /// The comparisons; divergences are not yet held against the register.
    pub parity: Phase<Vec<SpecEntry>>,
    /// What is known to differ.
    pub register: Register,
    /// The gauntlets of the same file before, the oldest first.
    pub earlier: Vec<Line>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

/// Judges it all, as of `today` in UTC.
pub fn conclude(outcome: Outcome, today: Date) -> GauntletDocument {
    let Outcome { run, smoke, review, parity, register, mut earlier, mut notes } = outcome;
    let is_all = matches!(parity, Phase::Carried(_) | Phase::NotDeclared);
    let (parity, judged) = judge(parity, &register, is_all, today);
    notes.extend(judged.entries.iter().filter_map(|entry| called_out(entry, &parity)));
    let (smoke, smoke_reasons) = told("the smoke chain", smoke, |smoke| (of_smoke(&smoke), smoke));
    let (review, review_reasons) = told("the review", review, |(review, reason)| (vec![reason], review));
    let (parity, parity_reasons) =
        told("the parity", parity, |specs| (specs.iter().flat_map(of_spec).collect(), specs));
    let assessed = assess([smoke_reasons, review_reasons, parity_reasons].concat());
    earlier.drain(..earlier.len().saturating_sub(TREND));
    GauntletDocument {
        schema: GauntletSchema::One,
        run,
        assessment: AssessmentEntry { result: assessed.assessment.into(), reasons: assessed.reasons },
        smoke: smoke.1.map_or_else(|| no_checks(smoke.0), |checks| Smoke { state: smoke.0, ..checks }),
        review: review
            .1
            .map_or_else(|| super::review::untold(review.0, None), |told| Review { state: review.0, ..told }),
        parity: Parity { state: parity.0, specs: parity.1.unwrap_or_default() },
        gaps: judged.entries.iter().map(entry).collect(),
        trend: earlier,
        notes,
    }
}

/// A phase's state, what is told of it, and its reasons.
fn told<T, U>(
    name: &str,
    phase: Phase<T>,
    weigh: impl FnOnce(T) -> (Vec<Reason>, U),
) -> ((PhaseWord, Option<U>), Vec<Reason>) {
    let lacking = |words: String| vec![Reason::new(Weight::Lacking, words)];
    match phase {
        Phase::NotDeclared => ((PhaseWord::NotDeclared, None), Vec::new()),
        Phase::LeftOut(by) => ((PhaseWord::LeftOut, None), lacking(format!("{name} was left out ({by})"))),
        Phase::Unbegun(why) => {
            ((PhaseWord::Incomplete, None), lacking(format!("{name} was not carried out: {why}")))
        }
        Phase::Carried(result) => {
            let (reasons, told) = weigh(result);
            let worst = reasons.iter().map(|reason| reason.weight).max().unwrap_or(Weight::Lacking);
            ((worst.into(), Some(told)), reasons)
        }
    }
}

fn no_checks(state: PhaseWord) -> Smoke {
    let (passed, total, duration_ms, checks, services) = <_>::default();
    Smoke { state, passed, total, duration_ms, checks, services }
}

fn of_smoke(smoke: &Smoke) -> Vec<Reason> {
    let failed = smoke.checks.iter().filter(|check| check.result == CheckWord::Failed);
    let failed: Vec<String> = failed
        .map(|check| format!("{} ({})", check.name, check.reason.as_deref().unwrap_or("no reason is known")))
        .collect();
    let mut reasons = Vec::new();
    if !failed.is_empty() {
        let head = count(failed.len(), "check");
        reasons.push(Reason::new(Weight::Against, format!("{head} failed: {}", list_up_to(&failed, NAMED))));
    }
    reasons.extend(smoke.services.iter().map(|service| {
        let weight = match service.result {
            ServiceWord::Died => Weight::Against,
            ServiceWord::NotReady => Weight::Lacking,
        };
        Reason::new(weight, words::service(service))
    }));
    reasons.extend(words::skipped(smoke).into_iter().map(|(reason, names)| {
        let head = count(names.len(), "check");
        let words = format!("{head} skipped: {} ({reason})", list_up_to(&names, NAMED));
        Reason::new(Weight::Lacking, words)
    }));
    if reasons.is_empty() {
        reasons.push(Reason::new(Weight::Fine, format!("checks: {}", words::checks(smoke))));
    }
    reasons
}

fn of_spec(spec: &SpecEntry) -> Vec<Reason> {
    let SpecEntry { name, matches, diffs, accepted, total, .. } = spec;
    let mut reasons = Vec::new();
    let cases = count(*total, "case");
    if diffs > accepted {
        let known = if *accepted > 0 { format!(", {accepted} of them accepted") } else { String::new() };
        let words = format!("{name}: {diffs} of {cases} differ{known}");
        reasons.push(Reason::new(Weight::Against, words));
    } else if *diffs > 0 {
        let words = format!("{name}: {diffs} of {cases} differ, as accepted");
        reasons.push(Reason::new(Weight::Known, words));
    }
    if let Some(lacking) = &spec.lacking {
        reasons.push(Reason::new(Weight::Lacking, format!("{name}: {lacking}")));
    } else if matches + diffs < *total || *total == 0 {
        let open = total - matches - diffs;
        reasons.push(Reason::new(Weight::Lacking, format!("{name}: {open} of {cases} not compared")));
    }
    if reasons.is_empty() {
        reasons.push(Reason::new(Weight::Fine, format!("{name}: all {cases} match")));
    }
    reasons
}

/// Holds one comparison alone against the register: writes into its report what is accepted and what must be done about a gap.
///
/// `is_whole`: all its cases were asked for, so that a gap without a divergence no longer occurs.
pub fn hold_against(report: &mut Report, register: &Register, is_whole: bool, today: Date) {
    let (parity, judged) = judge(Phase::Carried(vec![carried::spec(report)]), register, false, today);
    let due = judged.entries.iter().filter(|entry| is_whole || entry.standing != Standing::Closed);
    report.notes.extend(due.filter_map(|entry| called_out(entry, &parity)));
    let gaps: Vec<GapEntry> = judged.entries.iter().map(entry).collect();
    if let Phase::Carried(specs) = &parity {
        for spec in specs {
            carried::accept(report, spec, &gaps);
        }
    }
}

/// Holds every divergence against the register, and counts what is accepted.
fn judge(
    parity: Phase<Vec<SpecEntry>>,
    register: &Register,
    is_all: bool,
    today: Date,
) -> (Phase<Vec<SpecEntry>>, Judged) {
    let specs = match parity {
        Phase::Carried(specs) => specs,
        other => return (other, register.judge(&[], is_all, today)),
    };
    let seen: Vec<Seen> =
        specs.iter().flat_map(|spec| spec.cases.iter().map(|case| seen(&spec.name, case))).collect();
    let is_all = is_all && specs.iter().all(|spec| spec.total > 0);
    let judged = register.judge(&seen, is_all, today);
    let mut accepted = judged.accepted.iter().map(|gaps| !gaps.is_empty());
    let hold = |mut spec: SpecEntry| {
        for case in &mut spec.cases {
            case.is_accepted = accepted.next().unwrap_or(false);
        }
        spec.accepted = spec.cases.iter().filter(|case| case.is_accepted).count();
        spec
    };
    (Phase::Carried(specs.into_iter().map(hold).collect()), judged)
}

fn seen(spec: &str, case: &CaseEntry) -> Seen {
    let end = match case.result {
        CaseWord::Match => End::Same,
        CaseWord::Diff => End::Differs(case.shapes.clone()),
        CaseWord::Empty | CaseWord::Error | CaseWord::Unstable => End::Unknown,
    };
    Seen { spec: spec.to_owned(), case: case.name.clone(), end }
}

/// What must be done about a gap, if anything.
fn called_out(entry: &Entry, parity: &Phase<Vec<SpecEntry>>) -> Option<String> {
    let Entry { gap, standing, cases } = entry;
    let Phase::Carried(specs) = parity else { return None };
    let is_open = |spec: &SpecEntry, case: &CaseEntry| {
        !case.is_accepted && cases.contains(&format!("{}/{}", spec.name, case.name))
    };
    let open = specs.iter().flat_map(|spec| spec.cases.iter().filter(|case| is_open(spec, case))).count();
    let (matches, cases) = (&gap.matches, count(cases.len(), "case"));
    match standing {
        Standing::Accepted if open > 0 => {
            let open = count(open, "case");
            Some(format!("the known gap {matches} accepts a part only of what differs in {open}"))
        }
        Standing::Accepted | Standing::Unknown => None,
        Standing::Expired => {
            let until = gap.until.map(|day| day.to_string()).unwrap_or_default();
            Some(format!(
                "the known gap {matches} was accepted until {until} and still occurs ({cases}): close it, or accept it anew"
            ))
        }
        Standing::NotYet => {
            let since = gap.since.map(|day| day.to_string()).unwrap_or_default();
            Some(format!("the known gap {matches} is accepted from {since} on and occurs already ({cases})"))
        }
        Standing::Closed => {
            Some(format!("the known gap {matches} no longer occurs: take it out of the register"))
        }
        Standing::FitsNothing => {
            Some(format!("the known gap {matches} fits no case: correct it, or take it out"))
        }
    }
}

fn entry(entry: &Entry) -> GapEntry {
    let Entry { gap, standing, cases } = entry.clone();
    GapEntry {
        matches: gap.matches,
        shape: gap.shape,
        why: gap.why,
        accepted_by: gap.accepted_by,
        since: gap.since.map(|day| day.to_string()),
        until: gap.until.map(|day| day.to_string()),
        standing: standing.word().to_owned(),
        cases,
    }
}
