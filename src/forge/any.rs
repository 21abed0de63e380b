//! A pull request on whatever platform its address says: [`AnyForge`].
//!
//! Hands every question on and does nothing of its own, so that nobody else has to know which platforms there are.

use super::{
    Credential, Forge, ForgeError, Limits, gitea::Gitea, github::GitHub, gitlab::GitLab, waiting::OnWait,
};
use crate::pull::{Address, Comment, CommitStatus, Placed, Platform, PullRequest, Remark, Thread};

/// One of the platforms.
pub enum AnyForge {
    /// GitHub.
    GitHub(GitHub),
    /// GitLab.
    GitLab(GitLab),
    /// Gitea or Forgejo.
    Gitea(Gitea),
}

impl AnyForge {
    /// The pull request at `address`; nothing is sent yet. `on_wait` hears what is waited for.
    pub fn open(address: Address, credential: Credential, on_wait: OnWait) -> Result<Self, ForgeError> {
        match address.platform {
            Platform::GitHub => GitHub::open(address, credential, on_wait).map(Self::GitHub),
            Platform::GitLab => GitLab::open(address, credential, on_wait).map(Self::GitLab),
            Platform::Gitea => Gitea::open(address, credential, on_wait).map(Self::Gitea),
        }
    }
}

impl Forge for AnyForge {
    fn address(&self) -> &Address {
        match self {
            Self::GitHub(forge) => forge.address(),
            Self::GitLab(forge) => forge.address(),
            Self::Gitea(forge) => forge.address(),
        }
    }

    fn limits(&self) -> Limits {
        match self {
            Self::GitHub(forge) => forge.limits(),
            Self::GitLab(forge) => forge.limits(),
            Self::Gitea(forge) => forge.limits(),
        }
    }

    async fn pull(&self) -> Result<PullRequest, ForgeError> {
        match self {
            Self::GitHub(forge) => forge.pull().await,
            Self::GitLab(forge) => forge.pull().await,
            Self::Gitea(forge) => forge.pull().await,
        }
    }

    async fn comments(&self) -> Result<Vec<Comment>, ForgeError> {
        match self {
            Self::GitHub(forge) => forge.comments().await,
            Self::GitLab(forge) => forge.comments().await,
            Self::Gitea(forge) => forge.comments().await,
        }
    }

    async fn threads(&self) -> Result<Vec<Thread>, ForgeError> {
        match self {
            Self::GitHub(forge) => forge.threads().await,
            Self::GitLab(forge) => forge.threads().await,
            Self::Gitea(forge) => forge.threads().await,
        }
    }

    async fn comment(&self, body: &str) -> Result<Comment, ForgeError> {
        match self {
            Self::GitHub(forge) => forge.comment(body).await,
            Self::GitLab(forge) => forge.comment(body).await,
            Self::Gitea(forge) => forge.comment(body).await,
        }
    }

    async fn edit(&self, id: &str, body: &str) -> Result<(), ForgeError> {
        match self {
            Self::GitHub(forge) => forge.edit(id, body).await,
            Self::GitLab(forge) => forge.edit(id, body).await,
            Self::Gitea(forge) => forge.edit(id, body).await,
        }
    }

    async fn delete(&self, id: &str) -> Result<(), ForgeError> {
        match self {
            Self::GitHub(forge) => forge.delete(id).await,
            Self::GitLab(forge) => forge.delete(id).await,
            Self::Gitea(forge) => forge.delete(id).await,
        }
    }

    async fn remark(&self, pull: &PullRequest, remarks: &[Remark]) -> Result<Vec<Placed>, ForgeError> {
        match self {
            Self::GitHub(forge) => forge.remark(pull, remarks).await,
            Self::GitLab(forge) => forge.remark(pull, remarks).await,
            Self::Gitea(forge) => forge.remark(pull, remarks).await,
        }
    }

    async fn retire(&self, thread: &Thread) -> Result<(), ForgeError> {
        match self {
            Self::GitHub(forge) => forge.retire(thread).await,
            Self::GitLab(forge) => forge.retire(thread).await,
            Self::Gitea(forge) => forge.retire(thread).await,
        }
    }

    async fn may_write(&self, login: &str) -> Result<bool, ForgeError> {
        match self {
            Self::GitHub(forge) => forge.may_write(login).await,
            Self::GitLab(forge) => forge.may_write(login).await,
            Self::Gitea(forge) => forge.may_write(login).await,
        }
    }

    async fn set_status(&self, status: &CommitStatus) -> Result<(), ForgeError> {
        match self {
            Self::GitHub(forge) => forge.set_status(status).await,
            Self::GitLab(forge) => forge.set_status(status).await,
            Self::Gitea(forge) => forge.set_status(status).await,
        }
    }
}
