//! Whether bundles hold all of a change: [`unshown`] finds what they do not.
//!
//! It compares changed lines, not hunks: a review may have shown more around them. Reading the change is `git`'s work.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bundle, Excluded, Split};
use crate::change::{Hunk, LineKind, RepoPath};

/// What of a change no reviewer was shown, in path order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unshown {
    /// Files that are listed as left out and should not be.
    pub left_out: Vec<RepoPath>,
    /// Files that are nowhere, or with other lines.
    pub missing: Vec<RepoPath>,
}

/// Compares what was shown, and what was left out of it, with the `whole` change as it is to be shown.
pub fn unshown(whole: &Split, bundles: &[Bundle], excluded: &[Excluded]) -> Unshown {
    let (wanted, shown) = (lines_by_file(&whole.bundles), lines_by_file(bundles));
    let lacking = wanted.iter().filter(|(path, lines)| shown.get(*path) != Some(lines));
    let listed: BTreeSet<&RepoPath> = excluded.iter().map(|file| &file.path).collect();
    let is_left_out = |path: &RepoPath| listed.contains(path) && !shown.contains_key(path);
    let (left_out, missing) =
        lacking.map(|(path, _)| (*path).clone()).partition(|path: &RepoPath| is_left_out(path));
    Unshown { left_out, missing }
}

/// A changed line: whether it is added, and its text.
type Line<'a> = (bool, &'a [u8]);

/// The changed lines of every file, sorted: a file that was cut stands in several bundles.
fn lines_by_file(bundles: &[Bundle]) -> BTreeMap<&RepoPath, Vec<Line<'_>>> {
    let mut all: BTreeMap<&RepoPath, Vec<Line<'_>>> = BTreeMap::new();
    for file in bundles.iter().flat_map(|bundle| &bundle.files) {
        let changed = file.hunks.iter().flat_map(Hunk::lines).filter(|line| line.kind != LineKind::Context);
        let changed = changed.map(|line| (line.kind == LineKind::Added, line.text));
        all.entry(&file.path).or_default().extend(changed);
    }
    for lines in all.values_mut() {
        lines.sort_unstable();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bundle::{ExcludeReason, Guard},
        git,
    };

    const DIFF: &str = "\
diff --git a/a.rs b/a.rs
--- a/a.rs
+++ b/a.rs
@@ -1,2 +1,2 @@
-one
+two
 three
@@ -9,0 +10,1 @@
+four
diff --git a/b.rs b/b.rs
--- a/b.rs
+++ b/b.rs
@@ -1,1 +1,1 @@
-x
+y
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
";

    fn bundle(diff: &str) -> Bundle {
        let files = git::read_diff(diff.as_bytes()).unwrap().files;
        Bundle { id: "c1_root".to_owned(), component: "root".to_owned(), files, guard: Guard::Ok }
    }

    fn check(diffs: &[&str], excluded: &[&str], left_out: &[&str], missing: &[&str]) {
        let whole = Split { bundles: vec![bundle(DIFF)], excluded: Vec::new() };
        let shown: Vec<Bundle> = diffs.iter().map(|diff| bundle(diff)).collect();
        let listed = |path: &&str| Excluded {
            path: (*path).into(),
            old_path: None,
            reason: ExcludeReason::Filtered,
            bytes: 1,
        };
        let excluded: Vec<Excluded> = excluded.iter().map(listed).collect();
        let paths = |names: &[&str]| names.iter().map(|name| RepoPath::from(*name)).collect();
        let expect = Unshown { left_out: paths(left_out), missing: paths(missing) };
        assert_eq!(unshown(&whole, &shown, &excluded), expect, "{diffs:?}");
    }

    #[test]
    fn every_changed_line_was_shown_or_its_file_is_named() {
        check(&[DIFF], &[], &[], &[]);
        check(&[], &[], &[], &["a.rs", "b.rs", "run.sh"]);
        check(&[], &["b.rs", "run.sh"], &["b.rs", "run.sh"], &["a.rs"]);
        // Cut into two, and with more around the change.
        let (first, rest) = DIFF.split_at(DIFF.find("@@ -9").unwrap());
        let header = DIFF.split_at(DIFF.find("@@ -1").unwrap()).0;
        check(&[&format!("{header}{rest}"), first], &[], &[], &[]);
        check(&[&DIFF.replace("@@ -9,0 +10,1 @@\n", "@@ -9,1 +9,2 @@\n more\n")], &[], &[], &[]);
        // A hunk, a line or a file's mode is not there.
        check(&[&rest.replace("@@ -9", &format!("{header}@@ -9"))], &[], &[], &["a.rs"]);
        check(&[&DIFF.replace("+y", "+z")], &[], &[], &["b.rs"]);
        check(&[DIFF.split_at(DIFF.find("diff --git a/run.sh").unwrap()).0], &[], &[], &["run.sh"]);
        // What is listed as left out and shown in part is not whole.
        check(&[&DIFF.replace("+y", "+z")], &["b.rs"], &[], &["b.rs"]);
    }
}
