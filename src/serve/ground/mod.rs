//! shim
use crate::job::Task;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};
pub(super) struct Grounds {
    own: Option<PathBuf>,
    config: Option<PathBuf>,
}
pub(super) struct Ground {
    pub(super) folder: PathBuf,
    pub(super) config: PathBuf,
    pub(super) environment: Vec<(String, SecretString)>,
    pub(super) base: Option<String>,
    pub(super) head: String,
}
#[derive(Debug, thiserror::Error)]
pub(super) enum NoGround {
    #[error("none")]
    None,
}
impl NoGround {
    pub(super) fn is_passing(&self) -> bool {
        false
    }
}
impl Grounds {
    pub(super) fn new(own: Option<&Path>, config: Option<PathBuf>, _: &Path) -> Self {
        Self { own: own.map(Path::to_owned), config }
    }
    pub(super) async fn prepare(
        &self,
        _: &str,
        task: &Task,
        folder: &Path,
        _: Duration,
    ) -> Result<Option<Ground>, NoGround> {
        let config = self.config.clone().unwrap_or_else(|| {
            let c = folder.join("scrum.toml");
            crate::store::write(&c, b"").unwrap();
            c
        });
        Ok(Some(Ground {
            folder: self.own.clone().ok_or(NoGround::None)?,
            config,
            environment: vec![],
            base: None,
            head: task.range.clone().unwrap_or_default(),
        }))
    }
}
impl Ground {
    pub(super) fn arguments(&self, task: &Task) -> Vec<OsString> {
        vec![task.kind.word().into(), "--".into(), self.head.clone().into()]
    }
    pub(super) fn told(&self) -> Value {
        json!({"base": self.base, "head": self.head})
    }
}
