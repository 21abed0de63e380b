//! What is typed, what is known, and where that leads.

use proptest::prelude::*;

use super::*;

fn job(platform: Platform, api: &str, server: &str, project: &str, number: Option<u64>) -> Known {
    let (api, server, project) = (api.to_owned(), server.to_owned(), project.to_owned());
    Known { ci: Some(CiJob { platform, api, server, project, number, page: None }), ..Known::default() }
}

fn github_actions() -> Known {
    job(Platform::GitHub, "https://api.github.com", "https://github.com", "acme/shop", Some(5))
}

fn gitea_actions() -> Known {
    job(Platform::Gitea, "https://git.example.com/api/v1", "https://git.example.com", "acme/shop", Some(9))
}

fn gitlab_ci() -> Known {
    job(
        Platform::GitLab,
        "https://git.example.com/api/v4",
        "https://git.example.com",
        "acme/web/shop",
        Some(7),
    )
}

fn origin(url: &str) -> Known {
    Known { origin: Some(url.to_owned()), ..Known::default() }
}

fn at(url: &str) -> Known {
    Known { url: Some(url.to_owned()), ..Known::default() }
}

/// Checks the address, as `platform api project number`, and the variables whose token may go there.
fn check(given: &str, known: &Known, expect: &str, variables: &[&str]) {
    let found = locate(given, known);
    let shown = found.as_ref().map_or_else(ToString::to_string, |address| {
        let Address { platform, api, project, number } = address;
        format!("{} {api} {project} {number}", platform.word())
    });
    assert_eq!(shown, expect, "{given} with {known:?}");
    let tokens = found.map(|address| token_variables(&address, known)).unwrap_or_default();
    assert_eq!(tokens, variables, "{given} with {known:?}");
}

const GITHUB: &[&str] = &["GITHUB_TOKEN", "GH_TOKEN"];

#[test]
fn pages_of_public_hosts() {
    let none = Known::default();
    let shop = "github https://api.github.com acme/shop 5";
    check("https://github.com/acme/shop/pull/5", &none, shop, GITHUB);
    check(" https://github.com/acme/shop/pull/5/files?w=1#diff-12R3 ", &none, shop, GITHUB);
    check("http://GitHub.com/acme/shop/pull/5/", &none, shop, GITHUB);
    check(
        "https://gitlab.com/acme/web/shop/-/merge_requests/7/diffs",
        &none,
        "gitlab https://gitlab.com/api/v4 acme/web/shop 7",
        &["GITLAB_TOKEN"],
    );
    check(
        "https://codeberg.org/acme/shop/pulls/9",
        &none,
        "gitea https://codeberg.org/api/v1 acme/shop 9",
        &["FORGEJO_TOKEN"],
    );
    check(
        "https://gitea.com/acme/shop/pulls/9/files",
        &none,
        "gitea https://gitea.com/api/v1 acme/shop 9",
        &["GITEA_TOKEN"],
    );
}

#[test]
fn pages_of_other_servers() {
    let none = Known::default();
    let check = |given: &str, expect: &str| check(given, &none, expect, &[]);
    check("https://git.example.com/acme/shop/pull/5", "github https://git.example.com/api/v3 acme/shop 5");
    check("https://acme.ghe.com/acme/shop/pull/5", "github https://api.acme.ghe.com acme/shop 5");
    check(
        "https://git.example.com:8443/a/b/c/d/-/merge_requests/7",
        "gitlab https://git.example.com:8443/api/v4 a/b/c/d 7",
    );
    check(
        "http://127.0.0.1:3000/code/acme/shop/pulls/9",
        "gitea http://127.0.0.1:3000/code/api/v1 acme/shop 9",
    );
    // A repository may be called like a page.
    check("https://git.example.com/acme/pull/pull/5", "github https://git.example.com/api/v3 acme/pull 5");
}

#[test]
fn what_is_no_pull_request() {
    let known = origin("https://github.com/acme/shop");
    let no = |given: &str| {
        let words = format!("`{given}` is neither the number of a pull request nor the address of its page");
        check(given, &known, &words, &[]);
    };
    for given in ["", "0", "-5", "5a", "٥", "99999999999999999999", "acme/shop"] {
        no(given);
    }
    no("https://github.com/acme/shop");
    no("https://github.com/acme/shop/pull/new");
    no("https://github.com/acme/shop/issues/5");
    no("https://github.com/acme/shop/pulls/5");
    no("https://github.com/acme/shop/-/merge_requests/5");
    no("ftp://github.com/acme/shop/pull/5");
    check("auto", &known, "no variable of a CI service says which pull request this is about", &[]);
    let bad = |given: &str, words: &str| check(given, &known, words, &[]);
    bad("https://github.com/a/b/c/pull/5", "`a/b/c` is no name of a repository on github.com");
    bad("https://github.com/a/%2e%2e%2fb/pull/5", "`a/%2e%2e%2fb` is no name of a repository on github.com");
    bad("https://gitlab.com/a/-/merge_requests/5", "`a` is no name of a repository on gitlab.com");
    bad("https://github.com/a/.../pull/5", "`a/...` is no name of a repository on github.com");
}

