//! Looks what this machine has to review with: [`survey`] gathers keys, local servers and programs, all at once.
//!
//! It asks nobody but servers on this machine, and those only for the names of their models.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use futures_util::future::join_all;

use crate::{
    config::{Preset, env::Environment, logins, node_tool_below, presets},
    provider::discovery::{self, Listing},
    reviewer::{Reviewer, is_loopback},
    survey::{NodeTool, Program, Server, Silence, Survey, is_same_place},
};

/// How long a local server may take to list its models.
const LONGEST_LIST: Duration = Duration::from_secs(2);
/// How long a program may take to tell its version.
const LONGEST_VERSION: Duration = Duration::from_secs(5);

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// As a review needs it: keys, programs and Ollama.
    Quick,
    /// All local servers, and the programs' versions.
    Full,
}

/// Looks for what presets need and, at [`Depth::Full`], for what `reviewers` do.
///
/// Tools of a project are looked for below `root`.
pub async fn survey(environment: Environment, depth: Depth, reviewers: &[Reviewer], root: &Path) -> Survey {
    let presets = presets();
    let (servers, programs) = tokio::join!(
        servers(&presets, reviewers, environment, depth),
        programs(&presets, reviewers, environment, depth)
    );
    let known = presets.iter().filter_map(|preset| preset.api_key_env.as_deref());
    let configured = reviewers.iter().filter_map(|reviewer| reviewer.access.key_variable());
    let set = known.chain(configured).filter(|name| environment.is_set(name));
    let logins = logins().into_iter().filter(|file| environment.has_file(file)).collect();
    let keys = set.map(str::to_owned).collect();
    Survey { keys, servers, logins, programs, node_tools: node_tools(&presets, reviewers, root) }
}

fn node_tools(presets: &[Preset], reviewers: &[Reviewer], root: &Path) -> BTreeMap<String, NodeTool> {
    let known = presets.iter().filter_map(|preset| preset.node_tool.as_deref());
    let names: BTreeSet<&str> =
        known.chain(reviewers.iter().filter_map(|one| one.access.node_tool())).collect();
    let look = |name: &str| Some((name.to_owned(), node_tool_below(root, name)?));
    names.into_iter().filter_map(look).collect()
}

async fn servers(
    presets: &[Preset],
    reviewers: &[Reviewer],
    environment: Environment,
    depth: Depth,
) -> Vec<Server> {
    let mut places: Vec<_> = presets.iter().filter_map(|preset| address(preset, environment)).collect();
    let configured = reviewers.iter().filter_map(|reviewer| reviewer.access.base_url());
    for url in configured.filter(|url| is_loopback(url)) {
        if places.iter().all(|(_, known, _)| !is_same_place(known, url)) {
            places.push((String::new(), url.to_owned(), Listing::OpenAi));
        }
    }
    let wanted = places.into_iter();
    let wanted = wanted.filter(|(_, _, listing)| depth == Depth::Full || *listing == Listing::Ollama);
    let ask = async |(preset, base_url, listing): (String, String, Listing)| {
        let models = if is_loopback(&base_url) {
            discovery::models(&base_url, listing, LONGEST_LIST).await
        } else {
            Err(Silence::NotAsked)
        };
        Server { preset, base_url, models }
    };
    join_all(wanted.map(ask)).await
}

/// Where the server of `preset` listens, if it is one of this machine by default, and how it lists its models.
fn address(preset: &Preset, environment: Environment) -> Option<(String, String, Listing)> {
    let base_url = preset.base_url.as_ref().filter(|url| is_loopback(url))?;
    if preset.name == "ollama" {
        return Some((preset.name.clone(), format!("{}/v1", environment.ollama()), Listing::Ollama));
    }
    Some((preset.name.clone(), base_url.clone(), Listing::OpenAi))
}

async fn programs(
    presets: &[Preset],
    reviewers: &[Reviewer],
    environment: Environment,
    depth: Depth,
) -> BTreeMap<String, Program> {
    let known = presets.iter().filter_map(|preset| preset.program.as_deref());
    let configured = reviewers.iter().filter_map(|reviewer| reviewer.access.program());
    let git = (depth == Depth::Full).then_some("git");
    let names: BTreeSet<&str> = known.chain(configured).chain(git).collect();
    let surroundings = environment.variables().collect();
    let look = async |name: &str| {
        let path = environment.program(name)?;
        let version = match depth {
            Depth::Quick => None,
            Depth::Full => discovery::version(&path, &surroundings, LONGEST_VERSION).await,
        };
        Some((name.to_owned(), Program { path, version }))
    };
    join_all(names.into_iter().map(look)).await.into_iter().flatten().collect()
}
