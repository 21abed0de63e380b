//! Address of a repository on a server: [`RemoteUrl`].
//!
//! Callers write such addresses too, so only what needs no quoting anywhere is taken, and no password. Nothing here asks a server.

use std::fmt;

use url::Url;

use crate::reviewer::is_loopback;

/// Most characters of an address.
const LONGEST: usize = 500;

/// Address of a repository on a server, as git takes it: `https://…`, `ssh://…` or `git@host:path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteUrl {
    /// As git is told.
    written: String,
    /// The same for all ways to write it: a URL without `.git` and without a final `/`.
    plain: String,
}

/// What is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRemote {
    /// Another protocol.
    #[error("must begin with https:// or ssh://, or be git@host:path; http:// only to this machine")]
    Scheme,
    /// Secrets stand in variables.
    #[error("must name no user and no password; `token_env` names the variable with a token")]
    User,
    /// Anything else.
    #[error(
        "must be a host and a path of plain names: letters, digits and `-_.~+`, none of which begins with `-`"
    )]
    Form,
}

impl RemoteUrl {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, BadRemote> {
        let remote = Self::parse_below(text)?;
        if Url::parse(&remote.plain).is_ok_and(|url| url.path().trim_matches('/').is_empty()) {
            return Err(BadRemote::Form);
        }
        Ok(remote)
    }

    /// Reads the address of a repository or of what is above it, down to a server.
    pub(super) fn parse_below(text: &str) -> Result<Self, BadRemote> {
        let text = text.trim_end_matches('/');
        if text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadRemote::Form);
        }
        let full = match text.split_once("://") {
            Some(_) => text.to_owned(),
            None => text
                .split_once(':')
                .filter(|(host, _)| !host.contains('/'))
                .map(|(host, path)| format!("ssh://{host}/{path}"))
                .ok_or(BadRemote::Scheme)?,
        };
        let url = Url::parse(&full).map_err(|_| BadRemote::Form)?;
        match url.scheme() {
            "https" | "http" if !url.username().is_empty() || url.password().is_some() => {
                return Err(BadRemote::User);
            }
            "https" => {}
            "http" if is_loopback(&full) => {}
            "ssh" if url.password().is_some() => return Err(BadRemote::User),
            "ssh" if is_name(url.username()) || url.username().is_empty() => {}
            "ssh" => return Err(BadRemote::Form),
            _ => return Err(BadRemote::Scheme),
        }
        let (_, rest) = full.split_once("://").ok_or(BadRemote::Form)?;
        let path = rest.split_once('/').map_or("", |(_, path)| path);
        let host = url.host_str().unwrap_or_default();
        let is_plain = path.is_empty() || path.split('/').all(is_name);
        if !is_plain || host.is_empty() || host.starts_with('-') {
            return Err(BadRemote::Form);
        }
        let plain = url.as_str().trim_end_matches('/');
        let plain = plain.strip_suffix(".git").unwrap_or(plain).to_owned();
        let written = if full == text { url.as_str().trim_end_matches('/') } else { text };
        Ok(Self { written: written.to_owned(), plain })
    }

    /// As git is told.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The same for all ways to write it: a URL without `.git`.
    pub fn plain(&self) -> &str {
        &self.plain
    }

    /// Begins with `https://` or, on this machine, `http://`.
    pub fn is_web(&self) -> bool {
        self.plain.starts_with("http")
    }

    /// What stands in it behind `above`; `None` where it is not below.
    pub fn below(&self, above: &Self) -> Option<&str> {
        self.plain.strip_prefix(&above.plain)?.strip_prefix('/').filter(|rest| !rest.is_empty())
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.written)
    }
}

/// Something that is no option, no way out of a folder, and needs no quoting.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~+".contains(&byte);
    !text.is_empty()
        && !text.starts_with('-')
        && !text.bytes().all(|byte| byte == b'.')
        && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let check = |text: &str, expect: Result<(&str, &str), BadRemote>| {
            let remote = RemoteUrl::parse(text);
            let remote = remote.as_ref().map(|one| (one.as_str(), one.plain())).map_err(|error| *error);
            assert_eq!(remote, expect, "{text}");
        };
        let plain = "https://git.example.com/acme/app";
        check(plain, Ok((plain, plain)));
        check(
            "https://Git.Example.com:443/acme/app.git/",
            Ok(("https://git.example.com/acme/app.git", plain)),
        );
        check(
            "git@h.example:acme/app.git",
            Ok(("git@h.example:acme/app.git", "ssh://git@h.example/acme/app")),
        );
        check("ssh://git@h.example:2222/a", Ok(("ssh://git@h.example:2222/a", "ssh://git@h.example:2222/a")));
        check("http://127.0.0.1:3000/a/b", Ok(("http://127.0.0.1:3000/a/b", "http://127.0.0.1:3000/a/b")));
        for text in
            ["http://h.example/a", "file:///etc", "ext::sh -c id", "git://h/a", "/srv/git", "ftp://h/a"]
        {
            assert!(RemoteUrl::parse(text).is_err(), "{text}");
        }
        check("file:///etc", Err(BadRemote::Scheme));
        check("https://user@h.example/a", Err(BadRemote::User));
        check("https://user:secret@h.example/a", Err(BadRemote::User));
        check("ssh://git:secret@h.example/a", Err(BadRemote::User));
        for text in [
            "https://h.example",
            "https://h.example/",
            "https://h.example/a/../b",
            "https://h.example/a//b",
            "https://h.example/%2e%2e/b",
            "https://h.example/a?b",
            "https://h.example/a#b",
            "https://h.example/-a",
            "ssh://-oProxyCommand=id/a",
            "-oProxyCommand=id:a",
            "https://h.example/a\nb",
            "https://h.example/\u{e4}",
            "https://h.example/*",
            "ssh://git@h.example/~a;id",
        ] {
            check(text, Err(BadRemote::Form));
        }
    }

    #[test]
    fn what_is_below() {
        let check = |above: &str, text: &str, expect: Option<&str>| {
            let remote = RemoteUrl::parse(text).unwrap();
            assert_eq!(remote.below(&RemoteUrl::parse_below(above).unwrap()), expect, "{above} {text}");
        };
        check("https://h.example/acme", "https://h.example/acme/app.git", Some("app"));
        check("https://h.example", "https://h.example/acme/app", Some("acme/app"));
        check("https://h.example/acme", "https://h.example/acme2/app", None);
        check("https://h.example/acme", "https://h.example/acme", None);
        check("https://h.example/acme", "https://h.example.org/acme/app", None);
        check("https://h.example/acme", "https://h.example:444/acme/app", None);
        check("https://h.example/acme", "ssh://h.example/acme/app", None);
    }
}
