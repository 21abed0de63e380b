//! Whom one could ask with what a machine has: [`candidates`] makes reviewers of a [`Survey`], [`one_a_lineage`] chooses a panel
//! of them.
//!
//! The order of preference is data: `presets/seats.toml`. Nothing here looks at the machine itself.

use std::collections::BTreeSet;

use super::{PriceList, file, panel, preset};
use crate::{
    reviewer::{Lineage, Reviewer, ReviewerId},
    survey::{LocalModel, ModelKind, Server, Survey},
};

/// Most models of one local server that are on a panel by themselves: it is one machine, and answers one after the other.
const MODELS_OF_A_SERVER: usize = 2;
/// The server whose models are asked without being named. Others listen on ports that many programs use.
const OLLAMA: &str = "ollama";

/// A reviewer that nobody configured and that could be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// As it would be asked.
    pub reviewer: Reviewer,
    /// Name of its preset.
    pub preset: String,
    /// The earlier candidate of its lineage that is asked in its place.
    pub instead: Option<ReviewerId>,
}

/// Whom one could ask, best first, each with who is preferred to it.
///
/// `times` are the total and idle time limits of an attempt in seconds.
pub fn candidates(survey: &Survey, times: (u64, u64), prices: &PriceList) -> Vec<Candidate> {
    let seats = preset::seats().into_iter().filter(|seat| may_be_logged_in(seat, survey));
    let seats = seats.filter_map(|seat| candidate(seat, times, prices));
    let local = survey.servers.iter().filter(|server| server.preset == OLLAMA);
    let local = local.flat_map(models_of).filter_map(|entry| candidate(entry, times, prices));
    let mut all: Vec<Candidate> = seats.chain(local).filter(|one| is_there(&one.reviewer, survey)).collect();
    let mut first: Vec<(Lineage, ReviewerId)> = Vec::new();
    for one in &mut all {
        let lineage = &one.reviewer.lineage;
        one.instead = first.iter().find(|(known, _)| known == lineage).map(|(_, id)| id.clone());
        if one.instead.is_none() {
            first.push((lineage.clone(), one.reviewer.id.clone()));
        }
    }
    all
}

/// Of each lineage the best candidate.
pub fn one_a_lineage(candidates: &[Candidate]) -> Vec<Reviewer> {
    let mut lineages = BTreeSet::new();
    let mut of_servers = 0;
    let mut chosen = Vec::new();
    for Candidate { reviewer, preset, .. } in candidates {
        let is_local_model = preset == OLLAMA;
        let has_room = !is_local_model || of_servers < MODELS_OF_A_SERVER;
        if has_room && lineages.insert(&reviewer.lineage) {
            of_servers += usize::from(is_local_model);
            chosen.push(reviewer.clone());
        }
    }
    chosen
}

fn candidate(mut entry: toml::Table, times: (u64, u64), prices: &PriceList) -> Option<Candidate> {
    let preset = entry.get("preset")?.as_str()?.to_owned();
    entry.remove("preset");
    entry.remove("login");
    let entry: file::Reviewer = toml::Value::Table(entry).try_into().ok()?;
    let reviewer = panel::reviewers(vec![entry], times, prices).ok()?.pop()?;
    Some(Candidate { reviewer, preset, instead: None })
}

/// The key is set, or the program is on `PATH`.
fn is_there(reviewer: &Reviewer, survey: &Survey) -> bool {
    let access = &reviewer.access;
    let has_program = access.program().is_none_or(|program| survey.programs.contains_key(program));
    // A program may be logged in without its key.
    let has_key =
        access.program().is_some() || access.key_variable().is_none_or(|name| survey.keys.contains(name));
    has_program && has_key
}

/// Its key is set, or a file of its login is there, or nobody can tell.
fn may_be_logged_in(seat: &toml::Table, survey: &Survey) -> bool {
    let files = preset::login_files(seat);
    let variable = seat.get("api_key_env").and_then(toml::Value::as_str);
    files.is_empty()
        || variable.is_some_and(|name| survey.keys.contains(name))
        || files.iter().any(|file| survey.logins.contains(file))
}

/// Entries for the models of `server` that answer there, the largest first.
fn models_of(server: &Server) -> Vec<toml::Table> {
    let mut models: Vec<&LocalModel> =
        server.models.iter().flatten().filter(|model| model.kind == ModelKind::Chat).collect();
    models.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    let entry = |model: &LocalModel| {
        let mut entry = preset::named(&server.preset)?;
        let given = [
            ("id", local_id(&server.preset, &model.name)),
            ("preset", server.preset.clone()),
            ("model", model.name.clone()),
            ("base_url", server.base_url.clone()),
        ];
        entry.extend(given.map(|(key, value)| (key.to_owned(), toml::Value::String(value))));
        Some(entry)
    };
    models.into_iter().filter_map(entry).collect()
}

