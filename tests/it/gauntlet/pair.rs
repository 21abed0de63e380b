//! The pair of services in `parity/validator/`, really started: what they are an example of must come out.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{Sandbox, run};
use crate::sandbox::copy;

/// The spec of the pair in a repository of its own, at ports that are free; `None` where one side cannot run.
#[expect(clippy::print_stderr, reason = "a test that did nothing says so")]
fn pair() -> Option<Sandbox> {
    let sandbox = Sandbox::new();
    if !sandbox.command("python3").arg("--version").output().is_ok_and(|output| output.status.success()) {
        assert!(std::env::var_os("CI").is_none(), "python3 is not installed");
        eprintln!("skipped: python3 is not installed");
        return None;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    copy(&root.join("parity/validator"), &sandbox.repo().join("parity/validator"));
    let program = program(root);
    let run = "\"cargo\", \"run\", \"--quiet\", \"--example\", \"validator\", \"--\"";
    let path = sandbox.repo().join("parity/validator/parity.toml");
    let mut spec = fs::read_to_string(&path).unwrap();
    assert!(spec.contains(run), "{spec}");
    spec = spec.replace(run, &format!("{:?}", program.to_str().unwrap()));
    // Both are held until both are known, so that they differ.
    let free = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    for (port, listener) in ["17131", "17141"].iter().zip(&free) {
        spec = spec.replace(port, &listener.local_addr().unwrap().port().to_string());
    }
    fs::write(&path, spec).unwrap();
    Some(sandbox)
}

/// The side in Rust, built where it is not: `cargo test` has built it already.
fn program(root: &Path) -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_scrum")).parent().unwrap().join("examples/validator");
    if !built.exists() {
        let cargo = std::process::Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--locked", "--example", "validator", "--target-dir"])
            .arg(built.ancestors().nth(3).unwrap())
            .current_dir(root)
            .status();
        assert!(cargo.unwrap().success());
    }
    built
}

#[test]
fn statuses_match_bodies_differ_and_there_is_one_cause() {
    let Some(sandbox) = pair() else { return };
    let printed = sandbox.scrum(&["parity", "parity/validator/parity.toml", "--format", "json"]);
    let report: Value = serde_json::from_str(&printed.stdout).unwrap_or_else(|_| panic!("{printed:?}"));
    let cases = report["cases"].as_array().unwrap();
    let told: Vec<(&str, &str, bool)> = cases
        .iter()
        .map(|case| {
            let same = case["statuses_match"].as_bool().unwrap();
            (case["name"].as_str().unwrap(), case["verdict"].as_str().unwrap(), same)
        })
        .collect();
    let expect = [
        ("playbook_happy", "match", true),
        ("playbook_missing_fingerprint", "diff", true),
        ("playbook_wrong_prefix", "diff", true),
        ("playbook_empty_endorsed", "diff", true),
        ("playbook_overfull", "diff", true),
        ("fill_phantom", "diff", true),
    ];
    assert_eq!(told, expect);
    let causes = report["causes"].as_array().unwrap();
    assert_eq!(causes.len(), 1, "{causes:?}");
    assert_eq!(
        (&causes[0]["shape"], causes[0]["cases"].as_array().unwrap().len()),
        (&Value::from("structure"), 5)
    );
    assert_eq!(printed.status, 1, "nobody has accepted it");
}

#[test]
fn accepted_it_may_ship() {
    let Some(sandbox) = pair() else { return };
    sandbox.write(
        "gauntlet.toml",
        "[[parity]]\nspec = \"parity/validator/parity.toml\"\n[[gap]]\nmatches = \"validator/*\"\nshape = \"structure\"\n\
         why = \"the form of refusals\"\naccepted_by = \"Ines Duarte\"\n",
    );
    let (document, printed) = run(&sandbox, &[]);
    let spec = &document["parity"]["specs"][0];
    let figures = ["matches", "diffs", "accepted", "total"].map(|key| spec[key].as_u64().unwrap());
    assert_eq!(figures, [1, 5, 5, 6]);
    assert_eq!(document["assessment"]["result"], "ship-with-known-gap");
    assert_eq!(printed.status, 0);
}
