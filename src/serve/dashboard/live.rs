//! `GET /live`: [`live()`], the parts of a page that change, as they change.
//!
//! Each is told as the element that is to stand in place of the one with its id. The reader asks and is given: nothing is kept for one
//! that takes nothing, and it finds everything as it stands when it comes back.

use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Extension, Request, State},
    response::Response,
};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use serde_json::json;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, sleep, timeout},
};
use url::form_urlencoded;

use super::{Board, pages::PAGES, refused, view::View};
use crate::{digest, provider::relay::Problem, report::json::printable, serve::callers::Caller};

/// How long nothing need be heard until it is looked all the same: ages change.
const LOOK: Duration = Duration::from_secs(2);
/// What happens within that time is told together.
const TOGETHER: Duration = Duration::from_millis(200);
/// After how long without a word a comment says that the connection stands.
const SILENCE: Duration = Duration::from_secs(15);
/// How long a stream lasts; its reader comes back, and is asked for its key again.
const LONGEST: Duration = Duration::from_mins(5);
/// What a stream begins with: after how many milliseconds to come back.
const BEGINNING: &str = "retry: 1000\n\n";
const STILL_HERE: &str = ": still here\n\n";
/// Nothing more will change.
const OVER: &str = "event: over\ndata: \n\n";
/// Nginx passes answers on in pieces of its own otherwise.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Tells what changes of the page that `of` is the address of.
pub(super) async fn live(
    State(board): State<Arc<Board>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    match board.watch(caller, request.uri().query().unwrap_or_default()).await {
        Ok(response) => response,
        Err(problem) => refused(request.headers(), problem),
    }
}

impl Board {
    async fn watch(self: &Arc<Self>, caller: Caller, query: &str) -> Result<Response, Problem> {
        let of = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "of");
        let of = of.map(|(_, of)| of.into_owned()).unwrap_or_default();
        let (path, query) = of.split_once('?').unwrap_or((&of, ""));
        let view = View::of(path, query)?;
        let place = Arc::clone(&self.streams).try_acquire_owned().map_err(|_| full())?;
        // What cannot be shown cannot be watched.
        self.values(&view, &caller).await?;
        let watching = Watching {
            news: self.index.listen(),
            board: Arc::clone(self),
            caller,
            view,
            shown: HashMap::new(),
            began: Instant::now(),
            spoke: None,
            is_over: false,
            _place: place,
        };
        let mut response = Response::new(Body::from_stream(watching.stream()));
        let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store"), (BUFFERING, "no")];
        for (name, value) in headers {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        Ok(response)
    }
}

fn full() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "as many pages are open as are kept up at a time")
        .code("too_many_streams")
        .retry_after(5)
}

/// Somebody who looks at a page.
struct Watching {
    board: Arc<Board>,
    news: watch::Receiver<u64>,
    caller: Caller,
    view: View,
    /// What was told of each part, as a hash.
    shown: HashMap<&'static str, [u8; 32]>,
    began: Instant,
    /// When something was last said; `None` at the beginning.
    spoke: Option<Instant>,
    is_over: bool,
    _place: OwnedSemaphorePermit,
}

impl Watching {
    fn stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, async |mut watching| {
            let text = watching.next().await?;
            watching.spoke = Some(Instant::now());
            Some((Ok(text), watching))
        })
    }

    /// What is to be said next; `None` when that was all.
    async fn next(&mut self) -> Option<Bytes> {
        let Some(spoke) = self.spoke else { return Some(Bytes::from_static(BEGINNING.as_bytes())) };
        while !self.is_over && !self.board.end.is_cancelled() && self.began.elapsed() < LONGEST {
            self.news.mark_unchanged();
            let told = self.changed().await;
            if !told.is_empty() {
                return Some(told);
            }
            if spoke.elapsed() >= SILENCE {
                return Some(Bytes::from_static(STILL_HERE.as_bytes()));
            }
            let end = self.board.end.clone();
            end.run_until_cancelled(async {
                if timeout(LOOK, self.news.changed()).await.is_ok() {
                    sleep(TOGETHER).await;
                }
            })
            .await;
        }
        None
    }

    /// The parts that are not as they were told last.
    async fn changed(&mut self) -> Bytes {
        let mut told = BytesMut::new();
        // A store that fails is asked again, as if nothing had changed.
        let Ok(values) = self.board.values(&self.view, &self.caller).await else { return told.freeze() };
        for (id, template) in self.view.parts() {
            let Some(html) = PAGES.fill(template, &values) else { continue };
            let hash = digest::sha256_bytes(&[html.as_bytes()]);
            if self.shown.insert(id, hash) != Some(hash) {
                let title = values.get_attr("title").ok().map(|title| title.to_string());
                let data = json!({ "id": id, "html": html, "title": title }).to_string();
                told.extend_from_slice(format!("event: put\ndata: {}\n\n", printable(data)).as_bytes());
            }
        }
        if values.get_attr("over").is_ok_and(|over| over.is_true()) {
            self.is_over = true;
            told.extend_from_slice(OVER.as_bytes());
        }
        told.freeze()
    }
}
