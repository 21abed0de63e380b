//! One request and its answer: [`Reply`], or why there is none ([`Lost`]).
//!
//! Whether it is made again is `patience`'s matter, and what its status means that of `client`.

use std::{error::Error, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use reqwest::{Response, redirect::Policy};
use secrecy::ExposeSecret;
use serde_json::Value;
use url::Url;

use super::{Manners, patience::Fate};
use crate::{
    forge::{Credential, ForgeError},
    reviewer::is_loopback,
};

/// How long a server may take to accept a connection.
const LONGEST_CONNECT: Duration = Duration::from_secs(15);
/// How long one attempt may take in all. GitHub itself breaks off after 10 s.
const LONGEST_ATTEMPT: Duration = Duration::from_mins(1);
/// Largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 16 << 20;
/// What a server answered.
#[derive(Debug, Clone)]
pub(in crate::forge) struct Reply {
    /// Its status; no 5xx.
    pub(in crate::forge) status: StatusCode,
    /// Its JSON, `null` where there is none.
    pub(in crate::forge) body: Value,
    pub(super) headers: HeaderMap,
}

/// A request without an answer that can be used.
pub(super) struct Lost {
    pub(super) fate: Fate,
    pub(super) reason: String,
}

impl Lost {
    /// An answer came, and would come again.
    pub(super) fn unusable(reason: impl Into<String>) -> Self {
        Self { fate: Fate::Answered, reason: reason.into() }
    }
}

impl From<reqwest::Error> for Lost {
    fn from(error: reqwest::Error) -> Self {
        let fate = if error.is_connect() { Fate::NotSent } else { Fate::Unknown };
        Self { fate, reason: root_cause(&error) }
    }
}

/// What sends requests to `api`.
pub(super) fn http_client(api: &Url) -> Result<reqwest::Client, reqwest::Error> {
    // An error says that one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .redirect(Policy::none())
        .connect_timeout(LONGEST_CONNECT)
        .timeout(LONGEST_ATTEMPT)
        .user_agent(concat!("scrum/", env!("CARGO_PKG_VERSION")));
    if api.scheme() == "http" {
        // No certificates to load, so a machine without any can still reach its own server.
        builder = builder.tls_certs_only([]);
    }
    if is_loopback(api.as_str()) {
        builder = builder.no_proxy();
    }
    builder.build()
}

/// The headers of every request, the token among them.
pub(super) fn headers(
    manners: &Manners,
    credential: &Credential,
    server: &str,
) -> Result<HeaderMap, ForgeError> {
    let mut headers: HeaderMap = manners
        .headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect();
    if let Some(token) = &credential.token {
        let text = format!("{}{}", manners.token_prefix, token.secret.expose_secret().trim());
        let mut value = HeaderValue::from_str(&text).map_err(|_| ForgeError::BadToken {
            server: server.to_owned(),
            variable: token.variable.clone(),
            reason: "it has characters that cannot be sent".to_owned(),
        })?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(manners.token_header), value);
    }
    Ok(headers)
}

/// Reads an answer to its end.
pub(super) async fn reply(mut response: Response) -> Result<Reply, Lost> {
    let (status, headers, mut page) = (response.status(), response.headers().clone(), Vec::new());
    while let Some(piece) = response.chunk().await? {
        page.extend_from_slice(&piece);
        if page.len() > LARGEST_ANSWER {
            return Err(Lost::unusable("the answer is too large"));
        }
    }
    match serde_json::from_slice(&page) {
        Ok(body) => Ok(Reply { status, body, headers }),
        // An error page may be a web page; what matters is its status.
        Err(_) if page.is_empty() || !status.is_success() => Ok(Reply { status, body: Value::Null, headers }),
        Err(_) => Err(Lost::unusable("the answer is not JSON; is the address that of the API?")),
    }
}

/// The address of the next page in a `Link` header.
pub(super) fn next_page(headers: &HeaderMap) -> Option<String> {
    let links = headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
    links.flat_map(|links| links.split(',')).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|one| matches!(one.trim(), "rel=\"next\"" | "rel=next"));
        is_next.then(|| target.to_owned())
    })
}

/// Name and port, as errors call a server.
pub(super) fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

/// What stands at the bottom of an error's causes, which says most.
pub(super) fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page() {
        let check = |links: &[&str], expect: Option<&str>| {
            let headers = links.iter().map(|link| (header::LINK, link.parse().unwrap())).collect();
            assert_eq!(next_page(&headers).as_deref(), expect, "{links:?}");
        };
        check(
            &["<https://h/a?page=2>; rel=\"next\", <https://h/a?page=9>; rel=\"last\""],
            Some("https://h/a?page=2"),
        );
        check(
            &["<https://h/a?page=1>; rel=\"prev\", <https://h/a?page=3>; rel=\"next\""],
            Some("https://h/a?page=3"),
        );
        check(&["<https://h/1>; rel=\"first\"", "<https://h/3>; title=\"x\"; rel=next"], Some("https://h/3"));
        check(&["<https://h/a?page=9>; rel=\"last\""], None);
        check(&["https://h/a; rel=\"next\""], None);
        check(&[], None);
    }
}
