//! The HTTP side of one request: sends it, turns refusals into errors, and watches the body as it comes.
//!
//! [`Exchange`] is made for one request. It never asks again.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use reqwest::{Body, Request, Response};
use serde_json::Value;
use tokio::{sync::Notify, time::timeout};

use super::door::{self, Door, Refusal};
use crate::provider::{AskError, Draft};

/// Longest plain reply that is read, in bytes.
const LONGEST_PAGE: usize = 8 << 20;
/// Longest single event, in bytes. The event parser looks at all of an unfinished event again for every piece.
const LONGEST_EVENT: usize = 512 << 10;
/// Bytes of events that may wait for their reader before no more are read.
const MOST_UNREAD: usize = 4 << 10;
/// How long the body waits for the reader. Not for ever: comments are bytes that nobody reads.
const READER_TIME: Duration = Duration::from_millis(50);
/// Pieces in which the event parser gets the body; it copies what is left of a piece for every line.
const PIECE: usize = 4 << 10;
/// How much of the end is kept to look for `[DONE]`.
const TAIL: usize = 32;
/// Longest error page that is read, in bytes.
const LONGEST_REFUSAL: usize = 64 << 10;

/// One request and its answer.
#[derive(Clone)]
pub(in crate::provider) struct Exchange {
    pub(in crate::provider) http: reqwest::Client,
    pub(in crate::provider) door: Arc<Door>,
    pub(super) draft: Arc<Draft>,
    pub(super) flow: Arc<Flow>,
}

/// What the body's reader and the events' reader know of each other.
#[derive(Default)]
pub(in crate::provider) struct Flow {
    unread: AtomicUsize,
    all_read: Notify,
    done: AtomicBool,
    broken: OnceLock<AskError>,
}

impl Flow {
    /// The reader has read all events there are.
    pub(super) fn digested(&self) {
        self.unread.store(0, Ordering::Relaxed);
        self.all_read.notify_one();
    }

    /// Notes that `bytes` of events are on the way to the reader, and waits for it when they are many. async-openai's own
    /// queue of events has no bound.
    async fn pass(&self, bytes: usize) {
        if self.unread.fetch_add(bytes, Ordering::Relaxed) + bytes > MOST_UNREAD {
            // Whether the reader came or the time is up makes no difference.
            let _ = timeout(READER_TIME, self.all_read.notified()).await;
        }
    }

    /// Whether the last thing read was the `[DONE]` that ends a stream.
    pub(super) fn said_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// Why the body broke off, if it did.
    pub(super) fn broken(&self) -> Option<AskError> {
        self.broken.get().cloned()
    }

    fn break_off(&self, error: AskError) -> AskError {
        self.broken.get_or_init(|| error).clone()
    }
}

/// The shape of a body, as far as it has been seen.
#[derive(Default)]
struct Shape {
    last_bytes: Vec<u8>,
    unfinished: usize,
}

impl Shape {
    fn see(&mut self, piece: &[u8]) {
        self.last_bytes.extend_from_slice(&piece[piece.len().saturating_sub(TAIL)..]);
        self.last_bytes.drain(..self.last_bytes.len().saturating_sub(TAIL));
        self.unfinished = match blank_line(piece) {
            Some(at) => piece.len() - at,
            None => self.unfinished + piece.len(),
        };
    }

    /// Whether the last thing was the `[DONE]` that ends a stream.
    fn is_done(&self) -> bool {
        self.last_bytes.trim_ascii_end().ends_with(b"[DONE]")
    }
}

impl Exchange {
    pub(super) fn new(http: reqwest::Client, door: Arc<Door>, draft: Arc<Draft>) -> Self {
        Self { http, door, draft, flow: Arc::default() }
    }

    /// Sends `request`. What comes back is a stream of events, whatever the server sent.
    pub(in crate::provider) async fn run(self, request: Request) -> Result<Response, Refusal> {
        let response = self.http.execute(request).await.map_err(|error| self.door.lost(&error))?;
        self.draft.touch();
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        Ok(self.open(response).await?)
    }

    async fn refusal(&self, mut response: Response) -> Refusal {
        let retry_after = door::retry_after(response.headers());
        let (status, mut page) = (response.status(), Vec::new());
        // An error page that breaks off is still worth showing.
        while let Ok(Some(piece)) = response.chunk().await {
            page.extend(piece);
            if page.len() > LONGEST_REFUSAL {
                break;
            }
        }
        self.door.refused(status, retry_after, &page)
    }

    /// Looks at the first byte that means something: a stream goes on as it is, a plain reply becomes a stream of
    /// one event, and a web page is an error.
    async fn open(self, mut response: Response) -> Result<Response, AskError> {
        let mut skipped = 0;
        while let Some(piece) = response.chunk().await.map_err(|error| self.door.lost(&error))? {
            self.draft.touch();
            match piece.trim_ascii_start().first() {
                None if skipped > LONGEST_PAGE => return Err(self.door.too_long()),
                None => skipped += piece.len(),
                Some(b'<') => return Err(self.door.web_page()),
                Some(b'{' | b'[') => return self.plain(response, piece.to_vec()).await,
                Some(_) => {
                    let body = stream::iter([Ok(piece)]).chain(response.bytes_stream());
                    return Ok(http::Response::new(self.watch(body)).into());
                }
            }
        }
        Err(self.door.nothing())
    }

    async fn plain(&self, mut response: Response, mut page: Vec<u8>) -> Result<Response, AskError> {
        while let Some(piece) = response.chunk().await.map_err(|error| self.door.lost(&error))? {
            self.draft.touch();
            page.extend(piece);
            if page.len() > LONGEST_PAGE {
                return Err(self.door.too_long());
            }
        }
        let reply: Value = serde_json::from_slice(&page).map_err(|error| self.door.bad_json(&error))?;
        self.flow.done.store(true, Ordering::Release);
        Ok(http::Response::new(Body::from(format!("data: {reply}\n\n"))).into())
    }

    /// The body, watched and in small pieces.
    fn watch(self, body: impl Stream<Item = Result<Bytes, reqwest::Error>> + Send + 'static) -> Body {
        let Self { door, draft, flow, .. } = self;
        let passage = Arc::clone(&flow);
        let mut shape = Shape::default();
        let watched = body.map(move |piece| {
            let piece = piece.map_err(|error| flow.break_off(door.lost(&error)))?;
            draft.touch();
            shape.see(&piece);
            if shape.is_done() {
                flow.done.store(true, Ordering::Release);
            }
            let fits = shape.unfinished <= LONGEST_EVENT;
            if fits { Ok(piece) } else { Err(flow.break_off(door.too_long())) }
        });
        Body::wrap_stream(watched.map_ok(in_pieces).try_flatten().and_then(move |piece| {
            let passage = Arc::clone(&passage);
            async move {
                if blank_line(&piece).is_some() {
                    passage.pass(piece.len()).await;
                }
                Ok(piece)
            }
        }))
    }
}

/// Where the last blank line begins, which ends an event.
fn blank_line(piece: &[u8]) -> Option<usize> {
    piece.windows(2).rposition(|pair| matches!(pair, b"\n\n" | b"\n\r"))
}

fn in_pieces(mut whole: Bytes) -> impl Stream<Item = Result<Bytes, AskError>> {
    stream::iter(std::iter::from_fn(move || {
        (!whole.is_empty()).then(|| Ok(whole.split_to(PIECE.min(whole.len()))))
    }))
}
