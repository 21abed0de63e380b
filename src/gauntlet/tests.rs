//! Tests of how a gauntlet is shown: one document in both forms.

use jiff::civil::date;

use super::{
    assess::{Reason, Weight},
    conclude::{Outcome, Phase, conclude},
    document::{
        AssessmentEntry, AssessmentWord, BundleEntry, CaseEntry, CaseWord, CauseEntry, CheckEntry, CheckWord,
        EngagementEntry, GapEntry, GauntletDocument, GauntletSchema, IssueEntry, Parity, PhaseWord, Review,
        Run, SideEntry, Smoke, SpecEntry,
    },
    engagement::Engagement,
    gap::{Gap, Register},
    markdown, review, terminal,
};

fn check(name: &str, layer: &str, reason: Option<&str>) -> CheckEntry {
    CheckEntry {
        name: name.to_owned(),
        layer: layer.to_owned(),
        result: if reason.is_some() { CheckWord::Failed } else { CheckWord::Passed },
        reason: reason.map(str::to_owned),
        duration_ms: 1_200,
        output: Some(format!("smoke/{name}.txt")),
    }
}

fn smoke() -> Smoke {
    let checks = vec![
        check("unit", "substrate", None),
        check("lint | `x`", "substrate", Some("exit status 101, not 0 \u{1b}[31m")),
        check("health", "service", None),
    ];
    Smoke { state: PhaseWord::Failed, passed: 2, total: 3, duration_ms: 61_000, checks, services: Vec::new() }
}

fn reviewed() -> Review {
    let bundle =
        |id: &str, bytes, distinct| BundleEntry { id: id.to_owned(), bytes, convergent: Some(0), distinct };
    let said = |reviewer: &str, median, median_before, silence: Option<&str>| EngagementEntry {
        now: Engagement {
            reviewer: reviewer.to_owned(),
            asked: 2,
            replied: 2,
            tokens_out: 2 * median,
            median,
            bundle_bytes: 46_000,
            is_estimated: reviewer == "agent",
        },
        median_before,
        silence: silence.map(str::to_owned),
    };
    Review {
        verdict: Some("ship-with-fixes".to_owned()),
        headline: Some("2 issues, 1 of them by 2 lineages".to_owned()),
        gate: Some("gate off (fail-on never)".to_owned()),
        convergent: 1,
        distinct: 2,
        bundles: vec![bundle("c1_validatord", 46_000, Some(11)), bundle("c2_vectord", 36_000, None)],
        issues: vec![IssueEntry {
            id: "b9477f1f2978".to_owned(),
            severity: "WARN".to_owned(),
            place: "src/lib.rs:42".to_owned(),
            agreement: "2 of 3 lineages".to_owned(),
            what: "the <lock> is held".to_owned(),
        }],
        engagement: vec![
            said("kimi", 62, Some(250), Some("less than a third of what it said before")),
            said("agent", 297, None, None),
        ],
        ..review::untold(PhaseWord::Passed, Some("main..HEAD".to_owned()))
    }
}

fn parity() -> Parity {
    let case = |name: &str, status: &str, result: CaseWord| CaseEntry {
        name: name.to_owned(),
        statuses: vec![Some(status.to_owned()); 2],
        result,
        reason: None,
        status_match: Some(true),
        body_match: Some(result == CaseWord::Match),
        shapes: if result == CaseWord::Diff { vec!["structure".to_owned()] } else { Vec::new() },
        is_accepted: result == CaseWord::Diff,
    };
    let side = |name: &str, at: &str| SideEntry { name: name.to_owned(), at: at.to_owned() };
    let spec = SpecEntry {
        name: "validator".to_owned(),
        sides: vec![side("Rust", "http://127.0.0.1:3100"), side("Go", "http://127.0.0.1:4110")],
        rule: "the same status and the same body, without /elapsed_ms".to_owned(),
        matches: 1,
        diffs: 1,
        accepted: 1,
        total: 2,
        lacking: None,
        causes: vec![CauseEntry {
            words: "same leaves, other structure".to_owned(),
            cases: vec!["fill_phantom".to_owned()],
        }],
        cases: vec![
            case("playbook_happy", "200", CaseWord::Match),
            case("fill_phantom", "422", CaseWord::Diff),
        ],
        report: Some("parity/validator.md".to_owned()),
    };
    Parity { state: PhaseWord::KnownGap, specs: vec![spec] }
}

