//! One side of a pair: `POST /v1/validate` in Rust. What is refused is told as serde writes the enum [`Refusal`].
//!
//! The same interface in another language is `service.py`; `parity.toml` asks both. The rules are in `rules`.
#![expect(clippy::print_stdout, reason = "where it listens is told on standard output")]

mod rules;

use std::{convert::Infallible, net::SocketAddr, time::Instant};

use clap::Parser;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{ALLOW, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use rules::{Refusal, Roster};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Most bytes of a request's body.
const LARGEST: usize = 1 << 20;

/// Validates staffing playbooks and fills.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen; port 0 takes any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind(Arguments::parse().listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
        // A connection that breaks is its client's matter.
        tokio::spawn(async { connection.await.unwrap_or_default() });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    Ok(match (path.as_str(), request.method()) {
        ("/health", &Method::GET) => with_json(StatusCode::OK, &json!({ "status": "ok" })),
        ("/v1/validate", &Method::POST) => validate(request).await,
        ("/health", _) => not_allowed("GET"),
        ("/v1/validate", _) => not_allowed("POST"),
        _ => with_json(StatusCode::NOT_FOUND, &json!({ "error": "no such path" })),
    })
}

async fn validate(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let started = started();
    let Ok(body) = Limited::new(request.into_body(), LARGEST).collect().await else {
        return with_json(StatusCode::PAYLOAD_TOO_LARGE, &json!({ "error": "the body is too large" }));
    };
    let Ok(submission) = serde_json::from_slice::<Value>(&body.to_bytes()) else {
        let refusal = Refusal::schema("body", "must be JSON");
        return with_json(StatusCode::BAD_REQUEST, &json!(refusal));
    };
    match rules::check(&submission, &Roster::embedded()) {
        Ok(accepted) => {
            let elapsed_ms = started.elapsed().as_secs_f64() * 1_000.0;
            with_json(
                StatusCode::OK,
                &json!({ "kind": accepted.kind, "checked": accepted.checked, "elapsed_ms": elapsed_ms }),
            )
        }
        Err(refusal) => with_json(StatusCode::UNPROCESSABLE_ENTITY, &json!(refusal)),
    }
}

#[expect(clippy::disallowed_methods, reason = "a service of its own, which tells how long it took")]
fn started() -> Instant {
    Instant::now()
}

fn not_allowed(method: &'static str) -> Response<Full<Bytes>> {
    let mut response = with_json(StatusCode::METHOD_NOT_ALLOWED, &json!({ "error": "not with this method" }));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(method));
    response
}

fn with_json(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
