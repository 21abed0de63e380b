//! `GET /v1/models`: what can be asked here.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use serde::Serialize;

use super::{Gateway, Routes};

/// As `OpenAI` lists its models.
#[derive(Serialize)]
pub(in crate::serve) struct Listing {
    object: &'static str,
    data: Vec<Model>,
}

#[derive(Serialize)]
pub(in crate::serve) struct Model {
    id: String,
    object: &'static str,
    /// Nobody tells when; clients insist on a number.
    created: u64,
    owned_by: String,
}

/// Every name that a request may give for its model.
pub(in crate::serve) async fn models(State(gateway): State<Arc<Gateway>>) -> Json<Listing> {
    let routes = &gateway.routes;
    let data = routes.names().into_iter().filter_map(|name| Model::of(name, routes)).collect();
    Json(Listing { object: "list", data })
}

/// One of them.
pub(in crate::serve) async fn model(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
) -> Result<Json<Model>, Response> {
    let found = Model::of(&name, &gateway.routes).map(Json);
    found.ok_or_else(|| gateway.no_such(&name).into_response())
}

impl Model {
    fn of(name: &str, routes: &Routes) -> Option<Self> {
        let owned_by = routes.find(name)?.reviewer.lineage.to_string();
        Some(Self { id: name.to_owned(), object: "model", created: 0, owned_by })
    }
}
