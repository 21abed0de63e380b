//! A chat server in this process that behaves as badly as it is told to: [`Mock`].

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify, task::JoinSet, time::Instant};

/// Pieces sent together when they are spread over time.
const PACKET: usize = 32;

type Body = BoxBody<Bytes, io::Error>;

/// What the server does with one request.
pub(crate) enum Act {
    /// Streams `text` like a model does, with counts at the end.
    Reply(String),
    /// Streams these bytes as they are, a piece each.
    Stream(Vec<Vec<u8>>),
    /// The same, evenly over this time.
    Spread(Vec<Vec<u8>>, Duration),
    /// Streams these bytes, then loses the connection.
    Cut(Vec<Vec<u8>>),
    /// Streams the first of these, and the others once it is told to.
    Gated(Vec<Vec<u8>>, Arc<Notify>),
    /// A whole response.
    Page { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// Never answers.
    Hang,
    /// Answers `200` and then one byte of a stream every 10 ms, for ever.
    Drip,
    /// Streams one piece of text and then nothing, for ever.
    Stall(String),
    /// Closes the connection without a word.
    Reset,
}

/// One request as it came in.
#[derive(Clone)]
pub(crate) struct Asked {
    /// When its head had come.
    pub(crate) at: Instant,
    /// 0 for the server's first request.
    pub(crate) number: usize,
    pub(crate) method: Method,
    /// Path and query of its URL; of a request to a proxy the host.
    pub(crate) path: String,
    /// As sent.
    pub(crate) headers: HeaderMap,
    /// As sent.
    pub(crate) body: Value,
}

type Deciding = Pin<Box<dyn Future<Output = Act> + Send>>;
type Decide = dyn Fn(Asked) -> Deciding + Send + Sync;

struct Shared {
    decide: Box<Decide>,
    log: Mutex<Vec<Asked>>,
    open: AtomicUsize,
    most_open: AtomicUsize,
}

/// A running server; it ends when dropped.
pub(crate) struct Mock {
    /// To be used as `base_url`.
    pub(crate) url: String,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

impl Mock {
    /// A server that asks `decide` what to do with each request.
    pub(crate) async fn start<F, A>(decide: F) -> Self
    where
        F: Fn(Asked) -> A + Send + Sync + 'static,
        A: Future<Output = Act> + Send + 'static,
    {
        let shared = Arc::new(Shared {
            decide: Box::new(move |asked| Box::pin(decide(asked))),
            log: Mutex::default(),
            open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&shared)));
        Self { url, shared, _tasks: tasks }
    }

    /// A server that does the same with every request.
    pub(crate) async fn always(act: impl Fn() -> Act + Send + Sync + 'static) -> Self {
        Self::start(move |_| std::future::ready(act())).await
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.log.lock().unwrap().clone()
    }

    /// Most requests that were being decided on at a time.
    pub(crate) fn most_open(&self) -> usize {
        self.shared.most_open.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        socket.set_nodelay(true).unwrap();
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| answer(Arc::clone(&shared), request));
        connections.spawn(async move {
            // A broken connection is what some of these tests are about.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, io::Error> {
    let at = Instant::now();
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body).map_err(io::Error::other)?
    };
    let open = shared.open.fetch_add(1, Ordering::SeqCst) + 1;
    shared.most_open.fetch_max(open, Ordering::SeqCst);
    let asked = {
        let mut log = shared.log.lock().unwrap();
        // What a proxy is asked for has no path.
        let path = parts.uri.path_and_query().map(ToString::to_string);
        let path = path.or_else(|| parts.uri.authority().map(ToString::to_string)).unwrap_or_default();
        let (number, method, headers) = (log.len(), parts.method, parts.headers);
        let asked = Asked { at, number, method, path, headers, body };
        log.push(asked.clone());
        asked
    };
    let act = (shared.decide)(asked).await;
    shared.open.fetch_sub(1, Ordering::SeqCst);
    perform(act).await
}

async fn perform(act: Act) -> Result<Response<Body>, io::Error> {
    let stream_of = |pieces: Vec<Vec<u8>>| stream::iter(pieces.into_iter().map(Ok));
    match act {
        Act::Reply(text) => Ok(streaming(stream_of(events(&text)))),
        Act::Stream(pieces) => Ok(streaming(stream_of(pieces))),
        Act::Spread(pieces, time) => {
            let pause = time / u32::try_from(pieces.len().div_ceil(PACKET)).unwrap();
            let packets = pieces.chunks(PACKET).map(<[Vec<u8>]>::concat).collect();
            Ok(streaming(stream_of(packets).then(move |packet| async move {
                tokio::time::sleep(pause).await;
                packet
            })))
        }
        Act::Cut(pieces) => {
            let lost = stream::once(async {
                // While there is nothing to send, what was sent before is flushed.
                tokio::task::yield_now().await;
                Err(io::Error::other("cut"))
            });
            Ok(streaming(stream_of(pieces).chain(lost)))
        }
        Act::Gated(mut pieces, gate) => {
            let rest = pieces.split_off(1);
            let opened = stream::once(async move { gate.notified().await });
            let rest = opened.flat_map(move |()| stream_of(rest.clone()));
            Ok(streaming(stream_of(pieces).chain(rest)))
        }
        Act::Page { status, headers, body } => {
            let mut response = Response::new(Full::from(body).map_err(io::Error::other).boxed());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            Ok(response)
        }
        Act::Hang => std::future::pending().await,
        Act::Drip => Ok(streaming(stream::unfold(0_usize, |at| async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let event = event("a");
            Some((Ok(vec![event[at % event.len()]]), at + 1))
        }))),
        Act::Stall(text) => Ok(streaming(stream_of(vec![event(&text)]).chain(stream::pending()))),
        Act::Reset => Err(io::Error::other("reset")),
    }
}

fn streaming(
    pieces: impl futures_util::Stream<Item = io::Result<Vec<u8>>> + Send + Sync + 'static,
) -> Response<Body> {
    let frames = pieces.map(|piece| piece.map(|bytes| Frame::data(Bytes::from(bytes))));
    let mut response = Response::new(BodyExt::boxed(StreamBody::new(frames)));
    response.headers_mut().insert("content-type", "text/event-stream".parse().unwrap());
    response
}

/// One piece of text as an event.
pub(crate) fn event(text: &str) -> Vec<u8> {
    let chunk = json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]});
    format!("data: {chunk}\n\n").into_bytes()
}

/// The events that end a stream.
pub(crate) fn ending(finish_reason: &str) -> Vec<u8> {
    let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": finish_reason}]});
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}});
    format!("data: {end}\n\ndata: {usage}\n\ndata: [DONE]\n\n").into_bytes()
}

fn events(text: &str) -> Vec<Vec<u8>> {
    let words = text.split_inclusive(' ').map(event);
    std::iter::once(b": keep-alive\n\n".to_vec()).chain(words).chain([ending("stop")]).collect()
}

/// A response with a JSON body.
pub(crate) fn json_page(status: u16, body: &Value) -> Act {
    Act::Page {
        status,
        headers: vec![("content-type", "application/json".to_owned())],
        body: body.to_string(),
    }
}
