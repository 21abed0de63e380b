//! `DELETE /queue/cancel/{id}`: [`cancel`].

use std::sync::Arc;

use axum::{
    extract::{Extension, Path, State},
    response::Response,
};
use http::StatusCode;

use super::{Desk, broken, json, no_such_job};
use crate::{
    job::{JobId, State as Stand, wire::CalledOff},
    provider::relay::Problem,
    serve::callers::Caller,
};

/// Calls a job off.
pub(super) async fn cancel(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Response {
    desk.cancel(&caller, &id).await.unwrap_or_else(Problem::into_response)
}

impl Desk {
    async fn cancel(&self, caller: &Caller, id: &str) -> Result<Response, Problem> {
        let id = JobId::parse(id).ok_or_else(no_such_job)?;
        let was = self.queue.cancel(Some(&caller.tenant), &id).await.map_err(broken)?;
        let was = was.ok_or_else(no_such_job)?;
        if was.is_final() {
            let message = format!("job {id} has come to its end: it is {was}");
            return Err(Problem::new(StatusCode::CONFLICT, message).code("job_final"));
        }
        Ok(json(StatusCode::OK, &CalledOff { id: id.to_string(), state: Stand::Cancelled, was }))
    }
}
