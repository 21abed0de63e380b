//! Reports of a sample tally, as people and programs see them.

mod documents;
pub(crate) mod formats;
mod hostile;
mod html;
mod long;
mod preview;
mod rendered;
mod sample;
mod tables;

use scrum::{
    bundle::{ExcludeReason, Excluded},
    coverage::State,
    finding::{Anchor, Verdict},
    report::{markdown, summary::Directory, table},
    tally::{
        Agreement, Tally,
        gate::{Gate, GateResult},
        named::named,
    },
};

/// Folds the texts' trailing newline away, which a snapshot cannot show.
fn shown(text: &str) -> &str {
    text.strip_suffix('\n').expect("every report ends with a newline")
}

#[test]
fn markdown_of_a_whole_tally() {
    insta::assert_snapshot!(shown(&markdown::render(&sample::tally(), &sample::failed())), @r#"
    ## scrum: hold – 2 issues found by several lineages (1 BLOCK, 1 WARN), 2 by one lineage alone (1 BLOCK, 1 WARN) and 1 without a place

    Verdict: hold (1 BLOCK found by several lineages; 1 BLOCK by one lineage alone; 3 WARNs). Gate failed (fail-on block, min-lineages 2): 2 issues of severity BLOCK.

    Asked: anthropic (opus and sonnet), history, moonshot (kimi). Coverage: 7 of 8 answered by 3 lineages (73,800 tokens in, 5,040 out, $0.30, 1 min 28 s).

    > **Not read:** sonnet failed on c1 validatord: HTTP 529 overloaded, after 4 attempts

    ### Found by more than one lineage

    **BLOCK** `validatord/src/auth.rs:42` · 2 of 3 lineages, same claim · `i-0b1c`

    - **opus** (anthropic) BLOCK: The signature is compared with `==`, which leaks through timing how many bytes are right.
      <br>Why: `verify` returns at the first byte that differs.
      <br>Fix:

      ```text
      use subtle::ConstantTimeEq;
      if !a.ct_eq(b).into() {
          return Err(Bad);
      }
      ```
    - **kimi** (moonshot) WARN ("major"): Comparing MACs with == is not constant time.

    **WARN** `web/src/components/session/SessionList.tsx:112` · 2 of 3 lineages, same place · `i-77ab`

    - **sonnet** (anthropic) WARN: The subscription is not cancelled when the component goes away.
    - **history** (history) INFO: This line was changed by three of the last five fixes here.

    ### BLOCK by one lineage alone

    **BLOCK** `validatord/src/store.rs:7` · 1 of 3 lineages · `i-91e2`

    - **opus** (anthropic) BLOCK: A failed write is answered with 200.

    <details>
    <summary>1 other issue by one lineage alone</summary>

    **WARN** `web/src/components/session/SessionList.tsx:118` · 1 of 3 lineages · `i-5c07`

    - **kimi** (moonshot) WARN: The list is fetched again on every key press.
      <br>Place: `web/src/components/session/SessionList.tsx:118` (moved from line 40 by its quote)
      <br>Also at `web/src/api.ts:9`
    - near, but another claim: `web/src/components/session/SessionList.tsx:112`

    </details>

    <details>
    <summary>1 finding without a place in the change</summary>

    - **kimi** (moonshot) WARN: The new endpoints have no tests.

    </details>

    (opus emitted a BLOCK on `validatord/src/pool.rs:88` and took it back: The pool is never drained.)

    <details>
    <summary>1 text not usable</summary>

    - kimi on c2 web: no WHAT

      ```text
      SEVERITY: maybe
      WHERE: somewhere in the styles
      ```

    </details>

    ### Coverage

    | bundle | convergent | distinct | opus | sonnet | kimi | history |
    |---|---:|---:|---|---|---|---|
    | c1 validatord (46 KB) | 1 | 2 | hold | **failed** | ship-with-fixes | answered |
    | c2 web (3.4 KB) | 1 | 2 | ship | ship-with-fixes | answered | answered |
    | spent | | | 24,600 tokens in, 1,680 out, $0.10 | 24,600 tokens in, 1,680 out, $0.10 | 24,600 tokens in, 1,680 out, $0.10 | – |

    Not shown to reviewers:

    - 1 lockfile: Cargo.lock
    - 1 binary file: web/logo.png

    <sub>`main...HEAD` · run `20261121-041812-9b0e77d` · scrum `0.1.0` · again: `scrum review 4f1c2a9e4f1c2a9e4f1c2a9e4f1c2a9e4f1c2a9e..9b0e77d19b0e77d19b0e77d19b0e77d19b0e77d1`</sub>
    "#);
}

/// The sample with nothing found; every task of the panel's first two lineages answered.
fn quiet() -> Tally {
    let mut tally = sample::tally();
    tally.issues.clear();
    tally.unplaced.clear();
    tally.rejects.clear();
    tally.excluded.clear();
    tally.panel.reviewers.truncate(3);
    tally.coverage = ["c1_validatord", "c2_web"]
        .iter()
        .flat_map(|bundle| {
            ["kimi", "opus", "sonnet"]
                .map(|name| sample::task(bundle, name, State::Answered, Some(Verdict::Ship)))
        })
        .collect();
    tally
}

fn nobody_answered() -> (Tally, Gate) {
    let mut tally = quiet();
    for task in &mut tally.coverage {
        task.outcome.state = State::Failed;
        task.outcome.reason = Some("HTTP 401 Unauthorized".into());
        task.outcome.tokens_in = None;
        task.outcome.tokens_out = None;
        task.verdict = None;
    }
    let gate = Gate {
        result: GateResult::Inconclusive,
        policy: "fail-on never, min-lineages 1".into(),
        reasons: vec!["no reviewer answered".into()],
        issues: Vec::new(),
        unread: vec!["no reviewer answered".into()],
        overruled: None,
    };
    (tally, gate)
}

#[test]
fn nothing_found_says_who_looked() {
    insta::assert_snapshot!(shown(&table::render(&quiet(), &sample::off(), 80, false)), @"
    main...HEAD, run 20261121-041812-9b0e77d

    c1 validatord (46 KB) → 0 convergent / 0 distinct
    c2 web (3.4 KB)       → 0 convergent / 0 distinct

    opus (anthropic) says ship (24,600 tokens in, 1,680 out, $0.10)
    sonnet (anthropic) says ship (24,600 tokens in, 1,680 out, $0.10)
    kimi (moonshot) says ship (24,600 tokens in, 1,680 out, $0.10)

    Coverage: all 6 answered by 2 lineages (73,800 tokens in, 5,040 out, $0.30)
    Nothing found by 2 lineages in 2 bundles
    Verdict: ship (nothing of WARN or worse was found)
    ");
    insta::assert_snapshot!(shown(&markdown::render(&quiet(), &sample::off())), @"
    ## scrum: ship – nothing found by 2 lineages in 2 bundles

    Verdict: ship (nothing of WARN or worse was found). Gate off (fail-on never).

    Asked: anthropic (opus and sonnet), moonshot (kimi). Coverage: all 6 answered by 2 lineages (73,800 tokens in, 5,040 out, $0.30, 1 min 28 s).

    ### Coverage

    | bundle | convergent | distinct | opus | sonnet | kimi |
    |---|---:|---:|---|---|---|
    | c1 validatord (46 KB) | 0 | 0 | ship | ship | ship |
    | c2 web (3.4 KB) | 0 | 0 | ship | ship | ship |
    | spent | | | 24,600 tokens in, 1,680 out, $0.10 | 24,600 tokens in, 1,680 out, $0.10 | 24,600 tokens in, 1,680 out, $0.10 |

    <sub>`main...HEAD` · run `20261121-041812-9b0e77d` · scrum `0.1.0` · again: `scrum review 4f1c2a9e4f1c2a9e4f1c2a9e4f1c2a9e4f1c2a9e..9b0e77d19b0e77d19b0e77d19b0e77d19b0e77d1`</sub>
    ");
}

#[test]
fn nothing_found_with_a_gap_is_not_clean() {
    let mut tally = quiet();
    tally.coverage[3].outcome.state = State::TimedOut;
    tally.coverage[3].outcome.reason = Some("no byte for 60 s".into());
    insta::assert_snapshot!(shown(&table::render(&tally, &sample::off(), 80, false)), @"
    main...HEAD, run 20261121-041812-9b0e77d

    c1 validatord (46 KB) → 0 convergent / 0 distinct
    c2 web (3.4 KB)       → 0 convergent / 0 distinct

    opus (anthropic) says ship (24,600 tokens in, 1,680 out, $0.10)
    sonnet (anthropic) says ship (24,600 tokens in, 1,680 out, $0.10)
    kimi (moonshot) says ship (24,600 tokens in, 1,680 out, $0.10)

    ! kimi timed out on c2 web: no byte for 60 s
    Coverage: 5 of 6 answered by 2 lineages (73,800 tokens in, 5,040 out, $0.30)
    Nothing found by 2 lineages, but 1 of 6 answers is missing
    Verdict: ship (nothing of WARN or worse was found)
    ");
}

#[test]
fn nobody_answered_is_not_a_review() {
    let (tally, gate) = nobody_answered();
    insta::assert_snapshot!(shown(&table::render(&tally, &gate, 80, false)), @"
    main...HEAD, run 20261121-041812-9b0e77d

    c1 validatord (46 KB) → not read by anybody
    c2 web (3.4 KB)       → not read by anybody

    opus (anthropic): $0.10
    sonnet (anthropic): $0.10
    kimi (moonshot): $0.10

    ! kimi failed on all 2 bundles: HTTP 401 Unauthorized
    ! opus failed on all 2 bundles: HTTP 401 Unauthorized
    ! sonnet failed on all 2 bundles: HTTP 401 Unauthorized
    Coverage: none of 6 answered ($0.30)
    Not reviewed: nobody answered
    Verdict: inconclusive (no reviewer answered)
    Inconclusive (fail-on never, min-lineages 1): no reviewer answered
    ");
    insta::assert_snapshot!(shown(&markdown::render(&tally, &gate)), @"
    ## scrum: inconclusive – not reviewed: nobody answered

    Verdict: inconclusive (no reviewer answered). Inconclusive (fail-on never, min-lineages 1): no reviewer answered.

    Asked: anthropic (opus and sonnet), moonshot (kimi); nothing from opus, sonnet and kimi. Coverage: none of 6 answered ($0.30, 1 min 28 s).

    > **Not read:** kimi failed on all 2 bundles: HTTP 401 Unauthorized

    > **Not read:** opus failed on all 2 bundles: HTTP 401 Unauthorized

    > **Not read:** sonnet failed on all 2 bundles: HTTP 401 Unauthorized

    ### Coverage

    | bundle | convergent | distinct | opus | sonnet | kimi |
    |---|---:|---:|---|---|---|
    | c1 validatord (46 KB) | – | – | **failed** | **failed** | **failed** |
    | c2 web (3.4 KB) | – | – | **failed** | **failed** | **failed** |
    | spent | | | $0.10 | $0.10 | $0.10 |

    <sub>`main...HEAD` · run `20261121-041812-9b0e77d` · scrum `0.1.0` · again: `scrum review 4f1c2a9e4f1c2a9e4f1c2a9e4f1c2a9e4f1c2a9e..9b0e77d19b0e77d19b0e77d19b0e77d19b0e77d1`</sub>
    ");
}

#[test]
fn an_empty_change_has_nothing_to_review() {
    let mut tally = quiet();
    tally.bundles.clear();
    tally.coverage.clear();
    insta::assert_snapshot!(shown(&table::render(&tally, &sample::off(), 80, false)), @"
    main...HEAD, run 20261121-041812-9b0e77d

    Coverage: nobody was asked
    Nothing to review
    Verdict: inconclusive (nothing was put to a reviewer)
    ");
    tally.excluded = vec![Excluded {
        path: "Cargo.lock".into(),
        old_path: None,
        reason: ExcludeReason::Lockfile,
        bytes: 9,
    }];
    insta::assert_snapshot!(shown(&table::render(&tally, &sample::off(), 80, false)), @"
    main...HEAD, run 20261121-041812-9b0e77d

    Files not shown to reviewers (1)
      1 lockfile: Cargo.lock

    Coverage: nobody was asked
    Nothing was reviewed: 1 file left out, none shown
    Verdict: inconclusive (nothing was put to a reviewer)
    ");
}

#[test]
fn one_lineage_alone_cannot_agree() {
    let mut tally = quiet();
    tally.panel.reviewers.truncate(2);
    tally.coverage.retain(|task| task.outcome.reviewer.as_str() != "kimi");
    insta::assert_snapshot!(shown(&table::render(&tally, &sample::off(), 80, false)), @"
    main...HEAD, run 20261121-041812-9b0e77d

    c1 validatord (46 KB) → 0 convergent / 0 distinct
    c2 web (3.4 KB)       → 0 convergent / 0 distinct

    opus (anthropic) says ship (24,600 tokens in, 1,680 out, $0.10)
    sonnet (anthropic) says ship (24,600 tokens in, 1,680 out, $0.10)

    Coverage: all 4 answered by 1 lineage, so none could agree (49,200 tokens in,
    3,360 out, $0.20)
    Nothing found by 1 lineage in 2 bundles
    Verdict: ship (nothing of WARN or worse was found)
    ");
}

#[test]
fn unchecked_places_are_said_once() {
    let mut tally = sample::tally();
    tally
        .issues
        .iter_mut()
        .flat_map(|issue| &mut issue.members)
        .for_each(|m| m.anchored.anchor = Anchor::Unchecked);
    let text = table::render(&tally, &sample::off(), 200, false);
    assert_eq!(text.matches("places were not checked").count(), 1, "{text}");
}

#[test]
fn judgements_stand_beside_the_issues() {
    let tally = sample::judged(sample::tally(), "since `x` is set");
    let text = table::render(&tally, &sample::failed(), 100, false);
    let from = text.find("Found by one lineage alone").unwrap();
    let to = text.find("Without a place").unwrap();
    insta::assert_snapshot!(text[from..to].trim_end(), @r"
    Found by one lineage alone (2)
    severity  place                      agreement             examined          what
    BLOCK     validatord/src/store.rs:7  1 of 3 lineages:      opus timed out    A failed write is
    i-91e2                               opus                                    answered with 200.
    WARN      web/src/components/        1 of 3 lineages:      not examined:     The list is fetched
    i-5c07    session/                   kimi                  since `x` is set  again on every key
              SessionList.tsx:118                                                press.
              (moved)                                                            (also at web/src/
                                                                                 api.ts:9)
                                                                                 (near web/src/
                                                                                 components/session/
                                                                                 SessionList.tsx:112)

    Refuted, counted all the same (1)
      BLOCK i-refute web/src/a.ts:7 kimi: since `x` is set (refuted by opus (since `x` is set): since
        `x` is set)
    ");
    let text = table::render(&tally, &sample::failed(), 44, false);
    let judged: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("Judged")).take(3).collect();
    insta::assert_snapshot!(judged.join("\n"), @"
    Judged: 2 of 3 questions about claims
      answered; opus timed out (1 ×): since `x`
      is set
    ");
}

#[test]
fn short_ids_mean_one_issue_each() {
    let mut tally = sample::tally();
    let one = tally.issues[0].members[0].clone();
    let ids = ["91c906e1aaaa", "91c906e1aabb", "91c90700aaaa", "b15f07f23a4b", "b15f07f23a4b-2", "i-9"];
    tally.issues = ids.map(|id| sample::issue(id, Agreement::Single, vec![one.clone()])).into();
    let directory = Directory::of(&tally);
    let shown: Vec<_> = tally.issues.iter().map(|issue| directory.short_id(issue)).collect();
    assert_eq!(shown, ["91c906e1aaa", "91c906e1aab", "91c90700", "b15f07f23a4b", "b15f07f23a4b-", "i-9"]);
    for (issue, short) in tally.issues.iter().zip(shown) {
        assert_eq!(named(&tally, short).map(|found| &found.id), Ok(&issue.id));
    }
}
