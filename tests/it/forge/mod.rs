//! Mock platforms in this process that hold one pull request and accept no request which their API's published description does
//! not allow: [`MockForge`].
//!
//! ```text
//! let pull = Pull::new("acme/shop", 5, BASE, HEAD).with_hunk("src/a.rs", 10, 20);
//! let forge = MockForge::start(github::GitHub::new(), pull).await;
//! // In this process: Forge at forge.url, or the built binary with GITHUB_API_URL={forge.url} and GITHUB_TOKEN={TOKEN}.
//! forge.play(Fault::Broken, Some(1));                      // the next request fares badly
//! forge.change(|pull| pull.head = LATER.to_owned());       // somebody pushes
//! assert_eq!(forge.bodies(), ["…"]);                       // also comments(), threads(), statuses(), requests()
//! ```
//!
//! A test that starts the binary needs `#[tokio::test(flavor = "multi_thread")]`, since waiting for it blocks a thread. What does not fit
//! the description is answered with status 400 and fails the test when the mock is dropped. A new platform is a [`Platform`]: its routes,
//! its words for refusals, and its document in `openapi/`.

pub(crate) mod gitea;
pub(crate) mod github;
pub(crate) mod gitlab;
mod openapi;
mod pull;
mod whole;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::mock::{Act, Asked, Mock};
pub(crate) use pull::{Discussion, OURS, Pull, Said, Status};

/// The one token that a mock accepts; it is [`OURS`].
pub(crate) const TOKEN: &str = "token-of-the-mock-0123456789";

/// What a platform does with requests.
pub(crate) trait Platform: Send + 'static {
    /// What stands between the server's address and the paths of the description: `/api/v4`.
    fn root(&self) -> &'static str;

    /// The token in the headers, if there is one.
    fn token<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str>;

    /// Whether the request would change something.
    fn is_change(&self, request: &Request) -> bool {
        request.method != Method::GET
    }

    /// The platform's way to say what went wrong.
    fn refusal(&self, refusal: Refusal) -> Answer;

    /// What a request that may be made gets. `Err` says which rule of the API it breaks.
    fn answer(&mut self, pull: &mut Pull, request: &Request) -> Result<Answer, String>;
}

/// A request as a platform sees it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Behind the platform's root, percent-encoded as sent, without its query.
    pub(crate) path: String,
    /// Names and values of the query, decoded.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    /// Address of the platform's root.
    pub(crate) url: String,
}

impl Request {
    /// A value of the query as a number.
    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        self.query.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.parse().ok())
    }

    /// The page of `items` that is asked for by `page` and `size`, with the `Link` header if there is more.
    pub(crate) fn page(&self, items: &[Value], size: &str, default_size: usize) -> Answer {
        let (number, size_wanted) = (
            self.number("page").unwrap_or(1).max(1),
            self.number(size).unwrap_or(default_size).clamp(1, 100),
        );
        let answer = Answer::of(200, json!(items.chunks(size_wanted).nth(number - 1).unwrap_or_default()));
        if number * size_wanted >= items.len() {
            return answer;
        }
        let next = format!("{}{}?page={}&{size}={size_wanted}", self.url, self.path, number + 1);
        answer.with("link", format!("<{next}>; rel=\"next\""))
    }
}

/// What a platform answers.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Value,
}

impl Answer {
    pub(crate) fn of(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn act(self) -> Act {
        let body = if self.body.is_null() { String::new() } else { self.body.to_string() };
        let json = ("content-type", "application/json; charset=utf-8".to_owned());
        Act::Page { status: self.status, headers: self.headers.into_iter().chain([json]).collect(), body }
    }
}

/// Why a platform does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The token is not [`TOKEN`].
    BadToken,
    /// There is none, and one is needed.
    NoToken,
    /// The token may only read.
    ReadOnly,
    /// As if it were not there.
    Hidden,
    /// Too many changes; seconds to wait.
    Limited(u64),
    /// It has trouble of its own.
    Broken,
}

/// Something bad for a mock to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The token has expired.
    Expired,
    /// The token may only read: every change is refused.
    ReadOnly,
    /// The token may not see it.
    Hidden,
    /// A change is one too many; seconds to wait.
    Limited(u64),
    /// Status 500, and nothing is done.
    Broken,
    /// A change gets status 500, and nothing is done.
    Failing,
    /// A change is made, but the connection is lost before the answer.
    Lost,
    /// The answer takes so long.
    Slow(Duration),
}

impl Fault {
    fn concerns(self, is_change: bool) -> bool {
        match self {
            Self::Expired | Self::Hidden | Self::Broken | Self::Slow(_) => true,
            Self::ReadOnly | Self::Limited(_) | Self::Failing | Self::Lost => is_change,
        }
    }
}

struct State {
    platform: Box<dyn Platform>,
    pull: Pull,
    faults: Vec<(Fault, Option<u32>)>,
    violations: Vec<String>,
    host: String,
}

/// A running mock platform; it ends when dropped, and the test fails then if a request broke the API's rules.
pub(crate) struct MockForge {
    /// The root of its API: what `GITHUB_API_URL` and its like say.
    pub(crate) url: String,
    mock: Mock,
    state: Arc<Mutex<State>>,
}

