//! Why diff text is not read with libgit2 (`docs/design/diffs.md`): texts that must be read, and what it makes of
//! them beside [`read_diff`]. A test here that fails after an update of libgit2 is a reason to look again.

use git2::Diff;
use scrum::git::read_diff;

const HUNK: &str = "@@ -1 +1 @@\n-a\n+b\n";

/// Paths that libgit2 reads, or its error; behind it what we read.
fn both(input: &str) -> String {
    let theirs = match Diff::from_buffer(input.as_bytes()) {
        Ok(diff) => {
            diff.deltas().map(|delta| delta.new_file().path_bytes().map(text).unwrap_or_default()).collect()
        }
        Err(error) => format!("error: {}", error.message()),
    };
    let ours: String = match read_diff(input.as_bytes()) {
        Ok(change) => change.files.iter().map(|file| file.path.to_string()).collect(),
        Err(error) => format!("error: {error}"),
    };
    format!("{theirs} | {ours}")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_plain_diff_is_refused() {
    let input = format!("--- old/a.c\n+++ new/a.c\n{HUNK}");
    insta::assert_snapshot!(both(&input), @"error: invalid hunk header outside patch at line 3 | a.c");
}

#[test]
fn an_empty_new_file_at_the_end_is_refused() {
    let input = "diff --git a/x b/x\nnew file mode 100644\nindex 0000000000..e69de29bb2\n";
    insta::assert_snapshot!(both(input), @"error: unexpected header line 4 | x");
}

#[test]
fn a_folder_is_taken_for_a_prefix() {
    let input =
        format!("diff --git src/x src/x\nindex 1111111..2222222 100644\n--- src/x\n+++ src/x\n{HUNK}");
    insta::assert_snapshot!(both(&input), @"x | src/x");
}

#[test]
fn prose_that_names_the_command_is_taken_for_a_header() {
    let input = format!("diff --git is slow here.\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n{HUNK}");
    insta::assert_snapshot!(both(&input), @"error: invalid patch header at line 2 | x");
}
