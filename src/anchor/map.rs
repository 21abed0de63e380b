//! The change as a map of places: [`Places`], a [`FileMap`] for each changed file, a [`Row`] for each new-side line.
//!
//! Hunks of one file that stand in several bundles are put together again. It judges no finding.

use std::{
    borrow::Cow,
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
};

use super::{
    counting::{Counting, Numbers},
    define::words,
    language::Language,
    paths::Paths,
    quote,
    symbol::{self, Defined},
};
use crate::{
    bundle::Bundle,
    change::{FilePatch, FileStatus, Hunk, HunkLine, LineKind},
    finding::LineRange,
};

/// Every line that the bundles of a run show, by file and new-side line.
#[derive(Debug, Default)]
pub struct Places<'a> {
    files: BTreeMap<String, FileMap<'a>>,
    bundles: HashMap<&'a str, Shows>,
    paths: Paths,
}

/// What a bundle shows.
#[derive(Debug, Default)]
struct Shows {
    /// The bundle's number among all, from 0.
    number: u32,
    paths: BTreeSet<String>,
}

/// The shown part of one file.
#[derive(Debug, Default)]
pub(super) struct FileMap<'a> {
    /// New-side lines, ascending.
    pub(super) rows: Vec<Row<'a>>,
    /// Removed lines, by the new-side line that took their place.
    pub(super) removed: Vec<Removed<'a>>,
    /// Every line of its hunks, in the order of the diff.
    pub(super) shown: Vec<Shown<'a>>,
    /// What numbers mean, however they count.
    pub(super) numbers: Numbers,
    /// By word, the positions in `shown` of the lines that have it; made when first asked for.
    by_word: OnceCell<Positions>,
    /// By name, the positions in `rows` of the lines that have it or are in what is called so; made when first asked for.
    by_name: OnceCell<Positions>,
    language: Language,
    /// Its path's folders and its name without extension: what modules are often called after.
    called: Vec<String>,
    /// All lines without their blanks, to find out quickly that a quote stands nowhere; made when first asked for.
    squeezed: OnceCell<String>,
    /// Where each line ends in `squeezed`: those of `rows`, then those of `removed`.
    ends: OnceCell<Vec<usize>>,
    /// By all of their text without blanks, the lines as numbered in `ends`.
    by_code: OnceCell<Positions>,
}

/// Ascending positions of lines by a word.
type Positions = HashMap<String, Vec<usize>>;

/// A line of a hunk as the diff shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown<'a> {
    /// Its new-side number; for a removed line as in [`Removed`].
    pub(super) line: u32,
    pub(super) removed: bool,
    /// Without line end.
    pub(super) text: Cow<'a, str>,
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

/// Code that more lines hold tells none of them.
const MOST_HOLDING: usize = 256;

/// Most bytes of a line that are kept as a finding's code: a generated line may be a whole file.
const LONGEST_CODE: usize = 1_000;

/// A line as a finding keeps it.
pub(super) fn code(line: &str) -> String {
    line[..line.floor_char_boundary(LONGEST_CODE)].trim_end().to_owned()
}

/// `text` without its blanks.
pub(crate) fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

impl<'a> Places<'a> {
    /// Maps the files of `bundles`.
    pub fn new(bundles: impl IntoIterator<Item = &'a Bundle>) -> Self {
        let mut places = Self::default();
        for (number, bundle) in (0..).zip(bundles) {
            let mut shows = Shows { number, ..Shows::default() };
            let mut above = 0;
            for file in &bundle.files {
                let path = file.path.to_string();
                let old_path = file.old_path.as_ref().filter(|_| file.status == FileStatus::Renamed);
                places.paths.add(&path, old_path.map(ToString::to_string).as_deref());
                shows.paths.insert(path.clone());
                let map = places.files.entry(path).or_insert_with_key(|path| FileMap::of(path));
                above = map.add(file, number, above);
            }
            places.bundles.insert(&bundle.id, shows);
        }
        places.files.values_mut().for_each(FileMap::settle);
        places
    }

    /// The number of the bundle of that name.
    pub(super) fn number_of(&self, bundle: &str) -> Option<u32> {
        self.bundles.get(bundle).map(|shows| shows.number)
    }

    /// Whether the change has a file that is shown as `path`.
    pub(super) fn has_file(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// The changed file that `path` means. No path at all means the only file of `bundle`.
    pub(super) fn file_of(&self, path: &str, bundle: &str) -> Option<(&str, &FileMap<'a>)> {
        let path = if path.is_empty() {
            let mut own = self.bundles.get(bundle)?.paths.iter();
            own.next().filter(|_| own.next().is_none())?
        } else {
            self.paths.find(path)?
        };
        self.files.get_key_value(path).map(|(path, file)| (path.as_str(), file))
    }
}

impl<'a> FileMap<'a> {
    fn of(path: &str) -> Self {
        let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        let called = stem.split('/').map(str::to_owned).collect();
        Self { called, language: Language::of(path), ..Self::default() }
    }

    /// Adds what bundle `bundle` shows of the file, below `above` lines of its text; gives the lines down to its end.
    fn add(&mut self, file: &'a FilePatch, bundle: u32, above: u32) -> u32 {
        let header = lines_in(&file.header);
        let mut at = above + header;
        for hunk in &file.hunks {
            let from = self.shown.len();
            self.add_hunk(hunk);
            let body = hunk.text.split_inclusive(|byte| *byte == b'\n').zip(1..).skip(1);
            let numbers = body.filter(|(line, _)| !line.starts_with(b"\\")).map(|(_, number)| at + number);
            for (position, number) in (from..self.shown.len()).zip(numbers) {
                self.numbers.add(Counting::Diff, bundle, number, position);
                self.numbers.add(Counting::Part, bundle, number - above, position);
                self.numbers.add(Counting::Position, bundle, number - above - header - 1, position);
            }
            at += lines_in(&hunk.text);
        }
        at
    }

