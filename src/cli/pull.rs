//! Which pull request a command is about, and what opens its server: [`address()`] and [`open()`]. Where its repository is: [`repository_page`].

use std::sync::Arc;

use super::{error::CliError, ui::Ui, workspace::Workspace};
use crate::{
    config::ForgeSettings,
    forge::{
        AnyForge, Credential, Token,
        address::{self, Known, locate, token_variables},
        waiting::{Cause, Wait},
    },
    git::Repo,
    pull::Address,
    report::words,
    tally::since::Since,
};

/// The remote that tells where pull requests are.
pub(super) const REMOTE: &str = "origin";

/// The pull request that `given` means: a number, the address of its page, or `auto` for the one that the CI job is about.
///
/// The token that comes along goes to no server but that one. `[forge]` is taken as `workspace` has read it, so it has to have been opened
/// for a run or a review: what the change brings must not say where a token goes.
pub(super) fn address(workspace: &Workspace, given: &str) -> Result<(Address, Credential), CliError> {
    let ForgeSettings { platform, url, project, token_env } = workspace.config.forge.clone();
    let known = Known {
        platform,
        url,
        project,
        token_env,
        ci: workspace.environment.ci_job(),
        origin: workspace.repo.as_ref().and_then(|repo: &Repo| repo.remote_url(REMOTE)),
    };
    let address = locate(given, &known)?;
    let variables = token_variables(&address, &known);
    let token = variables.iter().find_map(|variable| {
        let secret = workspace.environment.secret(variable)?;
        Some(Token { variable: variable.clone(), secret })
    });
    Ok((address, Credential { token, variables }))
}

/// The page of the repository that is reviewed: the pull request's, else where its remote leads. No credentials are in it.
pub(super) fn repository_page(workspace: &Workspace, since: Option<&Since>) -> Option<String> {
    match since {
        Some(since) => address::repository_page(&since.pull.address),
        None => address::page_of_remote(&workspace.repo.as_ref()?.remote_url(REMOTE)?),
    }
}

/// The pull request at `address`; nothing is sent yet. Whoever waits is told what for.
pub(super) fn open(address: Address, credential: Credential, ui: Ui) -> Result<AnyForge, CliError> {
    let on_wait = Arc::new(move |wait: &Wait| ui.note(waiting(wait)));
    Ok(AnyForge::open(address, credential, on_wait)?)
}

fn waiting(Wait { server, cause }: &Wait) -> String {
    match cause {
        Cause::Answer => format!("waiting for {server}: no answer yet"),
        Cause::Failed(reason) => format!("waiting for {server}: {reason}; it is tried again"),
        Cause::Limited { is_secondary, pause } => {
            let limit = if *is_secondary { "secondary rate limit" } else { "rate limit" };
            format!("waiting for {server}: {limit}, again in {}", words::span(*pause))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn waits_are_told_in_words() {
        let told = |cause: Cause| waiting(&Wait { server: "api.github.com".to_owned(), cause });
        let limited = |is_secondary| Cause::Limited { is_secondary, pause: Duration::from_mins(1) };
        let causes =
            [limited(true), limited(false), Cause::Answer, Cause::Failed("Connection refused".to_owned())];
        insta::assert_snapshot!(causes.map(told).join("\n"), @"
        waiting for api.github.com: secondary rate limit, again in 1 min
        waiting for api.github.com: rate limit, again in 1 min
        waiting for api.github.com: no answer yet
        waiting for api.github.com: Connection refused; it is tried again
        ");
    }
}
