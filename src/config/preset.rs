//! Named settings of known services and programs, so that an entry needs little more than a model: [`expand`] lays each entry over its preset.
//!
//! A preset is a table of the same keys as a `[[reviewer]]`, in `presets/`. Nothing here knows what a key means.

use super::{ConfigError, error::nearest, panel::wrong};
use crate::reviewer::node_tool;

const ENDPOINTS: &str = include_str!("presets/endpoints.toml");
const AGENTS: &str = include_str!("presets/agents.toml");
const TOOLS: &str = include_str!("presets/tools.toml");
const HINTS: &str = include_str!("presets/hints.toml");
const SEATS: &str = include_str!("presets/seats.toml");

/// Lays every `[[reviewer]]` that names a preset over it: what the entry says counts. One that says no more than its
/// provider means that provider's own endpoint, which is the preset of that name.
pub(super) fn expand(configuration: &mut toml::Table) -> Result<(), ConfigError> {
    let reviewers = configuration.get_mut("reviewer").and_then(toml::Value::as_array_mut);
    for entry in reviewers.into_iter().flatten().filter_map(toml::Value::as_table_mut) {
        let text = |key: &str| entry.get(key).and_then(toml::Value::as_str);
        let name = match (text("preset"), text("provider")) {
            (Some(name), _) => name,
            (None, Some(own @ ("openai" | "anthropic"))) if !entry.contains_key("base_url") => own,
            (None, _) => continue,
        };
        let preset = named(name).ok_or_else(|| unknown(entry, name))?;
        if let (Some(own), Some(its)) =
            (text("provider"), preset.get("provider").and_then(toml::Value::as_str))
            && own != its
        {
            return Err(wrong(
                text("id").unwrap_or_default(),
                &format!("preset {name:?} is of provider {its:?}, not {own:?}: leave out `provider`"),
            ));
        }
        for (key, value) in preset {
            entry.entry(key).or_insert(value);
        }
    }
    Ok(())
}

/// Sends every `[[reviewer]]` of preset `ollama` that says no address to the server at `base_url`.
pub(super) fn find_ollama(configuration: &mut toml::Table, base_url: &str) {
    let reviewers = configuration.get_mut("reviewer").and_then(toml::Value::as_array_mut);
    for entry in reviewers.into_iter().flatten().filter_map(toml::Value::as_table_mut) {
        if entry.get("preset").and_then(toml::Value::as_str) == Some("ollama") {
            entry.entry("base_url").or_insert(base_url.into());
        }
    }
}

/// What a preset says of where it asks, for those who look what could be asked from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    /// As `preset = "…"` names it.
    pub name: String,
    /// As `provider = "…"` names it, such as `openai` or `command`.
    pub provider: String,
    /// Where it is; `None` for programs. With a word in braces, such as `https://{resource}.openai.azure.com/openai/v1`, it is
    /// a pattern, and an entry must bring its own.
    pub base_url: Option<String>,
    /// The environment variable of its key; `None` where it needs none.
    pub api_key_env: Option<String>,
    /// The program it starts; `None` for endpoints.
    pub program: Option<String>,
    /// The tool that it starts through `npx`, which must be there, too.
    pub node_tool: Option<String>,
    /// Whether that runs what stands in the repository.
    pub runs_repository_code: bool,
}

/// Every preset, endpoints first.
pub fn presets() -> Vec<Preset> {
    let preset = |(name, table): (String, toml::Table)| {
        let text = |key: &str| table.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        Preset {
            name,
            provider: text("provider").unwrap_or_default(),
            base_url: text("base_url"),
            api_key_env: text("api_key_env"),
            program: table.get("command").and_then(|command| command.get(0)?.as_str()).map(str::to_owned),
            node_tool: node_tool_of(&table),
            runs_repository_code: table.get("runs_repository_code").and_then(toml::Value::as_bool)
                == Some(true),
        }
    };
    all().map(preset).collect()
}

fn node_tool_of(preset: &toml::Table) -> Option<String> {
    let command = preset.get("command")?.as_array()?;
    let argv: Vec<&str> = command.iter().filter_map(toml::Value::as_str).collect();
    node_tool(&argv).map(str::to_owned)
}

/// The reviewers that are asked when nothing is configured, in order of preference, each a table of an entry's keys laid over
/// its preset.
pub(super) fn seats() -> Vec<toml::Table> {
    let listed: toml::Table = toml::from_str(SEATS).unwrap_or_default();
    let seats = listed.get("seat").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let seats = seats.into_iter().filter_map(|seat| match seat {
        toml::Value::Table(seat) => entry(seat),
        _ => None,
    });
    seats.collect()
}

/// Files that tell that a program is logged in, of all seats.
pub fn logins() -> Vec<String> {
    seats().iter().flat_map(login_files).collect()
}

