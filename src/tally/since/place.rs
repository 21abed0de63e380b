//! Finds the code of an earlier issue in the files under review: [`whereabouts`].
//!
//! Pure: the two versions of the file and their difference are given.

use super::{Earlier, Whereabouts, left::CODE_KEPT};
use crate::{
    anchor::squeeze,
    change::{FilePatch, LineKind},
    finding::LineRange,
    tally::cluster::NEAR,
};

/// Letters and digits that a line of code needs to be told from others by its text.
const LEAST_TELLING: usize = 4;

/// A file at the last review's head and at the one under review.
#[derive(Debug, Clone, Copy, Default)]
pub struct Versions<'a> {
    /// Then; `None` when that is not at hand.
    pub before: Option<&'a str>,
    /// Now, with its path; `None` when there is no such file.
    pub now: Option<(&'a str, &'a str)>,
    /// What differs between the two; `None` when nothing does or `before` is not at hand.
    pub difference: Option<&'a FilePatch>,
}

/// Where the code of `issue` is now.
///
/// With both versions at hand it is gone when all its lines were taken out or rewritten and, so that a move is none, its line of code
/// stands fewer times in the file than before. With only the new one it is gone when its line of code does not stand there.
/// The lines of what was fixed say nothing any more: it is back when its line of code stands more times in the file than before.
pub fn whereabouts(issue: &Earlier, file: Versions<'_>) -> Whereabouts {
    let Some((path, now)) = file.now else { return Whereabouts::Gone };
    let there = |lines, untouched| Whereabouts::There { path: path.to_owned(), lines, untouched };
    let code = issue.code.as_deref().map(squeeze).filter(|code| is_telling(code));
    let standing = code.as_deref().map(|code| lines_holding(now, code));
    if issue.is_fixed {
        // A file that was added since had none.
        let before = file.before.or(file.difference.map(|_| ""));
        return match (&code, standing.as_deref(), before) {
            (Some(code), Some(found), Some(before)) if found.len() > lines_holding(before, code).len() => {
                there(nearest(found, issue.lines), None)
            }
            _ => Whereabouts::Gone,
        };
    }
    // Elsewhere a single line is as it was, and nothing is known of those around.
    let is_whole = code.as_deref().is_some_and(|code| !is_cut(code));
    let moved =
        |lines: Option<LineRange>| there(lines, lines.filter(|lines| is_whole && lines.start == lines.end));
    let Some(before) = file.before else {
        return match standing.as_deref() {
            None => Whereabouts::Unknown,
            Some([]) => Whereabouts::Gone,
            Some(found) => moved(nearest(found, issue.lines)),
        };
    };
    let followed = issue.lines.map(|lines| mapped(lines, file.difference));
    match (followed, &code, standing.as_deref()) {
        (Some(Some(lines)), ..) => {
            there(Some(lines), issue.lines.and_then(|lines| untouched(lines, file.difference)))
        }
        (Some(None) | None, Some(code), Some(found)) => {
            let is_moved = !found.is_empty() && found.len() >= lines_holding(before, code).len();
            if is_moved { moved(nearest(found, issue.lines)) } else { Whereabouts::Gone }
        }
        (Some(None), ..) => Whereabouts::Gone,
        (None, ..) => there(None, None),
    }
}

/// Where `lines` of the old side are on the new one, as far as they are still there; `None` when none of them is.
fn mapped(lines: LineRange, difference: Option<&FilePatch>) -> Option<LineRange> {
    let Some(file) = difference else { return Some(lines) };
    let mut kept = (lines.start..=lines.end).filter_map(|line| new_line(line, file));
    let first = kept.next()?;
    Some(LineRange::new(first, kept.next_back().unwrap_or(first)))
}

/// On the new side, `lines` of the old one and up to [`NEAR`] around them as far as they follow each other as they did; `None` when they
/// themselves do not.
fn untouched(lines: LineRange, difference: Option<&FilePatch>) -> Option<LineRange> {
    let now = |line| difference.map_or(Some(line), |file| new_line(line, file));
    let first = now(lines.start)?;
    let follows = |line: &u32| now(*line).is_some_and(|now| now.wrapping_sub(first) == line - lines.start);
    if !(lines.start..=lines.end).all(|line| follows(&line)) {
        return None;
    }
    let above = |line: &u32| now(*line).is_some_and(|now| first.wrapping_sub(now) == lines.start - line);
    let start = (1..lines.start).rev().take(NEAR as usize).take_while(above).count();
    let end = (lines.end..=u32::MAX).skip(1).take(NEAR as usize).take_while(follows).count();
    let count = |lines: usize| u32::try_from(lines).unwrap_or(NEAR);
    let last = first.saturating_add(lines.end - lines.start).saturating_add(count(end));
    Some(LineRange::new(first - count(start), last))
}

