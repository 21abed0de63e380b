//! `GET /api/metrics/performance` and `GET /metrics`: what the gateway did, as JSON and for Prometheus.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header::CONTENT_TYPE};
use serde::Deserialize;

use super::Gateway;
use crate::{provider::relay::Problem, serve::metrics};

/// What may stand behind the question mark.
#[derive(Deserialize)]
pub(in crate::serve) struct Wanted {
    last_n: Option<String>,
}

/// The last requests, and everything since the start.
pub(in crate::serve) async fn performance(
    State(gateway): State<Arc<Gateway>>,
    Query(wanted): Query<Wanted>,
) -> Response {
    match metrics::last_n(wanted.last_n.as_deref()) {
        Ok(last_n) => Json(gateway.metrics.performance(last_n, None)).into_response(),
        Err(wrong) => {
            Problem::new(StatusCode::BAD_REQUEST, wrong.to_string()).about("last_n").into_response::<Body>()
        }
    }
}

/// Everything since the start in Prometheus' text format.
pub(in crate::serve) async fn exposition(State(gateway): State<Arc<Gateway>>) -> Response {
    let text = gateway.metrics.exposition(gateway.flights.usage());
    ([(CONTENT_TYPE, metrics::FORMAT)], text).into_response()
}
