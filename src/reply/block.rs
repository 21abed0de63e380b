//! Cuts a reply's text into findings, line by line: [`Reader`].
//!
//! A reply has one form ([`Form`]): findings set off by labels, by headlines that carry the place, or only by sentences.
//! The form is measured first, so that a place mentioned inside a labelled finding does not start another one.

use super::{
    Completeness, Reading,
    draft::{Draft, Part},
    label::{self, Label},
    line::{self, Bare, Kind, Line, Lines, Marker},
    place, retract, table,
};
use crate::finding::{Finding, Reject, Severity, Verdict};

mod headlines;
mod labels;

pub(super) use headlines::Form;
use headlines::{bullet_column, label_of};

/// Most findings taken from one reply; the rest is said, not kept.
pub(super) const MOST_FINDINGS: usize = 2_000;
/// Most retractions looked up in one reply.
const MOST_RETRACTIONS: usize = 500;
/// Most rejects kept of one reply.
pub(super) const MOST_REJECTS: usize = 200;

/// Reads the lines of one reply.
pub(super) struct Reader<'a> {
    text: &'a str,
    form: Form,
    nonce: Option<&'a str>,
    draft: Option<Draft<'a>>,
    title: Option<(usize, usize)>,
    /// The severity that a heading gives to what follows, and the heading's level.
    section: Option<(usize, Severity)>,
    file: Option<&'a str>,
    table: Option<table::Header>,
    awaited: Option<Label>,
    /// The rows of a table are the parts of a finding.
    in_fields: bool,
    findings: Vec<Finding>,
    rejects: Vec<Reject>,
    left_out: usize,
    retractions: usize,
    verdict: Option<Verdict>,
    ended: bool,
    vague_verdict: bool,
}

impl<'a> Reader<'a> {
    /// A reader for `text` in `form`.
    pub(super) fn new(text: &'a str, form: Form, nonce: Option<&'a str>) -> Self {
        Self {
            text,
            form,
            nonce,
            draft: None,
            title: None,
            section: None,
            file: None,
            table: None,
            awaited: None,
            in_fields: false,
            findings: Vec::new(),
            rejects: Vec::new(),
            left_out: 0,
            retractions: 0,
            verdict: None,
            ended: false,
            vague_verdict: false,
        }
    }

    /// Reads all lines.
    pub(super) fn read(mut self) -> Reading {
        let mut lines = Lines::new(self.text);
        let mut after_blank = true;
        while let Some(line) = lines.next() {
            let in_table = line.kind == Kind::Table || line.kind == Kind::Prose && line.raw.contains('|');
            if !in_table {
                self.table = None;
            }
            match line.kind {
                Kind::Blank | Kind::Code | Kind::Quoted => self.plain(&line),
                Kind::Table => self.row(&line, &lines),
                Kind::Prose => self.prose(&line, &lines, after_blank),
            }
            after_blank = line.kind == Kind::Blank;
        }
        let begun = |draft: &Draft<'_>| draft.has_place() || draft.severity.is_some() && draft.announced;
        let unfinished = self.draft.as_ref().is_some_and(|draft| begun(draft) && !draft.has_claim());
        self.close();
        self.reading(lines.ended_in_fence(), unfinished)
    }

    fn prose(&mut self, line: &Line<'a>, rest: &Lines<'a>, after_blank: bool) {
        let bare = line::bare(line.raw);
        if is_end(line.raw, self.nonce) {
            self.close();
            self.ended = true;
            return;
        }
        if is_wrapper(line.raw) {
            if self.draft.as_ref().is_some_and(Draft::has_claim) {
                self.close();
            }
            return;
        }
        if let Some(label) = self.awaited.take()
            && label_of(line, bare).is_none()
            && self.awaited_value(label, line, bare)
        {
            return;
        }
        if self.bare_row(line, rest) {
            return;
        }
        if let Some((label, value)) = label_of(line, bare)
            && self.label(label, value, line, bare, rest, after_blank)
        {
            return self.strike(bare);
        }
        if is_rule(line.raw) {
            return self.close();
        }
        if self.headline(line, bare) || self.lines_in_file(line, bare) || self.heading(line, bare, rest) {
            return self.strike(bare);
        }
        self.retraction(bare);
        self.plain(line);
    }