/// `ollama-qwen3-coder-30b`.
fn local_id(preset: &str, model: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let model = model.strip_suffix(":latest").unwrap_or(model);
    let words: String = model.chars().take(60).map(plain).collect();
    let words: Vec<&str> = words.split('-').filter(|word| !word.is_empty()).collect();
    format!("{preset}-{}", words.join("-"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::survey::{Program, Silence};

    fn survey(keys: &[&str], programs: &[&str], models: &[(&str, u64, ModelKind)]) -> Survey {
        let program = |name: &&str| {
            ((*name).to_owned(), Program { path: PathBuf::from("/bin").join(name), version: None })
        };
        let model = |(name, bytes, kind): &(&str, u64, ModelKind)| LocalModel {
            name: (*name).to_owned(),
            bytes: *bytes,
            kind: *kind,
        };
        let models = models.iter().map(model).collect::<Vec<_>>();
        let server = Server {
            preset: "ollama".to_owned(),
            base_url: "http://127.0.0.1:11434/v1".to_owned(),
            models: if models.is_empty() { Err(Silence::Nobody) } else { Ok(models) },
        };
        Survey {
            node_tools: <_>::default(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            servers: vec![server],
            logins: BTreeSet::new(),
            programs: programs.iter().map(program).collect(),
        }
    }

    fn check(survey: &Survey, expect: &[&str]) {
        let candidates = candidates(survey, (600, 120), &PriceList::default());
        let chosen = one_a_lineage(&candidates);
        let ids: Vec<_> = chosen.iter().map(|one| format!("{} {}", one.id, one.lineage)).collect();
        assert_eq!(ids, expect);
    }

    #[test]
    fn an_empty_machine_has_nobody() {
        check(&survey(&[], &[], &[]), &[]);
    }

    #[test]
    fn one_of_each_lineage_and_the_key_before_the_program() {
        let both = survey(&["OPENAI_API_KEY", "OPENROUTER_API_KEY"], &["claude"], &[]);
        check(&both, &["openai openai", "claude anthropic", "openrouter-kimi moonshot"]);
        let spare = candidates(&both, (600, 120), &PriceList::default());
        let gpt = spare.iter().find(|one| one.reviewer.id.as_str() == "openrouter-gpt").unwrap();
        assert_eq!(gpt.instead.as_ref().map(ReviewerId::as_str), Some("openai"));
    }

    #[test]
    fn a_program_that_would_ask_to_log_in_is_left_out() {
        let bare = survey(&[], &["codex", "gemini"], &[]);
        check(&bare, &[]);
        let logins = BTreeSet::from(["~/.codex/auth.json".to_owned()]);
        check(&Survey { logins, ..bare }, &["codex openai"]);
        check(&survey(&["CODEX_API_KEY"], &["codex", "gemini"], &[]), &["codex openai"]);
        check(&survey(&["GEMINI_API_KEY"], &["gemini"], &[]), &["gemini google"]);
    }

    #[test]
    fn the_largest_models_of_two_lineages_of_ollama() {
        let kind = ModelKind::Chat;
        let models = [
            ("qwen3:8b", 5, kind),
            ("qwen3-coder:30b", 19, kind),
            ("gemma3:latest", 3, kind),
            ("llama3.1:70b", 40, kind),
            ("nomic-embed-text", 90, ModelKind::Embedding),
            ("kimi-k2:1t-cloud", 0, ModelKind::Elsewhere),
        ];
        check(&survey(&[], &[], &models), &["ollama-llama3.1-70b meta", "ollama-qwen3-coder-30b alibaba"]);
        let keyed = survey(&["GEMINI_API_KEY", "DASHSCOPE_API_KEY"], &[], &models);
        check(&keyed, &["gemini google", "dashscope alibaba", "ollama-llama3.1-70b meta"]);
    }

    #[test]
    fn every_seat_is_a_reviewer_of_known_descent() {
        for seat in preset::seats() {
            let id = seat["id"].as_str().unwrap_or_default().to_owned();
            let one = candidate(seat, (600, 120), &PriceList::default())
                .unwrap_or_else(|| panic!("{id} is no reviewer"));
            assert_ne!(one.reviewer.lineage, Lineage::unknown(), "{id}");
            let known = preset::presets().into_iter().find(|known| known.name == one.preset).unwrap();
            assert!(!known.runs_repository_code, "{id} runs code of the repository");
        }
    }
}
