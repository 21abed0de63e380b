//! The header of one file's difference: [`Header`], written and read in git's form.
//!
//! Reading accepts what git and others write (other prefixes, none, quoted paths); writing always gives git's
//! default form with `core.quotePath=false`, so `parse(write(header)) == header`.

use super::lines::{Lines, trimmed};
use crate::change::{Content, FilePatch, FileStatus, Hunk, RepoPath};

/// One side of a file's difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) path: RepoPath,
    /// Git file mode (`0o100644`); unknown in plain `diff -u` output.
    pub(super) mode: Option<u32>,
}

/// How a file came from another path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    Rename { percent: u32 },
    Copy { percent: u32 },
}

/// What follows the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    Nothing,
    Hunks,
    Binary,
}

/// Everything the header of one file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// `None` for a new file.
    pub(super) old: Option<Side>,
    /// `None` for a deleted file.
    pub(super) new: Option<Side>,
    pub(super) moved: Option<Moved>,
    /// Object ids as the `index` line shows them.
    pub(super) ids: Option<(String, String)>,
    pub(super) body: Body,
}

impl Header {
    /// What happened to the file.
    fn status(&self) -> FileStatus {
        match (&self.old, &self.new, self.moved) {
            (None, ..) => FileStatus::Added,
            (_, None, _) => FileStatus::Deleted,
            (_, _, Some(Moved::Rename { .. })) => FileStatus::Renamed,
            (_, _, Some(Moved::Copy { .. })) => FileStatus::Copied,
            (_, _, None) => FileStatus::Modified,
        }
    }

    /// Path of the new side, or of the old one for a deletion.
    fn path(&self) -> RepoPath {
        let side = self.new.as_ref().or(self.old.as_ref());
        side.map_or_else(|| RepoPath::new(""), |side| side.path.clone())
    }

    /// The file's difference; `size` and `generated` are left for the caller.
    pub(super) fn into_patch(self, hunks: Vec<Hunk>) -> FilePatch {
        FilePatch {
            path: self.path(),
            old_path: self.moved.and(self.old.as_ref()).map(|old| old.path.clone()),
            status: self.status(),
            content: if self.body == Body::Binary { Content::Binary } else { Content::Text },
            generated: false,
            header: self.write(),
            hunks,
            size: 0,
        }
    }

    /// The header as git writes it.
    fn write(&self) -> Vec<u8> {
        let path = self.path();
        let old_path = self.old.as_ref().map_or(&path, |side| &side.path);
        let new_path = self.new.as_ref().map_or(&path, |side| &side.path);
        let (old_name, new_name) = (old_path.in_header("a/"), new_path.in_header("b/"));
        let mut out = [b"diff --git ", &old_name[..], b" ", &new_name, b"\n"].concat();
        self.write_modes(&mut out);
        self.write_move(old_path, new_path, &mut out);
        self.write_ids(&mut out);
        let old_name = if self.old.is_some() { old_name } else { b"/dev/null".to_vec() };
        let new_name = if self.new.is_some() { new_name } else { b"/dev/null".to_vec() };
        match self.body {
            Body::Nothing => {}
            Body::Binary => {
                out.extend_from_slice(
                    &[b"Binary files ", &old_name[..], b" and ", &new_name, b" differ\n"].concat(),
                );
            }
            Body::Hunks => {
                write_name(b"--- ", &old_name, &mut out);
                write_name(b"+++ ", &new_name, &mut out);
            }
        }
        out
    }

    fn write_modes(&self, out: &mut Vec<u8>) {
        let mut line = |words: &str, mode: u32| out.extend(format!("{words} {mode:06o}\n").bytes());
        match (&self.old, &self.new) {
            (None, Some(new)) => line("new file mode", new.mode.unwrap_or(0o100_644)),
            (Some(old), None) => line("deleted file mode", old.mode.unwrap_or(0o100_644)),
            (Some(Side { mode: Some(old), .. }), Some(Side { mode: Some(new), .. })) if old != new => {
                line("old mode", *old);
                line("new mode", *new);
            }
            _ => {}
        }
    }

