//! Places in JSON documents: [`Pointer`], RFC 6901 with `*` for any member or element.

use super::json::Json;

/// `/items/*/id`: from the root to a value, or to several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    text: String,
    segments: Vec<String>,
}

/// Text that is no pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no JSON pointer: {reason}")]
pub struct BadPointer {
    text: String,
    reason: &'static str,
}

/// One step of a path through a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Step {
    /// To the member of this key.
    Key(String),
    /// To the element at this place, 0 for the first.
    Index(usize),
}

impl Pointer {
    /// Reads a pointer; the empty one is the whole document.
    pub fn read(text: &str) -> Result<Self, BadPointer> {
        let bad = |reason| BadPointer { text: text.to_owned(), reason };
        let segments = match text.strip_prefix('/') {
            Some(rest) => rest.split('/').map(unescaped).collect::<Option<_>>(),
            None if text.is_empty() => Some(Vec::new()),
            None => return Err(bad("it must be empty or begin with `/`, as in \"/elapsed_ms\"")),
        };
        let segments = segments.ok_or_else(|| bad("`~` stands only in `~0` (for `~`) and `~1` (for `/`)"))?;
        Ok(Self { text: text.to_owned(), segments })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn depth(&self) -> usize {
        self.segments.len()
    }

    pub(super) fn matches(&self, path: &[Step]) -> bool {
        self.segments.len() == path.len()
            && self.segments.iter().zip(path).all(|(segment, step)| fits(segment, step))
    }

    /// Takes out what it points to, but never the document itself.
    pub(super) fn remove(&self, json: &mut Json<'_>) {
        let Some((last, before)) = self.segments.split_last() else { return };
        visit(json, before, &mut |parent| match parent {
            Json::Object(members) => members.retain(|(key, _)| !fits_key(last, key)),
            Json::Array(items) => {
                let mut index = 0..;
                items.retain(|_| index.next().is_none_or(|index| !fits_index(last, index)));
            }
            Json::Masked | Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        });
    }

    /// Calls `change` with all that it points to.
    pub(super) fn each(&self, json: &mut Json<'_>, change: &mut dyn FnMut(&mut Json<'_>)) {
        visit(json, &self.segments, change);
    }
}

fn visit(json: &mut Json<'_>, segments: &[String], change: &mut dyn FnMut(&mut Json<'_>)) {
    let Some((first, rest)) = segments.split_first() else { return change(json) };
    match json {
        Json::Object(members) => {
            let meant = members.iter_mut().filter(|(key, _)| fits_key(first, key));
            meant.for_each(|(_, value)| visit(value, rest, change));
        }
        Json::Array(items) => {
            let meant = items.iter_mut().enumerate().filter(|(index, _)| fits_index(first, *index));
            meant.for_each(|(_, item)| visit(item, rest, change));
        }
        Json::Masked | Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

fn fits(segment: &str, step: &Step) -> bool {
    match step {
        Step::Key(key) => fits_key(segment, key),
        Step::Index(index) => fits_index(segment, *index),
    }
}

fn fits_key(segment: &str, key: &str) -> bool {
    segment == "*" || segment == key
}

fn fits_index(segment: &str, index: usize) -> bool {
    segment == "*" || segment.parse() == Ok(index)
}

/// `None` where a `~` stands for nothing.
fn unescaped(segment: &str) -> Option<String> {
    let mut parts = segment.split('~');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.try_fold(first, |out, part| {
        let rest = part.strip_prefix('1').map(|rest| format!("/{rest}"));
        let rest = rest.or_else(|| part.strip_prefix('0').map(|rest| format!("~{rest}")));
        Some(out + &rest?)
    })
}

/// A path as a pointer, `*` for every index.
pub(super) fn shown(path: &[Step]) -> String {
    let segment = |step: &Step| match step {
        Step::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Step::Index(_) => "/*".to_owned(),
    };
    path.iter().map(segment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_take_out_what_they_point_to() {
        let check = |pointer: &str, expect: &str| {
            let mut json = Json::read(br#"{"a":[{"id":1,"n":2},{"id":3}],"b/c":{"~":4},"0":5}"#).unwrap();
            let found = Pointer::read(pointer).map(|pointer| pointer.remove(&mut json));
            let found = found.map_or_else(|error| error.to_string(), |()| json.compact());
            assert_eq!(found, expect, "{pointer}");
        };
        let whole = r#"{"0":5,"a":[{"id":1,"n":2},{"id":3}],"b/c":{"~":4}}"#;
        check("", whole);
        check("/none", whole);
        check("/a/7", whole);
        check("/a/*/id", r#"{"0":5,"a":[{"n":2},{}],"b/c":{"~":4}}"#);
        check("/a/0", r#"{"0":5,"a":[{"id":3}],"b/c":{"~":4}}"#);
        check("/a/*", r#"{"0":5,"a":[],"b/c":{"~":4}}"#);
        check("/b~1c/~0", r#"{"0":5,"a":[{"id":1,"n":2},{"id":3}],"b/c":{}}"#);
        check("/0", r#"{"a":[{"id":1,"n":2},{"id":3}],"b/c":{"~":4}}"#);
        check("/*", "{}");
        check(
            "elapsed",
            "\"elapsed\" is no JSON pointer: it must be empty or begin with `/`, as in \"/elapsed_ms\"",
        );
        check("/~2", "\"/~2\" is no JSON pointer: `~` stands only in `~0` (for `~`) and `~1` (for `/`)");
    }
}
