//! Two formatters of JSON over the files of this repository.

use std::{path::Path, process::Command};

use crate::sandbox::printed;

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that did nothing says so")]
fn jq_and_python_agree_about_real_files() {
    let missing: Vec<&str> = ["jq", "python3"].into_iter().filter(|program| !is_there(program)).collect();
    if !missing.is_empty() {
        assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "not installed: {missing:?}");
        eprintln!("skipped: not installed: {missing:?}");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut scrum = Command::new(env!("CARGO_BIN_EXE_scrum"));
    let arguments = ["parity", "parity/formatters/spec.toml", "--format", "json", "--only", "real/*", "-q"];
    let run = printed(&scrum.args(arguments).current_dir(root).output().unwrap());
    let report: serde_json::Value = serde_json::from_str(&run.stdout).expect(&run.stderr);
    let count = |key: &str| report["totals"][key].as_u64().unwrap();
    assert!(count("match") >= 50, "{}", report["totals"]);
    // They have other exit statuses for what is no JSON, and that alone is what they differ in here.
    let shapes: Vec<&str> =
        report["causes"].as_array().unwrap().iter().map(|cause| cause["shape"].as_str().unwrap()).collect();
    assert!(shapes.iter().all(|shape| *shape == "status"), "{:#}", report["causes"]);
    assert_eq!((count("error"), count("unstable")), (0, 0), "{}", report["totals"]);
}
