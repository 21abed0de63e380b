//! Bad input: each thing that is wrong is named, with what to do about it.

use scrum::git::{GitError, RangeSpec, Repo};

use super::fixture::Fixture;

/// Message and hint of reading `range`.
fn failure(fixture: &Fixture, range: &str) -> (String, String) {
    let error = fixture.repo().read(&RangeSpec::Commits(range.to_owned())).unwrap_err();
    (error.to_string(), error.hint().unwrap_or_default())
}

fn three_commits() -> Fixture {
    let fixture = Fixture::new();
    for number in 0..3 {
        fixture.write("x", format!("{number}\n"));
        fixture.commit("commit");
    }
    fixture
}

#[test]
fn not_a_repository() {
    let fixture = Fixture::plain();
    let Err(error) = Repo::discover(&fixture.path()) else { panic!("there is no repository") };
    assert_eq!(error.to_string(), format!("{} is not in a git repository", fixture.path().display()));
    assert_eq!(
        error.hint().unwrap(),
        "run it inside a repository, or review a diff: scrum review --diff FILE"
    );
}

#[test]
fn unknown_revisions() {
    let fixture = three_commits();
    fixture.git(&["branch", "feature/login"]);
    let check = |range: &str, message: &str, hint: &str| {
        assert_eq!(failure(&fixture, range), (message.to_owned(), hint.to_owned()));
    };
    check("feature/logon..HEAD", "unknown revision \"feature/logon\"", "did you mean \"feature/login\"?");
    check("HEAD..mian", "unknown revision \"mian\"", "did you mean \"main\"?");
    check("zzz", "unknown revision \"zzz\"", "git branch --all and git tag list the names there are");
    check(
        "bad name\n..HEAD",
        "unknown revision \"bad name\\n\"",
        "git branch --all and git tag list the names there are",
    );
    check(
        "HEAD~5..HEAD",
        "HEAD~5 goes past the first commit: the history of HEAD has 3 commits",
        "HEAD~2 is the first commit",
    );
    check("HEAD^2", "unknown revision \"HEAD^2\"", "git branch --all and git tag list the names there are");
    check("HEAD^{tree}", "\"HEAD^{tree}\" is a tree, not a commit", "");
}

#[test]
fn no_commit_yet() {
    let fixture = Fixture::new();
    let error = fixture.repo().read(&RangeSpec::Default).unwrap_err();
    assert_eq!(error.to_string(), "there is no commit yet");
    assert_eq!(failure(&fixture, "HEAD~1..HEAD").0, "there is no commit yet");
}

#[test]
fn unrelated_histories() {
    let fixture = three_commits();
    fixture.git(&["switch", "-q", "--orphan", "other"]);
    fixture.commit("other");
    assert_eq!(failure(&fixture, "main...other").0, "main and other have no common ancestor");
}

#[test]
fn missing_and_corrupt_objects() {
    let fixture = three_commits();
    let (blob, tree) = (fixture.id("HEAD:x"), fixture.id("HEAD~1^{tree}"));
    let file = |id: &str| fixture.path().join(".git/objects").join(&id[..2]).join(&id[2..]);
    let whole = std::fs::read(file(&blob)).unwrap();
    std::fs::remove_file(file(&blob)).unwrap();
    let hint = "git fsck --full lists what is broken".to_owned();
    assert_eq!(
        failure(&fixture, "HEAD"),
        (format!("object {blob} is missing from the repository"), hint.clone())
    );
    std::fs::write(file(&blob), &whole[..whole.len() / 2]).unwrap();
    let (message, corrupt_hint) = failure(&fixture, "HEAD");
    assert!(message.starts_with(&format!("object {blob} is corrupt: ")), "{message}");
    assert_eq!(corrupt_hint, hint);
    std::fs::remove_file(file(&tree)).unwrap();
    assert_eq!(failure(&fixture, "HEAD~1"), (format!("object {tree} is missing from the repository"), hint));
}

#[cfg(unix)]
#[test]
fn a_file_that_vanishes_or_cannot_be_read() {
    let fixture = three_commits();
    std::os::unix::net::UnixListener::bind(fixture.path().join("socket")).unwrap();
    let read = fixture.repo().read(&RangeSpec::Worktree);
    match read {
        Ok(change) => assert_eq!(change.files, []),
        Err(error) => assert!(matches!(error, GitError::Unreadable { .. }), "{error}"),
    }
}
