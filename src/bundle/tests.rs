//! Tests of splitting on hand-made changes.

mod shown;

use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use crate::{
    change::{Content, Hunk},
    report::sizes,
};

/// A modified file; each body is one hunk of added lines, placed 100 lines after the one before.
fn modified(path: &str, bodies: &[&str]) -> FilePatch {
    let hunk = |(at, body): (usize, &&str)| {
        let start = u32::try_from(at).unwrap() * 100 + 1;
        let added = u32::try_from(body.lines().count()).unwrap();
        let text = body
            .lines()
            .fold(format!("@@ -{start},0 +{start},{added} @@\n"), |text, line| text + "+" + line + "\n");
        Hunk { old_start: start, old_lines: 0, new_start: start, new_lines: added, text: text.into_bytes() }
    };
    FilePatch {
        path: path.into(),
        old_path: None,
        status: FileStatus::Modified,
        content: Content::Text,
        generated: false,
        header: format!("diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n").into_bytes(),
        hunks: bodies.iter().enumerate().map(hunk).collect(),
        size: 7,
    }
}

/// A modified file whose patch has exactly `bytes` bytes, in hunks of about `step`.
fn sized(path: &str, bytes: usize, step: usize) -> FilePatch {
    let mut file = modified(path, &[]);
    while file.byte_len() < bytes {
        let left = (bytes - file.byte_len()).min(step);
        let left = if bytes - file.byte_len() < 2 * step { bytes - file.byte_len() } else { left };
        let next = modified(path, &vec!["x"; file.hunks.len() + 1]).hunks.pop().unwrap();
        let pad = left.checked_sub(next.text.len()).unwrap();
        let mut hunk = next;
        hunk.text.splice(hunk.text.len() - 1.., std::iter::repeat_n(b'x', pad).chain([b'\n']));
        file.hunks.push(hunk);
    }
    assert_eq!(file.byte_len(), bytes);
    file
}

fn change(files: Vec<FilePatch>) -> Change {
    Change { files, ..Change::default() }
}

