//! Diff text from elsewhere: what is read from it, and what is refused.

use scrum::change::FilePatch;
use scrum::git::read_diff;

use super::fixture::{Fixture, text};

/// What was read, in one line a file, or the error.
fn summary(input: impl AsRef<[u8]>) -> String {
    match read_diff(input.as_ref()) {
        Ok(change) => change.files.iter().map(line).collect(),
        Err(error) => format!("error: {error}"),
    }
}

fn line(file: &FilePatch) -> String {
    let (added, removed) = file.counts();
    let from = file.old_path.as_ref().map(|old| format!("{old} -> ")).unwrap_or_default();
    format!(
        "{} {from}{} {:?} {} hunks +{added} -{removed}\n",
        file.status.word(),
        file.path,
        file.content,
        file.hunks.len()
    )
}

#[test]
fn plain_unified_diffs() {
    let plain = "--- old/src/a.c\t2026-01-01 10:00:00.000000000 +0000\n\
                 +++ new/src/a.c\t2026-01-02 10:00:00.000000000 +0000\n\
                 @@ -1,2 +1,2 @@ int main\n a\n-b\n+c\n\
                 Only in new: z\n\
                 diff -ruN old/gone.c new/gone.c\n\
                 --- old/gone.c\t2026-01-01 10:00:00.000000000 +0000\n\
                 +++ new/gone.c\t1970-01-01 00:00:00.000000000 +0000\n\
                 @@ -1 +0,0 @@\n--- a comment\n\
                 --- /dev/null\n+++ b/new.c\n@@ -0,0 +1 @@\n+++ x\n\\ No newline at end of file\n";
    insta::assert_snapshot!(summary(plain), @"
    deleted gone.c Text 1 hunks +0 -1
    added new.c Text 1 hunks +1 -0
    modified src/a.c Text 1 hunks +1 -1
    ");
    let change = read_diff(plain.as_bytes()).unwrap();
    insta::assert_snapshot!(String::from_utf8(text(&change.files[2])).unwrap(), @"
    diff --git a/src/a.c b/src/a.c
    --- a/src/a.c
    +++ b/src/a.c
    @@ -1,2 +1,2 @@ int main
     a
    -b
    +c
    ");
}

#[test]
fn a_mail_with_prose_and_a_signature() {
    let fixture = Fixture::new();
    fixture.write("x", "1\n");
    fixture.write("moves", "1\n2\n3\n4\n");
    fixture.commit("first");
    fixture.write("x", "2\n");
    fixture.git(&["mv", "moves", "there"]);
    fixture.commit("Subject\n\ndiff --git is mentioned here\n--- not a header\n+++ either\n");
    let mail = fixture.git(&["format-patch", "-M", "--stdout", "HEAD~1"]);
    insta::assert_snapshot!(summary(mail), @"
    renamed moves -> there Text 0 hunks +0 -0
    modified x Text 1 hunks +1 -1
    ");
}

#[test]
fn other_prefixes() {
    let body = "index 1111111..2222222 100644\n";
    let hunk = "@@ -1 +1 @@\n-a\n+b\n";
    let cases = [
        ("i/x y", "w/x y"),
        ("a/x y", "b/x y"),
        ("x y", "x y"),
        ("\"a/t\\tx\"", "\"b/t\\tx\""),
        ("src/main.c", "src/main.c"),
    ];
    let all: String = cases
        .iter()
        .map(|(old, new)| summary(format!("diff --git {old} {new}\n{body}--- {old}\n+++ {new}\n{hunk}")))
        .collect();
    insta::assert_snapshot!(all, @r#"
    modified x y Text 1 hunks +1 -1
    modified x y Text 1 hunks +1 -1
    modified x y Text 1 hunks +1 -1
    modified "t\tx" Text 1 hunks +1 -1
    modified src/main.c Text 1 hunks +1 -1
    "#);
}

#[test]
fn headers_without_hunks() {
    let input = "diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n\
                 diff --git a/a b b/a b\nnew file mode 100644\nindex 0000000..e69de29\n\
                 diff --git a/old name b/new name\nsimilarity index 100%\nrename from old name\nrename to new name\n\
                 diff --git a/c1 b/c2\nsimilarity index 90%\ncopy from c1\ncopy to c2\n\
                 diff --git a/logo.png b/logo.png\nindex 1111111..2222222 100644\nGIT binary patch\n\
                 literal 3\nKcmZ\n\nliteral 2\nKcmY\n\n\
                 diff --git a/z b/z\ndeleted file mode 100644\nindex e69de29..0000000\n";
    insta::assert_snapshot!(summary(input), @"
    added a b Text 0 hunks +0 -0
    copied c1 -> c2 Text 0 hunks +0 -0
    modified logo.png Binary 0 hunks +0 -0
    renamed old name -> new name Text 0 hunks +0 -0
    modified run.sh Text 0 hunks +0 -0
    deleted z Text 0 hunks +0 -0
    ");
}

#[test]
fn carriage_returns_from_a_mail_program() {
    let input = "diff --git a/x b/x\r\nindex 1111111..2222222 100644\r\n--- a/x\r\n+++ b/x\r\n@@ -1 +1 @@\r\n-a\r\n+b\r\n";
    insta::assert_snapshot!(summary(input), @"modified x Text 1 hunks +1 -1");
}

#[test]
fn what_is_refused() {
    let refused = |input: &str| summary(input);
    assert_eq!(refused(""), "");
    assert_eq!(refused(" \n\t\n"), "");
    insta::assert_snapshot!(refused("hello\n"), @"error: no diff found in the text: expected `diff --git` headers, or `---` and `+++` lines before `@@`");
    insta::assert_snapshot!(refused("--- a\n+++ b\n@@ -1,2 +1,2 @@\n a\n"), @"error: line 5 of the diff: the text ends in the middle of a hunk");
    insta::assert_snapshot!(refused("--- a\n+++ b\n@@ -1,2 +1,1 @@\n a\n+b\n"), @"error: line 5 of the diff: the hunk above has more lines than its `@@` line says");
    insta::assert_snapshot!(refused("--- a\n+++ b\n@@ -1,2 +1,2 @@\n a\n?b\n"), @"error: line 5 of the diff: expected a line of the hunk above, which is too short");
    insta::assert_snapshot!(refused("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -x +1 @@\n"), @"error: line 4 of the diff: expected `@@ -LINE,COUNT +LINE,COUNT @@`");
    insta::assert_snapshot!(refused("diff --cc x\nindex 1,2..3\n--- a/x\n+++ b/x\n@@@ -1 -1 +1 @@@\n"), @"error: line 1 of the diff: a combined diff of a merge cannot be reviewed: give a diff of two commits");
}
