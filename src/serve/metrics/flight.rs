//! The calls made for one request and whoever shares its answer: [`Flight`], the side of metrics that the calling task holds.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::{
    Metrics,
    books::{Books, Sums},
};
use crate::coverage::Spent;

/// What is known of a flight. Changed only while the books are locked, so that it and they always agree.
#[derive(Debug, Default)]
pub(super) struct Record(Mutex<Facts>);

/// See [`Record`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facts {
    pub(super) stage: Stage,
    /// When it was first sent.
    pub(super) sent: Option<Instant>,
    pub(super) calls: u64,
    pub(super) sums: Sums,
}

/// How far a flight has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Stage {
    /// Nobody has said yet that a request leads it.
    #[default]
    Apart,
    /// Like that, and its task is gone.
    Gone,
    /// In the books; nothing has been sent.
    Waiting,
    /// In the books; nothing was sent, nor will be.
    Unsent,
    /// In the books; a provider was called.
    Sent,
}

impl Record {
    /// Of a flight that nobody makes.
    pub(super) fn gone() -> Self {
        Self(Mutex::new(Facts { stage: Stage::Gone, ..Facts::default() }))
    }

    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Facts) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn facts(&self) -> Facts {
        self.with(|facts| *facts)
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answered {
    /// With this status.
    Status(u16),
    /// There was nobody, or no answer.
    Failed,
    /// Nobody wanted it any more.
    Cancelled,
}

/// The calls of one flight. Dropping it says that there are no more.
pub struct Flight {
    metrics: Arc<Metrics>,
    record: Arc<Record>,
    provider: Arc<str>,
    tenant: Arc<str>,
    /// A call was made, and nobody has said how it was answered.
    is_calling: bool,
    /// The last one was answered with success.
    is_success: bool,
    spent: Spent,
}

impl Flight {
    pub(super) fn new(
        metrics: Arc<Metrics>,
        record: Arc<Record>,
        provider: Arc<str>,
        tenant: Arc<str>,
    ) -> Self {
        Self {
            metrics,
            record,
            provider,
            tenant,
            is_calling: false,
            is_success: false,
            spent: Spent::default(),
        }
    }

    /// A call is sent now. Every one after the first is a retry.
    pub fn calling(&mut self) {
        self.answered(Answered::Failed);
        self.is_calling = true;
        let now = Instant::now();
        self.metrics.books().calling(&self.record, &self.provider, now);
    }

    /// It was answered, or not. Says nothing when no call is under way.
    pub fn answered(&mut self, answered: Answered) {
        if std::mem::take(&mut self.is_calling) {
            self.is_success = matches!(answered, Answered::Status(200..=299));
            self.metrics.books().answered(&self.provider, answered);
        }
    }

    /// The answer has ended, or nobody wants the rest: what it took is booked to provider and tenant. Once for all who share it.
    pub fn book(mut self, spent: Spent) {
        self.spent = spent;
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.answered(Answered::Cancelled);
        let is_untold = self.is_success && self.spent.tokens_in.or(self.spent.tokens_out).is_none();
        let sums = Sums { spent: self.spent, untold: u64::from(is_untold) };
        let mut books = self.metrics.books();
        books.over(&self.record, sums);
        if sums != Sums::default() {
            books.provider(&self.provider).sums.add(sums);
            books.tenant(&self.tenant).sums.add(sums);
        }
    }
}

impl Books {
    /// A request is the first of its flight, or alone in it. Whether it was not known of before.
    pub(super) fn leads(&mut self, record: &Record) -> bool {
        record.with(|facts| {
            let is_new = matches!(facts.stage, Stage::Apart | Stage::Gone);
            match facts.stage {
                Stage::Apart => (facts.stage, self.waiting) = (Stage::Waiting, self.waiting + 1),
                Stage::Gone => (facts.stage, self.unsent) = (Stage::Unsent, self.unsent + 1),
                Stage::Waiting | Stage::Unsent | Stage::Sent => {}
            }
            is_new
        })
    }

    fn calling(&mut self, record: &Record, provider: &Arc<str>, now: Instant) {
        if self.leads(record) {
            // The task was faster than the request that began it, which can only be a leader.
            *self.under_way.entry(super::Coalesced::Leader).or_default() += 1;
        }
        let is_first = record.with(|facts| {
            facts.calls += 1;
            facts.sent.get_or_insert(now);
            std::mem::replace(&mut facts.stage, Stage::Sent) == Stage::Waiting
        });
        let provider = self.provider(provider);
        provider.unanswered += 1;
        if is_first {
            self.waiting -= 1;
        } else {
            provider.retries += 1;
        }
    }

    fn answered(&mut self, provider: &Arc<str>, answered: Answered) {
        let provider = self.provider(provider);
        provider.unanswered -= 1;
        *provider.calls.entry(answered).or_default() += 1;
    }

    /// The flight's task is gone.
    fn over(&mut self, record: &Record, sums: Sums) {
        record.with(|facts| facts.sums = sums);
        record.with(|facts| match facts.stage {
            Stage::Apart => facts.stage = Stage::Gone,
            Stage::Waiting => {
                facts.stage = Stage::Unsent;
                self.waiting -= 1;
                self.unsent += 1;
            }
            Stage::Gone | Stage::Unsent | Stage::Sent => {}
        });
    }
}
