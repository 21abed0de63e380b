//! What an answer took, charged when it is known: [`Bill`] goes along with the answer and is settled when that ends, however it does.

use http::{HeaderMap, header::CONTENT_TYPE};
use memchr::memchr_iter;

use super::quota::Sent;
use crate::{
    coverage::Spent,
    provider::relay::{Torn, Watch},
    serve::tenants::Admission,
};

/// What an answer took, from the tenant that asked first and from what the provider allows.
pub(super) struct Bill {
    watch: Watch,
    /// Both are there until it is settled.
    open: Option<(Admission, Sent)>,
    /// Tokens of the prompt; a guess.
    prompt: u64,
    is_events: bool,
    /// Lines of events, else bytes.
    passed: u64,
}

impl Bill {
    /// For an answer with these headers to a prompt of about `prompt` tokens.
    pub(super) fn new(headers: &HeaderMap, prompt: u64, admission: Admission, sent: Sent) -> Self {
        let kind = headers.get(CONTENT_TYPE).map(|kind| kind.as_bytes()).unwrap_or_default();
        let is_events = kind.starts_with(b"text/event-stream");
        Self { watch: Watch::of(headers), open: Some((admission, sent)), prompt, is_events, passed: 0 }
    }

    /// Looks at the next piece of the answer.
    pub(super) fn see(&mut self, piece: &[u8]) {
        self.watch.see(piece);
        let more = if self.is_events { memchr_iter(b'\n', piece).count() } else { piece.len() };
        self.passed += more as u64;
    }

    /// The answer has ended: whether it is whole.
    pub(super) fn end(&mut self) -> Result<(), Torn> {
        self.watch.end()
    }

    /// What it took: as the provider told, else by a guess from what has passed. An answer that somebody did not wait for was
    /// paid for as far as it had come.
    fn tokens(&mut self) -> u64 {
        // An event has a line and a blank one, and mostly one token.
        let passed = if self.is_events { self.passed / 2 } else { self.passed.div_ceil(4) };
        let is_whole = self.watch.end().is_ok();
        let Spent { tokens_in, tokens_out, .. } = self.watch.spent();
        let answer = match tokens_out {
            Some(told) if is_whole => told,
            told => told.unwrap_or_default().max(passed),
        };
        tokens_in.unwrap_or(self.prompt).saturating_add(answer)
    }
}

impl Drop for Bill {
    fn drop(&mut self) {
        let tokens = self.tokens();
        if let Some((admission, sent)) = self.open.take() {
            admission.settle(tokens);
            sent.settle(tokens);
        }
    }
}
