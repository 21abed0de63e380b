//! Looks at an answer of `OpenAI`'s form while it passes by: [`Watch`].
//!
//! It learns what was used, when the answer proper begins, and whether it is whole. It changes nothing, holds one line of a
//! stream at most, and reads only the few lines that say something of the kind: a proxy's time goes by the chunk.

use std::{mem, sync::LazyLock};

use http::{HeaderMap, header::CONTENT_TYPE};
use memchr::{memchr, memmem::Finder};
use serde::de::IgnoredAny;

use super::Torn;
use crate::{
    coverage::Spent,
    provider::{
        endpoint::{Said, newer},
        openai::wire::Chunk,
    },
};

/// Most bytes that are held of a line, or of an answer that is no stream. What is longer passes by unread.
const MOST_HELD: usize = 1 << 20;

/// Names of members that are worth reading a line for, quotes included: inside a text they would be escaped.
static FINISH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""finish_reason""#));
static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""usage""#));
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""error""#));

/// What has passed by of one answer.
#[derive(Debug)]
pub struct Watch {
    form: Form,
    /// The line that has not ended yet, or the whole answer so far.
    held: Vec<u8>,
    /// There was more of it than may be held.
    is_over: bool,
    seen: Seen,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// Server-sent events.
    Events,
    /// One JSON document.
    Document,
}

#[derive(Debug, Default)]
struct Seen {
    has_begun: bool,
    end: End,
    is_failed: bool,
    usage: Spent,
}

/// What is known of an answer's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum End {
    /// Nothing.
    #[default]
    Untold,
    /// A document breaks off.
    Cut,
    /// A stream has told it, a document is JSON to its end.
    Told,
}

/// Whether an answer with these headers is a stream of events.
pub fn is_events(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map_or(&[][..], |value| value.as_bytes());
    let events = b"text/event-stream";
    kind.get(..events.len()).is_some_and(|start| start.eq_ignore_ascii_case(events))
}

impl Watch {
    /// Nothing seen yet of an answer with these headers.
    pub fn of(headers: &HeaderMap) -> Self {
        let form = if is_events(headers) { Form::Events } else { Form::Document };
        Self { form, held: Vec::new(), is_over: false, seen: Seen::default() }
    }

    /// Whether the answer is a stream.
    pub fn is_stream(&self) -> bool {
        self.form == Form::Events
    }

    /// Looks at the next piece, wherever it was cut.
    pub fn see(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while self.form == Form::Events
            && let Some(at) = memchr(b'\n', rest)
        {
            if self.held.is_empty() && !self.is_over {
                self.seen.line(&rest[..at]);
            } else {
                self.hold(&rest[..at]);
                self.let_go();
            }
            rest = &rest[at + 1..];
        }
        self.hold(rest);
    }

    /// Whether the first piece of a streamed answer has passed by: text, reasoning, a refusal, the call of a tool. Servers
    /// send empty chunks before. Never for an answer that is no stream.
    pub fn first_token(&self) -> bool {
        self.seen.has_begun && self.form == Form::Events
    }

    /// What was used, as far as it has been told: of a stream the newest figures, of a document nothing before its
    /// [`end`](Self::end).
    pub fn spent(&self) -> Spent {
        self.seen.usage
    }

    /// Nothing more comes. Whether what came is whole: of a stream, that its end was told and no error; of a document that it
    /// is JSON, to its end, and no error, so ask for answers of success alone. What is too long to be held passes for whole.
    pub fn end(&mut self) -> Result<(), Torn> {
        self.let_go();
        match self.form {
            _ if self.seen.is_failed => Err(Torn::Reported),
            _ if self.seen.end == End::Told => Ok(()),
            Form::Document if self.seen.end == End::Untold => Err(Torn::Reported),
            Form::Events | Form::Document => Err(Torn::Unfinished),
        }
    }

    fn hold(&mut self, piece: &[u8]) {
        self.is_over |= self.held.len() + piece.len() > MOST_HELD;
        if self.is_over {
            self.held = Vec::new();
        } else {
            self.held.extend_from_slice(piece);
        }
    }

    /// Looks at what is held, which is complete now.
    fn let_go(&mut self) {
        let mut held = mem::take(&mut self.held);
        match self.form {
            _ if mem::take(&mut self.is_over) => self.seen.unread(),
            Form::Events => self.seen.line(&held),
            Form::Document => self.seen.document(&held),
        }
        held.clear();
        self.held = held;
    }
}

impl Seen {
    /// A line of an event stream. An event's data is one line with every server of this protocol.
    fn line(&mut self, line: &[u8]) {
        if let Some(data) = line.strip_prefix(b"data:") {
            self.data(data.trim_ascii());
        } else if let Some(name) = line.strip_prefix(b"event:") {
            self.is_failed |= name.trim_ascii() == b"error";
        }
    }

