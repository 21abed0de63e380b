//! A made-up tally with one of everything: a claim and a place agreed on, a lone BLOCK, a finding taken back, one
//! without a place, a reject, a failed task and a left-out lockfile.

use std::{path::PathBuf, time::Duration};

use scrum::{
    anchor::{Anchored, Place},
    bundle::{Bundle, ExcludeReason, Excluded, Guard},
    change::{Content, FilePatch, FileStatus, Hunk, RangeInfo},
    coverage::{Outcome, State},
    disposition::{Decision, Disposition},
    finding::{Anchor, Finding, LineRange, Severity, Verdict},
    judgement::{
        ClaimId, Examination, ExaminationAnswer, Hearing, Judgements, Pair, Ruling, RulingAnswer, Unexamined,
    },
    reviewer::{Access, Builtin, Lineage, Panel, Reviewer, ReviewerId, Seat},
    tally::{
        Agreement, Coverage, Issue, Member, RejectedText, RunInfo, Tally,
        gate::{Gate, GateResult},
    },
};

pub(crate) fn id(text: &str) -> ReviewerId {
    ReviewerId::new(text).unwrap()
}

pub(crate) fn reviewer(name: &str, model: &str, lineage: &str, access: Access) -> Reviewer {
    Reviewer {
        timeout: Duration::from_mins(5),
        idle_timeout: Duration::from_mins(1),
        ..Reviewer::new(id(name), access, model.to_owned(), Lineage::new(lineage))
    }
}

pub(crate) fn panel() -> Panel {
    Panel { reviewers: reviewers().iter().map(Seat::from).collect() }
}

pub(crate) fn reviewers() -> Vec<Reviewer> {
    let remote = || Access::OpenAi {
        base_url: "https://openrouter.ai/api/v1".into(),
        api_key_env: Some("OPENROUTER_API_KEY".into()),
    };
    let replay = Access::Replay { dir: PathBuf::from("replies") };
    vec![
        reviewer("opus", "claude-opus-4-7", "anthropic", remote()),
        reviewer("sonnet", "claude-sonnet-4-6", "anthropic", replay),
        reviewer("kimi", "moonshotai/kimi-k2-0905", "moonshot", remote()),
        reviewer("history", "history", "history", Access::Builtin(Builtin::History)),
    ]
}

/// A bundle of one file with `lines` added lines of 46 bytes.
pub(crate) fn bundle(id: &str, path: &str, lines: u32) -> Bundle {
    let text = format!("@@ -0,0 +1,{lines} @@\n")
        + &"+    let checked = verify(&request.signature)?;\n".repeat(lines as usize);
    let hunk = Hunk { old_start: 0, old_lines: 0, new_start: 1, new_lines: lines, text: text.into_bytes() };
    let header = format!("diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n");
    let component = id.split_once('_').map_or(id, |(_, name)| name).to_owned();
    Bundle {
        id: id.to_owned(),
        component,
        files: vec![FilePatch {
            path: path.into(),
            old_path: None,
            status: FileStatus::Added,
            content: Content::Text,
            generated: false,
            header: header.into_bytes(),
            hunks: vec![hunk],
            size: u64::from(lines) * 46,
        }],
        guard: Guard::Ok,
    }
}

pub(crate) fn task(bundle: &str, reviewer: &str, state: State, verdict: Option<Verdict>) -> Coverage {
    let local = reviewer == "history";
    Coverage {
        outcome: Outcome {
            bundle: bundle.to_owned(),
            reviewer: id(reviewer),
            state,
            reason: None,
            attempts: u32::from(!local),
            cached: false,
            latency_ms: 8_400,
            tokens_in: (!local).then_some(12_300),
            tokens_out: (!local).then_some(840),
            cost_usd: (!local).then_some(0.05),
            guessed: None,
            answered_by: None,
            timing: None,
        },
        verdict,
        findings: 0,
    }
}

pub(crate) fn member(name: &str, bundle: &str, severity: Severity, place: &str, what: &str) -> Member {
    let panel = panel();
    let seat = panel.reviewers.iter().find(|seat| seat.id.as_str() == name).unwrap();
    let (path, line) = place.split_once(':').map_or((place, None), |(path, line)| (path, line.parse().ok()));
    Member {
        reviewer: seat.id.clone(),
        lineage: seat.lineage.clone(),
        bundle: bundle.to_owned(),
        anchored: Anchored {
            finding: Finding {
                severity,
                severity_word: severity.word().to_owned(),
                where_text: place.to_owned(),
                location: None,
                also_at: Vec::new(),
                quote: None,
                what: what.to_owned(),
                why: String::new(),
                fix: String::new(),
                retracted: false,
            },
            path: line.map(|_| path.to_owned()),
            lines: line.map(|line| LineRange::new(line, line)),
            symbol: None,
            anchor: if line.is_some() { Anchor::Changed } else { Anchor::Nowhere },
            note: None,
            code: None,
            also: Vec::new(),
        },
    }
}

