//! Several daemons on one server of `PostgreSQL`.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use super::{Serve, chat};
use crate::{
    end_to_end::KEY,
    mock::{Act, Mock, ending, event},
    postgres,
    sandbox::Sandbox,
};

const CHAT: &str = "/v1/chat/completions";

/// More than any step takes on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(1);

async fn node(mock: &Mock, store: &str) -> Serve {
    let sandbox = Sandbox::without_repository();
    let reviewer = format!("provider = \"openai\"\nbase_url = \"{}\"\nmodel = \"mock\"", mock.url);
    let text = format!(
        "[serve]\naddress = \"http://127.0.0.1\"\n[[reviewer]]\nid = \"mock\"\n{reviewer}\napi_key_env = \"MOCK_KEY\"\n"
    );
    sandbox.write("scrum.toml", text);
    Serve::keeping(store, sandbox, &[("MOCK_KEY", KEY)]).await
}

async fn three(mock: &Mock, store: &str) -> Vec<Serve> {
    vec![node(mock, store).await, node(mock, store).await, node(mock, store).await]
}

fn calls(mock: &Mock, question: &str) -> usize {
    mock.asked().iter().filter(|asked| asked.body.to_string().contains(question)).count()
}

/// Asks all nodes something new again and again until that is one call each time: they know one another.
async fn acquainted(nodes: &[Serve], mock: &Mock) {
    let start = Instant::now();
    let mut in_turn = 0;
    for n in 0.. {
        let question = format!("Hello {n}!");
        let body = chat(false, &question);
        join_all(nodes.iter().map(async |node| node.post(CHAT, &body).await.all().await)).await;
        in_turn = if calls(mock, &question) == 1 { in_turn + 1 } else { 0 };
        // By chance one may own all that was asked so far.
        if in_turn == 12 {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "they never met");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_many_ask_of_three_nodes_is_one_call() {
    let Some(store) = postgres::address() else { return };
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let mock = Mock::start(move |asked| {
        let pieces = vec![event("one"), event("two"), ending("stop")];
        let is_gated = asked.body.to_string().contains("Why?");
        let act =
            if is_gated { Act::Gated(pieces, Arc::clone(&opened)) } else { Act::Reply("Hi".to_owned()) };
        std::future::ready(act)
    })
    .await;
    let nodes = three(&mock, &store).await;
    acquainted(&nodes, &mock).await;
    let body = chat(true, "Why?");
    let mut readers = Vec::new();
    for n in 0..50 {
        let mut reader = nodes[n % 3].post(CHAT, &body).await;
        timeout(PATIENCE, reader.until("one")).await.unwrap();
        readers.push(reader);
    }
    gate.notify_one();
    for reader in readers {
        let answer = timeout(PATIENCE, reader.all()).await.unwrap();
        assert!(answer.contains("two") && answer.contains("[DONE]"), "{answer}");
        assert!(answer.contains("x-scrum-coalesced: ") && answer.contains("text/event-stream"), "{answer}");
    }
    assert_eq!(calls(&mock, "Why?"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_dies_takes_no_answer_with_it() {
    let Some(store) = postgres::address() else { return };
    let mock = Mock::always(|| Act::Reply("Hi".to_owned())).await;
    let mut nodes = three(&mock, &store).await;
    acquainted(&nodes, &mock).await;
    let mut dead = nodes.pop().unwrap();
    dead.kill().await;
    // Some of these were its affair.
    for n in 0..12 {
        let body = chat(false, &format!("What now, {n}?"));
        let answers = join_all(nodes.iter().map(async |node| node.post(CHAT, &body).await.all().await));
        for answer in timeout(PATIENCE, answers).await.unwrap() {
            assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("Hi"), "{answer}");
        }
    }
}
