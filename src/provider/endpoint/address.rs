//! Where an endpoint is: [`Address`], and [`HttpClients`] to reach it.

use std::time::Duration;

use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use secrecy::{ExposeSecret, SecretString};

use super::{super::Sample, Protocol};
use crate::reviewer::is_loopback;

/// How long a server may take to accept a connection.
const LONGEST_CONNECT: Duration = Duration::from_secs(15);

/// A base URL and what must be sent to it. Has no `Debug`: the headers hold the key.
#[derive(Clone)]
pub(in crate::provider) struct Address {
    /// Without a slash at its end and without its query.
    pub(in crate::provider) base: String,
    /// With its question mark; empty when there is none.
    query: String,
    /// The key's, and what else is sent with every request.
    pub(in crate::provider) headers: HeaderMap,
    pub(in crate::provider) key: SecretString,
}

impl Address {
    /// `None` when `key` cannot stand in the header of that name. An empty key is not sent.
    pub(super) fn new(url: &Url, key_header: &str, key: SecretString) -> Option<Self> {
        let mut headers = HeaderMap::new();
        if !key.expose_secret().is_empty() {
            let name = HeaderName::from_bytes(key_header.as_bytes()).ok()?;
            let scheme = if name == AUTHORIZATION { "Bearer " } else { "" };
            let mut value = HeaderValue::from_str(&format!("{scheme}{}", key.expose_secret())).ok()?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut base = url.clone();
        base.set_query(None);
        Some(Self { base: base.as_str().trim_end_matches('/').to_owned(), query, headers, key })
    }

    /// The same, asking for `sample`: a gateway of scrum's gives one answer to all who ask the same at a time, unless they say
    /// that they want one of their own. It means nothing to others.
    pub(super) fn asking_for(&self, sample: Sample) -> Self {
        let mut address = self.clone();
        match sample {
            Sample::Any => {}
            Sample::Own => {
                address.headers.insert("x-scrum-coalesce", HeaderValue::from_static("off"));
            }
        }
        address
    }

    /// The URL of `path` behind the base.
    pub(in crate::provider) fn of(&self, path: &str) -> String {
        format!("{}{path}{}", self.base, self.query)
    }
}

impl Protocol {
    /// The header that carries the key where nobody says otherwise.
    pub(super) fn key_header(self) -> &'static str {
        match self {
            Self::Chat => "authorization",
            Self::Messages => "x-api-key",
        }
    }

    /// The path as people write it, cut down to what stands before the protocol's own part.
    fn base_path(self, path: &str) -> String {
        let path = path.trim_end_matches('/');
        match self {
            Self::Chat => path.strip_suffix("/chat/completions").unwrap_or(path).to_owned(),
            Self::Messages => {
                let path = path.strip_suffix("/messages").unwrap_or(path);
                format!("{}/v1", path.strip_suffix("/v1").unwrap_or(path))
            }
        }
    }
}

/// Reads a base URL. The error has the URL as it may be shown, and what is wrong with it.
pub(super) fn parse(base_url: &str, protocol: Protocol) -> Result<Url, (String, String)> {
    let text = base_url.trim();
    let mut url = Url::parse(text).map_err(|error| (without_user(text), error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err((shown(&url), "must begin with http:// or https://".to_owned()));
    }
    url.set_fragment(None);
    let path = protocol.base_path(url.path());
    url.set_path(&path);
    Ok(url)
}

/// The URL without user name, password and query.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for URLs that cannot have a user.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.as_str().trim_end_matches('/').to_owned()
}

fn without_user(text: &str) -> String {
    text.rsplit('@').next().unwrap_or_default().to_owned()
}

/// HTTP clients, made when first needed. Endpoints reached in the same way share one, with its connections.
#[derive(Default)]
pub struct HttpClients {
    loopback: Option<reqwest::Client>,
    plain: Option<reqwest::Client>,
    encrypted: Option<reqwest::Client>,
}

impl HttpClients {
    pub(super) fn for_url(&mut self, url: &Url) -> Result<reqwest::Client, reqwest::Error> {
        let encrypted = url.scheme() == "https";
        let slot = match (encrypted, is_loopback(url.as_str())) {
            (true, _) => &mut self.encrypted,
            (false, true) => &mut self.loopback,
            (false, false) => &mut self.plain,
        };
        if let Some(client) = slot {
            return Ok(client.clone());
        }
        let mut builder = reqwest::Client::builder()
            // A redirect would turn the question into a GET; the address must be right.
            .redirect(Policy::none())
            .connect_timeout(LONGEST_CONNECT)
            .user_agent(concat!("scrum/", env!("CARGO_PKG_VERSION")));
        if !encrypted {
            // No certificates to load, so a machine without any can still reach its own server.
            builder = builder.tls_certs_only([]);
        }
        if is_loopback(url.as_str()) {
            builder = builder.no_proxy();
        }
        install_crypto();
        Ok(slot.insert(builder.build()?).clone())
    }
}

fn install_crypto() {
    // An error says that one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls() {
        let check = |protocol: Protocol, input: &str, expect: Result<&str, &str>| {
            let found = parse(input, protocol)
                .map(|url| Address::new(&url, "x-api-key", SecretString::default()).unwrap().of("/x"));
            assert_eq!(found.as_deref().map_err(|(_, reason)| reason.as_str()), expect, "{input}");
        };
        let chat = |input: &str, expect: Result<&str, &str>| check(Protocol::Chat, input, expect);
        chat("https://api.openai.com/v1", Ok("https://api.openai.com/v1/x"));
        chat("https://api.openai.com/v1/", Ok("https://api.openai.com/v1/x"));
        chat("http://127.0.0.1:8081", Ok("http://127.0.0.1:8081/x"));
        chat("http://h/v1/chat/completions", Ok("http://h/v1/x"));
        chat("https://h/d?api-version=2024-10-21", Ok("https://h/d/x?api-version=2024-10-21"));
        chat("ftp://h/v1", Err("must begin with http:// or https://"));
        chat("h:80/v1", Err("must begin with http:// or https://"));
        chat("", Err("relative URL without a base"));
        let messages = |input: &str| check(Protocol::Messages, input, Ok("https://h/v1/x"));
        messages("https://h");
        messages("https://h/");
        messages("https://h/v1/");
        messages("https://h/v1/messages");
    }

    #[test]
    fn a_shown_url_has_no_password() {
        assert_eq!(shown(&Url::parse("https://me:secret@h/v1/").unwrap()), "https://h/v1");
        assert_eq!(parse("//me:secret@h", Protocol::Chat).unwrap_err().0, "h");
    }

    #[test]
    fn what_no_header_can_carry_is_refused() {
        let url = Url::parse("http://h").unwrap();
        let opens = |header: &str, key: &str| Address::new(&url, header, SecretString::from(key)).is_some();
        assert!(opens("api-key", "a"));
        assert!(!opens("api-key", "a\nb"));
        assert!(!opens("api key", "a"));
    }
}
