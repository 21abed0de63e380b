//! Repositories of a server, kept here and worked in: against git's own server.

use std::{fs, path::Path, time::Duration};

use scrum::git::{Brought, Loan, MirrorError, Mirrors, Origin, RangeSpec, Repo, Wanted};
use tempfile::TempDir;

use super::fixture::Fixture;
use crate::git_server::{GitServer, Manner};

const LONG: Duration = Duration::from_mins(2);
/// `x-access-token:t0ken-of-the-test`, encoded.
const SENT: &str = "Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4tb2YtdGhlLXRlc3Q=";
const TOKEN: &str = "t0ken-of-the-test";

/// A server with the repository `acme/app`, its source, and mirrors of it.
struct Place {
    source: Fixture,
    first: String,
    second: String,
    server: GitServer,
    folder: TempDir,
    mirrors: Mirrors,
}

impl Place {
    async fn new() -> Self {
        let source = Fixture::new();
        source.write("a.txt", "one\n");
        let first = source.commit("First");
        source.git(&["checkout", "-q", "-b", "feature/x"]);
        source.write("a.txt", "two\n");
        let second = source.commit("Second");
        source.git(&["checkout", "-q", "main"]);
        let folder = tempfile::tempdir().unwrap();
        let bare = folder.path().join("acme/app.git");
        fs::create_dir_all(&bare).unwrap();
        source.git(&["init", "-q", "--bare", "-b", "main", bare.to_str().unwrap()]);
        source.git(&["remote", "add", "origin", bare.to_str().unwrap()]);
        source.git(&["push", "-q", "origin", "main", "feature/x", "feature/x:refs/pull/5/head"]);
        let server = GitServer::start(folder.path(), None).await;
        let mirrors = Mirrors::new(folder.path().join("mirrors"));
        Self { source, first, second, server, folder, mirrors }
    }

    fn origin(&self) -> Origin {
        let url = format!("{}/acme/app.git", self.server.url);
        Origin { identity: url.clone(), url, token: None }
    }

    async fn bring(&self, names: &[&str]) -> Result<Brought, MirrorError> {
        let wanted: Vec<_> = names.iter().map(|name| Wanted::parse(name).unwrap()).collect();
        self.mirrors.bring(&self.origin(), &wanted, LONG).await
    }

    /// How often git went to the server: once to look, and once more to fetch.
    fn ways(&self) -> usize {
        self.server.asked().iter().filter(|(path, _)| path.contains("/info/refs")).count()
    }
}

#[tokio::test]
async fn names_and_ids_are_found() {
    let place = Place::new().await;
    let brought =
        place.bring(&["main", "feature/x", &place.first, "refs/pull/5/head", "HEAD"]).await.unwrap();
    let Place { first, second, .. } = &place;
    assert_eq!(brought.commits, [first, second, first, second, first].map(String::clone));
    assert_eq!(brought.default, Some(("main".to_owned(), first.clone())));
    let repo = Repo::open(&brought.git_dir).unwrap();
    let ends = repo.ends(&RangeSpec::Commits(format!("{first}...{second}"))).unwrap();
    assert_eq!((ends.base.as_deref(), ends.head.as_deref()), (Some(first.as_str()), Some(second.as_str())));
    for (name, expect) in [
        ("nope", "the repository has no branch or tag \"nope\""),
        ("1111111111111111111111111111111111111111", "cannot fetch: "),
    ] {
        let error = place.bring(&[name]).await.unwrap_err();
        assert!(error.to_string().starts_with(expect) && !error.is_passing(), "{error}");
    }
}

#[tokio::test]
async fn what_is_here_is_not_fetched_again() {
    let place = Place::new().await;
    let all = futures_util::future::join_all((0..4).map(|_| place.bring(&["feature/x"]))).await;
    assert!(all.iter().all(|one| one.as_ref().is_ok_and(|one| one.commits == [place.second.clone()])));
    assert_eq!(place.ways(), 4 + 1);
    place.bring(&[&place.second, "main"]).await.unwrap();
    assert_eq!(place.ways(), 5 + 1);
    place.source.write("a.txt", "three\n");
    let third = place.source.commit("Third");
    place.source.git(&["push", "-q", "--force", "origin", "main:feature/x"]);
    assert_eq!(place.bring(&["feature/x"]).await.unwrap().commits, [third]);
    assert_eq!(place.ways(), 6 + 2);
}