    fn write_move(&self, old_path: &RepoPath, new_path: &RepoPath, out: &mut Vec<u8>) {
        let (word, percent) = match self.moved {
            None => return,
            Some(Moved::Rename { percent }) => ("rename", percent),
            Some(Moved::Copy { percent }) => ("copy", percent),
        };
        out.extend(format!("similarity index {percent}%\n{word} from ").bytes());
        out.extend(old_path.in_header(""));
        out.extend(format!("\n{word} to ").bytes());
        out.extend(new_path.in_header(""));
        out.push(b'\n');
    }

    fn write_ids(&self, out: &mut Vec<u8>) {
        let Some((old_id, new_id)) = &self.ids else { return };
        out.extend(format!("index {old_id}..{new_id}").bytes());
        if let (Some(Side { mode: Some(old), .. }), Some(Side { mode: Some(new), .. })) =
            (&self.old, &self.new)
            && old == new
        {
            out.extend(format!(" {new:06o}").bytes());
        }
        out.push(b'\n');
    }
}

/// A `---` or `+++` line; a tab follows a name with a space, so that other tools see where it ends.
fn write_name(marker: &[u8], name: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(marker);
    out.extend_from_slice(name);
    if name.contains(&b' ') {
        out.push(b'\t');
    }
    out.push(b'\n');
}

/// What a git header's lines said, before it is known what they mean together.
#[derive(Default)]
struct Said {
    names: Option<(Vec<u8>, Vec<u8>)>,
    created: Option<u32>,
    deleted: Option<u32>,
    old_mode: Option<u32>,
    new_mode: Option<u32>,
    percent: u32,
    from: Option<Vec<u8>>,
    to: Option<Vec<u8>>,
    copied: bool,
    index: Option<(String, String)>,
    minus: Option<Vec<u8>>,
    plus: Option<Vec<u8>>,
    binary: bool,
}

/// Takes a header that begins with `diff --git`, or gives `None` and takes nothing when it is none
/// (a line of prose that only looks like it).
pub(super) fn parse(lines: &mut Lines<'_>) -> Option<Header> {
    let mut ahead = lines.clone();
    let first = trimmed(ahead.next()?).strip_prefix(b"diff --git ")?;
    let mut said = Said { names: names_of(first), ..Said::default() };
    while said.read(&mut ahead) {}
    let header = said.into_header()?;
    *lines = ahead;
    Some(header)
}

impl Said {
    /// Takes one more header line, or says that the next line is none.
    fn read(&mut self, lines: &mut Lines<'_>) -> bool {
        let line = trimmed(lines.peek());
        let after = |prefix: &str| line.strip_prefix(prefix.as_bytes());
        if let Some(mode) = after("new file mode ") {
            self.created = octal(mode);
        } else if let Some(mode) = after("deleted file mode ") {
            self.deleted = octal(mode);
        } else if let Some(mode) = after("old mode ") {
            self.old_mode = octal(mode);
        } else if let Some(mode) = after("new mode ") {
            self.new_mode = octal(mode);
        } else if let Some(percent) = after("similarity index ") {
            self.percent = decimal(percent.strip_suffix(b"%").unwrap_or(percent));
        } else if let Some(path) = after("rename from ").or_else(|| after("copy from ")) {
            self.from = Some(unquoted(path));
        } else if let Some(path) = after("rename to ").or_else(|| after("copy to ")) {
            self.copied = line.starts_with(b"copy");
            self.to = Some(unquoted(path));
        } else if let Some(index) = after("index ") {
            self.read_index(index);
        } else if let Some(path) = after("--- ").filter(|_| are_names(lines)) {
            self.minus = Some(name_field(path));
        } else if let Some(path) = after("+++ ").filter(|_| self.minus.is_some() && self.plus.is_none()) {
            self.plus = Some(name_field(path));
        } else if line.starts_with(b"Binary files ") && line.ends_with(b" differ") {
            self.binary = true;
        } else if line == b"GIT binary patch" {
            self.binary = true;
            skip_binary(lines);
            return true;
        } else {
            return after("dissimilarity index ").is_some() && lines.next().is_some();
        }
        lines.next();
        true
    }