fn document() -> GauntletDocument {
    let gap = GapEntry {
        matches: "validator/*".to_owned(),
        shape: Some("structure".to_owned()),
        why: "the wire form of refusals differs".to_owned(),
        accepted_by: "Ines Duarte".to_owned(),
        since: None,
        until: Some("2027-01-01".to_owned()),
        standing: "accepted".to_owned(),
        cases: vec!["validator/fill_phantom".to_owned()],
    };
    let document = GauntletDocument {
        schema: GauntletSchema::One,
        run: Run {
            id: "20261121-062149897-4ac24b".to_owned(),
            started_at: "2026-11-21T06:21:49Z".to_owned(),
            finished_at: Some("2026-11-21T06:22:50Z".to_owned()),
            tool_version: "0.1.0".to_owned(),
            file: "gauntlet.toml".to_owned(),
            head: Some("d4145343497ce602d3b40fa2aff7b766ea3257c5".to_owned()),
        },
        assessment: AssessmentEntry {
            result: AssessmentWord::Hold,
            reasons: vec!["check lint failed".to_owned(), "1 divergence of validator is accepted".to_owned()],
        },
        smoke: smoke(),
        review: reviewed(),
        parity: parity(),
        gaps: vec![gap],
        trend: Vec::new(),
        notes: vec!["the change under review brings gauntlet.toml".to_owned()],
    };
    let mut earlier = document.line();
    "2026-11-20T18:00:00Z".clone_into(&mut earlier.started_at);
    earlier.assessment = AssessmentWord::ShipWithKnownGap;
    earlier.review = None;
    GauntletDocument { trend: vec![earlier], ..document }
}

