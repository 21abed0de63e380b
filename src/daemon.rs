//! A daemon of `scrum serve` as its clients see it: [`Daemon`] brings jobs, looks at them, watches them, calls them off.
//!
//! What a daemon says is foreign text: who shows it makes it harmless.

use std::{error::Error, time::Duration};

use eventsource_stream::{Event, Eventsource};
use futures_util::{Stream, StreamExt};
use reqwest::{Method, RequestBuilder, Response, StatusCode, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::{
    job::wire::{
        Brought, CANCEL, CalledOff, ENQUEUE, JOB, JOBS, List, Order, STATUS, Shown, Standing, TOLD, Told,
    },
    report::{foreign::one_line, words::shortened},
    reviewer::is_loopback,
};

/// How long the daemon may take to accept a connection.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);
/// How long it may take for a whole answer.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);
/// How long it may say nothing while a job is watched; it tells every 15 s that it is there.
const LONGEST_SILENCE: Duration = Duration::from_mins(1);
/// Largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 64 << 20;
/// Most characters that are shown of what a server says.
const LONGEST_REASON: usize = 500;

/// A daemon, and who asks it.
#[derive(Debug)]
pub struct Daemon {
    http: reqwest::Client,
    base: Url,
    key: Option<SecretString>,
    tenant: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DaemonError {
    /// No address.
    #[error("{address:?} is no address of a daemon: {reason}")]
    Address {
        /// As given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody is there.
    #[error("no daemon answers at {address}: {reason}")]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        reason: String,
    },
    /// It says no.
    #[error("the daemon at {address} says no: {message}")]
    Refused {
        /// Where.
        address: String,
        /// The status.
        status: u16,
        /// Its words.
        message: String,
        /// Its word for programs.
        code: String,
    },
    /// It broke off.
    #[error("the connection to the daemon at {address} broke: {reason}")]
    Broken {
        /// Where.
        address: String,
        /// Why.
        reason: String,
    },
    /// Something else is there.
    #[error("what answers at {address} is no daemon of this version: {reason}")]
    Unintelligible {
        /// Where.
        address: String,
        /// What is wrong.
        reason: String,
    },
}

/// Something that is heard of a watched job.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// How it stands.
    Job(Box<Shown>),
    /// What it told.
    Told {
        /// Its number.
        seq: u64,
        /// Which attempt told it.
        attempt: u32,
        /// An object.
        what: Value,
    },
}

/// The gateway's form of errors, as far as it is read.
#[derive(Deserialize)]
struct Refusal {
    error: Complaint,
}

#[derive(Deserialize)]
struct Complaint {
    message: String,
    code: Option<String>,
}

impl Daemon {
    /// The one at `address`, an URL or what stands behind `http://` in one.
    pub fn at(address: &str, key: Option<SecretString>, tenant: Option<String>) -> Result<Self, DaemonError> {
        let wrong = |reason: String| DaemonError::Address { address: address.to_owned(), reason };
        let whole = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
        let mut base = Url::parse(&whole).map_err(|error| wrong(error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none_or(str::is_empty) {
            return Err(wrong("it must be http://HOST:PORT or https://HOST".to_owned()));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(wrong("a key belongs into SCRUM_KEY".to_owned()));
        }
        base.set_query(None);
        base.set_fragment(None);
        let http = client(&base).map_err(|error| wrong(root_cause(&error)))?;
        Ok(Self { http, base, key, tenant })
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// A path of it as a whole address.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.address())
    }

    /// Brings a job. True: it is new.
    pub async fn enqueue(&self, order: &Order) -> Result<(Brought, bool), DaemonError> {
        let body = serde_json::to_vec(order).map_err(|error| self.unintelligible(&error))?;
        let request =
            self.request(Method::POST, ENQUEUE).header("content-type", "application/json").body(body);
        let (status, brought) = self.asked(request).await?;
        Ok((brought, status == StatusCode::CREATED))
    }

    /// A job.
    pub async fn job(&self, id: &str) -> Result<Shown, DaemonError> {
        Ok(self.asked(self.request(Method::GET, &format!("{JOBS}/{id}"))).await?.1)
    }

    /// Jobs; `query` is what stands behind the `?`.
    pub async fn jobs(&self, query: &[(&str, &str)]) -> Result<List, DaemonError> {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        self.more(&format!("{JOBS}?{query}")).await
    }

    /// More of them, at an address that a list gave.
    pub async fn more(&self, next: &str) -> Result<List, DaemonError> {
        Ok(self.asked(self.request(Method::GET, next)).await?.1)
    }

    /// How the queue does.
    pub async fn standing(&self) -> Result<Standing, DaemonError> {
        Ok(self.asked(self.request(Method::GET, STATUS)).await?.1)
    }

    /// Calls a job off.
    pub async fn cancel(&self, id: &str) -> Result<CalledOff, DaemonError> {
        Ok(self.asked(self.request(Method::DELETE, &format!("{CANCEL}/{id}"))).await?.1)
    }

    /// A file at an address that a job gave.
    pub async fn file(&self, href: &str) -> Result<Vec<u8>, DaemonError> {
        Ok(self.answered(self.request(Method::GET, href).timeout(LONGEST_ANSWER)).await?.1)
    }

    /// What is heard of a job from now on, and what it told after the event `after`; ends with the connection.
    pub async fn watch(
        &self,
        id: &str,
        after: u64,
    ) -> Result<impl Stream<Item = Result<Heard, DaemonError>>, DaemonError> {
        let request = self.request(Method::GET, &format!("{JOBS}/{id}/events"));
        let request = request.header("last-event-id", after).header("accept", "text/event-stream");
        let response = self.sent(request).await?;
        let address = self.address().to_owned();
        let broken = move |reason: String| DaemonError::Broken { address: address.clone(), reason };
        let events = response.bytes_stream().eventsource();
        let heard = events.map(move |event| match event {
            Ok(event) => heard(&event).map_err(&broken),
            Err(error) => Err(broken(shortened(&one_line(&error.to_string()), LONGEST_REASON))),
        });
        Ok(heard.filter_map(async |heard| heard.transpose()))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.http.request(method, self.link(path));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.expose_secret());
        }
        if let Some(tenant) = &self.tenant {
            request = request.header("x-org-id", tenant);
        }
        request
    }

    async fn asked<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<(StatusCode, T), DaemonError> {
        let (status, body) = self.answered(request.timeout(LONGEST_ANSWER)).await?;
        let read = serde_json::from_slice(&body).map_err(|error| self.unintelligible(&error))?;
        Ok((status, read))
    }

    async fn answered(&self, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), DaemonError> {
        let response = self.sent(request).await?;
        let status = response.status();
        Ok((status, self.whole(response).await?))
    }

    /// The beginning of an answer that is none but what was asked for.
    async fn sent(&self, request: RequestBuilder) -> Result<Response, DaemonError> {
        let response = request.send().await.map_err(|error| self.lost(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = self.whole(response).await?;
        let Ok(Refusal { error }) = serde_json::from_slice(&body) else {
            return Err(self.unintelligible(&format_args!("it answers with HTTP {}", status.as_u16())));
        };
        Err(DaemonError::Refused {
            address: self.address().to_owned(),
            status: status.as_u16(),
            message: shortened(&one_line(&error.message), LONGEST_REASON),
            code: error.code.unwrap_or_default(),
        })
    }

    async fn whole(&self, mut response: Response) -> Result<Vec<u8>, DaemonError> {
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.lost(&error))? {
            if body.len() + piece.len() > LARGEST_ANSWER {
                return Err(self.unintelligible(&"its answer does not end"));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    fn lost(&self, error: &reqwest::Error) -> DaemonError {
        let (address, reason) =
            (self.address().to_owned(), shortened(&one_line(&root_cause(error)), LONGEST_REASON));
        if error.is_connect() {
            return DaemonError::Unreachable { address, reason };
        }
        let reason = if error.is_timeout() { "it takes too long".to_owned() } else { reason };
        DaemonError::Broken { address, reason }
    }

    fn unintelligible(&self, reason: &dyn std::fmt::Display) -> DaemonError {
        let reason = shortened(&one_line(&reason.to_string()), LONGEST_REASON);
        DaemonError::Unintelligible { address: self.address().to_owned(), reason }
    }
}

/// What an event says; `None` of events nobody here knows.
fn heard(event: &Event) -> Result<Option<Heard>, String> {
    match event.event.as_str() {
        JOB => {
            let job = serde_json::from_str(&event.data).map_err(|error| error.to_string())?;
            Ok(Some(Heard::Job(Box::new(job))))
        }
        TOLD => {
            let told: Told<'_> = serde_json::from_str(&event.data).map_err(|error| error.to_string())?;
            let what = serde_json::from_str(told.what.get()).map_err(|error| error.to_string())?;
            let seq = event.id.parse().map_err(|_| format!("{:?} is no number of an event", event.id))?;
            Ok(Some(Heard::Told { seq, attempt: told.attempt, what }))
        }
        _ => Ok(None),
    }
}

impl DaemonError {
    /// Asking again could help.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..=599),
            Self::Address { .. } | Self::Unintelligible { .. } => false,
        }
    }
}

fn client(base: &Url) -> Result<reqwest::Client, reqwest::Error> {
    // An error says that one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .redirect(Policy::none())
        .connect_timeout(LONGEST_CONNECT)
        .read_timeout(LONGEST_SILENCE)
        .user_agent(concat!("scrum/", env!("CARGO_PKG_VERSION")));
    if base.scheme() == "http" {
        // No certificates to load, so a machine without any can still reach its own server.
        builder = builder.tls_certs_only([]);
    }
    if is_loopback(base.as_str()) {
        builder = builder.no_proxy();
    }
    builder.build()
}

fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
