//! Splitting over generated histories, checked against the `git` program: what git says differs is what the bundles
//! and the excluded list hold, and each bundle applies to its base.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the git program is the judge here, and a test may fail by panic"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use git2::{FileMode, Oid, Repository, Signature, build::TreeUpdateBuilder};
use proptest::{collection::vec, prelude::*, sample::select};
use scrum::{
    bundle::{
        Bundle, CutDeclared, DeclaredComponent, ExcludeReason, Guard, Limits, Split, SplitRules,
        context::{Context, grow},
        show::numbered,
        split,
    },
    change::{Change, FilePatch, Hunk, HunkLine, LineKind, RepoPath},
    git::{RangeSpec, Repo, read_diff},
};

/// Paths of every kind that a split treats in its own way.
const PATHS: [&str; 18] = [
    "README.md",
    "Cargo.lock",
    "crates/alpha/src/lib.rs",
    "crates/alpha/src/deep/er/one.rs",
    "crates/alpha/src/deep/two.rs",
    "crates/alpha/tests/it.rs",
    "crates/beta/src/lib.rs",
    "crates/beta/src/a b.rs",
    "crates/beta/src-gen/x.pb.go",
    "docs/\u{fc}ber/blick.md",
    "docs/qu\"oted\".md",
    "docs/tab\there.md",
    "docs/zero.md",
    "vendor/dep/a.c",
    "web/app.min.js",
    "web/main.ts",
    "we__ird/-x-.txt",
    "place",
];

/// What happens to one file.
#[derive(Debug, Clone)]
enum Event {
    Keep,
    Add,
    Delete,
    Edit(Vec<u16>),
    Rename(Vec<u16>),
    Executable,
    Link,
    Binary,
    /// A link makes way for a folder of the same name.
    Folder,
}

#[derive(Debug, Clone)]
struct File {
    path: &'static str,
    lines: u16,
    /// Few different lines make hunks that fit in several places.
    variety: u16,
    crlf: bool,
    ends: bool,
    event: Event,
}

fn file(path: &'static str) -> impl Strategy<Value = File> {
    let edits = || vec(0_u16..400, 1..12);
    let event = prop_oneof![
        1 => Just(Event::Keep),
        2 => Just(Event::Add),
        2 => Just(Event::Delete),
        8 => edits().prop_map(Event::Edit),
        3 => vec(0_u16..400, 0..5).prop_map(Event::Rename),
        1 => Just(Event::Executable),
        1 => Just(Event::Link),
        1 => Just(Event::Binary),
        1 => Just(Event::Folder),
    ];
    (0_u16..300, prop_oneof![Just(3_u16), Just(1000)], any::<bool>(), any::<bool>(), event)
        .prop_map(move |(lines, variety, crlf, ends, event)| File { path, lines, variety, crlf, ends, event })
}

fn history() -> impl Strategy<Value = Vec<File>> {
    proptest::sample::subsequence(PATHS.to_vec(), 1..=PATHS.len())
        .prop_flat_map(|paths| paths.into_iter().map(file).collect::<Vec<_>>())
}

fn rules() -> impl Strategy<Value = SplitRules> {
    let limits = (300_usize..6_000, 0_usize..2_000).prop_map(|(warn_bytes, pack_bytes)| Limits {
        warn_bytes,
        fail_bytes: warn_bytes * 2,
        pack_bytes,
    });
    let cut = select(vec![CutDeclared::Never, CutDeclared::Always]);
    (limits, cut, any::<bool>()).prop_map(|(limits, cut_declared, declare)| SplitRules {
        declared: declare
            .then(|| DeclaredComponent { name: "beta".to_owned(), paths: vec!["crates/beta/**".to_owned()] })
            .into_iter()
            .collect(),
        package_roots: vec!["crates/alpha".into(), "crates/beta".into()],
        limits,
        cut_declared,
        ..SplitRules::default()
    })
}

