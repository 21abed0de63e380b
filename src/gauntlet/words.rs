//! A gauntlet in short sentences, which terminal and Markdown share. Foreign text in them is as it came: whoever shows them
//! makes it harmless.

use std::time::Duration;

use super::document::{
    AssessmentWord, BundleEntry, CaseEntry, CaseWord, CheckWord, EngagementEntry, GapEntry, GauntletDocument,
    Line, ParityFigures, Review, ServiceEntry, ServiceWord, Smoke, SpecEntry,
};
use super::{assess::Assessment, review, smoke::summary::time};
use crate::report::words;

/// Most cases that are listed one by one though they match.
const CASES_LISTED: usize = 20;

/// `ship-with-known-gap`.
pub(super) fn assessment(word: AssessmentWord) -> &'static str {
    Assessment::from(word).word()
}

/// Each phase: its name, its state and what it came to.
pub(super) fn phases(document: &GauntletDocument) -> Vec<[String; 3]> {
    let GauntletDocument { smoke, review, parity, .. } = document;
    let row = |name: &str, state: &str, line: String| [name.to_owned(), state.to_owned(), line];
    let specs: Vec<String> =
        parity.specs.iter().map(|spec| format!("{}: {}", spec.name, tally(spec))).collect();
    vec![
        row("smoke", smoke.state.words(), if smoke.total > 0 { checks(smoke) } else { String::new() }),
        row("review", review.state.words(), reviewed(review)),
        row("parity", parity.state.words(), specs.join("; ")),
    ]
}

/// `21 / 21 pass in 60 s`.
pub(super) fn checks(smoke: &Smoke) -> String {
    let Smoke { passed, total, duration_ms, .. } = smoke;
    format!("{passed} / {total} pass in {}", time(Duration::from_millis(*duration_ms)))
}

/// `service gateway not ready: nobody listens there`.
pub(super) fn service(service: &ServiceEntry) -> String {
    let how = match service.result {
        ServiceWord::NotReady => "not ready",
        ServiceWord::Died => "died",
    };
    format!("service {} {how}: {}", service.name, service.reason)
}

/// Checks that were skipped, by the reason, in the order in which reasons first appear.
pub(super) fn skipped(smoke: &Smoke) -> Vec<(&str, Vec<&str>)> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for check in smoke.checks.iter().filter(|check| check.result == CheckWord::Skipped) {
        let reason = check.reason.as_deref().unwrap_or("not carried out");
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, names)) => names.push(&check.name),
            None => reasons.push((reason, vec![&check.name])),
        }
    }
    reasons
}

/// What is not as it should be, a line each: failed checks with the files of their output, skipped ones by the reason, services.
pub(super) fn troubles(smoke: &Smoke) -> Vec<(String, Option<&str>)> {
    let failed = smoke.checks.iter().filter(|check| check.result == CheckWord::Failed);
    let failed = failed.map(|check| {
        let reason = check.reason.as_deref().unwrap_or("failed");
        (format!("check {}: {reason}", check.name), check.output.as_deref())
    });
    let skipped = skipped(smoke).into_iter();
    let skipped = skipped.map(|(reason, names)| (format!("skipped {}: {reason}", words::list(&names)), None));
    let services = smoke.services.iter().map(|one| (service(one), one.output.as_deref()));
    failed.chain(services).chain(skipped).collect()
}

/// Layers in the order in which they first appear: name, checks that passed, all checks.
pub(super) fn layers(smoke: &Smoke) -> Vec<(&str, usize, usize)> {
    let mut layers: Vec<(&str, usize, usize)> = Vec::new();
    for check in &smoke.checks {
        let at = layers.iter().position(|(name, ..)| *name == check.layer).unwrap_or_else(|| {
            layers.push((&check.layer, 0, 0));
            layers.len() - 1
        });
        layers[at].1 += usize::from(check.result == CheckWord::Passed);
        layers[at].2 += 1;
    }
    layers
}

/// `ship: nothing found by 2 lineages in 4 bundles`.
pub(super) fn reviewed(review: &Review) -> String {
    match (&review.verdict, &review.headline) {
        (Some(verdict), Some(headline)) => format!("{verdict}: {headline}"),
        (verdict, headline) => verdict.clone().or_else(|| headline.clone()).unwrap_or_default(),
    }
}

/// `c1 validatord (46 KB) → 0 convergent / 11 distinct`.
pub(super) fn bundle(bundle: &BundleEntry) -> String {
    let name = words::bundle_name(&bundle.id);
    let found = match (bundle.convergent, bundle.distinct) {
        (Some(convergent), Some(distinct)) => format!("{convergent} convergent / {distinct} distinct"),
        (None, _) | (_, None) => "read by nobody".to_owned(),
    };
    format!("{name} ({}) → {found}", words::size(bundle.bytes))
}

/// `1 match · 5 diff (out of 6 cases), 5 accepted`.
pub(super) fn tally(spec: &SpecEntry) -> String {
    let SpecEntry { matches, diffs, accepted, total, .. } = spec;
    let other = total.saturating_sub(matches + diffs);
    let other = if other > 0 { format!(" · {other} not compared") } else { String::new() };
    let accepted = if *accepted > 0 { format!(", {accepted} accepted") } else { String::new() };
    format!("{matches} match · {diffs} diff{other} (out of {}){accepted}", words::count(*total, "case"))
}

