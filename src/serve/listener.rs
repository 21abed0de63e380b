//! Takes connections and serves them until it is told to end: [`serve`].

use std::{io, time::Duration};

use axum::Router;
use http::Request;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_io_timeout::TimeoutWriter;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::arrival::Arriving;

/// How long a client may take to send a request's head.
const LONGEST_HEAD: Duration = Duration::from_secs(30);
/// How long a client may take nothing of an answer that is there for it.
const LONGEST_STALL: Duration = Duration::from_secs(60);
/// How long to wait when the system has no room for another connection.
const BREATH: Duration = Duration::from_millis(100);

/// Serves `app` until `end`, then lets the answers under way come to their end within `grace`. True when all did.
pub(super) async fn serve(
    listener: TcpListener,
    app: Router,
    end: &CancellationToken,
    grace: Duration,
) -> bool {
    let connections = GracefulShutdown::new();
    while let Some(accepted) = end.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => begin(stream, &app, &connections),
            // The one that wanted to come in is gone.
            Err(error) if is_about_the_client(&error) => {}
            Err(_) => sleep(BREATH).await,
        }
    }
    drop(listener);
    timeout(grace, connections.shutdown()).await.is_ok()
}

fn begin(stream: TcpStream, app: &Router, connections: &GracefulShutdown) {
    // Head and first piece of an answer are two writes: without this the second waits for the client's acknowledgement.
    // Where it fails the connection is gone.
    let _ = stream.set_nodelay(true);
    let stream = Arriving::new(stream);
    let arrivals = stream.arrivals();
    let app = app.clone().map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(arrivals.latest());
        request
    });
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(LONGEST_STALL));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(LONGEST_HEAD)
        .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(app));
    // How a connection ends is the client's affair, and what it was told is counted elsewhere.
    tokio::spawn(connections.watch(connection));
}

fn is_about_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
