//! `[review]` and `[[parity]]` of a gauntlet: which range is reviewed by which panel, and which specs are compared.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{ConfigError, place::Entry};

/// `[review]` of a gauntlet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReviewPhase {
    /// As `scrum review` takes it; `None` for what that reviews without one.
    pub range: Option<String>,
    /// Name of the panel; `None` for the configured one.
    pub panel: Option<String>,
}

/// `[[parity]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParityEntry {
    spec: PathBuf,
}

/// The files of the specs, which are named from `folder`.
pub(super) fn specs(entries: Vec<ParityEntry>, folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let mut specs: Vec<PathBuf> = Vec::new();
    for (number, entry) in (1..).zip(entries) {
        let spec = folder.join(&entry.spec);
        let wrong = |reason: String| ConfigError::Entry { entry: Entry::Numbered("parity", number), reason };
        if !spec.is_file() {
            return Err(wrong(format!("there is no file {}", spec.display())));
        }
        if specs.contains(&spec) {
            return Err(wrong(format!("{} stands here twice", entry.spec.display())));
        }
        specs.push(spec);
    }
    Ok(specs)
}
