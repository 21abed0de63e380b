//! What a CI service says in its variables about the place it works for, [`job`], and for whom, [`actor`].
//!
//! GitHub Actions, GitLab CI, and the Actions of Gitea and Forgejo, which set GitHub's variables too.

use super::env;
use crate::pull::{CiJob, Platform};

/// Reads the variables through `get`; `None` outside of those services.
pub(super) fn job(get: &dyn Fn(&str) -> Option<String>) -> Option<CiJob> {
    let is_set = |name| get(name).is_some_and(|value| value == "true");
    if is_set(env::GITLAB_CI) {
        // The pipeline of a fork runs in the fork; the merge request is in the project it goes to.
        let project = get(env::CI_MERGE_REQUEST_PROJECT_PATH).or_else(|| get(env::CI_PROJECT_PATH))?;
        let number = get(env::CI_MERGE_REQUEST_IID).and_then(|number| number.parse().ok());
        let (api, server) = (get(env::CI_API_V4_URL)?, get(env::CI_SERVER_URL)?);
        let page = get(env::CI_JOB_URL).and_then(|address| page(address, &server));
        return Some(CiJob { platform: Platform::GitLab, api, server, project, number, page });
    }
    if !is_set(env::GITHUB_ACTIONS) {
        return None;
    }
    let api = get(env::GITHUB_API_URL)?;
    let is_gitea = api.trim_end_matches('/').ends_with("/api/v1")
        || is_set(env::GITEA_ACTIONS)
        || is_set(env::FORGEJO_ACTIONS);
    let (server, project) = (get(env::GITHUB_SERVER_URL)?, get(env::GITHUB_REPOSITORY)?);
    // Gitea counts runs otherwise in addresses than in this variable, and not the same in every version.
    let run = get(env::GITHUB_RUN_ID).filter(|_| !is_gitea).and_then(|id| id.parse::<u64>().ok());
    let page = run.and_then(|run| {
        page(format!("{}/{project}/actions/runs/{run}", server.trim_end_matches('/')), &server)
    });
    Some(CiJob {
        platform: if is_gitea { Platform::Gitea } else { Platform::GitHub },
        api,
        server,
        project,
        number: get(env::GITHUB_REF).as_deref().and_then(number_in_ref),
        page,
    })
}

/// Who started the job, by their login; `None` outside of those services.
pub(super) fn actor(get: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let is_set = |name| get(name).is_some_and(|value| value == "true");
    let names: &[&str] = if is_set(env::GITLAB_CI) {
        &[env::GITLAB_USER_LOGIN]
    } else if is_set(env::GITHUB_ACTIONS) {
        &[env::GITHUB_TRIGGERING_ACTOR, env::GITHUB_ACTOR]
    } else {
        &[]
    };
    let told = names.iter().filter_map(|name| get(name)).map(|name| name.trim().to_owned());
    told.into_iter().find(|name| !name.is_empty())
}

