//! A run that does not hold all that git knows changed lets nothing pass, however well its own files fit.

use std::fs;

use serde_json::Value;

use super::{commits, gate, job, json, runs, tamper};
use crate::{
    dispose::reviewed,
    forge::{MockForge, Pull, github::GitHub},
    sandbox::Sandbox,
};

/// A branch with three files in two components beyond what `reviewed` has, reviewed.
fn reviewed_in_two_parts(flags: &[&str]) -> Sandbox {
    let sandbox = reviewed();
    let config = fs::read_to_string(sandbox.repo().join("scrum.toml")).unwrap();
    let parts = "[[component]]\nname = \"api\"\npaths = [\"api\"]\n[[component]]\nname = \"web\"\npaths = [\"web\"]\n";
    sandbox.write("scrum.toml", format!("{config}{parts}"));
    sandbox.script("git switch -qc topic; rm -r .scrum; git mv app.py main.py; mkdir api web");
    sandbox.script("seq 9 > api/a.py; seq 8 > web/b.py; seq 7 > 'web/new name.py'; git add api web main.py");
    sandbox.script("git commit -qm parts; echo No findings. > replies/opus.md; echo VERDICT: ship >> replies/opus.md; cp replies/opus.md replies/kimi.md");
    let printed = sandbox.scrum(&[&["review", "--panel", "both", "--quiet"], flags].concat());
    assert_eq!(printed.status, 0, "{printed:?}");
    sandbox
}

#[test]
fn a_run_passes_only_where_it_holds_all_that_git_knows_changed() {
    gate(&reviewed_in_two_parts(&[]), &["--fail-on", "block"], 0);
    let check = |sandbox: &Sandbox, reason: &str| {
        let printed = gate(sandbox, &["--fail-on", "block", "--format", "json"], 3);
        assert_eq!(json(&printed)["reasons"], serde_json::json!([reason]));
    };
    // The manifest and what was answered are shortened alike.
    let sandbox = reviewed_in_two_parts(&[]);
    let without_web = |text: String| {
        let mut manifest: Value = serde_json::from_str(&text).unwrap();
        manifest["bundles"].as_array_mut().unwrap().retain(|bundle| bundle["component"] != "web");
        manifest.to_string()
    };
    tamper(&sandbox, "bundles/RUN/manifest.json", without_web);
    let lines = |text: String| text.split_inclusive('\n').filter(|line| !line.contains("_web")).collect();
    tamper(&sandbox, "reviews/RUN/outcomes.jsonl", lines);
    check(&sandbox, "2 files not in the run as git has it: web/b.py, web/new name.py");
    // So are a bundle and its hash.
    let sandbox = reviewed_in_two_parts(&[]);
    tamper(&sandbox, "bundles/RUN/c1_api.diff", |diff| diff.replace("+9\n", "").replace("+1,9", "+1,8"));
    let path = sandbox.repo().join(".scrum/bundles").join(runs(&sandbox).remove(0)).join("c1_api.diff");
    let sum = sandbox.script(&format!("sha256sum {}", path.display()));
    let rehashed = |text: String| {
        let mut manifest: Value = serde_json::from_str(&text).unwrap();
        manifest["bundles"][0]["sha256"] = sum[..64].into();
        manifest.to_string()
    };
    tamper(&sandbox, "bundles/RUN/manifest.json", rehashed);
    check(&sandbox, "1 file not in the run as git has it: api/a.py");
    // Moved to what is left out, as if configuration said so.
    let sandbox = reviewed_in_two_parts(&[]);
    let excluded = |text: String| {
        let mut manifest: Value = serde_json::from_str(&without_web(text)).unwrap();
        let out = |path: &str| serde_json::json!({"path": path, "reason": "lockfile", "bytes": 9});
        manifest["excluded"] = serde_json::json!([out("web/b.py"), out("web/new name.py")]);
        manifest.to_string()
    };
    tamper(&sandbox, "bundles/RUN/manifest.json", excluded);
    tamper(&sandbox, "reviews/RUN/outcomes.jsonl", lines);
    check(&sandbox, "2 files left out by the flags of the review: web/b.py, web/new name.py");
    for (flags, named) in [
        (["--component", "web"], "2 files left out by the flags of the review: api/a.py, main.py"),
        (
            ["--include", "api"],
            "3 files left out by the flags of the review: main.py, web/b.py, web/new name.py",
        ),
        (
            ["--exclude", "*.py"],
            "4 files left out by the flags of the review: api/a.py, main.py, web/b.py and 1 more",
        ),
    ] {
        check(&reviewed_in_two_parts(&flags), named);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_without_the_history_cannot_tell() {
    let sandbox = reviewed();
    let [head, base] = &commits(&sandbox)[..] else { panic!() };
    let forge = MockForge::start(GitHub::new(), Pull::new("acme/shop", 5, base, head)).await;
    let passed = ["gate", "--pr", "5", "--fail-on", "convergent", "--format", "json"];
    assert_eq!(sandbox.scrum_with(&passed, &job(&forge)).status, 0);
    sandbox.script("git clone -q --depth 1 file://$PWD ../shallow; git -C ../shallow remote remove origin; cp -r .scrum scrum.toml ../shallow");
    let printed = sandbox.scrum_with(&[&["-C", "../shallow"], &passed[..]].concat(), &job(&forge));
    assert_eq!(printed.status, 3, "{printed:?}");
    let reason = json(&printed)["reasons"][0].as_str().unwrap().replace(&base[..7], "BASE");
    assert_eq!(
        reason,
        "BASE is not in this clone, so nobody can say whether the run holds all that changed: \
         fetch the history (in CI `fetch-depth: 0`)"
    );
}
