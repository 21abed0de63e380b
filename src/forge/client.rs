//! Requests to a platform: [`Client`], the same for all of them.
//!
//! It carries the token in the platform's header to one server and to no other, waits where the server asks for it, makes a request
//! again where that is right, and turns what goes wrong into a [`ForgeError`]. What a request means is the platform's file's matter.

mod limits;
mod patience;
mod transport;
mod words;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use http::{HeaderMap, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::{
    Credential, ForgeError,
    waiting::{Cause, OnWait, Wait},
};
use crate::{
    pull::Address,
    report::{foreign::one_line, words::shortened},
    secret::Keys,
};
pub(super) use patience::Effect;
use patience::{Delay, Fate, Outcome, Pace};
pub(super) use transport::Reply;
use transport::{Lost, headers, host, http_client, next_page, reply, root_cause};

/// All but letters, digits and `-._~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Most characters of a server's words in an error.
const LONGEST_REASON: usize = 300;
/// Most redirects of one request for reading.
const MOST_REDIRECTS: usize = 3;
/// Most pages of one list. What is longer is an error: a list that was cut in silence would make a second sticky comment.
pub(super) const MOST_PAGES: usize = 100;

/// How a platform is spoken to.
pub(super) struct Manners {
    /// The header that carries the token.
    pub(super) token_header: &'static str,
    /// What stands before the token in it: `Bearer `.
    pub(super) token_prefix: &'static str,
    /// Headers of every request.
    pub(super) headers: &'static [(&'static str, &'static str)],
    /// Least time from one change to the next.
    pub(super) pause: Duration,
    /// What a token needs to comment.
    pub(super) right: &'static str,
    /// Where the project itself is read, behind the API's root.
    pub(super) project_path: String,
    /// The key there of its whole name.
    pub(super) project_key: &'static str,
}

/// A server, and what opens it. Has no `Debug`: the headers hold the token.
pub(super) struct Client {
    http: reqwest::Client,
    api: Url,
    server: String,
    project: String,
    headers: HeaderMap,
    credential: Credential,
    keys: Keys,
    pace: Pace,
    manners: Manners,
    on_wait: OnWait,
    /// Whether it was told that answers take their time.
    is_slow: AtomicBool,
}

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    method: Method,
    path: String,
    body: Option<Value>,
    effect: Effect,
    verb: &'static str,
    what: String,
    right: Option<&'static str>,
}

impl Ask {
    /// Reads `path`, which is behind the API's root with its parts percent-encoded, or a whole URL on the same server. `verb` and `what`
    /// are for errors: `comment on`, `acme/shop#5`.
    pub(super) fn read(path: impl Into<String>, verb: &'static str, what: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            body: None,
            effect: Effect::Reads,
            verb,
            what: what.into(),
            right: None,
        }
    }

    /// The same as another request.
    pub(super) fn by(self, method: Method, effect: Effect) -> Self {
        Self { method, effect, ..self }
    }

    /// The same with this body.
    pub(super) fn with(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// The same, for which a token needs `right` and not the one to comment.
    pub(super) fn needing(self, right: &'static str) -> Self {
        Self { right: Some(right), ..self }
    }

    fn action(&self) -> String {
        format!("{} {}", self.verb, self.what)
    }
}

impl Client {
    /// A client for the server of `address` that acts on its project.
    pub(super) fn open(
        address: &Address,
        credential: Credential,
        manners: Manners,
        on_wait: OnWait,
    ) -> Result<Self, ForgeError> {
        let Address { api, project, .. } = address;
        let unusable = |reason: String| ForgeError::Unreachable {
            server: one_line(api.rsplit('@').next().unwrap_or_default()),
            action: "use the API".to_owned(),
            reason,
        };
        let api = Url::parse(api).map_err(|error| unusable(error.to_string()))?;
        if !matches!(api.scheme(), "http" | "https") {
            return Err(unusable("its address must begin with http:// or https://".to_owned()));
        }
        if !api.username().is_empty() || api.password().is_some() {
            return Err(unusable(
                "its address must hold no user; the token comes from a variable".to_owned(),
            ));
        }
        let server = host(&api);
        let http = http_client(&api).map_err(|error| unusable(root_cause(&error)))?;
        let headers = headers(&manners, &credential, &server)?;
        let keys = Keys::default();
        if let Some(token) = &credential.token {
            keys.add(&token.secret);
        }
        let pace = Pace::new(manners.pause);
        let (project, is_slow) = (project.clone(), AtomicBool::new(false));
        Ok(Self { http, api, server, project, headers, credential, keys, pace, manners, on_wait, is_slow })
    }

    /// Whether requests carry a token.
    pub(super) fn has_token(&self) -> bool {
        self.credential.token.is_some()
    }

    /// What the server says to `ask`, which it has done.
    pub(super) async fn ask<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T, ForgeError> {
        let reply = self.exchange(ask).await?;
        self.data(ask, self.accepted(ask, reply).await?.body)
    }