/// The address of a page of `server`; `None` for any other.
fn page(address: String, server: &str) -> Option<String> {
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    let below = address.strip_prefix(server.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'));
    let is_plain = !address.contains(|c: char| c.is_whitespace() || c.is_control());
    (is_web && below && is_plain).then_some(address)
}

/// The number in `refs/pull/5/merge` or `refs/pull/5/head`.
fn number_in_ref(name: &str) -> Option<u64> {
    name.strip_prefix("refs/pull/")?.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], expect: Option<(Platform, &str, &str, &str, Option<u64>)>) {
        let get = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let expect = expect.map(|(platform, api, server, project, number)| CiJob {
            platform,
            api: api.to_owned(),
            server: server.to_owned(),
            project: project.to_owned(),
            number,
            page: None,
        });
        assert_eq!(job(&get), expect, "{variables:?}");
    }

    const ACTIONS: [(&str, &str); 5] = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_API_URL", "https://api.github.com"),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REPOSITORY", "acme/shop"),
        ("GITHUB_REF", "refs/pull/5/merge"),
    ];

    #[test]
    fn services() {
        let github = (Platform::GitHub, "https://api.github.com", "https://github.com", "acme/shop", Some(5));
        check(&ACTIONS, Some(github));
        check(&ACTIONS[1..], None);
        let mut push = ACTIONS;
        push[4].1 = "refs/heads/main";
        check(&push, Some((github.0, github.1, github.2, github.3, None)));
        let mut gitea = ACTIONS;
        (gitea[1].1, gitea[2].1) = ("https://git.example.com/api/v1", "https://git.example.com");
        let expect = (
            Platform::Gitea,
            "https://git.example.com/api/v1",
            "https://git.example.com",
            "acme/shop",
            Some(5),
        );
        check(&gitea, Some(expect));
        let gitlab = [
            ("GITLAB_CI", "true"),
            ("CI_API_V4_URL", "https://git.example.com/api/v4"),
            ("CI_SERVER_URL", "https://git.example.com"),
            ("CI_PROJECT_PATH", "mallory/shop"),
        ];
        let job = |project, number| {
            Some((
                Platform::GitLab,
                "https://git.example.com/api/v4",
                "https://git.example.com",
                project,
                number,
            ))
        };
        check(&gitlab, job("mallory/shop", None));
        let more = [("CI_MERGE_REQUEST_IID", "7"), ("CI_MERGE_REQUEST_PROJECT_PATH", "acme/web/shop")];
        check(&[&gitlab[..], &more].concat(), job("acme/web/shop", Some(7)));
    }

    /// Reads some of `variables` by name.
    fn among<'a>(variables: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| variables.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn pages() {
        let check = |variables: &[(&str, &str)], expect: Option<&str>| {
            let found = job(&among(variables)).unwrap().page;
            assert_eq!(found.as_deref(), expect, "{variables:?}");
        };
        let with = |more: &[(&'static str, &'static str)]| [&ACTIONS[..], more].concat();
        let run = ("GITHUB_RUN_ID", "816");
        check(&with(&[run]), Some("https://github.com/acme/shop/actions/runs/816"));
        check(
            &with(&[run, ("GITHUB_SERVER_URL", "https://git.example.com/")]),
            Some("https://git.example.com/acme/shop/actions/runs/816"),
        );
        check(&with(&[("GITHUB_RUN_ID", "../x")]), None);
        check(&with(&[run, ("GITHUB_SERVER_URL", "javascript:alert(1)//")]), None);
        check(&with(&[run, ("GITHUB_REPOSITORY", "a b")]), None);
        check(&with(&[run, ("GITEA_ACTIONS", "true")]), None);
        let gitlab = |page| {
            [
                ("GITLAB_CI", "true"),
                ("CI_API_V4_URL", "https://git.example.com/api/v4"),
                ("CI_SERVER_URL", "https://git.example.com"),
                ("CI_PROJECT_PATH", "acme/shop"),
                ("CI_JOB_URL", page),
            ]
        };
        let own = "https://git.example.com/acme/shop/-/jobs/9";
        check(&gitlab(own), Some(own));
        check(&gitlab("https://git.example.com.evil.example/jobs/9"), None);
        check(&gitlab("/acme/shop/-/jobs/9"), None);
    }

    #[test]
    fn whoever_started_it() {
        let check = |variables: &[(&str, &str)], expect: Option<&str>| {
            assert_eq!(actor(&among(variables)).as_deref(), expect, "{variables:?}");
        };
        let (actions, ada) = (("GITHUB_ACTIONS", "true"), ("GITHUB_ACTOR", "ada"));
        check(&[], None);
        check(&[ada], None);
        check(&[actions, ada], Some("ada"));
        check(&[actions, ada, ("GITHUB_TRIGGERING_ACTOR", "grace")], Some("grace"));
        check(&[actions, ada, ("GITHUB_TRIGGERING_ACTOR", " ")], Some("ada"));
        check(&[("GITLAB_CI", "true"), ("GITLAB_USER_LOGIN", "kim")], Some("kim"));
    }
}
