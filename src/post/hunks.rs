//! Which lines a platform shows in the diff of a pull request: [`Hunks`].
//!
//! Platforms show three lines around what changed, however much more a bundle shows.

use std::collections::BTreeMap;

use crate::{
    bundle::Bundle,
    change::{FilePatch, HunkLine, LineKind},
    finding::LineRange,
};

/// Lines that platforms show above and below what changed.
const CONTEXT: usize = 3;

/// How much of a pull request's diff a run has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All: the platform's hunks can be told.
    Whole,
    /// What came since some commit: only added lines are certain to be shown, and old numbers are other ones.
    Part,
}

/// The stretches of new-side lines that are shown, by path.
pub(super) struct Hunks<'a> {
    files: BTreeMap<String, (&'a FilePatch, Vec<Stretch>)>,
}

/// Lines of one hunk.
struct Stretch {
    lines: LineRange,
    /// The old number of each line that did not change.
    old: BTreeMap<u32, u32>,
}

/// Where a comment can stand.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) path: String,
    pub(super) old_path: Option<String>,
    pub(super) lines: LineRange,
    pub(super) old_line: Option<u32>,
}

impl<'a> Hunks<'a> {
    /// Of the change that `bundles` hold. Files whose names are not UTF-8 cannot be named to a platform.
    pub(super) fn of(bundles: &'a [Bundle], extent: Extent) -> Self {
        let mut files: BTreeMap<String, (&FilePatch, Vec<Stretch>)> = BTreeMap::new();
        for file in bundles.iter().flat_map(|bundle| &bundle.files) {
            let (_, stretches) = files.entry(file.path.to_string()).or_insert_with(|| (file, Vec::new()));
            for hunk in &file.hunks {
                let lines: Vec<HunkLine<'_>> = hunk.lines().collect();
                stretches.extend(stretches_in(&lines, extent));
            }
        }
        Self { files }
    }

    /// The part of `lines` that the first hunk shows which shows any of them.
    pub(super) fn spot(&self, path: &str, lines: LineRange) -> Option<Spot> {
        let (file, stretches) = self.files.get(path)?;
        let mut shown = stretches.iter().filter(|one| one.lines.overlaps(lines));
        let first = shown.next()?;
        let lines =
            LineRange { start: lines.start.max(first.lines.start), end: lines.end.min(first.lines.end) };
        let text = |path: &crate::change::RepoPath| String::from_utf8(path.as_bytes().to_vec()).ok();
        Some(Spot {
            path: text(&file.path)?,
            old_path: file.old_path.as_ref().and_then(text),
            lines,
            old_line: first.old.get(&lines.end).copied(),
        })
    }
}

fn stretches_in(lines: &[HunkLine<'_>], extent: Extent) -> Vec<Stretch> {
    let is_near = |at: usize| match extent {
        Extent::Part => lines[at].kind == LineKind::Added,
        Extent::Whole => {
            let near = &lines[at.saturating_sub(CONTEXT)..lines.len().min(at + CONTEXT + 1)];
            near.iter().any(|line| line.kind != LineKind::Context)
        }
    };
    let mut found: Vec<Stretch> = Vec::new();
    let mut is_open = false;
    for (at, line) in lines.iter().enumerate() {
        let Some(new) = line.new else {
            is_open &= extent == Extent::Whole;
            continue;
        };
        if !is_near(at) {
            is_open = false;
            continue;
        }
        if !is_open {
            found.push(Stretch { lines: LineRange { start: new, end: new }, old: BTreeMap::new() });
            is_open = true;
        }
        if let Some(stretch) = found.last_mut() {
            stretch.lines.end = new;
            stretch.old.extend(line.old.map(|old| (new, old)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bundle::Guard, git::read_diff};

    /// Line 1 to 5 context, 6 removed, then added, context, and more context than platforms show.
    const DIFF: &str = "diff --git a/old.rs b/new.rs\nsimilarity index 90%\nrename from old.rs\nrename to new.rs\n\
        --- a/old.rs\n+++ b/new.rs\n@@ -1,17 +1,18 @@\n a\n b\n c\n d\n e\n-f\n+F\n+G\n h\n i\n j\n k\n l\n m\n n\n o\n p\n-q\n+Q\n r\n";

    #[track_caller]
    fn check(extent: Extent, lines: (u32, u32), expect: Option<((u32, u32), Option<u32>)>) {
        let files = read_diff(DIFF.as_bytes()).unwrap().files;
        let bundles = [Bundle { id: "c1".into(), component: "c".into(), files, guard: Guard::Ok }];
        let spot = Hunks::of(&bundles, extent).spot("new.rs", LineRange::new(lines.0, lines.1));
        let expect = expect.map(|((start, end), old_line)| Spot {
            path: "new.rs".to_owned(),
            old_path: Some("old.rs".to_owned()),
            lines: LineRange { start, end },
            old_line,
        });
        assert_eq!(spot, expect, "{lines:?}");
    }

    #[test]
    fn only_what_a_platform_shows() {
        use Extent::Whole;
        check(Whole, (6, 6), Some(((6, 6), None)));
        check(Whole, (3, 3), Some(((3, 3), Some(3))));
        check(Whole, (10, 10), Some(((10, 10), Some(9))));
        check(Whole, (2, 2), None);
        check(Whole, (11, 12), None);
        check(Whole, (1, 40), Some(((3, 10), Some(9))));
        check(Whole, (9, 13), Some(((9, 10), Some(9))));
        check(Whole, (17, 17), Some(((17, 17), None)));
        check(Whole, (99, 99), None);
    }

    #[test]
    fn of_a_part_only_what_it_added() {
        use Extent::Part;
        check(Part, (1, 40), Some(((6, 7), None)));
        check(Part, (7, 9), Some(((7, 7), None)));
        check(Part, (10, 10), None);
        check(Part, (15, 18), Some(((17, 17), None)));
    }
}
