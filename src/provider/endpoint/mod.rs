//! Models behind HTTP, whatever protocol they speak.
//!
//! [`Endpoint`] asks in the manner the server is known to accept, learns what it refuses, and asks again where that helps
//! at once. `address` says where it is, `exchange` sends and watches, `door` has the words for what comes in place of an
//! answer, `gather` puts an answer together. What a request looks like and what its events mean is `openai`'s and
//! `anthropic`'s. The key comes in as an argument: nothing here reads the environment. Waiting belongs to `run`.

mod address;
mod complaint;
mod door;
mod exchange;
mod gather;
mod manner;
mod page;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;

use super::{Answer, AskError, Draft, OpenError, Sample, anthropic, openai};
use crate::{prompt::Prompt, reviewer::Reviewer, secret::Keys};
pub(super) use address::Address;
pub use address::HttpClients;
pub(super) use door::{Door, Refusal};
pub(super) use exchange::Exchange;
pub(super) use gather::{Reply, Said, Trouble, gather, newer};
pub(super) use manner::Manner;
pub(super) use page::page;

/// How requests and events look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// `OpenAI`'s chat completions.
    Chat,
    /// Anthropic's messages.
    Messages,
}

/// Where an endpoint is and what opens it.
pub(super) struct Way<'a> {
    pub(super) protocol: Protocol,
    pub(super) base_url: &'a str,
    /// Where the key came from, for error messages.
    pub(super) variable: Option<&'a str>,
    pub(super) key: Option<SecretString>,
}

/// An endpoint with a model behind it. Clones share what was learned about it.
#[derive(Clone)]
pub struct Endpoint {
    http: reqwest::Client,
    address: Address,
    door: Arc<Door>,
    protocol: Protocol,
    manner: Arc<Mutex<Manner>>,
}

impl Protocol {
    /// The output limit in tokens where nobody says one and the protocol insists on it.
    fn default_limit(self) -> Option<u32> {
        match self {
            Self::Chat => None,
            Self::Messages => Some(anthropic::DEFAULT_LIMIT),
        }
    }
}

impl Endpoint {
    /// The model of `reviewer`.
    pub(super) fn open(
        reviewer: &Reviewer,
        way: Way<'_>,
        clients: &mut HttpClients,
    ) -> Result<Self, OpenError> {
        let id = || reviewer.id.to_string();
        let url = address::parse(way.base_url, way.protocol)
            .map_err(|(shown, reason)| OpenError::BadUrl { reviewer: id(), base_url: shown, reason })?;
        let key = way.key.unwrap_or_default();
        let header = reviewer.quirks.key_header.as_deref().unwrap_or(way.protocol.key_header());
        let address = Address::new(&url, header, key.clone()).ok_or_else(|| OpenError::BadKey {
            reviewer: id(),
            variable: way.variable.unwrap_or_default().to_owned(),
        })?;
        let http = clients
            .for_url(&url)
            .map_err(|error| OpenError::Http { reviewer: id(), reason: door::root_cause(&error) })?;
        let door = Door {
            address: address::shown(&url),
            variable: way.variable.map(str::to_owned),
            model: reviewer.model.clone(),
            keys: Keys::of(&key),
            key,
        };
        let manner = Manner::new(reviewer, way.protocol.default_limit());
        Ok(Self {
            http,
            address,
            door: Arc::new(door),
            protocol: way.protocol,
            manner: Arc::new(Mutex::new(manner)),
        })
    }

    pub(super) fn without_key(&self, text: String) -> String {
        self.door.without_key(text)
    }

    /// Takes out what holds the key.
    pub(super) fn keep_key_out_of(&self, headers: &mut HeaderMap) {
        let holds_key = |value: &HeaderValue| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            self.door.without_key(text.clone()) != text
        };
        let names: Vec<HeaderName> =
            headers.iter().filter(|(_, value)| holds_key(value)).map(|(name, _)| name.clone()).collect();
        for name in names {
            headers.remove(name);
        }
    }

    pub(super) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Sends `body` to `path` behind the base URL, with the key and `headers`. Any status is an answer.
    pub(super) async fn post(
        &self,
        path: &str,
        body: Bytes,
        headers: HeaderMap,
    ) -> Result<reqwest::Response, AskError> {
        let request = self.http.post(self.address.of(path)).headers(headers);
        let request = request.headers(self.address.headers.clone()).header(CONTENT_TYPE, "application/json");
        request.body(body).send().await.map_err(|error| self.door.lost(&error))
    }

    /// Words for a connection that broke in the middle of an answer.
    pub(super) fn lost(&self, error: &reqwest::Error) -> AskError {
        self.door.lost(error)
    }

    /// Asks, and asks again at once when the server refused something that can be left out, or spent its whole output on
    /// reasoning. Each kind of change is made once in a run, and a raised limit taken back once, so this ends.
    pub(super) async fn ask(
        &self,
        prompt: &Prompt,
        sample: Sample,
        draft: &Arc<Draft>,
    ) -> Result<Answer, AskError> {
        let address = self.address.asking_for(sample);
        let mut spent: Option<Answer> = None;
        loop {
            let manner = self.manner(|manner| manner.clone());
            match self.once(&address, prompt, &manner, draft).await {
                Ok(reply) => {
                    let is_all_reasoning = reply.is_all_reasoning();
                    let reply = reply.checked(prompt);
                    let answer = match spent.take() {
                        Some(earlier) => reply.answer.after(&earlier),
                        None => reply.answer,
                    };
                    let remark = manner.remark();
                    if !(is_all_reasoning && self.manner(|shared| shared.raise(&manner, answer.tokens_out))) {
                        return Ok(Answer { remark, ..answer });
                    }
                    spent = Some(answer);
                }
                Err(Refusal { complaint: Some(complaint), .. })
                    if self.manner(|shared| shared.heed(&manner, &complaint)) => {}
                Err(Refusal { error: AskError::Permanent { reason, .. }, complaint: Some(_) })
                    if manner.is_raised() =>
                {
                    self.manner(Manner::lower);
                    if let Some(answer) = spent {
                        let remark = Some(format!("a larger output limit was refused: {reason}"));
                        return Ok(Answer { remark, ..answer });
                    }
                }
                Err(Refusal { error, .. }) => return Err(error.after(draft.take_text())),
            }
            draft.begin_again();
        }
    }

    async fn once(
        &self,
        address: &Address,
        prompt: &Prompt,
        manner: &Manner,
        draft: &Arc<Draft>,
    ) -> Result<Reply, Refusal> {
        let exchange = Exchange::new(self.http.clone(), Arc::clone(&self.door), Arc::clone(draft));
        match self.protocol {
            Protocol::Chat => openai::ask(exchange, address, manner, prompt).await,
            Protocol::Messages => anthropic::ask(exchange, address, manner, prompt).await,
        }
    }

    fn manner<T>(&self, look: impl FnOnce(&mut Manner) -> T) -> T {
        look(&mut self.manner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
