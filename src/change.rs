//! A change: what differs between two states of a repository, as text that `git apply` accepts.
//!
//! The main type is [`Change`]. This module holds the values only: reading a repository is
//! `git`'s work, cutting a change into bundles is `bundle`'s.

use std::fmt;

/// A path inside a repository: bytes separated by `/`, relative, never UTF-8 by promise.
///
/// `Display` shows it as a person would type it when it is printable UTF-8, and as git's quoted
/// form (`"a\tb"`) otherwise, so no path can break a line or reach a terminal as an escape.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(Vec<u8>);

impl RepoPath {
    /// Wraps the bytes of a path as git stores them.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The path that `Display` shows as `text`. Text that is not a whole quoted form is taken as it stands.
    pub fn from_display(text: &str) -> Self {
        let quoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        Self(quoted.and_then(unescape).unwrap_or_else(|| text.as_bytes().to_vec()))
    }

    /// The bytes as git stores them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The last part of the path.
    pub fn file_name(&self) -> &[u8] {
        self.0.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// The folder the path stands in, without a trailing `/`; empty at the root.
    pub fn parent(&self) -> &[u8] {
        self.0.iter().rposition(|byte| *byte == b'/').map_or(&[], |at| &self.0[..at])
    }

    /// The path for a diff header behind `prefix` (`a/` or `b/`): quoted like git with
    /// `core.quotePath=false`, that is only when a control character, `"`, `\` or a byte that is
    /// not UTF-8 is in it. No trailing tab is added.
    pub fn in_header(&self, prefix: &str) -> Vec<u8> {
        if !self.needs_quotes() {
            return [prefix.as_bytes(), &self.0].concat();
        }
        format!("\"{prefix}{}\"", self.escaped()).into_bytes()
    }

    fn needs_quotes(&self) -> bool {
        std::str::from_utf8(&self.0)
            .map_or(true, |text| text.chars().any(|c| c.is_control() || c == '"' || c == '\\'))
    }

    fn escaped(&self) -> String {
        let mut out = String::with_capacity(self.0.len() + 8);
        for chunk in self.0.utf8_chunks() {
            chunk.valid().chars().for_each(|c| escape_char(c, &mut out));
            chunk.invalid().iter().for_each(|byte| push_octal(*byte, &mut out));
        }
        out
    }
}

fn escape_char(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        c if c.is_control() => {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                push_octal(byte, out);
            }
        }
        c => out.push(c),
    }
}

fn push_octal(byte: u8, out: &mut String) {
    let digit = |shift: u8| char::from(b'0' + (byte >> shift & 7));
    out.extend(['\\', digit(6), digit(3), digit(0)]);
}

/// The bytes of git's quoted form, without its quotes; `None` when an escape is not one of git's.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next()? {
                b't' => b'\t',
                b'n' => b'\n',
                b'r' => b'\r',
                plain @ (b'"' | b'\\') => plain,
                high @ b'0'..=b'3' => octal(high, bytes.next()?, bytes.next()?)?,
                _ => return None,
            },
            plain => plain,
        });
    }
    Some(out)
}

fn octal(high: u8, middle: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| (b'0'..=b'7').contains(&byte).then(|| byte - b'0');
    Some(digit(high)? * 64 + digit(middle)? * 8 + digit(low)?)
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.needs_quotes() {
            return write!(f, "\"{}\"", self.escaped());
        }
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<&str> for RepoPath {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

/// Everything a review looks at: the files that differ and what the authors said about them.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Which states were compared.
    pub range: RangeInfo,
    /// One entry a changed file, ordered by path bytes.
    pub files: Vec<FilePatch>,
    /// The commits of the range, oldest first; empty for index, worktree and diff files.
    pub commits: Vec<Commit>,
    /// Remarks for people that do not stop a review, such as a shallow clone's missing history.
    pub notes: Vec<String>,
}

/// Which two states were compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RangeInfo {
    /// Full commit id of the old side; `None` for the empty tree and for diff files.
    pub base: Option<String>,
    /// Full commit id of the new side; `None` for index, worktree and diff files.
    pub head: Option<String>,
    /// The range as the user wrote it, or as it was derived (`HEAD~1..HEAD`).
    pub spec: String,
}

/// One commit of the range, told to reviewers as the author's intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Full commit id.
    pub id: String,
    /// Whole message, invalid UTF-8 replaced.
    pub message: String,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileStatus {
    /// Not there before.
    Added,
    /// Not there any more.
    Deleted,
    /// Other content, same path.
    Modified,
    /// Moved, perhaps edited.
    Renamed,
    /// Copied from a file that stays, perhaps edited.
    Copied,
    /// Another kind of object at the same path (file, link, submodule).
    TypeChanged,
}

impl FileStatus {
    /// The word used in manifests and tallies.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Deleted => "deleted",
            Self::Modified => "modified",
            Self::Renamed => "renamed",
            Self::Copied => "copied",
            Self::TypeChanged => "type-changed",
        }
    }
}

/// Whether a file's difference can be shown as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Text: `hunks` tells the whole difference (none for a pure rename or mode change).
    Text,
    /// Binary by content or attribute: no hunks.
    Binary,
}