fn also(path: &str, line: u32) -> Place {
    let lines = Some(LineRange::new(line, line));
    Place {
        path: Some(path.to_owned()),
        lines,
        symbol: None,
        anchor: Anchor::Changed,
        note: None,
        code: None,
    }
}

pub(crate) fn issue(id: &str, agreement: Agreement, members: Vec<Member>) -> Issue {
    let standing: Vec<&Member> = members.iter().filter(|m| !m.anchored.finding.retracted).collect();
    let mut lineages: Vec<Lineage> = standing.iter().map(|m| m.lineage.clone()).collect();
    let mut reviewers: Vec<ReviewerId> = standing.iter().map(|m| m.reviewer.clone()).collect();
    lineages.sort();
    reviewers.sort();
    lineages.dedup();
    reviewers.dedup();
    let worst = standing.iter().map(|m| m.anchored.finding.severity).max();
    let first = &members[0].anchored;
    Issue {
        id: id.to_owned(),
        path: first.path.clone().unwrap_or_default(),
        lines: first.lines,
        symbol: first.symbol.clone(),
        severity: worst.unwrap_or(first.finding.severity),
        agreement,
        lineages,
        reviewers,
        see_also: Vec::new(),
        members,
        unsettled: Vec::new(),
        adjudications: Vec::new(),
        examinations: Vec::new(),
        unexamined: Vec::new(),
        disposition: None,
        standing: None,
        earlier: None,
    }
}

/// A human's decision in any words.
pub(crate) fn decided(text: &str) -> Disposition {
    Disposition {
        at: jiff::Timestamp::UNIX_EPOCH,
        issue: String::new(),
        decision: Decision::False,
        why: text.to_owned(),
        by: text.to_owned(),
        run: String::new(),
        path: String::new(),
        severity: Severity::Warn,
        what: String::new(),
        found_by: Vec::new(),
    }
}

#[expect(clippy::too_many_lines, reason = "data")]
fn issues() -> Vec<Issue> {
    use Severity::{Block, Info, Warn};
    let mut timing = member(
        "opus",
        "c1_validatord",
        Block,
        "validatord/src/auth.rs:42",
        "The signature is compared with `==`, which leaks through timing how many bytes are right.",
    );
    timing.anchored.finding.why = "`verify` returns at the first byte that differs.".into();
    timing.anchored.finding.fix =
        "use subtle::ConstantTimeEq;\nif !a.ct_eq(b).into() {\n    return Err(Bad);\n}".into();
    let mut same = member(
        "kimi",
        "c1_validatord",
        Warn,
        "validatord/src/auth.rs:42",
        "Comparing MACs with == is not constant time.",
    );
    same.anchored.finding.severity_word = "major".into();
    let mut moved = member(
        "kimi",
        "c2_web",
        Warn,
        "web/src/components/session/SessionList.tsx:118",
        "The list is fetched again on every key press.",
    );
    moved.anchored.anchor = Anchor::Moved;
    moved.anchored.note = Some("moved from line 40 by its quote".into());
    moved.anchored.also = vec![also("web/src/api.ts", 9)];
    let mut withdrawn =
        member("opus", "c1_validatord", Block, "validatord/src/pool.rs:88", "The pool is never drained.");
    withdrawn.anchored.finding.retracted = true;
    let mut lone = issue("i-5c07", Agreement::Single, vec![moved]);
    lone.see_also = vec!["i-77ab".into()];
    vec![
        issue("i-0b1c", Agreement::Claim, vec![timing, same]),
        issue(
            "i-77ab",
            Agreement::Place,
            vec![
                member(
                    "sonnet",
                    "c2_web",
                    Warn,
                    "web/src/components/session/SessionList.tsx:112",
                    "The subscription is not cancelled when the component goes away.",
                ),
                member(
                    "history",
                    "c2_web",
                    Info,
                    "web/src/components/session/SessionList.tsx:112",
                    "This line was changed by three of the last five fixes here.",
                ),
            ],
        ),
        issue(
            "i-91e2",
            Agreement::Single,
            vec![member(
                "opus",
                "c1_validatord",
                Block,
                "validatord/src/store.rs:7",
                "A failed write is answered with 200.",
            )],
        ),
        lone,
        issue("i-aa10", Agreement::Single, vec![withdrawn]),
    ]
}

fn excluded(path: &str, reason: ExcludeReason, bytes: u64) -> Excluded {
    Excluded { path: path.into(), old_path: None, reason, bytes }
}

