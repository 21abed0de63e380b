//! HTTP requests as a gauntlet makes them: [`Client`] sends one [`Request`] and reads the [`Response`] to its end.
//!
//! What is answered is told as it is: redirects are not followed, nothing is asked again, and no compression is wished for. Connections are
//! used again.

use std::{error::Error, time::Duration};

use reqwest::{
    Method, StatusCode, Url,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};

use crate::{
    report::{foreign::one_line, words::shortened},
    reviewer::is_loopback,
};

/// Most bytes of a body that are read.
pub const MOST: usize = 16 << 20;
/// Longest time to connect.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);
/// Most characters of a reason that are told.
const LONGEST_REASON: usize = 300;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Such as `GET`.
    pub method: &'a str,
    /// Whole address.
    pub url: &'a str,
    /// Names and values; a later one replaces an earlier one of the same name.
    pub headers: &'a [(String, String)],
    /// What is sent along.
    pub body: Option<&'a [u8]>,
    /// Longest time until the end of the answer.
    pub timeout: Duration,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, in order of arrival.
    pub headers: Vec<(String, String)>,
    /// All of it.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It cannot be sent.
    #[error("cannot be asked: {0}")]
    Unusable(String),
    /// Nobody is there.
    #[error("cannot connect to {address}: {reason}")]
    Unreachable {
        /// Host and port.
        address: String,
        /// Why.
        reason: String,
    },
    /// It took too long.
    #[error("no whole answer within {} s ({})", limit.as_secs_f64(), so_far(*.status, *.bytes))]
    TimedOut {
        /// How long was waited.
        limit: Duration,
        /// The status, if that came.
        status: Option<u16>,
        /// How much of the body came.
        bytes: usize,
    },
    /// The body does not end.
    #[error("HTTP {status}, and then more than {} MiB of body", MOST >> 20)]
    Flood {
        /// The status.
        status: u16,
    },
    /// It broke off.
    #[error("the connection broke ({}): {reason}", so_far(*.status, *.bytes))]
    Broken {
        /// The status, if that came.
        status: Option<u16>,
        /// How much of the body came.
        bytes: usize,
        /// Why.
        reason: String,
    },
    /// Compressed, although that was not wished for.
    #[error("HTTP {status}, compressed as {encoding} although `accept-encoding: identity` was sent")]
    Compressed {
        /// The status.
        status: u16,
        /// What it is called.
        encoding: String,
    },
}

fn so_far(status: Option<u16>, bytes: usize) -> String {
    match status {
        Some(status) => format!("HTTP {status} and {bytes} bytes of body came"),
        None => "nothing came".to_owned(),
    }
}

/// Asks one server.
#[derive(Debug, Clone)]
pub struct Client(reqwest::Client);

impl Client {
    /// A client for the server at `address`.
    pub fn new(address: &str) -> Result<Self, RequestError> {
        // An error says that one is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(LONGEST_CONNECT)
            .user_agent(concat!("scrum/", env!("CARGO_PKG_VERSION")));
        if address.starts_with("http://") {
            // No certificates to load, so a machine without any can still reach its own server.
            builder = builder.tls_certs_only([]);
        }
        if is_loopback(address) {
            builder = builder.no_proxy();
        }
        builder.build().map(Self).map_err(|error| RequestError::Unusable(root_cause(&error)))
    }

    /// Sends `request` and reads what is answered.
    pub async fn send(&self, request: &Request<'_>) -> Result<Response, RequestError> {
        let prepared = self.prepared(request)?;
        let mut progress = Progress { status: None, body: Vec::new() };
        match tokio::time::timeout(request.timeout, progress.exchange(prepared)).await {
            Ok(answered) => answered,
            Err(_) => Err(RequestError::TimedOut {
                limit: request.timeout,
                status: progress.status,
                bytes: progress.body.len(),
            }),
        }
    }

    fn prepared(&self, request: &Request<'_>) -> Result<reqwest::RequestBuilder, RequestError> {
        let unusable = |what: &str, text: &str| RequestError::Unusable(format!("{text:?} is no {what}"));
        let url = Url::parse(request.url)
            .map_err(|error| RequestError::Unusable(format!("address {:?}: {error}", request.url)))?;
        let method =
            Method::from_bytes(request.method.as_bytes()).map_err(|_| unusable("method", request.method))?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        for (name, value) in request.headers {
            let known =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable("name of a header", name))?;
            let value = HeaderValue::from_str(value).map_err(|_| unusable("value of a header", value))?;
            headers.insert(known, value);
        }
        let prepared = self.0.request(method, url).headers(headers);
        Ok(match request.body {
            Some(body) => prepared.body(body.to_vec()),
            None => prepared,
        })
    }
}

/// How far an answer has come.
struct Progress {
    status: Option<u16>,
    body: Vec<u8>,
}

impl Progress {
    async fn exchange(&mut self, prepared: reqwest::RequestBuilder) -> Result<Response, RequestError> {
        let mut response = prepared.send().await.map_err(|error| self.lost(&error))?;
        let status = response.status().as_u16();
        self.status = Some(status);
        let encoding = response.headers().get(CONTENT_ENCODING).map(text).filter(|one| one != "identity");
        let has_body = !matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if let Some(encoding) = encoding.filter(|_| has_body) {
            return Err(RequestError::Compressed {
                status,
                encoding: shortened(&one_line(&encoding), LONGEST_REASON),
            });
        }
        while let Some(piece) = response.chunk().await.map_err(|error| self.lost(&error))? {
            if self.body.len() + piece.len() > MOST {
                return Err(RequestError::Flood { status });
            }
            self.body.extend_from_slice(&piece);
        }
        let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
        Ok(Response { status, headers: headers.collect(), body: std::mem::take(&mut self.body) })
    }

    fn lost(&self, error: &reqwest::Error) -> RequestError {
        let reason = shortened(&one_line(&root_cause(error)), LONGEST_REASON);
        if error.is_connect() {
            let address = error.url().map(|url| {
                format!(
                    "{}:{}",
                    url.host_str().unwrap_or_default(),
                    url.port_or_known_default().unwrap_or_default()
                )
            });
            return RequestError::Unreachable { address: address.unwrap_or_default(), reason };
        }
        RequestError::Broken { status: self.status, bytes: self.body.len(), reason }
    }
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
