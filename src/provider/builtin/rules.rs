//! The pattern rules: read from TOML, compiled only for the languages a change is written in.
//!
//! The main type is [`RuleSet`]. What a match means for a change (added or moved, code or comment, once or often) is
//! `scan`'s work. Patterns are linear-time; `\s` and negated classes may cross lines, `.` does not.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use serde::Deserialize;

use crate::{
    bundle::{
        lexer::Zone,
        source::{LANGUAGES, Language, Purpose},
    },
    finding::Severity,
    mask,
};

/// The rules that come with the program, a file a subject.
const BUILT_IN: &[(&str, &str)] = &[
    ("general.toml", include_str!("rules/general.toml")),
    ("secrets.toml", include_str!("rules/secrets.toml")),
    ("tests.toml", include_str!("rules/tests.toml")),
    ("delivery.toml", include_str!("rules/delivery.toml")),
    ("c.toml", include_str!("rules/c.toml")),
    ("go.toml", include_str!("rules/go.toml")),
    ("javascript.toml", include_str!("rules/javascript.toml")),
    ("jvm.toml", include_str!("rules/jvm.toml")),
    ("python.toml", include_str!("rules/python.toml")),
    ("rust.toml", include_str!("rules/rust.toml")),
    ("scripting.toml", include_str!("rules/scripting.toml")),
];

/// A rule file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// Not TOML, an unknown key, or a key that is missing.
    #[error("rule file {file}: {reason}")]
    Unreadable {
        /// The file's name as given.
        file: String,
        /// Where and what.
        reason: String,
    },
    /// A language that does not exist.
    #[error(
        "rule file {file}: rule {rule:?} names the unknown language {language:?}; known are any, code, {known}"
    )]
    UnknownLanguage {
        /// The file's name as given.
        file: String,
        /// The rule's id.
        rule: String,
        /// As written.
        language: String,
        /// All there are, parted by commas.
        known: String,
    },
    /// A pattern that is not a regular expression, or too large.
    #[error("rule file {file}: rule {rule:?} has a bad `{key}`: {reason}")]
    BadPattern {
        /// The file's name as given.
        file: String,
        /// The rule's id.
        rule: String,
        /// Which of the rule's patterns.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Two rules with one id.
    #[error("rule file {file}: there is another rule {rule:?}")]
    Duplicate {
        /// The file's name as given.
        file: String,
        /// The rule's id.
        rule: String,
    },
}

/// All rules of a run.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    /// By language: the rules that apply, and one automaton that says which of them occur in a text at all.
    by_language: [OnceLock<Prefilter>; LANGUAGES.len()],
    secrets: OnceLock<RegexSet>,
}

#[derive(Debug)]
struct Prefilter {
    set: RegexSet,
    rules: Vec<usize>,
}

/// One rule, as a rule file writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// Unique, in kebab-case.
    pub(super) id: String,
    /// Names of languages, or `any`, or `code` for all programming languages.
    languages: Vec<String>,
    pattern: Pattern,
    /// Not if the matched lines also match this.
    unless: Option<Pattern>,
    /// Not if the five lines before, the matched ones or the four after match this.
    unless_near: Option<Pattern>,
    /// What the match's first byte must belong to.
    #[serde(default = "code_only")]
    zones: Vec<Zone>,
    /// What the file must be for.
    #[serde(default = "source_only")]
    files: Vec<Purpose>,
    #[serde(with = "severity_word")]
    pub(super) severity: Severity,
    /// The match is a credential: its line is never quoted.
    #[serde(default)]
    pub(super) secret: bool,
    /// Bits a character that the group named `secret` must carry, so that placeholders are passed over.
    min_entropy: Option<f64>,
    pub(super) what: String,
    pub(super) why: String,
    #[serde(default)]
    pub(super) fix: String,
    /// Texts the rule must find, and texts it must pass over; looked at by tests only.
    #[serde(default)]
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the examples document a rule and are run by its test")
    )]
    positive: Vec<Example>,
    #[serde(default)]
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the examples document a rule and are run by its test")
    )]
    negative: Vec<Example>,
}