    fn read_index(&mut self, text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        let (ids, mode) = text.split_once(' ').unwrap_or((&text, ""));
        if let Some((old, new)) = ids.split_once("..") {
            self.index = Some((old.to_owned(), new.to_owned()));
        }
        if let Some(mode) = octal(mode.as_bytes()) {
            self.old_mode = Some(mode);
            self.new_mode = Some(mode);
        }
    }

    /// What the lines mean together; `None` when they say nothing about any file.
    fn into_header(self) -> Option<Header> {
        let (old_path, new_path) = self.paths()?;
        let gone = |name: &Option<Vec<u8>>| name.as_deref() == Some(b"/dev/null");
        let created = self.created.is_some() || gone(&self.minus);
        let deleted = self.deleted.is_some() || gone(&self.plus);
        let body = match (self.binary, self.plus.is_some()) {
            (true, _) => Body::Binary,
            (false, true) => Body::Hunks,
            (false, false) => Body::Nothing,
        };
        let moved = self.moved().filter(|_| !created && !deleted);
        let says_nothing = body == Body::Nothing && moved.is_none() && self.old_mode == self.new_mode;
        if created && deleted || says_nothing && !created && !deleted {
            return None;
        }
        let side = |path, mode| Some(Side { path: RepoPath::new(path), mode });
        let old_path = if moved.is_some() || created || deleted { old_path } else { new_path.clone() };
        Some(Header {
            old: if created { None } else { side(old_path, self.deleted.or(self.old_mode)) },
            new: if deleted { None } else { side(new_path, self.created.or(self.new_mode)) },
            moved,
            ids: self.index,
            body,
        })
    }

    fn moved(&self) -> Option<Moved> {
        let percent = self.percent;
        self.from.as_ref().and(self.to.as_ref())?;
        Some(if self.copied { Moved::Copy { percent } } else { Moved::Rename { percent } })
    }

    /// Old and new path, from the lines that tell them most certainly.
    fn paths(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        match (&self.from, &self.to, &self.names) {
            (Some(from), Some(to), _) => Some((from.clone(), to.clone())),
            (_, _, Some((old, new))) => Some((old.clone(), new.clone())),
            _ => Some(stripped_pair(self.minus.as_ref()?, self.plus.as_ref()?)),
        }
    }
}

/// Whether the next lines are `---`, `+++` and a hunk, not prose that begins like them.
fn are_names(lines: &Lines<'_>) -> bool {
    let mut ahead = lines.clone();
    ahead.next();
    ahead.next().is_some_and(|line| line.starts_with(b"+++ ")) && ahead.peek().starts_with(b"@@ -")
}

/// Takes a plain `---`, `+++` pair (`diff -u`), or gives `None` and takes nothing.
pub(super) fn parse_plain(lines: &mut Lines<'_>) -> Option<Header> {
    let mut ahead = lines.clone();
    if !are_names(lines) {
        return None;
    }
    let old = trimmed(ahead.next()?).strip_prefix(b"--- ")?;
    let new = trimmed(ahead.next()?).strip_prefix(b"+++ ")?;
    let (no_old, no_new) = (is_absent(old), is_absent(new));
    let (old_name, new_name) = (name_field(old), name_field(new));
    let path = match (old_name == b"/dev/null", new_name == b"/dev/null") {
        (true, _) => strip_marked(&new_name),
        (_, true) => strip_marked(&old_name),
        _ => stripped_pair(&old_name, &new_name).1,
    };
    if no_old && no_new || path.is_empty() {
        return None;
    }
    *lines = ahead;
    let side = Side { path: RepoPath::new(path), mode: None };
    Some(Header {
        old: (!no_old).then(|| side.clone()),
        new: (!no_new).then_some(side),
        moved: None,
        ids: None,
        body: Body::Hunks,
    })
}

/// `/dev/null`, or the time stamp that `diff -N` gives to a file that is not there.
fn is_absent(field: &[u8]) -> bool {
    let mut parts = field.splitn(2, |byte| *byte == b'\t');
    let name = parts.next().unwrap_or_default();
    name == b"/dev/null" || parts.next().is_some_and(|time| time.starts_with(b"1970-01-01 "))
}

