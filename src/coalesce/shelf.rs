//! Finished answers, for a while: [`Shelf`]. An answer on it is the log of its flight, read like any other.
//!
//! What expires first goes first when room is needed. Nothing is kept of a flight that broke off, and nothing for longer than
//! the answer's own `Retry-After`. The time is an argument; looking and putting are made one step by the board's lock.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use http::{HeaderMap, header::RETRY_AFTER};
use tokio::time::Instant;

use super::{
    Key, ShelfLimits,
    log::{Head, Log},
};
use crate::retry_after;

/// Longest time an error is kept: long enough for a burst, too short to be an outage of our own.
const LONGEST_ERROR: Duration = Duration::from_secs(2);

/// What an entry takes besides body and headers.
const ENTRY_OVERHEAD: usize = 1_024;
/// What a header takes besides name and value: its places in a table that is a quarter empty.
const HEADER_OVERHEAD: usize = 160;

/// Answers by key.
pub(super) struct Shelf {
    limits: ShelfLimits,
    /// Not a hash table, which would be copied as it grows and then be half empty.
    entries: BTreeMap<Key, Entry>,
    /// The same entries by the time they expire.
    order: BTreeSet<(Instant, Key)>,
    bytes: usize,
}

struct Entry {
    until: Instant,
    bytes: usize,
    log: Arc<Log>,
}

impl Shelf {
    pub(super) fn new(limits: ShelfLimits) -> Self {
        Self { limits, entries: BTreeMap::new(), order: BTreeSet::new(), bytes: 0 }
    }

    /// The answer to `key`, if there is one at `now`.
    pub(super) fn get(&self, key: &Key, now: Instant) -> Option<&Arc<Log>> {
        self.entries.get(key).filter(|entry| now < entry.until).map(|entry| &entry.log)
    }

    /// Keeps the answer in `log` if it is whole, fits and may be shared for a while.
    pub(super) fn put(&mut self, key: Key, log: &Arc<Log>, now: Instant) {
        let Some((head, body)) = log.whole() else { return };
        let bytes = body + header_bytes(&head.headers) + ENTRY_OVERHEAD;
        let age = self.age_of(&head);
        if age.is_zero() || bytes > self.limits.answer_bytes.min(self.limits.bytes) {
            return;
        }
        self.remove(&key);
        self.make_room(bytes, now);
        log.release();
        let until = now + age;
        self.entries.insert(key, Entry { until, bytes, log: Arc::clone(log) });
        self.order.insert((until, key));
        self.bytes += bytes;
    }

    /// How many answers there are, and their bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.entries.len(), self.bytes)
    }

    /// How long this answer may be given to others.
    fn age_of(&self, head: &Head) -> Duration {
        if head.status.is_success() {
            return self.limits.age;
        }
        if !head.status.is_client_error() && !head.status.is_server_error() {
            return Duration::ZERO;
        }
        // A date counts from when the server says it is. A pause that cannot be read may be any.
        let asked = retry_after::asked(&head.headers, || retry_after::server_time(&head.headers));
        let unread = if head.headers.contains_key(RETRY_AFTER) { Duration::ZERO } else { LONGEST_ERROR };
        asked.unwrap_or(unread).min(LONGEST_ERROR).min(self.limits.age)
    }

    /// Takes out what has expired, then what expires next, until `bytes` more fit.
    fn make_room(&mut self, bytes: usize, now: Instant) {
        while let Some((until, key)) = self.order.first().copied()
            && (until <= now || self.bytes + bytes > self.limits.bytes)
        {
            self.remove(&key);
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.order.remove(&(entry.until, *key));
            self.bytes -= entry.bytes;
        }
    }
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + HEADER_OVERHEAD).sum()
}
