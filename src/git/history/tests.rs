//! The past of small repositories made for the purpose.

use git2::{Signature, Time};

use super::*;
use crate::change::RangeInfo;

struct Made {
    _folder: tempfile::TempDir,
    repo: Repository,
}

impl Made {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repository::init_bare(folder.path()).unwrap();
        Self { _folder: folder, repo }
    }

    /// Commits exactly `files` on top of the last commit.
    fn commit(&self, title: &str, files: &[(&str, &str)]) -> String {
        let mut builder = git2::build::TreeUpdateBuilder::new();
        for (path, text) in files {
            let blob = self.repo.blob(text.as_bytes()).unwrap();
            builder.upsert(*path, blob, git2::FileMode::Blob);
        }
        let empty = self.repo.find_tree(self.repo.treebuilder(None).unwrap().write().unwrap()).unwrap();
        let tree = self.repo.find_tree(builder.create_updated(&self.repo, &empty).unwrap()).unwrap();
        let parent = self.repo.head().ok().and_then(|head| head.peel_to_commit().ok());
        let seconds = parent.as_ref().map_or(1_700_000_000, |parent| parent.time().seconds() + 60);
        let author = Signature::new("a", "a@example.org", &Time::new(seconds, 0)).unwrap();
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        self.repo.commit(Some("HEAD"), &author, &author, title, &tree, &parents).unwrap().to_string()
    }
}

/// A change of one file on top of `base`.
fn change(base: &str, path: &str, status: FileStatus, hunk: &str) -> Change {
    let numbers: Vec<u32> =
        hunk.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).take(4).collect();
    let hunk = Hunk {
        old_start: numbers[0],
        old_lines: numbers[1],
        new_start: numbers[2],
        new_lines: numbers[3],
        text: hunk.as_bytes().to_vec(),
    };
    let file = FilePatch {
        path: path.into(),
        old_path: None,
        status,
        content: Content::Text,
        generated: false,
        header: Vec::new(),
        hunks: vec![hunk],
        size: 0,
    };
    let range = RangeInfo { base: Some(base.to_owned()), head: None, spec: String::new() };
    Change { range, files: vec![file], ..Change::default() }
}

#[test]
fn commits_are_told_newest_first_and_never_from_the_range() {
    let made = Made::new();
    made.commit("start", &[("a", "1\n"), ("b", "1\n")]);
    made.commit("Fix a crash", &[("a", "2\n"), ("b", "1\n")]);
    let base = made.commit("drop b", &[("a", "3\n")]);
    made.commit("the future", &[("a", "4\n")]);
    let history =
        collect(&made.repo, &change(&base, "a", FileStatus::Modified, "@@ -1,1 +1,1 @@\n-3\n+4\n")).unwrap();
    let told: Vec<(&str, CommitKind, Vec<String>)> = history
        .commits
        .iter()
        .map(|commit| {
            (commit.title.as_str(), commit.kind, commit.paths.iter().map(ToString::to_string).collect())
        })
        .collect();
    let expect = [
        ("drop b", CommitKind::Plain, vec!["a".to_owned(), "b".to_owned()]),
        ("Fix a crash", CommitKind::Fix, vec!["a".to_owned()]),
    ];
    assert_eq!(told, expect);
    assert_eq!(history.gone, BTreeSet::from(["b".into()]));
}

#[test]
fn a_line_that_a_fix_removed_and_the_change_adds_is_found() {
    let made = Made::new();
    let line = "pool.close_connections_without_waiting_for_readers();";
    made.commit("start", &[("a.rs", &format!("x\n{line}\ny\n"))]);
    let fix = made.commit("Fix a deadlock on close", &[("a.rs", "x\ny\n")]);
    let base = made.commit("more", &[("a.rs", "x\ny\nz\n")]);
    let hunk = format!("@@ -1,1 +1,2 @@\n x\n+    {line}\n");
    let history = collect(&made.repo, &change(&base, "a.rs", FileStatus::Modified, &hunk)).unwrap();
    let expect = ReturnedLine {
        path: "a.rs".into(),
        line: 2,
        text: line.to_owned(),
        removed_by: fix,
        removed_in_all: 1,
    };
    assert_eq!(history.returned, [expect]);
}

#[test]
fn a_line_that_never_left_or_was_moved_is_not_found() {
    let made = Made::new();
    let line = "pool.close_connections_without_waiting_for_readers();";
    made.commit("start", &[("a.rs", &format!("{line}\ny\n"))]);
    let base = made.commit("Fix the order", &[("a.rs", &format!("y\n{line}\n"))]);
    let hunk = format!("@@ -1,1 +1,2 @@\n y\n+    {line}\n");
    let history = collect(&made.repo, &change(&base, "a.rs", FileStatus::Modified, &hunk)).unwrap();
    assert_eq!(history.returned, []);
}

#[test]
fn a_lockfile_is_told_on_both_sides() {
    let made = Made::new();
    let base = made.commit("start", &[("go.sum", "a\nb\nc\nd\ne\n")]);
    let hunk = "@@ -2,3 +2,3 @@\n b\n-c\n+C\n d\n";
    let history = collect(&made.repo, &change(&base, "go.sum", FileStatus::Modified, hunk)).unwrap();
    let expect = Lockfile {
        path: "go.sum".into(),
        before: "a\nb\nc\nd\ne\n".to_owned(),
        after: "a\nb\nC\nd\ne\n".to_owned(),
    };
    assert_eq!(history.lockfiles, [expect]);
}

#[test]
fn patches_apply() {
    let check = |before: &str, hunk: &str, expect: &str| {
        let change = change("", "a", FileStatus::Modified, hunk);
        assert_eq!(
            String::from_utf8(apply(before.as_bytes(), &change.files[0].hunks)).unwrap(),
            expect,
            "{hunk}"
        );
    };
    check("", "@@ -0,0 +1,2 @@\n+a\n+b\n", "a\nb\n");
    check("a\nb\n", "@@ -1,2 +0,0 @@\n-a\n-b\n", "");
    check("a\nb\n", "@@ -1,0 +2,1 @@\n+x\n", "a\nx\nb\n");
    check("a\nb\nc\n", "@@ -3,1 +3,1 @@\n-c\n+d\n", "a\nb\nd\n");
    check("a\n", "@@ -9,1 +9,1 @@\n-z\n+y\n", "a\ny\n");
}

#[test]
fn without_a_base_there_is_no_past() {
    let made = Made::new();
    made.commit("start", &[("a", "1\n")]);
    assert_eq!(collect(&made.repo, &Change::default()).unwrap(), History::default());
}

#[test]
fn a_base_that_is_not_there_is_an_error() {
    let made = Made::new();
    let missing = "1111111111111111111111111111111111111111";
    let error = collect(&made.repo, &change(missing, "a", FileStatus::Modified, "@@ -1,1 +1,1 @@\n-3\n+4\n"))
        .unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot read the history before {missing}: ")), "{error}");
}