#[test]
fn a_number_and_the_remote() {
    let github = |remote: &str| {
        check("#5", &origin(remote), "github https://api.github.com acme/shop 5", GITHUB);
    };
    github("https://github.com/acme/shop.git");
    github("https://ada:secret@github.com/acme/shop");
    github("http://github.com/acme/shop/");
    github("git@github.com:acme/shop.git");
    github("github.com:acme/shop");
    github("ssh://git@github.com:22/acme/shop.git");
    github("ssh://git@ssh.github.com:443/acme/shop.git");
    let check = |remote: &str, expect: &str| check("5", &origin(remote), expect, &[]);
    check("git@gitlab.example.com:a/b/c.git", "gitlab https://gitlab.example.com/api/v4 a/b/c 5");
    check("ssh://git@gitea.example.com:2222/a/b.git", "gitea https://gitea.example.com/api/v1 a/b 5");
    check("https://forgejo.example.com/code/a/b.git", "gitea https://forgejo.example.com/code/api/v1 a/b 5");
    check("http://gitea.local:3000/a/b", "gitea http://gitea.local:3000/api/v1 a/b 5");
    let unknown = "cannot tell whether git.example.com is a GitHub, a GitLab or a Gitea";
    check("git@git.example.com:a/b.git", unknown);
    let nowhere = "the remote `origin` is on no server that has pull requests";
    check("/srv/git/shop.git", nowhere);
    check("../shop", nowhere);
    check("file:///srv/git/shop.git", nowhere);
    check("https://github.com/acme", "`acme` is no name of a repository on github.com");
}

#[test]
fn a_number_and_the_job() {
    check("auto", &github_actions(), "github https://api.github.com acme/shop 5", GITHUB);
    check("8", &github_actions(), "github https://api.github.com acme/shop 8", GITHUB);
    check(
        "auto",
        &gitea_actions(),
        "gitea https://git.example.com/api/v1 acme/shop 9",
        &["GITEA_TOKEN", "FORGEJO_TOKEN", "GITHUB_TOKEN"],
    );
    check(
        "!7",
        &gitlab_ci(),
        "gitlab https://git.example.com/api/v4 acme/web/shop 7",
        &["GITLAB_TOKEN", "CI_JOB_TOKEN"],
    );
    // The job's server counts for more than the remote, which a checkout may have put anywhere.
    let known = Known { origin: Some("https://evil.example/acme/shop".to_owned()), ..github_actions() };
    check("5", &known, "github https://api.github.com acme/shop 5", GITHUB);
}

#[test]
fn configuration_counts_for_more() {
    let own = Known { platform: Some(Platform::Gitea), ..at("https://git.example.com/code/") };
    let gitea = &["GITEA_TOKEN", "FORGEJO_TOKEN"];
    let expect = "gitea https://git.example.com/code/api/v1 acme/shop 5";
    check("5", &own, "nothing says which repository of git.example.com the pull request belongs to", &[]);
    check("5", &Known { project: Some("acme/shop".to_owned()), ..own.clone() }, expect, gitea);
    let with = |remote: &str| Known { origin: Some(remote.to_owned()), ..own.clone() };
    check("5", &with("ssh://git@git.example.com:2222/acme/shop.git"), expect, gitea);
    check("5", &with("https://git.example.com/code/acme/shop.git"), expect, gitea);
    check("5", &with("git@work:acme/shop.git"), expect, gitea);
    check("https://git.example.com/code/acme/shop/pulls/5", &own, expect, gitea);
    // The address of the API is as good, and a platform's name in the server's.
    let known = Known {
        project: Some("a/b/c".to_owned()),
        token_env: Some("REVIEW_TOKEN".to_owned()),
        ..at("https://gitlab.example.com/api/v4")
    };
    check("5", &known, "gitlab https://gitlab.example.com/api/v4 a/b/c 5", &["REVIEW_TOKEN"]);
    let unknown = "cannot tell whether git.example.com is a GitHub, a GitLab or a Gitea";
    check("5", &at("https://git.example.com"), unknown, &[]);
    check(
        "5",
        &at("git.example.com"),
        "`url` of [forge] cannot be used: it must begin with https:// or http://",
        &[],
    );
    // A platform alone is about the remote.
    let known = Known { platform: Some(Platform::GitLab), ..origin("git@git.example.com:a/b/c.git") };
    check("5", &known, "gitlab https://git.example.com/api/v4 a/b/c 5", &[]);
    check(
        "5",
        &Known::default(),
        "nothing says on which server the pull request is: there is no remote `origin`",
        &[],
    );
}

