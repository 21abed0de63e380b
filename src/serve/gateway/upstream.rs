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
use jiff::Timestamp;

use super::line::{Full, Line, Place};
use crate::{
    clock,
    provider::relay::{Body, Problem, Relay, Torn, Unreached, Watch},
    retry_after,
    reviewer::Reviewer,
    run::retry::Patience,
    serve::metrics::{Answered, Flight},
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
    pub(super) name: Arc<str>,
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
}

impl Upstream {
    pub(in crate::serve) fn new(reviewer: Reviewer, relay: Relay, line: Arc<Line>, retries: u32) -> Self {
        let name = reviewer.id.as_str().into();
        Self { reviewer, name, relay, line, retries, calls: AtomicU64::new(0) }
    }

    /// The answer, whatever it is; a provider that cannot be reached, or is too busy, is an answer too.
    pub(in crate::serve) async fn call(
        self: Arc<Self>,
        outgoing: Outgoing,
        mut flight: Flight,
    ) -> Result<Response<Body>, Torn> {
        let place = match self.line.enter().await {
            Ok(place) => place,
            Err(full) => return Ok(told(turned_away(full))),
        };
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let mut patience = Patience::new(self.retries, FIRST_PAUSE, LONGEST_PAUSES, number);
        loop {
            flight.calling();
            let answer = self.relay.send(outgoing.body.clone(), outgoing.headers.clone()).await;
            flight.answered(answered(&answer));
            let Some(pause) = pause(&answer, &mut patience) else {
                return Ok(match answer {
                    Ok(answer) => self.passing(place, flight, answer),
                    Err(error) => told(unreached(&error)),
                });
            };
            // Gives its connection back before it waits.
            drop(answer);
            tokio::time::sleep(pause).await;
        }
    }

    /// The answer, watched as it passes by.
    fn passing(self: Arc<Self>, place: Place, flight: Flight, answer: Response<Body>) -> Response<Body> {
        let watch = answer.status().is_success().then(|| Watch::of(answer.headers()));
        answer.map(|body| {
            let passing = Passing { body, watch, flight: Some(flight), upstream: self, _place: place };
            stream::unfold(Some(passing), |passing| async move { passing?.next().await }).boxed()
        })
    }
}

/// An answer on its way. Dropped it is over: the place is free, and what it took is booked.
struct Passing {
    body: Body,
    watch: Option<Watch>,
    flight: Option<Flight>,
    upstream: Arc<Upstream>,
    _place: Place,
}

impl Passing {
    /// The next piece, and what is left then.
    async fn next(mut self) -> Option<(Result<Bytes, Torn>, Option<Self>)> {
        match self.body.next().await {
            Some(Ok(piece)) => {
                self.watch.iter_mut().for_each(|watch| watch.see(&piece));
                Some((Ok(piece), Some(self)))
            }
            Some(Err(torn)) => Some((Err(torn), None)),
            None => self.watch.as_mut()?.end().err().map(|torn| (Err(torn), None)),
        }
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        if let (Some(flight), Some(watch)) = (self.flight.take(), &self.watch) {
            flight.book(self.upstream.reviewer.priced(watch.spent()));
        }
    }
}

fn answered(answer: &Result<Response<Body>, Unreached>) -> Answered {
    answer.as_ref().map_or(Answered::Failed, |answer| Answered::Status(answer.status().as_u16()))
}

/// How long to wait before the call is made again; `None` if that would not help.
fn pause(answer: &Result<Response<Body>, Unreached>, patience: &mut Patience) -> Option<Duration> {
    let asked = match answer {
        Ok(answer) if is_passing(answer.status()) => retry_after::asked(answer.headers(), now),
        Err(error) if error.for_now => None,
        Ok(_) | Err(_) => return None,
    };
    patience.next_delay(asked).ok()
}

fn now() -> Option<Timestamp> {
    Some(clock::now())
}

/// Whether another attempt may go better.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502..=504 | 529)
}

fn turned_away(full: Full) -> Problem {
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, full.to_string());
    problem.code("provider_busy").retry_after(TURNED_AWAY_SECS)
}

fn unreached(error: &Unreached) -> Problem {
    Problem::new(StatusCode::BAD_GATEWAY, error.reason.clone()).code("provider_unreachable")
}

fn told(problem: Problem) -> Response<Body> {
    let response: Response<String> = problem.into_response();
    response.map(|text| stream::iter([Ok(Bytes::from(text))]).boxed())
}