    /// All items of a list, page after page as `Link` leads.
    pub(super) async fn list<T: DeserializeOwned>(&self, ask: Ask) -> Result<Vec<T>, ForgeError> {
        let (mut ask, mut items) = (ask, Vec::new());
        for _ in 0..MOST_PAGES {
            let reply = self.exchange(&ask).await?;
            let reply = self.accepted(&ask, reply).await?;
            let next = next_page(&reply.headers);
            items.extend(self.data::<Vec<T>>(&ask, reply.body)?);
            match next {
                Some(next) => ask.path = next,
                None => return Ok(items),
            }
        }
        Err(self.too_many_pages(&ask))
    }

    /// A list goes on for longer than anything that is one.
    pub(super) fn too_many_pages(&self, ask: &Ask) -> ForgeError {
        self.unreachable(ask, &format!("there are more than {MOST_PAGES} pages"))
    }

    /// What the server says to `ask`, whether it has done it or refused. Waits for limits, and asks again where that is right.
    pub(super) async fn exchange(&self, ask: &Ask) -> Result<Reply, ForgeError> {
        if ask.effect != Effect::Reads && !self.has_token() {
            return Err(self.no_token());
        }
        let url = self.url(ask)?;
        let tell = |delay: &Delay<'_, Result<Reply, String>>| self.tell(delay);
        match patience::persist(ask.effect, &self.pace, || self.attempt(ask, url.clone()), tell).await {
            Outcome::Answer(reply) => reply.map_err(|reason| self.unreachable(ask, &reason)),
            Outcome::Failure { last, is_unknown } => {
                let reason = last.map_or_else(|reason| reason, |reply| self.reason(&reply));
                let doubt = if is_unknown { "; it may have been done all the same" } else { "" };
                Err(self.unreachable(ask, &format!("{reason}{doubt}")))
            }
            Outcome::Limited { last, pause } => Err(ForgeError::Limited {
                server: self.server.clone(),
                pause,
                reason: last.map_or_else(|reason| reason, |reply| self.reason(&reply)),
            }),
        }
    }

    /// Lets know what is waited for.
    fn tell(&self, delay: &Delay<'_, Result<Reply, String>>) {
        let cause = match delay {
            Delay::Answer if self.is_slow.swap(true, Ordering::Relaxed) => return,
            Delay::Answer => Cause::Answer,
            Delay::Failed(Ok(reply)) => Cause::Failed(self.reason(reply)),
            Delay::Failed(Err(reason)) => Cause::Failed(self.clean(reason)),
            Delay::Limited(last, pause) => Cause::Limited {
                is_secondary: last
                    .as_ref()
                    .is_ok_and(|reply| limits::is_secondary(&words::words(&reply.body))),
                pause: *pause,
            },
        };
        (self.on_wait)(&Wait { server: self.server.clone(), cause });
    }

    /// `reply` if it says that `ask` was done.
    pub(super) async fn accepted(&self, ask: &Ask, reply: Reply) -> Result<Reply, ForgeError> {
        match reply.status.as_u16() {
            200..=299 => Ok(reply),
            300..=399 => Err(self.renamed(ask).await),
            status => Err(self.refused(ask, status, self.reason(&reply))),
        }
    }

    /// The server has not done `ask`; `status` is HTTP's, or the one that says the same.
    pub(super) fn refused(&self, ask: &Ask, status: u16, reason: String) -> ForgeError {
        let server = self.server.clone();
        match (status, &self.credential.token) {
            (401 | 403, None) => self.no_token(),
            (401, Some(token)) => {
                let reason = words::of_bad_token(&reason).to_owned();
                ForgeError::BadToken { server, variable: token.variable.clone(), reason }
            }
            (403, Some(token)) => ForgeError::Forbidden {
                variable: token.variable.clone(),
                action: ask.action(),
                right: match ask.effect {
                    Effect::Reads => "",
                    Effect::Repeatable | Effect::Once => ask.right.unwrap_or(self.manners.right),
                },
                reason,
            },
            (404 | 410, _) => self.not_found(&ask.what),
            _ => ForgeError::Refused { server, action: ask.action(), reason },
        }
    }

    /// JSON as what it should be.
    pub(super) fn data<T: DeserializeOwned>(&self, ask: &Ask, body: Value) -> Result<T, ForgeError> {
        serde_json::from_value(body).map_err(|error| {
            self.unreachable(ask, &format!("the answer is not as the API describes it: {error}"))
        })
    }

    /// The server's words, safe to show in one line.
    pub(super) fn reason(&self, reply: &Reply) -> String {
        let words = words::words(&reply.body);
        if words.is_empty() { self.clean(&reply.status.to_string()) } else { self.clean(&words) }
    }

    /// There is no `what`.
    fn not_found(&self, what: &str) -> ForgeError {
        let access = match &self.credential.token {
            Some(token) => format!("the token in {} may not see it", token.variable),
            None if self.credential.variables.is_empty() => {
                "it takes a token, and none is for this server unless `url` of [forge] names it".to_owned()
            }
            None => format!("it takes a token: set {}", self.credential.variables.join(" or ")),
        };
        ForgeError::NotFound { what: what.to_owned(), access }
    }

