//! `[gate]` as the [`Policy`] that it asks for.
//!
//! `fail_on` and `min_lineages` stood under `[review]` once and may still: a repository's file counts as at the baseline, so refusing it
//! would stop every review until the new words are merged.

use super::{ConfigError, check::range, file, place::Entry};
use crate::tally::{
    Agreement,
    gate::{Bar, Policy, Rule},
};

/// The keys that stood under `[review]`.
const MOVED: [&str; 2] = ["fail_on", "min_lineages"];

/// Moves what a file says under `[review]` to `[gate]`, whose own words count for more.
pub(super) fn take_over(table: &mut toml::Table) {
    let Some(review) = table.get_mut("review").and_then(toml::Value::as_table_mut) else { return };
    let moved: Vec<_> = MOVED.iter().filter_map(|key| review.remove_entry(*key)).collect();
    if moved.is_empty() {
        return;
    }
    let gate = table.entry("gate").or_insert_with(|| toml::Table::new().into());
    for (key, value) in moved {
        gate.as_table_mut().map(|gate| gate.entry(key).or_insert(value));
    }
}

/// What the entries come to.
pub(super) fn policy(entry: file::Gate) -> Result<Policy, ConfigError> {
    range("gate.min_lineages", entry.min_lineages as u64, 0, 1000)?;
    range("gate.min_agreeing", entry.min_agreeing as u64, 1, 1000)?;
    range("gate.min_coverage", entry.min_coverage, 0, 100)?;
    let agreement = entry.agreement.unwrap_or(Agreement::Single);
    let bar = Bar { fail_on: entry.fail_on, agreement, min_agreeing: entry.min_agreeing };
    let rules = (1..).zip(entry.rule).map(|(number, entry)| rule(number, entry, &bar));
    Ok(Policy {
        bar,
        min_lineages: entry.min_lineages,
        min_coverage: u8::try_from(entry.min_coverage).unwrap_or(100),
        rules: rules.collect::<Result<_, _>>()?,
    })
}

fn rule(number: usize, entry: file::GateRule, usual: &Bar) -> Result<Rule, ConfigError> {
    let wrong = |reason: String| ConfigError::Entry { entry: Entry::Numbered("gate.rule", number), reason };
    if entry.paths.is_empty() {
        return Err(wrong(
            "needs `paths`, such as [\"src/**\"]; without them it is about no file".to_owned(),
        ));
    }
    let min_agreeing = entry.min_agreeing.unwrap_or(usual.min_agreeing);
    if !(1..=1000).contains(&min_agreeing) {
        return Err(wrong(format!("min_agreeing is {min_agreeing}, it must be from 1 to 1000")));
    }
    let agreement = entry.agreement.unwrap_or(usual.agreement);
    let bar = Bar { fail_on: entry.fail_on, agreement, min_agreeing };
    Rule::new(entry.paths, bar).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use crate::config::tests::load;

    #[test]
    fn policies() {
        let check = |text: &str, expect: &str| {
            let found = load(text).map_or_else(|error| error.to_string(), |config| config.gate.to_string());
            assert_eq!(found, expect, "{text}");
        };
        check("", "fail-on never, min-lineages 1");
        check(
            "[gate]\nfail_on = \"block\"\nmin_coverage = 80",
            "fail-on block, min-lineages 1, min-coverage 80 %",
        );
        check("[review]\nfail_on = \"warn\"\nmin_lineages = 2", "fail-on warn, min-lineages 2");
        check("[review]\nfail_on = \"warn\"\n[gate]\nfail_on = \"any\"", "fail-on any, min-lineages 1");
        check(
            "[gate]\nfail_on = \"block\"\nagreement = \"place\"\nmin_agreeing = 3\n\
             [[gate.rule]]\npaths = [\"src/auth/**\", \"*.sql\"]\nfail_on = \"warn\"\nagreement = \"single\"\nmin_agreeing = 1\n\
             [[gate.rule]]\npaths = [\"docs\"]\nfail_on = \"never\"",
            "fail-on block, agreement place, min-agreeing 3, min-lineages 1; src/auth/**, *.sql: fail-on warn; \
             docs: fail-on never, agreement place, min-agreeing 3",
        );
        check("gate = []", "/home/ada/repo/scrum.toml:1: gate is a list, it must be a table");
        check("[gate]\nmin_coverage = 1000", "gate.min_coverage is 1000, it must be from 0 to 100");
        check("[gate]\nmin_coverage = 101", "gate.min_coverage is 101, it must be from 0 to 100");
        check("[gate]\nmin_agreeing = 0", "gate.min_agreeing is 0, it must be from 1 to 1000");
        let rule = "[[gate.rule]]\nfail_on = \"any\"\npaths = ";
        check(
            &format!("{rule}[]"),
            "gate.rule 1: needs `paths`, such as [\"src/**\"]; without them it is about no file",
        );
        check(
            &format!("{rule}[\"src/[a\"]"),
            "gate.rule 1: bad glob \"src/[a\": unclosed character class; missing ']'",
        );
        check(
            &format!("{rule}[\"a\"]\nmin_agreeing = 0"),
            "gate.rule 1: min_agreeing is 0, it must be from 1 to 1000",
        );
    }
}
