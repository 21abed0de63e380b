//! Writes a [`Tally`] as `tally.json` ([`render`]) and as a line of `findings.jsonl` ([`summary_line`]).
//!
//! The shapes are in `wire`. Text is kept verbatim, but escaped so that printing a document is safe.

mod since;

use std::fmt::Write as _;

use schemars::{Schema, generate::SchemaSettings};
use serde::Serialize;

use crate::{
    anchor::Place,
    bundle::{Bundle, Excluded, Guard, context::Context},
    change::{FilePatch, RangeInfo},
    coverage::{Outcome, State},
    disposition::Disposition,
    finding::{Anchor, Severity, Verdict},
    judgement::{Examination, ExaminationAnswer, Hearing, Ruling, RulingAnswer},
    mask::{self, Mask},
    report::{coverage, foreign, summary, wire},
    reviewer::Seat,
    route::Routes,
    tally::{
        Agreement, Coverage, Issue, Member, RejectedText, RunInfo, Tally,
        gate::{Gate, GateResult},
        spent::Spent,
        verdict::{self, Conclusion},
    },
};

/// The tally as a `scrum.tally/1` document: indented, keys in a fixed order, with a final newline.
pub fn render(tally: &Tally, gate: &Gate) -> String {
    pretty(&document(tally, gate))
}

/// The gate's answer as it stands in the tally.
pub fn render_gate(gate: &Gate) -> String {
    pretty(&gate_entry(gate))
}

/// The run as one line for `findings.jsonl`, with its newline.
pub fn summary_line(tally: &Tally, gate: &Gate) -> String {
    let (answered, asked) = coverage::answered(tally);
    let found = summary::by_bundle(tally);
    let line = wire::SummaryLine {
        schema: "scrum.summary/1",
        run: tally.run.id.clone(),
        finished_at: tally.run.finished_at.clone(),
        range: range(&tally.range),
        totals: totals(tally),
        bundles: tally
            .bundles
            .iter()
            .map(|bundle| bundle_counts(bundle, found.get(bundle.id.as_str())))
            .collect(),
        answered,
        asked,
        verdict: run_verdict_word(verdict::conclude(tally, gate).verdict),
        gate: gate_word(gate.result),
    };
    printable(serde_json::to_string(&line).unwrap_or_default()) + "\n"
}

/// The JSON Schema (2020-12) of `scrum.tally/1` documents.
pub fn schema() -> Schema {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<wire::TallyDocument>()
}

/// Any value as an indented document that is safe to print, with a final newline.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    // Our own structs have string keys only, which is all that could fail.
    printable(serde_json::to_string_pretty(value).unwrap_or_default()) + "\n"
}