    fn data(&mut self, data: &[u8]) {
        if data == b"[DONE]" {
            self.end = End::Told;
            return;
        }
        let is_last = tells(data, &FINISH);
        // Not left to the parser: a figure of another type than it expects does not make the answer a torn one.
        if is_last {
            self.end = End::Told;
        }
        if is_last || !self.has_begun || tells(data, &USAGE) || tells(data, &ERROR) {
            self.chunk(data);
        }
    }

    /// A whole answer. Its length is not always told, so one that is cut may have come to a clean end.
    fn document(&mut self, page: &[u8]) {
        let is_json =
            if self.chunk(page) { Ok(()) } else { serde_json::from_slice::<IgnoredAny>(page).map(drop) };
        match is_json {
            Ok(()) => self.end = End::Told,
            Err(error) if error.is_eof() && !page.trim_ascii().is_empty() => self.end = End::Cut,
            Err(_) => {}
        }
    }

    /// Whether it could be read.
    fn chunk(&mut self, json: &[u8]) -> bool {
        let Ok(chunk) = serde_json::from_slice::<Chunk>(json) else { return false };
        self.has_begun |= chunk.holds_a_token();
        let said = Said::from(chunk);
        self.is_failed |= said.is_failure();
        self.usage = newer(said.usage, self.usage);
        true
    }

    /// Something was too long. It was no empty chunk, and may have been the last one.
    fn unread(&mut self) {
        (self.has_begun, self.end) = (true, End::Told);
    }
}