impl MockForge {
    /// Starts `platform` on a port of loopback, holding `pull`.
    pub(crate) async fn start(platform: impl Platform, pull: Pull) -> Self {
        let root = platform.root();
        let state = State {
            platform: Box::new(platform),
            pull,
            faults: Vec::new(),
            violations: Vec::new(),
            host: String::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let mock = Mock::start(move |asked| {
            let (delay, act) = shared.lock().unwrap().decide(&asked);
            async move {
                tokio::time::sleep(delay).await;
                act
            }
        })
        .await;
        let host = mock.url.trim_end_matches("/v1").to_owned();
        let url = format!("{host}{root}");
        state.lock().unwrap().host = host;
        Self { url, mock, state }
    }

    /// What a job of the server's CI sees: `variables`, in which `API` and `HOST` stand for its addresses.
    pub(crate) fn job<'a>(&self, variables: &[(&'a str, &str)]) -> Vec<(&'a str, String)> {
        let host = self.url.split_once("/api/").map_or(self.url.as_str(), |(host, _)| host);
        let value = |text: &str| match text {
            "API" => self.url.clone(),
            "HOST" => host.to_owned(),
            _ => text.to_owned(),
        };
        variables.iter().map(|(name, text)| (*name, value(text))).collect()
    }

    /// From now on does this, for so many requests or for ever.
    pub(crate) fn play(&self, fault: Fault, times: Option<u32>) {
        self.state.lock().unwrap().faults.push((fault, times));
    }

    /// From now on nothing bad happens any more.
    pub(crate) fn heal(&self) {
        self.state.lock().unwrap().faults.clear();
    }

    /// Looks at the pull request, or changes it as somebody else would.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Pull) -> T) -> T {
        change(&mut self.state.lock().unwrap().pull)
    }

    /// The conversation.
    pub(crate) fn comments(&self) -> Vec<Said> {
        self.change(|pull| pull.comments.clone())
    }

    /// The texts of the conversation.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.comments().into_iter().map(|comment| comment.body).collect()
    }

    /// Comments at lines.
    pub(crate) fn threads(&self) -> Vec<Discussion> {
        self.change(|pull| pull.threads.clone())
    }

    /// Statuses, in order.
    pub(crate) fn statuses(&self) -> Vec<Status> {
        self.change(|pull| pull.statuses.clone())
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Asked> {
        self.mock.asked()
    }

    /// Methods and paths of all requests so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.requests().iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect()
    }
}

impl Drop for MockForge {
    fn drop(&mut self) {
        let violations = std::mem::take(&mut self.state.lock().unwrap().violations);
        if !std::thread::panicking() {
            assert!(violations.is_empty(), "requests against the API's rules:\n{}", violations.join("\n"));
        }
    }
}

impl State {
    fn decide(&mut self, asked: &Asked) -> (Duration, Act) {
        let request = match self.request(asked) {
            Ok(request) => request,
            Err(violation) => return (Duration::ZERO, self.violated(asked, &violation)),
        };
        let is_change = self.platform.is_change(&request);
        let fault = self.next_fault(is_change);
        if let Some(refusal) = self.refusal(&request, is_change, fault) {
            return (Duration::ZERO, self.platform.refusal(refusal).act());
        }
        let act = match self.platform.answer(&mut self.pull, &request) {
            Ok(_) if fault == Some(Fault::Lost) => Act::Reset,
            Ok(answer) => answer.act(),
            Err(violation) => self.violated(asked, &violation),
        };
        match fault {
            Some(Fault::Slow(delay)) => (delay, act),
            _ => (Duration::ZERO, act),
        }
    }

    fn request(&self, asked: &Asked) -> Result<Request, String> {
        let url =
            url::Url::parse(&format!("{}{}", self.host, asked.path)).map_err(|error| error.to_string())?;
        // GitHub's GraphQL is beside its root, so a path may be outside of it.
        let path = url.path().strip_prefix(self.platform.root()).unwrap_or(url.path());
        Ok(Request {
            method: asked.method.clone(),
            path: path.to_owned(),
            query: url.query_pairs().into_owned().collect(),
            headers: asked.headers.clone(),
            body: asked.body.clone(),
            url: format!("{}{}", self.host, self.platform.root()),
        })
    }

    fn violated(&mut self, asked: &Asked, violation: &str) -> Act {
        self.violations.push(format!("{} {}: {violation}", asked.method, asked.path));
        Answer::of(400, json!({"message": format!("against the API's rules: {violation}")})).act()
    }

    /// The first fault that concerns such a request.
    fn next_fault(&mut self, is_change: bool) -> Option<Fault> {
        let at = self.faults.iter().position(|(fault, _)| fault.concerns(is_change))?;
        let (fault, times) = &mut self.faults[at];
        let fault = *fault;
        if let Some(times) = times {
            *times -= 1;
            if *times == 0 {
                self.faults.remove(at);
            }
        }
        Some(fault)
    }

    fn refusal(&self, request: &Request, is_change: bool, fault: Option<Fault>) -> Option<Refusal> {
        match (self.platform.token(&request.headers), fault) {
            (_, Some(Fault::Broken | Fault::Failing)) => Some(Refusal::Broken),
            (Some(_), Some(Fault::Expired)) => Some(Refusal::BadToken),
            (Some(token), _) if token != TOKEN => Some(Refusal::BadToken),
            (_, Some(Fault::Hidden)) => Some(Refusal::Hidden),
            (None, _) if self.pull.is_private => Some(Refusal::Hidden),
            (None, _) if is_change => Some(Refusal::NoToken),
            (_, Some(Fault::ReadOnly)) => Some(Refusal::ReadOnly),
            (_, Some(Fault::Limited(seconds))) => Some(Refusal::Limited(seconds)),
            (_, Some(Fault::Expired | Fault::Lost | Fault::Slow(_)) | None) => None,
        }
    }
}
