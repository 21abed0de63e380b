//! The reply taken out of what an agent program prints around it: [`Envelope`], one form a file.
//!
//! A form turns a line, or a whole document, into [`Part`]s; this file knows what parts mean. Nothing is lost: output
//! that is not of the form is the reply as it stands, with a remark.

mod antigravity;
mod claude;
mod codex;
mod gemini;
mod llm;
mod opencode;

use crate::{
    provider::{Answer, Draft, End},
    reviewer::OutputForm,
};

/// Longest reply taken from a program, in bytes.
const LONGEST_REPLY: usize = 4 << 20;
/// Longest output with what is around the reply, in bytes.
const LONGEST_OUTPUT: usize = 16 << 20;

/// What a line or a document of an agent says.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    /// A further piece of the reply, or the first.
    Text(String),
    /// The whole reply, in place of the pieces.
    Reply(String),
    /// What some of it took; adds up.
    Usage(Usage),
    /// The agent has finished.
    Finished,
    /// The agent has finished because of a limit; its word for it.
    Cut(String),
    /// The agent has failed, and why.
    Failed(String),
    /// Something went wrong that the agent may get over.
    Complaint(String),
}

/// Tokens, the cached and the hidden ones included, and US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Usage {
    tokens_in: u64,
    tokens_out: u64,
    cost_usd: Option<f64>,
}

/// What a program has printed so far.
pub(super) struct Envelope {
    form: OutputForm,
    most: usize,
    length: usize,
    /// The line under way; for forms that are one document, all of it.
    pending: Vec<u8>,
    /// Lines that are not of the form.
    stray: Vec<u8>,
    found: Found,
}

/// What the parts so far come to.
#[derive(Debug, Default)]
struct Found {
    anything: bool,
    reply: Option<String>,
    usage: Option<Usage>,
    end: Option<End>,
    failure: Option<String>,
    complaint: Option<String>,
}

/// What is left when the program has ended.
#[derive(Debug, PartialEq)]
pub(super) struct Unwrapped {
    /// The reply as far as it came.
    pub(super) answer: Answer,
    /// Why the agent says it failed.
    pub(super) failure: Option<String>,
}

impl Envelope {
    pub(super) fn new(form: OutputForm) -> Self {
        let most = if form == OutputForm::Text { LONGEST_REPLY } else { LONGEST_OUTPUT };
        Self { form, ..Self::none(most) }
    }

    /// Nothing around an output of at most `most` bytes.
    pub(super) fn none(most: usize) -> Self {
        let form = OutputForm::Text;
        Self { form, most, length: 0, pending: Vec::new(), stray: Vec::new(), found: Found::default() }
    }

    /// Most that is read, in bytes.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Takes a piece of output; the reply in it goes to `draft`. Gives back whether it is still within the limit.
    pub(super) fn take(&mut self, piece: &[u8], draft: &Draft) -> bool {
        if self.form == OutputForm::Text {
            return draft.push(piece, self.most);
        }
        draft.touch();
        self.length += piece.len();
        self.pending.extend_from_slice(piece);
        if is_lines(self.form) {
            self.take_lines(draft);
        }
        self.length <= self.most
    }

    fn take_lines(&mut self, draft: &Draft) {
        let Some(end) = self.pending.iter().rposition(|byte| *byte == b'\n') else { return };
        let rest = self.pending.split_off(end + 1);
        let lines = std::mem::replace(&mut self.pending, rest);
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            self.read(line, draft);
        }
    }

    /// Reads a line or the document.
    fn read(&mut self, text: &[u8], draft: &Draft) {
        match parts(self.form, text) {
            Ok(parts) => parts.into_iter().for_each(|part| self.found.add(part, draft)),
            Err(_) => self.stray.extend_from_slice(text),
        }
    }

    /// The end of the output.
    pub(super) fn finish(mut self, draft: &Draft) -> Unwrapped {
        if self.form == OutputForm::Text {
            let answer = Answer { text: draft.take_text(), ..Answer::default() };
            return Unwrapped { answer, failure: None };
        }
        let rest = std::mem::take(&mut self.pending);
        self.read(&rest, draft);
        if self.found.anything || self.stray.trim_ascii().is_empty() {
            return self.found.unwrapped(draft.take_text());
        }
        let text = String::from_utf8_lossy(&self.stray).into_owned();
        let remark =
            format!("its output is not the `{}` expected and is read as it stands", self.form.word());
        Unwrapped { answer: Answer { text, remark: Some(remark), ..Answer::default() }, failure: None }
    }
}

