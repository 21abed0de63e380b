//! `[[serve.repository]]`: [`Repository`], what jobs may be about.
//!
//! Whether somebody may name a repository is decided by the daemon; folders are not looked at here.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::RemoteUrl;
use crate::config::{ConfigError, file, place::Entry};

/// Behind this everything below is meant.
const ALL_BELOW: &str = "/*";

/// A repository that jobs may be about, or all below a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Where.
    pub place: Place,
    /// What it is reviewed with, in place of the daemon's own configuration.
    pub config: Option<PathBuf>,
    /// Programs may be run that it names.
    pub commands: bool,
    /// Tenants that may name it; all where there is no list.
    pub tenants: Option<BTreeSet<String>>,
    /// The variable with a token for its server.
    pub token_env: Option<String>,
}

/// Where repositories are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At that path.
    Path(PathBuf),
    /// Somewhere below that folder.
    Below(PathBuf),
    /// At that address.
    Url(RemoteUrl),
    /// Somewhere below that address.
    UrlBelow(RemoteUrl),
}

/// Every entry, if all can be used.
pub(super) fn all(entries: Vec<file::Repository>) -> Result<Vec<Repository>, ConfigError> {
    let mut known = BTreeSet::new();
    let read = |(number, entry): (usize, file::Repository)| {
        let named = entry.path.clone().or(entry.url.clone());
        let is_new = |_: &Repository| known.insert(named);
        let repository = repository(entry).and_then(|one| {
            if is_new(&one) { Ok(one) } else { Err("is about what another one is about already".to_owned()) }
        });
        let entry = Entry::Numbered("serve.repository", number);
        repository.map_err(|reason| ConfigError::Entry { entry, reason })
    };
    (1..).zip(entries).map(read).collect()
}

fn repository(entry: file::Repository) -> Result<Repository, String> {
    let place = match (entry.path, entry.url) {
        (Some(path), None) => path_place(&path)?,
        (None, Some(url)) => url_place(&url).map_err(|reason| format!("`url` {reason}"))?,
        (Some(_), Some(_)) | (None, None) => return Err("needs `path` or `url`, one of them".to_owned()),
    };
    let tenants = entry.tenants.map(BTreeSet::from_iter);
    if tenants.as_ref().is_some_and(BTreeSet::is_empty) {
        return Err("`tenants` is empty, so nobody could name it; leave it out to let everybody".to_owned());
    }
    if matches!(&entry.token_env, Some(name) if !is_variable(name)) {
        return Err("`token_env` must be the name of a variable, such as ACME_TOKEN".to_owned());
    }
    Ok(Repository {
        place,
        config: entry.config,
        commands: entry.commands,
        tenants,
        token_env: entry.token_env,
    })
}

fn path_place(text: &str) -> Result<Place, String> {
    let (folder, is_below) = text.strip_suffix(ALL_BELOW).map_or((text, false), |folder| (folder, true));
    if text.is_empty() || folder.contains('*') {
        return Err("`path` must be a folder; a `*` stands only at its end, as in /srv/git/*".to_owned());
    }
    let folder = Path::new(if folder.is_empty() { "/" } else { folder }).to_owned();
    Ok(if is_below { Place::Below(folder) } else { Place::Path(folder) })
}

fn url_place(text: &str) -> Result<Place, String> {
    let read = match text.strip_suffix(ALL_BELOW) {
        Some(above) => RemoteUrl::parse_below(above).map(Place::UrlBelow),
        None => RemoteUrl::parse(text).map(Place::Url),
    };
    read.map_err(|error| error.to_string())
}

/// A secret that stands there by mistake is refused, and not repeated.
pub(super) fn is_variable(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
