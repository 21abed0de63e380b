//! Splits a change into bundles, one component's share each, small enough that a model reads all of it.
//!
//! The main type is [`Bundle`]; [`split`] makes them. Nothing here touches a disk: `store` writes bundles,
//! `git` reads changes.

mod component;
pub mod context;
mod cut;
mod exclude;
pub(crate) mod globs;
mod guard;
mod ignored;
pub(crate) mod lexer;
mod pack;
pub mod route;
pub mod show;
pub(crate) mod source;
#[cfg(test)]
mod tests;
pub mod whole;

use crate::change::{Change, FilePatch, FileStatus, RepoPath};
use crate::digest;
use component::Component;
pub use component::{Inferred, inferred};
pub use globs::Globs;
pub use ignored::FILE_NAME as IGNORE_FILE;

/// One component's share of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Running number and component, safe as a file name: `c1_validatord`. A piece of a component that was cut adds
    /// the folder or file it lies in: `c4_src-git`.
    pub id: String,
    /// Component name.
    pub component: String,
    /// Files in path order. A file that was cut stands in several bundles, each with other hunks.
    pub files: Vec<FilePatch>,
    /// What the guard says about its size.
    pub guard: Guard,
}

impl Bundle {
    /// The bundle as written to disk: a unified diff that `git apply` accepts.
    pub fn diff(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.byte_len());
        for file in &self.files {
            out.extend_from_slice(&file.header);
            file.hunks.iter().for_each(|hunk| out.extend_from_slice(&hunk.text));
        }
        out
    }

    /// SHA-256 of [`Bundle::diff`] in lower-case hexadecimal.
    pub fn sha256(&self) -> String {
        digest::sha256(&[&self.diff()])
    }

    /// Length of [`Bundle::diff`] in bytes.
    pub fn byte_len(&self) -> usize {
        self.files.iter().map(FilePatch::byte_len).sum()
    }
}

/// The guard's word on one bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// At most the warning size.
    Ok,
    /// Over the warning size, at most the failing size.
    Warn,
    /// Over the failing size: must not be sent unless forced.
    Oversize,
    /// Over the failing size and sent all the same, on `SCRUM_FORCE_OVERSIZE=1`.
    Forced,
}

/// Sizes in bytes of a bundle's diff as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Over this: a warning, and inferred components are cut further.
    pub warn_bytes: usize,
    /// Over this: refused.
    pub fail_bytes: usize,
    /// Inferred components under this are packed with their neighbours.
    pub pack_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { warn_bytes: 60_000, fail_bytes: 100_000, pack_bytes: 4_000 }
    }
}

/// When declared components are cut further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CutDeclared {
    /// Never: somebody declared them.
    #[default]
    Never,
    /// Like inferred ones (`[bundle] split = "always"`).
    Always,
}

/// A component from `scrum.toml`: the first whose globs match a path owns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredComponent {
    /// Unique name.
    pub name: String,
    /// Globs on repository paths.
    pub paths: Vec<String>,
}

/// How to split.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SplitRules {
    /// Declared components, in configuration order.
    pub declared: Vec<DeclaredComponent>,
    /// Folders that hold a package manifest (`Cargo.toml`, `go.mod`, `package.json`, `pyproject.toml` …) at or
    /// above a changed file, without trailing `/`; the root is left out.
    pub package_roots: Vec<RepoPath>,
    /// Sizes.
    pub limits: Limits,
    /// Whether declared components are cut.
    pub cut_declared: CutDeclared,
    /// Only these paths (globs); empty means all.
    pub include: Vec<String>,
    /// Not these paths (globs).
    pub exclude: Vec<String>,
    /// The text of `.scrumignore`: paths that no reviewer may see, whatever is asked for.
    pub ignored: String,
    /// Only these components; empty means all.
    pub only_components: Vec<String>,
    /// `SCRUM_FORCE_OVERSIZE=1`.
    pub force_oversize: bool,
}

/// A file that is not shown to reviewers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// Its path on the new side.
    pub path: RepoPath,
    /// Its path on the old side where it was renamed.
    pub old_path: Option<RepoPath>,
    /// Why.
    pub reason: ExcludeReason,
    /// Bytes of its patch (for binary files: of the file).
    pub bytes: u64,
}

/// Why a file is left out of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExcludeReason {
    /// A dependency lockfile.
    Lockfile,
    /// Third-party code kept in the repository.
    Vendored,
    /// Written by a program.
    Generated,
    /// Minified script or style.
    Minified,
    /// Not text.
    Binary,
    /// Named by `.scrumignore`.
    Ignored,
    /// By `--exclude`, or not in `--include`.
    Filtered,
    /// In a component that was not asked for.
    OtherComponent,
}

