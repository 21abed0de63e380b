//! Shows more of the code around each hunk: [`grow`] widens hunks to their function or file, as far as the size allows.
//!
//! Only unchanged lines of the old file are added, so a grown bundle is a diff that applies as before and its changed lines
//! are the same. Where the old file comes from is decided elsewhere; where a function ends is `anchor`'s knowledge.

use std::{collections::HashMap, ops::Range};

use serde::Deserialize;

use super::{Bundle, Limits, guard};
use crate::{
    anchor,
    change::{Content, FilePatch, FileStatus, Hunk, LineKind, RepoPath},
};

/// Functions longer than this, in lines, are not shown whole: most of them are modules and classes.
const LONGEST_FUNCTION: usize = 300;

/// How much is shown around a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Context {
    /// Three lines, as in any diff.
    #[default]
    Hunk,
    /// The enclosing function or type.
    Function,
    /// The whole file.
    File,
}

impl Context {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Hunk, Self::Function, Self::File];

    /// The word used in configuration and manifests.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hunk => "hunk",
            Self::Function => "function",
            Self::File => "file",
        }
    }
}

/// What became of the hunks of files that were there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Growth {
    /// What was asked for.
    pub context: Context,
    /// Hunks that show what was asked for.
    pub grown: usize,
    /// Hunks left because their bundle would pass the warning size.
    pub too_large: usize,
    /// Hunks left because no function was found around them, or its end could not be told.
    pub not_found: usize,
    /// Hunks left because another bundle shows a change within the same function or file.
    pub shared: usize,
    /// Hunks left because the old file's text is not at hand.
    pub without_text: usize,
    /// Bytes that the bundles are larger for it.
    pub bytes: usize,
}

impl Growth {
    /// All hunks that could have grown.
    pub fn hunks(&self) -> usize {
        self.grown + self.too_large + self.not_found + self.shared + self.without_text
    }
}

/// Widens the hunks of `bundles`, in their order, each while its bundle stays within the warning size. `old_text` gives the
/// content of a file before the change.
pub fn grow(
    bundles: &mut [Bundle],
    context: Context,
    (limits, force): (&Limits, bool),
    mut old_text: impl FnMut(&RepoPath) -> Option<Vec<u8>>,
) -> Growth {
    let mut growth = Growth { context, ..Growth::default() };
    if context == Context::Hunk {
        return growth;
    }
    let all = hunks_by_file(bundles);
    for bundle in bundles {
        let before = bundle.byte_len();
        let mut room = limits.warn_bytes.saturating_sub(before);
        for file in bundle.files.iter_mut().filter(|file| can_grow(file)) {
            let old_path = file.old_path.as_ref().unwrap_or(&file.path);
            let old = old_text(old_path)
                .and_then(|text| OldFile::new(file.path.to_string(), text, all.get(&file.path)?));
            match old {
                Some(old) => room = old.grow(file, room, &mut growth),
                None => growth.without_text += file.hunks.len(),
            }
        }
        growth.bytes += bundle.byte_len().saturating_sub(before);
        bundle.guard = guard::judge(bundle.byte_len(), limits, force);
    }
    growth
}

fn can_grow(file: &FilePatch) -> bool {
    let was_there = match file.status {
        FileStatus::Modified | FileStatus::Renamed | FileStatus::Copied => true,
        FileStatus::Added | FileStatus::Deleted | FileStatus::TypeChanged => false,
    };
    was_there && file.content == Content::Text && !file.hunks.is_empty()
}

fn hunks_by_file(bundles: &[Bundle]) -> HashMap<RepoPath, Vec<Hunk>> {
    let mut all: HashMap<RepoPath, Vec<Hunk>> = HashMap::new();
    for file in bundles.iter().flat_map(|bundle| &bundle.files).filter(|file| can_grow(file)) {
        all.entry(file.path.clone()).or_default().extend(file.hunks.iter().cloned());
    }
    for hunks in all.values_mut() {
        hunks.sort_by_key(|hunk| (hunk.old_start, hunk.new_start));
    }
    all
}

/// The old lines that a hunk shows, counted from 0.
fn shown(hunk: &Hunk) -> Range<usize> {
    // Without old lines the number is that of the line before.
    let from = hunk.old_start.saturating_sub(u32::from(hunk.old_lines > 0)) as usize;
    from..from + hunk.old_lines as usize
}

