//! Whole reviews of a pull request on GitLab, Gitea and Forgejo, by the built binary in a job of their own CI.

use std::fs;

use serde_json::Value;

use super::{
    Fault, MockForge, Platform, Pull, TOKEN,
    gitea::{Gitea, Make},
    gitlab::GitLab,
};
use crate::sandbox::{Printed, Sandbox};

/// A clone whose `origin` holds the commit of a pull request at `name`, as that kind of server does.
fn cloned(name: &str) -> (Sandbox, String, String) {
    let sandbox = Sandbox::new();
    fs::write(sandbox.repo().join("a.rs"), "fn a() {}\n").unwrap();
    sandbox.script(&format!(
        "git init -q --bare -b main $HOME/origin.git\ngit remote add origin $HOME/origin.git\ngit add -A\n\
         git commit -qm Start\ngit push -q origin main\ngit clone -q $HOME/origin.git $HOME/author\n\
         cd $HOME/author\necho 'fn b() {{}}' >> a.rs\ngit commit -qam More\ngit push -q origin HEAD:{name}"
    ));
    let id = |folder: &str| sandbox.script(&format!("git -C {folder} rev-parse HEAD")).trim().to_owned();
    let (base, head) = (id("."), id("$HOME/author"));
    (sandbox, base, head)
}

/// Reviews `auto` in a job with these variables.
fn review(sandbox: &Sandbox, forge: &MockForge, job: &[(&str, &str)]) -> Printed {
    let job = forge.job(job);
    let job: Vec<(&str, &str)> = job.iter().map(|(name, value)| (*name, value.as_str())).collect();
    sandbox.scrum_with(&["review", "--pr", "auto", "--panel", "offline", "--format", "json"], &job)
}

/// Checks that the pull request's own commits are reviewed, and that the server was asked with the token.
async fn check(platform: impl Platform, (name, project, number): (&str, &str, u64), job: &[(&str, &str)]) {
    let (sandbox, base, head) = cloned(name);
    let pull = Pull { is_private: true, ..Pull::new(project, number, &base, &head) };
    let forge = MockForge::start(platform, pull).await;
    let printed = review(&sandbox, &forge, job);
    let tally: Value = serde_json::from_str(&printed.stdout).unwrap_or_else(|_| panic!("{}", printed.stderr));
    assert_eq!(tally["range"]["head"], head.as_str(), "{}", printed.stderr);
    assert_eq!(tally["pull"]["project"], project);
    assert!(!printed.stderr.contains(TOKEN));
    forge.play(Fault::Expired, None);
    let printed = review(&sandbox, &forge, job);
    assert_eq!(printed.status, 2, "{}", printed.stderr);
    assert!(printed.stderr.contains("does not accept the token in"), "{}", printed.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_gitlab_ci() {
    let job = [
        ("GITLAB_CI", "true"),
        ("CI_API_V4_URL", "API"),
        ("CI_SERVER_URL", "HOST"),
        ("CI_PROJECT_PATH", "mallory/shop"),
        ("CI_MERGE_REQUEST_PROJECT_PATH", "acme/web/shop"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("GITLAB_TOKEN", TOKEN),
        // It is not for this server.
        ("GITHUB_TOKEN", "another-token-0123456789"),
    ];
    check(GitLab::new(), ("refs/merge-requests/7/head", "acme/web/shop", 7), &job).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_actions_of_gitea_and_forgejo() {
    let job = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_API_URL", "API"),
        ("GITHUB_SERVER_URL", "HOST"),
        ("GITHUB_REPOSITORY", "acme/shop"),
        ("GITHUB_REF", "refs/pull/9/merge"),
        ("GITHUB_TOKEN", TOKEN),
    ];
    for make in [Make::Gitea, Make::Forgejo] {
        check(Gitea::new(make), ("refs/pull/9/head", "acme/shop", 9), &job).await;
    }
}

/// A token in the environment is for a public host; a clone of somebody else's server does not get it.
#[tokio::test(flavor = "multi_thread")]
async fn an_origin_that_nobody_vouched_for_gets_no_token() {
    let (sandbox, base, head) = cloned("refs/pull/9/head");
    let pull = Pull { is_private: true, ..Pull::new("acme/shop", 9, &base, &head) };
    let forge = MockForge::start(Gitea::new(Make::Gitea), pull).await;
    let host = forge.url.trim_end_matches("/api/v1");
    sandbox.script(&format!("git remote set-url origin {host}/acme/shop.git"));
    fs::write(
        sandbox.repo().join("scrum.toml"),
        "[forge]\nplatform = \"gitea\"\ntoken_env = \"GITHUB_TOKEN\"\n",
    )
    .unwrap();
    let tokens = ["GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN", "CI_JOB_TOKEN"];
    let printed =
        sandbox.scrum_with(&["review", "--pr", "9", "--panel", "offline"], &tokens.map(|name| (name, TOKEN)));
    assert!(printed.stderr.contains("unless `url` of [forge] names it"), "{}", printed.stderr);
    let asked = forge.requests();
    assert!(!asked.is_empty());
    assert!(asked.iter().all(|asked| !format!("{:?}{}", asked.headers, asked.path).contains(TOKEN)));
}