/// The name in a `---` or `+++` line: unquoted, or up to the tab before a time stamp.
fn name_field(field: &[u8]) -> Vec<u8> {
    if field.starts_with(b"\"") {
        return unquoted(field);
    }
    field.split(|byte| *byte == b'\t').next().unwrap_or_default().to_vec()
}

/// Both names without their first part, where both have one and agree about the rest; else as they are.
fn stripped_pair(old: &[u8], new: &[u8]) -> (Vec<u8>, Vec<u8>) {
    match (after_slash(old), after_slash(new)) {
        (Some(old_rest), Some(new_rest))
            if old != new && (old_rest == new_rest || marked(old) && marked(new)) =>
        {
            (old_rest.to_vec(), new_rest.to_vec())
        }
        _ => (old.to_vec(), new.to_vec()),
    }
}

/// A name without git's one-letter prefix (`a/ b/ c/ i/ o/ w/`).
fn strip_marked(name: &[u8]) -> Vec<u8> {
    if marked(name) { name[2..].to_vec() } else { name.to_vec() }
}

fn marked(name: &[u8]) -> bool {
    matches!(name, [b'a' | b'b' | b'c' | b'i' | b'o' | b'w', b'/', _, ..])
}

fn after_slash(name: &[u8]) -> Option<&[u8]> {
    name.iter().position(|byte| *byte == b'/').map(|at| &name[at + 1..]).filter(|rest| !rest.is_empty())
}

/// Both names of a `diff --git` line, prefixes removed. Unquoted names with spaces are only certain when both
/// sides have the same path; otherwise other header lines tell it.
fn names_of(text: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    if text.contains(&b'"') {
        let (old, new) = quoted_names(text)?;
        return Some(stripped_pair(&old, &new));
    }
    let spaces = || (0..text.len()).filter(|at| text[*at] == b' ');
    let same = spaces()
        .map(|at| (&text[..at], &text[at + 1..]))
        .find(|(old, new)| old == new || marked(old) && marked(new) && after_slash(old) == after_slash(new));
    let (old, new) = same.or_else(|| {
        let mut all = spaces();
        all.next().filter(|_| all.next().is_none()).map(|at| (&text[..at], &text[at + 1..]))
    })?;
    Some(stripped_pair(old, new))
}

/// Two names of which at least one is quoted.
fn quoted_names(text: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    if text.starts_with(b"\"") {
        let end = closing_quote(text)?;
        let second = text[end + 1..].strip_prefix(b" ")?;
        return Some((unquoted(&text[..=end]), unquoted(second)));
    }
    let at = text.windows(2).position(|pair| pair == b" \"")?;
    Some((text[..at].to_vec(), unquoted(&text[at + 1..])))
}

fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// The bytes behind a C-style quoted name; an unquoted one as it is.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let Some(end) = text.starts_with(b"\"").then(|| closing_quote(text)).flatten() else {
        return text.to_vec();
    };
    let mut out = Vec::with_capacity(end);
    let mut bytes = text[1..end].iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(digit @ b'0'..=b'7') => {
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    if let Some(digit) = bytes.next_if(|next| (b'0'..=b'7').contains(next)) {
                        value = value * 8 + u32::from(digit - b'0');
                    }
                }
                out.push((value & 0xff) as u8);
            }
            Some(letter) => out.push(escaped(letter)),
            None => {}
        }
    }
    out
}

fn escaped(letter: u8) -> u8 {
    match letter {
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        other => other,
    }
}

/// Passes over the encoded bytes of a binary patch: up to two blocks, each ended by an empty line.
fn skip_binary(lines: &mut Lines<'_>) {
    lines.next();
    while lines.peek().starts_with(b"literal ") || lines.peek().starts_with(b"delta ") {
        while lines.next().is_some_and(|line| !trimmed(line).is_empty()) {}
    }
}

fn octal(text: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(text).ok()?, 8).ok().filter(|mode| *mode <= 0o177_777)
}

fn decimal(text: &[u8]) -> u32 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).filter(|n| *n <= 100).unwrap_or(0)
}
