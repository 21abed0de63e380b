//! `GET /api/threads/{id}`: [`read`].

use std::sync::Arc;

use axum::{
    extract::{Extension, Path, State},
    response::Response,
};
use http::StatusCode;

use super::{Desk, json, viewer, wire::ThreadShown};
use crate::{provider::relay::Problem, serve::callers::Caller};

/// Shows a thread, and what of it the caller may see.
pub(super) async fn read(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Response {
    let shown = desk.thread(&viewer(&caller), &id).await;
    let shown = shown.map(|(thread, messages)| json(StatusCode::OK, &ThreadShown::new(&thread, &messages)));
    shown.unwrap_or_else(Problem::into_response)
}
