//! What of a change reviewers see, file by file.
//!
//! The main type is [`Shown`]. A remark about the whole change needs a line that stands in a bundle; this finds one.

use std::collections::BTreeSet;

use super::rules::RuleSet;
use crate::{
    bundle::{
        Split,
        source::{Language, Purpose},
    },
    change::{FilePatch, FileStatus, Hunk, LineKind, RepoPath},
    finding::Severity,
    provider::remark::Remark,
};

/// A change as its bundles show it.
pub(super) struct Shown<'a> {
    /// In path order; a file that was cut is one entry.
    pub(super) files: Vec<ShownFile<'a>>,
    /// Every path the change touches on either side, also of files that are left out of the bundles.
    touched: BTreeSet<&'a RepoPath>,
}

/// One file that reviewers see.
pub(super) struct ShownFile<'a> {
    pub(super) path: &'a RepoPath,
    /// Its path before the change.
    pub(super) old_path: &'a RepoPath,
    pub(super) status: FileStatus,
    pub(super) language: Language,
    pub(super) purpose: Purpose,
    /// Added lines, in all pieces.
    pub(super) added: usize,
    /// The file, or its pieces.
    pieces: Vec<&'a FilePatch>,
    /// The first changed line of the new side, with its text; `None` for a deleted file.
    first: Option<(u32, &'a [u8])>,
    /// Whether a hunk holds a unit test of a language that keeps them in the source.
    pub(super) holds_tests: bool,
}

impl<'a> Shown<'a> {
    pub(super) fn of(split: &'a Split) -> Self {
        let patches: Vec<&FilePatch> = split.bundles.iter().flat_map(|bundle| &bundle.files).collect();
        let mut files: Vec<ShownFile<'a>> = Vec::new();
        for patch in &patches {
            match files.iter_mut().find(|file| file.path == &patch.path) {
                Some(file) => file.join(patch),
                None => files.push(ShownFile::of(patch)),
            }
        }
        files.sort_by_key(|file| file.path);
        let paths = patches.iter().flat_map(|patch| [Some(&patch.path), patch.old_path.as_ref()]).flatten();
        let touched = paths.chain(split.excluded.iter().map(|excluded| &excluded.path)).collect();
        Self { files, touched }
    }

    pub(super) fn touches(&self, path: &RepoPath) -> bool {
        self.touched.contains(path)
    }

    pub(super) fn touches_tests(&self) -> bool {
        self.touched.iter().any(|path| Purpose::of(path) == Purpose::Tests)
            || self.files.iter().any(|file| file.holds_tests)
    }
}

impl<'a> ShownFile<'a> {
    fn of(patch: &'a FilePatch) -> Self {
        Self {
            path: &patch.path,
            old_path: patch.old_path.as_ref().unwrap_or(&patch.path),
            status: patch.status,
            language: Language::of(&patch.path),
            purpose: Purpose::of(&patch.path),
            added: patch.counts().0,
            pieces: vec![patch],
            first: first_line(patch),
            holds_tests: holds_tests(patch),
        }
    }

    fn join(&mut self, piece: &'a FilePatch) {
        self.pieces.push(piece);
        self.added += piece.counts().0;
        self.holds_tests |= holds_tests(piece);
        let earlier = |line: &(u32, &[u8])| self.first.is_none_or(|first| line.0 < first.0);
        if let Some(line) = first_line(piece).filter(earlier) {
            self.first = Some(line);
        }
    }

    /// Whether it is part of the program itself, neither test nor tooling nor prose.
    pub(super) fn is_product_code(&self) -> bool {
        self.purpose == Purpose::Source && self.language.is_code()
    }

    /// Lines that were added or removed.
    pub(super) fn changed_lines(&self) -> impl Iterator<Item = &'a [u8]> {
        let lines = self.pieces.iter().flat_map(|piece| &piece.hunks).flat_map(Hunk::lines);
        lines.filter(|line| line.kind != LineKind::Context).map(|line| line.text)
    }

    /// A remark at the file's first changed line; `None` when the file has no new side.
    pub(super) fn remark(&self, rules: &RuleSet, severity: Severity, text: Text) -> Option<Remark> {
        let (line, code) = self.first?;
        let quote = quotable(rules, code);
        Some(Remark {
            severity,
            path: self.path.clone(),
            line,
            quote,
            what: text.what,
            why: text.why,
            fix: text.fix,
        })
    }
}

/// The words of a remark.
pub(super) struct Text {
    pub(super) what: String,
    pub(super) why: String,
    pub(super) fix: String,
}

/// The line for a QUOTE, unless it is empty or holds a credential.
pub(super) fn quotable(rules: &RuleSet, line: &[u8]) -> Option<String> {
    let line = line.trim_ascii();
    (!line.is_empty() && !rules.holds_secret(line)).then(|| String::from_utf8_lossy(line).into_owned())
}

fn first_line(patch: &FilePatch) -> Option<(u32, &[u8])> {
    let lines = || patch.hunks.iter().flat_map(Hunk::lines);
    let added = lines().find(|line| line.kind == LineKind::Added && !line.text.trim_ascii().is_empty());
    let found = added.or_else(|| lines().find(|line| line.new.is_some()))?;
    Some((found.new?, found.text))
}

fn holds_tests(patch: &FilePatch) -> bool {
    let names_test = |text: &[u8]| text.windows(7).any(|w| w == b"#[test]" || w == b"mod tes");
    Language::of(&patch.path) == Language::Rust && patch.hunks.iter().any(|hunk| names_test(&hunk.text))
}
