//! One connection to a server, as a thread uses it that blocks: [`Session`].
//!
//! A statement whose answer nobody needs at once is sent without waiting for it: what is waited for next comes after it, and so
//! does its answer. A round trip costs as much as the statement itself, and two wake-ups.

use std::{
    collections::HashMap,
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, OnceLock},
};

use futures_util::{FutureExt, future::join};
use tokio::{
    runtime::{self, Runtime},
    task::yield_now,
};
use tokio_postgres::{Client, Error, Row, SimpleQueryMessage, Statement};

use super::{Problem, Server, Value, row};

/// A connection, and what was sent through it.
pub(super) struct Session {
    client: Arc<Client>,
    prepared: HashMap<&'static str, Statement>,
    /// Statements that were sent, in their order, with answers that nobody has read yet: how many rows they changed.
    sent: Vec<Answer>,
    /// When the transaction began, once its first statements have given that.
    begun: Arc<OnceLock<i64>>,
    runtime: Runtime,
}

type Answer = Pin<Box<dyn Future<Output = Result<u64, Error>> + Send>>;

impl Session {
    /// Connects.
    pub(super) fn open(server: &Server) -> Result<Self, Problem> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let client = Arc::new(runtime.block_on(server.session())?);
        Ok(Self { client, prepared: HashMap::new(), sent: Vec::new(), begun: Arc::default(), runtime })
    }

    /// Whether it is known that nothing more can be sent.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Begins a transaction with statements that have no values, of which the last may give the time.
    pub(super) fn begin(&mut self, sql: String) -> Result<(), Error> {
        self.begun = Arc::default();
        let (client, begun) = (Arc::clone(&self.client), Arc::clone(&self.begun));
        self.on_its_way(async move {
            let said = client.simple_query(&sql).await?;
            first_number(&said).map(|now| begun.set(now));
            Ok(0)
        })
    }

    /// When the transaction began, as far as its first statements gave the time.
    pub(super) fn begun(&mut self) -> Result<Option<i64>, Error> {
        if self.begun.get().is_none() {
            self.settle()?;
        }
        Ok(self.begun.get().copied())
    }

    /// Runs statements that have no values.
    pub(super) fn simple(&mut self, sql: &str) -> Result<Vec<SimpleQueryMessage>, Error> {
        let client = Arc::clone(&self.client);
        self.after_all(client.simple_query(sql))
    }

    /// Runs a statement; the rows it gives.
    pub(super) fn query(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, Error> {
        let (client, statement) = (Arc::clone(&self.client), self.prepare(sql)?);
        self.after_all(client.query(&statement, &row::parameters(values)))
    }

    /// Sends a statement.
    pub(super) fn send(&mut self, sql: &'static str, values: &[Value]) -> Result<(), Error> {
        let (client, statement, values) = (Arc::clone(&self.client), self.prepare(sql)?, values.to_vec());
        self.on_its_way(async move { client.execute_raw(&statement, values).await })
    }

    fn on_its_way(
        &mut self,
        asked: impl Future<Output = Result<u64, Error>> + Send + 'static,
    ) -> Result<(), Error> {
        let mut answer: Answer = Box::pin(asked);
        // Asked once, it is on its way. What has an answer already has failed here, and was not sent.
        if let Some(failed) = (&mut answer).now_or_never() {
            return failed.map(drop);
        }
        self.sent.push(answer);
        Ok(())
    }

    /// Waits for the answers to all that was sent.
    pub(super) fn settle(&mut self) -> Result<Vec<u64>, Error> {
        let sent = mem::take(&mut self.sent);
        if sent.is_empty() {
            return Ok(Vec::new());
        }
        self.runtime.block_on(answers(sent))
    }

    /// Sends something, and neither waits for an answer nor reads those that are still to come.
    pub(super) fn forget(&mut self, sql: &str) {
        self.sent.clear();
        let client = Arc::clone(&self.client);
        let _ = client.batch_execute(sql).now_or_never();
        // What is sent goes out when the connection has its turn.
        self.runtime.block_on(yield_now());
    }

    /// Waits for what is asked, which comes after all that was sent. What failed first is the reason for what fails then.
    fn after_all<T>(&mut self, asked: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let sent = mem::take(&mut self.sent);
        let (found, before) = self.runtime.block_on(join(asked, answers(sent)));
        before.and(found)
    }

    fn prepare(&mut self, sql: &'static str) -> Result<Statement, Error> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let client = Arc::clone(&self.client);
        let statement = self.after_all(client.prepare(&row::numbered(sql)))?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }
}

fn first_number(said: &[SimpleQueryMessage]) -> Option<i64> {
    said.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
        _ => None,
    })
}

async fn answers(sent: Vec<Answer>) -> Result<Vec<u64>, Error> {
    let mut changed = Vec::with_capacity(sent.len());
    for answer in sent {
        changed.push(answer.await?);
    }
    Ok(changed)
}
