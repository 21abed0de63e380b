//! One turn of a thread, made by the task of its flight: [`Asking`] tells the model what was said, gathers what it answers,
//! stores both, and only then ends.

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use jiff::Timestamp;
use serde_json::json;

use super::{
    Desk,
    gather::{DONE, Gathered, Lines, Unusable},
    wire::{Answered, History, MessageShown},
};
use crate::{
    clock,
    coalesce::Broken,
    conversation::{Message, Role, Scope, Thread, Turn, Viewer, recent},
    coverage::Spent,
    estimate,
    provider::relay::{self, Problem, Torn, is_events},
    report::json::printable,
    serve::{
        gateway::{Outgoing, Room, Upstream},
        metrics::Flight,
        tenants::{Admission, guess},
    },
    store::database::DatabaseError,
};

/// Most tokens of what was said before that the model is told again.
const MOST_EARLIER: u64 = 16_000;

/// An answer on its way to those who asked.
pub(super) type Body = Pin<Box<dyn Stream<Item = Result<Bytes, Failed>> + Send>>;

/// Why there is no whole answer. Its words name no file and no key.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error(transparent)]
    Torn(#[from] Torn),
    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error("the answer cannot be kept at the moment")]
    Kept(#[from] DatabaseError),
    #[error("the thread is gone")]
    Gone,
}

impl From<Failed> for Broken {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Torn(torn) => torn.into(),
            Failed::Unusable(_) | Failed::Kept(_) | Failed::Gone => failed.to_string().into(),
        }
    }
}

/// A question on its way to a model.
pub(super) struct Asking {
    pub(super) desk: Arc<Desk>,
    pub(super) upstream: Arc<Upstream>,
    pub(super) viewer: Viewer,
    pub(super) thread: String,
    /// Of the question and of its answer.
    pub(super) ids: [String; 2],
    pub(super) content: String,
    pub(super) reason: String,
    pub(super) scope: Scope,
    /// Name of whoever asks.
    pub(super) caller: String,
    /// Whether the answer is wanted as it comes.
    pub(super) stream: bool,
}

impl Asking {
    /// Asks. What goes wrong before the first byte is an answer, too.
    pub(super) async fn answer(self, admission: Admission, flight: Flight) -> Result<Response<Body>, Failed> {
        Ok(self.asked(admission, flight).await.unwrap_or_else(refused))
    }

    async fn asked(self, admission: Admission, flight: Flight) -> Result<Response<Body>, Failed> {
        let found = self.desk.threads.thread(&self.viewer, &self.thread).await?;
        let (thread, earlier) = found.ok_or(Failed::Gone)?;
        let (told, left_out) = told(&earlier);
        let history = History { told: told.len(), left_out };
        let outgoing =
            Outgoing { body: self.request(&thread, told), headers: HeaderMap::new(), _room: Room::default() };
        let asked_at = clock::now();
        let answer = Arc::clone(&self.upstream).call(outgoing, admission, flight).await?;
        if !answer.status().is_success() {
            return Ok(answer.map(|body| body.map(|piece| Ok(piece?)).boxed()));
        }
        let kept = Keeping { asking: self, asked_at, history };
        if is_events(answer.headers()) {
            Ok(kept.passed_on(answer.into_body()))
        } else {
            kept.whole(answer.into_body()).await
        }
    }

    /// About how many tokens it takes, where so much was said before.
    pub(super) fn guess(&self, thread: &Thread, earlier: &[Message]) -> u64 {
        guess(&self.request(thread, told(earlier).0), None)
    }

    fn request(&self, thread: &Thread, told: &[Message]) -> Bytes {
        let system = thread.about.iter().map(|about| ("system", about.context.as_str()));
        let said = told.iter().map(|message| (message.role.word(), message.content.as_str()));
        let all = system.chain(said).chain([(Role::User.word(), self.content.as_str())]);
        let messages: Vec<_> =
            all.map(|(role, content)| json!({ "role": role, "content": content })).collect();
        let model = &self.upstream.reviewer.model;
        json!({ "model": model, "messages": messages, "stream": self.stream }).to_string().into()
    }
}

/// What of it the model is told, and how many messages it is not.
fn told(earlier: &[Message]) -> (&[Message], usize) {
    recent(earlier, MOST_EARLIER, estimate::tokens)
}

