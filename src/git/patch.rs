//! Renders one changed path as a patch that `git apply` accepts: [`render`].
//!
//! libgit2 compares the contents; header, whole-file hunks, links and submodules are written here.

use git2::{Blob, DiffOptions, Oid, Patch, Repository};

use super::attributes::{Declared, Textual};
use super::diff;
use super::error::GitError;
use super::header::{Body, Header, Moved, Side};
use super::lines::Lines;
use super::objects::{self, blob};
use super::trees::{Entry, Pair};
use crate::change::{FilePatch, FileStatus, Hunk, RepoPath};

/// Git looks for a NUL in this many first bytes to tell binary files.
const BINARY_PROBE: usize = 8000;
/// Larger files are shown as binary, as git does by default (`core.bigFileThreshold`), in bytes.
const LARGEST_TEXT: u64 = 512 * 1024 * 1024;
/// Hexadecimal digits of an object id in an `index` line.
const SHORT_ID: usize = 10;

/// Renders `pair`; what `.gitattributes` declare about it comes from the base of the change.
pub(super) fn render(repo: &Repository, pair: &Pair, declared: Declared) -> Result<FilePatch, GitError> {
    let change = Sides { repo, declared };
    let patch = match pair {
        Pair::Added { path, new } => change.render(None, Some((path, *new)), None),
        Pair::Deleted { path, old } => change.render(Some((path, *old)), None, None),
        Pair::Changed { path, old, new } if old.same_kind(*new) => {
            change.render(Some((path, *old)), Some((path, *new)), None)
        }
        Pair::Changed { path, old, new } => {
            let deletion = change.render(Some((path, *old)), None, None)?;
            let creation = change.render(None, Some((path, *new)), None)?;
            Ok(diff::type_change(&deletion, creation))
        }
        Pair::Renamed { old_path, old, path, new, percent } => {
            let moved = Moved::Rename { percent: *percent };
            change.render(Some((old_path, *old)), Some((path, *new)), Some(moved))
        }
    }?;
    Ok(FilePatch { generated: declared.generated, ..patch })
}

/// What both sides of a path are compared with.
struct Sides<'repo> {
    repo: &'repo Repository,
    declared: Declared,
}

/// What one side holds.
enum Text<'repo> {
    /// No file there.
    Absent,
    Blob(Blob<'repo>),
    /// `Subproject commit …` of a submodule.
    Line(Vec<u8>),
    /// Not read: too large.
    Large(u64),
}

impl Text<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Blob(blob) if blob.size() > 0 => blob.content(),
            Self::Line(line) => line,
            Self::Absent | Self::Blob(_) | Self::Large(_) => &[],
        }
    }

    fn size(&self) -> u64 {
        if let Self::Large(size) = self { *size } else { self.bytes().len() as u64 }
    }

    fn looks_binary(&self) -> bool {
        let bytes = self.bytes();
        matches!(self, Self::Large(_)) || bytes[..bytes.len().min(BINARY_PROBE)].contains(&0)
    }
}

impl<'repo> Sides<'repo> {
    fn render(
        &self,
        old: Option<(&RepoPath, Entry)>,
        new: Option<(&RepoPath, Entry)>,
        moved: Option<Moved>,
    ) -> Result<FilePatch, GitError> {
        let (old_entry, new_entry) = (old.map(|(_, entry)| entry), new.map(|(_, entry)| entry));
        let same = old_entry.map(|entry| entry.id) == new_entry.map(|entry| entry.id);
        let (body, hunks, size) = if same {
            (Body::Nothing, Vec::new(), self.size(new_entry)?)
        } else {
            self.compare(old_entry, new_entry)?
        };
        let side = |(path, entry): (&RepoPath, Entry)| Side { path: path.clone(), mode: Some(entry.mode) };
        let header = Header {
            old: old.map(side),
            new: new.map(side),
            moved,
            ids: (!same).then(|| (shown_id(old_entry, body), shown_id(new_entry, body))),
            body,
        };
        Ok(FilePatch { size, ..header.into_patch(hunks) })
    }

    fn compare(&self, old: Option<Entry>, new: Option<Entry>) -> Result<(Body, Vec<Hunk>, u64), GitError> {
        let (old_text, new_text) = (self.text(old)?, self.text(new)?);
        let size = if new.is_some() { new_text.size() } else { old_text.size() };
        let is_file = old.or(new).is_some_and(Entry::is_regular);
        let binary = match self.declared.text {
            Textual::Always if is_file => false,
            Textual::Never if is_file => true,
            Textual::Always | Textual::Never | Textual::Undeclared => {
                old_text.looks_binary() || new_text.looks_binary()
            }
        };
        if binary {
            return Ok((Body::Binary, Vec::new(), size));
        }
        let hunks = match (&old_text, &new_text) {
            (Text::Absent, _) => whole_file(FileStatus::Added, new_text.bytes()),
            (_, Text::Absent) => whole_file(FileStatus::Deleted, old_text.bytes()),
            (Text::Blob(old), Text::Blob(new)) => compare_blobs(old, new)?,
            _ => one_line_change(old_text.bytes(), new_text.bytes()),
        };
        Ok((if hunks.is_empty() { Body::Nothing } else { Body::Hunks }, hunks, size))
    }

