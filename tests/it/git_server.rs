//! A server of git repositories over HTTP in this process: [`GitServer`], which has git's own `http-backend` answer.
#![expect(clippy::disallowed_methods, reason = "tests start programs")]

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, extract::State, response::Response};
use http::{HeaderMap, Request, header};
use http_body_util::BodyExt;
use tokio::{io::AsyncWriteExt, net::TcpListener, process::Command, task::JoinSet};

/// What it is told to do instead of serving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Serves.
    Well,
    /// Serves whoever sends this in `authorization`.
    To(String),
    /// Always this status.
    Status(u16),
    /// Leads elsewhere.
    Redirect(String),
    /// Never answers.
    Hang,
}

struct Shared {
    root: PathBuf,
    /// Where everything goes that is no repository.
    beside: Option<String>,
    manner: Mutex<Manner>,
    asked: Mutex<Vec<(String, HeaderMap)>>,
}

/// A running server; it ends when dropped.
pub(crate) struct GitServer {
    /// Without a final `/`.
    pub(crate) url: String,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

impl GitServer {
    /// Serves the bare repositories below `root`, each by its path; everything else is asked of the server `beside`.
    pub(crate) async fn start(root: &Path, beside: Option<String>) -> Self {
        let shared = Arc::new(Shared {
            root: root.to_owned(),
            beside,
            manner: Mutex::new(Manner::Well),
            asked: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared, _tasks: tasks }
    }

    pub(crate) fn behave(&self, manner: Manner) {
        *self.shared.manner.lock().unwrap() = manner;
    }

    /// Paths, with their queries, and headers of all requests for repositories so far.
    pub(crate) fn asked(&self) -> Vec<(String, HeaderMap)> {
        self.shared.asked.lock().unwrap().clone()
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let path = request.uri().path().to_owned();
    if !path.contains("/info/refs") && !path.ends_with("/git-upload-pack") {
        return elsewhere(&shared, request).await;
    }
    let query = request.uri().path_and_query().unwrap().to_string();
    shared.asked.lock().unwrap().push((query, request.headers().clone()));
    let plain = |status: u16| Response::builder().status(status);
    let sent = request.headers().get(header::AUTHORIZATION).cloned();
    let manner = shared.manner.lock().unwrap().clone();
    match manner {
        Manner::To(word) if sent.is_none_or(|sent| sent != word) => {
            plain(401).header("www-authenticate", "Basic realm=\"git\"").body(Body::empty()).unwrap()
        }
        Manner::Well | Manner::To(_) => backend(&shared.root, request).await,
        Manner::Status(status) => plain(status).body(Body::empty()).unwrap(),
        Manner::Redirect(to) => {
            plain(302).header(header::LOCATION, format!("{to}{path}")).body(Body::empty()).unwrap()
        }
        Manner::Hang => std::future::pending().await,
    }
}

async fn backend(root: &Path, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let header =
        |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut command = Command::new("git");
    command.arg("http-backend").stdin(Stdio::piped()).stdout(Stdio::piped());
    command.env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1");
    command.env("PATH_INFO", head.uri.path()).env("QUERY_STRING", head.uri.query().unwrap_or_default());
    command.env("REQUEST_METHOD", head.method.as_str()).env("CONTENT_TYPE", header("content-type"));
    command
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"));
    let mut child = command.spawn().unwrap();
    let bytes = body.collect().await.unwrap().to_bytes();
    let mut stdin = child.stdin.take().unwrap();
    let (sent, done) = tokio::join!(
        async move {
            let sent = stdin.write_all(&bytes).await;
            drop(stdin);
            sent
        },
        child.wait_with_output()
    );
    sent.unwrap();
    let printed = done.unwrap().stdout;
    let end = printed.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
    let mut response = Response::builder();
    for line in String::from_utf8_lossy(&printed[..end]).lines() {
        let (name, value) = line.split_once(": ").unwrap();
        response = match name {
            "Status" => response.status(value[..3].parse::<u16>().unwrap()),
            name => response.header(name, value),
        };
    }
    response.body(Body::from(printed[end + 4..].to_vec())).unwrap()
}

/// Passes a request on to the server beside this one.
async fn elsewhere(shared: &Shared, request: Request<Body>) -> Response {
    let Some(beside) = &shared.beside else {
        return Response::builder().status(404).body(Body::empty()).unwrap();
    };
    let (head, body) = request.into_parts();
    let url = format!("{beside}{}", head.uri.path_and_query().unwrap());
    // An error says that one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = body.collect().await.unwrap().to_bytes();
    let answer = client.request(head.method, url).headers(head.headers).body(body).send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name != header::TRANSFER_ENCODING && name != header::CONTENT_LENGTH {
            response = response.header(name, value);
        }
    }
    response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
}