fn declared(name: &str, paths: &[&str]) -> DeclaredComponent {
    DeclaredComponent { name: name.to_owned(), paths: strings(paths) }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Bundles as `id: path path`, excluded files as `- path reason`.
fn outline(files: Vec<FilePatch>, rules: &SplitRules) -> String {
    let split = split(change(files), rules).unwrap();
    let mut out = String::new();
    for bundle in &split.bundles {
        let files: Vec<_> =
            bundle.files.iter().map(|file| format!("{}[{}]", file.path, file.hunks.len())).collect();
        writeln!(out, "{} {}: {}", bundle.id, bundle.guard.word(), files.join(" ")).unwrap();
    }
    for file in &split.excluded {
        writeln!(out, "- {} {} {}", file.path, file.reason.word(), file.bytes).unwrap();
    }
    out
}

fn unpacked() -> SplitRules {
    SplitRules { limits: Limits { pack_bytes: 0, ..Limits::default() }, ..SplitRules::default() }
}

#[test]
fn components_are_declared_then_package_roots_then_top_folders() {
    let paths = [
        "README.md",
        "crates/validatord/src/lib.rs",
        "crates/validatord/fuzz/a.rs",
        "docs/deep/a.md",
        "web/app.ts",
        "libs/core/x.go",
        "libs/README.md",
    ];
    let rules = SplitRules {
        declared: vec![declared("front", &["web/**"]), declared("never", &["*.ts"])],
        package_roots: ["crates/validatord", "crates/validatord/fuzz", "libs/core"]
            .map(RepoPath::from)
            .into(),
        ..unpacked()
    };
    let files = paths.iter().map(|path| modified(path, &["a"])).collect();
    insta::assert_snapshot!(outline(files, &rules), @r"
    c1_core ok: libs/core/x.go[1]
    c2_docs ok: docs/deep/a.md[1]
    c3_front ok: web/app.ts[1]
    c4_fuzz ok: crates/validatord/fuzz/a.rs[1]
    c5_libs ok: libs/README.md[1]
    c6_root ok: README.md[1]
    c7_validatord ok: crates/validatord/src/lib.rs[1]
    ");
}

#[test]
fn names_are_unique_and_safe_in_file_names() {
    let paths = [
        "a/core/x",
        "b/core/x",
        "root/x",
        "top",
        "we ird__n\u{e9}/x",
        "..-/x",
        "\u{65e5}/x",
        "-_-/x",
        "taken/x",
    ];
    let rules = SplitRules {
        declared: vec![
            declared("taken", &["other"]),
            declared("taken", &["/top2"]),
            declared("a/b", &["ab"]),
        ],
        package_roots: ["a/core", "b/core"].map(RepoPath::from).into(),
        ..unpacked()
    };
    let more = ["other", "top2", "ab"];
    let files = paths.iter().chain(&more).map(|path| modified(path, &["a"])).collect();
    insta::assert_snapshot!(outline(files, &rules), @"
    c1_a-b ok: ab[1]
    c2_a-core ok: a/core/x[1]
    c3_b-core ok: b/core/x[1]
    c4_component ok: -_-/x[1]
    c5_component-2 ok: ..-/x[1]
    c6_component-3 ok: 日/x[1]
    c7_root ok: top[1]
    c8_root-2 ok: root/x[1]
    c9_taken ok: other[1]
    c10_taken-2 ok: top2[1]
    c11_taken-3 ok: taken/x[1]
    c12_we-ird_n ok: we ird__né/x[1]
    ");
}

#[test]
fn what_nobody_wrote_is_left_out_and_listed() {
    let paths = [
        "Cargo.lock",
        "web/package-lock.json",
        "vendor/x/a.c",
        "web/node_modules/y/index.js",
        "api/a.pb.go",
        "api/a_pb2.py",
        "web/app.min.js",
        "src/lock.rs",
        "src/snapshots/a.snap",
        "src/vendor.rs",
    ];
    let mut files: Vec<_> = paths.iter().map(|path| modified(path, &["a"])).collect();
    files.push(FilePatch { generated: true, ..modified("src/declared.rs", &["a"]) });
    files.push(FilePatch { content: Content::Binary, ..modified("src/logo.png", &[]) });
    let mut submodule = modified("vendor/dep", &["Subproject commit 1234"]);
    submodule.header =
        b"diff --git a/vendor/dep b/vendor/dep\nindex 1..2 160000\n--- a/vendor/dep\n+++ b/vendor/dep\n"
            .to_vec();
    files.push(submodule);
    insta::assert_snapshot!(outline(files, &unpacked()), @"
    c1_src ok: src/lock.rs[1] src/snapshots/a.snap[1] src/vendor.rs[1]
    c2_vendor ok: vendor/dep[1]
    - Cargo.lock lockfile 90
    - api/a.pb.go generated 94
    - api/a_pb2.py generated 98
    - src/declared.rs generated 110
    - src/logo.png binary 7
    - vendor/x/a.c vendored 98
    - web/app.min.js minified 106
    - web/node_modules/y/index.js vendored 158
    - web/package-lock.json lockfile 134
    ");
}

#[test]
fn a_user_can_narrow_the_review() {
    let files =
        || ["api/a.go", "api/b.go", "docs/a.md", "web/a.ts"].map(|path| modified(path, &["a"])).into();
    let include = SplitRules { include: strings(&["*.go"]), exclude: strings(&["api/b.go"]), ..unpacked() };
    insta::assert_snapshot!(outline(files(), &include), @"
    c1_api ok: api/a.go[1]
    - api/b.go filtered 82
    - docs/a.md filtered 86
    - web/a.ts filtered 82
    ");
    let only = SplitRules { only_components: strings(&["docs", "web"]), ..unpacked() };
    insta::assert_snapshot!(outline(files(), &only), @"
    c1_docs ok: docs/a.md[1]
    c2_web ok: web/a.ts[1]
    - api/a.go other-component 82
    - api/b.go other-component 82
    ");
    let none = SplitRules { only_components: strings(&["dosc"]), ..unpacked() };
    let Err(SplitError::NoSuchComponent { name, known }) = split(change(files()), &none) else { panic!() };
    assert_eq!((name.as_str(), known), ("dosc", strings(&["api", "docs", "web"])));
}

#[test]
fn tiny_inferred_neighbours_share_a_bundle() {
    let files = vec![
        sized("a/x", 3_999, 3_999),
        sized("b/x", 4_000, 4_000),
        sized("c/x", 300, 300),
        sized("d/x", 300, 300),
        sized("declared/x", 300, 300),
    ];
    let rules = SplitRules { declared: vec![declared("mine", &["declared"])], ..SplitRules::default() };
    insta::assert_snapshot!(outline(files, &rules), @"
    c1_a-and-2-more ok: a/x[1] c/x[1] d/x[1]
    c2_b ok: b/x[1]
    c3_mine ok: declared/x[1]
    ");
    let files = ["a/x", "b/x", "c/x"].map(|path| sized(path, 400, 400)).into();
    let limits = Limits { warn_bytes: 800, fail_bytes: 1_000, pack_bytes: 500 };
    insta::assert_snapshot!(outline(files, &SplitRules { limits, ..SplitRules::default() }), @"
    c1_a-and-1-more ok: a/x[1] b/x[1]
    c2_c ok: c/x[1]
    ");
}

#[test]
fn a_large_component_is_cut_by_folder_then_file_then_hunk() {
    let files = || {
        vec![
            sized("c/a/1", 20_000, 20_000),
            sized("c/a/2", 20_000, 20_000),
            sized("c/b/1", 30_000, 30_000),
            sized("c/b/2", 35_000, 35_000),
            sized("c/z", 130_000, 10_000),
        ]
    };
    insta::assert_snapshot!(outline(files(), &SplitRules::default()), @"
    c1_c-a ok: c/a/1[1] c/a/2[1]
    c2_c-b-1 ok: c/b/1[1]
    c3_c ok: c/b/2[1] c/z[2]
    c4_c-z ok: c/z[5]
    c5_c-z ok: c/z[5]
    ");
    let declared = vec![declared("c", &["c"])];
    let never = SplitRules { declared: declared.clone(), ..SplitRules::default() };
    insta::assert_snapshot!(outline(files(), &never), @"c1_c oversize: c/a/1[1] c/a/2[1] c/b/1[1] c/b/2[1] c/z[12]");
    let always = SplitRules { declared, cut_declared: CutDeclared::Always, ..SplitRules::default() };
    assert_eq!(outline(files(), &always), outline(files(), &SplitRules::default()));
}

#[test]
fn pieces_are_few_and_end_where_folders_do() {
    let files =
        ["s/a/1", "s/b/1", "s/b/2", "s/b/3", "s/c/1", "s/c/2"].map(|path| sized(path, 25_000, 25_000));
    insta::assert_snapshot!(outline(files.into(), &SplitRules::default()), @"
    c1_s ok: s/a/1[1] s/b/1[1]
    c2_s-b ok: s/b/2[1] s/b/3[1]
    c3_s-c ok: s/c/1[1] s/c/2[1]
    ");
    let deep = format!("s/{}1", "deep/".repeat(20));
    let files = vec![sized(&deep, 40_000, 40_000), sized("s/z ä/2", 40_000, 40_000)];
    insta::assert_snapshot!(outline(files, &SplitRules::default()), @"
    c1_s ok: s/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/1[1]
    c2_s-z-2 ok: s/z ä/2[1]
    ");
}

#[test]
fn a_file_that_became_a_folder_stays_with_it() {
    let removed = |path| FilePatch { status: FileStatus::Deleted, ..sized(path, 300, 300) };
    let files = vec![
        removed("c/link"),
        sized("c/link-z", 300, 300),
        sized("c/link/x", 300, 300),
        removed("top"),
        sized("top/x", 300, 300),
    ];
    let limits = Limits { warn_bytes: 500, fail_bytes: 900, pack_bytes: 0 };
    insta::assert_snapshot!(outline(files, &SplitRules { limits, ..SplitRules::default() }), @"
    c1_c warn: c/link[1] c/link/x[1]
    c2_c-link-z ok: c/link-z[1]
    c3_root warn: top[1] top/x[1]
    ");
}

#[test]
fn the_guard_counts_bytes_as_written() {
    let check = |bytes: usize, force: bool, expect: Guard| {
        let rules = SplitRules { force_oversize: force, ..SplitRules::default() };
        let split = split(change(vec![sized("a/x", bytes, bytes)]), &rules).unwrap();
        assert_eq!(
            split.bundles.iter().map(|bundle| (bundle.diff().len(), bundle.guard)).collect::<Vec<_>>(),
            [(bytes, expect)]
        );
    };
    check(60_000, false, Guard::Ok);
    check(60_001, false, Guard::Warn);
    check(100_000, true, Guard::Warn);
    check(100_001, false, Guard::Oversize);
    check(100_001, true, Guard::Forced);
}

#[test]
fn the_guard_says_what_to_do() {
    let files = vec![
        sized("a/big file's", 120_000, 120_000),
        sized("b/1", 50_000, 50_000),
        sized("b/2", 30_000, 30_000),
        sized("b/3", 40_000, 40_000),
        sized("b/4", 1_000, 1_000),
        sized("c/x", 60_001, 60_001),
    ];
    let rules = SplitRules { declared: vec![declared("all-of-b", &["b"])], ..SplitRules::default() };
    let bundles = split(change(files), &rules).unwrap().bundles;
    insta::assert_snapshot!(sizes::oversize(&bundles, &rules.limits).unwrap(), @r#"
    2 bundles are over 100,000 bytes of diff; nothing was sent
      c1_a  120,000 bytes
          120,000  a/big file's
      c2_all-of-b  121,000 bytes
           50,000  b/1
           40,000  b/3
           30,000  b/2
        and 1 more
    hint: make it smaller, or send it all the same:
      - declare smaller components in scrum.toml: [[component]] name = "…", paths = ["…"]
      - let declared components be cut too: [bundle] split = "always"
      - leave files out: --exclude 'a/big file'\''s'
      - send it as it is: SCRUM_FORCE_OVERSIZE=1
    "#);
    insta::assert_snapshot!(sizes::warning(&bundles, &rules.limits).unwrap(), @"
    1 bundle is over 60,000 bytes of diff; models read long diffs less closely
      c3_c  60,001 bytes
           60,001  c/x
    ");
    let small = split(change(vec![sized("a/x", 9_000, 9_000)]), &rules).unwrap().bundles;
    assert_eq!((sizes::oversize(&small, &rules.limits), sizes::warning(&small, &rules.limits)), (None, None));
}

proptest! {
    #[test]
    fn any_folder_name_is_made_safe(text in any::<Vec<u8>>(), path in "([a_/. -]{0,6}/)?[_é.-]{1,9}") {
        let name = component::safe_name(&text);
        prop_assert_eq!(&component::safe_name(name.as_bytes()), &name);
        prop_assert!(crate::reviewer::ReviewerId::new(&name).is_ok());
        let made = split(change(vec![modified(&path, &["a"])]), &SplitRules::default()).unwrap();
        for bundle in made.bundles {
            prop_assert!(crate::reviewer::ReviewerId::new(&bundle.id).is_ok(), "{}", bundle.id);
        }
    }
}