/// Why the agent failed, where it says so in a document of `form` at the end of `stderr`.
pub(super) fn failure_in(form: OutputForm, stderr: &str) -> Option<String> {
    if form == OutputForm::Text || is_lines(form) {
        return None;
    }
    let start = if stderr.starts_with('{') { 0 } else { stderr.rfind("\n{")? };
    let parts = parts(form, &stderr.as_bytes()[start..]).ok()?;
    parts.into_iter().find_map(|part| if let Part::Failed(reason) = part { Some(reason) } else { None })
}

/// Whether each line is a JSON value; otherwise all of it is one.
fn is_lines(form: OutputForm) -> bool {
    match form {
        OutputForm::ClaudeJson | OutputForm::CodexJsonl | OutputForm::OpencodeJsonl => true,
        OutputForm::Text | OutputForm::GeminiJson | OutputForm::AntigravityJson | OutputForm::LlmJson => {
            false
        }
    }
}

fn parts(form: OutputForm, text: &[u8]) -> serde_json::Result<Vec<Part>> {
    match form {
        OutputForm::Text => Ok(Vec::new()),
        OutputForm::ClaudeJson => claude::parts(text),
        OutputForm::CodexJsonl => codex::parts(text),
        OutputForm::OpencodeJsonl => opencode::parts(text),
        OutputForm::GeminiJson => gemini::parts(text),
        OutputForm::AntigravityJson => antigravity::parts(text),
        OutputForm::LlmJson => llm::parts(text),
    }
}

impl Found {
    fn add(&mut self, part: Part, draft: &Draft) {
        self.anything = true;
        match part {
            Part::Text(text) => add_text(&text, draft),
            Part::Reply(text) => self.reply = Some(text),
            Part::Usage(usage) => self.usage = Some(self.usage.unwrap_or_default().and(usage)),
            Part::Finished => self.end = Some(End::Stop),
            Part::Cut(word) => self.end = Some(End::Cut(word)),
            Part::Failed(reason) => self.failure = Some(reason),
            Part::Complaint(words) => self.complaint = Some(words),
        }
    }

    fn unwrapped(self, pieces: String) -> Unwrapped {
        let text = self.reply.filter(|text| !text.trim().is_empty()).unwrap_or(pieces);
        // Without an end, the last complaint is why.
        let failure = self.failure.or_else(|| self.complaint.filter(|_| self.end.is_none()));
        let open_end = if text.trim().is_empty() {
            End::Stop
        } else {
            End::Cut("the program ended within it".to_owned())
        };
        let usage = self.usage;
        let answer = Answer {
            // Some print their complaint as if it were the reply.
            text: if failure.as_deref().map(str::trim) == Some(text.trim()) { String::new() } else { text },
            end: self.end.unwrap_or(open_end),
            tokens_in: usage.map(|usage| usage.tokens_in),
            tokens_out: usage.map(|usage| usage.tokens_out),
            cost_usd: usage.and_then(|usage| usage.cost_usd).filter(|cost| *cost >= 0.0),
            ..Answer::default()
        };
        Unwrapped { answer, failure }
    }
}

/// Adds a piece of text of its own: an agent's messages are paragraphs.
fn add_text(text: &str, draft: &Draft) {
    let gap = if draft.has_text() { "\n\n" } else { "" };
    // What is over the limit is dropped; the output as a whole has its own.
    draft.push(format!("{gap}{text}").as_bytes(), LONGEST_REPLY);
}

impl Usage {
    fn and(self, other: Self) -> Self {
        let cost_usd = match (self.cost_usd, other.cost_usd) {
            (Some(one), Some(other)) => Some(one + other),
            (one, other) => one.or(other),
        };
        Self {
            tokens_in: self.tokens_in.saturating_add(other.tokens_in),
            tokens_out: self.tokens_out.saturating_add(other.tokens_out),
            cost_usd,
        }
    }
}

#[cfg(test)]
mod tests;
