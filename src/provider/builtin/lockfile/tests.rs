//! Lockfiles in words.

use super::*;
use crate::{
    bundle::{Bundle, Guard, Split},
    provider::builtin::tests::patch_of,
};

/// WHAT of each remark on a lockfile that went from `before` to `after`, its manifest adding `manifest`.
fn told(path: &str, before: &str, after: &str, manifest: &str) -> Vec<String> {
    let files = vec![patch_of("Cargo.toml", "", manifest), patch_of("src/a.rs", "", "a\n")];
    let bundle = Bundle { id: "c1_a".to_owned(), component: "a".to_owned(), files, guard: Guard::Ok };
    let split = Split { bundles: vec![bundle], excluded: Vec::new() };
    let lockfile = Lockfile { path: path.into(), before: before.to_owned(), after: after.to_owned() };
    let history = History { lockfiles: vec![lockfile], ..History::default() };
    let remarks = remarks(&history, &Shown::of(&split), &RuleSet::new(&[]).unwrap());
    assert!(remarks.iter().all(|remark| remark.path == "Cargo.toml".into() && remark.line == 1));
    remarks.into_iter().map(|remark| remark.what).collect()
}

fn cargo(packages: &[(&str, &str, &str)]) -> String {
    let source = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let one = |(name, version, checksum): &(&str, &str, &str)| {
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{source}\nchecksum = \"{checksum}\"\n\n"
        )
    };
    packages.iter().map(one).collect()
}

#[test]
fn packages_come_go_and_jump() {
    let before = cargo(&[("serde", "1.0.1", "aa"), ("toml", "0.8.2", "bb"), ("old", "2.0.0", "cc")]);
    let after = cargo(&[
        ("serde", "1.0.9", "dd"),
        ("toml", "0.9.0", "ee"),
        ("new", "0.1.0", "ff"),
        ("x-linux-x64", "1.0.0", "ab"),
    ]);
    let expect = "Cargo.lock: come in: new 0.1.0; go: old 2.0.0; breaking version jumps: toml 0.8.2 → 0.9.0";
    assert_eq!(told("Cargo.lock", &before, &after, "x\n"), [expect]);
}

#[test]
fn what_the_manifest_tells_is_not_told_again() {
    let (before, after) =
        (cargo(&[("a", "1.0.0", "aa")]), cargo(&[("a", "1.0.0", "aa"), ("new", "0.1.0", "ff")]));
    assert_eq!(told("Cargo.lock", &before, &after, "new = \"0.1\"\n"), [""; 0]);
    let plain_update = cargo(&[("a", "1.4.0", "bb")]);
    assert_eq!(told("Cargo.lock", &before, &plain_update, "x\n"), [""; 0]);
}

#[test]
fn the_repository_s_own_packages_are_not_dependencies() {
    let own = |version: &str| {
        format!("[[package]]\nname = \"own\"\nversion = \"{version}\"\n\n{}", cargo(&[("a", "1.0.0", "aa")]))
    };
    assert_eq!(told("Cargo.lock", &own("1.0.0"), &own("2.0.0"), "x\n"), [""; 0]);
}

#[test]
fn other_content_under_one_version_is_an_alarm() {
    let expect = "Cargo.lock: a 1.0.0 has another checksum under the same version";
    assert_eq!(
        told("Cargo.lock", &cargo(&[("a", "1.0.0", "aa")]), &cargo(&[("a", "1.0.0", "bb")]), "x\n"),
        [expect]
    );
    let line = |hash: &str| format!("example.org/a v1.0.0 h1:{hash}=\nexample.org/a v1.0.0/go.mod h1:cc=\n");
    let expect = "go.sum: example.org/a v1.0.0 has another checksum under the same version";
    assert_eq!(told("go.sum", &line("aa"), &line("bb"), "x\n"), [expect]);
}

#[test]
fn a_foreign_source_is_told_without_its_credentials() {
    let npm = |url: &str, script: bool| {
        format!(
            r#"{{"packages": {{"": {{}}, "node_modules/a": {{"version": "1.0.0", "resolved": "{url}", "hasInstallScript": {script}}}}}}}"#
        )
    };
    let before = npm("https://registry.npmjs.org/a/-/a-1.0.0.tgz", false);
    let after = npm("https://user:secret@npm.acme.io/a.tgz", true);
    let expect = "package-lock.json: a now comes from https://npm.acme.io/a.tgz, a 1.0.0 runs a script when it is installed";
    assert_eq!(told("package-lock.json", &before, &after, "x\n"), [expect]);
}

#[test]
fn every_format_is_read() {
    let check = |path: &str, text: &str, expect: &[(&str, &str)]| {
        let packages = read(&path.into(), text).unwrap();
        let read: Vec<(&str, &str)> = packages
            .iter()
            .flat_map(|(name, all)| all.iter().map(|one| (name.as_str(), one.version.as_str())))
            .collect();
        assert_eq!(read, expect, "{path}");
    };
    check(
        "yarn.lock",
        "\"@a/b@^1.0.0\", \"@a/b@^1.1.0\":\n  version \"1.2.3\"\n\nc@^2:\n  version \"2.0.0\"\n",
        &[("@a/b", "1.2.3"), ("c", "2.0.0")],
    );
    check("yarn.lock", "\"c@npm:^2\":\n  version: 2.0.0\n  resolution: \"c@npm:2.0.0\"\n", &[("c", "2.0.0")]);
    check(
        "pnpm-lock.yaml",
        "lockfileVersion: '9.0'\n\npackages:\n\n  '@a/b@1.2.3':\n    resolution: {}\n\n  c@2.0.0(d@1.0.0):\n    resolution: {}\n\nsnapshots:\n\n  e@1.0.0: {}\n",
        &[("@a/b", "1.2.3"), ("c", "2.0.0")],
    );
    check(
        "bun.lock",
        "{\n  \"packages\": {\n    \"@a/b\": [\"@a/b@1.2.3\", \"\", {}, \"sha512-x\"],\n  }\n}\n",
        &[("@a/b", "1.2.3")],
    );
    check(
        "uv.lock",
        "[[package]]\nname = \"own\"\nversion = \"1\"\nsource = { editable = \".\" }\n\n[[package]]\nname = \"a\"\nversion = \"2\"\nsource = { registry = \"https://pypi.org/simple\" }\n",
        &[("a", "2")],
    );
    check(
        "go.sum",
        "example.org/a v1.0.0 h1:aa=\nexample.org/a v1.0.0/go.mod h1:bb=\n",
        &[("example.org/a", "v1.0.0")],
    );
    assert_eq!(read(&"Cargo.lock".into(), "not toml ["), None);
    assert_eq!(read(&"notes.txt".into(), ""), None);
}

#[test]
fn the_leading_number_breaks() {
    let check = |version, expect| assert_eq!(lead(version), expect);
    check("1.2.3", "1");
    check("v2.0.0", "2");
    check("0.8.2", "0.8");
    check("0.0.3", "0.0.3");
    check("0", "0");
    check("", "");
}
