//! Whole runs over changes and replies that try to be more than text. docs/design/hostile.md lists them.

mod change;
mod names;
mod replies;
mod repository;

use std::fmt::Write as _;

use serde_json::Value;

use crate::{
    markup,
    sandbox::{Printed, Sandbox},
};

/// Whether nothing in what was printed could steer a terminal or hide from a reader.
#[track_caller]
fn assert_inert(name: &str, text: &str) {
    let acts = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    let found: Vec<char> = text.chars().filter(acts).collect();
    assert!(found.is_empty(), "{name}: {found:?} in\n{text}");
}

/// What is live in Markdown is our own.
#[track_caller]
fn assert_ours(name: &str, markdown: &str) {
    let ours = |kind: &str| {
        ["Strong", "Emph", "Table", "BlockQuote"].contains(&kind)
            || kind.starts_with("heading ")
            || kind.starts_with("html <details>\n<summary>")
            || ["html </details>", "html <sub>", "html </sub>", "html <br>", "html <span>", "html </span>"]
                .contains(&kind)
    };
    let foreign: Vec<String> = markup::live(markdown).into_keys().filter(|kind| !ours(kind)).collect();
    assert!(foreign.is_empty(), "{name}: {foreign:?} in\n{markdown}");
}

/// A run's tally as JSON, after every other form of it was looked at.
#[track_caller]
fn reviewed(name: &str, sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let table = sandbox.scrum(arguments);
    assert!(table.status < 2 || table.status == 3, "{name}: {}", table.stderr);
    assert_inert(name, &table.stdout);
    assert_inert(name, &table.stderr);
    let printed = |arguments: &[&str]| -> Printed {
        let printed = sandbox.scrum(arguments);
        assert_eq!(printed.status, 0, "{name} {arguments:?}: {}", printed.stderr);
        assert_inert(name, &printed.stderr);
        assert_inert(name, &printed.stdout);
        printed
    };
    assert_ours(name, &printed(&["report", "--format", "markdown"]).stdout);
    let json = printed(&["report", "--format", "json"]).stdout;
    assert_eq!(json, printed(&["tally", "latest", "--format", "json"]).stdout, "{name}");
    let tally: Value = serde_json::from_str(&json).unwrap();
    if let Some(id) = tally["issues"][0]["id"].as_str() {
        printed(&["explain", "latest", id]);
        assert_ours(name, &printed(&["explain", "latest", id, "--format", "markdown"]).stdout);
    }
    tally
}

/// What counts of a tally, a line each: states, verdict, issues, the rest as numbers.
fn in_short(tally: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    let mut out = String::new();
    for task in tally["coverage"].as_array().unwrap() {
        let _ =
            writeln!(out, "{} {} {}", word(&task["reviewer"]), word(&task["state"]), word(&task["verdict"]));
    }
    for issue in tally["issues"].as_array().unwrap() {
        let who: Vec<String> = issue["lineages"].as_array().unwrap().iter().map(word).collect();
        let _ = writeln!(
            out,
            "{} {}:{} by {}",
            word(&issue["severity"]),
            word(&issue["path"]),
            issue["start_line"],
            who.join("+"),
        );
    }
    for kind in ["unplaced", "rejects"] {
        match tally[kind].as_array().unwrap().len() {
            0 => {}
            count => {
                let _ = writeln!(out, "{kind} {count}");
            }
        }
    }
    match tally["totals"]["retracted"].as_u64() {
        Some(0) | None => {}
        Some(count) => {
            let _ = writeln!(out, "retracted {count}");
        }
    }
    out
}
