//! Saved replies as a reviewer: for tests, demonstrations and re-runs.
//!
//! [`Folder`] reads `<dir>/<bundle>__<id>.md`, else `<dir>/<id>.md`. It changes nothing on disk.

use std::{io::ErrorKind, path::PathBuf};

use super::{Answer, AskError};
use crate::reviewer::ReviewerId;

/// A folder of replies, seen as one reviewer.
#[derive(Debug, Clone)]
pub struct Folder {
    dir: PathBuf,
    id: ReviewerId,
}

impl Folder {
    pub(super) fn new(dir: PathBuf, id: ReviewerId) -> Self {
        Self { dir, id }
    }

    pub(super) async fn ask(&self, bundle: &str) -> Result<Answer, AskError> {
        let own = self.dir.join(format!("{bundle}__{}.md", self.id));
        let common = self.dir.join(format!("{}.md", self.id));
        for path in [&own, &common] {
            match tokio::fs::read(path).await {
                Ok(bytes) => {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    return Ok(Answer { text, ..Answer::default() });
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(AskError::permanent(format!("cannot read {}: {error}", path.display())));
                }
            }
        }
        Err(AskError::permanent(format!(
            "no saved reply: neither {} nor {} exists",
            own.display(),
            common.display()
        )))
    }
}
