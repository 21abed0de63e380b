//! What counts as the same: [`Rule`], declared in a spec.
//!
//! The same for every side, so that no side can be made to look like the other one.

use regex::Regex;

use super::{
    json::Json,
    number::Number,
    pointer::{Pointer, Step},
};
use crate::report::words;

/// What is done to bodies before they are compared.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    /// Not looked at: a side may have it or not.
    pub ignore: Vec<Pointer>,
    /// Must be on all sides or on none; what it is does not count.
    pub mask: Vec<Pointer>,
    /// Arrays whose order does not count.
    pub sort: Vec<Pointer>,
    /// How far numbers may lie apart; the first that fits a place counts.
    pub tolerances: Vec<Tolerance>,
    /// Made in all texts of JSON and in other bodies, in order.
    pub replacements: Vec<Replacement>,
    /// Names of headers that are compared, in lower case.
    pub headers: Vec<String>,
}

/// How far two numbers may lie apart and still be equal.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerance {
    /// Which numbers; all without it.
    pub pointer: Option<Pointer>,
    /// At most this far, 0 or more.
    pub absolute: f64,
    /// Or at most this share of the larger one, 0 or more.
    pub relative: f64,
}

/// What stands in place of what a regular expression finds.
#[derive(Debug, Clone)]
pub struct Replacement {
    /// What is looked for.
    pub pattern: Regex,
    /// What stands there instead; `$1` is the first group.
    pub with: String,
}

impl Rule {
    /// `json` as it is compared.
    pub(super) fn normalise(&self, json: &mut Json<'_>) {
        self.ignore.iter().for_each(|pointer| pointer.remove(json));
        self.mask.iter().for_each(|pointer| pointer.each(json, &mut |value| *value = Json::Masked));
        if !self.replacements.is_empty() {
            self.replace_in(json);
        }
        // The inner arrays first: their order decides that of the outer ones.
        let mut sort: Vec<&Pointer> = self.sort.iter().collect();
        sort.sort_by_key(|pointer| std::cmp::Reverse(pointer.depth()));
        for pointer in sort {
            pointer.each(json, &mut |value| {
                if let Json::Array(items) = value {
                    items.sort();
                }
            });
        }
    }

    fn replace_in(&self, json: &mut Json<'_>) {
        match json {
            Json::String(text) => *text = self.replaced(text).into(),
            Json::Array(items) => items.iter_mut().for_each(|item| self.replace_in(item)),
            Json::Object(members) => members.iter_mut().for_each(|(_, value)| self.replace_in(value)),
            Json::Masked | Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    /// `text` as it is compared.
    pub(super) fn replaced(&self, text: &str) -> String {
        let replace =
            |text: String, one: &Replacement| one.pattern.replace_all(&text, &one.with).into_owned();
        self.replacements.iter().fold(text.to_owned(), replace)
    }

    /// Whether two numbers that differ in value count as equal at `path`.
    pub(super) fn tolerates(&self, path: &[Step], a: &Number, b: &Number) -> bool {
        let fits = |one: &&Tolerance| one.pointer.as_ref().is_none_or(|pointer| pointer.matches(path));
        self.tolerances.iter().find(fits).is_some_and(|tolerance| {
            let (apart, larger) = a.distance(b);
            apart <= tolerance.absolute || apart <= tolerance.relative * larger
        })
    }

    /// The rule for people, a part each: `without /elapsed_ms`.
    pub fn words(&self) -> Vec<String> {
        let listed = |before: &str, pointers: &[Pointer], after: &str| {
            let named: Vec<&str> = pointers.iter().map(|pointer| or_whole(pointer.text())).collect();
            (!named.is_empty()).then(|| format!("{before}{}{after}", words::list(&named)))
        };
        let tolerance = |one: &Tolerance| {
            let place = one.pointer.as_ref().map(|pointer| format!(" at {}", or_whole(pointer.text())));
            let far = [(one.absolute, "", ""), (one.relative * 100.0, "", " %")]
                .map(|(far, before, after)| (far > 0.0).then(|| format!("{before}{far:?}{after}")));
            let far = far.into_iter().flatten().collect::<Vec<_>>().join(" or ");
            format!("numbers{} may be {far} apart", place.unwrap_or_default())
        };
        let replacement =
            |one: &Replacement| format!("{:?} in place of what /{}/ finds", one.with, one.pattern.as_str());
        let headers =
            (!self.headers.is_empty()).then(|| format!("headers too: {}", words::list(&self.headers)));
        let lists = [
            listed("without ", &self.ignore, ""),
            listed("any value at ", &self.mask, ""),
            listed("any order in ", &self.sort, ""),
        ];
        let others = self.tolerances.iter().map(tolerance).chain(self.replacements.iter().map(replacement));
        lists.into_iter().flatten().chain(others).chain(headers).collect()
    }
}

fn or_whole(pointer: &str) -> &str {
    if pointer.is_empty() { "the whole body" } else { pointer }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(texts: &[&str]) -> Vec<Pointer> {
        texts.iter().map(|text| Pointer::read(text).unwrap()).collect()
    }

    fn rule() -> Rule {
        Rule {
            ignore: pointers(&["/took"]),
            mask: pointers(&["/id"]),
            sort: pointers(&["/groups", "/groups/*"]),
            tolerances: vec![
                Tolerance { pointer: Some(Pointer::read("/far").unwrap()), absolute: 0.0, relative: 0.1 },
                Tolerance { pointer: None, absolute: 1e-9, relative: 0.0 },
            ],
            replacements: vec![Replacement {
                pattern: Regex::new(r"\d{4}-\d\d-(\d\d)").unwrap(),
                with: "day $1".to_owned(),
            }],
            headers: vec!["content-type".to_owned()],
        }
    }

    #[test]
    fn bodies_are_compared_without_what_does_not_count() {
        let mut json = Json::read(
            br#"{"took":3,"id":"x","groups":[[3,2],[2,1]],"at":["2026-11-21T00"],"2026-11-21":1}"#,
        )
        .unwrap();
        rule().normalise(&mut json);
        assert_eq!(
            json.compact(),
            r#"{"2026-11-21":1,"at":["day 21T00"],"groups":[[1,2],[2,3]],"id":[masked]}"#
        );
    }

    #[test]
    fn numbers_may_lie_apart_where_that_is_said() {
        let check = |key: &str, a: &str, b: &str, expect: bool| {
            let path = [Step::Key(key.to_owned())];
            assert_eq!(rule().tolerates(&path, &Number::new(a), &Number::new(b)), expect, "{key} {a} {b}");
        };
        check("near", "0.1", "0.1000000000001", true);
        check("near", "0.1", "0.2", false);
        check("near", "9007199254740993", "9007199254740992", false);
        check("far", "100", "91", true);
        check("far", "100", "89", false);
    }

    #[test]
    fn the_rule_in_words() {
        insta::assert_snapshot!(rule().words().join("\n"), @r#"
        without /took
        any value at /id
        any order in /groups and /groups/*
        numbers at /far may be 10.0 % apart
        numbers may be 1e-9 apart
        "day $1" in place of what /\d{4}-\d\d-(\d\d)/ finds
        headers too: content-type
        "#);
    }
}
