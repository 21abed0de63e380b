//! `GET /v1/models`: what can be asked here.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;

use super::Gateway;

/// As `OpenAI` lists its models.
#[derive(Serialize)]
pub(in crate::serve) struct Listing {
    object: &'static str,
    data: Vec<Model>,
}

#[derive(Serialize)]
struct Model {
    id: String,
    object: &'static str,
    /// Nobody tells when; clients insist on a number.
    created: u64,
    owned_by: String,
}

/// Every name that a request may give for its model.
pub(in crate::serve) async fn models(State(gateway): State<Arc<Gateway>>) -> Json<Listing> {
    let model = |name: &str| Model {
        id: name.to_owned(),
        object: "model",
        created: 0,
        owned_by: gateway.routes.find(name).map_or_else(String::new, |one| one.reviewer.lineage.to_string()),
    };
    Json(Listing { object: "list", data: gateway.routes.names().into_iter().map(model).collect() })
}
