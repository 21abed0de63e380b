//! What reviewers were shown, in `tally.json`: [`BundleEntry`], and what was kept from them.

use schemars::JsonSchema;
use serde::Serialize;

/// One component's share of the change.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BundleEntry {
    /// Running number and component.
    pub id: String,
    /// Component name.
    pub component: String,
    /// Bytes of its diff.
    pub bytes: u64,
    /// SHA-256 of its diff, in lower-case hexadecimal.
    pub sha256: String,
    /// The guard's word on its size.
    pub guard: GuardWord,
    /// Names of the panels it was put to, joined by ` + `; absent where it was put to everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub panel: Option<String>,
    /// Files, in path order.
    pub files: Vec<FileEntry>,
}

/// The guard's word on a bundle's size.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GuardWord {
    /// Small enough.
    Ok,
    /// Over the warning size.
    Warn,
    /// Over the failing size, and not to be sent.
    Oversize,
    /// Over the failing size, and sent all the same.
    Forced,
}

/// A file of a bundle.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileEntry {
    /// Repository path, quoted as git does when it holds control characters, `"`, `\` or bytes that are not UTF-8.
    pub path: String,
    /// `added`, `deleted`, `modified`, `renamed`, `copied` or `type-changed`.
    pub status: String,
    /// Lines added in this bundle.
    pub added: usize,
    /// Lines removed in this bundle.
    pub removed: usize,
}

/// A file that was not shown.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExcludedFile {
    /// Repository path.
    pub path: String,
    /// `lockfile`, `vendored`, `generated`, `minified`, `binary`, `ignored`, `filtered` or `other-component`.
    pub reason: String,
    /// Bytes of its patch; for binary files, of the file.
    pub bytes: u64,
}

/// A piece of text that reviewers saw a marker for, such as `[masked: aws-key #1]`. What it was is nowhere in a tally.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MaskedText {
    /// What it is: `aws-key`, `password`, `private-key`.
    pub kind: String,
    /// The same for the same value throughout the run; counted for each kind from 1.
    pub number: u32,
    /// Bundle id; null in a commit's message.
    pub bundle: Option<String>,
    /// Repository path; null in a commit's message.
    pub path: Option<String>,
    /// What `line` counts: `new` or `old` lines of the file, `section` the line at which the hunk begins whose `@@` line it
    /// is, `header` lines of the patch's header; null in a commit's message.
    pub side: Option<String>,
    /// 1-based; null in a commit's message.
    pub line: Option<u32>,
    /// Full id of the commit whose message it is in; null in a bundle.
    pub commit: Option<String>,
}
