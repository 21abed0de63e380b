//! The table at several widths.

use scrum::{coverage::State, report::table, tally::Tally};

use super::{sample, shown};

/// Twelve bundles, of which some were not answered by all, and reviewers that did not do the same.
fn uneven() -> Tally {
    let state = |number: usize, reviewer: &str| match (reviewer, number) {
        ("kimi", 4) => State::Incomplete,
        ("kimi", 9 | 10) => State::TimedOut,
        ("sonnet", 7..) => State::Skipped,
        ("history", 3) => State::Failed,
        ("opus", 12) => State::NotRouted,
        _ => State::Answered,
    };
    let reviewers = ["history", "kimi", "opus", "sonnet"];
    let tasks = (1..=12).flat_map(|number| reviewers.map(|reviewer| (number, reviewer)));
    let coverage = tasks.map(|(number, reviewer)| {
        let mut task = sample::task(&format!("c{number}_part"), reviewer, state(number, reviewer), None);
        task.findings = if reviewer == "kimi" { 1 } else { number % 4 };
        if reviewer == "kimi" {
            (task.outcome.tokens_out, task.outcome.latency_ms) = (Some(2_400), 31_000);
        }
        task
    });
    Tally { coverage: coverage.collect(), bundles: Vec::new(), ..sample::tally() }
}

/// The part of the table that is drawn.
fn pictures(tally: &Tally, width: usize) -> String {
    let table = table::render(tally, &sample::failed(), width, false);
    let lines: Vec<&str> = table.lines().collect();
    for line in lines.iter().filter(|line| line.contains(['█', '▌'])) {
        assert!(line.chars().count() <= width, "{width}: {line}");
    }
    let drawn: Vec<&str> = table.split("\n\n").filter(|part| part.contains('█')).collect();
    drawn.join("\n\n")
}