/// Files of which one tells that the program of `seat` is logged in; empty where none can be told.
pub(super) fn login_files(seat: &toml::Table) -> Vec<String> {
    let files = seat.get("login").and_then(toml::Value::as_array).into_iter().flatten();
    files.filter_map(|file| file.as_str().map(str::to_owned)).collect()
}

/// `seat` laid over its preset, named after it unless it says how.
fn entry(mut seat: toml::Table) -> Option<toml::Table> {
    let name = seat.get("preset")?.as_str()?.to_owned();
    for (key, value) in named(&name)? {
        seat.entry(key).or_insert(value);
    }
    seat.entry("id").or_insert(name.into());
    Some(seat)
}

/// What to do where something that the preset `name` needs is not there.
pub fn hint(name: &str) -> Option<String> {
    let hints: toml::Table = toml::from_str(HINTS).unwrap_or_default();
    hints.get(name).and_then(toml::Value::as_str).map(str::to_owned)
}

/// The preset `name`.
pub(super) fn named(name: &str) -> Option<toml::Table> {
    all().find(|(known, _)| known == name).map(|(_, preset)| preset)
}

/// Every preset with its name.
fn all() -> impl Iterator<Item = (String, toml::Table)> {
    [ENDPOINTS, AGENTS, TOOLS].into_iter().flat_map(|text| {
        let presets: toml::Table = toml::from_str(text).unwrap_or_default();
        presets.into_iter().filter_map(|(name, preset)| match preset {
            toml::Value::Table(preset) => Some((name, preset)),
            _ => None,
        })
    })
}

fn unknown(entry: &toml::Table, name: &str) -> ConfigError {
    let known: Vec<String> = all().map(|(name, _)| name).collect();
    let id = entry.get("id").and_then(toml::Value::as_str).unwrap_or_default().to_owned();
    let suggestion = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
    ConfigError::NoSuchPreset { id, name: name.to_owned(), suggestion, known }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file;

    #[test]
    fn every_preset_is_a_reviewer_once_it_has_a_name_and_a_model() {
        for text in [ENDPOINTS, AGENTS, TOOLS] {
            let presets: toml::Table = toml::from_str(text).unwrap();
            for (name, preset) in presets {
                let mut entry = preset.as_table().unwrap().clone();
                entry.insert("id".to_owned(), "x".into());
                entry.entry("model").or_insert("m".into());
                let reviewer: file::Reviewer =
                    entry.try_into().unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(reviewer.provider.is_some(), "{name} has no provider");
            }
        }
    }

    #[test]
    fn presets_say_where_they_are() {
        let presets = presets();
        let check = |name: &str,
                     provider: &str,
                     base_url: Option<&str>,
                     api_key_env: Option<&str>,
                     program: Option<&str>| {
            let expect = Preset {
                name: name.to_owned(),
                provider: provider.to_owned(),
                base_url: base_url.map(str::to_owned),
                api_key_env: api_key_env.map(str::to_owned),
                program: program.map(str::to_owned),
                node_tool: None,
                runs_repository_code: false,
            };
            assert_eq!(presets.iter().find(|preset| preset.name == name), Some(&expect));
        };
        check("groq", "openai", Some("https://api.groq.com/openai/v1"), Some("GROQ_API_KEY"), None);
        check("ollama", "openai", Some("http://localhost:11434/v1"), None, None);
        check("claude", "command", None, Some("ANTHROPIC_API_KEY"), Some("claude"));
    }

    #[test]
    fn hints_are_about_presets() {
        let hints: toml::Table = toml::from_str(HINTS).unwrap();
        let unknown: Vec<_> = hints.keys().filter(|name| named(name).is_none()).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn no_name_stands_for_two_presets() {
        let mut names: Vec<_> = all().map(|(name, _)| name).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn an_entry_counts_for_more_than_its_preset() {
        let check = |entry: &str, provider: &str, base_url: &str, api_key_env: Option<&str>| {
            let mut configuration: toml::Table = toml::from_str(&format!("[[reviewer]]\n{entry}")).unwrap();
            expand(&mut configuration).unwrap();
            let entry = configuration["reviewer"][0].as_table().unwrap();
            let of = |key: &str| entry.get(key).and_then(toml::Value::as_str);
            assert_eq!(
                (of("provider"), of("base_url"), of("api_key_env")),
                (Some(provider), Some(base_url), api_key_env)
            );
        };
        let router = "https://openrouter.ai/api/v1";
        check("preset = \"openrouter\"\napi_key_env = \"MINE\"", "openai", router, Some("MINE"));
        check("provider = \"openai\"", "openai", "https://api.openai.com/v1", Some("OPENAI_API_KEY"));
        check(
            "provider = \"anthropic\"",
            "anthropic",
            "https://api.anthropic.com/v1",
            Some("ANTHROPIC_API_KEY"),
        );
        check("provider = \"openai\"\nbase_url = \"http://h/v1\"", "openai", "http://h/v1", None);
    }
}
