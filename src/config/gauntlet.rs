//! `gauntlet.toml`: [`read`] gives what a gauntlet declares.
//!
//! Every table is closed: an unknown key is an error. Paths start at the folder of the file.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{
    ConfigError, error,
    gap::{self, GapEntry},
    phases::{self, ParityEntry, ReviewPhase},
    read as text_of,
};
use crate::gauntlet::gap::{Register, SHAPES};

/// What a gauntlet declares.
#[derive(Debug, Clone)]
pub struct Gauntlet {
    /// The review of a range.
    pub review: Option<ReviewPhase>,
    /// Files of specs to compare by, in the order of the file.
    pub parity: Vec<PathBuf>,
    /// What is known to differ.
    pub gaps: Register,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    review: Option<ReviewPhase>,
    parity: Vec<ParityEntry>,
    gap: Vec<GapEntry>,
}

/// Reads the file at `path`.
pub fn read(path: &Path) -> Result<Gauntlet, ConfigError> {
    let text = text_of(path)?;
    let file: File = toml::from_str(&text).map_err(|source| error::invalid(path, &text, &source))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    gauntlet(file, folder).map_err(|error| error.located(&[(path.to_owned(), text)]))
}

fn gauntlet(file: File, folder: &Path) -> Result<Gauntlet, ConfigError> {
    Ok(Gauntlet {
        review: file.review,
        parity: phases::specs(file.parity, folder)?,
        gaps: gap::register(file.gap, &SHAPES)?,
    })
}
