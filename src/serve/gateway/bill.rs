//! What an answer took, charged when it is known: [`Bill`] goes along with the answer and is settled when that ends, however it does.

use std::sync::Arc;

use http::HeaderMap;
use memchr::memchr_iter;

use super::{quota::Sent, upstream::Upstream};
use crate::{
    coverage::Spent,
    provider::relay::{Torn, Watch, is_events},
    serve::{metrics::Flight, tenants::Admission},
};

/// Most tokens one answer or prompt may have taken: no model reads so much, and a tenant would wait for years.
const MOST_BELIEVED: u64 = 100_000_000;

/// Who is charged for an answer, once for all who share it.
pub(super) struct Payers {
    /// Whose price counts.
    pub(super) upstream: Arc<Upstream>,
    /// The tenant's tokens.
    pub(super) admission: Admission,
    /// What the provider allows.
    pub(super) sent: Sent,
    /// The books.
    pub(super) flight: Flight,
}

/// What an answer took, and whom.
pub(super) struct Bill {
    watch: Watch,
    /// There until it is settled.
    payers: Option<Payers>,
    /// Tokens of the prompt; a guess.
    prompt: u64,
    is_events: bool,
    /// Lines of events, else bytes.
    passed: u64,
}

impl Bill {
    /// For an answer with these headers to a prompt of about `prompt` tokens.
    pub(super) fn new(headers: &HeaderMap, prompt: u64, payers: Payers) -> Self {
        let mut bill = Self::unpaid(headers, prompt);
        bill.payers = Some(payers);
        bill
    }

    fn unpaid(headers: &HeaderMap, prompt: u64) -> Self {
        Self { watch: Watch::of(headers), payers: None, prompt, is_events: is_events(headers), passed: 0 }
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
        let [tokens_in, tokens_out] =
            [tokens_in, tokens_out].map(|told| told.filter(|told| *told <= MOST_BELIEVED));
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
        if let Some(Payers { upstream, admission, sent, flight }) = self.payers.take() {
            admission.settle(tokens);
            sent.settle(tokens);
            flight.book(upstream.reviewer.priced(self.watch.spent()));
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header::CONTENT_TYPE};

    use super::*;

    const EVENTS: &str = "text/event-stream";
    const DOCUMENT: &str = "application/json";

    #[test]
    fn what_an_answer_took() {
        let check = |kind: &'static str, pieces: &[&str], expect: u64| {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
            let mut bill = Bill::unpaid(&headers, 40);
            for piece in pieces {
                bill.see(piece.as_bytes());
            }
            assert_eq!(bill.tokens(), expect, "{pieces:?}");
        };
        let one = "data: {\"choices\":[{\"delta\":{\"content\":\"one\"}}]}\n\n";
        let usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":30,\"completion_tokens\":500}}\n\n";
        let early = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":30,\"completion_tokens\":1}}\n\n";
        // Told, and whole.
        check(EVENTS, &[one, usage, "data: [DONE]\n\n"], 530);
        check(DOCUMENT, &["{\"usage\":{\"prompt_tokens\":30,", "\"completion_tokens\":5}}"], 35);
        // Not told.
        check(EVENTS, &[one, one, one, "data: [DONE]\n\n"], 44);
        check(DOCUMENT, &["{\"choices\":[]}"], 44);
        // Told, and not to be believed: 20 tokens by its bytes.
        check(
            DOCUMENT,
            &["{\"usage\":{\"prompt_tokens\":100000001,\"completion_tokens\":18446744073709551615}}"],
            60,
        );
        // Nobody waited for the end.
        check(EVENTS, &[one, one], 42);
        check(EVENTS, &[early, one, one, one], 34);
        check(EVENTS, &[], 40);
    }
}