impl File {
    fn text(&self, edits: &[u16]) -> Vec<u8> {
        let mut lines: Vec<String> =
            (0..self.lines).map(|at| format!("{} line {}", self.path.len(), at % self.variety)).collect();
        for edit in edits {
            let at = usize::from(*edit) % (lines.len() + 1);
            match edit % 3 {
                0 => lines.insert(at, format!("added {edit}")),
                1 if at < lines.len() => drop(lines.remove(at)),
                _ => lines.get_mut(at).into_iter().for_each(|line| line.push_str(" edited")),
            }
        }
        let end = if self.crlf { "\r\n" } else { "\n" };
        let mut text = lines.join(end);
        if self.ends && !text.is_empty() {
            text.push_str(end);
        }
        text.into_bytes()
    }

    /// Puts the file into the tree before and the tree after.
    fn write(&self, repo: &Repository, base: &mut TreeUpdateBuilder, head: &mut TreeUpdateBuilder) {
        let blob = |bytes: &[u8]| repo.blob(bytes).unwrap();
        let before = blob(&self.text(&[]));
        let mut put = |old: Option<(Oid, FileMode)>, new: Option<(&str, Oid, FileMode)>| {
            if let Some((id, mode)) = old {
                base.upsert(self.path, id, mode);
            }
            if let Some((path, id, mode)) = new {
                head.upsert(path, id, mode);
            }
        };
        let (plain, link) = (FileMode::Blob, FileMode::Link);
        match &self.event {
            Event::Keep => put(Some((before, plain)), Some((self.path, before, plain))),
            Event::Add => put(None, Some((self.path, before, plain))),
            Event::Delete => put(Some((before, plain)), None),
            Event::Edit(edits) => {
                put(Some((before, plain)), Some((self.path, blob(&self.text(edits)), plain)));
            }
            Event::Rename(edits) => {
                let moved = format!("{}.moved", self.path);
                put(Some((before, plain)), Some((&moved, blob(&self.text(edits)), plain)));
            }
            Event::Executable => {
                put(Some((before, plain)), Some((self.path, before, FileMode::BlobExecutable)));
            }
            Event::Link => put(Some((before, plain)), Some((self.path, blob(b"to/where"), link))),
            Event::Binary => put(Some((before, plain)), Some((self.path, blob(b"\0binary\0"), plain))),
            Event::Folder => {
                let inside = format!("{}/in", self.path);
                put(Some((blob(b"to/where"), link)), Some((&inside, before, plain)));
            }
        }
    }
}

/// A bare repository with two commits, `base` and `head`.
struct History {
    folder: tempfile::TempDir,
    base: String,
}

fn build(files: &[File]) -> History {
    let folder = tempfile::tempdir().unwrap();
    let repo = Repository::init_bare(folder.path()).unwrap();
    let empty = repo.treebuilder(None).unwrap().write().unwrap();
    let empty = repo.find_tree(empty).unwrap();
    let (mut base, mut head) = (TreeUpdateBuilder::new(), TreeUpdateBuilder::new());
    for file in files {
        file.write(&repo, &mut base, &mut head);
    }
    let who = Signature::new("a", "a@example.org", &git2::Time::new(0, 0)).unwrap();
    let commit = |tree: &mut TreeUpdateBuilder, parent: Option<Oid>| {
        let tree = tree.create_updated(&repo, &empty).unwrap();
        let parent = parent.map(|id| repo.find_commit(id).unwrap());
        let parents: Vec<_> = parent.iter().collect();
        repo.commit(Some("HEAD"), &who, &who, "m", &repo.find_tree(tree).unwrap(), &parents).unwrap()
    };
    let first = commit(&mut base, None);
    commit(&mut head, Some(first));
    History { folder, base: first.to_string() }
}

