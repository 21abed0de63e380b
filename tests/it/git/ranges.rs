//! Every form of a range, in every kind of repository.

use scrum::change::{Change, RangeInfo};
use scrum::git::{GitError, RangeSpec, Repo};

use super::fixture::{Fixture, run, whole_text};

/// Four commits on `main`, the last a merge of `side`, which forks from the second.
///
/// ```text
/// first - second - third - merge   main
///             \ - - on side - /    side
/// ```
fn history() -> Fixture {
    let fixture = Fixture::new();
    for name in ["first", "second"] {
        fixture.write(name, format!("{name}\n"));
        fixture.commit(name);
    }
    fixture.git(&["switch", "-q", "-c", "side"]);
    fixture.write("on-side", "side\n");
    fixture.commit("on side");
    fixture.git(&["switch", "-q", "main"]);
    fixture.write("third", "third\n");
    fixture.commit("third");
    fixture.git(&["merge", "-q", "-m", "merge", "side"]);
    fixture
}

/// Paths and commit messages of a change.
fn told(change: &Change) -> (Vec<String>, Vec<String>) {
    let paths = change.files.iter().map(|file| file.path.to_string()).collect();
    (paths, change.commits.iter().map(|commit| commit.message.trim().to_owned()).collect())
}

#[track_caller]
fn assert_same_text(ours: &[u8], theirs: &[u8]) {
    assert_eq!(String::from_utf8_lossy(ours), String::from_utf8_lossy(theirs));
}

#[track_caller]
fn check(fixture: &Fixture, range: &str, paths: &[&str], messages: &[&str]) {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert_eq!(told(&fixture.read_range(range)), (owned(paths), owned(messages)), "{range}");
}

#[test]
fn where_the_remote_is() {
    let fixture = history();
    let check = |expect: Option<&str>| {
        assert_eq!(Repo::discover(&fixture.path()).unwrap().remote_url("origin").as_deref(), expect);
    };
    check(None);
    fixture.git(&["remote", "add", "origin", "git@github.com:acme/shop.git"]);
    check(Some("git@github.com:acme/shop.git"));
    fixture.git(&["config", "url.https://git.example.com/.insteadOf", "git@github.com:"]);
    check(Some("https://git.example.com/acme/shop.git"));
}

#[test]
fn written_ranges() {
    let fixture = history();
    check(&fixture, "HEAD~2..HEAD", &["on-side", "third"], &["on side", "third", "merge"]);
    check(&fixture, "side..HEAD~1", &["on-side", "third"], &["third"]);
    check(&fixture, "side...HEAD~1", &["third"], &["third"]);
    check(&fixture, "HEAD~1...side", &["on-side"], &["on side"]);
    check(&fixture, "HEAD", &["on-side"], &["merge"]);
    check(&fixture, "side", &["on-side"], &["on side"]);
    check(&fixture, "HEAD~3", &["first"], &["first"]);
    check(&fixture, "HEAD~1..", &["on-side"], &["on side", "merge"]);
    check(&fixture, "..HEAD~1", &["on-side"], &[]);
    check(&fixture, "HEAD..HEAD", &[], &[]);
}

#[test]
fn ids_of_both_sides() {
    let fixture = history();
    fixture.git(&["tag", "-a", "v1", "-m", "one", "HEAD~3"]);
    let range = |base: Option<&str>, head: &str, spec: &str| RangeInfo {
        base: base.map(|revision| fixture.id(revision)),
        head: Some(fixture.id(head)),
        spec: spec.to_owned(),
    };
    assert_eq!(fixture.read_range("v1..side").range, range(Some("HEAD~3"), "side", "v1..side"));
    assert_eq!(fixture.read_range("HEAD~1...side").range, range(Some("HEAD~2"), "side", "HEAD~1...side"));
    assert_eq!(fixture.read_range("v1").range, range(None, "HEAD~3", "v1"));
}

#[test]
fn the_default_range() {
    let fixture = history();
    let spec = |fixture: &Fixture| fixture.read(&RangeSpec::Default).range.spec;
    assert_eq!(spec(&fixture), "HEAD~1..HEAD");
    fixture.git(&["switch", "-q", "--detach", "HEAD~1"]);
    assert_eq!(spec(&fixture), "HEAD~1..HEAD");
    fixture.git(&["switch", "-q", "-c", "work"]);
    assert_eq!(told(&fixture.read(&RangeSpec::Default)), (vec![], vec![]));
    fixture.write("more", "more\n");
    fixture.commit("more");
    assert_eq!(spec(&fixture), "main...HEAD");
    assert_eq!(told(&fixture.read(&RangeSpec::Default)), (vec!["more".into()], vec!["more".into()]));
    fixture.git(&["update-ref", "refs/remotes/origin/dev", "side"]);
    fixture.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/dev"]);
    assert_eq!(spec(&fixture), "origin/dev...HEAD");
}