#[test]
fn as_markdown() {
    insta::assert_snapshot!(markdown::render(&document()), @r"
    ## Gauntlet: hold – check lint failed

    - 1 divergence of validator is accepted

    the change under review brings gauntlet.toml

    | Phase | State | Result |
    |---|---|---|
    | smoke | failed | 2 / 3 pass in 61 s |
    | review | passed | ship-with-fixes: 2 issues, 1 of them by 2 lineages |
    | parity | known gap | validator: 1 match · 1 diff (out of 2 cases), 1 accepted |

    ### Smoke: 2 / 3 pass in 61 s

    - **substrate** 1 / 2: unit, lint \| \`x\`
    - **service** 1 / 1: health

    Not passed:

    - check lint \| `x`: exit status 101, not 0 ␛\[31m (output: ``smoke/lint | `x`.txt``)

    ### Review of `main..HEAD`: ship-with-fixes: 2 issues, 1 of them by 2 lineages

    Gate off (fail-on never).

    - c1 validatord (46 KB) → 0 convergent / 11 distinct
    - c2 vectord (36 KB) → read by nobody

    Found by more than one lineage:

    - **WARN** `src/lib.rs:42` · 2 of 3 lineages: the &lt;lock&gt; is held

    How much each model said:

    - kimi: 62 tokens out a bundle (124 in 2 replies), 250 the last time · **fell silent**: less than a third of what it said before
    - agent: about 297 tokens out a bundle (594 in 2 replies)

    ### Parity: validator — Rust `http://127.0.0.1:3100` vs Go `http://127.0.0.1:4110`

    The same status and the same body, without /elapsed_ms

    | Case | Rust status | Go status | Status match | Body match |  |
    |---|---|---|---|---|---|
    | playbook_happy | 200 | 200 | yes | yes |  |
    | fill_phantom | 422 | 422 | yes | NO | known gap |

    Tally: 1 match · 1 diff (out of 2 cases), 1 accepted.

    1 cause:

    - 1 case: same leaves, other structure (fill_phantom)

    In full: `parity/validator.md`

    ### Known gaps

    | Gap | Standing | Why | Accepted by |
    |---|---|---|---|
    | validator/\* (structure) | accepted: 1 case | the wire form of refusals differs | Ines Duarte until 2027-01-01 |

    ### Trend

    | When | Commit | Assessment | Smoke | Review (convergent / distinct) | Parity |
    |---|---|---|---|---|---|
    | 2026-11-21 06:&#8203;21 | d414534 | hold | 2 / 3 in 61 s | ship-with-fixes, 1 / 2 | 1 match · 1 diff (1 accepted) |
    | 2026-11-20 18:&#8203;00 | d414534 | ship-with-known-gap | 2 / 3 in 61 s | – | 1 match · 1 diff (1 accepted) |

    <sub>`d414534` · `2026-11-21T06:21:49Z` · run `20261121-062149897-4ac24b` · `gauntlet.toml` · scrum `0.1.0`</sub>
    ");
}

#[test]
fn in_a_comment() {
    insta::assert_snapshot!(markdown::section(&document()), @"

    <details>
    <summary>Gauntlet: hold</summary>

    - check lint failed
    - 1 divergence of validator is accepted

    | Phase | State | Result |
    |---|---|---|
    | smoke | failed | 2 / 3 pass in 61 s |
    | review | passed | ship-with-fixes: 2 issues, 1 of them by 2 lineages |
    | parity | known gap | validator: 1 match · 1 diff (out of 2 cases), 1 accepted |

    Known gaps:

    - `validator/* (structure)` accepted: the wire form of refusals differs (Ines Duarte until 2027-01-01)

    </details>
    ");
}

#[test]
fn on_a_terminal() {
    insta::assert_snapshot!(terminal::render(&document(), 80, false), @"
    Smoke: 2 / 3 pass in 61 s
      substrate 1 / 2
      service 1 / 1
      check lint | `x`: exit status 101, not 0 ␛[31m (output: smoke/lint | `x`.txt)

    Review of main..HEAD: ship-with-fixes: 2 issues, 1 of them by 2 lineages
      c1 validatord (46 KB) → 0 convergent / 11 distinct
      c2 vectord (36 KB) → read by nobody
      WARN src/lib.rs:42 2 of 3 lineages: the <lock> is held
      kimi: 62 tokens out a bundle (124 in 2 replies), 250 the last time; fell
        silent: less than a third of what it said before
      agent: about 297 tokens out a bundle (594 in 2 replies)
      gate off (fail-on never)

    Parity: validator — Rust http://127.0.0.1:3100 vs Go http://127.0.0.1:4110
      the same status and the same body, without /elapsed_ms
      Case            Rust status  Go status  Status match  Body match
      playbook_happy  200          200        yes           yes
      fill_phantom    422          422        yes           NO          known gap
      1 match · 1 diff (out of 2 cases), 1 accepted
      1 case: same leaves, other structure (fill_phantom)

    Known gaps
      validator/* (structure) accepted, 1 case: the wire form of refusals differs
        (Ines Duarte until 2027-01-01)

    Trend
      2026-11-21 06:21 · d414534 · hold · 2 / 3 in 61 s · ship-with-fixes, 1 / 2 · 1
        match · 1 diff (1 accepted)
      2026-11-20 18:00 · d414534 · ship-with-known-gap · 2 / 3 in 61 s · – · 1 match
        · 1 diff (1 accepted)

    Phases
      smoke failed: 2 / 3 pass in 61 s
      review passed: ship-with-fixes: 2 issues, 1 of them by 2 lineages
      parity known gap: validator: 1 match · 1 diff (out of 2 cases), 1 accepted

    May this ship? hold
      check lint failed
      1 divergence of validator is accepted
      the change under review brings gauntlet.toml
    ");
}

#[test]
fn nothing_is_too_narrow_or_too_empty() {
    let untold = GauntletDocument {
        smoke: Smoke { checks: Vec::new(), total: 0, passed: 0, state: PhaseWord::NotDeclared, ..smoke() },
        review: review::untold(PhaseWord::LeftOut, None),
        parity: Parity { state: PhaseWord::NotDeclared, specs: Vec::new() },
        gaps: Vec::new(),
        trend: Vec::new(),
        ..document()
    };
    insta::assert_snapshot!(terminal::render(&untold, 0, false), @"
    Phases
      smoke not declared
      review left out
      parity not declared

    May this ship? hold
      check lint failed
      1 divergence of validator is accepted
      the change under review brings
        gauntlet.toml
    ");
}

#[test]
fn a_document_is_read_back() {
    let written = document().render();
    assert_eq!(serde_json::from_str::<GauntletDocument>(&written).unwrap(), document());
}

/// Every phase carried out, nothing against it.
fn outcome() -> Outcome {
    let mut smoke = smoke();
    for check in &mut smoke.checks {
        (check.result, check.reason) = (CheckWord::Passed, None);
    }
    let gap = Gap {
        matches: "validator/*".to_owned(),
        shape: None,
        why: "known".to_owned(),
        accepted_by: "Ines".to_owned(),
        since: None,
        until: Some(date(2026, 12, 31)),
    };
    Outcome {
        run: document().run,
        smoke: Phase::Carried(Smoke { passed: 3, ..smoke }),
        review: Phase::Carried((reviewed(), Reason::new(Weight::Fine, "the review says ship"))),
        parity: Phase::Carried(parity().specs),
        register: Register::new(vec![gap]).unwrap(),
        earlier: Vec::new(),
        notes: Vec::new(),
    }
}

/// The answer, its reasons, the states of the phases and what is called out besides.
fn check_conclusion(outcome: Outcome, expect: (&str, &[&str], [&str; 3], &[&str])) {
    let document = conclude(outcome, date(2026, 11, 21));
    let reasons: Vec<&str> = document.assessment.reasons.iter().map(String::as_str).collect();
    let states = [document.smoke.state, document.review.state, document.parity.state].map(PhaseWord::words);
    let notes: Vec<&str> = document.notes.iter().map(String::as_str).collect();
    let word = super::words::assessment(document.assessment.result);
    assert_eq!((word, reasons.as_slice(), states, notes.as_slice()), expect);
}

#[test]
fn each_assessment() {
    let fine = ["passed", "passed", "known gap"];
    let (known, smoke, review) =
        ("validator: 1 of 2 cases differ, as accepted", "checks: 3 / 3 pass in 61 s", "the review says ship");
    check_conclusion(outcome(), ("ship-with-known-gap", &[known, smoke, review], fine, &[]));

    let mut alike = parity().specs;
    (alike[0].matches, alike[0].diffs) = (2, 0);
    alike[0].cases.iter_mut().for_each(|case| case.result = CaseWord::Match);
    let all = Outcome { parity: Phase::Carried(alike), ..outcome() };
    let closed = "the known gap validator/* no longer occurs: take it out of the register";
    let expect: &[&str] = &[smoke, review, "validator: all 2 cases match"];
    check_conclusion(all, ("ship", expect, ["passed"; 3], &[closed]));

    let red = Outcome { smoke: Phase::Carried(self::smoke()), ..outcome() };
    let failed = "1 check failed: lint | `x` (exit status 101, not 0 \u{1b}[31m)";
    check_conclusion(red, ("hold", &[failed, known], ["failed", "passed", "known gap"], &[]));

    let later = Outcome { register: Register::default(), ..outcome() };
    let differs = "validator: 1 of 2 cases differ";
    check_conclusion(later, ("hold", &[differs], ["passed", "passed", "failed"], &[]));
}

#[test]
fn what_was_not_carried_out_never_ships() {
    let known = "validator: 1 of 2 cases differ, as accepted";
    let left_out = Outcome { review: Phase::LeftOut("--skip review".to_owned()), ..outcome() };
    check_conclusion(
        left_out,
        (
            "inconclusive",
            &["the review was left out (--skip review)", known],
            ["passed", "left out", "known gap"],
            &[],
        ),
    );

    let mut specs = parity().specs;
    specs[0].lacking = Some("Go is down".to_owned());
    (specs[0].diffs, specs[0].cases[1].result) = (0, CaseWord::Error);
    let down = Outcome { parity: Phase::Carried(specs), ..outcome() };
    check_conclusion(
        down,
        ("inconclusive", &["validator: Go is down"], ["passed", "passed", "incomplete"], &[]),
    );

    let interrupted =
        Outcome { smoke: Phase::NotDeclared, parity: Phase::Unbegun("interrupted".to_owned()), ..outcome() };
    check_conclusion(
        interrupted,
        (
            "inconclusive",
            &["the parity was not carried out: interrupted"],
            ["not declared", "passed", "incomplete"],
            &[],
        ),
    );
}
