//! `[serve.webhook]`: [`Webhook`], who may tell of pull requests.

use super::repository::is_variable;
use crate::{
    config::{ConfigError, file, place::Entry},
    pull::Platform,
};

/// What is taken from platforms that tell of pull requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Webhook {
    /// Variables with the secret of a platform; nothing is taken from one that has none.
    github: Option<String>,
    gitlab: Option<String>,
    gitea: Option<String>,
    /// Drafts are reviewed too.
    pub drafts: bool,
    /// What the gate says is put on the commit.
    pub status: bool,
}

impl Webhook {
    pub(super) fn new(entry: file::Webhook) -> Result<Self, ConfigError> {
        let variable = |key, name: String| match name.as_str() {
            "" => Ok(None),
            name if is_variable(name) => Ok(Some(name.to_owned())),
            _ => Err(ConfigError::Entry {
                entry: Entry::Key(key),
                reason: "must be the name of a variable, such as WEBHOOK_SECRET, not the secret".to_owned(),
            }),
        };
        Ok(Self {
            github: variable("serve.webhook.github_secret_env", entry.github_secret_env)?,
            gitlab: variable("serve.webhook.gitlab_secret_env", entry.gitlab_secret_env)?,
            gitea: variable("serve.webhook.gitea_secret_env", entry.gitea_secret_env)?,
            drafts: entry.drafts,
            status: entry.status,
        })
    }

    /// The variable with the secret of `platform`.
    pub fn secret_env(&self, platform: Platform) -> Option<&str> {
        match platform {
            Platform::GitHub => self.github.as_deref(),
            Platform::GitLab => self.gitlab.as_deref(),
            Platform::Gitea => self.gitea.as_deref(),
        }
    }
}
