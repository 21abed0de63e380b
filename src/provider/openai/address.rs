//! Where an endpoint is: [`Address`], and [`HttpClients`] to reach it.

use std::{net::IpAddr, time::Duration};

use async_openai::config::Config;
use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
    redirect::Policy,
};
use secrecy::{ExposeSecret, SecretString};

/// How long a server may take to accept a connection.
const LONGEST_CONNECT: Duration = Duration::from_secs(15);

/// A base URL and what must be sent to it. Has no `Debug`: the headers hold the key.
#[derive(Clone)]
pub(super) struct Address {
    base: String,
    headers: HeaderMap,
    key: SecretString,
}

impl Address {
    /// `None` when `key` cannot stand in a header. An empty key is not sent.
    pub(super) fn new(url: &Url, key: SecretString) -> Option<Self> {
        let mut headers = HeaderMap::new();
        if !key.expose_secret().is_empty() {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret())).ok()?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Some(Self { base: url.as_str().trim_end_matches('/').to_owned(), headers, key })
    }

    /// Whether this is `OpenAI` itself and not a compatible server.
    pub(super) fn is_openai(&self) -> bool {
        self.base.starts_with("https://api.openai.com/")
    }
}

impl Config for Address {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn api_base(&self) -> &str {
        &self.base
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}

/// Reads a base URL. The error has the URL as it may be shown, and what is wrong with it.
pub(super) fn parse(base_url: &str) -> Result<Url, (String, String)> {
    let text = base_url.trim().trim_end_matches('/');
    let text = text.strip_suffix("/chat/completions").unwrap_or(text);
    let mut url = Url::parse(text).map_err(|error| (without_user(text), error.to_string()))?;
    url.set_fragment(None);
    match url.scheme() {
        "http" | "https" if url.query().is_none() => Ok(url),
        "http" | "https" => Err((shown(&url), "must not have a query".to_owned())),
        _ => Err((shown(&url), "must begin with http:// or https://".to_owned())),
    }
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
        let slot = match (encrypted, is_loopback(url)) {
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
        if is_loopback(url) {
            builder = builder.no_proxy();
        }
        install_crypto();
        Ok(slot.insert(builder.build()?).clone())
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
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
        let check = |input: &str, expect: Result<&str, &str>| {
            let found =
                parse(input).map(|url| Address::new(&url, SecretString::default()).unwrap().url("/x"));
            assert_eq!(found.as_deref().map_err(|(_, reason)| reason.as_str()), expect, "{input}");
        };
        check("https://api.openai.com/v1", Ok("https://api.openai.com/v1/x"));
        check("https://api.openai.com/v1/", Ok("https://api.openai.com/v1/x"));
        check("http://127.0.0.1:8081", Ok("http://127.0.0.1:8081/x"));
        check("http://h/v1/chat/completions", Ok("http://h/v1/x"));
        check("ftp://h/v1", Err("must begin with http:// or https://"));
        check("http://h/v1?a=b", Err("must not have a query"));
        check("h:80/v1", Err("must begin with http:// or https://"));
        check("", Err("relative URL without a base"));
    }

    #[test]
    fn a_shown_url_has_no_password() {
        assert_eq!(shown(&Url::parse("https://me:secret@h/v1/").unwrap()), "https://h/v1");
        assert_eq!(parse("//me:secret@h").unwrap_err().0, "h");
    }

    #[test]
    fn loopback() {
        let check =
            |url: &str, expect: bool| assert_eq!(is_loopback(&Url::parse(url).unwrap()), expect, "{url}");
        check("http://localhost:1/v1", true);
        check("http://127.0.0.2/v1", true);
        check("http://[::1]:8080/v1", true);
        check("http://10.0.0.1/v1", false);
        check("http://localhost.example/v1", false);
    }

    #[test]
    fn a_key_with_a_line_break_is_refused() {
        let url = Url::parse("http://h").unwrap();
        assert!(Address::new(&url, SecretString::from("a\nb")).is_none());
    }
}