    fn add_hunk(&mut self, hunk: &'a Hunk) {
        let first = self.rows.len();
        let mut waiting = Vec::new();
        for line in hunk.lines() {
            let position = self.shown.len();
            let text = text_of(line);
            if let Some(old) = line.old {
                self.numbers.add(Counting::Old, 0, old, position);
            }
            let shown =
                Shown { line: line.new.unwrap_or_default(), removed: line.new.is_none(), text: text.clone() };
            self.shown.push(shown);
            let Some(number) = line.new else {
                waiting.push(position);
                continue;
            };
            self.numbers.add(Counting::New, 0, number, position);
            let added = line.kind == LineKind::Added;
            let gone = self.close_removal(&mut waiting, first, number, added);
            self.rows.push(Row { line: number, changed: added || gone, text, symbol: None, defined: None });
        }
        let last = hunk.new_start.saturating_add(hunk.new_lines.saturating_sub(1));
        self.close_removal(&mut waiting, first, last, false);
        symbol::enclose(&mut self.rows[first..], &hunk.section(), self.language);
    }

    /// Puts a run of removed lines at `line`. Where nothing was added in its place the lines around it are changed ones;
    /// says whether that is so.
    fn close_removal(&mut self, removed: &mut Vec<usize>, first: usize, line: u32, replaced: bool) -> bool {
        let gone = !replaced && !removed.is_empty();
        if let Some(before) = self.rows[first..].last_mut() {
            before.changed |= gone;
        }
        for position in removed.drain(..) {
            let shown = &mut self.shown[position];
            shown.line = line.max(1);
            self.removed.push(Removed { line: shown.line, text: shown.text.clone() });
        }
        gone
    }

    fn settle(&mut self) {
        self.rows.sort_by(|a, b| (a.line, &a.text).cmp(&(b.line, &b.text)));
        self.rows.dedup_by_key(|row| row.line);
        self.removed.sort_by_key(|removed| removed.line);
        self.numbers.settle();
    }

    /// Positions in `shown` of the lines that have `word`, ascending.
    pub(super) fn lines_with(&self, word: &str) -> &[usize] {
        let index = || positions(self.shown.iter().map(|line| words(&line.text)));
        self.by_word.get_or_init(index).get(word).map(Vec::as_slice).unwrap_or_default()
    }

    /// The rows that define `name`, have it, or are in what is called so, ascending.
    pub(super) fn rows_naming(&self, name: &str) -> impl Iterator<Item = &Row<'a>> {
        let index = || {
            positions(self.rows.iter().map(|row| {
                let defined = row.defined.as_ref().map(|one| &*one.name);
                words(&row.text).chain(row.symbol.as_deref()).chain(defined)
            }))
        };
        let found = self.by_name.get_or_init(index).get(name).map(Vec::as_slice).unwrap_or_default();
        found.iter().map(|at| &self.rows[*at])
    }

    fn squeezed(&self) -> &str {
        let lines = self.rows.iter().map(|row| &row.text).chain(self.removed.iter().map(|gone| &gone.text));
        self.squeezed.get_or_init(|| lines.map(|line| squeeze(line) + "\n").collect())
    }

    /// The new-side and the removed lines that are `text` or, at most 256 of them, hold it; all without their blanks.
    pub(super) fn lines_holding(&self, text: &str) -> (Vec<&Row<'a>>, Vec<&Removed<'a>>) {
        let squeezed = self.squeezed();
        let index = || positions(squeezed.lines().map(std::iter::once));
        let mut lines = self.by_code.get_or_init(index).get(text).cloned().unwrap_or_default();
        if quote::is_telling(text) {
            let newlines = || squeezed.match_indices('\n').map(|(at, _)| at + 1).collect();
            let ends = self.ends.get_or_init(newlines);
            let holding = squeezed.match_indices(text).take(MOST_HOLDING);
            lines.extend(holding.map(|(at, _)| ends.partition_point(|end| *end <= at)));
            lines.sort_unstable();
            lines.dedup();
        }
        let first_removed = lines.partition_point(|line| *line < self.rows.len());
        let (new, old) = lines.split_at(first_removed);
        (
            new.iter().map(|line| &self.rows[*line]).collect(),
            old.iter().map(|line| &self.removed[*line - self.rows.len()]).collect(),
        )
    }

    /// Whether `text` stands in exactly one place, both without their blanks.
    pub(super) fn holds_once(&self, text: &str) -> bool {
        self.squeezed().matches(text).take(2).count() == 1
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

fn lines_in(text: &[u8]) -> u32 {
    let newlines = text.split_inclusive(|byte| *byte == b'\n').count();
    u32::try_from(newlines).unwrap_or(u32::MAX)
}

fn text_of(line: HunkLine<'_>) -> Cow<'_, str> {
    String::from_utf8_lossy(line.text.strip_suffix(b"\r").unwrap_or(line.text))
}

/// The positions of lines by each of their words.
fn positions<'w, W: Iterator<Item = &'w str>>(lines: impl Iterator<Item = W>) -> Positions {
    let mut found = Positions::new();
    for (position, words) in lines.enumerate() {
        for word in words {
            match found.get_mut(word) {
                Some(known) if known.last() == Some(&position) => {}
                Some(known) => known.push(position),
                None => {
                    found.insert(word.to_owned(), vec![position]);
                }
            }
        }
    }
    found
}
