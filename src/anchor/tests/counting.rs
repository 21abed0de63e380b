//! Tests of line numbers that count something else than the file after the change.

use super::*;

/// Forty lines of which each has names of its own; lines 101 to 120 are removed before them.
fn long_change() -> Vec<Bundle> {
    let removed: Vec<_> = (0..20).map(|n| format!("-    drop_{n}(old_{n});\n")).collect();
    let added: Vec<_> = (0..40).map(|n| format!("+    let value_{n} = load_{n}(key, other);\n")).collect();
    let text = format!("@@ -101,20 +201,40 @@\n{}{}", removed.concat(), added.concat());
    let mut file = patch("src/long.rs", &text);
    file.header =
        b"diff --git a/src/long.rs b/src/long.rs\nindex 1..2 100644\n--- a/src/long.rs\n+++ b/src/long.rs\n"
            .to_vec();
    let mut first = patch("src/first.rs", "@@ -1,1 +1,1 @@\n-a\n+b\n");
    first.header =
        b"diff --git a/src/first.rs b/src/first.rs\n--- a/src/first.rs\n+++ b/src/first.rs\n".to_vec();
    vec![bundle("c1_x", vec![first, file])]
}

/// `anchor start-end | code | note` of each finding, a line and what it says.
fn counted(findings: &[((u32, u32), &str)]) -> Vec<String> {
    let change = long_change();
    let said = |(lines, what): &((u32, u32), &str)| Finding {
        what: (*what).to_owned(),
        ..finding("src/long.rs", Some(*lines), None, None)
    };
    let placed = anchor(findings.iter().map(said).collect(), Some(&change[0]), &change);
    let told = |one: &Anchored| {
        let lines = one.lines.unwrap();
        let code = one.code.as_deref().unwrap_or("-").trim();
        format!("{} {}-{} | {code} | {}", one.anchor.word(), lines.start, lines.end, text(one.note.as_ref()))
    };
    placed.iter().map(told).collect()
}

#[test]
fn numbers_that_count_something_else_are_read_where_names_prove_it() {
    let one = |line: u32, what: &str| counted(&[((line, line), what)]).remove(0);
    insta::assert_snapshot!([
        one(105, "`drop_4` was needed"),
        one(105, "drop_4() was needed"),
        one(35, "`value_3` may be empty"),
        one(29, "`value_3` may be empty"),
        one(24, "`value_3` may be empty"),
        counted(&[((35, 36), "`value_3` and `value_4` may be empty")]).remove(0),
    ].join("\n"), @r"
    moved 201-201 | drop_4(old_4); | moved from line 105, counted in the file before the change; the change removes what stands there
    moved 201-201 | drop_4(old_4); | moved from line 105, counted in the file before the change; the change removes what stands there
    moved 204-204 | let value_3 = load_3(key, other); | moved from line 35, counted in the text of the diff
    moved 204-204 | let value_3 = load_3(key, other); | moved from line 29, counted in the file's part of the diff
    moved 204-204 | let value_3 = load_3(key, other); | moved from line 24, counted in the diff from the file's first hunk on
    moved 204-205 | let value_3 = load_3(key, other); | moved from lines 35-36, counted in the text of the diff
    ");
    // Nothing of it is said, or of another line, or of every line; and what stands where it was put is never moved.
    insta::assert_snapshot!([
        one(105, "this was needed"),
        one(105, "`drop_5` was needed"),
        one(35, "`key` may be empty"),
        one(900, "`value_3` may be empty"),
        one(205, "`value_3` may be empty"),
    ].join("\n"), @r"
    file 105-105 | - | -
    file 105-105 | - | -
    file 35-35 | - | -
    file 900-900 | - | -
    changed 205-205 | let value_4 = load_4(key, other); | -
    ");
}

#[test]
fn a_reply_that_counts_otherwise_is_read_so_throughout() {
    let proofs = [((35, 35), "`value_3` is off"), ((40, 40), "`value_8` is off")];
    let with = |more: &[((u32, u32), &str)]| counted(&[&proofs[..], more].concat());
    insta::assert_snapshot!(with(&[((45, 45), "this is off"), ((999, 999), "that too")]).join("\n"), @r"
    moved 204-204 | let value_3 = load_3(key, other); | moved from line 35, counted in the text of the diff
    moved 209-209 | let value_8 = load_8(key, other); | moved from line 40, counted in the text of the diff
    moved 214-214 | let value_13 = load_13(key, other); | moved from line 45, counted in the text of the diff
    file 999-999 | - | -
    ");
    // One finding that counts as asked to, and each is read for itself.
    insta::assert_snapshot!(with(&[((45, 45), "this is off"), ((220, 220), "`load_19` fails")]).join("\n"), @r"
    moved 204-204 | let value_3 = load_3(key, other); | moved from line 35, counted in the text of the diff
    moved 209-209 | let value_8 = load_8(key, other); | moved from line 40, counted in the text of the diff
    file 45-45 | - | -
    changed 220-220 | let value_19 = load_19(key, other); | -
    ");
}

#[test]
fn of_several_places_a_quote_takes_the_one_that_its_number_leads_to() {
    let check = |line: u32, expect: &str| {
        let same =
            "@@ -11,3 +31,4 @@\n     close(connection);\n+    a();\n     b();\n     close(connection);\n";
        let change = [bundle("c1_x", vec![patch("x.rs", same)])];
        let one = finding("x.rs", Some((line, line)), None, Some("close(connection);"));
        let placed = anchor(vec![one], Some(&change[0]), &change).remove(0);
        assert_eq!(format!("{} {}", placed.anchor.word(), placed.lines.unwrap().start), expect);
    };
    check(13, "moved 34");
    check(11, "moved 31");
    check(1, "moved 31");
    check(31, "context 31");
}