/// A file before the change, and how its lines became those after it.
struct OldFile {
    /// The file's path, which says in which language it is written.
    path: String,
    text: Vec<u8>,
    /// Where each line starts, and the text's end.
    starts: Vec<usize>,
    /// All hunks of the file, in every bundle.
    hunks: Vec<Hunk>,
    /// The file after the change.
    new_lines: Vec<String>,
    /// By new line, the old line at its place.
    old_of_new: Vec<usize>,
}

impl OldFile {
    /// `None` when the hunks are not of this text.
    fn new(path: String, text: Vec<u8>, hunks: &[Hunk]) -> Option<Self> {
        let ends = text.split_inclusive(|byte| *byte == b'\n').scan(0, |at, line| {
            *at += line.len();
            Some(*at)
        });
        let starts = std::iter::once(0).chain(ends).collect();
        let hunks = hunks.to_vec();
        let mut file = Self { path, text, starts, hunks, new_lines: Vec::new(), old_of_new: Vec::new() };
        file.apply().then_some(file)
    }

    fn lines(&self) -> usize {
        self.starts.len() - 1
    }

    /// A line with its end.
    fn line(&self, at: usize) -> &[u8] {
        &self.text[self.starts[at]..self.starts[at + 1]]
    }

    /// Fills in the new side; false when a hunk does not fit.
    fn apply(&mut self) -> bool {
        let mut at = 0;
        for hunk in self.hunks.clone() {
            let range = shown(&hunk);
            if range.start < at || range.end > self.lines() {
                return false;
            }
            (at..range.start).for_each(|old| self.push_old(old));
            at = range.start;
            for line in hunk.lines() {
                let fits = at < self.lines() && without_end(self.line(at)) == without_end(line.text);
                match line.kind {
                    LineKind::Added => self.push(line.text, at),
                    LineKind::Context | LineKind::Removed if !fits => return false,
                    LineKind::Context => {
                        self.push_old(at);
                        at += 1;
                    }
                    LineKind::Removed => at += 1,
                }
            }
            if at != range.end {
                return false;
            }
        }
        (at..self.lines()).for_each(|old| self.push_old(old));
        true
    }

    fn push_old(&mut self, at: usize) {
        let line = without_end(self.line(at)).to_vec();
        self.push(&line, at);
    }

    fn push(&mut self, line: &[u8], old: usize) {
        self.new_lines.push(String::from_utf8_lossy(without_end(line)).into_owned());
        self.old_of_new.push(old);
    }

    /// Grows the hunks of `file` within `room` bytes; gives the room that is left.
    fn grow(&self, file: &mut FilePatch, mut room: usize, growth: &mut Growth) -> usize {
        let most = file.byte_len() + room;
        let own: Vec<Range<usize>> = file.hunks.iter().map(shown).collect();
        let is_own = |range: &Range<usize>| own.contains(range);
        let others: Vec<Range<usize>> = self.hunks.iter().map(shown).filter(|range| !is_own(range)).collect();
        let blocks = self.blocks(growth.context);
        let mut ranges = own.clone();
        for at in 0..ranges.len() {
            let Some(wanted) = self.wanted(&file.hunks[at], growth.context, &blocks) else {
                growth.not_found += 1;
                continue;
            };
            if others.iter().any(|other| other.start <= wanted.end && wanted.start <= other.end) {
                growth.shared += 1;
                continue;
            }
            let cost = self.cost(&wanted, &ranges);
            if cost > room {
                growth.too_large += 1;
                continue;
            }
            room -= cost;
            ranges[at] = wanted;
            growth.grown += 1;
        }
        file.hunks = self.merged(&file.hunks, ranges);
        // What was allowed for and not needed is there for the next file.
        most.saturating_sub(file.byte_len())
    }

    /// By new line, the lines of the function around it.
    fn blocks(&self, context: Context) -> Vec<Option<Range<usize>>> {
        let lines: Vec<&str> = self.new_lines.iter().map(String::as_str).collect();
        match context {
            Context::Function => anchor::blocks(&self.path, &lines),
            Context::Hunk | Context::File => Vec::new(),
        }
    }