#[test]
fn the_default_range_of_one_commit() {
    let fixture = Fixture::new();
    fixture.write("x", "x\n");
    fixture.commit("only");
    let change = fixture.read(&RangeSpec::Default);
    assert_eq!((change.range.spec.as_str(), told(&change).0), ("HEAD", vec!["x".to_owned()]));
}

#[test]
fn merged_commits_of_the_same_second_are_not_told_twice() {
    let fixture = history();
    fixture.git(&["switch", "-q", "-c", "far", "HEAD~2"]);
    for number in 0..210 {
        fixture.git(&["commit", "-q", "--allow-empty", "-m", &format!("empty {number}")]);
    }
    check(&fixture, "far...HEAD", &[], &[]);
    let change = fixture.read_range("main..far");
    assert_eq!(change.commits.len(), 200);
    assert_eq!(change.commits[199].message, "empty 209\n");
    assert_eq!(change.notes, ["the range has more than 200 commits: only the newest 200 are told"]);
}

#[test]
fn what_is_not_committed() {
    let fixture = Fixture::new();
    fixture.write(".gitignore", "ignored\n");
    fixture.write("staged", "1\n");
    fixture.git(&["add", "-A"]);
    fixture.write("untracked/new", "2\n");
    fixture.write("ignored", "3\n");
    let paths = |spec: &RangeSpec| told(&fixture.read(spec)).0;
    assert_eq!(paths(&RangeSpec::Staged), [".gitignore", "staged"]);
    assert_eq!(paths(&RangeSpec::Worktree), [".gitignore", "staged", "untracked/new"]);
    fixture.commit("first");
    assert_eq!(paths(&RangeSpec::Worktree), [] as [&str; 0]);
    fixture.write("staged", "1\n2\n");
    fixture.git(&["add", "staged"]);
    fixture.write("staged", "1\n2\n3\n");
    fixture.git(&["mv", "untracked/new", "moved"]);
    assert_same_text(
        &whole_text(&fixture.read(&RangeSpec::Staged)),
        &fixture.git(&["diff", "-M", "--cached", "--abbrev=10"]),
    );
    assert_same_text(
        &whole_text(&fixture.read(&RangeSpec::Worktree)),
        &fixture.git(&["diff", "-M", "HEAD", "--abbrev=10"]),
    );
    let range = fixture.read(&RangeSpec::Worktree).range;
    assert_eq!(range, RangeInfo { base: Some(fixture.id("HEAD")), head: None, spec: "--worktree".into() });
}

#[cfg(unix)]
#[test]
fn the_work_tree_as_git_would_store_it() {
    use std::os::unix::fs::symlink;
    let fixture = Fixture::new();
    fixture.git(&["config", "core.autocrlf", "input"]);
    fixture.write("text", "a\nb\n");
    fixture.write("file", "x\n");
    fixture.commit("first");
    fixture.write("text", "a\r\nc\r\n");
    fixture.remove("file");
    symlink("text", fixture.path().join("file")).unwrap();
    let before = fixture.git(&["count-objects", "-v"]);
    assert_same_text(
        &whole_text(&fixture.read(&RangeSpec::Worktree)),
        &fixture.git(&["diff", "-M", "HEAD", "--abbrev=10"]),
    );
    assert_eq!(before, fixture.git(&["count-objects", "-v"]));
}

#[test]
fn conflicts_that_are_not_resolved() {
    let fixture = Fixture::new();
    fixture.write("x", "1\n");
    fixture.commit("first");
    fixture.git(&["switch", "-q", "-c", "other"]);
    fixture.write("x", "2\n");
    fixture.commit("other");
    fixture.git(&["switch", "-q", "main"]);
    fixture.write("x", "3\n");
    fixture.commit("mine");
    assert!(!run(&fixture.path(), &["merge", "other"], b"").status.success());
    let staged = fixture.read(&RangeSpec::Staged);
    assert_eq!(staged.notes, ["x has merge conflicts that are not resolved in the index: not reviewed"]);
    assert_eq!(told(&staged).0, [] as [&str; 0]);
    let text = String::from_utf8(whole_text(&fixture.read(&RangeSpec::Worktree))).unwrap();
    assert!(text.contains("+<<<<<<< HEAD\n 3\n"), "{text}");
}

