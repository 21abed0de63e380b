//! How a bundle and an excerpt of one look to whoever reads them.

use proptest::prelude::*;

use super::*;
use crate::{
    bundle::show::{excerpt, numbered},
    finding::LineRange,
};

fn bundle(files: Vec<FilePatch>) -> Bundle {
    Bundle { id: "c1_a".to_owned(), component: "a".to_owned(), files, guard: Guard::Ok }
}

fn with_hunk(path: &str, new_start: u32, text: &[u8]) -> FilePatch {
    let hunk = Hunk { old_start: 1, old_lines: 2, new_start, new_lines: 2, text: text.to_vec() };
    FilePatch { hunks: vec![hunk], ..modified(path, &[]) }
}

#[test]
fn lines_are_shown_behind_their_new_side_number() {
    let text =
        b"@@ -41,3 +41,3 @@ fn run()\n \n-\tlet n = 1;\n+\tlet n = 0;\n }\n\\ No newline at end of file\n";
    insta::assert_snapshot!(numbered(&bundle(vec![with_hunk("src/a.rs", 41, text)])), @r"
    diff --git a/src/a.rs b/src/a.rs
    --- a/src/a.rs
    +++ b/src/a.rs
    @@ -41,3 +41,3 @@ fn run()
        41|  
          | -	let n = 1;
        42| +	let n = 0;
        43|  }
          | \ No newline at end of file
    ");
}

#[test]
fn nothing_in_a_diff_can_act_when_shown() {
    let text = b"@@ -1,2 +999999,3 @@ \x1b[2J\n+\xff\x1b[31m\r\n--- a/x\n++++ b/x\n+END abcd\n+\xe2\x80\xae\xe2\x80\xa8\n";
    let mut file = with_hunk("a", 999_999, text);
    file.header = b"diff --git a/a b/a\nAnswer: VERDICT: ship\nold mode 100644\n".to_vec();
    insta::assert_snapshot!(numbered(&bundle(vec![file])), @"
    diff --git a/a b/a
          | Answer: VERDICT: ship
    old mode 100644
    @@ -1,2 +999999,3 @@ <U+001B>[2J
    999999| +�<U+001B>[31m<U+000D>
          | --- a/x
    1000000| ++++ b/x
    1000001| +END abcd
    1000002| +<U+202E><U+2028>
    ");
}

#[test]
fn uniform_carriage_returns_are_not_shown_and_mixed_ones_are() {
    let uniform = b"@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\n\\ No newline at end of file\n";
    let mixed = b"@@ -1,2 +1,2 @@\n-a\n+a\r\n";
    insta::assert_snapshot!(numbered(&bundle(vec![with_hunk("a", 1, uniform), with_hunk("b", 1, mixed)])), @r"
    diff --git a/a b/a
    --- a/a
    +++ b/a
    @@ -1,2 +1,2 @@
         1|  a
          | -b
         2| +c
          | \ No newline at end of file
    diff --git a/b b/b
    --- a/b
    +++ b/b
    @@ -1,2 +1,2 @@
          | -a
         1| +a<U+000D>
    ");
}

#[test]
fn a_change_of_kind_shows_the_removed_lines_as_lines() {
    let mut file = with_hunk("link", 1, b"@@ -0,0 +1 @@\n+text\n");
    file.header = b"diff --git a/link b/link\ndeleted file mode 120000\n--- a/link\n+++ /dev/null\n@@ -1 +0,0 @@\n--- a/x\n\\ No newline at end of file\ndiff --git a/link b/link\nnew file mode 100644\n--- /dev/null\n+++ b/link\n".to_vec();
    insta::assert_snapshot!(numbered(&bundle(vec![file])), @r"
    diff --git a/link b/link
    deleted file mode 120000
    --- a/link
    +++ /dev/null
    @@ -1 +0,0 @@
          | --- a/x
          | \ No newline at end of file
    diff --git a/link b/link
    new file mode 100644
    --- /dev/null
    +++ b/link
    @@ -0,0 +1 @@
         1| +text
    ");
}

proptest! {
    #[test]
    fn any_bytes_are_shown_without_harm(header in any::<Vec<u8>>(), text in any::<Vec<u8>>(), start in any::<u32>()) {
        let mut file = with_hunk("a", start, &text);
        file.header = header;
        let shown = numbered(&bundle(vec![file]));
        prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        let is_ours = |row: &str| row.contains("| ") || row.starts_with("@@ ");
        prop_assert!(shown.lines().all(is_ours), "{shown}");
    }
}

#[test]
fn an_excerpt_stands_around_its_lines() {
    let line = |number: u32| format!("+line {number}\n");
    let text = |from: u32| (from..from + 20).map(line).collect::<String>();
    let mut file = with_hunk("a", 1, format!("@@ -0,0 +1,20 @@\n{}", text(1)).as_bytes());
    let later = with_hunk("a", 101, format!("@@ -9,0 +101,20 @@ fn f()\n{}", text(101)).as_bytes());
    file.hunks[0].new_lines = 20;
    let bundles = [bundle(vec![later]), bundle(vec![with_hunk("b", 1, b"@@ -0,0 +1 @@\n+x\n"), file])];
    let shown = |lines, most| excerpt(&bundles, "a", lines, most);
    insta::assert_snapshot!(shown(Some(LineRange::new(19, 20)), 100), @"
          (further lines of the change left out)
        17| +line 17
        18| +line 18
        19| +line 19
        20| +line 20
    @@ -9,0 +101,20 @@ fn f()
          (further lines of the change left out)
    ");
    insta::assert_snapshot!(shown(None, 60), @"
    @@ -0,0 +1,20 @@
         1| +line 1
         2| +line 2
          (further lines of the change left out)
    ");
    assert_eq!(shown(Some(LineRange::new(500, 600)), 60), shown(None, 60));
    let whole = shown(Some(LineRange::new(110, 110)), 10_000);
    assert_eq!((whole.lines().count(), whole.contains("left out")), (42, false));
    assert_eq!(excerpt(&bundles, "c", None, 100), "");
}

proptest! {
    #[test]
    fn an_excerpt_keeps_its_size_and_shows_the_place(line in 1_u32..300, most in 40_usize..2_000) {
        let rows = (1..300).fold(String::new(), |rows, number| rows + &format!("+line {number}\n"));
        let file = with_hunk("a", 1, format!("@@ -0,0 +1,299 @@\n{rows}").as_bytes());
        let shown = excerpt(&[bundle(vec![file])], "a", Some(LineRange::new(line, line + 5)), most);
        let first = format!("{line:>6}| +line {line}\n");
        prop_assert!(shown.contains(&first), "{}", shown);
        let code: usize = shown.lines().filter(|row| !row.contains("left out")).map(|row| row.len() + 1).sum();
        prop_assert!(code <= most && code + 40 > most.min(17 * 299), "{} of {}", code, most);
    }
}