/// The difference of one file.
///
/// `header` and the hunks' texts, put one after the other, are a patch that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePatch {
    /// Path on the new side; on the old side for a deletion.
    pub path: RepoPath,
    /// Path on the old side, where it is another one (renames and copies).
    pub old_path: Option<RepoPath>,
    /// What happened.
    pub status: FileStatus,
    /// Text or not.
    pub content: Content,
    /// Declared `linguist-generated` by the base's `.gitattributes`.
    pub generated: bool,
    /// Header lines from `diff --git` up to `+++`, each with its newline. For a type change, which git shows as a
    /// deletion and a creation, the whole deletion stands here before the creation's header.
    pub header: Vec<u8>,
    /// Hunks in file order.
    pub hunks: Vec<Hunk>,
    /// Bytes of the file on the new side (old side for a deletion); 0 when unknown.
    pub size: u64,
}

impl FilePatch {
    /// Lines added and removed.
    pub fn counts(&self) -> (usize, usize) {
        let count =
            |wanted| self.hunks.iter().flat_map(Hunk::lines).filter(|line| line.kind == wanted).count();
        (count(LineKind::Added), count(LineKind::Removed))
    }

    /// Bytes of header and hunks as written to a bundle.
    pub fn byte_len(&self) -> usize {
        self.header.len() + self.hunks.iter().map(|hunk| hunk.text.len()).sum::<usize>()
    }
}

/// One hunk with its `@@` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// First line on the old side, 1-based; 0 when `old_lines` is 0 at the file's start.
    pub old_start: u32,
    /// Lines on the old side.
    pub old_lines: u32,
    /// First line on the new side, 1-based; 0 when `new_lines` is 0 at the file's start.
    pub new_start: u32,
    /// Lines on the new side.
    pub new_lines: u32,
    /// The `@@` line and all lines after it, as bytes, each with its newline.
    pub text: Vec<u8>,
}

impl Hunk {
    /// What git shows behind the second `@@`: usually the enclosing function, lossy UTF-8.
    pub fn section(&self) -> String {
        let head = self.text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let head = String::from_utf8_lossy(head);
        head.splitn(3, "@@").nth(2).unwrap_or_default().trim().to_owned()
    }

    /// The hunk's lines, without the `@@` line and the "No newline" remarks.
    pub fn lines(&self) -> impl Iterator<Item = HunkLine<'_>> {
        let body = self.text.iter().position(|byte| *byte == b'\n').map_or(self.text.len(), |at| at + 1);
        let (mut old, mut new) = (self.old_start, self.new_start);
        self.text[body..].split_inclusive(|byte| *byte == b'\n').filter_map(move |raw| {
            let text = raw.get(1..).unwrap_or_default();
            let text = text.strip_suffix(b"\n").unwrap_or(text);
            let (kind, sides) = match raw.first()? {
                b'+' => (LineKind::Added, (None, Some(new))),
                b'-' => (LineKind::Removed, (Some(old), None)),
                b'\\' => return None,
                _ => (LineKind::Context, (Some(old), Some(new))),
            };
            old = old.saturating_add(u32::from(sides.0.is_some()));
            new = new.saturating_add(u32::from(sides.1.is_some()));
            Some(HunkLine { kind, old: sides.0, new: sides.1, text })
        })
    }
}

/// Which side of a change a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// On both sides.
    Context,
    /// On the new side only.
    Added,
    /// On the old side only.
    Removed,
}

/// One line of a hunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HunkLine<'a> {
    /// Context, added or removed.
    pub kind: LineKind,
    /// Line number on the old side, 1-based.
    pub old: Option<u32>,
    /// Line number on the new side, 1-based.
    pub new: Option<u32>,
    /// The line without its marker and newline (a carriage return stays).
    pub text: &'a [u8],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_on_one_line_and_come_back() {
        let check = |bytes: &[u8], expect: &str| {
            let path = RepoPath::new(bytes);
            assert_eq!(path.to_string(), expect);
            assert_eq!(RepoPath::from_display(expect), path);
        };
        check(b"src/lib.rs", "src/lib.rs");
        check("döcs/with space.md".as_bytes(), "döcs/with space.md");
        check(b"a\nb\tc\x1b", r#""a\nb\tc\033""#);
        check(b"say \"hi\"\\", r#""say \"hi\"\\""#);
        check(b"\xff.txt", r#""\377.txt""#);
    }

    #[test]
    fn lines_carry_both_numbers() {
        let hunk = Hunk {
            old_start: 3,
            old_lines: 2,
            new_start: 4,
            new_lines: 2,
            text: b"@@ -3,2 +4,2 @@ fn f()\n a\n-b\n+c\n\\ No newline at end of file\n".to_vec(),
        };
        let lines: Vec<_> = hunk.lines().map(|line| (line.kind, line.old, line.new, line.text)).collect();
        let expect: [(_, _, _, &[u8]); 3] = [
            (LineKind::Context, Some(3), Some(4), b"a"),
            (LineKind::Removed, Some(4), None, b"b"),
            (LineKind::Added, None, Some(5), b"c"),
        ];
        assert_eq!(lines, expect);
        assert_eq!(hunk.section(), "fn f()");
    }
}
