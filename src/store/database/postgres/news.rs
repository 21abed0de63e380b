//! What nodes tell one another through the server: [`News`], one connection that listens and tells.
//!
//! What a group of transactions told goes out as one notification after it: one inside of a transaction has the commits of all
//! nodes wait for one another. Lost notifications cost a wait, never work.

use std::{future::poll_fn, pin::pin, sync::Arc, thread, time::Duration};

use tokio::{runtime, select, time::sleep};
use tokio_postgres::{AsyncMessage, Client};
use tokio_util::sync::CancellationToken;

use super::{Problem, Server};
use crate::store::database::notes::Outbox;

/// Between two tellings of a node, to gather what belongs together.
const GATHER: Duration = Duration::from_millis(5);

/// Before the next try to connect.
const AGAIN: Duration = Duration::from_millis(500);

/// Listens and tells until it is dropped.
pub(in super::super) struct News {
    end: CancellationToken,
}

impl News {
    /// Starts the thread.
    pub(in super::super) fn start(server: Server, outbox: Arc<Outbox>) -> Result<Self, Problem> {
        let end = CancellationToken::new();
        let until = end.clone();
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("news".to_owned()).spawn(move || {
            runtime.block_on(until.run_until_cancelled_owned(keep_up(server, outbox)));
        })?;
        Ok(Self { end })
    }
}

impl Drop for News {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

async fn keep_up(server: Server, outbox: Arc<Outbox>) {
    loop {
        // Why it ended is nothing that whoever writes or reads would not be told as well.
        let _ = session(&server, &outbox).await;
        sleep(AGAIN).await;
    }
}

async fn session(server: &Server, outbox: &Outbox) -> Result<(), Problem> {
    let (client, mut connection) = server.connect().await?;
    let hearing = async {
        loop {
            match poll_fn(|context| connection.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notification(told))) => outbox.hear(told.payload()),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Problem::from(error)),
                None => return Ok(()),
            }
        }
    };
    let (hearing, telling) = (pin!(hearing), pin!(tell(&client, outbox)));
    select! {
        ended = hearing => ended,
        ended = telling => ended,
    }
}

async fn tell(client: &Client, outbox: &Outbox) -> Result<(), Problem> {
    // A name for each schema, and none that could be too long.
    let named = client.query_one("SELECT 'scrum_' || md5(current_schema())", &[]).await?;
    let channel: String = named.get(0);
    // What is told is not kept: no commit of it needs to be on disk.
    client.batch_execute(&format!("SET synchronous_commit = off; LISTEN {channel}")).await?;
    outbox.missed();
    let notify = client.prepare("SELECT pg_notify($1, $2)").await?;
    loop {
        for payload in outbox.take().await {
            client.execute(&notify, &[&channel, &payload]).await?;
        }
        sleep(GATHER).await;
    }
}