fn git(folder: &Path, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = Command::new("git")
        .arg("--git-dir")
        .arg(folder)
        .args(["-c", "core.quotePath=false"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = || String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(output.stdout) } else { Err(said()) }
}

/// The hunks of all files by path, sorted; a file without hunks has an empty list.
fn hunks_by_file<'a>(files: impl IntoIterator<Item = &'a FilePatch>) -> BTreeMap<RepoPath, Vec<String>> {
    let mut hunks: BTreeMap<RepoPath, Vec<String>> = BTreeMap::new();
    let text = |hunk: &Hunk| String::from_utf8_lossy(&hunk.text).into_owned();
    for file in files {
        hunks.entry(file.path.clone()).or_default().extend(file.hunks.iter().map(text));
    }
    for texts in hunks.values_mut() {
        texts.sort();
    }
    hunks
}

fn bytes(split: &Split) -> Vec<(String, Vec<u8>)> {
    split.bundles.iter().map(|bundle| (bundle.id.clone(), bundle.diff())).collect()
}

/// Bundles and excluded files together are the change, each hunk once.
fn assert_adds_up(split: &Split, change: &Change) {
    let mut expect = hunks_by_file(&change.files);
    let size = |file: &FilePatch| file.byte_len() as u64;
    let sizes: BTreeMap<_, _> = change.files.iter().map(|file| (file.path.clone(), size(file))).collect();
    for excluded in &split.excluded {
        assert!(expect.remove(&excluded.path).is_some(), "{} is listed once", excluded.path);
        if excluded.reason != ExcludeReason::Binary {
            assert_eq!(excluded.bytes, sizes[&excluded.path], "{}", excluded.path);
        }
    }
    assert_eq!(hunks_by_file(split.bundles.iter().flat_map(|bundle| &bundle.files)), expect);
    for file in split.bundles.iter().flat_map(|bundle| &bundle.files) {
        let whole = change.files.iter().find(|other| other.path == file.path).unwrap();
        assert_eq!((&file.header, file.status), (&whole.header, whole.status));
        assert!(!file.hunks.is_empty() || whole.hunks.is_empty(), "{} without its hunks", file.path);
    }
}

/// No inferred component is over the warning size unless it cannot be cut.
fn assert_cut(split: &Split, rules: &SplitRules) {
    for bundle in &split.bundles {
        let kept = bundle.component == "beta"
            && rules.cut_declared == CutDeclared::Never
            && !rules.declared.is_empty();
        let one_place = |file: &FilePatch| bundle.files[0].path.as_bytes().starts_with(file.path.parent());
        let whole = bundle.files.len() == 1 && bundle.files[0].hunks.len() <= 1
            || bundle.files.len() > 1 && bundle.files.iter().skip(1).all(one_place);
        let fits = bundle.byte_len() <= rules.limits.warn_bytes;
        assert!(fits || kept || whole, "{} of {} bytes", bundle.id, bundle.byte_len());
        let expect = match bundle.diff().len() {
            bytes if bytes > rules.limits.fail_bytes => Guard::Oversize,
            bytes if bytes > rules.limits.warn_bytes => Guard::Warn,
            _ => Guard::Ok,
        };
        assert_eq!(bundle.guard, expect);
    }
}

fn assert_names(split: &Split) {
    let ids: BTreeSet<_> = split.bundles.iter().map(|bundle| &bundle.id).collect();
    assert_eq!(ids.len(), split.bundles.len());
    for (at, bundle) in split.bundles.iter().enumerate() {
        let start = format!("c{}_{}", at + 1, bundle.component);
        let part = bundle.id.strip_prefix(&start).unwrap();
        assert!(part.is_empty() || part.starts_with('-') && bundle.id.len() < 60, "{}", bundle.id);
        assert!(!bundle.id.contains("__"), "{}", bundle.id);
        assert!(
            bundle.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)),
            "{}",
            bundle.id
        );
    }
}

/// A line's path, numbers and text.
type NumberedLine = (String, Option<u32>, Option<u32>, Vec<u8>);

/// Every added and removed line with its numbers.
fn changed_lines(bundle: &Bundle) -> Vec<NumberedLine> {
    let of_file = |file: &FilePatch| {
        let path = file.path.to_string();
        let lines = file.hunks.iter().flat_map(Hunk::lines).filter(|line| line.kind != LineKind::Context);
        lines.map(|line| (path.clone(), line.old, line.new, line.text.to_vec())).collect::<Vec<_>>()
    };
    bundle.files.iter().flat_map(of_file).collect()
}

