//! What of our environment is not for the commands that a gauntlet runs: [`secrets`].

use std::collections::BTreeSet;

use super::workspace::Workspace;
use crate::{
    config::{env, presets},
    forge::address::TOKEN_VARIABLES,
    probe::Secrets,
    pull::Platform,
    secret::Keys,
};

/// The keys of reviewers, configured or known by a preset, the tokens of platforms, and what a daemon is given.
pub(super) fn secrets(workspace: &Workspace) -> Secrets {
    let config = &workspace.config;
    let of_presets = presets().into_iter().filter_map(|preset| preset.api_key_env);
    let tokens = config.forge.token_env.iter().map(String::as_str).chain(TOKEN_VARIABLES);
    // Jobs of a daemon have its configuration, and may have its environment.
    let serve = &config.serve;
    let of_daemon = serve.repositories.iter().filter_map(|entry| entry.token_env.as_deref());
    let of_webhooks = Platform::ALL.into_iter().filter_map(|platform| serve.webhook.secret_env(platform));
    let of_daemon = of_daemon.chain(of_webhooks).chain([env::STORE, env::KEY]);
    let names: BTreeSet<String> =
        config.key_variables().chain(tokens).chain(of_daemon).map(str::to_owned).chain(of_presets).collect();
    let keys = Keys::default();
    names.iter().filter_map(|name| workspace.environment.secret(name)).for_each(|key| keys.add(&key));
    Secrets { names: names.into_iter().collect(), keys }
}