impl ExcludeReason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::Lockfile,
        Self::Vendored,
        Self::Generated,
        Self::Minified,
        Self::Binary,
        Self::Ignored,
        Self::Filtered,
        Self::OtherComponent,
    ];

    /// The word used in manifests and tallies.
    pub fn word(self) -> &'static str {
        match self {
            Self::Lockfile => "lockfile",
            Self::Vendored => "vendored",
            Self::Generated => "generated",
            Self::Minified => "minified",
            Self::Binary => "binary",
            Self::Ignored => "ignored",
            Self::Filtered => "filtered",
            Self::OtherComponent => "other-component",
        }
    }
}

/// A whole change, split. Every hunk of the change is in exactly one bundle or its file in `excluded`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// Bundles `c1_…`, `c2_…` in a fixed order.
    pub bundles: Vec<Bundle>,
    /// What was left out, in path order.
    pub excluded: Vec<Excluded>,
}

/// Rules that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// A glob does not parse.
    #[error("bad glob {glob:?}: {reason}")]
    BadGlob {
        /// As written.
        glob: String,
        /// What is wrong with it.
        reason: String,
    },
    /// `--component` names none of the change's components.
    #[error("no component named {name:?} in this change")]
    NoSuchComponent {
        /// As asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
}

/// Splits `change` by `rules`. Pure: the same input gives the same bytes.
///
/// Bundles stand in the order of their component's name, the pieces of one component in path order.
pub fn split(change: Change, rules: &SplitRules) -> Result<Split, SplitError> {
    let mut files = change.files;
    files.sort_by(|a, b| order(a).cmp(&order(b)));
    let owners = component::assign(&files, rules)?;
    let scope = exclude::Scope::new(rules, &owners.components)?;
    let mut shares = vec![Vec::new(); owners.components.len()];
    let mut excluded = Vec::new();
    for (file, owner) in files.into_iter().zip(owners.of_file) {
        match scope.reason(&file, &owners.components[owner]) {
            Some(reason) => excluded.push(left_out(file, reason)),
            None => shares[owner].push(file),
        }
    }
    let shares = owners.components.into_iter().zip(shares).filter(|(_, files)| !files.is_empty()).collect();
    Ok(Split { bundles: numbered(pieces(shares, rules), rules), excluded })
}

/// Path order; of the two halves of a change of kind the deletion comes first, as git writes them.
pub(crate) fn order(file: &FilePatch) -> (&RepoPath, bool) {
    (&file.path, file.status != FileStatus::Deleted)
}

fn left_out(file: FilePatch, reason: ExcludeReason) -> Excluded {
    let bytes = match reason {
        ExcludeReason::Binary => file.size,
        _ => file.byte_len() as u64,
    };
    Excluded { path: file.path, old_path: file.old_path, reason, bytes }
}

/// What becomes one bundle.
struct Piece {
    component: String,
    /// The component's name, and for a part of it the name of that part.
    name: String,
    files: Vec<FilePatch>,
}

impl Piece {
    fn whole(component: String, files: Vec<FilePatch>) -> Self {
        Self { name: component.clone(), component, files }
    }
}

/// Cuts what is too large, packs what is tiny, and orders the result by component.
fn pieces(shares: Vec<(Component, Vec<FilePatch>)>, rules: &SplitRules) -> Vec<Piece> {
    let limits = &rules.limits;
    let (tiny, rest): (Vec<_>, Vec<_>) = shares.into_iter().partition(|(component, files)| {
        !component.is_declared() && total_bytes(files) < limits.pack_bytes.min(limits.warn_bytes)
    });
    let tiny = tiny.into_iter().map(|(component, files)| Piece::whole(component.name, files)).collect();
    let mut pieces = pack::pack(tiny, limits.warn_bytes);
    for (component, files) in rest {
        if component.is_declared() && rules.cut_declared == CutDeclared::Never {
            pieces.push(Piece::whole(component.name, files));
            continue;
        }
        let home = component.home(&files);
        let parts = cut::cut(files, limits.warn_bytes);
        let cut = parts.len() > 1;
        pieces.extend(parts.into_iter().map(|files| {
            let name = if cut { component.name_of_part(&home, &files) } else { component.name.clone() };
            Piece { component: component.name.clone(), name, files }
        }));
    }
    pieces.sort_by(|a, b| a.component.cmp(&b.component));
    pieces
}

fn numbered(pieces: Vec<Piece>, rules: &SplitRules) -> Vec<Bundle> {
    let bundle = |(at, Piece { component, name, files }): (usize, Piece)| Bundle {
        id: format!("c{}_{name}", at + 1),
        guard: guard::judge(total_bytes(&files), &rules.limits, rules.force_oversize),
        component,
        files,
    };
    pieces.into_iter().enumerate().map(bundle).collect()
}

fn total_bytes(files: &[FilePatch]) -> usize {
    files.iter().map(FilePatch::byte_len).sum()
}
