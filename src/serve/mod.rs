//! `scrum serve`: what many people and jobs share. [`Server`] is its routes and what stands behind them.
//!
//! `gateway` asks models once for all who ask the same. Arguments, words for people and signals are `cli`'s.

mod arrival;
mod bucket;
mod callers;
mod dashboard;
mod document;
mod doubts;
mod gateway;
mod ground;
mod listener;
pub mod log;
pub mod metrics;
mod operation;
mod peers;
mod queue;
mod scrape;
mod tenants;
mod threads;
mod trace;
mod webhooks;
mod withheld;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{Router, middleware};
use http::{HeaderMap, Method, StatusCode, Uri, header::CONTENT_TYPE};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    clock,
    coalesce::Switches,
    config::{Serve, env::Environment},
    prompt::Templates,
    provider::{
        Provider,
        relay::{Problem, Relay},
    },
    reviewer::Reviewer,
    store::{Store, database::Database, jobs::Jobs, nodes::Nodes, threads::Threads},
};
pub use callers::{Callers, GuardError};
use dashboard::Board;
pub use document::document;
pub use doubts::doubts;
use gateway::{Gateway, Line, Routes, Upstream};
use operation::Offer;
use peers::Peers;
use queue::{Offered, Queue, Workshop, api};
use threads::Desk;
use webhooks::Hooks;
use withheld::Withheld;

/// How long those may take to read on who are told that their answer is given up.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// What a server finds on disk, and writes there.
pub struct Kept {
    /// Threads.
    pub database: Database,
    /// Runs that threads may be about.
    pub runs: Store,
    /// What a model is told about them.
    pub templates: Templates,
}

/// Where and with what jobs are done.
pub struct Workplace {
    /// This program, for processes that do one job each.
    pub program: PathBuf,
    /// Where they have their folders.
    pub folder: PathBuf,
    /// The repository that the daemon was started in.
    pub repository: Option<PathBuf>,
    /// The daemon's own configuration, if there is a file.
    pub config: Option<PathBuf>,
    /// Variables that it knows to hold secrets.
    pub secrets: Vec<String>,
}

/// Everything behind one listener.
pub struct Server {
    gateway: Arc<Gateway>,
    desk: Arc<Desk>,
    jobs: Arc<api::Desk>,
    hooks: Arc<Hooks>,
    board: Arc<Board>,
    database: Database,
}

impl Server {
    /// A server that passes requests on to those of `reviewers` that are endpoints, and keeps what must be kept in `kept`.
    /// Nothing is sent. Fails where jobs can have no folders.
    pub fn new(
        settings: Serve,
        switches: Switches,
        reviewers: Vec<(Reviewer, Provider)>,
        kept: Kept,
        place: Workplace,
    ) -> io::Result<Self> {
        let routes = Routes::new(upstreams(&settings, reviewers));
        let (queue, limits) = (settings.queue.clone(), settings.jobs.clone());
        let (repositories, webhook) = (settings.repositories.clone(), settings.webhook.clone());
        let node = clock::uuid();
        let gateway = Arc::new(Gateway::new(routes, switches, settings, Peers::new(node.clone())));
        let Kept { database, runs, templates } = kept;
        let threads = Threads::new(database.clone());
        let home = place.repository.as_deref().unwrap_or(Path::new("")).to_string_lossy().into_owned();
        let withheld = Withheld::new(&repositories, &webhook, &place.secrets);
        let offer = Offered { repositories, withheld, posts_status: webhook.status };
        let workshop = Workshop::open(place, offer, runs.clone(), &node)?;
        let numbers = Arc::clone(gateway.metrics.queue());
        // Whoever has the file open as a daemon is the only one.
        let is_alone = database.path().is_some();
        let queue = Queue::new(Jobs::new(database.clone()), queue, numbers, (node, is_alone), workshop);
        let jobs = api::Desk::new(Arc::clone(&queue), database.clone(), limits);
        let board = Arc::clone(&queue);
        let board = Board::new(board, Arc::clone(&gateway), database.clone(), runs.clone(), home);
        let desk =
            Desk { gateway: Arc::clone(&gateway), threads, runs, board: Arc::clone(&board), templates };
        let desk = Arc::new(desk);
        let hooks = Hooks::new(queue, database.clone(), webhook, Environment);
        Ok(Self { gateway, desk, jobs, hooks, board, database })
    }

