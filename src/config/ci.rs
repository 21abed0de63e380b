//! What a CI service says in its variables about the place it works for: [`job`].
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
        return Some(CiJob { platform: Platform::GitLab, api, server, project, number });
    }
    if !is_set(env::GITHUB_ACTIONS) {
        return None;
    }
    let api = get(env::GITHUB_API_URL)?;
    let is_gitea = api.trim_end_matches('/').ends_with("/api/v1")
        || is_set(env::GITEA_ACTIONS)
        || is_set(env::FORGEJO_ACTIONS);
    Some(CiJob {
        platform: if is_gitea { Platform::Gitea } else { Platform::GitHub },
        api,
        server: get(env::GITHUB_SERVER_URL)?,
        project: get(env::GITHUB_REPOSITORY)?,
        number: get(env::GITHUB_REF).as_deref().and_then(number_in_ref),
    })
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
}