    /// `ask` led to no answer.
    pub(super) fn unreachable(&self, ask: &Ask, reason: &str) -> ForgeError {
        ForgeError::Unreachable {
            server: self.server.clone(),
            action: ask.action(),
            reason: self.clean(reason),
        }
    }

    /// What is asked for takes a token.
    fn no_token(&self) -> ForgeError {
        ForgeError::NoToken { server: self.server.clone(), variables: self.credential.variables.clone() }
    }

    /// A change is not carried to wherever a redirect points; the error has the name to use from now on.
    async fn renamed(&self, ask: &Ask) -> ForgeError {
        let read = Ask::read(self.manners.project_path.clone(), "read", &self.project);
        let reply = match self.exchange(&read).await {
            Ok(reply) => reply,
            Err(error) => return error,
        };
        match reply.body[self.manners.project_key].as_str() {
            Some(new) if reply.status.is_success() && new != self.project => {
                ForgeError::Renamed { old: self.project.clone(), new: self.clean(new) }
            }
            _ => self.unreachable(ask, "it redirects elsewhere"),
        }
    }

    /// One attempt: whom it reached, and what was said.
    async fn attempt(&self, ask: &Ask, url: Url) -> (Fate, Result<Reply, String>) {
        let reply = match self.once(ask, url).await {
            Ok(reply) => reply,
            Err(lost) => return (lost.fate, Err(lost.reason)),
        };
        let words = words::words(&reply.body);
        let fate = match limits::pause(reply.status, &reply.headers, &reply.body, &words) {
            Some(pause) => Fate::Limited(pause),
            None if reply.status.is_server_error() => Fate::Unknown,
            None => Fate::Answered,
        };
        (fate, Ok(reply))
    }

    /// Sends `ask` and reads the answer. Redirects are followed for reading only.
    async fn once(&self, ask: &Ask, mut url: Url) -> Result<Reply, Lost> {
        for _ in 0..=MOST_REDIRECTS {
            let mut request =
                self.http.request(ask.method.clone(), url.clone()).headers(self.headers.clone());
            if let Some(body) = &ask.body {
                request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
            }
            let response = request.send().await?;
            let target =
                response.headers().get(header::LOCATION).filter(|_| response.status().is_redirection());
            let (Some(target), Effect::Reads) = (target, ask.effect) else {
                return reply(response).await;
            };
            match target.to_str().ok().and_then(|target| url.join(target).ok()) {
                Some(next) if next.origin() == self.api.origin() => url = next,
                Some(next) => {
                    let reason = format!("it redirects to {}, where the token does not go", host(&next));
                    return Err(Lost::unusable(reason));
                }
                None => return Err(Lost::unusable("it redirects to no address")),
            }
        }
        Err(Lost::unusable("it redirects in a circle"))
    }

    /// Where `ask` goes, which is nowhere but to this server.
    fn url(&self, ask: &Ask) -> Result<Url, ForgeError> {
        let whole = if ask.path.starts_with('/') {
            format!("{}{}", self.api.as_str().trim_end_matches('/'), ask.path)
        } else {
            ask.path.clone()
        };
        let url = Url::parse(&whole).ok().filter(|url| url.origin() == self.api.origin());
        url.ok_or_else(|| self.unreachable(ask, "it leads to another server, where the token does not go"))
    }

    fn clean(&self, text: &str) -> String {
        shortened(&one_line(&self.keys.conceal(text.to_owned())), LONGEST_REASON)
    }
}

/// A name as one part of a path.
pub(super) fn encoded(part: &str) -> String {
    utf8_percent_encode(part, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        forge::{Token, waiting::in_silence},
        pull::Platform,
    };

    #[test]
    fn servers_that_cannot_be_asked() {
        let check = |api: &str, token: &str, expect: &str| {
            let token = Token { variable: "T".to_owned(), secret: token.into() };
            let credential = Credential { token: Some(token), variables: Vec::new() };
            let manners = Manners {
                token_header: "authorization",
                token_prefix: "Bearer ",
                headers: &[],
                pause: Duration::ZERO,
                right: "",
                project_path: String::new(),
                project_key: "",
            };
            let address = Address {
                platform: Platform::GitHub,
                api: api.to_owned(),
                project: "acme/shop".to_owned(),
                number: 5,
            };
            let opened = Client::open(&address, credential, manners, in_silence());
            assert_eq!(opened.err().map_or_else(|| "opened".to_owned(), |error| error.to_string()), expect);
        };
        check("http://127.0.0.1:1", " token\n", "opened");
        check(
            "http://127.0.0.1:1",
            "to\nken",
            "127.0.0.1:1 does not accept the token in T: it has characters that cannot be sent",
        );
        check(
            "ftp://h",
            "t",
            "cannot use the API at ftp://h: its address must begin with http:// or https://",
        );
        check("", "t", "cannot use the API at : relative URL without a base");
        let user =
            "cannot use the API at h/api: its address must hold no user; the token comes from a variable";
        check("https://me:secret@h/api", "t", user);
    }
}