fn new_line(line: u32, file: &FilePatch) -> Option<u32> {
    let mut shift = 0_i64;
    for hunk in &file.hunks {
        // A hunk without old lines stands behind the line it names.
        let begins = hunk.old_start + u32::from(hunk.old_lines == 0);
        if line < begins {
            break;
        }
        if line < begins.saturating_add(hunk.old_lines) {
            let own = hunk.lines().find(|one| one.old == Some(line))?;
            return if own.kind == LineKind::Context { own.new } else { None };
        }
        shift += i64::from(hunk.new_lines) - i64::from(hunk.old_lines);
    }
    u32::try_from(i64::from(line) + shift).ok()
}

/// Whether more may have followed what was kept of a line of code.
fn is_cut(code: &str) -> bool {
    code.chars().count() >= CODE_KEPT / 2
}

/// Numbers of the lines that are `code`, which is without blanks.
fn lines_holding(text: &str, code: &str) -> Vec<u32> {
    let is_cut = is_cut(code);
    let holds = |line: &str| {
        let line = squeeze(line);
        line == code || (is_cut && line.starts_with(code))
    };
    (1..).zip(text.lines()).filter(|(_, line)| holds(line)).map(|(number, _)| number).collect()
}

fn nearest(found: &[u32], lines: Option<LineRange>) -> Option<LineRange> {
    let from = lines.map_or(0, |lines| lines.start);
    let line = found.iter().copied().min_by_key(|line| line.abs_diff(from))?;
    let more = lines.map_or(0, |lines| lines.end - lines.start);
    Some(LineRange::new(line, line.saturating_add(more)))
}

