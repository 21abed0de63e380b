//! `manifest.json`: [`Manifest`]. The bundles' own texts lie beside it.

use serde::{Deserialize, Serialize};

use super::{RangeRecord, RecordError, by_word};
use crate::{
    bundle::{
        Bundle, ExcludeReason, Excluded, Guard, Split,
        context::{Context, Growth},
    },
    change::{FilePatch, RangeInfo, RepoPath},
};

/// `manifest.json`: the bundles of a run and what was left out of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// `scrum.bundles/1`.
    pub schema: String,
    /// The change.
    pub range: RangeRecord,
    /// The bundles in order.
    pub bundles: Vec<BundleRecord>,
    /// What was left out.
    pub excluded: Vec<ExcludedRecord>,
    /// What became of showing more around the hunks.
    #[serde(default, skip_serializing_if = "ContextRecord::is_plain")]
    pub context: ContextRecord,
}

/// How many hunks show what was asked for, and why others do not.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ContextRecord {
    asked: String,
    grown: usize,
    too_large: usize,
    not_found: usize,
    shared: usize,
    without_text: usize,
    #[serde(default)]
    bytes: usize,
}

impl ContextRecord {
    /// The core's form; an unknown word is that of nothing asked for.
    pub(super) fn growth(&self) -> Growth {
        let word = Context::ALL.into_iter().find(|context| context.word() == self.asked);
        Growth {
            context: word.unwrap_or_default(),
            grown: self.grown,
            too_large: self.too_large,
            not_found: self.not_found,
            shared: self.shared,
            without_text: self.without_text,
            bytes: self.bytes,
        }
    }

    /// Whether nothing more was asked for.
    pub(super) fn is_plain(&self) -> bool {
        self.asked.is_empty() || self.asked == Context::Hunk.word()
    }
}

impl From<&Growth> for ContextRecord {
    fn from(growth: &Growth) -> Self {
        Self {
            asked: growth.context.word().to_owned(),
            grown: growth.grown,
            too_large: growth.too_large,
            not_found: growth.not_found,
            shared: growth.shared,
            without_text: growth.without_text,
            bytes: growth.bytes,
        }
    }
}

/// One bundle; its text is `<id>.diff` beside the manifest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BundleRecord {
    /// `c1_validatord`.
    pub id: String,
    /// Component name.
    pub component: String,
    /// Size of the diff.
    pub bytes: usize,
    /// SHA-256 of the diff in hexadecimal.
    pub sha256: String,
    /// `ok`, `warn`, `oversize` or `forced`.
    pub guard: String,
    /// The files in it.
    pub files: Vec<FileRecord>,
}

/// One file of a bundle.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileRecord {
    path: String,
    status: String,
    added: usize,
    removed: usize,
}

/// One file that was left out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExcludedRecord {
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    old_path: Option<String>,
    reason: String,
    bytes: u64,
}

impl Manifest {
    /// The manifest of `split`.
    pub fn new(range: &RangeInfo, split: &Split) -> Self {
        Self {
            schema: "scrum.bundles/1".to_owned(),
            range: range.into(),
            bundles: split.bundles.iter().map(BundleRecord::new).collect(),
            excluded: split.excluded.iter().map(ExcludedRecord::new).collect(),
            context: ContextRecord::default(),
        }
    }
}

impl BundleRecord {
    fn new(bundle: &Bundle) -> Self {
        Self {
            id: bundle.id.clone(),
            component: bundle.component.clone(),
            bytes: bundle.byte_len(),
            sha256: bundle.sha256(),
            guard: bundle.guard.word().to_owned(),
            files: bundle.files.iter().map(FileRecord::new).collect(),
        }
    }

    /// What the guard said.
    pub fn guard(&self) -> Result<Guard, RecordError> {
        by_word("guard", &self.guard, &Guard::ALL, Guard::word)
    }
}

impl FileRecord {
    fn new(file: &FilePatch) -> Self {
        let (added, removed) = file.counts();
        Self { path: file.path.to_string(), status: file.status.word().to_owned(), added, removed }
    }
}

impl ExcludedRecord {
    fn new(excluded: &Excluded) -> Self {
        Self {
            path: excluded.path.to_string(),
            old_path: excluded.old_path.as_ref().map(ToString::to_string),
            reason: excluded.reason.word().to_owned(),
            bytes: excluded.bytes,
        }
    }

    /// The core's form.
    pub fn excluded(&self) -> Result<Excluded, RecordError> {
        let reason = by_word("reason", &self.reason, &ExcludeReason::ALL, ExcludeReason::word)?;
        let path = RepoPath::from_display;
        let old_path = self.old_path.as_deref().map(path);
        Ok(Excluded { path: path(&self.path), old_path, reason, bytes: self.bytes })
    }
}
