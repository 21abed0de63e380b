//! Nodes that ask a provider once for what callers of all of them ask: [`Peers`].
//!
//! For each request that may be shared there is one node among the living whose affair it is. The others pass it on to that
//! one, with the caller's own key, so that it is let in there as it was here; and never any further. Where the other one does
//! not answer, a node asks for itself: an answer twice is better than none.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    coalesce::Key,
    digest,
    provider::relay::{Body, Peer},
    store::nodes::{BEAT_MS, Node, Nodes},
};

/// On a request that another node has passed on.
const FORWARDED: HeaderName = HeaderName::from_static("x-scrum-forwarded");

/// On each answer that a flight gave, whatever its status.
const COALESCED: &str = "x-scrum-coalesced";

/// Headers that are about the caller's own connection or time, and were looked at here.
const NOT_PASSED_ON: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "te",
    "transfer-encoding",
    "upgrade",
    "x-scrum-timeout",
];

/// How long the store may take over a word of this node. A server that is away is asked again for far longer.
const ANSWER: Duration = Duration::from_secs(2);

/// The nodes beside this one.
pub(super) struct Peers {
    /// This one's name.
    id: String,
    living: watch::Sender<Arc<[Node]>>,
    peer: Option<Peer>,
}

/// Where a request is passed on to.
pub(super) struct Way {
    owner: String,
    url: String,
    headers: HeaderMap,
    body: Bytes,
    living: watch::Receiver<Arc<[Node]>>,
    peer: Peer,
}

impl Peers {
    /// None known yet.
    pub(super) fn new(id: String) -> Self {
        Self { id, living: watch::Sender::new(Arc::from([])), peer: Peer::new().ok() }
    }

    /// Says until `end` that this node is there, at `address`, and learns who else is.
    pub(super) async fn keep_up(&self, nodes: Nodes, address: String, end: CancellationToken) {
        let mut beats = interval(Duration::from_millis(BEAT_MS));
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while end.run_until_cancelled(beats.tick()).await.is_some() {
            let node = Node { id: self.id.clone(), address: address.clone() };
            let Some(said) = end.run_until_cancelled(timeout(ANSWER, nodes.beat(node))).await else { break };
            // Without the store it is not known who is there, so each asks for itself.
            let living = said.ok().and_then(Result::ok).unwrap_or_default();
            self.living.send_if_modified(|known| {
                let is_new = **known != *living;
                *known = Arc::from(living);
                is_new
            });
        }
        // Who cannot say it is taken for gone soon.
        let _ = timeout(ANSWER, nodes.leave(self.id.clone())).await;
    }

    /// Where a request is to go instead of to the provider. `None`: it is this node's own affair, or was passed on already.
    pub(super) fn way(&self, key: &Key, headers: &HeaderMap, path: &str, body: &Bytes) -> Option<Way> {
        let living = self.living.borrow().clone();
        let owner = owner(key, &living)?;
        if owner.id == self.id || headers.contains_key(FORWARDED) {
            return None;
        }
        let mut headers = headers.clone();
        for name in NOT_PASSED_ON {
            headers.remove(*name);
        }
        headers.insert(FORWARDED, HeaderValue::from_str(&self.id).ok()?);
        Some(Way {
            owner: owner.id.clone(),
            url: format!("{}{path}", owner.address.trim_end_matches('/')),
            headers,
            body: body.clone(),
            living: self.living.subscribe(),
            peer: self.peer.clone()?,
        })
    }
}

/// Whose affair a request is: of each node and the request a number is made, and the largest wins. A node that comes or goes
/// changes nothing for requests that are not its own.
fn owner<'a>(key: &Key, living: &'a [Node]) -> Option<&'a Node> {
    living.iter().max_by_key(|node| digest::sha256_bytes(&[key.bytes(), node.id.as_bytes()]))
}

impl Way {
    /// The answer at the end of a way, if there is one.
    pub(super) async fn followed(way: Option<Self>) -> Option<Response<Body>> {
        way?.answer().await
    }