fn refused(failed: Failed) -> Response<Body> {
    let response: Response<String> = Problem::from(failed).into_response();
    response.map(|text| stream::iter([Ok(Bytes::from(text))]).boxed())
}

/// An answer that is to be kept.
struct Keeping {
    asking: Asking,
    asked_at: Timestamp,
    history: History,
}

impl Keeping {
    /// Gathers all of the answer and tells it in our own words.
    async fn whole(self, mut body: relay::Body) -> Result<Response<Body>, Failed> {
        let mut bytes = Vec::new();
        while let Some(piece) = body.next().await {
            bytes.extend_from_slice(&piece?);
            if bytes.len() > super::gather::LONGEST_ANSWER {
                return Err(Unusable::TooLong.into());
            }
        }
        let gathered = Gathered::of(&bytes)?;
        let finish_reason = gathered.finish_reason.clone();
        let Keeping { asking, history, .. } = &self;
        let turn = self.turn(gathered);
        asking.keep(turn.clone()).await?;
        let told = Answered {
            thread_id: &asking.thread,
            user_message_id: &turn.question.id,
            message: MessageShown::from(&turn.answer),
            finish_reason: finish_reason.as_deref(),
            history: *history,
        };
        let text = serde_json::to_string(&told).map(printable).map_err(|_| Unusable::Unreadable)?;
        Ok(response("application/json", stream::iter([Ok(Bytes::from(text))]).boxed()))
    }

    /// Passes the lines of the answer on as they come, and its last word when the turn is stored.
    fn passed_on(self, body: relay::Body) -> Response<Body> {
        let start = Passing::Going(Box::new((self, body, Lines::default())));
        let pieces = stream::unfold(start, |passing| async move {
            match passing {
                Passing::Going(going) => Some(Self::next(*going).await),
                Passing::Over => None,
            }
        });
        response("text/event-stream", pieces.boxed())
    }

    async fn next(
        (keeping, mut body, mut lines): (Self, relay::Body, Lines),
    ) -> (Result<Bytes, Failed>, Passing) {
        let mut passed = Vec::new();
        while passed.is_empty() {
            let fed = match body.next().await {
                Some(Ok(piece)) => lines.feed(&piece).map_err(Failed::from),
                Some(Err(torn)) => Err(torn.into()),
                None => return (keeping.last(lines).await, Passing::Over),
            };
            match fed {
                Ok(fed) => passed = fed,
                Err(failed) => return (Err(failed), Passing::Over),
            }
        }
        (Ok(passed.into()), Passing::Going(Box::new((keeping, body, lines))))
    }

    async fn last(self, lines: Lines) -> Result<Bytes, Failed> {
        let (gathered, mut last) = lines.end()?;
        self.asking.keep(self.turn(gathered)).await?;
        last.extend_from_slice(DONE);
        Ok(last.into())
    }

    fn turn(&self, gathered: Gathered) -> Turn {
        let Asking { upstream, ids: [question, answer], content, reason, scope, caller, .. } = &self.asking;
        let message = |id: &String, role, content, spent, created| Message {
            id: id.clone(),
            role,
            content,
            provider: upstream.reviewer.id.to_string(),
            model: upstream.reviewer.model.clone(),
            reason: reason.clone(),
            scope: *scope,
            caller: caller.clone(),
            spent,
            created,
        };
        let spent = upstream.reviewer.priced(gathered.spent);
        Turn {
            question: message(question, Role::User, content.clone(), Spent::default(), self.asked_at),
            answer: message(answer, Role::Assistant, gathered.text, spent, clock::now()),
        }
    }
}

impl Asking {
    async fn keep(&self, turn: Turn) -> Result<(), Failed> {
        let is_kept = self.desk.threads.add(&self.viewer, &self.thread, turn).await?;
        if is_kept { Ok(()) } else { Err(Failed::Gone) }
    }
}

enum Passing {
    Going(Box<(Keeping, relay::Body, Lines)>),
    Over,
}

fn response(kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

impl From<Failed> for Problem {
    fn from(failed: Failed) -> Self {
        let (status, code) = match failed {
            Failed::Torn(_) | Failed::Unusable(_) => (StatusCode::BAD_GATEWAY, "provider_failed"),
            Failed::Kept(_) => (StatusCode::SERVICE_UNAVAILABLE, "store_failed"),
            Failed::Gone => (StatusCode::NOT_FOUND, "thread_not_found"),
        };
        Self::new(status, failed.to_string()).code(code)
    }
}
