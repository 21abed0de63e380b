//! Every built-in rule is run over its own examples.

use super::*;
use crate::provider::builtin::{RemovedLines, scan, tests::bundle_of};

/// Ids of the rules that report `text`, as added lines of the file `path`.
fn found(rules: &RuleSet, path: &str, text: &str) -> Vec<String> {
    let bundle = bundle_of(path, "", text);
    let remarks = scan::scan(rules, &bundle, &RemovedLines::default());
    remarks
        .iter()
        .filter_map(|remark| Some(remark.why.rsplit_once("(rule ")?.1.trim_end_matches(')').to_owned()))
        .collect()
}

fn example(rule: &Rule, example: &Example) -> (String, String) {
    match example {
        Example::At { path, text } => (path.clone(), text.clone()),
        Example::Text(text) => (default_path(rule), text.clone()),
    }
}

/// A path of the rule's first language and purpose.
fn default_path(rule: &Rule) -> String {
    let folder = if rule.applies_to(Purpose::Source) { "src" } else { "tests" };
    let name = match Language::named(&rule.languages[0]) {
        Some(Language::Python) => "a.py",
        Some(Language::Go) => "a.go",
        Some(Language::Rust) => "a.rs",
        Some(Language::JavaScript) => "a.js",
        Some(Language::TypeScript) => "a.ts",
        Some(Language::C) => "a.c",
        _ => "a.conf",
    };
    format!("{folder}/{name}")
}

#[test]
fn every_rule_finds_its_positive_examples_and_passes_over_the_negative_ones() {
    let rules = RuleSet::new(&[]).unwrap();
    let mut wrong = Vec::new();
    for rule in &rules.rules {
        for (examples, expect) in [(&rule.positive, true), (&rule.negative, false)] {
            if examples.is_empty() {
                wrong.push(format!("{}: no example for {expect}", rule.id));
            }
            for (path, text) in examples.iter().map(|text| example(rule, text)) {
                if found(&rules, &path, &text).contains(&rule.id) != expect {
                    wrong.push(format!("{}: expected {expect} for {path}: {text:?}", rule.id));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_is_well_formed() {
    let rules = RuleSet::new(&[]).unwrap();
    let bad: Vec<String> = rules
        .rules
        .iter()
        .filter_map(|rule| Some(check_patterns("built-in", rule).err()?.to_string()))
        .collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    for rule in &rules.rules {
        for text in [&rule.what, &rule.why, &rule.fix] {
            assert!(!text.contains('\n') && !text.ends_with('.'), "{}: {text:?}", rule.id);
        }
        assert!(rule.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", rule.id);
    }
}

#[test]
fn every_language_has_an_automaton() {
    let rules = RuleSet::new(&[]).unwrap();
    for language in LANGUAGES {
        let prefilter = rules.prefilter(language);
        assert_eq!(prefilter.set.len(), prefilter.rules.len(), "{language:?}");
    }
}

#[test]
fn own_rules_are_added_and_checked() {
    let own = |text: &str| RuleSet::new(&[("own.toml".to_owned(), text.to_owned())]);
    let rule = |more: &str| {
        format!(
            "[[rule]]\nid = \"no-foo\"\nlanguages = [\"go\"]\nseverity = \"WARN\"\nwhat = \"foo\"\nwhy = \"bar\"\n{more}\n"
        )
    };
    let rules = own(&rule("pattern = 'foo\\('")).unwrap();
    assert_eq!(found(&rules, "a.go", "foo()"), ["no-foo"]);
    assert_eq!(found(&rules, "a.py", "foo()"), Vec::<String>::new());

    let message = |text: &str| own(text).unwrap_err().to_string();
    assert!(message(&rule("patern = 'x'")).contains("unknown field `patern`"));
    assert!(
        message(&rule("pattern = '('"))
            .starts_with("rule file own.toml: rule \"no-foo\" has a bad `pattern`")
    );
    assert!(message(&rule("pattern = 'x'").replace("go", "gopher")).contains("unknown language \"gopher\""));
    assert_eq!(
        message(&rule("pattern = 'x'").replace("no-foo", "private-key")),
        "rule file own.toml: there is another rule \"private-key\""
    );
    assert!(message(&rule("pattern = 'x'").replace("WARN", "HIGH")).contains("none of BLOCK, WARN, INFO"));
}