/// A text that stands for added lines.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
#[cfg_attr(not(test), expect(dead_code, reason = "the examples document a rule and are run by its test"))]
enum Example {
    /// In a file of the rule's first language and purpose.
    Text(String),
    /// In this file.
    At { path: String, text: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    rule: Vec<Rule>,
}

/// A regular expression that is compiled when it is first needed.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
struct Pattern {
    text: String,
    compiled: OnceLock<Option<Regex>>,
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self { text, compiled: OnceLock::new() }
    }
}

impl Pattern {
    fn compile(text: &str) -> Result<Regex, regex::Error> {
        RegexBuilder::new(text).unicode(false).multi_line(true).build()
    }

    /// The compiled pattern; those of users were checked when they were read, ours are by a test, so that `None`
    /// (which matches nothing) does not occur.
    fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| Self::compile(&self.text).ok()).as_ref()
    }

    fn is_match(&self, text: &[u8]) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(text))
    }
}

fn code_only() -> Vec<Zone> {
    vec![Zone::Code]
}

fn source_only() -> Vec<Purpose> {
    vec![Purpose::Source]
}

mod severity_word {
    use serde::{Deserialize, Deserializer, de::Error};

    use crate::finding::Severity;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Severity, D::Error> {
        let word = String::deserialize(deserializer)?;
        [Severity::Block, Severity::Warn, Severity::Info]
            .into_iter()
            .find(|severity| severity.word() == word)
            .ok_or_else(|| D::Error::custom(format!("severity {word:?} is none of BLOCK, WARN, INFO")))
    }
}

/// Where a rule's pattern stands in a text.
pub(super) struct Match {
    /// Byte the pattern is about: the group `at` when there is one, else the match's start.
    pub(super) start: usize,
    /// End of the match.
    pub(super) end: usize,
}

impl Rule {
    pub(super) fn applies_to(&self, purpose: Purpose) -> bool {
        self.files.contains(&purpose)
    }

    /// Matches in `text`, whose bytes belong to `zones`.
    pub(super) fn matches(&self, text: &[u8], zones: &[Zone]) -> Vec<Match> {
        let Some(regex) = self.pattern.regex() else { return Vec::new() };
        let entropy_is_enough =
            |found: &regex::bytes::Captures<'_>| match (self.min_entropy, found.name("secret")) {
                (Some(least), Some(secret)) => entropy(secret.as_bytes()) >= least,
                _ => true,
            };
        let found = regex.captures_iter(text).filter(entropy_is_enough).filter_map(|found| {
            let whole = found.get(0)?;
            Some(Match { start: found.name("at").map_or(whole.start(), |at| at.start()), end: whole.end() })
        });
        found.filter(|found| zones.get(found.start).is_some_and(|zone| self.zones.contains(zone))).collect()
    }

    /// Whether the matched `lines`, or the lines `near` them, say that this match is not meant.
    pub(super) fn is_excused(&self, lines: &[u8], near: &[u8]) -> bool {
        self.unless.as_ref().is_some_and(|unless| unless.is_match(lines))
            || self.unless_near.as_ref().is_some_and(|unless| unless.is_match(near))
    }

    fn covers(&self, language: Language) -> bool {
        self.languages.iter().any(|name| match name.as_str() {
            "any" => true,
            "code" => language.is_code(),
            name => Language::named(name) == Some(language),
        })
    }

    fn patterns(&self) -> impl Iterator<Item = (&'static str, &Pattern)> {
        let optional = [("unless", self.unless.as_ref()), ("unless_near", self.unless_near.as_ref())];
        std::iter::once(("pattern", &self.pattern))
            .chain(optional.into_iter().filter_map(|(key, pattern)| Some((key, pattern?))))
    }
}

