//! `GET /api/metrics/performance`: what the gateway did, as JSON; and the counting of requests that nobody else counts.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Deserialize;

use super::{Gateway, chat::ROUTE};
use crate::{
    provider::relay::Problem,
    serve::{
        arrival::arrived,
        callers::Caller,
        metrics::{self, Counted},
    },
};

/// What may stand behind the question mark.
#[derive(Deserialize)]
pub(in crate::serve) struct Wanted {
    last_n: Option<String>,
}

/// The last requests, and everything since the start.
pub(in crate::serve) async fn performance(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Response {
    // Who has a key is told of its own tenant alone.
    let own = (!caller.name.is_empty()).then_some(&*caller.tenant);
    match metrics::last_n(wanted.last_n.as_deref()) {
        Ok(last_n) => Json(gateway.metrics.performance(last_n, own)).into_response(),
        Err(wrong) => {
            Problem::new(StatusCode::BAD_REQUEST, wrong.to_string()).about("last_n").into_response::<Body>()
        }
    }
}

/// Counts requests that are turned away before anybody has looked at what they want.
pub(in crate::serve) async fn turned_away(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
    next: Next,
) -> Response {
    let arrived = arrived(&request);
    let route = if request.uri().path() == ROUTE { ROUTE } else { "other" };
    let response = next.run(request).await;
    if !response.status().is_client_error() || response.extensions().get::<Counted>().is_some() {
        return response;
    }
    gateway.metrics.asked(route, arrived).answer(response).map(Body::new)
}