    /// The old lines that `hunk` should show.
    fn wanted(&self, hunk: &Hunk, context: Context, blocks: &[Option<Range<usize>>]) -> Option<Range<usize>> {
        let own = shown(hunk);
        match context {
            Context::Hunk => Some(own),
            Context::File => Some(0..self.lines()),
            Context::Function => {
                let around = changed(hunk).into_iter().filter_map(|at| blocks.get(at)?.clone());
                let block = around.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end))?;
                let is_short = block.len() <= LONGEST_FUNCTION;
                let last = block.end.checked_sub(1).and_then(|last| self.old_of_new.get(last))?;
                let wanted = *self.old_of_new.get(block.start)?..(last + 1).min(self.lines());
                is_short.then(|| wanted.start.min(own.start)..wanted.end.max(own.end))
            }
        }
    }

    /// Bytes that showing `wanted` adds to what `ranges` show, at most.
    fn cost(&self, wanted: &Range<usize>, ranges: &[Range<usize>]) -> usize {
        let is_shown = |at: &usize| ranges.iter().any(|range| range.contains(at));
        let lines = wanted.clone().filter(|at| !is_shown(at)).map(|at| self.line(at).len() + 1);
        // Numbers in the `@@` line may get longer, and the file's end may have to be remarked on.
        lines.sum::<usize>() + 48
    }

    /// The hunks with their ranges widened, those that touch put together.
    fn merged(&self, hunks: &[Hunk], ranges: Vec<Range<usize>>) -> Vec<Hunk> {
        let mut groups: Vec<(Range<usize>, Vec<&Hunk>)> = Vec::new();
        for (hunk, range) in hunks.iter().zip(ranges) {
            // Of a range that took in earlier hunks, their group is part.
            let mut group = (range, vec![hunk]);
            while let Some(last) =
                groups.pop_if(|last| group.0.start <= last.0.end && last.0.start <= group.0.end)
            {
                group.0 = last.0.start.min(group.0.start)..last.0.end.max(group.0.end);
                group.1.splice(0..0, last.1);
            }
            groups.push(group);
        }
        groups.into_iter().map(|(range, hunks)| self.hunk(range, &hunks)).collect()
    }

    /// One hunk that shows the old lines `range` with the changes of `hunks`.
    fn hunk(&self, range: Range<usize>, hunks: &[&Hunk]) -> Hunk {
        let first = hunks[0];
        if hunks.len() == 1 && range == shown(first) {
            return first.clone();
        }
        let mut body = Vec::new();
        let mut at = range.start;
        for hunk in hunks {
            let own = shown(hunk);
            (at..own.start).for_each(|line| self.push_context(line, &mut body));
            let head =
                hunk.text.iter().position(|byte| *byte == b'\n').map_or(hunk.text.len(), |end| end + 1);
            body.extend_from_slice(&hunk.text[head..]);
            at = own.end;
        }
        (at..range.end).for_each(|line| self.push_context(line, &mut body));
        let old_lines = number(range.len());
        let added: i64 = hunks.iter().map(|hunk| i64::from(hunk.new_lines) - i64::from(hunk.old_lines)).sum();
        let new_lines = u32::try_from(i64::from(old_lines) + added).unwrap_or_default();
        let new_first = first.new_start.saturating_sub(u32::from(first.new_lines > 0)) as usize;
        let new_first = number((new_first + range.start).saturating_sub(shown(first).start));
        let old_start = number(range.start) + u32::from(old_lines > 0);
        let new_start = new_first + u32::from(new_lines > 0);
        let head = format!("@@ -{} +{} @@\n", span(old_start, old_lines), span(new_start, new_lines));
        Hunk { old_start, old_lines, new_start, new_lines, text: [head.into_bytes(), body].concat() }
    }

    fn push_context(&self, at: usize, out: &mut Vec<u8>) {
        let line = self.line(at);
        out.push(b' ');
        out.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            out.extend_from_slice(b"\n\\ No newline at end of file\n");
        }
    }
}

/// The new lines, counted from 0, that a hunk adds, and those before what it removes.
fn changed(hunk: &Hunk) -> Vec<usize> {
    let mut at = hunk.new_start.saturating_sub(u32::from(hunk.new_lines > 0)) as usize;
    let mut changed = Vec::new();
    for line in hunk.lines() {
        match line.kind {
            LineKind::Context => at += 1,
            LineKind::Added => {
                changed.push(at);
                at += 1;
            }
            LineKind::Removed => changed.push(at.saturating_sub(1)),
        }
    }
    changed.dedup();
    changed
}

fn span(start: u32, lines: u32) -> String {
    if lines == 1 { start.to_string() } else { format!("{start},{lines}") }
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn without_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}
