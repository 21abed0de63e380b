//! Reads what callers send: [`Intake`], which bounds how much of all requests together is held.
//!
//! A request is in memory until its call has been answered, and takes [`Room`] until then. Heads are bounded by the
//! connection, how many a tenant may send by `tenants`.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::StatusCode;
use hyper::body::Body as _;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::provider::relay::Problem;

/// How many requests of the largest size may be held at once.
const MOST_LARGEST: usize = 16;
/// So many bytes of each request take no room: who sends little is in nobody's way, whatever others send.
const UNCOUNTED: usize = 64 << 10;
/// How long a client may send nothing in the middle of a request.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// After how many seconds somebody for whom there was no room may ask again.
const NO_ROOM_SECS: u64 = 1;

/// Reads requests of `most` bytes at most.
pub(in crate::serve) struct Intake {
    most: usize,
    /// A permit a byte beyond the first [`UNCOUNTED`] of each request.
    room: Arc<Semaphore>,
}

/// What a request takes of all that may be held, until the last clone is dropped.
#[derive(Clone, Default)]
pub(in crate::serve) struct Room {
    _permits: Option<Arc<OwnedSemaphorePermit>>,
}

impl Intake {
    pub(in crate::serve) fn new(most: usize) -> Self {
        let all = most.saturating_mul(MOST_LARGEST).min(Semaphore::MAX_PERMITS);
        Self { most, room: Arc::new(Semaphore::new(all)) }
    }

    /// All of a request, and its room.
    pub(in crate::serve) async fn whole(&self, body: Body) -> Result<(Bytes, Room), Problem> {
        if body.size_hint().lower() > self.most as u64 {
            return Err(self.too_large());
        }
        let mut pieces = body.into_data_stream();
        let mut whole = BytesMut::new();
        let mut permits: Option<OwnedSemaphorePermit> = None;
        while let Some(piece) = timeout(LONGEST_PAUSE, pieces.next()).await.map_err(|_| too_slow())? {
            let piece = piece.map_err(|_| self.too_large())?;
            if whole.len() + piece.len() > self.most {
                return Err(self.too_large());
            }
            let counted = |bytes: usize| bytes.saturating_sub(UNCOUNTED);
            let more = self.take(counted(whole.len() + piece.len()) - counted(whole.len()))?;
            match &mut permits {
                Some(permits) => permits.merge(more),
                None => permits = Some(more),
            }
            whole.extend_from_slice(&piece);
        }
        Ok((whole.freeze(), Room { _permits: permits.map(Arc::new) }))
    }

    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let permits = u32::try_from(bytes).ok();
        let taken = permits.and_then(|permits| Arc::clone(&self.room).try_acquire_many_owned(permits).ok());
        taken.ok_or_else(|| {
            let message = "too many large requests are under way";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, message).code("no_room").retry_after(NO_ROOM_SECS)
        })
    }

    fn too_large(&self) -> Problem {
        let message = format!("the request is larger than {} bytes, or was broken off", self.most);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message).code("request_too_large")
    }
}

fn too_slow() -> Problem {
    let message = format!("nothing more of the request came for {} s", LONGEST_PAUSE.as_secs());
    Problem::new(StatusCode::REQUEST_TIMEOUT, message).code("request_too_slow")
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    /// A request in two pieces.
    fn request(bytes: usize) -> Body {
        let (start, end) = (vec![b'x'; bytes / 2], vec![b'x'; bytes - bytes / 2]);
        Body::from_stream(stream::iter([Ok::<_, Infallible>(start), Ok(end)]))
    }

    async fn read(intake: &Intake, body: Body) -> Result<usize, u16> {
        intake.whole(body).await.map(|(bytes, _)| bytes.len()).map_err(|problem| problem.status.as_u16())
    }

    #[tokio::test]
    async fn one_may_be_so_large() {
        let intake = Intake::new(10);
        assert_eq!(read(&intake, request(10)).await, Ok(10));
        assert_eq!(read(&intake, request(11)).await, Err(413));
        assert_eq!(read(&intake, Body::from("eleven byte")).await, Err(413));
        assert_eq!(read(&intake, Body::empty()).await, Ok(0));
    }

    #[tokio::test]
    async fn all_together_may_be_so_large() {
        let most = 2 * UNCOUNTED;
        let intake = Intake::new(most);
        let mut held = Vec::new();
        for _ in 0..2 * MOST_LARGEST {
            held.push(intake.whole(request(most)).await.unwrap().1);
        }
        assert_eq!(read(&intake, request(UNCOUNTED + 1)).await, Err(503));
        assert_eq!(read(&intake, request(UNCOUNTED)).await, Ok(UNCOUNTED));
        // The same request, twice.
        let again = held[0].clone();
        held.truncate(1);
        drop(held);
        assert_eq!(read(&intake, request(most)).await, Ok(most));
        drop(again);
        assert_eq!(intake.room.available_permits(), most * MOST_LARGEST);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_does_not_go_on_is_not_waited_for() {
        let start = stream::iter([Ok::<_, Infallible>("x")]).chain(stream::pending());
        assert_eq!(read(&Intake::new(10), Body::from_stream(start)).await, Err(408));
    }
}
