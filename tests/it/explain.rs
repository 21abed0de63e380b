//! `scrum explain`: which rule joined findings, and what keeps near issues apart.

use std::{fs, path::Path};

use crate::sandbox::{Sandbox, copy};

/// A change in two languages about which three models of two lineages have said something.
fn reviewed() -> Sandbox {
    reviewed_as("convergence", &[])
}

/// The change of `tests/cases`, reviewed.
pub(crate) fn reviewed_as(case: &str, more: &[&str]) -> Sandbox {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(case);
    let sandbox = Sandbox::new();
    sandbox.script(&fs::read_to_string(case.join("history.sh")).unwrap());
    for name in ["scrum.toml", "replies"] {
        copy(&case.join(name), &sandbox.repo().join(name));
    }
    let printed = sandbox.scrum(&[&["review", "--quiet", "HEAD~1..HEAD"], more].concat());
    assert_eq!(printed.status, 0, "{printed:?}");
    sandbox
}

fn explain(sandbox: &Sandbox, issue: &str, more: &[&str]) -> String {
    let printed = sandbox.scrum(&[&["explain", "latest", issue], more].concat());
    assert_eq!((printed.status, printed.stderr.as_str()), (0, ""), "{printed:?}");
    printed.stdout
}

/// The id of the issue that stands there.
fn id(sandbox: &Sandbox, path: &str, line: u32) -> String {
    let json = sandbox.scrum(&["report", "latest", "--format", "json"]).stdout;
    let tally: serde_json::Value = serde_json::from_str(&json).unwrap();
    let there = |issue: &&serde_json::Value| issue["path"] == path && issue["start_line"] == line;
    tally["issues"].as_array().unwrap().iter().find(there).unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn an_issue_that_two_lineages_claim() {
    let sandbox = reviewed();
    let id = id(&sandbox, "services/ledger/transfer.go", 8);
    insta::assert_snapshot!(explain(&sandbox, &id[..4], &[]), @r#"
    BLOCK services/ledger/transfer.go:8 91c906e1ecf8
    2 of 4 lineages say the same: anthropic and moonshot.

    1 kimi (moonshot): BLOCK, in its own words "critical"
      place: services/ledger/transfer.go:8 in Transfer, on a changed line
      what:  Insufficient balance is logged but the transfer continues, so an account can go negative.
      why:   There is no return in the added branch before `from.Balance -= amount`.
      here:  comes first by place; the others were held against it

    2 sonnet (anthropic): BLOCK
      place: services/ledger/transfer.go:8 in Transfer, on a changed line
      what:  The transfer goes through although the balance is too small.
      why:   The shortage is logged and then the amount is subtracted anyway, so the balance becomes
             negative.
      here:  shares a line with 1 (kimi), and says the same: likeness 0.32, 0.30 is asked; both hold
             "amount", "balance", "logged", "negative" and "transfer"

    3 opus (anthropic): BLOCK
      place: services/ledger/transfer.go:8-10 in Transfer, on a changed line
      what:  An overdraft is only logged; the transfer still goes through and the balance becomes
             negative.
      why:   The new branch logs the shortage and falls through to the subtraction instead of returning
             an error.
      here:  shares a line with 1 (kimi), and says the same: likeness 0.35, 0.30 is asked; both hold
             "balance", "branch", "logged", "negative", "return" and "transfer". Counts once with 2
             (sonnet): both are anthropic

    Near, but other issues (1)
      c45f63e3 INFO services/ledger/transfer.go:9: log is not imported in this file, so it does not
        compile.
        near this one, 1 line apart, but kimi speaks of both, at two locations: those are two remarks
        (likeness between 0.16 and 0.39, 0.30 is asked; both hold "added" and "logged")
    "#);
}

#[test]
fn a_lone_issue_with_a_finding_that_was_taken_back() {
    let sandbox = reviewed();
    let id = id(&sandbox, "services/mail/send.py", 1);
    let real = ["dispose", "latest", &id, "real", "--why", "seen\u{1b}[31m twice"];
    assert_eq!(sandbox.scrum_with(&real, &[("USER", "ada")]).status, 0);
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    insta::assert_snapshot!(explain(&sandbox, &id, &[]).replace(&today, "DAY"), @r#"
    WARN services/mail/send.py:1 ac3248cc0c12
    1 of 4 lineages, static:rules alone.
    Decided real by ada on DAY: seen␛[31m twice

    1 rules (static:rules): WARN
      place: services/mail/send.py:1 in send, on a changed line
      what:  a default argument is shared between calls
      why:   the list, dict or set is made once when the function is defined; what one call adds, the
             next one sees (rule python-mutable-default)
      here:  comes first by place; the others were held against it

    2 opus (anthropic): WARN, and took it back
      place: services/mail/send.py:1 in send, on a changed line
      what:  The mutable default list is shared between calls.
      why:   `retries=[]` is evaluated once, so attempts of one message show up in another.
      here:  taken back, so it counts for nothing; shown beside 1 (rules), which says the same

    Near, but other issues (2)
      b15f07f2 INFO services/mail/send.py:6: the handler takes every exception
        near this one, 5 lines apart, but the claims differ: likeness 0.24 at most, under 0.30; both
        hold "python" and "rule"
      b7e18169 WARN services/mail/send.py:6-7: After three failed attempts the function returns as if
        the message had been delivered.
        near this one, 5 lines apart, but the claims differ: likeness 0.27 at most, under 0.30; both
        hold "function" and "list"
    "#);
}

#[test]
fn an_adjudicator_goes_before_the_words() {
    let sandbox = reviewed_as("judgements", &["--panel", "models"]);
    let joined = explain(&sandbox, &id(&sandbox, "ledger/transfer.go", 9), &[]);
    let parted = explain(&sandbox, &id(&sandbox, "ledger/transfer.go", 14), &[]);
    insta::assert_snapshot!(joined.split("\n\n").nth(2).unwrap(), @r#"
    2 kimi (moonshot): WARN
      place: ledger/transfer.go:9 in Transfer, on a changed line
      what:  No error kept.
      here:  shares a line with 1 (opus), and says the same: the adjudicator judge ruled SAME, quoting
             "audit(from, to, amount)" (by their words: likeness between 0.00 and 0.60, 0.30 is asked;
             they share no telling word)
    "#);
    insta::assert_snapshot!(parted.split("Near, but other issues (4)\n").nth(1).unwrap(), @r#"
    17010803 WARN ledger/transfer.go:14: Removal misses.
      shares a line with this one, but the claims differ: the adjudicator judge ruled DIFFERENT,
      quoting "Close leaks the owner." (by their words: likeness between 0.00 and 0.40, 0.30 is asked;
      they share no telling word)
    8ba8c225 WARN ledger/transfer.go:9: Audit may fail.
      near this one, 5 lines apart, but opus speaks of both, at two locations: those are two remarks
      (likeness between 0.00 and 0.47, 0.30 is asked; they share no telling word)
    83cb5c41 BLOCK ledger/transfer.go:8: Balances overflow silently for amounts near the maximum of
      int, since no bound is checked before the addition.
      near this one, 6 lines apart, but the claims differ: likeness 0.25 at most, under 0.30; they
      share no telling word
    c6b27153 BLOCK ledger/transfer.go:4: A negative amount moves money backwards.
      near this one, 10 lines apart, but opus speaks of both, at two locations: those are two remarks
      (likeness between 0.00 and 0.31, 0.30 is asked; they share no telling word)
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one snapshot")]
fn as_a_document() {
    let sandbox = reviewed();
    let id = id(&sandbox, "services/mail/send.py", 6);
    let document = explain(&sandbox, &id, &["--format", "json"]);
    let mut document: serde_json::Value = serde_json::from_str(&document).unwrap();
    document["run"] = "RUN".into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap(), @r#"
    {
      "schema": "scrum.explanation/1",
      "run": "RUN",
      "issue": "b7e1816997ac",
      "agreement": "single",
      "convergence": 1,
      "lineages": [
        "anthropic"
      ],
      "members": [
        {
          "reviewer": "sonnet",
          "lineage": "anthropic",
          "what": "After three failed attempts the function returns as if the message had been delivered.",
          "rule": "first",
          "held_against": null,
          "nearness": null,
          "lines_apart": null,
          "same_as": null,
          "evidence": null,
          "counts_with": null
        },
        {
          "reviewer": "opus",
          "lineage": "anthropic",
          "what": "The exception is swallowed, a message that was never delivered looks sent.",
          "rule": "claim",
          "held_against": 0,
          "nearness": "overlap",
          "lines_apart": 0,
          "same_as": 0,
          "evidence": {
            "answer": "same",
            "ruled_by": null,
            "least": 0.3227486,
            "most": 0.5163978,
            "bound": 0.3,
            "telling": [
              13,
              12
            ],
            "shared": [
              "delivered",
              "function",
              "message",
              "returns",
              "three"
            ]
          },
          "counts_with": 0
        }
      ],
      "see_also": [
        {
          "issue": "b15f07f23a4b",
          "nearness": "overlap",
          "lines_apart": 0,
          "because": "claims-differ",
          "evidence": {
            "answer": "different",
            "ruled_by": null,
            "least": 0.05455447,
            "most": 0.21821788,
            "bound": 0.3,
            "telling": [
              13,
              18
            ],
            "shared": [
              "except"
            ]
          }
        },
        {
          "issue": "ac3248cc0c12",
          "nearness": "lines",
          "lines_apart": 5,
          "because": "claims-differ",
          "evidence": {
            "answer": "different",
            "ruled_by": null,
            "least": 0.10910894,
            "most": 0.27277234,
            "bound": 0.3,
            "telling": [
              13,
              18
            ],
            "shared": [
              "function",
              "list"
            ]
          }
        }
      ]
    }
    "#);
}

/// A claim that another lineage refuted, and one whose examiner quoted what stands nowhere.
#[test]
fn what_others_said_about_the_claims() {
    let sandbox = reviewed_as("judgements", &["--panel", "models", "--verify"]);
    let (refuted, unsure) = (id(&sandbox, "ledger/transfer.go", 4), id(&sandbox, "ledger/transfer.go", 14));
    let printed = explain(&sandbox, &refuted, &[&unsure]);
    let said: Vec<&str> = printed
        .split("\n\n")
        .filter(|part| part.starts_with("Ruling") || part.starts_with("Examination"))
        .collect();
    insta::assert_snapshot!(said.join("\n\n"), @"
    Examination by gpt (openai): REFUTED
      about: 1 (opus)
      quote: if amount <= 0 {
      why:   A negative amount is refused before anything moves.

    Ruling by judge (deepseek): DIFFERENT
      about: 1 (opus), against a claim of 170108035f1a
      quote: Close leaks the owner.
      why:   One asks for the owner to be cleared, the other for the account to be removed first.

    Examination by kimi (moonshot): UNSURE
      about: 1 (opus)
      quote: account.Owner.Release() (stands nowhere in what was shown)
      why:   The owner is released before it is forgotten.
      note:  REFUTED does not count: no line it quotes stands in the code
    ");
    let document = explain(&sandbox, &refuted, &["--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let examination = &document["examinations"][0];
    assert_eq!((&examination["about"][0], &examination["answer"]), (&0.into(), &"REFUTED".into()));
}

#[test]
fn what_nobody_could_examine() {
    let sandbox = reviewed_as("judgements", &["--panel", "alone", "--verify"]);
    let printed = explain(&sandbox, &id(&sandbox, "ledger/transfer.go", 4), &["--format", "markdown"]);
    insta::assert_snapshot!(printed, @"
    ### BLOCK `ledger/transfer.go:4` · `c6b2715393d5`

    1 of 1 lineage, anthropic alone.

    **1 opus (anthropic): BLOCK**

    - place: ledger/transfer.go:&#8203;4 in Transfer, on a changed line
    - what: A negative amount moves money backwards.
    - why: Nothing checks amount, so Transfer(a, b, -5) takes from b.
    - here: the only finding

    **Not examined: no reviewer of another lineage**

    - about: 1 (opus)

    #### Near, but other issues (2)

    - WARN `ledger/transfer.go:9` · `8ba8c225`: Audit may fail.
      <br>near this one, 5 lines apart, but opus speaks of both, at two locations: those are two remarks (likeness between 0.00 and 0.39, 0.30 is asked; they share no telling word)
    - BLOCK `ledger/transfer.go:14` · `c2c0ebcd`: Close leaks the owner.
      <br>near this one, 10 lines apart, but opus speaks of both, at two locations: those are two remarks (likeness between 0.00 and 0.31, 0.30 is asked; they share no telling word)
    ");
}

#[test]
fn names_that_mean_no_issue_or_several() {
    let sandbox = reviewed();
    let wrong = |name: &str| {
        let printed = sandbox.scrum(&["explain", "latest", name]);
        assert_eq!((printed.status, printed.stdout.as_str()), (2, ""));
        regex::Regex::new(r"\d{8}-\d{9}-[0-9a-f]{6}")
            .unwrap()
            .replace_all(&printed.stderr, "RUN")
            .into_owned()
    };
    insta::assert_snapshot!(wrong("b"), @r#"
    error: "b" could be any of b7e1816997ac, b15f07f23a4b
    hint: give more digits of the id
    "#);
    insta::assert_snapshot!(wrong("zzzz"), @r#"
    error: run RUN has no issue "zzzz"
    hint: `scrum report RUN` shows its issues with their ids
    "#);
}
