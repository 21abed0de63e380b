//! Grounds in folders on this machine. Servers are in tests/it.

use std::{collections::BTreeSet, time::Duration};

use git2::{Repository as Git, Signature};
use tempfile::TempDir;

use super::*;
use crate::config::{RemoteUrl, RepositoryPlace};

/// A folder with the repositories `app` and `other` of two commits each, whose `origin` is on a server.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for name in ["app", "other"] {
            let git = Git::init(place.path(name)).unwrap();
            git.set_head("refs/heads/main").unwrap();
            git.remote("origin", "https://h.example/acme/app.git").unwrap();
            commit(&git, "one");
            commit(&git, "two");
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}

fn commit(git: &Git, content: &str) {
    let mut tree = git.treebuilder(None).unwrap();
    tree.insert("a.txt", git.blob(content.as_bytes()).unwrap(), 0o100_644).unwrap();
    let tree = git.find_tree(tree.write().unwrap()).unwrap();
    let who = Signature::new("a", "a@example.com", &git2::Time::new(0, 0)).unwrap();
    let parent = git.head().ok().map(|head| head.peel_to_commit().unwrap());
    let parents: Vec<_> = parent.iter().collect();
    git.commit(Some("HEAD"), &who, &who, content, &tree, &parents).unwrap();
}

fn entry(place: RepositoryPlace) -> Repository {
    Repository { place, config: None, commands: false, tenants: None, token_env: None }
}

fn task(kind: Kind, repo: &str, range: Option<&str>) -> Task {
    let range = range.map(str::to_owned);
    Task { repo: Some(repo.to_owned()), range, ..Task::new(kind) }
}

fn grounds(place: &Place, repositories: Vec<Repository>, own: Option<&str>) -> Grounds {
    let own = own.map(|name| place.path(name));
    Grounds::new(repositories, own.as_deref(), None, &place.path("data"))
}

#[test]
fn who_may_name_what() {
    let place = Place::new();
    std::os::unix::fs::symlink(place.path("other"), place.path("link")).unwrap();
    let acme = Some(BTreeSet::from(["acme".to_owned()]));
    let url = |text: &str| RemoteUrl::parse(text).unwrap();
    let one = vec![
        Repository { tenants: acme, ..entry(RepositoryPlace::Path(place.path("app"))) },
        entry(RepositoryPlace::UrlBelow(url("https://h.example/acme"))),
    ];
    let below = vec![Repository { commands: true, ..entry(RepositoryPlace::Below(place.path(""))) }];
    let check = |list: &[Repository], own: Option<&str>, tenant: &str, repo: &str, expect: bool| {
        let grounds = grounds(&place, list.to_vec(), own);
        let admitted = grounds.admit(tenant, &task(Kind::Review, repo, None));
        assert_eq!(admitted.is_ok(), expect, "{tenant} {repo}: {admitted:?}");
    };
    let (app, other, link) = (place.text("app"), place.text("other"), place.text("link"));
    check(&one, None, "acme", &app, true);
    check(&one, None, "acme", &format!("{app}/../app/"), true);
    check(&one, None, "", &app, false);
    check(&one, None, "acme", &other, false);
    check(&one, None, "acme", &format!("{app}/../other"), false);
    check(&one, None, "acme", &format!("{app}/.git"), false);
    check(&one, None, "", "https://h.example/acme/app", true);
    check(&one, None, "", "https://h.example/acme/app.git", true);
    check(&one, None, "", "https://h.example/evil/app", false);
    check(&one, None, "", "https://h.example/acme/../evil/app", false);
    check(&one, None, "", "https://h.example@evil.example/acme/app", false);
    check(&below, None, "", &link, true);
    check(&below, None, "", &place.text(""), false);
    check(&below, None, "", "/etc", false);
    check(&below, None, "", "app", false);
    check(&[], Some("app"), "anybody", &app, true);
    check(&[], Some("app"), "anybody", &other, false);
    check(&[], None, "", &app, false);
    check(&one, Some("other"), "", &other, false);
    // A link to what is not allowed leads there all the same.
    let only_link = [entry(RepositoryPlace::Path(place.path("app")))];
    check(&only_link, None, "", &link, false);
}

#[test]
fn what_may_be_asked() {
    let place = Place::new();
    let app = place.text("app");
    let check = |change: &dyn Fn(&mut Task), expect: Option<&str>| {
        let mut task = task(Kind::Review, &app, None);
        change(&mut task);
        let entry = entry(RepositoryPlace::Path(place.path("app")));
        let admitted = grounds(&place, vec![entry], None).admit("", &task);
        let told = admitted.err().map(|error| error.to_string());
        assert!(
            expect.map_or(told.is_none(), |words| told.as_ref().is_some_and(|told| told.contains(words))),
            "{task:?}: {told:?}"
        );
    };
    let text = |text: &str| Some(text.to_owned());
    check(&|_| (), None);
    check(&|task| task.range = text("HEAD~1..HEAD"), None);
    check(&|task| task.range = text("--output=/etc/passwd"), Some("is none"));
    check(&|task| task.panel = text("--config=evil.toml"), Some("name of a panel"));
    check(&|task| task.file = text("gauntlet.toml"), Some("no `file`"));
    check(&|task| task.repo = None, Some("needs a `repo`"));
    check(&|task| task.pull = text("https://h.example/acme/app/pull/5"), None);
    check(
        &|task| task.pull = text("https://evil.example/acme/app/pull/5"),
        Some("of https://h.example/acme/app"),
    );
    check(
        &|task| (task.pull, task.range) = (text("https://h.example/acme/app/pull/5"), text("HEAD")),
        Some("leave `range` out"),
    );
    for kind in [Kind::Smoke, Kind::Parity, Kind::Gauntlet, Kind::Eval] {
        check(&|task| task.kind = kind, Some("commands = true"));
    }
    check(&|task| (task.kind, task.repo) = (Kind::Noop, None), None);
}

