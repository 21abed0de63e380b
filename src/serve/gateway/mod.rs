//! The gateway: asks a provider once what many ask at the same time. [`Gateway`] is what all its requests share.
//!
//! ```text
//! request ─ who asks ─ limits ─ route ─▶ Flights ─▶ leader: Upstream ─ line ─ retries ─▶ Relay
//!                                          └─▶ followers, kept answers
//! ```
//!
//! What is in a chat request and in its answer is passed on unread, but for what decides where it goes ([`outline`]).

mod bill;
mod chat;
mod intake;
mod line;
mod models;
mod numbers;
mod outline;
mod passing;
mod quota;
mod routes;
mod upstream;

use std::sync::Arc;

use super::{metrics::Metrics, peers::Peers, tenants::Tenants};
use crate::{
    coalesce::{Flights, Limits, ShelfLimits, Switches},
    config::Serve,
};
pub(super) use chat::chat;
pub(super) use intake::{Intake, Room};
pub(super) use line::Line;
pub(super) use models::{model, models};
pub(super) use numbers::{performance, turned_away};
pub(super) use passing::{deadline, shared, too_late};
pub(super) use routes::Routes;
pub(super) use upstream::{Outgoing, Upstream};

/// What all requests share.
pub(super) struct Gateway {
    pub(super) routes: Routes,
    pub(super) flights: Flights,
    pub(super) peers: Peers,
    pub(super) tenants: Tenants,
    intake: Intake,
    pub(super) switches: Switches,
    pub(super) settings: Serve,
    pub(super) metrics: Arc<Metrics>,
}

impl Gateway {
    pub(super) fn new(routes: Routes, switches: Switches, settings: Serve, peers: Peers) -> Self {
        let Serve { keep: age, keep_bytes: bytes, keep_answer_bytes: answer_bytes, answer, .. } = settings;
        let shelf = ShelfLimits { age, bytes, answer_bytes };
        let flights = Flights::new(Limits { age: answer, shelf, ..Limits::default() });
        let tenants = Tenants::new(settings.tenant, settings.tenants.clone());
        let intake = Intake::new(settings.request_bytes);
        Self { routes, flights, peers, tenants, intake, switches, settings, metrics: Metrics::new() }
    }
}