#[tokio::test]
async fn a_token_goes_to_its_server_only_and_nowhere_on_disk() {
    let place = Place::new().await;
    let open = Origin { token: Some(TOKEN.to_owned().into()), ..place.origin() };
    let bring = async |origin: &Origin| place.mirrors.bring(origin, &[], LONG).await;
    place.server.behave(Manner::To(SENT.to_owned()));
    let brought = bring(&open).await.unwrap();
    assert_eq!(brought.commits.len(), 0);
    let refused = bring(&place.origin()).await.unwrap_err();
    assert!(!refused.is_passing(), "{refused}");
    let config = fs::read_to_string(brought.git_dir.join("config")).unwrap();
    assert!(!config.contains("extraHeader") && !config.contains(TOKEN), "{config}");
    let other = GitServer::start(place.folder.path(), None).await;
    place.server.behave(Manner::Redirect(other.url.clone()));
    let refused = bring(&open).await.unwrap_err();
    assert!(!refused.is_passing(), "{refused}");
    assert_eq!(other.asked().len(), 0);
}

#[tokio::test]
async fn what_may_pass_is_told_from_what_does_not() {
    let place = Place::new().await;
    for (manner, is_passing) in [
        (Manner::Status(500), true),
        (Manner::Status(503), true),
        (Manner::Status(429), true),
        (Manner::Status(404), false),
        (Manner::Status(403), false),
    ] {
        place.server.behave(manner.clone());
        let error = place.bring(&[]).await.unwrap_err();
        assert_eq!(error.is_passing(), is_passing, "{manner:?}: {error}");
    }
    place.server.behave(Manner::Hang);
    let wait = Duration::from_millis(300);
    let error = place.mirrors.bring(&place.origin(), &[], wait).await.unwrap_err();
    assert!(matches!(error, MirrorError::TooLong { .. }) && error.is_passing(), "{error}");
    let gone = Origin { url: "http://127.0.0.1:9/a".to_owned(), ..place.origin() };
    let error = place.mirrors.bring(&gone, &[], LONG).await.unwrap_err();
    assert!(error.is_passing(), "{error}");
    for url in ["file:///tmp", "ext::id", "git://127.0.0.1/a", "--upload-pack=id"] {
        let origin = Origin { url: url.to_owned(), ..place.origin() };
        let error = place.mirrors.bring(&origin, &[], LONG).await.unwrap_err();
        assert!(!error.is_passing(), "{url}: {error}");
    }
}

fn loan(head: &str, has_files: bool) -> Loan<'_> {
    Loan { head, default: Some(("main", head)), origin: Some("https://git.example.com/acme/app"), has_files }
}

#[test]
fn a_repository_to_work_in_takes_nothing_from_the_other_one() {
    let source = Fixture::new();
    source.write("a.txt", "one\n");
    source.write(".gitattributes", "*.txt filter=evil\n*.bin filter=lfs\n");
    source.write("big.bin", "version https://git-lfs.github.com/spec/v1\n");
    std::os::unix::fs::symlink("/etc", source.path().join("away")).unwrap();
    source.git(&["config", "filter.evil.smudge", "touch /tmp/smudged; cat"]);
    let head = source.commit("First");
    source.write(".git/hooks/post-checkout", "#!/bin/sh\nexit 1\n");
    let before = files_below(&source.path().join(".git"));
    let folder = tempfile::tempdir().unwrap();
    let (work, bare) = (folder.path().join("work"), folder.path().join("bare"));
    let repo = Repo::open(&source.path()).unwrap();
    for _ in 0..2 {
        repo.lend(&work, loan(&head, true)).unwrap();
        repo.lend(&bare, loan(&head, false)).unwrap();
    }
    assert_eq!(fs::read_to_string(work.join("a.txt")).unwrap(), "one\n");
    assert!(fs::read_to_string(work.join("big.bin")).unwrap().starts_with("version"));
    assert_eq!(fs::read_link(work.join("away")).unwrap(), Path::new("/etc"));
    assert!(!work.join(".git/hooks/post-checkout").exists() && !bare.join("a.txt").exists());
    let objects = files_below(&work.join(".git/objects"));
    assert_eq!(objects.len(), 1, "{objects:?}");
    for lent in [&work, &bare] {
        let lent = Repo::open(lent).unwrap();
        assert!(lent.has_commit(&head));
        assert_eq!(lent.default_branch(), Some(("main".to_owned(), head.clone())));
        assert_eq!(lent.remote_url("origin").as_deref(), Some("https://git.example.com/acme/app"));
    }
    // The program git agrees.
    let status = source.git(&["-C", work.to_str().unwrap(), "status", "--porcelain"]);
    assert_eq!(String::from_utf8(status).unwrap(), "");
    assert_eq!(files_below(&source.path().join(".git")), before);
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut all: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] })
        .collect();
    all.sort();
    all
}