/// Shannon entropy in bits a byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let total = f64::from(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    let share = |count: &u32| f64::from(*count) / total;
    -counts.iter().filter(|count| **count > 0).map(|count| share(count) * share(count).log2()).sum::<f64>()
}

impl RuleSet {
    /// The built-in rules and those of the rule files `extra`, each given as name and text.
    pub fn new(extra: &[(String, String)]) -> Result<Self, RuleError> {
        let mut rules = Vec::new();
        for (file, text) in BUILT_IN {
            rules.extend(read_file(file, text, &rules)?);
        }
        for (file, text) in extra {
            let own = read_file(file, text, &rules)?;
            own.iter().try_for_each(|rule| check_patterns(file, rule))?;
            rules.extend(own);
        }
        Ok(Self {
            rules,
            by_language: [const { OnceLock::new() }; LANGUAGES.len()],
            secrets: OnceLock::new(),
        })
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules for `language` whose pattern occurs somewhere in `text`, in file order.
    pub(super) fn occurring(&self, language: Language, text: &[u8]) -> Vec<&Rule> {
        let prefilter = self.by_language[language as usize].get_or_init(|| self.prefilter(language));
        prefilter.set.matches(text).into_iter().map(|at| &self.rules[prefilter.rules[at]]).collect()
    }

    /// Whether `line` holds what looks like a credential, and must not be repeated anywhere.
    pub(super) fn holds_secret(&self, line: &[u8]) -> bool {
        let secret_rules = || self.rules.iter().filter(|rule| rule.secret);
        mask::holds_credential(line)
            || self.secrets.get_or_init(|| pattern_set(secret_rules())).is_match(line)
    }

    fn prefilter(&self, language: Language) -> Prefilter {
        let rules: Vec<usize> = (0..self.rules.len()).filter(|at| self.rules[*at].covers(language)).collect();
        Prefilter { set: pattern_set(rules.iter().map(|at| &self.rules[*at])), rules }
    }
}

fn pattern_set<'a>(rules: impl Iterator<Item = &'a Rule>) -> RegexSet {
    RegexSetBuilder::new(rules.map(|rule| &rule.pattern.text))
        .unicode(false)
        .multi_line(true)
        .size_limit(64 << 20)
        .dfa_size_limit(16 << 20)
        .build()
        .unwrap_or_else(|_| RegexSet::empty())
}

fn read_file(file: &str, text: &str, known: &[Rule]) -> Result<Vec<Rule>, RuleError> {
    let unreadable =
        |error: toml::de::Error| RuleError::Unreadable { file: file.to_owned(), reason: error.to_string() };
    let rules = toml::from_str::<RuleFile>(text).map_err(unreadable)?.rule;
    for (at, rule) in rules.iter().enumerate() {
        if known.iter().chain(&rules[..at]).any(|other| other.id == rule.id) {
            return Err(RuleError::Duplicate { file: file.to_owned(), rule: rule.id.clone() });
        }
        check_languages(file, rule)?;
    }
    Ok(rules)
}

fn check_languages(file: &str, rule: &Rule) -> Result<(), RuleError> {
    let is_known =
        |name: &&String| matches!(name.as_str(), "any" | "code") || Language::named(name).is_some();
    match rule.languages.iter().find(|name| !is_known(name)) {
        None => Ok(()),
        Some(name) => Err(RuleError::UnknownLanguage {
            file: file.to_owned(),
            rule: rule.id.clone(),
            language: name.clone(),
            known: LANGUAGES.map(Language::name).join(", "),
        }),
    }
}

fn check_patterns(file: &str, rule: &Rule) -> Result<(), RuleError> {
    rule.patterns().try_for_each(|(key, pattern)| {
        Pattern::compile(&pattern.text).map(|_| ()).map_err(|error| RuleError::BadPattern {
            file: file.to_owned(),
            rule: rule.id.clone(),
            key,
            reason: error.to_string(),
        })
    })
}

#[cfg(test)]
mod tests;
