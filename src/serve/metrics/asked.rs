//! A request, from its first byte to the last of its answer: [`Asked`], and [`Metered`], the answer it waits for.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Response, header::CONTENT_LENGTH};
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::{
    Coalesced, Flight, Metrics,
    flight::Record,
    sample::{CLIENT_LEFT, Ending, Sample},
};
use crate::provider::relay::Watch;

/// A request under way. Dropping it says that its client is gone.
pub struct Asked {
    metrics: Arc<Metrics>,
    route: &'static str,
    arrived: Instant,
    decided: Option<(Coalesced, Instant)>,
    record: Option<Arc<Record>>,
    status: u16,
    first_token: Option<Duration>,
    ending: Ending,
}

impl Asked {
    pub(super) fn new(metrics: Arc<Metrics>, route: &'static str, arrived: Instant) -> Self {
        Self {
            metrics,
            route,
            arrived,
            decided: None,
            record: None,
            status: CLIENT_LEFT,
            first_token: None,
            ending: Ending::Left,
        }
    }

    /// For whoever calls `provider`, should that be done for this request. One of a request, and made before it is
    /// [`decided`](Self::decided).
    pub fn flight(&mut self, provider: &Arc<str>, tenant: &Arc<str>) -> Flight {
        let record = Arc::clone(self.record.get_or_insert_default());
        Flight::new(Arc::clone(&self.metrics), record, Arc::clone(provider), Arc::clone(tenant))
    }

    /// It is known how the request gets its answer, and who has asked. Once.
    pub fn decided(&mut self, coalesced: Coalesced, tenant: &Arc<str>) {
        self.decided = Some((coalesced, Instant::now()));
        let made = self.record.take();
        self.record = coalesced.begins_a_flight().then(|| made.unwrap_or_else(|| Arc::new(Record::gone())));
        self.metrics.books().decided(coalesced, self.record.as_deref(), tenant);
    }

    /// The answer begins. Its body takes the rest down.
    pub fn answer<B: Body<Data = Bytes>>(mut self, response: Response<B>) -> Response<Metered<B>> {
        self.status = response.status().as_u16();
        let length =
            response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let left = length.or(response.body().size_hint().exact());
        let watch = (self.status < 300).then(|| Watch::of(response.headers())).filter(Watch::is_stream);
        response.map(|inner| {
            let mut body = Metered { inner, asked: self, left, watch };
            body.passed(0);
            body
        })
    }

    /// From its first byte until nothing of ours stood between it and an answer: for a flight's first request until the
    /// provider is called, for one that shares an answer until it did.
    fn queue_wait(&self) -> Option<Duration> {
        let until = match &self.record {
            Some(record) => record.facts().sent?,
            None => self.decided?.1,
        };
        Some(until.saturating_duration_since(self.arrived))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let sample = Sample {
            coalesced: self.decided.map(|(coalesced, _)| coalesced),
            status: self.status,
            ending: self.ending,
            latency: self.arrived.elapsed().into(),
            queue_wait: self.queue_wait().map(Into::into),
            first_token: self.first_token.map(Into::into),
            record: self.record.take(),
        };
        self.metrics.timings.observe(&sample);
        self.metrics.books().ended(self.route, sample);
    }
}

/// An answer's body, unchanged; takes down when its first token and its end pass by.
pub struct Metered<B> {
    inner: B,
    asked: Asked,
    /// Bytes still to come, where that is known: a connection does not ask for more than it was promised.
    left: Option<u64>,
    /// Until the first token of a stream.
    watch: Option<Watch>,
}

impl<B> Metered<B> {
    fn passed(&mut self, bytes: u64) {
        self.left = self.left.map(|left| left.saturating_sub(bytes));
        if self.left == Some(0) {
            self.asked.ending = Ending::Whole;
        }
    }

    fn see(&mut self, piece: &Bytes) {
        self.passed(piece.len() as u64);
        if let Some(watch) = &mut self.watch {
            watch.see(piece);
            if watch.first_token() {
                self.asked.first_token = Some(self.asked.arrived.elapsed());
                self.watch = None;
            }
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Metered<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(context);
        match &frame {
            Poll::Ready(Some(Ok(frame))) => frame.data_ref().into_iter().for_each(|piece| self.see(piece)),
            Poll::Ready(Some(Err(_))) => self.asked.ending = Ending::Broken,
            Poll::Ready(None) if self.asked.ending == Ending::Left => self.asked.ending = Ending::Whole,
            Poll::Ready(None) | Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