    fn text(&self, entry: Option<Entry>) -> Result<Text<'repo>, GitError> {
        let Some(entry) = entry else { return Ok(Text::Absent) };
        if entry.is_submodule() {
            return Ok(Text::Line(format!("Subproject commit {}\n", entry.id).into_bytes()));
        }
        let size = objects::size(self.repo, entry.id)?;
        if size > LARGEST_TEXT {
            return Ok(Text::Large(size));
        }
        blob(self.repo, entry.id).map(Text::Blob)
    }

    fn size(&self, entry: Option<Entry>) -> Result<u64, GitError> {
        match entry {
            Some(entry) if !entry.is_submodule() => objects::size(self.repo, entry.id),
            _ => Ok(0),
        }
    }
}

/// Binary files need the whole id: `git apply` takes their content from the object database.
fn shown_id(entry: Option<Entry>, body: Body) -> String {
    let id = entry.map_or_else(|| Oid::ZERO_SHA1.to_string(), |entry| entry.id.to_string());
    if body == Body::Binary { id } else { id[..SHORT_ID].to_owned() }
}

/// Three lines of context and git's indent heuristic; no path is given, so that no attributes are looked up.
fn compare_blobs(old: &Blob<'_>, new: &Blob<'_>) -> Result<Vec<Hunk>, GitError> {
    let doing = GitError::while_doing("compare two files");
    let mut options = DiffOptions::new();
    options.context_lines(3).indent_heuristic(true).force_text(true);
    let mut patch = Patch::from_blobs(old, None, new, None, Some(&mut options)).map_err(&doing)?;
    let text = patch.to_buf().map_err(&doing)?;
    let mut lines = Lines::new(&text);
    while !lines.peek().is_empty() && !lines.peek().starts_with(b"@@ -") {
        lines.next();
    }
    let mut hunks = diff::hunks(&mut lines)?;
    hunks.iter_mut().for_each(trim_section);
    Ok(hunks)
}

/// Drops the blanks that libgit2, unlike git, leaves at the end of an `@@` line.
fn trim_section(hunk: &mut Hunk) {
    let end = hunk.text.iter().position(|byte| *byte == b'\n').unwrap_or(hunk.text.len());
    let kept = hunk.text[..end].trim_ascii_end().len();
    hunk.text.drain(kept..end);
}

/// The only hunk of a file that is all new or all gone; none for an empty one.
fn whole_file(status: FileStatus, text: &[u8]) -> Vec<Hunk> {
    let count = text.split_inclusive(|byte| *byte == b'\n').count();
    let lines = u32::try_from(count).unwrap_or(u32::MAX);
    if lines == 0 {
        return Vec::new();
    }
    let range = if lines == 1 { "1".to_owned() } else { format!("1,{lines}") };
    let (head, marker, old, new) = if status == FileStatus::Deleted {
        (format!("@@ -{range} +0,0 @@\n"), b'-', (1, lines), (0, 0))
    } else {
        (format!("@@ -0,0 +{range} @@\n"), b'+', (0, 0), (1, lines))
    };
    let mut out = Vec::with_capacity(head.len() + text.len() + count + 32);
    out.extend_from_slice(head.as_bytes());
    push_lines(marker, text, &mut out);
    vec![Hunk { old_start: old.0, old_lines: old.1, new_start: new.0, new_lines: new.1, text: out }]
}

/// The hunk of a one-line text that is replaced by another.
fn one_line_change(old: &[u8], new: &[u8]) -> Vec<Hunk> {
    let mut text = b"@@ -1 +1 @@\n".to_vec();
    push_lines(b'-', old, &mut text);
    push_lines(b'+', new, &mut text);
    vec![Hunk { old_start: 1, old_lines: 1, new_start: 1, new_lines: 1, text }]
}

fn push_lines(marker: u8, text: &[u8], out: &mut Vec<u8>) {
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        out.push(marker);
        out.extend_from_slice(line);
    }
    if !text.ends_with(b"\n") {
        out.extend_from_slice(b"\n\\ No newline at end of file\n");
    }
}
