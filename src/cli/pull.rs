//! Which pull request a command is about, and what opens its server: [`address`]. Where its repository is: [`repository_page`].

use super::{error::CliError, workspace::Workspace};
use crate::{
    config::ForgeSettings,
    forge::{
        Credential, Token,
        address::{self, Known, locate, token_variables},
    },
    git::Repo,
    pull::Address,
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
