//! The change as a map of places: [`Places`], a [`FileMap`] for each changed file, a [`Row`] for each new-side line.
//!
//! Hunks of one file that stand in several bundles are put together again. It judges no finding.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
};

use super::{
    language::Language,
    symbol::{self, Defined},
};
use crate::{
    bundle::Bundle,
    change::{Hunk, HunkLine, LineKind},
    finding::LineRange,
};

/// Every line that the bundles of a run show, by file and new-side line.
#[derive(Debug, Default)]
pub struct Places<'a> {
    files: BTreeMap<String, FileMap<'a>>,
    /// Paths of each bundle.
    bundles: HashMap<&'a str, BTreeSet<String>>,
    /// Paths by their last part.
    by_name: HashMap<String, BTreeSet<String>>,
}

/// The shown part of one file.
#[derive(Debug, Default)]
pub(super) struct FileMap<'a> {
    /// New-side lines, ascending.
    pub(super) rows: Vec<Row<'a>>,
    /// Removed lines, by the new-side line that took their place.
    pub(super) removed: Vec<Removed<'a>>,
    /// Its path's folders and its name without extension: what modules are often called after.
    called: Vec<String>,
    /// All lines without their blanks, to find out quickly that a quote stands nowhere.
    squeezed: String,
}

/// One new-side line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row<'a> {
    /// New-side number.
    pub(super) line: u32,
    /// Added, or next to a removal.
    pub(super) changed: bool,
    /// Without line end.
    pub(super) text: Cow<'a, str>,
    /// The function or type around it.
    pub(super) symbol: Option<Rc<str>>,
    /// The function or type that it defines.
    pub(super) defined: Option<Defined>,
}

/// A line that the change takes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Removed<'a> {
    /// The new-side line that follows it, or precedes it at a hunk's end; at least 1.
    pub(super) line: u32,
    /// Without line end.
    pub(super) text: Cow<'a, str>,
}

impl Row<'_> {
    pub(super) fn code(&self) -> String {
        code(&self.text)
    }

    /// What the function or type that it defines belongs to.
    pub(super) fn of(&self) -> Option<&str> {
        self.defined.as_ref().and_then(|one| one.of.as_deref())
    }

    pub(super) fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start().len()
    }
}

/// Most bytes of a line that are kept as a finding's code: a generated line may be a whole file.
const LONGEST_CODE: usize = 1_000;

/// A line as a finding keeps it.
pub(super) fn code(line: &str) -> String {
    line[..line.floor_char_boundary(LONGEST_CODE)].trim_end().to_owned()
}

/// `text` without its blanks.
pub(super) fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

impl<'a> Places<'a> {
    /// Maps the files of `bundles`.
    pub fn new(bundles: impl IntoIterator<Item = &'a Bundle>) -> Self {
        let mut places = Self::default();
        for bundle in bundles {
            for file in &bundle.files {
                let path = file.path.to_string();
                let name = path.rsplit('/').next().unwrap_or_default().to_owned();
                places.by_name.entry(name).or_default().insert(path.clone());
                places.bundles.entry(&bundle.id).or_default().insert(path.clone());
                let language = Language::of(&path);
                let map = places.files.entry(path).or_insert_with_key(|path| FileMap::of(path));
                file.hunks.iter().for_each(|hunk| map.add(hunk, language));
            }
            places.bundles.entry(&bundle.id).or_default();
        }
        places.files.values_mut().for_each(FileMap::settle);
        places
    }

    pub(super) fn knows(&self, bundle: &str) -> bool {
        self.bundles.contains_key(bundle)
    }

    /// The changed file that `path` means, as written, without `a/` or `b/`, or as the end of exactly one path. No path
    /// at all means the only file of `bundle`.
    pub(super) fn file_of(&self, path: &str, bundle: &str) -> Option<(&str, &FileMap<'a>)> {
        if path.is_empty() {
            let mut own = self.bundles.get(bundle)?.iter();
            let only = own.next().filter(|_| own.next().is_none())?;
            return self.exact(only);
        }
        let unprefixed = path.strip_prefix("a/").or_else(|| path.strip_prefix("b/"));
        self.exact(path)
            .or_else(|| unprefixed.and_then(|path| self.exact(path)))
            .or_else(|| self.by_suffix(path))
    }