/// Escapes what JSON lets through and a terminal would act on. Such characters stand only inside strings.
pub(crate) fn printable(json: String) -> String {
    if json.bytes().all(|byte| byte == b'\n' || matches!(byte, b' '..=b'~')) {
        return json;
    }
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if (c.is_control() && c != '\n') || foreign::is_hidden(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn document(tally: &Tally, gate: &Gate) -> wire::TallyDocument {
    wire::TallyDocument {
        schema: wire::TallySchema::One,
        run: run(&tally.run),
        range: range(&tally.range),
        pull: tally.since.as_ref().map(|since| since::pull(&since.pull)),
        since: tally.since.as_ref().map(since::since),
        panel: tally.panel.reviewers.iter().map(|reviewer| seated(tally, reviewer)).collect(),
        bundles: tally.bundles.iter().map(|one| bundle(one, &tally.run.routes)).collect(),
        excluded: tally.excluded.iter().map(excluded).collect(),
        masked: tally.run.masks.iter().map(masked).collect(),
        coverage: tally.coverage.iter().map(task).collect(),
        issues: tally.issues.iter().map(issue).collect(),
        earlier: summary::earlier(tally).map(since::earlier).collect(),
        unplaced: tally.unplaced.iter().map(finding).collect(),
        rejects: tally.rejects.iter().map(reject).collect(),
        totals: totals(tally),
        verdict: verdict_entry(&verdict::conclude(tally, gate)),
        gate: gate_entry(gate),
    }
}

fn run(run: &RunInfo) -> wire::Run {
    wire::Run {
        id: run.id.clone(),
        started_at: run.started_at.clone(),
        finished_at: run.finished_at.clone(),
        tool_version: run.tool_version.clone(),
        prompt_hash: run.prompt_hash.clone(),
        cut_short: run.cut_short.clone(),
        context: (run.growth.context != Context::Hunk).then(|| wire::Context {
            asked: run.growth.context.word().to_owned(),
            grown: run.growth.grown,
            hunks: run.growth.hunks(),
            bytes: run.growth.bytes,
        }),
    }
}

pub(super) fn range(range: &RangeInfo) -> wire::Range {
    wire::Range { base: range.base.clone(), head: range.head.clone(), spec: range.spec.clone() }
}

pub(super) fn seat(reviewer: &Seat) -> wire::Seat {
    wire::Seat {
        reviewer: reviewer.id.to_string(),
        provider: reviewer.provider.clone(),
        model: reviewer.model.clone(),
        lineage: reviewer.lineage.to_string(),
        spent: None,
    }
}

fn seated(tally: &Tally, reviewer: &Seat) -> wire::Seat {
    wire::Seat { spent: something(&Spent::by_seat(tally, reviewer)), ..seat(reviewer) }
}

fn something(spent: &Spent) -> Option<wire::Spent> {
    spent.is_something().then(|| self::spent(spent))
}

pub(super) fn spent(spent: &Spent) -> wire::Spent {
    let Spent { answers, cached, tokens_in, tokens_out, cost_usd, unpriced } = *spent;
    let usage = wire::Usage { tokens_in, tokens_out, cost_usd };
    wire::Spent { answers, cached, unpriced, usage }
}

pub(super) fn bundle(bundle: &Bundle, routes: &Routes) -> wire::BundleEntry {
    wire::BundleEntry {
        panel: routes.of(&bundle.id).map(|routed| routed.panel.clone()),
        id: bundle.id.clone(),
        component: bundle.component.clone(),
        bytes: bundle.byte_len() as u64,
        sha256: bundle.sha256(),
        guard: guard_word(bundle.guard),
        files: bundle.files.iter().map(file).collect(),
    }
}

fn file(file: &FilePatch) -> wire::FileEntry {
    let (added, removed) = file.counts();
    wire::FileEntry { path: file.path.to_string(), status: file.status.word().to_owned(), added, removed }
}

pub(super) fn masked(mask: &Mask) -> wire::MaskedText {
    let (kind, number) = (mask.kind.clone(), mask.number);
    match &mask.place {
        mask::Place::Commit { id } => wire::MaskedText {
            kind,
            number,
            bundle: None,
            path: None,
            side: None,
            line: None,
            commit: Some(id.clone()),
        },
        mask::Place::Line { bundle, path, side, line, at: _ } => wire::MaskedText {
            kind,
            number,
            bundle: Some(bundle.clone()),
            path: Some(path.to_string()),
            side: Some(side.word().to_owned()),
            line: Some(*line),
            commit: None,
        },
    }
}

pub(super) fn excluded(excluded: &Excluded) -> wire::ExcludedFile {
    wire::ExcludedFile {
        path: excluded.path.to_string(),
        reason: excluded.reason.word().to_owned(),
        bytes: excluded.bytes,
    }
}

fn task(task: &Coverage) -> wire::Task {
    let outcome = &task.outcome;
    wire::Task {
        bundle: outcome.bundle.clone(),
        reviewer: outcome.reviewer.to_string(),
        state: state_word(outcome.state),
        reason: outcome.reason.clone(),
        effort: effort(outcome),
        verdict: task.verdict.map(verdict_word),
    }
}

fn effort(outcome: &Outcome) -> wire::Effort {
    wire::Effort {
        attempts: outcome.attempts,
        cached: outcome.cached,
        latency_ms: outcome.latency_ms,
        asked_ms: outcome.timing.map(|timing| timing.asked_ms),
        first_token_ms: outcome.timing.and_then(|timing| timing.first_token_ms),
        usage: wire::Usage {
            tokens_in: outcome.tokens_in,
            tokens_out: outcome.tokens_out,
            cost_usd: outcome.cost_usd,
        },
        answered_by: outcome.answered_by.as_ref().map(|by| by.reviewer.to_string()),
        answered_model: outcome.answered_by.as_ref().map(|by| by.model.clone()),
    }
}

fn issue(issue: &Issue) -> wire::IssueEntry {
    wire::IssueEntry {
        id: issue.id.clone(),
        path: issue.path.clone(),
        start_line: issue.lines.map(|lines| lines.start),
        end_line: issue.lines.map(|lines| lines.end),
        symbol: issue.symbol.clone(),
        severity: severity_word(issue.severity),
        agreement: agreement_word(issue.agreement),
        convergence: issue.convergence(),
        lineages: issue.lineages.iter().map(ToString::to_string).collect(),
        reviewers: issue.reviewers.iter().map(ToString::to_string).collect(),
        see_also: issue.see_also.clone(),
        members: issue.members.iter().map(finding).collect(),
        adjudications: issue.adjudications.iter().map(adjudication).collect(),
        examinations: issue.examinations.iter().map(examination).collect(),
        not_examined: issue.unexamined.first().map(|one| one.reason.clone()),
        refuted: issue.is_refuted(),
        disposition: issue.disposition.as_ref().map(|one| disposition(one, &issue.id)),
        standing: issue.standing.map(since::standing),
        was: issue.still_open().filter(|_| summary::was_worse(issue)).map(since::was),
    }
}

pub(super) fn adjudication(ruling: &Ruling) -> wire::Judgement {
    judgement(
        &ruling.hearing,
        match ruling.answer {
            RulingAnswer::Same => wire::AnswerWord::Same,
            RulingAnswer::Different => wire::AnswerWord::Different,
            RulingAnswer::Unsure => wire::AnswerWord::Unsure,
        },
    )
}

pub(super) fn examination(examination: &Examination) -> wire::Judgement {
    judgement(
        &examination.hearing,
        match examination.answer {
            ExaminationAnswer::Confirmed => wire::AnswerWord::Confirmed,
            ExaminationAnswer::Refuted => wire::AnswerWord::Refuted,
            ExaminationAnswer::Unsure => wire::AnswerWord::Unsure,
        },
    )
}

fn judgement(hearing: &Hearing, answer: wire::AnswerWord) -> wire::Judgement {
    let Hearing { by, outcome, quote, quote_found, why } = hearing;
    wire::Judgement {
        reviewer: by.id.to_string(),
        lineage: by.lineage.to_string(),
        model: by.model.clone(),
        answer,
        quote: quote.clone(),
        quote_found: *quote_found,
        why: why.clone(),
        state: state_word(outcome.state),
        reason: outcome.reason.clone(),
        effort: effort(outcome),
    }
}

fn disposition(disposition: &Disposition, issue: &str) -> wire::DispositionEntry {
    wire::DispositionEntry {
        decision: disposition.decision.word().to_owned(),
        why: disposition.why.clone(),
        by: disposition.by.clone(),
        at: disposition.at.to_string(),
        about: (disposition.issue != issue).then(|| disposition.issue.clone()),
    }
}

fn finding(member: &Member) -> wire::Finding {
    let place = &member.anchored;
    let finding = &place.finding;
    wire::Finding {
        reviewer: member.reviewer.to_string(),
        lineage: member.lineage.to_string(),
        bundle: member.bundle.clone(),
        severity: severity_word(finding.severity),
        severity_word: finding.severity_word.clone(),
        where_text: finding.where_text.clone(),
        path: place.path.clone(),
        start_line: place.lines.map(|lines| lines.start),
        end_line: place.lines.map(|lines| lines.end),
        anchor: anchor_word(place.anchor),
        what: finding.what.clone(),
        why: finding.why.clone(),
        fix: finding.fix.clone(),
        retracted: finding.retracted,
        note: place.note.clone(),
        also_at: place.also.iter().map(further_place).collect(),
    }
}

fn further_place(place: &Place) -> wire::Place {
    wire::Place {
        path: place.path.clone(),
        start_line: place.lines.map(|lines| lines.start),
        end_line: place.lines.map(|lines| lines.end),
        symbol: place.symbol.clone(),
        anchor: anchor_word(place.anchor),
        note: place.note.clone(),
    }
}

fn reject(reject: &RejectedText) -> wire::RejectEntry {
    wire::RejectEntry {
        bundle: reject.bundle.clone(),
        reviewer: reject.reviewer.to_string(),
        text: reject.text.clone(),
        reason: reject.reason.clone(),
    }
}

pub(super) fn totals(tally: &Tally) -> wire::Totals {
    let totals = summary::totals(tally);
    let words = |(severity, count): (&Severity, &usize)| (severity.word().to_owned(), *count);
    wire::Totals {
        convergent: totals.convergent,
        distinct: totals.distinct,
        retracted: totals.retracted,
        rejected: totals.rejected,
        by_severity: totals.by_severity.iter().map(words).collect(),
        by_lineage: totals.by_lineage.iter().map(|(lineage, count)| (lineage.to_string(), *count)).collect(),
        decided: totals
            .decided
            .iter()
            .map(|(decision, count)| (decision.word().to_owned(), *count))
            .collect(),
        spent: something(&Spent::in_all(tally)),
    }
}

fn bundle_counts(bundle: &Bundle, found: Option<&summary::Found>) -> wire::BundleCounts {
    wire::BundleCounts {
        id: bundle.id.clone(),
        bytes: bundle.byte_len() as u64,
        convergent: found.map(|found| found.convergent),
        distinct: found.map(|found| found.distinct),
    }
}

fn verdict_entry(conclusion: &Conclusion) -> wire::VerdictEntry {
    wire::VerdictEntry { result: run_verdict_word(conclusion.verdict), reasons: conclusion.reasons.clone() }
}

fn run_verdict_word(verdict: Option<Verdict>) -> wire::RunVerdictWord {
    match verdict {
        Some(Verdict::Ship) => wire::RunVerdictWord::Ship,
        Some(Verdict::ShipWithFixes) => wire::RunVerdictWord::ShipWithFixes,
        Some(Verdict::Hold) => wire::RunVerdictWord::Hold,
        None => wire::RunVerdictWord::Inconclusive,
    }
}

fn gate_entry(gate: &Gate) -> wire::GateEntry {
    wire::GateEntry {
        result: gate_word(gate.result),
        policy: gate.policy.clone(),
        reasons: gate.reasons.clone(),
        overruled: gate.overruled.as_ref().map(|one| wire::OverrideEntry {
            by: one.by.clone(),
            at: one.at.to_string(),
            why: one.why.clone(),
        }),
    }
}

fn gate_word(result: GateResult) -> wire::GateWord {
    match result {
        GateResult::Pass => wire::GateWord::Pass,
        GateResult::Fail => wire::GateWord::Fail,
        GateResult::Inconclusive => wire::GateWord::Inconclusive,
        GateResult::Off => wire::GateWord::Off,
    }
}

fn guard_word(guard: Guard) -> wire::GuardWord {
    match guard {
        Guard::Ok => wire::GuardWord::Ok,
        Guard::Warn => wire::GuardWord::Warn,
        Guard::Oversize => wire::GuardWord::Oversize,
        Guard::Forced => wire::GuardWord::Forced,
    }
}

fn state_word(state: State) -> wire::StateWord {
    match state {
        State::Answered => wire::StateWord::Answered,
        State::Incomplete => wire::StateWord::Incomplete,
        State::Failed => wire::StateWord::Failed,
        State::TimedOut => wire::StateWord::TimedOut,
        State::Empty => wire::StateWord::Empty,
        State::Skipped => wire::StateWord::Skipped,
        State::NotRouted => wire::StateWord::NotRouted,
    }
}

fn verdict_word(verdict: Verdict) -> wire::VerdictWord {
    match verdict {
        Verdict::Ship => wire::VerdictWord::Ship,
        Verdict::ShipWithFixes => wire::VerdictWord::ShipWithFixes,
        Verdict::Hold => wire::VerdictWord::Hold,
    }
}

fn severity_word(severity: Severity) -> wire::SeverityWord {
    match severity {
        Severity::Info => wire::SeverityWord::Info,
        Severity::Warn => wire::SeverityWord::Warn,
        Severity::Block => wire::SeverityWord::Block,
    }
}

pub(super) fn agreement_word(agreement: Agreement) -> wire::AgreementWord {
    match agreement {
        Agreement::Claim => wire::AgreementWord::Claim,
        Agreement::Place => wire::AgreementWord::Place,
        Agreement::Single => wire::AgreementWord::Single,
    }
}

fn anchor_word(anchor: Anchor) -> wire::AnchorWord {
    match anchor {
        Anchor::Changed => wire::AnchorWord::Changed,
        Anchor::Context => wire::AnchorWord::Context,
        Anchor::File => wire::AnchorWord::File,
        Anchor::Moved => wire::AnchorWord::Moved,
        Anchor::Outside => wire::AnchorWord::Outside,
        Anchor::Nowhere => wire::AnchorWord::Nowhere,
        Anchor::Unchecked => wire::AnchorWord::Unchecked,
    }
}