/// `Rust http://127.0.0.1:3100 vs Go http://127.0.0.1:4110`.
pub(super) fn sides(spec: &SpecEntry) -> String {
    let sides: Vec<String> = spec.sides.iter().map(|side| format!("{} {}", side.name, side.at)).collect();
    sides.join(" vs ")
}

/// The cases to list one by one, and how many that match are left out.
pub(super) fn listed(spec: &SpecEntry) -> (Vec<&CaseEntry>, usize) {
    if spec.cases.len() <= CASES_LISTED {
        return (spec.cases.iter().collect(), 0);
    }
    let listed: Vec<&CaseEntry> = spec.cases.iter().filter(|case| case.result != CaseWord::Match).collect();
    let left_out = spec.cases.len() - listed.len();
    (listed, left_out)
}

/// A row of the table of cases: name, statuses, whether they match, whether bodies do, a remark.
pub(super) fn case(case: &CaseEntry) -> Vec<String> {
    let statuses = case.statuses.iter().map(|status| status.clone().unwrap_or_else(|| "–".to_owned()));
    let remark = match (case.result, case.is_accepted) {
        (CaseWord::Diff, true) => "known gap",
        (CaseWord::Empty, _) => "failed alike",
        (CaseWord::Error, _) => "not answered",
        (CaseWord::Unstable, _) => "unstable",
        (CaseWord::Match | CaseWord::Diff, _) => "",
    };
    let matches = |is_same: Option<bool>| match is_same {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "–",
    };
    let cells = [matches(case.status_match), matches(case.body_match), remark].map(str::to_owned);
    [case.name.clone()].into_iter().chain(statuses).chain(cells).collect()
}

/// The heading of that table.
pub(super) fn case_heading(spec: &SpecEntry) -> Vec<String> {
    let statuses = spec.sides.iter().map(|side| format!("{} status", side.name));
    let rest = ["Status match", "Body match", ""].map(str::to_owned);
    ["Case".to_owned()].into_iter().chain(statuses).chain(rest).collect()
}

/// `5 cases: same leaves, other structure`.
pub(super) fn cause(cases: &[String], words: &str) -> String {
    format!("{}: {words}", words::count(cases.len(), "case"))
}

/// `62 tokens out a bundle, 250 the last time`; of several replies their sum too.
pub(super) fn said(one: &EngagementEntry) -> String {
    let EngagementEntry { now, median_before, .. } = one;
    if now.replied == 0 {
        return "0 tokens out".to_owned();
    }
    let median = review::tokens(now.median, now.is_estimated);
    let sum = if now.replied > 1 {
        format!(" ({} in {} replies)", words::grouped(now.tokens_out), now.replied)
    } else {
        String::new()
    };
    let before = median_before.map(|before| format!(", {} the last time", words::grouped(before)));
    format!("{median} a bundle{sum}{}", before.unwrap_or_default())
}

/// Until when a gap is accepted, and by whom: `accepted by Ines Duarte from 2026-05-02 until 2027-01-01`.
pub(super) fn acceptance(gap: &GapEntry) -> String {
    let part = |word: &str, day: &Option<String>| {
        day.as_ref().map(|day| format!(" {word} {day}")).unwrap_or_default()
    };
    format!("{}{}{}", gap.accepted_by, part("from", &gap.since), part("until", &gap.until))
}

/// What a gap is about: `validator/* (structure)`.
pub(super) fn about(gap: &GapEntry) -> String {
    let shape = gap.shape.as_ref().map(|shape| format!(" ({shape})")).unwrap_or_default();
    format!("{}{shape}", gap.matches)
}

/// A row of the table of the last gauntlets: day, commit, assessment, smoke, review, parity.
pub(super) fn trend(line: &Line) -> [String; 6] {
    let none = || "–".to_owned();
    let day: String = line.started_at.chars().take(16).collect::<String>().replace('T', " ");
    let head = line.head.as_ref().map_or_else(none, |head| head.chars().take(7).collect());
    let smoke = line.smoke.as_ref().map_or_else(none, |one| {
        format!("{} / {} in {}", one.passed, one.total, time(Duration::from_millis(one.duration_ms)))
    });
    let review = line
        .review
        .as_ref()
        .map_or_else(none, |one| format!("{}, {} / {}", one.verdict, one.convergent, one.distinct));
    let parity =
        line.parity.as_ref().map_or_else(none, |ParityFigures { matches, diffs, accepted, .. }| {
            let accepted = if *accepted > 0 { format!(" ({accepted} accepted)") } else { String::new() };
            format!("{matches} match · {diffs} diff{accepted}")
        });
    [day, head, assessment(line.assessment).to_owned(), smoke, review, parity]
}

/// Over the columns of [`trend`].
pub(super) const TREND: [&str; 6] =
    ["When", "Commit", "Assessment", "Smoke", "Review (convergent / distinct)", "Parity"];
