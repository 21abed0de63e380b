//! The table of what credentials look like, and where they stand in one line: [`Table::mask`].
//!
//! The rules are data, in `rules.toml`. Whether a value is only an example is `placeholder`'s question; credentials over
//! several lines are `block`'s. Every pattern runs in linear time, and only on lines that hold one of its keywords.

use std::{collections::BTreeSet, ops::Range, sync::OnceLock};

use aho_corasick::AhoCorasick;
use regex::bytes::{Captures, Regex, RegexBuilder};
use serde::Deserialize;

use super::{
    placeholder::{self, Like},
    scan::Masked,
};

const RULES: &str = include_str!("rules.toml");

/// All rules with their keywords.
pub(super) struct Table {
    rules: Vec<Rule>,
    keywords: AhoCorasick,
    /// By keyword, the rule it belongs to.
    owners: Vec<usize>,
}

#[derive(Deserialize)]
struct File {
    rule: Vec<Rule>,
}

/// One rule; its keys are described where they are set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    kind: String,
    keywords: Vec<String>,
    pattern: String,
    #[serde(default)]
    like: Like,
    #[serde(default)]
    min_entropy: f64,
    #[serde(default)]
    settings: bool,
    #[cfg_attr(not(test), expect(dead_code, reason = "documents a rule; a test asks for it"))]
    source: String,
    /// Compiled when first needed: most reviews need few.
    #[serde(skip)]
    compiled: OnceLock<Option<Regex>>,
}

impl Table {
    /// The table that comes with the program.
    pub(super) fn get() -> &'static Self {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(|| {
            // A test reads the embedded file, so it is never empty.
            let rules = toml::from_str::<File>(RULES).map(|file| file.rule).unwrap_or_default();
            let words = || {
                rules
                    .iter()
                    .enumerate()
                    .flat_map(|(at, rule)| rule.keywords.iter().map(move |word| (at, word)))
            };
            let keywords =
                AhoCorasick::builder().ascii_case_insensitive(true).build(words().map(|(_, word)| word));
            let owners = words().map(|(at, _)| at).collect();
            // Only too many patterns for memory can fail.
            Self { keywords: keywords.unwrap_or_else(|_| never()), owners, rules }
        })
    }

    /// Puts what the rules see in `line` into `masked`. `settings` says whether values stand without quotes.
    pub(super) fn mask(&'static self, line: &[u8], settings: bool, masked: &mut Masked) {
        let mut wanted = BTreeSet::new();
        for found in self.keywords.find_overlapping_iter(line) {
            wanted.insert(self.owners[found.pattern().as_usize()]);
        }
        for rule in wanted.into_iter().map(|at| &self.rules[at]).filter(|rule| settings || !rule.settings) {
            rule.values(line).for_each(|at| masked.add(line, at, &rule.kind));
        }
    }
}

/// Finds nothing.
fn never() -> AhoCorasick {
    AhoCorasick::new([""; 0]).unwrap_or_else(|_| unreachable!("an automaton of no patterns"))
}

impl Rule {
    fn regex(&self) -> Option<&Regex> {
        let compile = || RegexBuilder::new(&self.pattern).unicode(false).build().ok();
        self.compiled.get_or_init(compile).as_ref()
    }

    fn values<'l>(&'l self, line: &'l [u8]) -> impl Iterator<Item = Range<usize>> + 'l {
        let found = self.regex().into_iter().flat_map(|regex| regex.captures_iter(line));
        found.filter_map(|found| self.value(&found))
    }

    fn value(&self, found: &Captures<'_>) -> Option<Range<usize>> {
        let value = found.name("value")?;
        let names_value = found.name("name").is_none_or(|name| placeholder::names_a_value(name.as_bytes()));
        let is_one = names_value && placeholder::is_credential(value.as_bytes(), self.like, self.min_entropy);
        is_one.then(|| value.range())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_reads_and_can_be_reached() {
        let rules = toml::from_str::<File>(RULES).unwrap().rule;
        assert!(rules.len() > 40);
        for rule in &rules {
            let regex = rule.regex().unwrap_or_else(|| panic!("{}", rule.pattern));
            assert!(regex.capture_names().flatten().any(|name| name == "value"), "{}", rule.pattern);
            assert!(!rule.keywords.is_empty() && !rule.source.is_empty(), "{}", rule.kind);
            assert!(
                rule.keywords.iter().all(|word| *word == word.to_ascii_lowercase()),
                "{:?}",
                rule.keywords
            );
            assert!(rule.kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", rule.kind);
        }
    }
}
