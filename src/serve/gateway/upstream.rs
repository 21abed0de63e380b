//! One configured model, asked for whoever wants it: [`Upstream`] waits for its turn, asks, and asks again where that helps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Response, StatusCode};

use super::{
    bill::{Bill, Payers},
    intake::Room,
    line::{Full, Line, Place},
    passing::for_callers,
    quota::UsedUp,
};
use crate::{
    clock,
    provider::relay::{Body, Problem, Relay, Torn, Unreached},
    retry_after,
    reviewer::Reviewer,
    run::retry::Patience,
    serve::{
        metrics::{Answered, Flight},
        tenants::{Admission, guess},
    },
};

/// First pause before a call is made again.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Most that all pauses of one request take together: whoever asked is waiting.
const LONGEST_PAUSES: Duration = Duration::from_secs(10);
/// After how many seconds somebody who was turned away may ask again.
const TURNED_AWAY_SECS: u64 = 1;

/// One configured model.
pub(in crate::serve) struct Upstream {
    pub(in crate::serve) reviewer: Reviewer,
    /// The reviewer's id, as metrics name it.
    pub(in crate::serve) name: Arc<str>,
    relay: Relay,
    line: Arc<Line>,
    retries: u32,
    calls: AtomicU64,
}

/// What is sent.
#[derive(Clone)]
pub(in crate::serve) struct Outgoing {
    /// A chat request.
    pub(in crate::serve) body: Bytes,
    /// Those of the caller that are for the provider.
    pub(in crate::serve) headers: HeaderMap,
    /// What the caller's request takes.
    pub(in crate::serve) _room: Room,
}

impl Upstream {
    pub(in crate::serve) fn new(reviewer: Reviewer, relay: Relay, line: Arc<Line>, retries: u32) -> Self {
        let name = reviewer.id.as_str().into();
        Self { reviewer, name, relay, line, retries, calls: AtomicU64::new(0) }
    }

    /// The answer, whatever it is; a provider that cannot be reached, or is too busy, is an answer too.
    /// `admission` is settled when it is known what the answer took.
    pub(in crate::serve) async fn call(
        self: Arc<Self>,
        outgoing: Outgoing,
        admission: Admission,
        mut flight: Flight,
    ) -> Result<Response<Body>, Torn> {
        let place = match self.line.enter().await {
            Ok(place) => place,
            Err(full) => return Ok(told(turned_away(full))),
        };
        let prompt = guess(&outgoing.body, None);
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let mut patience = Patience::new(self.retries, FIRST_PAUSE, LONGEST_PAUSES, number);
        loop {
            let sent = match self.line.turn(prompt).await {
                Ok(sent) => sent,
                Err(used_up) => return Ok(told(used_up.into())),
            };
            flight.calling();
            let answer = self.relay.send(outgoing.body.clone(), outgoing.headers.clone()).await;
            flight.answered(answered(&answer));
            // Here, so that nobody keeps them.
            let answer = answer.map(for_callers);
            let Some(pause) = pause(&answer, &mut patience) else {
                return Ok(match answer {
                    Ok(answer) if answer.status().is_success() => {
                        let payers = Payers { upstream: self, admission, sent, flight };
                        passing(place, Bill::new(answer.headers(), prompt, payers), answer)
                    }
                    Ok(answer) => holding(place, answer),
                    Err(error) => told(unreached(&error)),
                });
            };
            // Gives its connection back before it waits.
            drop(answer);
            tokio::time::sleep(pause).await;
        }
    }
}

fn answered(answer: &Result<Response<Body>, Unreached>) -> Answered {
    answer.as_ref().map_or(Answered::Failed, |answer| Answered::Status(answer.status().as_u16()))
}

/// How long to wait before the call is made again; `None` if that would not help.
fn pause(answer: &Result<Response<Body>, Unreached>, patience: &mut Patience) -> Option<Duration> {
    let asked = match answer {
        Ok(answer) if is_passing(answer.status()) => {
            retry_after::asked(answer.headers(), || Some(clock::now()))
        }
        Err(error) if error.for_now => None,
        Ok(_) | Err(_) => return None,
    };
    patience.next_delay(asked).ok()
}

/// Whether another attempt may go better.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502..=504 | 529)
}

fn turned_away(full: Full) -> Problem {
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, full.to_string());
    problem.code("provider_busy").retry_after(TURNED_AWAY_SECS)
}

impl From<UsedUp> for Problem {
    fn from(used_up: UsedUp) -> Self {
        let seconds = used_up.0.as_nanos().div_ceil(1_000_000_000).max(1);
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, used_up.to_string()).code("provider_limit");
        problem.retry_after(u64::try_from(seconds).unwrap_or(u64::MAX))
    }
}

fn unreached(error: &Unreached) -> Problem {
    Problem::new(StatusCode::BAD_GATEWAY, error.reason.clone()).code("provider_unreachable")
}

fn told(problem: Problem) -> Response<Body> {
    let response: Response<String> = problem.into_response();
    response.map(|text| stream::iter([Ok(Bytes::from(text))]).boxed())
}

/// The answer, watched as it passes by. The place is taken until it is through.
fn passing(place: Place, bill: Bill, answer: Response<Body>) -> Response<Body> {
    answer.map(|body| {
        let watched = stream::unfold(Some((place, bill, body)), |state| async move {
            let (place, mut bill, mut body) = state?;
            match body.next().await {
                Some(Ok(piece)) => {
                    bill.see(&piece);
                    Some((Ok(piece), Some((place, bill, body))))
                }
                Some(Err(torn)) => Some((Err(torn), None)),
                None => bill.end().err().map(|torn| (Err(torn), None)),
            }
        });
        watched.boxed()
    })
}

/// An answer that is none, which costs nothing. The place is taken until it is through.
fn holding(place: Place, answer: Response<Body>) -> Response<Body> {
    answer.map(|body| {
        let held = body.map(move |piece| {
            let _ = &place;
            piece
        });
        held.boxed()
    })
}