#[test]
fn where_a_repository_is_found() {
    let fixture = history();
    fixture.write("deep/er/file", "x\n");
    fixture.git(&["worktree", "add", "-q", "--detach", "linked", "side"]);
    let range = RangeSpec::Commits("main~1..main".into());
    let expected = whole_text(&fixture.read(&range));
    for start in ["deep/er", "linked", ".git"] {
        let repo = Repo::discover(&fixture.path().join(start)).unwrap();
        assert_eq!(whole_text(&repo.read(&range).unwrap()), expected, "{start}");
    }
    assert_eq!(Repo::discover(&fixture.path().join("deep/er")).unwrap().root(), fixture.path());
    let linked = Repo::discover(&fixture.path().join("linked")).unwrap();
    assert_eq!(linked.root(), fixture.path().join("linked"));
    assert_eq!(told(&linked.read(&RangeSpec::Commits("HEAD".into())).unwrap()).1, ["on side"]);

    let bare = Fixture::plain();
    fixture.git(&["clone", "-q", "--bare", ".", bare.path().to_str().unwrap()]);
    let bare = bare.repo();
    assert!(bare.is_bare());
    assert_eq!(whole_text(&bare.read(&range).unwrap()), expected);
    assert!(matches!(bare.read(&RangeSpec::Worktree), Err(GitError::Bare { .. })));
}

#[test]
fn a_shallow_clone() {
    let fixture = Fixture::new();
    for number in 0..5 {
        fixture.write("x", format!("{number}\n"));
        fixture.commit(&format!("number {number}"));
    }
    let clone = Fixture::plain();
    let url = format!("file://{}", fixture.path().display());
    clone.git(&["clone", "-q", "--depth", "2", &url, "."]);
    let repo = clone.repo();
    assert!(repo.is_shallow());
    let change = clone.read_range("HEAD~1..HEAD");
    assert_eq!(told(&change), (vec!["x".into()], vec!["number 4".into()]));
    assert_eq!(change.notes, ["this is a shallow clone: history before its boundary is not seen"]);
    for (range, revision) in [("HEAD~1", "HEAD~1~1"), ("HEAD~3..HEAD", "HEAD~3")] {
        let error = repo.read(&RangeSpec::Commits(range.into())).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{revision} needs history that this shallow clone does not have")
        );
        let hint = "this is a shallow clone; git fetch --unshallow (or --deepen=N), in CI a checkout with `fetch-depth: 0`";
        assert_eq!(error.hint().unwrap(), hint);
    }
}

#[test]
fn package_roots() {
    let fixture = Fixture::new();
    for name in [
        "Cargo.toml",
        "a/Cargo.toml",
        "a/src/lib.rs",
        "b/go.mod",
        "b/x/y.go",
        "c/d/e",
        "gone/x.gemspec",
        "gone/y",
    ] {
        fixture.write(name, format!("{name}\n"));
    }
    fixture.commit("first");
    for name in ["a/src/lib.rs", "b/x/y.go", "c/d/e"] {
        fixture.write(name, "other\n");
    }
    fixture.remove("gone/y");
    let roots = |change: &Change| {
        let roots = fixture.repo().package_roots(change).unwrap();
        roots.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(roots(&fixture.read(&RangeSpec::Worktree)), ["a", "b", "gone"]);
    fixture.commit("second");
    assert_eq!(roots(&fixture.read_range("HEAD")), ["a", "b", "gone"]);
    fixture.write("new/package.json", "{}\n");
    assert_eq!(roots(&fixture.read(&RangeSpec::Worktree)), ["new"]);
}

#[test]
fn generated_files_are_declared_by_the_base() {
    let fixture = Fixture::new();
    fixture.write(".gitattributes", "*.pb.go linguist-generated\n/gen/** linguist-generated=true\n");
    fixture.write("api/.gitattributes", "hand.pb.go -linguist-generated\n");
    fixture.commit("first");
    for name in ["x.pb.go", "api/y.pb.go", "api/hand.pb.go", "gen/a/b", "api/gen/c", "mine.rs"] {
        fixture.write(name, "x\n");
    }
    fixture.write(".gitattributes", "*.rs linguist-generated\n* -diff\n");
    fixture.commit("second");
    let change = fixture.read_range("HEAD");
    let generated: Vec<_> =
        change.files.iter().filter(|file| file.generated).map(|file| file.path.to_string()).collect();
    assert_eq!(generated, ["api/y.pb.go", "gen/a/b", "x.pb.go"]);
    assert!(change.files.iter().all(|file| !file.hunks.is_empty()), "a change cannot hide its own text");
}