    /// A finding whose head is struck through is taken back.
    fn strike(&mut self, bare: Bare<'a>) {
        if let Some(draft) = self.draft.as_mut().filter(|_| bare.struck) {
            draft.retracted = true;
        }
    }

    /// A label's value that stands on the line below it.
    fn awaited_value(&mut self, label: Label, line: &Line<'a>, bare: Bare<'a>) -> bool {
        match (label, &mut self.draft) {
            (Label::Verdict, _) => self.set_verdict(bare.body),
            (Label::Where | Label::File, Some(draft)) => {
                draft.set_where(bare.body);
                draft.reach(line.end);
                self.awaited = Some(Label::Also);
            }
            // The places may be a list.
            (Label::Also, Some(draft)) => {
                if bare.marker != Marker::Bullet || !draft.set_also(bare.body) {
                    return false;
                }
                draft.reach(line.end);
                self.awaited = Some(Label::Also);
            }
            _ => return false,
        }
        true
    }

    /// Where `part`, a slice of the reply, starts in it.
    fn offset(&self, part: &str) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize).min(self.text.len())
    }

    fn row(&mut self, line: &Line<'a>, rest: &Lines<'a>) {
        let cells = table::cells(line.raw);
        match &self.table {
            Some(_) if self.findings.len() >= MOST_FINDINGS => {
                self.left_out += usize::from(!table::is_rule(line.raw));
            }
            Some(header) => {
                if let Some(made) = header.finding(&cells, line.raw, self.file) {
                    self.close();
                    self.push(made);
                }
            }
            None if table::is_rule(line.raw) && self.in_fields => {}
            None => match table::Header::of(&cells) {
                Some(header) => self.table = Some(header),
                None if self.field_row(&cells, line, rest) => {}
                None => self.plain(line),
            },
        }
    }

    /// A row of a table without outer bars: below a header, or above the rule that makes it one.
    fn bare_row(&mut self, line: &Line<'a>, rest: &Lines<'a>) -> bool {
        let ruled = || rest.clone().next().is_some_and(|next| table::is_rule(next.raw));
        let is_row = line.raw.contains('|') && (self.table.is_some() || ruled());
        if is_row {
            self.row(line, rest);
        }
        is_row
    }

    /// `| Severity | High |`: a table that is one finding, a label a row.
    fn field_row(&mut self, cells: &[&'a str], line: &Line<'a>, rest: &Lines<'a>) -> bool {
        let [name, value] = cells else { return false };
        let bare = Bare { marker: Marker::None, bold: false, struck: false, body: value };
        let heads = rest.clone().next().is_some_and(|next| table::is_rule(next.raw));
        if heads && std::mem::take(&mut self.in_fields) {
            self.close();
        }
        let label =
            label::of_name(name).filter(|label| !heads && !matches!(label, Label::Start | Label::End));
        let cell = Line { end: self.offset(value) + value.len(), ..*line };
        self.in_fields = label.is_some_and(|label| self.label(label, value, &cell, bare, rest, false));
        if let Some(draft) = self.draft.as_mut().filter(|_| self.in_fields) {
            draft.reach(line.end);
        }
        self.in_fields
    }

    /// Words of the reviewer's own that take something back: the finding they name, else the one they stand in or behind.
    fn retraction(&mut self, bare: Bare<'a>) {
        if !retract::says_so(bare.body) {
            return;
        }
        let placed = place::within(bare.body).map(|(location, _)| retract::Target::Place(location));
        let named = placed.or_else(|| retract::ordinal(bare.body).map(retract::Target::Number));
        if named.is_some_and(|target| self.take_back(&target)) {
            return;
        }
        match (&mut self.draft, self.findings.last_mut()) {
            (Some(draft), _) => draft.retracted = true,
            (None, Some(finding)) if self.verdict.is_none() => finding.retracted = true,
            (None, _) => {}
        }
    }

    /// A line that belongs to whatever is open.
    fn plain(&mut self, line: &Line<'a>) {
        let Some(draft) = &mut self.draft else { return };
        let quote_done =
            draft.open_part() == Some(Part::Quote) && draft.has_part(Part::Quote) && line.kind == Kind::Prose;
        if quote_done {
            draft.open(Part::What, line.start, line.end);
        } else if line.kind != Kind::Blank || draft.open_part().is_some() {
            draft.extend(line.start, line.end);
        }
    }

    fn open(&mut self, line: &Line<'a>) {
        self.close();
        let (title_start, title_end) = self.title.take().unwrap_or((line.start, line.start));
        let mut draft = Draft::new(self.text, title_start, line.end);
        if title_end > title_start && !is_empty_title(&self.text[title_start..title_end]) {
            draft.open(Part::What, title_start, title_end);
        }
        draft.bullet = bullet_column(line, line::bare(line.raw));
        self.draft = Some(draft);
    }

    fn close(&mut self) {
        let Some(draft) = self.draft.take() else { return };
        let placed = draft.has_place();
        if !placed && !draft.announced {
            return;
        }
        if self.findings.len() >= MOST_FINDINGS {
            self.left_out += 1;
            return;
        }
        let made = draft.finish(self.section.map(|(_, severity)| severity));
        self.push(made);
    }

    fn push(&mut self, made: Result<Finding, Reject>) {
        match made {
            Ok(finding) if self.findings.len() < MOST_FINDINGS => self.findings.push(finding),
            Ok(_) => self.left_out += 1,
            Err(reject) => self.reject(reject),
        }
    }

    fn reject(&mut self, reject: Reject) {
        if self.rejects.len() < MOST_REJECTS {
            self.rejects.push(reject);
        } else {
            self.left_out += 1;
        }
    }

    fn reading(self, in_fence: bool, unfinished: bool) -> Reading {
        let completeness = super::completeness::of(
            self.text,
            super::completeness::Signs {
                findings: self.findings.len(),
                verdict: self.verdict.is_some(),
                ended: self.ended,
                in_fence,
                unfinished,
                vague_verdict: self.vague_verdict,
            },
        );
        debug_assert!(completeness != Completeness::Empty, "an empty reply is not read line by line");
        let Self { findings, rejects, verdict, left_out, .. } = self;
        Reading { findings, rejects, verdict, completeness, left_out }
    }
}