    /// The other node's answer; `None` if it has none.
    async fn answer(mut self) -> Option<Response<Body>> {
        let owner = self.owner;
        let is_gone = |living: &Arc<[Node]>| living.iter().all(|node| node.id != owner);
        let answer = tokio::select! {
            answer = self.peer.send(&self.url, self.headers, self.body) => answer.ok()?,
            _ = self.living.wait_for(is_gone) => return None,
        };
        // Without it, it is the node itself that says something: that it ends, or does not know the caller or the model.
        let mut answer = Some(answer).filter(|answer| answer.headers().contains_key(COALESCED))?;
        answer.headers_mut().remove(header::DATE);
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::database::{Database, Server, testing::server::Own};

    fn node(n: u64) -> Node {
        Node { id: format!("node-{n}"), address: format!("http://10.0.0.{n}:4001") }
    }

    fn key(n: u64) -> Key {
        let body = Bytes::from(format!("{{\"n\": {n}}}"));
        let headers = HeaderMap::new();
        let request = crate::coalesce::Request {
            credential: b"",
            tenant: "",
            provider: "mock",
            route: "POST /v1/chat/completions",
            headers: &headers,
            body: &body,
        };
        request.key(crate::coalesce::Switches { coalesce: true, streams: true }).unwrap()
    }

    #[test]
    fn a_node_that_goes_changes_nothing_for_the_others() {
        let all: Vec<_> = (0..5).map(node).collect();
        let mut owned = [0; 5];
        for n in 0..1_000 {
            let key = key(n);
            let before = owner(&key, &all).unwrap();
            let at = all.iter().position(|node| node == before).unwrap();
            owned[at] += 1;
            for gone in (0..5).filter(|gone| *gone != at) {
                let left: Vec<_> = all.iter().filter(|node| **node != all[gone]).cloned().collect();
                assert_eq!(owner(&key, &left), Some(before));
            }
        }
        assert!(owned.iter().all(|count| (140..260).contains(count)), "{owned:?}");
        assert_eq!(owner(&key(0), &[]), None);
    }

    #[test]
    fn what_was_passed_on_stays() {
        let peers = Peers::new("node-0".to_owned());
        let body = Bytes::from("{}");
        let mut headers = HeaderMap::from_iter([
            (header::AUTHORIZATION, HeaderValue::from_static("Bearer k")),
            (header::ORIGIN, HeaderValue::from_static("http://here")),
        ]);
        let way = |headers: &HeaderMap| peers.way(&key(0), headers, "/v1", &body);
        assert!(way(&headers).is_none(), "nobody is known");
        peers.living.send_replace(Arc::from([node(1)]));
        let to = way(&headers).unwrap();
        assert_eq!(to.url, "http://10.0.0.1:4001/v1");
        assert!(to.headers.contains_key(header::AUTHORIZATION) && !to.headers.contains_key(header::ORIGIN));
        headers.insert(FORWARDED, HeaderValue::from_static("node-1"));
        assert!(way(&headers).is_none());
    }

    #[tokio::test]
    async fn a_server_that_is_away_holds_nobody_up() {
        let Some(server) = Own::start() else { return };
        let nodes = Nodes::new(Database::join(&Server::parse(&server.address()).unwrap()).unwrap());
        server.crash();
        // From here on whoever waits for the server alone waits longer than any timeout.
        tokio::time::pause();
        let (peers, end) = (Peers::new("node-0".to_owned()), CancellationToken::new());
        peers.living.send_replace(Arc::from([node(1)]));
        let mut living = peers.living.subscribe();
        let alone = async {
            living.wait_for(|living| living.is_empty()).await.unwrap();
            end.cancel();
        };
        let keeping = peers.keep_up(nodes, node(0).address, end.clone());
        let both = timeout(Duration::from_secs(10), async { tokio::join!(keeping, alone) });
        assert!(both.await.is_ok());
    }
}
