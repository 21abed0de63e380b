//! Which server, and how to reach it: [`Server`].
//!
//! Its address may hold a password, so neither the address nor anything made of it is ever shown, but the host and the
//! name of the database.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt;
use tokio_postgres::{Client, Config, Connection, Socket, config::Host};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Problem;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// After so long without a word from the other end the connection counts as cut.
const SILENCE: Duration = Duration::from_secs(15);

/// What each session is set to. A transaction that its client has left keeps locks that others wait for. All that is asked here finds
/// its rows by an index: a plan that was made while a table was empty, and is kept, would read all of it later, and no plan is worth
/// compiling.
const SETTINGS: &str = "SET synchronous_commit = on; SET lock_timeout = '5s';
                        SET idle_in_transaction_session_timeout = '10s'; SET client_min_messages = warning;
                        SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off";

/// A server, and what it takes to get in.
#[derive(Clone)]
pub struct Server {
    config: Arc<Config>,
    tls: MakeRustlsConnect,
}

impl Server {
    /// Of an address such as `postgres://user@host/name`.
    pub fn parse(address: &str) -> Result<Self, Problem> {
        // What is wrong is not repeated: it may be a piece of a password.
        let mut config = Config::from_str(address).map_err(|_| Problem::BadAddress)?;
        // An `@` in a password that was not written as %40 cuts it in two.
        let is_cut = |host: &Host| matches!(host, Host::Tcp(name) if name.contains('@'));
        if config.get_hosts().iter().any(is_cut) {
            return Err(Problem::BadAddress);
        }
        if config.get_application_name().is_none() {
            config.application_name("scrum");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        config
            .tcp_user_timeout(SILENCE)
            .keepalives_idle(SILENCE)
            .keepalives_interval(SILENCE / 3)
            .keepalives_retries(3);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let tls = ClientConfig::with_platform_verifier()
            .map_err(|error| Problem::Unreachable(format!("TLS cannot be used: {error}")))?;
        Ok(Self { config: Arc::new(config), tls: MakeRustlsConnect::new(tls) })
    }

    /// A connection, for the present runtime.
    pub(super) async fn connect(
        &self,
    ) -> Result<
        (
            Client,
            Connection<Socket, <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<Socket>>::Stream>,
        ),
        Problem,
    > {
        Ok(self.config.connect(self.tls.clone()).await?)
    }

    /// A session that writes to tables, or reads them, set as every one must be. It ends when it is dropped.
    pub(super) async fn session(&self) -> Result<Client, Problem> {
        let (client, connection) = self.connect().await?;
        // Whatever ends it is said to whoever asks the client for something.
        tokio::spawn(connection);
        client.batch_execute(SETTINGS).await?;
        let found: String = client.query_one("SHOW synchronous_commit", &[]).await?.get(0);
        if found == "on" {
            Ok(client)
        } else {
            Err(Problem::Setting { name: "synchronous_commit", found, wanted: "on" })
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        });
        let hosts = hosts.collect::<Vec<_>>().join(",");
        write!(out, "PostgreSQL {:?} at {hosts}", self.config.get_dbname().unwrap_or("(its user's)"))
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}