/// Whether a line is the `END` line: with the run's nonce when that is known, else with anything that could be one.
pub(super) fn is_end(raw: &str, nonce: Option<&str>) -> bool {
    let text = raw.trim().trim_matches(['*', '`']);
    let Some(token) = text.strip_prefix("END ").map(str::trim) else { return false };
    let plain = token.len() >= 4
        && token.len() <= 80
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    nonce.map_or(plain, |nonce| token == nonce)
}

fn is_place_label(line: &Line<'_>) -> bool {
    line.kind == Kind::Prose
        && matches!(label_of(line, line::bare(line.raw)), Some((Label::Where | Label::File, _)))
}

/// Whether a line opens a labelled finding.
fn opens_labels(line: &Line<'_>) -> bool {
    let label = || label_of(line, line::bare(line.raw));
    line.kind == Kind::Prose
        && matches!(label(), Some((Label::Where | Label::File | Label::Severity | Label::Lines, _)))
}

/// `<answer>`, `</review>`: a tag around the answer, alone on its line.
fn is_wrapper(raw: &str) -> bool {
    let inner = raw.trim().strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let name = inner.map(|inner| inner.trim_matches(['/', '|']));
    let names = [
        "answer",
        "review",
        "finding",
        "issue",
        "comment",
        "item",
        "findings",
        "final",
        "final_answer",
        "output",
        "response",
        "solution",
        "result",
        "begin_of_solution",
        "end_of_solution",
        "end_of_text",
        "im_end",
        "return",
        "end",
    ];
    name.is_some_and(|name| names.iter().any(|known| name.eq_ignore_ascii_case(known)))
}

/// `---`, `***`, `===`.
fn is_rule(raw: &str) -> bool {
    let text = raw.trim();
    text.len() >= 3 && ['-', '*', '=', '_'].iter().any(|mark| text.chars().all(|c| c == *mark))
}

/// Titles that say nothing: `Problem`, `Issue`.
fn is_empty_title(title: &str) -> bool {
    let title = title.trim().trim_matches(['*', ':', '#', ' ']);
    title.is_empty() || label::of_name(title).is_some()
}