#[test]
fn a_token_goes_to_its_server_only() {
    let hostile = [
        "https://evil.example/acme/shop/pull/5",
        "https://github.com@evil.example/acme/shop/pull/5",
        "https://github.com:secret@evil.example/acme/shop/pull/5",
        "https://github.com.evil.example/acme/shop/pull/5",
        "https://evil.example/github.com/acme/shop/pull/5",
        "https://evil.example\\@github.com/acme/shop/pull/5",
        "https://github.com:8443/acme/shop/pull/5",
        "https://github.com./acme/shop/pull/5",
        "https://api.github.com/acme/shop/pull/5",
        "https://githüb.com/acme/shop/pull/5",
    ];
    let everything = [
        Known::default(),
        github_actions(),
        gitlab_ci(),
        gitea_actions(),
        Known { token_env: Some("GITHUB_TOKEN".to_owned()), ..origin("git@github.com:acme/shop.git") },
    ];
    for (page, known) in hostile.iter().flat_map(|page| everything.iter().map(move |known| (page, known))) {
        let address = locate(page, known).unwrap_or_else(|error| panic!("{page}: {error}"));
        assert_eq!(token_variables(&address, known), [""; 0], "{page} with {known:?}");
    }
    for remote in [
        "https://github.com.evil.example/a/b",
        "git@evil.example:github.com/a",
        "ssh://github@gitlab.evil/a/b",
    ] {
        let known = Known {
            platform: Some(Platform::GitHub),
            token_env: Some("GITHUB_TOKEN".to_owned()),
            ..origin(remote)
        };
        let address = locate("5", &known).unwrap();
        assert_eq!(token_variables(&address, &known), [""; 0], "{remote}");
    }
}

#[test]
fn a_named_server_has_the_variables_that_are_by_custom_its() {
    let page = "https://github.com/acme/shop/pull/5";
    let expect = "github https://api.github.com acme/shop 5";
    // In Gitea's Actions GITHUB_TOKEN holds Gitea's token, on a GitHub of one's own both hold that server's.
    check(page, &gitea_actions(), expect, &["GH_TOKEN"]);
    let own = job(Platform::GitHub, "https://ghe.example/api/v3", "https://ghe.example", "acme/shop", None);
    check(page, &own, expect, &[]);
    let there = ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"];
    check(
        "https://ghe.example/acme/shop/pull/5",
        &own,
        "github https://ghe.example/api/v3 acme/shop 5",
        &there,
    );
    let cloud = "github https://api.acme.ghe.com acme/shop 5";
    check("https://acme.ghe.com/acme/shop/pull/5", &at("https://acme.ghe.com"), cloud, GITHUB);
    let mirrored = Known { token_env: Some("MIRROR_TOKEN".to_owned()), ..gitlab_ci() };
    check(
        "https://gitlab.com/acme/shop/-/merge_requests/7",
        &mirrored,
        "gitlab https://gitlab.com/api/v4 acme/shop 7",
        &[],
    );
    check("7", &mirrored, "gitlab https://git.example.com/api/v4 acme/web/shop 7", &["MIRROR_TOKEN"]);
    // Configured and the job's own: the job's token is for it too.
    let both =
        Known { platform: Some(Platform::Gitea), url: at("https://git.example.com").url, ..gitea_actions() };
    check(
        "9",
        &both,
        "gitea https://git.example.com/api/v1 acme/shop 9",
        &["GITEA_TOKEN", "FORGEJO_TOKEN", "GITHUB_TOKEN"],
    );
}

proptest! {
    #[test]
    fn any_text_is_answered(given in "(https?://)?[a-z./:@#!0-9-]{0,40}(/pull/5)?", remote in ".{0,40}") {
        let known = origin(&remote);
        for address in [locate(&given, &known), locate("5", &known)].into_iter().flatten() {
            prop_assert!(address.api.starts_with("http"));
            let is_public = PUBLIC.iter().filter_map(PublicHost::server).any(|server| server.api == address.api);
            prop_assert!(is_public || token_variables(&address, &known).is_empty());
        }
    }
}

#[test]
fn pages_of_repositories() {
    let check = |remote: &str, expect: Option<&str>| {
        assert_eq!(page_of_remote(remote).as_deref(), expect, "{remote}");
    };
    let page = Some("https://github.com/acme/shop");
    check("https://github.com/acme/shop.git", page);
    check("https://ada:secret@github.com/acme/shop?token=secret#x", page);
    check("git@github.com:acme/shop.git", page);
    check("ssh://git@github.com/acme/shop.git", page);
    check("/srv/git/shop.git", None);
    check("file:///srv/git/shop.git", None);
    check("../shop", None);
    let check = |platform, api: &str, expect: &str| {
        let address = Address { platform, api: api.to_owned(), project: "acme/shop".to_owned(), number: 5 };
        assert_eq!(repository_page(&address).as_deref(), Some(expect), "{api}");
    };
    check(Platform::GitHub, "https://api.github.com", "https://github.com/acme/shop");
    check(Platform::GitHub, "https://git.example/api/v3", "https://git.example/acme/shop");
    check(Platform::GitLab, "https://api.example/lab/api/v4", "https://api.example/lab/acme/shop");
    check(Platform::Gitea, "http://127.0.0.1:3000/api/v1", "http://127.0.0.1:3000/acme/shop");
}
