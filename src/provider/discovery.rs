//! Looks what there is to ask, without asking anybody anything: [`models`] of a server, [`version`] of a program.

use std::{path::Path, sync::Arc, time::Duration};

use serde::Deserialize;
use tokio::time::timeout;

use super::{Draft, Surroundings, command::Program, endpoint, in_brief};
use crate::{
    prompt::Prompt,
    reviewer::Invocation,
    survey::{LocalModel, ModelKind, Silence},
};

/// Longest list of models that is read, in bytes.
const LONGEST_LIST: usize = 4 << 20;
/// Longest version that is shown, in characters.
const LONGEST_VERSION: usize = 40;

/// The interface that lists a server's models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// `GET /models` below the base URL, as `OpenAI`'s.
    OpenAi,
    /// `GET /api/tags` at the root, Ollama's own: it tells sizes and which models run elsewhere.
    Ollama,
}

/// The models of the server at `base_url`, which ends in `/v1`, or why they are not known after `limit`.
pub async fn models(base_url: &str, listing: Listing, limit: Duration) -> Result<Vec<LocalModel>, Silence> {
    let url = match listing {
        Listing::OpenAi => format!("{}/models", base_url.trim_end_matches('/')),
        Listing::Ollama => format!("{}/api/tags", base_url.trim_end_matches('/').trim_end_matches("/v1")),
    };
    match timeout(limit, endpoint::page(&url, LONGEST_LIST)).await {
        Ok(Ok(page)) => listed(listing, &page),
        Ok(Err(silence)) => Err(silence),
        Err(_) => Err(Silence::Odd(format!("did not answer within {limit:?}"))),
    }
}

/// The first word with a digit in it of what the program at `path` says to `--version` within `limit`.
pub async fn version(path: &Path, surroundings: &Surroundings, limit: Duration) -> Option<String> {
    let argv = [path.to_str()?.to_owned(), "--version".to_owned()].into();
    let program = Program::new(&Invocation { argv, ..Invocation::default() }, surroundings)?;
    let nothing = Prompt { system: String::new(), user: String::new() };
    let draft = Arc::new(Draft::new());
    let said = timeout(limit, program.ask(&nothing, &draft)).await.ok()?.ok()?.text;
    let number = said.split_whitespace().find(|word| word.contains(|c: char| c.is_ascii_digit()))?;
    Some(in_brief(number).chars().take(LONGEST_VERSION).collect())
}

/// Both forms: `OpenAI`'s `data` of `id`s, Ollama's `models` of `name`s.
#[derive(Debug, Deserialize)]
struct List {
    #[serde(default, alias = "data")]
    models: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(alias = "id")]
    name: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    remote_host: String,
    #[serde(default)]
    details: Details,
}

#[derive(Debug, Default, Deserialize)]
struct Details {
    #[serde(default)]
    family: String,
}

fn listed(listing: Listing, page: &[u8]) -> Result<Vec<LocalModel>, Silence> {
    let list: List = serde_json::from_slice(page)
        .map_err(|_| Silence::Odd("answered with something else than a list of models".to_owned()))?;
    Ok(list.models.into_iter().map(|entry| model(listing, entry)).collect())
}

fn model(listing: Listing, entry: Entry) -> LocalModel {
    let name = entry.name.to_lowercase();
    let is_cloud = listing == Listing::Ollama && (name.ends_with("-cloud") || name.ends_with(":cloud"));
    let kind = if is_cloud || !entry.remote_host.is_empty() {
        ModelKind::Elsewhere
    } else if name.contains("embed") || name.contains("minilm") || entry.details.family.contains("bert") {
        ModelKind::Embedding
    } else {
        ModelKind::Chat
    };
    LocalModel { name: entry.name, bytes: entry.size, kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listing: Listing, page: &str, expect: &[(&str, u64, ModelKind)]) {
        let models = listed(listing, page.as_bytes()).unwrap();
        let found: Vec<_> = models.iter().map(|one| (one.name.as_str(), one.bytes, one.kind)).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn lists_of_models() {
        let tags = r#"{"models":[
            {"name":"gemma3:latest","model":"gemma3:latest","size":3338801804,"details":{"family":"gemma3"}},
            {"name":"all-minilm:latest","size":45960996,"details":{"family":"bert"}},
            {"name":"gpt-oss:120b-cloud","size":384,"remote_host":"https://ollama.com:443"}]}"#;
        let expect = [
            ("gemma3:latest", 3_338_801_804, ModelKind::Chat),
            ("all-minilm:latest", 45_960_996, ModelKind::Embedding),
            ("gpt-oss:120b-cloud", 384, ModelKind::Elsewhere),
        ];
        check(Listing::Ollama, tags, &expect);
        let data = r#"{"object":"list","data":[{"id":"qwen3-coder-30b","object":"model"}]}"#;
        check(Listing::OpenAi, data, &[("qwen3-coder-30b", 0, ModelKind::Chat)]);
        check(Listing::Ollama, r#"{"models":[]}"#, &[]);
        assert!(listed(Listing::OpenAi, b"<html>").is_err());
        assert!(listed(Listing::OpenAi, b"[1]").is_err());
    }
}
