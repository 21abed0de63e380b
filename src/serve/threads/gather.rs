//! The text of an answer, out of a chat completion or of a stream of its chunks: [`Gathered`], [`Lines`].
//!
//! What is passed on of a stream is its lines as they came, but not the word that ends it: whoever passes it on says that
//! when the turn is stored.

use serde::Deserialize;

use crate::coverage::Spent;

/// Most bytes of one answer's text, and of one line of a stream.
pub(super) const LONGEST_ANSWER: usize = 4 << 20;

/// The end of a stream.
pub(super) const DONE: &[u8] = b"data: [DONE]\n\n";

/// What came of an answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Gathered {
    /// The text.
    pub(super) text: String,
    /// Why it ends.
    pub(super) finish_reason: Option<String>,
    /// What it took, as far as it was told.
    pub(super) spent: Spent,
}

/// An answer that cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    /// No chat completion.
    #[error("the provider's answer is no chat completion")]
    Unreadable,
    /// No text in it.
    #[error("the provider's answer holds no text")]
    Empty,
    /// More than is kept.
    #[error("the provider's answer is longer than {} MiB", LONGEST_ANSWER >> 20)]
    TooLong,
}

/// A chat completion, or a chunk of one.
#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(alias = "delta")]
    message: Option<Said>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    content: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

impl Gathered {
    /// Of a whole chat completion.
    pub(super) fn of(body: &[u8]) -> Result<Self, Unusable> {
        let mut gathered = Self::default();
        gathered.add(serde_json::from_slice(body).map_err(|_| Unusable::Unreadable)?)?;
        gathered.whole()
    }

    /// It is over; an answer without text is none.
    pub(super) fn whole(self) -> Result<Self, Unusable> {
        if self.text.trim().is_empty() { Err(Unusable::Empty) } else { Ok(self) }
    }

    fn add(&mut self, part: Part) -> Result<(), Unusable> {
        if let Some(Choice { message, finish_reason }) = part.choices.into_iter().next() {
            self.text += &message.and_then(|said| said.content).unwrap_or_default();
            self.finish_reason = finish_reason.or_else(|| self.finish_reason.take());
        }
        if let Some(Usage { prompt_tokens, completion_tokens }) = part.usage {
            self.spent =
                Spent { tokens_in: prompt_tokens, tokens_out: completion_tokens, ..Spent::default() };
        }
        if self.text.len() > LONGEST_ANSWER { Err(Unusable::TooLong) } else { Ok(()) }
    }
}

/// The lines of a stream while it passes by.
#[derive(Debug, Default)]
pub(super) struct Lines {
    gathered: Gathered,
    /// The line that has not ended yet.
    held: Vec<u8>,
    is_done: bool,
}

impl Lines {
    /// Takes the next piece, wherever it was cut; gives what may be passed on. A line that is no chunk is passed on unread.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Vec<u8>, Unusable> {
        let mut passing = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.held.extend_from_slice(part);
            if self.held.len() > LONGEST_ANSWER {
                return Err(Unusable::TooLong);
            }
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.held);
                self.line(&line)?;
                // The empty line after the last word goes with it.
                if !self.is_done {
                    passing.extend(line);
                }
            }
        }
        Ok(passing)
    }

    /// It is over: what came, and what may be passed on of its last line.
    pub(super) fn end(mut self) -> Result<(Gathered, Vec<u8>), Unusable> {
        let line = std::mem::take(&mut self.held);
        self.line(&line)?;
        let last = if self.is_done || line.is_empty() { Vec::new() } else { [&line[..], b"\n\n"].concat() };
        Ok((self.gathered.whole()?, last))
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Unusable> {
        let Some(data) = line.strip_prefix(b"data:").filter(|_| !self.is_done) else { return Ok(()) };
        let data = data.trim_ascii();
        self.is_done = data == b"[DONE]";
        match serde_json::from_slice(data) {
            Ok(part) => self.gathered.add(part),
            Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &str = concat!(
        ": hello\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\r\n\r\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"Grüß \"}}],\"usage\":null}\n\n",
        "data:{\"choices\":[{\"delta\":{\"content\":\"Gott [DONE]\\n\"},\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":3}}\n\n",
    );

    fn gathered(text: &str) -> Gathered {
        Gathered {
            text: text.to_owned(),
            finish_reason: Some("stop".to_owned()),
            spent: Spent { tokens_in: Some(8), tokens_out: Some(3), ..Spent::default() },
        }
    }

    proptest! {
        /// However a stream is cut, everything but its last word is passed on, and its text is known.
        #[test]
        fn wherever_it_is_cut(mut cuts in proptest::collection::vec(0..600_usize, 0..12), done: bool) {
            let stream = if done { STREAM.to_owned() + "data: [DONE]\n\n: rest" } else { STREAM.to_owned() };
            cuts.extend([0, stream.len()]);
            cuts.retain(|cut| *cut <= stream.len());
            cuts.sort_unstable();
            let mut lines = Lines::default();
            let mut passed = Vec::new();
            for pair in cuts.windows(2) {
                passed.extend(lines.feed(&stream.as_bytes()[pair[0]..pair[1]]).unwrap());
            }
            let (whole, last) = lines.end().unwrap();
            passed.extend(last);
            prop_assert_eq!(String::from_utf8(passed).unwrap(), STREAM);
            prop_assert_eq!(whole, gathered("Grüß Gott [DONE]\n"));
        }

        #[test]
        fn no_bytes_do_harm(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..8)) {
            let mut lines = Lines::default();
            for piece in &pieces {
                let _ = lines.feed(piece);
                let _ = Gathered::of(piece);
            }
            let _ = lines.end();
        }
    }

    #[test]
    fn documents() {
        let check = |body: &str, expect: Result<Gathered, Unusable>| {
            assert_eq!(Gathered::of(body.as_bytes()), expect, "{body}");
        };
        let usage = r#""usage":{"prompt_tokens":8,"completion_tokens":3,"total_tokens":11}"#;
        let choice = r#"{"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}"#;
        check(&format!(r#"{{"choices":[{choice}],{usage}}}"#), Ok(gathered("Hello")));
        check(r#"{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}"#, Err(Unusable::Empty));
        check(r#"{"choices":[]}"#, Err(Unusable::Empty));
        check("<html>", Err(Unusable::Unreadable));
        check(r#"{"choices":[{"message":{"content":7}}]}"#, Err(Unusable::Unreadable));
    }

    #[test]
    fn a_last_line_without_an_end() {
        let mut lines = Lines::default();
        let chunk = r#"data: {"choices":[{"delta":{"content":"Hi"}}]}"#;
        assert_eq!(lines.feed(chunk.as_bytes()).unwrap(), b"");
        let (whole, last) = lines.end().unwrap();
        assert_eq!((whole.text.as_str(), last), ("Hi", format!("{chunk}\n\n").into_bytes()));
        assert_eq!(Lines::default().end().unwrap_err(), Unusable::Empty);
    }
}
