//! What of a daemon's settings cannot work as it stands on this machine: [`doubts`], for whoever starts it.
//!
//! None of it keeps the daemon from starting: everything else works, and what is missing may come.

use std::path::Path;

use crate::{
    config::{Config, Entry, Repository, RepositoryPlace, Serve, StandIn, env::Environment},
    git::Repo,
    pull::Platform,
};

/// Each with the entry that it is about; the words begin with what is wrong and end with what to do.
pub fn doubts(settings: &Serve, environment: Environment) -> Vec<(Entry, String)> {
    let of_repositories = (1..).zip(&settings.repositories).flat_map(|(number, repository)| {
        let entry = Entry::Numbered("serve.repository", number);
        of_repository(repository, environment).into_iter().map(move |words| (entry.clone(), words))
    });
    let of_webhooks = Platform::ALL.into_iter().filter_map(|platform| {
        let variable = settings.webhook.secret_env(platform).filter(|name| !environment.is_set(name))?;
        let (key, platform) = match platform {
            Platform::GitHub => ("serve.webhook.github_secret_env", "GitHub"),
            Platform::GitLab => ("serve.webhook.gitlab_secret_env", "GitLab"),
            Platform::Gitea => ("serve.webhook.gitea_secret_env", "Gitea"),
        };
        let words = format!(
            "the variable {variable} is not set, so nothing is taken from {platform}; set it to the webhook's secret and start the daemon again"
        );
        Some((Entry::Key(key), words))
    });
    of_repositories.chain(of_webhooks).collect()
}

fn of_repository(repository: &Repository, environment: Environment) -> Vec<String> {
    let place = match &repository.place {
        RepositoryPlace::Path(path) => of_path(path),
        RepositoryPlace::Below(folder) => (!folder.is_dir()).then(|| no_folder(folder)),
        RepositoryPlace::Url(_) | RepositoryPlace::UrlBelow(_) => None,
    };
    let config = repository.config.as_deref().and_then(|config| {
        let error = Config::load(None, Some(config), environment, &|_| Ok(StandIn::Disk)).err()?;
        Some(format!("its jobs will fail: {error}; correct the file, or `config`"))
    });
    let token = repository.token_env.as_ref().filter(|name| !environment.is_set(name)).map(|name| {
        format!("its jobs will fail: the variable {name} is not set; set it to a token and start the daemon again, or take `token_env` out")
    });
    [place, config, token].into_iter().flatten().collect()
}

fn of_path(path: &Path) -> Option<String> {
    if !path.is_dir() {
        return Some(no_folder(path));
    }
    let error = Repo::open(path).err()?;
    Some(format!("its jobs will fail: {error}; correct `path`, or make a repository there"))
}

fn no_folder(path: &Path) -> String {
    format!(
        "there is no folder {}, so jobs about it are refused; correct `path`, or make the folder",
        path.display()
    )
}