    fn exact(&self, path: &str) -> Option<(&str, &FileMap<'a>)> {
        self.files.get_key_value(path).map(|(path, file)| (path.as_str(), file))
    }

    fn by_suffix(&self, path: &str) -> Option<(&str, &FileMap<'a>)> {
        if super::why_no_path(path).is_some() {
            return None;
        }
        let name = path.rsplit('/').next()?;
        let fits = |whole: &&String| whole.strip_suffix(path).is_some_and(|head| head.ends_with('/'));
        let mut fitting = self.by_name.get(name)?.iter().filter(fits);
        let only = fitting.next().filter(|_| fitting.next().is_none())?;
        self.exact(only)
    }
}

impl<'a> FileMap<'a> {
    fn of(path: &str) -> Self {
        let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        Self { called: stem.split('/').map(str::to_owned).collect(), ..Self::default() }
    }

    fn add(&mut self, hunk: &'a Hunk, language: Language) {
        let first = self.rows.len();
        let mut waiting = Vec::new();
        for line in hunk.lines() {
            let text = text_of(line);
            let Some(number) = line.new else {
                waiting.push(text);
                continue;
            };
            let added = line.kind == LineKind::Added;
            let mut changed = added;
            if !waiting.is_empty() {
                changed |= self.close_removal(&mut waiting, first, number, added);
            }
            self.rows.push(Row { line: number, changed, text, symbol: None, defined: None });
        }
        let last = hunk.new_start.saturating_add(hunk.new_lines.saturating_sub(1));
        self.close_removal(&mut waiting, first, last, false);
        symbol::enclose(&mut self.rows[first..], &hunk.section(), language);
    }

    /// Puts a run of removed lines at `line`. Where nothing was added in its place the lines around it are changed ones;
    /// says whether that is so.
    fn close_removal(
        &mut self,
        removed: &mut Vec<Cow<'a, str>>,
        first: usize,
        line: u32,
        replaced: bool,
    ) -> bool {
        let gone = !replaced && !removed.is_empty();
        if let Some(before) = self.rows[first..].last_mut() {
            before.changed |= gone;
        }
        self.removed.extend(removed.drain(..).map(|text| Removed { line: line.max(1), text }));
        gone
    }

    fn settle(&mut self) {
        self.rows.sort_by(|a, b| (a.line, &a.text).cmp(&(b.line, &b.text)));
        self.rows.dedup_by_key(|row| row.line);
        self.removed.sort_by_key(|removed| removed.line);
        let lines = self.rows.iter().map(|row| &row.text).chain(self.removed.iter().map(|gone| &gone.text));
        self.squeezed = lines.map(|line| squeeze(line) + "\n").collect();
    }

    /// Whether any line, old or new, holds `text`, both without their blanks.
    pub(super) fn holds(&self, text: &str) -> bool {
        self.squeezed.contains(text)
    }

    /// The shown line of that number.
    pub(super) fn row(&self, line: u32) -> Option<&Row<'a>> {
        self.rows.binary_search_by_key(&line, |row| row.line).ok().map(|at| &self.rows[at])
    }

    /// The shown lines within `range`.
    pub(super) fn rows_in(&self, range: LineRange) -> &[Row<'a>] {
        let start = self.rows.partition_point(|row| row.line < range.start);
        let end = self.rows.partition_point(|row| row.line <= range.end);
        &self.rows[start..end]
    }

    /// Whether something was removed where `range` lies and no new-side line is left to show it.
    pub(super) fn removal_in(&self, range: LineRange) -> bool {
        let from = self.removed.partition_point(|removed| removed.line < range.start);
        self.removed.get(from).is_some_and(|removed| removed.line <= range.end)
    }

    /// Whether `module` is the file's name without extension, or one of its folders.
    pub(super) fn is_called(&self, module: &str) -> bool {
        self.called.iter().any(|part| part == module)
    }

    /// The function or type around `line`.
    pub(super) fn symbol_at(&self, line: u32) -> Option<String> {
        self.row(line)?.symbol.as_deref().map(str::to_owned)
    }
}

fn text_of(line: HunkLine<'_>) -> Cow<'_, str> {
    String::from_utf8_lossy(line.text.strip_suffix(b"\r").unwrap_or(line.text))
}
