//! Where an entry of the merged configuration was written: [`Entry`] names it, [`line_of`] finds it in a file's text.
//!
//! Layers are merged as tables, which know nothing of lines; so a place is looked up when there is something wrong with it.

use std::{fmt, ops::Range};

use toml::de::{DeTable, DeValue};

/// What an error is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A key of a table, such as `bundle.include`.
    Key(&'static str),
    /// One of several, such as the second `[[route]]`; the first has number 1.
    Numbered(&'static str, usize),
    /// The `[[reviewer]]` of this id.
    Reviewer(String),
    /// `[panel.NAME]`.
    Panel(String),
    /// The `[[price]]` that names this model first; one of no model when empty.
    Price(String),
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Numbered(table, number) => write!(f, "{table} {number}"),
            Self::Reviewer(id) => write!(f, "reviewer {id:?}"),
            Self::Panel(name) => write!(f, "panel {name:?}"),
            Self::Price(model) => write!(f, "price of {model:?}"),
        }
    }
}

/// The 1-based line of `text` where `entry` stands, if it is there.
pub(super) fn line_of(entry: &Entry, text: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let table = table.get_ref();
    let named = |table_name: &str, is_meant: &dyn Fn(&DeTable<'_>) -> bool| {
        let all = table.get(table_name)?.get_ref().as_array()?;
        Some(all.iter().rfind(|one| one.get_ref().as_table().is_some_and(is_meant))?.span())
    };
    let span = match entry {
        Entry::Key(path) => span_of(table, path)?.1,
        Entry::Numbered(path, number) => element(table, path, number.checked_sub(1)?)?,
        Entry::Panel(name) => {
            table.get("panel")?.get_ref().as_table()?.get_key_value(name.as_str())?.0.span()
        }
        Entry::Reviewer(id) => named("reviewer", &|one| {
            one.get("id").and_then(|value| value.get_ref().as_str()) == Some(id.as_str())
        })?,
        Entry::Price(model) => named("price", &|one| {
            let models = one.get("models").and_then(|value| value.get_ref().as_array());
            let first = models.and_then(|models| models.iter().next()?.get_ref().as_str());
            first.unwrap_or_default() == model
        })?,
    };
    Some(line_at(text, span.start))
}

/// The 1-based line of the byte `at`.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

fn element(table: &DeTable<'_>, path: &str, index: usize) -> Option<Range<usize>> {
    Some(span_of(table, path)?.0.as_array()?.get(index)?.span())
}

/// The value at the dotted `path`, and where its last key stands.
fn span_of<'a>(table: &'a DeTable<'a>, path: &str) -> Option<(&'a DeValue<'a>, Range<usize>)> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let (key, value) = table.get_key_value(first)?;
    match rest {
        Some(rest) => span_of(value.get_ref().as_table()?, rest),
        None => Some((value.get_ref(), key.span())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found() {
        let text = "[bundle]\nwarn_bytes = 1\ninclude = [\n  \"a\"]\n\n[[route]]\npanel = \"a\"\n\n[[route]]\npanel = \"b\"\n\
                    [[reviewer]]\nid = \"x\"\n[[reviewer]]\nmodel = \"m\"\nid = \"y\"\n[panel.light]\nreviewers = []\n\
                    [[price]]\nmodels = [\"m\", \"n\"]\n[[price]]\nmodels = []\n";
        let check = |entry: &Entry, expect| assert_eq!(line_of(entry, text), expect, "{entry}");
        check(&Entry::Key("bundle.include"), Some(3));
        check(&Entry::Key("bundle.exclude"), None);
        check(&Entry::Key("review.panel"), None);
        check(&Entry::Numbered("route", 2), Some(9));
        check(&Entry::Numbered("route", 3), None);
        check(&Entry::Numbered("guidance.rule", 1), None);
        check(&Entry::Reviewer("y".to_owned()), Some(13));
        check(&Entry::Panel("light".to_owned()), Some(16));
        check(&Entry::Price("m".to_owned()), Some(18));
        check(&Entry::Price(String::new()), Some(20));
    }
}