#[test]
fn who_answered_and_who_did_how_much() {
    insta::assert_snapshot!(pictures(&uneven(), 100), @"
    Who answered, a column a bundle: █ answered, ▌ incomplete, x failed, t timed out, - skipped,
      · by route not asked
              1   5    10
    opus      ███████████·
    sonnet    ██████------
    kimi      ███▌████tt██
    history   ██x█████████

    reviewer  findings                 tokens out                   time
    opus      18 ████████████████████  10,080 ███████               1 min 41 s █████▌
    kimi      12 █████████████▌        28,800 ████████████████████  6 min 12 s ████████████████████
    ");
    insta::assert_snapshot!(pictures(&uneven(), 60), @"
    Who answered, a column a bundle: █ answered, ▌ incomplete,
      x failed, t timed out, - skipped, · by route not asked
              1   5    10
    opus      ███████████·
    sonnet    ██████------
    kimi      ███▌████tt██
    history   ██x█████████

    reviewer  findings     tokens out       time
    opus      18 ████████  10,080 ███       1 min 41 s ██▌
    kimi      12 █████▌    28,800 ████████  6 min 12 s ████████
    ");
    insta::assert_snapshot!(pictures(&uneven(), 40), @"
    Who answered, a column a bundle:
      █ answered, ▌ incomplete, x failed,
      t timed out, - skipped,
      · by route not asked
              1   5    10
    opus      ███████████·
    sonnet    ██████------
    kimi      ███▌████tt██
    history   ██x█████████

    reviewer  findings     tokens out
    opus      18 ████████  10,080 ███
    kimi      12 █████▌    28,800 ████████
    ");
    for width in 40..200 {
        pictures(&uneven(), width);
    }
}

#[test]
fn where_all_answered_alike_nothing_is_drawn() {
    let even = || {
        uneven().coverage.into_iter().map(|mut task| {
            task.outcome =
                sample::task(&task.outcome.bundle, task.outcome.reviewer.as_str(), State::Answered, None)
                    .outcome;
            task
        })
    };
    assert_eq!(pictures(&Tally { coverage: even().collect(), ..uneven() }, 100), "");
}

#[test]
fn table_at_80_columns() {
    insta::assert_snapshot!(shown(&table::render(&sample::tally(), &sample::failed(), 80, false)), @r#"
    main...HEAD, run 20261121-041812-9b0e77d

    Found by more than one lineage (2)
    severity  place                 agreement         what
    BLOCK     validatord/src/       2 of 3 lineages,  The signature is compared with
    i-0b1c    auth.rs:42            same claim:       `==`, which leaks through
                                    kimi, opus        timing how many bytes are
                                                      right.
    WARN      web/src/components/   2 of 3 lineages,  sonnet: The subscription is
    i-77ab    session/              same place:       not cancelled when the
              SessionList.tsx:112   history, sonnet   component goes away.
                                                      history: This line was changed
                                                      by three of the last five
                                                      fixes here.

    Found by one lineage alone (2)
    severity  place                 agreement         what
    BLOCK     validatord/src/       1 of 3 lineages:  A failed write is answered
    i-91e2    store.rs:7            opus              with 200.
    WARN      web/src/components/   1 of 3 lineages:  The list is fetched again on
    i-5c07    session/              kimi              every key press.
              SessionList.tsx:118                     (also at web/src/api.ts:9)
              (moved)                                 (near web/src/components/
                                                      session/SessionList.tsx:112)

    Without a place in the change (1)
      WARN kimi: The new endpoints have no tests.

    (opus emitted a BLOCK on validatord/src/pool.rs:88 and took it back: The pool is
     never drained.)

    Not usable, kept in the replies (1)
      kimi on c2 web: no WHAT: "SEVERITY: maybe"

    Files not shown to reviewers (2)
      1 lockfile: Cargo.lock
      1 binary file: web/logo.png

    c1 validatord (46 KB) → 1 convergent / 2 distinct
    c2 web (3.4 KB)       → 1 convergent / 2 distinct

    opus (anthropic) says hold on c1 validatord; ship on c2 web (24,600 tokens in,
      1,680 out, $0.10)
    sonnet (anthropic) says ship-with-fixes (24,600 tokens in, 1,680 out, $0.10)
    kimi (moonshot) says ship-with-fixes on c1 validatord; no verdict on c2 web
      (24,600 tokens in, 1,680 out, $0.10)

    ! sonnet failed on c1 validatord: HTTP 529 overloaded, after 4 attempts
    Coverage: 7 of 8 answered by 3 lineages (73,800 tokens in, 5,040 out, $0.30)
    2 issues found by several lineages (1 BLOCK, 1 WARN), 2 by one lineage alone (1
    BLOCK, 1 WARN) and 1 without a place
    Verdict: hold (1 BLOCK found by several lineages; 1 BLOCK by one lineage alone;
      3 WARNs)
    Gate failed (fail-on block, min-lineages 2): 2 issues of severity BLOCK
    "#);
}

#[test]
fn table_at_120_columns() {
    insta::assert_snapshot!(shown(&table::render(&sample::tally(), &sample::failed(), 120, false)), @r#"
    main...HEAD, run 20261121-041812-9b0e77d

    Found by more than one lineage (2)
    severity  place                           agreement                 what
    BLOCK     validatord/src/auth.rs:42       2 of 3 lineages,          The signature is compared with `==`, which leaks
    i-0b1c                                    same claim: kimi, opus    through timing how many bytes are right.
    WARN      web/src/components/session/     2 of 3 lineages,          sonnet: The subscription is not cancelled when the
    i-77ab    SessionList.tsx:112             same place: history,      component goes away.
                                              sonnet                    history: This line was changed by three of the last
                                                                        five fixes here.

    Found by one lineage alone (2)
    severity  place                           agreement                 what
    BLOCK     validatord/src/store.rs:7       1 of 3 lineages: opus     A failed write is answered with 200.
    i-91e2
    WARN      web/src/components/session/     1 of 3 lineages: kimi     The list is fetched again on every key press.
    i-5c07    SessionList.tsx:118 (moved)                               (also at web/src/api.ts:9)
                                                                        (near web/src/components/session/
                                                                        SessionList.tsx:112)

    Without a place in the change (1)
      WARN kimi: The new endpoints have no tests.

    (opus emitted a BLOCK on validatord/src/pool.rs:88 and took it back: The pool is never drained.)

    Not usable, kept in the replies (1)
      kimi on c2 web: no WHAT: "SEVERITY: maybe"

    Files not shown to reviewers (2)
      1 lockfile: Cargo.lock
      1 binary file: web/logo.png

    c1 validatord (46 KB) → 1 convergent / 2 distinct
    c2 web (3.4 KB)       → 1 convergent / 2 distinct

    opus (anthropic) says hold on c1 validatord; ship on c2 web (24,600 tokens in, 1,680 out, $0.10)
    sonnet (anthropic) says ship-with-fixes (24,600 tokens in, 1,680 out, $0.10)
    kimi (moonshot) says ship-with-fixes on c1 validatord; no verdict on c2 web (24,600 tokens in, 1,680 out, $0.10)

    ! sonnet failed on c1 validatord: HTTP 529 overloaded, after 4 attempts
    Coverage: 7 of 8 answered by 3 lineages (73,800 tokens in, 5,040 out, $0.30)
    2 issues found by several lineages (1 BLOCK, 1 WARN), 2 by one lineage alone (1 BLOCK, 1 WARN) and 1 without a place
    Verdict: hold (1 BLOCK found by several lineages; 1 BLOCK by one lineage alone; 3 WARNs)
    Gate failed (fail-on block, min-lineages 2): 2 issues of severity BLOCK
    "#);
}

#[test]
fn table_on_a_narrow_terminal_is_stacked() {
    insta::assert_snapshot!(shown(&table::render(&sample::tally(), &sample::failed(), 50, false)), @r#"
    main...HEAD, run 20261121-041812-9b0e77d

    Found by more than one lineage (2)
    BLOCK validatord/src/auth.rs:42 (2 of 3 lineages,
          same claim: kimi, opus) i-0b1c
      The signature is compared with `==`, which leaks
        through timing how many bytes are right.
    WARN web/src/components/session/
          SessionList.tsx:112 (2 of 3 lineages, same
          place: history, sonnet) i-77ab
      sonnet: The subscription is not cancelled when
        the component goes away.
      history: This line was changed by three of the
        last five fixes here.

    Found by one lineage alone (2)
    BLOCK validatord/src/store.rs:7 (1 of 3 lineages:
          opus) i-91e2
      A failed write is answered with 200.
    WARN web/src/components/session/
          SessionList.tsx:118 (moved) (1 of 3
          lineages: kimi) i-5c07
      The list is fetched again on every key press.
      (also at web/src/api.ts:9)
      (near web/src/components/session/
        SessionList.tsx:112)

    Without a place in the change (1)
      WARN kimi: The new endpoints have no tests.

    (opus emitted a BLOCK on validatord/src/pool.rs:88
     and took it back: The pool is never drained.)

    Not usable, kept in the replies (1)
      kimi on c2 web: no WHAT: "SEVERITY: maybe"

    Files not shown to reviewers (2)
      1 lockfile: Cargo.lock
      1 binary file: web/logo.png

    c1 validatord (46 KB) → 1 convergent / 2 distinct
    c2 web (3.4 KB)       → 1 convergent / 2 distinct

    opus (anthropic) says hold on c1 validatord; ship
      on c2 web (24,600 tokens in, 1,680 out, $0.10)
    sonnet (anthropic) says ship-with-fixes (24,600
      tokens in, 1,680 out, $0.10)
    kimi (moonshot) says ship-with-fixes on c1
      validatord; no verdict on c2 web (24,600 tokens
      in, 1,680 out, $0.10)

    ! sonnet failed on c1 validatord: HTTP 529
      overloaded, after 4 attempts
    Coverage: 7 of 8 answered by 3 lineages (73,800
      tokens in, 5,040 out, $0.30)
    2 issues found by several lineages (1 BLOCK, 1
    WARN), 2 by one lineage alone (1 BLOCK, 1 WARN)
    and 1 without a place
    Verdict: hold (1 BLOCK found by several lineages;
      1 BLOCK by one lineage alone; 3 WARNs)
    Gate failed (fail-on block, min-lineages 2): 2
      issues of severity BLOCK
    "#);
}

#[test]
fn colour_adds_nothing_but_escapes() {
    let plain = table::render(&sample::tally(), &sample::failed(), 100, false);
    let coloured = table::render(&sample::tally(), &sample::failed(), 100, true);
    assert!(!plain.contains('\u{1b}'));
    assert!(coloured.contains("\u{1b}[1m\u{1b}[31mBLOCK\u{1b}[0m"), "{coloured:?}");
    let mut stripped = anstream::adapter::strip_str(&coloured).to_string();
    stripped = stripped.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
    assert_eq!(stripped, plain);
}
