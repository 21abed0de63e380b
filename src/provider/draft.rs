//! What has come so far of one attempt.
//!
//! The provider writes a [`Draft`] while the reply arrives; `run` looks at it to show progress, to notice
//! silence, and to keep what came when it ends an attempt early. It decides nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::coverage::Spent;

/// A reply under way. Shared between the attempt and whoever watches it.
#[derive(Debug)]
pub struct Draft {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    text: Vec<u8>,
    unseen: usize,
    /// What the requests before the one under way took.
    earlier: Spent,
    spent: Spent,
    last_sign: Instant,
    first_token: Option<Instant>,
    further_requests: u32,
}

impl Draft {
    /// An empty draft; its silence begins now.
    pub fn new() -> Self {
        Self {
            state: Mutex::new(State {
                text: Vec::new(),
                unseen: 0,
                earlier: Spent::default(),
                spent: Spent::default(),
                last_sign: Instant::now(),
                first_token: None,
                further_requests: 0,
            }),
        }
    }

    /// Adds a piece of the reply. Gives back whether the text is still at most `limit` bytes; what is over is
    /// dropped.
    pub(super) fn push(&self, piece: &[u8], limit: usize) -> bool {
        let mut state = self.lock();
        let room = limit.saturating_sub(state.text.len());
        let kept = piece.len().min(room);
        state.text.extend_from_slice(&piece[..kept]);
        state.last_sign = Instant::now();
        state.came(piece.len());
        kept == piece.len()
    }

    /// Whether any of the reply has come.
    pub(super) fn has_text(&self) -> bool {
        !self.lock().text.is_empty()
    }

    /// Notes text that is not part of the reply, such as the model's reasoning.
    pub(super) fn push_unseen(&self, bytes: usize) {
        let mut state = self.lock();
        state.unseen += bytes;
        state.came(bytes);
    }

    /// Notes a sign of life.
    pub(super) fn touch(&self) {
        self.lock().last_sign = Instant::now();
    }

    /// Notes what the provider says the request takes, in place of what it said before.
    pub(super) fn note_spent(&self, spent: Spent) {
        self.lock().spent = spent;
    }

    /// What the provider has told that the attempt takes, also when it fails.
    pub fn spent(&self) -> Spent {
        let state = self.lock();
        state.earlier.and(state.spent)
    }

    /// Notes that the attempt makes another request, with what came of the one before thrown away.
    pub(super) fn begin_again(&self) {
        let mut state = self.lock();
        state.earlier = state.earlier.and(std::mem::take(&mut state.spent));
        (state.text, state.unseen, state.first_token) = (Vec::new(), 0, None);
        (state.last_sign, state.further_requests) = (Instant::now(), state.further_requests + 1);
    }

    /// Requests of this attempt after its first.
    pub fn further_requests(&self) -> u32 {
        self.lock().further_requests
    }

    /// Whether nothing but white space has come.
    pub(super) fn is_blank(&self) -> bool {
        self.lock().text.trim_ascii().is_empty()
    }

    /// Takes the text out; bytes that are not UTF-8 become U+FFFD.
    pub fn take_text(&self) -> String {
        let bytes = std::mem::take(&mut self.lock().text);
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Tokens so far, reasoning included: a guess of four bytes a token, which 263 recorded answers had on average 4.1 of.
    pub fn tokens(&self) -> u64 {
        let state = self.lock();
        ((state.text.len() + state.unseen) as u64).div_ceil(4)
    }

    /// When something last came.
    pub fn last_sign(&self) -> Instant {
        self.lock().last_sign
    }

    /// When the first of the reply or of the reasoning before it came; `None` while nothing has.
    pub fn first_token(&self) -> Option<Instant> {
        self.lock().first_token
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn came(&mut self, bytes: usize) {
        if bytes > 0 {
            self.first_token.get_or_insert_with(Instant::now);
        }
    }
}

impl Default for Draft {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    #[test]
    fn keeps_what_fits() {
        let draft = Draft::new();
        assert!(draft.push("ab".as_bytes(), 4));
        assert!(draft.push("cd".as_bytes(), 4));
        assert!(!draft.push("ef".as_bytes(), 4));
        draft.push_unseen(5);
        assert_eq!(draft.tokens(), 3);
        assert_eq!(draft.take_text(), "abcd");
        assert_eq!(draft.take_text(), "");
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_token_is_of_the_request_whose_text_is_there() {
        let (draft, began, second) = (Draft::new(), Instant::now(), Duration::from_secs(1));
        let after = |draft: &Draft| draft.first_token().map(|first| first - began);
        draft.touch();
        assert!(draft.push(b"", 4));
        draft.push_unseen(0);
        assert_eq!(after(&draft), None);
        advance(second).await;
        draft.push_unseen(5);
        advance(second).await;
        draft.push(b"text", 4);
        assert_eq!(after(&draft), Some(second));
        draft.begin_again();
        assert_eq!(after(&draft), None);
        advance(second).await;
        draft.push(b"text", 4);
        assert_eq!(after(&draft), Some(3 * second));
    }

    #[test]
    fn a_character_may_come_in_two_pieces() {
        let draft = Draft::new();
        draft.push(&"é".as_bytes()[..1], 100);
        draft.push(&"é".as_bytes()[1..], 100);
        draft.push(b"\xff", 100);
        assert_eq!(draft.take_text(), "é\u{fffd}");
    }
}
