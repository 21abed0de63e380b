//! Another `scrum serve` that may have an answer already: [`Peer`] sends it a caller's request as it came.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, Response, header::CONTENT_LENGTH};
use reqwest::redirect::Policy;

use super::{Body, Torn, Unreached};

/// Longest time to reach a machine beside this one.
const NEAR: Duration = Duration::from_secs(1);

/// The way to other nodes.
#[derive(Clone)]
pub struct Peer {
    http: reqwest::Client,
}

impl Peer {
    /// One that shares its connections among all that it is cloned into. Fails where TLS cannot be had.
    pub fn new() -> Result<Self, Unreached> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http =
            reqwest::Client::builder().no_proxy().redirect(Policy::none()).connect_timeout(NEAR).build();
        Ok(Self { http: http.map_err(|error| unreached(&error))? })
    }

    /// The answer to a request that is sent to `url`, whatever its status. How long it may take is the other one's affair.
    pub async fn send(
        &self,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Body>, Unreached> {
        let sent = self.http.post(url).headers(headers).body(body).send().await;
        let answer = sent.map_err(|error| unreached(&error))?;
        let mut response = Response::new(());
        *response.status_mut() = answer.status();
        response.headers_mut().clone_from(answer.headers());
        // Whether it is whole is seen by whoever reads it.
        response.headers_mut().remove(CONTENT_LENGTH);
        let pieces = answer.bytes_stream();
        let torn = |error: reqwest::Error| {
            Torn::Lost(format!("the node that asked broke off: {}", error.without_url()))
        };
        Ok(response.map(|()| pieces.map(move |piece| piece.map_err(torn)).boxed() as Body))
    }
}

fn unreached(error: &reqwest::Error) -> Unreached {
    let reason = if error.is_connect() { "does not answer" } else { "broke off" };
    Unreached { reason: format!("another node {reason}"), for_now: true }
}