/// Whether a member of that name stands somewhere in `json`, with a value other than `null`.
fn tells(json: &[u8], name: &Finder<'_>) -> bool {
    name.find_iter(json).any(|at| {
        let rest = json[at + name.needle().len()..].trim_ascii_start();
        rest.strip_prefix(b":").is_some_and(|value| !value.trim_ascii_start().starts_with(b"null"))
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    /// First token, what was spent, how it ended.
    type Told = (bool, Spent, Result<(), Torn>);

    fn watch(kind: &'static str, pieces: &[&[u8]]) -> Told {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        let mut watch = Watch::of(&headers);
        for piece in pieces {
            watch.see(piece);
        }
        let end = watch.end();
        (watch.first_token(), watch.spent(), end)
    }

    fn tokens(tokens_in: u64, tokens_cached: Option<u64>, tokens_out: u64) -> Spent {
        Spent { tokens_in: Some(tokens_in), tokens_cached, tokens_out: Some(tokens_out), ..Spent::default() }
    }

    #[test]
    fn streams() {
        let check = |stream: &str, expect: Told| {
            assert_eq!(watch("text/event-stream; charset=utf-8", &[stream.as_bytes()]), expect, "{stream}");
        };
        let nothing = Spent::default();
        let (unfinished, reported) = (Err(Torn::Unfinished), Err(Torn::Reported));
        check("", (false, nothing, unfinished.clone()));
        check("data: [DONE]\n\n", (false, nothing, Ok(())));
        check("data:[DONE]", (false, nothing, Ok(())));
        let role = r#"data: {"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#;
        let word = r#"data: {"choices":[{"delta":{"content":"[DONE]"},"finish_reason":null}],"usage":null}"#;
        let last = r#"data: {"choices":[{"delta":{},"finish_reason" : "stop"}],"usage":null}"#;
        let usage = r#"data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":2}}}"#;
        check(&format!("{role}\n\n"), (false, nothing, unfinished.clone()));
        check(&format!("{role}\n\n{word}\n\n"), (true, nothing, unfinished.clone()));
        check(&format!("{role}\n\n{last}\n\n"), (false, nothing, Ok(())));
        check(
            &format!(": hello\r\n\r\n{role}\r\n\r\n{word}\r\n\r\n{last}\r\n\r\n{usage}\r\n\r\n"),
            (true, tokens(8, Some(2), 3), Ok(())),
        );
        check(&format!("{word}\n\n{usage}"), (true, tokens(8, Some(2), 3), unfinished.clone()));
        let more = r#"data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":4}}"#;
        check(&format!("{word}\n\n{usage}\n\n{more}\n\n"), (true, tokens(8, Some(2), 4), unfinished));
        check(
            "data: {\"error\":{\"message\":\"x\"}}\n\ndata: [DONE]\n\n",
            (false, nothing, reported.clone()),
        );
        check("event: error\ndata: {\"message\":\"x\"}\n\n", (false, nothing, reported.clone()));
        check("data: {\"choices\":[{\"error\":{},\"delta\":{}}]}\n\n", (false, nothing, reported.clone()));
        check("data: {\"choices\":[{\"finish_reason\":\"error\"}]}\n\n", (false, nothing, reported));
        check("data: {\"error\":null,\"x\":{\"error\":1}}\n\ndata: [DONE]\n\n", (false, nothing, Ok(())));
        let odd = r#"data: {"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":"many"}}"#;
        check(odd, (false, nothing, Ok(())));
        let escaped = r#"data: {"choices":[{"delta":{"content":"{\"finish_reason\":\"stop\"}"}}]}"#;
        check(escaped, (true, nothing, Err(Torn::Unfinished)));
    }

    #[test]
    fn first_tokens() {
        let check = |delta: &str, expect: bool| {
            let stream = format!("data: {{\"choices\":[{{\"delta\":{delta}}}]}}\n\n");
            assert_eq!(watch("TEXT/EVENT-STREAM", &[stream.as_bytes()]).0, expect, "{delta}");
        };
        check(r#"{"content":"a"}"#, true);
        check(r#"{"content":"","reasoning_content":"a"}"#, true);
        check(r#"{"refusal":"no"}"#, true);
        check(r#"{"tool_calls":[{"index":0}]}"#, true);
        check(r#"{"role":"assistant","content":null,"refusal":null,"tool_calls":null}"#, false);
        check(r#"{"content":"","refusal":"","tool_calls":[]}"#, false);
        check("{}", false);
    }

    #[test]
    fn documents() {
        let check = |json: &str, expect: Told| {
            assert_eq!(watch("application/json", &[json.as_bytes()]), expect, "{json}");
        };
        let answer = r#"{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":3}}"#;
        check(answer, (false, tokens(8, None, 3), Ok(())));
        check(r#"{"error":{"message":"x"}}"#, (false, Spent::default(), Err(Torn::Reported)));
        check(r#"{"choices":7}"#, (false, Spent::default(), Ok(())));
        check("<html>", (false, Spent::default(), Err(Torn::Reported)));
        check("", (false, Spent::default(), Err(Torn::Reported)));
        check(" \n", (false, Spent::default(), Err(Torn::Reported)));
        for end in 1..answer.len() {
            check(&answer[..end], (false, Spent::default(), Err(Torn::Unfinished)));
        }
    }

    #[test]
    fn holds_no_more_than_it_may() {
        let long = vec![b'x'; MOST_HELD];
        let (start, end) = (br#"data: {"x":""#.as_slice(), br#""}"#.as_slice());
        let done = b"\n\ndata: [DONE]\n\n".as_slice();
        let (nothing, kind) = (Spent::default(), "text/event-stream");
        assert_eq!(watch(kind, &[start, &long, end, done]), (true, nothing, Ok(())));
        assert_eq!(watch(kind, &[start, &long]), (true, nothing, Ok(())));
        assert_eq!(watch(kind, &[start, &long, end, b"\ndata: {\"error\":1}\n"]).2, Err(Torn::Reported));
        assert_eq!(watch("application/json", &[start, &long, end]), (false, nothing, Ok(())));
        let mut watch = Watch::of(&HeaderMap::new());
        (0..4).for_each(|_| watch.see(&long));
        assert!(watch.held.capacity() <= MOST_HELD, "{}", watch.held.capacity());
    }

    /// Lines as servers send them, whole and broken.
    fn lines() -> impl Strategy<Value = String> {
        let line = prop::sample::select(vec![
            r#"data: {"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
            r#"data: {"choices":[{"delta":{"content":"a\n\"usage\": é"},"finish_reason":null}]}"#,
            r#"data: {"choices":[{"delta":{},"finish_reason":"stop"}],"usage":null}"#,
            r#"data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":3}}"#,
            r#"data: {"choices":[],"usage":{"completion_tokens":4,"cost":0.5}}"#,
            r#"data: {"error":{"message":"x"}}"#,
            "data: [DONE]",
            "event: error",
            ": keep-alive",
            "data: {\"usage\":",
            "",
        ]);
        let ends = prop::sample::select(vec!["\n", "\n\n", "\r\n", "\r\n\r\n", ""]);
        prop::collection::vec((line, ends), 0..12)
            .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end]).collect())
    }

    proptest! {
        #[test]
        fn any_split_tells_the_same(
            stream in lines(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
            kind in prop::sample::select(vec!["text/event-stream", "application/json"]),
        ) {
            let bytes = stream.as_bytes();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(watch(kind, &pieces), watch(kind, &[bytes]));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let data = [b"data: ".as_slice(), &bytes].concat();
            watch("text/event-stream", &[&bytes, b"\n", &data]).2.ok();
        }
    }
}