/// Whether a line says enough to be found by what it says.
fn is_telling(code: &str) -> bool {
    code.chars().filter(|c| c.is_alphanumeric()).take(LEAST_TELLING).count() == LEAST_TELLING
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{finding::Severity, git, tally::Agreement};

    const BEFORE: &str = "one();\n}\nlet a = leak(1);\n}\nfive();\n";

    fn issue(lines: Option<(u32, u32)>, code: Option<&str>) -> Earlier {
        Earlier {
            id: "3fa9c1d2e4b5".to_owned(),
            path: "a.rs".to_owned(),
            lines: lines.map(|(start, end)| LineRange { start, end }),
            symbol: None,
            severity: Severity::Block,
            agreement: Agreement::Single,
            lineages: Vec::new(),
            what: String::new(),
            why: String::new(),
            code: code.map(str::to_owned),
            holds: false,
            is_fixed: false,
            disposition: None,
            decided_words: None,
            now: Whereabouts::Unknown,
        }
    }

    fn words(found: &Whereabouts) -> String {
        match found {
            Whereabouts::Unknown => "unknown".to_owned(),
            Whereabouts::Gone => "gone".to_owned(),
            Whereabouts::There { lines: None, .. } => "there".to_owned(),
            Whereabouts::There { lines: Some(lines), .. } => format!("there {}-{}", lines.start, lines.end),
        }
    }

    /// Both versions at hand; the second is [`BEFORE`] with `hunk` applied.
    #[track_caller]
    fn check(issue: &Earlier, hunk: &str, now: &str, expect: &str) {
        let diff = format!("diff --git a/a.rs b/a.rs\n--- a/a.rs\n+++ b/a.rs\n{hunk}");
        let change = (!hunk.is_empty()).then(|| git_diff(&diff));
        let file = Versions { before: Some(BEFORE), now: Some(("a.rs", now)), difference: change.as_ref() };
        assert_eq!(words(&whereabouts(issue, file)), expect);
    }

    fn git_diff(text: &str) -> FilePatch {
        git::read_diff(text.as_bytes()).unwrap().files.remove(0)
    }

    #[test]
    fn lines_are_followed_through_the_difference() {
        let leak = issue(Some((3, 3)), Some("let a = leak(1);"));
        check(&leak, "", BEFORE, "there 3-3");
        check(
            &leak,
            "@@ -1,1 +1,2 @@\n one();\n+two();\n",
            "one();\ntwo();\n}\nlet a = leak(1);\n}\nfive();\n",
            "there 4-4",
        );
        check(
            &leak,
            "@@ -5,1 +5,2 @@\n five();\n+six();\n",
            "one();\n}\nlet a = leak(1);\n}\nfive();\nsix();\n",
            "there 3-3",
        );
        check(
            &leak,
            "@@ -3,1 +3,1 @@\n-let a = leak(1);\n+let a = safe(1);\n",
            "one();\n}\nlet a = safe(1);\n}\nfive();\n",
            "gone",
        );
        check(&leak, "@@ -1,3 +0,0 @@\n-one();\n-}\n-let a = leak(1);\n", "}\nfive();\n", "gone");
    }

    #[test]
    fn a_move_within_the_file_is_no_repair() {
        let leak = issue(Some((3, 3)), Some("let a = leak(1);"));
        let hunks = "@@ -3,1 +2,0 @@\n-let a = leak(1);\n@@ -5,0 +5,1 @@\n+    let a = leak(1);\n";
        check(&leak, hunks, "one();\n}\n}\nfive();\n    let a = leak(1);\n", "there 5-5");
        // A line that says nothing is known by its place alone.
        let brace = issue(Some((2, 2)), Some("}"));
        check(&brace, "@@ -2,1 +1,0 @@\n-}\n", "one();\nlet a = leak(1);\n}\nfive();\n", "gone");
    }

    #[test]
    fn what_nobody_touched_is_told() {
        let check = |lines: (u32, u32), hunk: &str, expect: Option<(u32, u32)>| {
            let file = git_diff(&format!("diff --git a/a.rs b/a.rs\n--- a/a.rs\n+++ b/a.rs\n{hunk}"));
            let found = untouched(LineRange::new(lines.0, lines.1), Some(&file));
            assert_eq!(found.map(|found| (found.start, found.end)), expect, "{lines:?} {hunk}");
        };
        assert_eq!(untouched(LineRange::new(3, 5), None), Some(LineRange::new(1, 15)));
        assert_eq!(untouched(LineRange::new(30, 30), None), Some(LineRange::new(20, 40)));
        let end = LineRange::new(u32::MAX, u32::MAX);
        assert_eq!(untouched(end, None), Some(LineRange::new(u32::MAX - NEAR, u32::MAX)));
        let rewritten = "@@ -2,3 +2,3 @@\n b\n-c\n+C\n d\n";
        check((2, 4), rewritten, None);
        check((3, 3), rewritten, None);
        check((4, 5), rewritten, Some((4, 15)));
        check((1, 2), rewritten, Some((1, 2)));
        let put_in = "@@ -2,2 +2,3 @@\n b\n+new\n c\n";
        check((2, 3), put_in, None);
        check((3, 3), put_in, Some((4, 14)));
        let taken_out = "@@ -2,3 +2,2 @@\n b\n-c\n d\n";
        check((2, 4), taken_out, None);
        check((1, 2), taken_out, Some((1, 2)));
        check((4, 4), taken_out, Some((3, 13)));
    }

    #[test]
    fn a_moved_line_is_as_it_was_and_a_moved_range_is_not_known_to_be() {
        let moved = |lines, code: &str| {
            let text = format!("x\n{code}\n");
            let file = Versions { now: Some(("a.rs", &text)), ..Versions::default() };
            match whereabouts(&issue(Some(lines), Some(code)), file) {
                Whereabouts::There { untouched, .. } => untouched,
                Whereabouts::Gone | Whereabouts::Unknown => panic!("it stands there"),
            }
        };
        assert_eq!(moved((9, 9), "let a = leak(1);"), Some(LineRange::new(2, 2)));
        assert_eq!(moved((9, 10), "let a = leak(1);"), None);
        // Its end was not kept, so that may be another one.
        assert_eq!(moved((9, 9), &"x".repeat(CODE_KEPT)), None);
    }

    #[test]
    fn what_was_fixed_is_back_with_its_code() {
        let fixed = |code| Earlier { is_fixed: true, ..issue(Some((3, 3)), Some(code)) };
        let reverted = "@@ -5,1 +5,2 @@\n five();\n+let b = leak(2);\n";
        let now = "one();\n}\nlet a = leak(1);\n}\nfive();\nlet b = leak(2);\n";
        check(&fixed("let b = leak(2);"), reverted, now, "there 6-6");
        // It stood twice, and one is left.
        check(&fixed("let a = leak(1);"), reverted, now, "gone");
        check(&fixed("let c = leak(3);"), "", BEFORE, "gone");
        check(&fixed("}"), reverted, now, "gone");
    }

    #[test]
    fn all_lines_of_a_range_must_go() {
        let range = issue(Some((1, 3)), None);
        check(&range, "@@ -1,2 +0,0 @@\n-one();\n-}\n", "let a = leak(1);\n}\nfive();\n", "there 1-1");
        check(&range, "@@ -1,3 +0,0 @@\n-one();\n-}\n-let a = leak(1);\n", "}\nfive();\n", "gone");
        check(&issue(None, None), "@@ -1,1 +1,1 @@\n-one();\n+two();\n", "two();\n", "there");
    }

    #[test]
    fn without_the_old_version_the_code_is_looked_for() {
        let check = |issue: &Earlier, now: Option<&str>, expect: &str| {
            let file = Versions { now: now.map(|now| ("b.rs", now)), ..Versions::default() };
            assert_eq!(words(&whereabouts(issue, file)), expect);
        };
        let leak = issue(Some((3, 3)), Some("let a = leak(1);"));
        check(&leak, Some("x\nlet a=leak(1);\n"), "there 2-2");
        check(&leak, Some("let a = leak(1); // why\n"), "gone");
        check(&leak, None, "gone");
        check(&issue(Some((3, 3)), Some("}")), Some("x\n"), "unknown");
        check(&issue(Some((3, 3)), None), Some("x\n"), "unknown");
        let long = "x".repeat(CODE_KEPT);
        check(&issue(None, Some(&long)), Some(&format!("{long}yz\n")), "there 1-1");
    }
}
