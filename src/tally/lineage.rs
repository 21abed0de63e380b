//! Which family a model descends from, by its name as providers write it: [`of`] and [`explain`].
//!
//! The knowledge is `lineages.toml`, an ordered list of rules read once, when first asked. A name says what somebody chose to
//! write: a provider that serves another model under this name is beyond what can be seen here.

use std::{collections::BTreeSet, sync::LazyLock};

use serde::Deserialize;

use crate::reviewer::Lineage;

/// Longest model name believed, in bytes (an ARN with a long profile name fits).
const LONGEST_NAME: usize = 300;
/// Words of a name that are looked at.
const MOST_WORDS: usize = 60;

static REGISTRY: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    parse(include_str!("lineages.toml")).expect("the embedded registry parses: a test reads it")
});

/// The lineage of `model`; `unknown` when no rule fits.
pub fn of(model: &str) -> Lineage {
    explain(model).0
}

/// The lineage of `model` and the rule that decided, in words for people.
pub fn explain(model: &str) -> (Lineage, String) {
    let model = model.trim();
    if model.is_empty() || model.len() > LONGEST_NAME || model.chars().any(char::is_control) {
        return (Lineage::unknown(), "not a model name".to_owned());
    }
    if let Some(own) = not_a_model(model) {
        return (own, "not a language model: it stands for itself".to_owned());
    }
    let (makers, name) = (words(model), words(name_part(model)));
    let by_name = REGISTRY.iter().find_map(|rule| rule.by_name(&name));
    let decided = by_name.or_else(|| REGISTRY.iter().find_map(|rule| rule.by_maker(&makers)));
    decided.unwrap_or_else(|| (Lineage::unknown(), "no rule fits".to_owned()))
}

/// The lineages that model names can have, in name order.
pub fn known() -> Vec<Lineage> {
    let names: BTreeSet<Lineage> = REGISTRY.iter().map(|rule| Lineage::new(&rule.lineage)).collect();
    names.into_iter().collect()
}

/// Static tools (`static:ruff`) and the repository's history are lineages of their own.
fn not_a_model(model: &str) -> Option<Lineage> {
    let lower = model.to_ascii_lowercase();
    let plain = |tool: &str| {
        !tool.is_empty() && tool.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let is_tool = lower.strip_prefix("static:").is_some_and(plain);
    let lineage = Lineage::new(&lower);
    (is_tool || lineage == Lineage::history()).then_some(lineage)
}

/// The model's own name: the last part of a path; of a fine-tune id (`ft:gpt-4o:org::id`) the base model.
fn name_part(model: &str) -> &str {
    if let Some(base) = model.strip_prefix("ft:").and_then(|rest| rest.split(':').next()) {
        return base;
    }
    model.trim_end_matches('/').rsplit('/').next().unwrap_or(model)
}

/// Lower-case words of letters and digits.
fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    parts.take(MOST_WORDS).map(str::to_ascii_lowercase).collect()
}

/// One entry of the registry.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    lineage: String,
    /// Word sequences of a model's own name.
    #[serde(default)]
    names: Vec<Pattern>,
    /// Word sequences anywhere in the name, also among its folders; asked only when no rule's `names` fit.
    #[serde(default)]
    makers: Vec<Pattern>,
}

#[derive(Debug, Deserialize)]
struct Registry {
    rule: Vec<Rule>,
}

fn parse(text: &str) -> Result<Vec<Rule>, toml::de::Error> {
    toml::from_str::<Registry>(text).map(|registry| registry.rule)
}

impl Rule {
    fn by_name(&self, words: &[String]) -> Option<(Lineage, String)> {
        let told = self.names.iter().find_map(|pattern| pattern.told(words))?;
        Some((Lineage::new(&self.lineage), format!("{told} in the model's name")))
    }

    fn by_maker(&self, words: &[String]) -> Option<(Lineage, String)> {
        let told = self.makers.iter().find_map(|pattern| pattern.told(words))?;
        Some((Lineage::new(&self.lineage), format!("{told} as the maker")))
    }
}

/// Words that must follow one another. Behind a `^` they must come first.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
struct Pattern {
    text: String,
    first: bool,
    words: Vec<String>,
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self { first: text.starts_with('^'), words: words(&text), text }
    }
}

impl Pattern {
    /// The pattern in words, where it fits: `qwen`, or `qwen` (`qwen3`) when the name writes it with a version.
    fn told(&self, words: &[String]) -> Option<String> {
        let window = self.window(words)?;
        let written = if window == self.words { String::new() } else { format!(" (`{}`)", window.join(" ")) };
        Some(format!("`{}`{written}", self.text))
    }

    /// The words that fit.
    fn window<'a>(&self, words: &'a [String]) -> Option<&'a [String]> {
        let mut windows = words.windows(self.words.len().max(1));
        let fits =
            |window: &&[String]| window.iter().zip(&self.words).all(|(word, wanted)| same_word(word, wanted));
        if self.first { windows.next().filter(fits) } else { windows.find(fits) }
    }
}

/// Equal, or followed by a version: `qwen3` is `qwen`, `claudette` is not `claude`.
fn same_word(word: &str, wanted: &str) -> bool {
    word.strip_prefix(wanted)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Table {
        #[serde(flatten)]
        lineages: std::collections::BTreeMap<String, Vec<String>>,
    }

    fn check(model: &str, expect: &str) {
        let (lineage, rule) = explain(model);
        assert_eq!(lineage.as_str(), expect, "{model}: {rule}");
    }

    #[test]
    fn every_name_of_the_table_has_its_lineage() {
        let table: Table = toml::from_str(include_str!("../../tests/fixtures/lineages.toml")).unwrap();
        let names: usize = table.lineages.values().map(Vec::len).sum();
        assert!(names >= 120, "only {names} names");
        for (lineage, models) in &table.lineages {
            for model in models {
                check(model, lineage);
            }
        }
    }

    #[test]
    fn case_and_dress_do_not_matter() {
        check("  Claude Opus 4.7 ", "anthropic");
        check("QWEN/QWEN3-CODER", "alibaba");
        check("moonshotai/kimi-k2-0905:free", "moonshot");
    }

    #[test]
    fn hostile_names_are_unknown() {
        for name in [
            "",
            " ",
            "\n",
            "gpt\u{1b}[31m",
            "../../etc/passwd",
            "claudette",
            "notgpt",
            "static:",
            "static:a b",
            "🦀",
            "ft:",
        ] {
            check(name, "unknown");
        }
        check(&"claude-".repeat(100), "unknown");
    }

    #[test]
    fn an_organisation_in_a_fine_tune_id_does_not_count() {
        check("ft:gpt-4o-mini-2024-07-18:qwen-lovers::Ab12", "openai");
    }

    #[test]
    fn the_deciding_rule_is_told() {
        assert_eq!(explain("deepseek-r1-distill-llama-70b").1, "`llama` in the model's name");
        assert_eq!(explain("hf.co/Qwen3-Coder").1, "`qwen` (`qwen3`) in the model's name");
        assert_eq!(explain("moonshotai/new-thing").1, "`moonshotai` as the maker");
        assert_eq!(explain("my-deployment").1, "no rule fits");
    }

    #[test]
    fn no_pattern_is_empty() {
        let patterns = REGISTRY.iter().flat_map(|rule| rule.names.iter().chain(&rule.makers));
        patterns.for_each(|pattern| assert!(!pattern.words.is_empty(), "{pattern:?}"));
    }
}