    /// The names that a request may give for its model.
    pub fn models(&self) -> Vec<&str> {
        self.gateway.routes.names()
    }

    /// Serves `callers` until `end`. True when every answer under way could be given to its end.
    pub async fn serve(&self, listener: TcpListener, callers: Callers, end: &CancellationToken) -> bool {
        let grace = self.gateway.settings.grace;
        tokio::spawn(callers.clone().keep_up(self.database.clone(), end.clone()));
        let port = listener.local_addr().ok().map(|address| address.port());
        let sharing = self.sharing(port, end);
        tokio::spawn(Arc::clone(&self.jobs).keep_up(end.clone()));
        tokio::spawn(Arc::clone(&self.board).keep_up(end.clone()));
        let working = Arc::clone(&self.jobs.queue).work(end.clone(), grace);
        let serving = listener::serve(listener, self.router(callers), end, grace);
        let (is_whole, (), ()) = tokio::join!(serving, working, sharing);
        self.gateway.flights.drain(Duration::ZERO).await;
        if !is_whole {
            tokio::time::sleep(LAST_MOMENT).await;
        }
        is_whole
    }

    /// Takes part in sharing answers with other nodes, if this one says where they reach it.
    async fn sharing(&self, port: Option<u16>, end: &CancellationToken) {
        let Some(mut address) = self.gateway.settings.address.clone() else { return };
        if address.port().is_none() {
            // `None`: an address has a host, so it can have a port.
            let _ = address.set_port(port);
        }
        let address = address.origin().ascii_serialization();
        self.gateway.peers.keep_up(Nodes::new(self.database.clone()), address, end.clone()).await;
    }

    fn router(&self, callers: Callers) -> Router {
        let told = (Arc::clone(&self.gateway), Arc::clone(&self.jobs.queue));
        Router::new()
            .offer(operation::CHAT, gateway::chat)
            .offer(operation::MODELS, gateway::models)
            .offer(operation::MODEL, gateway::model)
            .offer(operation::PERFORMANCE, gateway::performance)
            .merge(Router::new().offer(operation::METRICS, scrape::scrape).with_state(told))
            .merge(threads::router(Arc::clone(&self.desk)))
            .merge(api::router(Arc::clone(&self.jobs)))
            .merge(dashboard::router(Arc::clone(&self.board)))
            // What stands above is for those who may ask.
            .route_layer(middleware::from_fn_with_state(callers, callers::guard))
            .route_layer(middleware::from_fn_with_state(Arc::clone(&self.gateway), gateway::turned_away))
            .offer(operation::HEALTH, async || "ok\n")
            .offer(operation::DOCUMENT, async || ([(CONTENT_TYPE, "application/json")], document()))
            .merge(api::open_router(Arc::clone(&self.jobs)))
            .merge(webhooks::router(Arc::clone(&self.hooks)))
            .fallback(async |headers: HeaderMap, uri: Uri| {
                dashboard::refused(&headers, nothing_there(uri.path()))
            })
            .method_not_allowed_fallback(async |headers: HeaderMap, method: Method| {
                dashboard::refused(&headers, not_done(&method))
            })
            .layer(middleware::from_fn(trace::traced))
            .with_state(Arc::clone(&self.gateway))
    }
}

fn nothing_there(path: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is nothing at {path:?}")).code("unknown_url")
}

fn not_done(method: &Method) -> Problem {
    let message = format!("{method} is not what this address is for");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, message).code("method_not_allowed")
}

/// The endpoints among `reviewers`; models of one provider share its line.
fn upstreams(settings: &Serve, reviewers: Vec<(Reviewer, Provider)>) -> Vec<Upstream> {
    let mut lines: BTreeMap<Option<String>, Arc<Line>> = BTreeMap::new();
    let upstream = |(reviewer, provider): (Reviewer, Provider)| {
        let relay = Relay::to(&provider, &reviewer)?;
        let line = lines
            .entry(reviewer.service())
            .or_insert_with(|| Arc::new(Line::new(settings.upstream_calls, settings.waiting, settings.wait)));
        line.limit(reviewer.allowance);
        Some(Upstream::new(reviewer, relay, Arc::clone(line), settings.retries))
    };
    reviewers.into_iter().filter_map(upstream).collect()
}