#[test]
fn files_lead_down() {
    let place = Place::new();
    let own = grounds(&place, Vec::new(), Some("app"));
    let check = |file: &str, expect: bool| {
        let task = Task { file: Some(file.to_owned()), ..task(Kind::Parity, &place.text("app"), None) };
        assert_eq!(own.admit("", &task).is_ok(), expect, "{file:?}");
    };
    check("parity/spec.toml", true);
    for file in ["", "/etc/passwd", "../x", "a/../../x", "-x", "a/-x", "a\nb", "./a", "a\\..\\b"] {
        check(file, false);
    }
    assert!(own.admit("", &task(Kind::Parity, &place.text("app"), None)).is_err());
}

#[tokio::test]
async fn a_ground_is_made_for_each_kind() {
    let place = Place::new();
    let own = grounds(&place, Vec::new(), Some("app"));
    let (app, job) = (place.text("app"), place.path("job"));
    let prepare = async |task: &Task| own.prepare("", task, &job, Duration::from_mins(1)).await;
    let told = |ground: &Ground, task: &Task| {
        let arguments: Vec<_> =
            ground.arguments(task).into_iter().map(|one| one.into_string().unwrap()).collect();
        let base = ground.base.as_deref();
        let words = arguments.join(" ").replace(&ground.head, "HEAD");
        let words = base.map_or(words.clone(), |base| words.replace(base, "BASE"));
        (words, base.is_none(), ground.folder.join("a.txt").exists())
    };
    let check = async |task: Task, expect: (&str, bool, bool)| {
        let ground = prepare(&task).await.unwrap().unwrap();
        assert_eq!(told(&ground, &task), (expect.0.to_owned(), expect.1, expect.2));
        assert_eq!(ground.config, Path::new("/dev/null"));
    };
    check(task(Kind::Review, &app, Some("HEAD~1..HEAD")), ("review -- BASE..HEAD", false, false)).await;
    check(task(Kind::Review, &app, None), ("review -- BASE..HEAD", false, false)).await;
    check(task(Kind::Review, &app, Some("HEAD~1")), ("review -- HEAD", true, false)).await;
    check(task(Kind::Smoke, &app, Some("main")), ("smoke", false, true)).await;
    let panel = Some("light".to_owned());
    let gauntlet = Task { panel, file: Some("g.toml".to_owned()), ..task(Kind::Gauntlet, &app, None) };
    check(gauntlet, ("gauntlet --panel=light -- g.toml", false, true)).await;
    let pull = Some("https://h.example/acme/app/pull/5".to_owned());
    let posted = Task { pull, ..task(Kind::Review, &app, None) };
    check(posted, ("review --pr=https://h.example/acme/app/pull/5 --post", true, false)).await;
    let unknown = prepare(&task(Kind::Review, &app, Some("nope"))).await.unwrap_err();
    assert!(!unknown.is_passing(), "{unknown}");
    assert!(prepare(&task(Kind::Noop, "", None)).await.unwrap().is_none());
}

#[test]
fn a_platforms_page_leads_to_what_is_listed() {
    let place = Place::new();
    let url = |text: &str| RemoteUrl::parse(text).unwrap();
    let tenants = Some(BTreeSet::from(["shop".to_owned()]));
    let list = vec![
        entry(RepositoryPlace::Url(url("git@h.example:acme/deep/app.git"))),
        Repository { tenants, ..entry(RepositoryPlace::UrlBelow(url("https://h.example/shop"))) },
        entry(RepositoryPlace::UrlBelow(url("ssh://git@s.example/team"))),
        entry(RepositoryPlace::Path(place.path("app"))),
    ];
    let grounds = grounds(&place, list, None);
    let check = |page: &str, expect: Option<(&str, &str)>| {
        let found = grounds.of_page(page);
        assert_eq!(found.as_ref().map(|(repo, tenant)| (repo.as_str(), tenant.as_str())), expect, "{page}");
    };
    check("https://h.example/acme/deep/app", Some(("git@h.example:acme/deep/app.git", "")));
    check("https://h.example/shop/x/y", Some(("https://h.example/shop/x/y.git", "shop")));
    check("https://s.example/team/z", Some(("ssh://git@s.example/team/z.git", "")));
    check("https://h.example/acme/app", Some((&place.text("app"), "")));
    check("https://h.example/shop/../acme/app", None);
    check("https://evil.example/shop/x", None);
    check("http://h.example/shop/x", None);
    check("", None);
}