/// The shown text holds each line of the bundle behind its number.
fn assert_shown(split: &Split) {
    for bundle in &split.bundles {
        let shown = numbered(bundle);
        let rows: Vec<_> =
            shown.lines().filter(|row| row.get(6..8) == Some("| ") && row.as_bytes()[8] != b'\\').collect();
        let lines = bundle.files.iter().flat_map(|file| &file.hunks).flat_map(scrum::change::Hunk::lines);
        let number = |line: HunkLine<'_>| line.new.map_or(" ".repeat(6), |number| format!("{number:>6}"));
        let numbers: Vec<_> = lines.map(number).collect();
        let in_headers = bundle.files.iter().filter(|file| file.status.word() == "type-changed").count();
        if in_headers == 0 {
            assert_eq!(rows.iter().map(|row| &row[..6]).collect::<Vec<_>>(), numbers);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bundles_apply_and_add_up_to_what_git_says(files in history(), rules in rules(), told in any::<bool>()) {
        let history = build(&files);
        let folder = history.folder.path();
        let change = if told {
            read_diff(&git(folder, &["diff", "-M", "HEAD~1", "HEAD"], b"").unwrap()).unwrap()
        } else {
            Repo::discover(folder).unwrap().read(&RangeSpec::Commits("HEAD~1..HEAD".into())).unwrap()
        };
        let made = split(change.clone(), &rules).unwrap();
        assert_adds_up(&made, &change);
        assert_cut(&made, &rules);
        assert_names(&made);
        assert_shown(&made);
        git(folder, &["read-tree", &history.base], b"").unwrap();
        for bundle in &made.bundles {
            let diff = bundle.diff();
            let applies = git(folder, &["apply", "--check", "--cached", "-"], &diff);
            prop_assert!(applies.is_ok(), "{}: {:?}\n{}", bundle.id, applies, String::from_utf8_lossy(&diff));
        }
    }

    #[test]
    fn grown_bundles_apply_and_change_the_same_lines(files in history(), rules in rules(), whole in any::<bool>()) {
        let history = build(&files);
        let folder = history.folder.path();
        let repo = Repo::discover(folder).unwrap();
        let change = repo.read(&RangeSpec::Commits("HEAD~1..HEAD".into())).unwrap();
        let range = change.range.clone();
        let made = split(change, &rules).unwrap();
        let mut grown = made.clone();
        let context = if whole { Context::File } else { Context::Function };
        let growth = grow(&mut grown.bundles, context, (&rules.limits, false), |path| repo.text_before(&range, path));
        prop_assert_eq!(growth.without_text, 0);
        assert_shown(&grown);
        git(folder, &["read-tree", &history.base], b"").unwrap();
        for (before, after) in made.bundles.iter().zip(&grown.bundles) {
            prop_assert_eq!(changed_lines(before), changed_lines(after));
            prop_assert!(after.byte_len() <= rules.limits.warn_bytes.max(before.byte_len()));
            let diff = after.diff();
            let applies = git(folder, &["apply", "--check", "--cached", "-"], &diff);
            prop_assert!(applies.is_ok(), "{}: {:?}\n{}", after.id, applies, String::from_utf8_lossy(&diff));
        }
    }

    #[test]
    fn the_order_of_files_does_not_matter(files in history(), rules in rules(), turn in any::<usize>()) {
        let history = build(&files);
        let read = || {
            Repo::discover(history.folder.path()).unwrap().read(&RangeSpec::Commits("HEAD~1..HEAD".into())).unwrap()
        };
        let mut turned = read();
        let by = turn % turned.files.len().max(1);
        turned.files.rotate_left(by);
        turned.files.reverse();
        let (one, other) = (split(read(), &rules).unwrap(), split(turned, &rules).unwrap());
        prop_assert_eq!(bytes(&one), bytes(&other));
        prop_assert_eq!(one, other);
    }
}
