//! Every environment variable scrum reads by name, and the one place that reads them: [`Environment`].
//!
//! Keys of reviewers are read by the variable a reviewer names, through [`Environment::secret`].
#![expect(clippy::disallowed_methods, reason = "this is the edge that reads the environment")]

use std::{ffi::OsString, path::PathBuf};

use secrecy::SecretString;

/// `1` sends bundles over the failing size all the same.
pub const FORCE_OVERSIZE: &str = "SCRUM_FORCE_OVERSIZE";
/// Overrides `[review] panel`.
pub const PANEL: &str = "SCRUM_PANEL";
/// Overrides `[review] concurrency`.
pub const CONCURRENCY: &str = "SCRUM_CONCURRENCY";
/// `1` asks for everything anew, as `--no-cache` does.
pub const NO_CACHE: &str = "SCRUM_NO_CACHE";
/// Overrides `[cache] dir`.
pub const CACHE_DIR: &str = "SCRUM_CACHE_DIR";
/// Folder of user configuration, before `HOME/.config`.
pub const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
/// The user's home, for `.config` in it.
pub const HOME: &str = "HOME";

/// The user's name, where git has none.
pub const USER: &str = "USER";

/// The environment of the process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Environment;

impl Environment {
    /// A variable that is set, not empty and valid Unicode.
    pub fn get(self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// A variable's value as a secret that cannot be printed. Surrounding white space is removed.
    pub fn secret(self, name: &str) -> Option<SecretString> {
        let value = self.get(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| SecretString::from(value.to_owned()))
    }

    /// Whether oversize bundles are sent.
    pub fn force_oversize(self) -> bool {
        self.get(FORCE_OVERSIZE).is_some_and(|value| value == "1")
    }

    /// The name the system knows the user by.
    pub fn user(self) -> Option<String> {
        self.get(USER)
    }

    /// The user's configuration file, whether or not it exists.
    pub fn user_config_file(self) -> Option<PathBuf> {
        let folder =
            |name| std::env::var_os(name).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from);
        let base = folder(XDG_CONFIG_HOME).filter(|path| path.is_absolute());
        let base = base.or_else(|| Some(folder(HOME)?.join(".config")))?;
        Some(base.join("scrum").join("config.toml"))
    }
}