/// The whole tally.
pub(crate) fn tally() -> Tally {
    let mut coverage = vec![
        task("c1_validatord", "history", State::Answered, None),
        task("c1_validatord", "kimi", State::Answered, Some(Verdict::ShipWithFixes)),
        task("c1_validatord", "opus", State::Answered, Some(Verdict::Hold)),
        task("c1_validatord", "sonnet", State::Failed, None),
        task("c2_web", "history", State::Answered, None),
        task("c2_web", "kimi", State::Answered, None),
        task("c2_web", "opus", State::Answered, Some(Verdict::Ship)),
        task("c2_web", "sonnet", State::Answered, Some(Verdict::ShipWithFixes)),
    ];
    coverage[3].outcome.reason = Some("HTTP 529 overloaded, after 4 attempts".into());
    Tally {
        run: RunInfo {
            id: "20261121-041812-9b0e77d".into(),
            started_at: "2026-11-21T04:18:12Z".into(),
            finished_at: Some("2026-11-21T04:19:40Z".into()),
            tool_version: "0.1.0".into(),
            prompt_hash: "5f1d7a84".repeat(8),
            nonce: Some("k3v9".into()),
            cut_short: None,
            ..RunInfo::default()
        },
        range: RangeInfo {
            base: Some("4f1c2a9e".repeat(5)),
            head: Some("9b0e77d1".repeat(5)),
            spec: "main...HEAD".into(),
        },
        panel: panel(),
        bundles: vec![
            bundle("c1_validatord", "validatord/src/auth.rs", 960),
            bundle("c2_web", "web/src/components/session/SessionList.tsx", 67),
        ],
        excluded: vec![
            excluded("Cargo.lock", ExcludeReason::Lockfile, 18_211),
            excluded("web/logo.png", ExcludeReason::Binary, 40_112),
        ],
        coverage,
        issues: issues(),
        unplaced: vec![member(
            "kimi",
            "c1_validatord",
            Severity::Warn,
            "",
            "The new endpoints have no tests.",
        )],
        rejects: vec![RejectedText {
            bundle: "c2_web".into(),
            reviewer: id("kimi"),
            text: "SEVERITY: maybe\nWHERE: somewhere in the styles".into(),
            reason: "no WHAT".into(),
        }],
        judgements: Judgements::default(),
        since: None,
        earlier: Vec::new(),
    }
}

/// A gate that fails on the tally.
pub(crate) fn failed() -> Gate {
    Gate {
        result: GateResult::Fail,
        policy: "fail-on block, min-lineages 2".into(),
        reasons: vec!["2 issues of severity BLOCK".into()],
        issues: Vec::new(),
        unread: Vec::new(),
        overruled: None,
    }
}

/// No gate.
pub(crate) fn off() -> Gate {
    Gate {
        result: GateResult::Off,
        policy: "fail-on never".into(),
        reasons: Vec::new(),
        issues: Vec::new(),
        unread: Vec::new(),
        overruled: None,
    }
}

/// The sample with one of each judgement, whose every foreign text is `text`: a ruling, an examination that came to nothing,
/// a claim nobody could examine, and a refuted BLOCK. Made when all other texts stand.
pub(crate) fn judged(mut tally: Tally, text: &str) -> Tally {
    let refuted = member("kimi", "c2_web", Severity::Block, "web/src/a.ts:7", text);
    tally.issues.push(issue("i-refuted", Agreement::Single, vec![refuted]));
    let seat = tally.panel.reviewers[0].clone();
    let hearing = |question: &str, state| Hearing {
        by: Seat { model: text.to_owned(), lineage: Lineage::new(text), ..seat.clone() },
        outcome: Outcome {
            reason: (state != State::Answered).then(|| text.to_owned()),
            ..Outcome::new(question.to_owned(), seat.id.clone(), state)
        },
        quote: text.to_owned(),
        quote_found: true,
        why: text.to_owned(),
    };
    let claims: Vec<ClaimId> = tally.issues.iter().map(|issue| issue.members[0].claim_id()).collect();
    let last = claims.len() - 1;
    tally.judgements.rulings.push(Ruling {
        pair: Pair::new(claims[0].clone(), claims[1].clone()),
        answer: RulingAnswer::Same,
        hearing: hearing("ruling_1", State::Answered),
    });
    for (at, answer, state) in
        [(2, ExaminationAnswer::Unsure, State::TimedOut), (last, ExaminationAnswer::Refuted, State::Answered)]
    {
        let hearing = hearing("examination_1", state);
        let examination = Examination { claim: claims[at].clone(), answer, hearing };
        tally.issues[at].examinations.push(examination.clone());
        tally.judgements.examinations.push(examination);
    }
    tally.issues[0].adjudications.clone_from(&tally.judgements.rulings);
    let unexamined = Unexamined { claim: claims[3].clone(), reason: text.to_owned() };
    tally.issues[3].unexamined.push(unexamined);
    tally
}
