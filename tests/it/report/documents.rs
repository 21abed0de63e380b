//! `tally.json` and `findings.jsonl`, and the published schema.

use scrum::{report::json, tally::Tally};
use serde_json::Value;

use super::{hostile, nobody_answered, quiet, sample, shown};

/// Damages a document.
type Break = fn(&mut Value);

/// The sample with one entry in each list.
fn small() -> Tally {
    let mut tally = sample::tally();
    tally.panel.reviewers.truncate(1);
    tally.bundles.truncate(1);
    tally.excluded.truncate(1);
    tally.coverage.drain(..2);
    tally.coverage.truncate(1);
    tally.issues.truncate(1);
    tally
}

#[test]
#[expect(clippy::too_many_lines, reason = "one whole document as a snapshot")]
fn keys_stand_in_the_order_of_the_contract() {
    insta::assert_snapshot!(shown(&json::render(&small(), &sample::failed())), @r#"
    {
      "schema": "scrum.tally/1",
      "run": {
        "id": "20261121-041812-9b0e77d",
        "started_at": "2026-11-21T04:18:12Z",
        "finished_at": "2026-11-21T04:19:40Z",
        "tool_version": "0.1.0",
        "prompt_hash": "5f1d7a845f1d7a845f1d7a845f1d7a845f1d7a845f1d7a845f1d7a845f1d7a84"
      },
      "range": {
        "base": "4f1c2a9e4f1c2a9e4f1c2a9e4f1c2a9e4f1c2a9e",
        "head": "9b0e77d19b0e77d19b0e77d19b0e77d19b0e77d1",
        "spec": "main...HEAD"
      },
      "panel": [
        {
          "reviewer": "opus",
          "provider": "openai",
          "model": "claude-opus-4-7",
          "lineage": "anthropic",
          "spent": {
            "answers": 1,
            "cached": 0,
            "unpriced": 0,
            "tokens_in": 12300,
            "tokens_out": 840,
            "cost_usd": 0.05
          }
        }
      ],
      "bundles": [
        {
          "id": "c1_validatord",
          "component": "validatord",
          "bytes": 46223,
          "sha256": "86a1506c4879a868c3037419378cde80f1a44d6e27fa6414f54397a92bfc4d3e",
          "guard": "ok",
          "files": [
            {
              "path": "validatord/src/auth.rs",
              "status": "added",
              "added": 960,
              "removed": 0
            }
          ]
        }
      ],
      "excluded": [
        {
          "path": "Cargo.lock",
          "reason": "lockfile",
          "bytes": 18211
        }
      ],
      "masked": [],
      "coverage": [
        {
          "bundle": "c1_validatord",
          "reviewer": "opus",
          "state": "answered",
          "reason": null,
          "attempts": 1,
          "cached": false,
          "latency_ms": 8400,
          "tokens_in": 12300,
          "tokens_out": 840,
          "cost_usd": 0.05,
          "verdict": "hold"
        }
      ],
      "issues": [
        {
          "id": "i-0b1c",
          "path": "validatord/src/auth.rs",
          "start_line": 42,
          "end_line": 42,
          "symbol": null,
          "severity": "BLOCK",
          "agreement": "claim",
          "convergence": 2,
          "lineages": [
            "anthropic",
            "moonshot"
          ],
          "reviewers": [
            "kimi",
            "opus"
          ],
          "see_also": [],
          "members": [
            {
              "reviewer": "opus",
              "lineage": "anthropic",
              "bundle": "c1_validatord",
              "severity": "BLOCK",
              "severity_word": "BLOCK",
              "where": "validatord/src/auth.rs:42",
              "path": "validatord/src/auth.rs",
              "start_line": 42,
              "end_line": 42,
              "anchor": "changed",
              "what": "The signature is compared with `==`, which leaks through timing how many bytes are right.",
              "why": "`verify` returns at the first byte that differs.",
              "fix": "use subtle::ConstantTimeEq;\nif !a.ct_eq(b).into() {\n    return Err(Bad);\n}",
              "retracted": false,
              "note": null,
              "also_at": []
            },
            {
              "reviewer": "kimi",
              "lineage": "moonshot",
              "bundle": "c1_validatord",
              "severity": "WARN",
              "severity_word": "major",
              "where": "validatord/src/auth.rs:42",
              "path": "validatord/src/auth.rs",
              "start_line": 42,
              "end_line": 42,
              "anchor": "changed",
              "what": "Comparing MACs with == is not constant time.",
              "why": "",
              "fix": "",
              "retracted": false,
              "note": null,
              "also_at": []
            }
          ]
        }
      ],
      "unplaced": [
        {
          "reviewer": "kimi",
          "lineage": "moonshot",
          "bundle": "c1_validatord",
          "severity": "WARN",
          "severity_word": "WARN",
          "where": "",
          "path": null,
          "start_line": null,
          "end_line": null,
          "anchor": "nowhere",
          "what": "The new endpoints have no tests.",
          "why": "",
          "fix": "",
          "retracted": false,
          "note": null,
          "also_at": []
        }
      ],
      "rejects": [
        {
          "bundle": "c2_web",
          "reviewer": "kimi",
          "text": "SEVERITY: maybe\nWHERE: somewhere in the styles",
          "reason": "no WHAT"
        }
      ],
      "totals": {
        "convergent": 1,
        "distinct": 1,
        "retracted": 0,
        "rejected": 1,
        "by_severity": {
          "BLOCK": 1,
          "INFO": 0,
          "WARN": 0
        },
        "by_lineage": {
          "anthropic": 1,
          "moonshot": 1
        },
        "spent": {
          "answers": 1,
          "cached": 0,
          "unpriced": 0,
          "tokens_in": 12300,
          "tokens_out": 840,
          "cost_usd": 0.05
        }
      },
      "verdict": {
        "result": "hold",
        "reasons": [
          "1 BLOCK found by several lineages",
          "1 WARN"
        ]
      },
      "gate": {
        "result": "fail",
        "policy": "fail-on block, min-lineages 2",
        "reasons": [
          "2 issues of severity BLOCK"
        ]
      }
    }
    "#);
}

#[test]
fn summary_is_one_line() {
    let line = json::summary_line(&sample::tally(), &sample::failed());
    assert_eq!(line.matches('\n').count(), 1);
    insta::assert_snapshot!(shown(&line), @r#"{"schema":"scrum.summary/1","run":"20261121-041812-9b0e77d","finished_at":"2026-11-21T04:19:40Z","range":{"base":"4f1c2a9e4f1c2a9e4f1c2a9e4f1c2a9e4f1c2a9e","head":"9b0e77d19b0e77d19b0e77d19b0e77d19b0e77d1","spec":"main...HEAD"},"totals":{"convergent":2,"distinct":4,"retracted":1,"rejected":1,"by_severity":{"BLOCK":2,"INFO":0,"WARN":2},"by_lineage":{"anthropic":3,"history":1,"moonshot":2},"spent":{"answers":5,"cached":0,"unpriced":0,"tokens_in":73800,"tokens_out":5040,"cost_usd":0.3}},"bundles":[{"id":"c1_validatord","bytes":46223,"convergent":1,"distinct":2},{"id":"c2_web","bytes":3418,"convergent":1,"distinct":2}],"answered":7,"asked":8,"verdict":"hold","gate":"fail"}"#);
}

fn validator() -> jsonschema::Validator {
    jsonschema::validator_for(json::schema().as_value()).unwrap()
}

#[test]
fn documents_are_valid() {
    let (nobody, inconclusive) = nobody_answered();
    let documents = [
        json::render(&sample::tally(), &sample::failed()),
        json::render(&quiet(), &sample::off()),
        json::render(&nobody, &inconclusive),
        json::render(&hostile::tally(), &hostile::gate()),
    ];
    for document in documents {
        let document: Value = serde_json::from_str(&document).unwrap();
        let errors: Vec<String> = validator().iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}

#[test]
fn broken_documents_are_not_valid() {
    let whole: Value = serde_json::from_str(&json::render(&sample::tally(), &sample::failed())).unwrap();
    let breaks: [(&str, Break); 6] = [
        ("another schema", |it| it["schema"] = "scrum.tally/2".into()),
        ("no coverage", |it| drop(it.as_object_mut().unwrap().remove("coverage"))),
        ("unknown state", |it| it["coverage"][0]["state"] = "clean".into()),
        ("unknown agreement", |it| it["issues"][0]["agreement"] = "maybe".into()),
        ("no verdict key", |it| drop(it["coverage"][0].as_object_mut().unwrap().remove("verdict"))),
        ("negative count", |it| it["totals"]["distinct"] = (-1).into()),
    ];
    for (name, damage) in breaks {
        let mut document = whole.clone();
        damage(&mut document);
        assert!(!validator().is_valid(&document), "{name}");
    }
}
