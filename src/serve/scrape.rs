//! `GET /metrics`: [`scrape`], everything in Prometheus' text format.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header::CONTENT_TYPE;

use super::{gateway::Gateway, metrics, queue::Queue};
use crate::clock;

/// Everything since the start, and how many jobs there are. A store that does not answer takes nothing else with it.
pub(super) async fn scrape(State((gateway, queue)): State<(Arc<Gateway>, Arc<Queue>)>) -> Response {
    let counts = queue.counts().await.ok();
    let jobs = counts.as_ref().map(|counts| (counts, clock::now()));
    let text = gateway.metrics.exposition(gateway.flights.usage(), jobs);
    ([(CONTENT_TYPE, metrics::FORMAT)], text).into_response()
}
