//! Cuts a reply's text into findings, line by line: [`Reader`].
//!
//! A reply has one form ([`Form`]): findings set off by labels, by headlines that carry the place, or only by sentences.
//! The form is measured first, so that a place mentioned inside a labelled finding does not start another one.

use super::{
    Completeness, Reading,
    draft::{self, Draft, Part},
    label::{self, Label},
    line::{self, Bare, Kind, Line, Lines, Marker},
    place, retract, severity, table, verdict,
};
use crate::finding::{Finding, Location, Reject, Severity, Verdict};

/// Most findings taken from one reply; the rest is said, not kept.
pub(super) const MOST_FINDINGS: usize = 2_000;
/// Most rejects kept of one reply.
pub(super) const MOST_REJECTS: usize = 200;

/// How a reply sets its findings off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `WHERE:`, `File:` and the like.
    Labelled,
    /// Lines that open with a place or a severity and a place.
    Headline,
    /// Items and paragraphs that mention a place.
    Prose,
}

impl Form {
    /// The form of `text`, from its own lines outside code and quotes.
    pub(super) fn of(text: &str) -> Self {
        let (mut labels, mut headlines) = (0_usize, 0_usize);
        for line in Lines::new(text).filter(|line| line.kind == Kind::Prose) {
            let bare = line::bare(line.raw);
            match label_of(&line, bare) {
                Some((Label::Where | Label::File, _)) => labels += 1,
                Some(_) => {}
                None => {
                    headlines += usize::from(
                        headline(bare, Self::Headline).is_some_and(|head| !head.places.is_empty()),
                    )
                }
            }
        }
        match (labels, headlines) {
            (0, 0) => Self::Prose,
            (labels, headlines) if labels >= headlines => Self::Labelled,
            _ => Self::Headline,
        }
    }
}

/// A line that starts a finding by itself.
#[derive(Debug)]
struct Headline<'a> {
    severity: Option<(Severity, &'a str)>,
    places: Vec<Location>,
    /// The place as written.
    place_text: &'a str,
    /// The claim on the same line.
    rest: &'a str,
}

/// Reads `bare` as a headline, as strictly as `form` asks.
fn headline(bare: Bare<'_>, form: Form) -> Option<Headline<'_>> {
    let (severity, body) = match severity::leading(bare.body) {
        Some((severity, word, rest)) => (Some((severity, word)), rest),
        None => (None, bare.body),
    };
    if let Some((places, rest)) = place::leading(body) {
        let place_text = body[..body.len() - rest.len()].trim_end_matches(severity::is_separator);
        return Some(Headline {
            severity,
            places,
            place_text,
            rest: rest.trim_start_matches(severity::is_separator),
        });
    }
    let set_off = matches!(bare.marker, Marker::Number | Marker::Heading);
    let anywhere = severity.is_some() || set_off || form == Form::Prose;
    match place::within(body).filter(|_| anywhere) {
        Some((location, at)) => {
            Some(Headline { severity, places: vec![location], place_text: token_at(body, at), rest: body })
        }
        None => severity.map(|given| Headline {
            severity: Some(given),
            places: Vec::new(),
            place_text: "",
            rest: body,
        }),
    }
}

fn token_at(body: &str, at: usize) -> &str {
    let rest = &body[at..];
    let end = rest.find(|c: char| c.is_whitespace() || c == '`').unwrap_or(rest.len());
    rest[..end].trim_end_matches([')', ',', '.', ';', '*'])
}

/// The label a line opens with. Far indented lines without a mark are samples of code, not labels.
fn label_of<'a>(line: &Line<'a>, bare: Bare<'a>) -> Option<(Label, &'a str)> {
    let sample = line::indent(line.raw) > 3 && bare.marker == Marker::None && !bare.bold;
    let alone = bare.bold || bare.marker == Marker::Heading;
    label::leading(bare.body, alone).filter(|_| !sample)
}

/// Reads the lines of one reply.
pub(super) struct Reader<'a> {
    text: &'a str,
    form: Form,
    nonce: Option<&'a str>,
    draft: Option<Draft<'a>>,
    title: Option<(usize, usize)>,
    title_severity: Option<(Severity, &'a str)>,
    section: Option<Severity>,
    file: Option<&'a str>,
    table: Option<table::Header>,
    awaited: Option<Label>,
    findings: Vec<Finding>,
    rejects: Vec<Reject>,
    left_out: usize,
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
            title_severity: None,
            section: None,
            file: None,
            table: None,
            awaited: None,
            findings: Vec::new(),
            rejects: Vec::new(),
            left_out: 0,
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
            if line.kind != Kind::Table {
                self.table = None;
            }
            match line.kind {
                Kind::Blank | Kind::Code | Kind::Quoted => self.plain(&line),
                Kind::Table => self.row(&line),
                Kind::Prose => self.prose(&line, &lines, after_blank),
            }
            after_blank = line.kind == Kind::Blank;
        }
        let unfinished = self.draft.as_ref().is_some_and(|draft| draft.has_place() && !draft.has_claim());
        self.close();
        self.reading(lines.ended_in_fence(), unfinished)
    }

    fn prose(&mut self, line: &Line<'a>, rest: &Lines<'a>, after_blank: bool) {
        let bare = line::bare(line.raw);
        if self.is_end(line.raw) {
            self.close();
            self.ended = true;
            return;
        }
        if let Some(label) = self.awaited.take()
            && label_of(line, bare).is_none()
        {
            return self.awaited_value(label, line, bare);
        }
        if let Some((label, value)) = label_of(line, bare)
            && self.label(label, value, line, bare, rest, after_blank)
        {
            return;
        }
        if is_rule(line.raw) {
            return self.close();
        }
        if self.headline(line, bare) || self.lines_in_file(line, bare) || self.heading(line, bare, rest) {
            return;
        }
        self.retraction(line, bare);
        self.plain(line);
    }

    /// A label's value that stands on the line below it.
    fn awaited_value(&mut self, label: Label, line: &Line<'a>, bare: Bare<'a>) {
        match label {
            Label::Verdict => self.set_verdict(bare.body),
            Label::Where | Label::File => {
                if let Some(draft) = &mut self.draft {
                    draft.set_where(bare.body);
                    draft.reach(line.end);
                }
            }
            _ => self.plain(line),
        }
    }

    fn is_end(&self, raw: &str) -> bool {
        let text = raw.trim().trim_matches(['*', '`']);
        let Some(token) = text.strip_prefix("END ").map(str::trim) else { return false };
        let plain = token.len() >= 4
            && token.len() <= 80
            && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        self.nonce.map_or(plain, |nonce| token == nonce)
    }

    /// Handles a labelled line; `false` when the label turns out to be running text.
    fn label(
        &mut self,
        label: Label,
        value: &'a str,
        line: &Line<'a>,
        bare: Bare<'a>,
        rest: &Lines<'a>,
        after_blank: bool,
    ) -> bool {
        match label {
            Label::Verdict => self.verdict_label(value, line, bare),
            Label::Retract => self.retract(value, line),
            Label::Severity => return self.severity_label(value, line, rest, after_blank),
            Label::Where | Label::File => return self.place_label(label, value, line, after_blank),
            Label::Lines => return self.lines_label(value, line),
            Label::Symbol => return self.symbol_label(value, line),
            Label::Quote => return self.part(Part::Quote, value, line, bare),
            Label::What => return self.what_label(value, line, bare, after_blank),
            Label::Why => return self.part(Part::Why, value, line, bare),
            Label::Fix => return self.part(Part::Fix, value, line, bare),
            Label::Start | Label::End => return false,
        }
        true
    }

    fn verdict_label(&mut self, value: &'a str, line: &Line<'a>, bare: Bare<'a>) {
        let sample = line::indent(line.raw) > 3 && bare.marker == Marker::None;
        if sample {
            return self.plain(line);
        }
        self.close();
        if value.trim_matches(['*', ' ', ':']).is_empty() {
            self.awaited = Some(Label::Verdict);
        } else {
            self.set_verdict(value);
        }
    }

    fn set_verdict(&mut self, value: &str) {
        let read = verdict::of_value(value);
        self.vague_verdict = read.is_none();
        self.verdict = read.or(self.verdict);
    }

    fn retract(&mut self, value: &'a str, line: &Line<'a>) {
        self.close();
        let target = retract::Target::of_value(value);
        match target.map(|target| target.find(&mut self.findings)) {
            Some(Some(finding)) => finding.retracted = true,
            Some(None) => self.reject(Reject {
                text: draft::bounded(line.raw.trim(), 2_000).to_owned(),
                reason: "takes back a finding that was not made".to_owned(),
            }),
            None => {}
        }
    }

    /// `SEVERITY:` opens a finding, unless the open one has none yet and this one is not followed by a place.
    fn severity_label(
        &mut self,
        value: &'a str,
        line: &Line<'a>,
        rest: &Lines<'a>,
        after_blank: bool,
    ) -> bool {
        let (value, tail) = split_parts(value);
        let known = draft::severity_of(value);
        let opens_next =
            || rest.peek_filled().is_some_and(|next| self.form == Form::Labelled && is_place_label(&next));
        let fits = self.draft.as_ref().is_some_and(|draft| {
            draft.severity.is_none() && (!draft.has_place() || !after_blank || !opens_next())
        });
        if !fits {
            self.open(line);
        }
        let taken_back = retract::says_so(value);
        if let Some(draft) = &mut self.draft {
            draft.severity = Some(known);
            draft.announced = true;
            draft.retracted |= taken_back;
            draft.reach(line.end);
        }
        self.tail(tail, line);
        true
    }

    /// Further labels on the same line: `SEVERITY: WARN | WHERE: a.rs:3 | WHAT: …`.
    fn tail(&mut self, tail: &'a str, line: &Line<'a>) {
        let mut tail = tail;
        while !tail.is_empty() {
            let bare = line::bare(tail);
            let Some((label, value)) = label::leading(bare.body, bare.bold) else { break };
            let running = matches!(label, Label::What | Label::Why | Label::Fix | Label::Quote);
            let (value, after) = split_parts(value);
            match (label, &mut self.draft) {
                (Label::Where, Some(draft)) => draft.set_where(value),
                (Label::File, Some(draft)) => draft.set_file(value),
                (Label::Lines, Some(draft)) => draft.set_lines(&draft::lines_of(value)),
                (Label::Severity, Some(draft)) => draft.severity = Some(draft::severity_of(value)),
                _ if running => {
                    let start = line.end - (self.text[..line.end].len() - self.offset(value));
                    self.open_part(label, start, start + value.len());
                }
                _ => {}
            }
            tail = after;
        }
    }

    fn open_part(&mut self, label: Label, start: usize, end: usize) {
        let part = match label {
            Label::Why => Part::Why,
            Label::Fix => Part::Fix,
            Label::Quote => Part::Quote,
            _ => Part::What,
        };
        if let Some(draft) = &mut self.draft {
            draft.open(part, start, end);
        }
    }

    fn offset(&self, part: &str) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize).min(self.text.len())
    }

    /// `WHERE:` or `File:` belongs to the open finding when that has no place yet.
    fn place_label(&mut self, label: Label, value: &'a str, line: &Line<'a>, _after_blank: bool) -> bool {
        let (value, tail) = split_parts(value);
        if label == Label::File && !value.is_empty() && place::whole(value).is_empty() {
            return false;
        }
        if self
            .draft
            .as_ref()
            .is_none_or(|draft| draft.has_place() || (draft.has_claim() && !draft.announced))
        {
            self.open(line);
        }
        if let Some(draft) = &mut self.draft {
            match label {
                Label::File => draft.set_file(value),
                _ => draft.set_where(value),
            }
            draft.reach(line.end);
        }
        if value.is_empty() {
            self.awaited = Some(label);
        }
        self.tail(tail, line);
        true
    }

    fn lines_label(&mut self, value: &'a str, line: &Line<'a>) -> bool {
        let (value, tail) = split_parts(value);
        let ranges = draft::lines_of(value);
        let Some(draft) = self.draft.as_mut().filter(|_| !ranges.is_empty()) else { return false };
        draft.set_lines(&ranges);
        draft.reach(line.end);
        self.tail(tail, line);
        true
    }

    fn symbol_label(&mut self, value: &'a str, line: &Line<'a>) -> bool {
        let Some(draft) = self.draft.as_mut().filter(|draft| draft.has_place() && !draft.has_claim()) else {
            return false;
        };
        draft.set_symbol(value);
        draft.reach(line.end);
        true
    }

    /// `WHAT:` after a claim is part of it, unless it starts the next finding of a reply that puts the claim first.
    fn what_label(&mut self, value: &'a str, line: &Line<'a>, bare: Bare<'a>, after_blank: bool) -> bool {
        if self.draft.as_ref().is_some_and(Draft::has_claim) && self.form == Form::Labelled {
            let _ = after_blank;
            return false;
        }
        self.part(Part::What, value, line, bare)
    }

    fn part(&mut self, part: Part, value: &'a str, line: &Line<'a>, bare: Bare<'a>) -> bool {
        let Some(draft) = &mut self.draft else { return false };
        let start = (value.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize).min(line.end);
        let start = if value.is_empty() { line.end } else { start };
        draft.open(part, start, line.end);
        if part != Part::Quote {
            self.retraction(line, Bare { body: value, ..bare });
        }
        true
    }

    fn row(&mut self, line: &Line<'a>) {
        let cells = table::cells(line.raw);
        match &self.table {
            Some(header) => {
                if let Some(made) = header.finding(&cells, line.raw) {
                    self.close();
                    self.push(made);
                }
            }
            None => match table::Header::of(&cells) {
                Some(header) => self.table = Some(header),
                None => self.plain(line),
            },
        }
    }

    fn headline(&mut self, line: &Line<'a>, bare: Bare<'a>) -> bool {
        let Some(head) = headline(bare, self.form) else { return false };
        if !self.starts(&head, line, bare) {
            return false;
        }
        let whole_file = head.places.iter().all(|place| place.lines.is_none() && place.symbol.is_none());
        if whole_file && !head.places.is_empty() && head.rest.is_empty() && head.severity.is_none() {
            self.close();
            self.file = Some(head.place_text);
            return true;
        }
        if head.places.is_empty() {
            return self.title_with_severity(&head, line, bare);
        }
        let joins = self.draft.as_ref().is_some_and(|draft| !draft.has_place() && draft.announced);
        if !joins {
            self.open(line);
        }
        let start = self.offset(head.rest);
        if let Some(draft) = &mut self.draft {
            draft.severity = head.severity.or(draft.severity);
            draft.where_text = Some(head.place_text);
            draft.places = head.places;
            draft.reach(line.end);
            if !head.rest.trim().is_empty() {
                draft.open(Part::What, start, line.end);
            }
        }
        self.retraction(line, Bare { body: head.rest, ..bare });
        true
    }

    /// Whether a headline starts a finding here, given the reply's form.
    fn starts(&self, head: &Headline<'_>, line: &Line<'_>, bare: Bare<'_>) -> bool {
        let set_off = matches!(bare.marker, Marker::Number | Marker::Heading);
        let placed = !head.places.is_empty();
        match self.form {
            Form::Labelled => {
                head.severity.is_some()
                    && (set_off || (bare.bold && self.draft.is_none()))
                    && line::indent(line.raw) < 2
            }
            Form::Headline => {
                placed && (line::indent(line.raw) < 4 || head.severity.is_some())
                    || set_off
                    || (bare.bold && head.severity.is_some())
            }
            Form::Prose => placed || set_off || (bare.bold && head.severity.is_some()),
        }
    }

    /// `### [HIGH] Race in the cache`: the place comes later, or never.
    fn title_with_severity(&mut self, head: &Headline<'a>, line: &Line<'a>, bare: Bare<'a>) -> bool {
        let section = bare.marker == Marker::Heading && severity::of_section(bare.body).is_some();
        if section {
            return false;
        }
        let remark = head.severity.is_some_and(|(severity, _)| severity == Severity::Info);
        self.open(line);
        let start = self.offset(head.rest);
        if let Some(draft) = &mut self.draft {
            draft.severity = head.severity;
            draft.announced = !remark;
            draft.open(Part::What, start, line.end);
        }
        true
    }

    /// `- Line 42: …` below a heading that names the file.
    fn lines_in_file(&mut self, line: &Line<'a>, bare: Bare<'a>) -> bool {
        let Some(file) = self.file else { return false };
        let (given, body) = match severity::leading(bare.body) {
            Some((severity, word, rest)) => (Some((severity, word)), rest),
            None => (None, bare.body),
        };
        let Some((range, rest)) = place::leading_lines(body) else { return false };
        self.open(line);
        let rest = rest.trim_start_matches(severity::is_separator);
        let start = self.offset(rest);
        if let Some(draft) = &mut self.draft {
            draft.set_where(file);
            draft.set_lines(&[range]);
            draft.where_text = Some(body[..body.len() - rest.len()].trim_end_matches(severity::is_separator));
            draft.severity = given;
            draft.open(Part::What, start, line.end);
        }
        true
    }

    /// A heading or numbered title closes the finding before it and is the title of the next.
    fn heading(&mut self, line: &Line<'a>, bare: Bare<'a>, rest: &Lines<'a>) -> bool {
        let heading = bare.marker == Marker::Heading;
        let numbered = bare.marker == Marker::Number && line::indent(line.raw) == 0;
        if !heading && !numbered {
            return false;
        }
        let before_place = rest.peek_filled().is_some_and(|next| opens_labels(&next));
        let goes_on = self.draft.is_some() && !before_place && (self.form == Form::Labelled || !heading);
        if goes_on || (numbered && !before_place) {
            return false;
        }
        self.close();
        self.file = None;
        if heading {
            self.section = severity::of_section(bare.body);
        }
        if before_place && self.section.is_none() {
            let start = self.offset(bare.body);
            self.title = Some((start, line.end));
        }
        true
    }

    fn retraction(&mut self, line: &Line<'a>, bare: Bare<'a>) {
        if !retract::says_so(bare.body) {
            return;
        }
        let named = place::within(bare.body).map(|(location, _)| retract::Target::Place(location));
        if let Some(finding) = named.and_then(|target| target.find(&mut self.findings)) {
            finding.retracted = true;
            return;
        }
        match (&mut self.draft, self.findings.last_mut()) {
            (Some(draft), _) => draft.retracted = true,
            (None, Some(finding)) if self.verdict.is_none() => finding.retracted = true,
            (None, _) => {}
        }
        let _ = line;
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
        draft.severity = self.title_severity.take();
        self.draft = Some(draft);
    }

    fn close(&mut self) {
        let Some(draft) = self.draft.take() else { return };
        let placed = draft.has_place();
        if !placed && !draft.announced {
            return;
        }
        let made = draft.finish(self.section);
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

    fn reading(mut self, in_fence: bool, unfinished: bool) -> Reading {
        if self.left_out > 0 {
            let reason = format!("{} more findings or rejects than one reply may have", self.left_out);
            self.rejects.push(Reject { text: String::new(), reason });
        }
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
        Reading { findings: self.findings, rejects: self.rejects, verdict: self.verdict, completeness }
    }
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

/// Cuts a value before the next label on the same line: `WARN | WHERE: …`, `High **File:** …`, `a.rs, Line: 3`.
fn split_parts(value: &str) -> (&str, &str) {
    for mark in [" | ", " **", ", ", "; "] {
        for (at, _) in value.match_indices(mark).take(4) {
            let tail = value[at + mark.len()..].trim_start();
            if label::leading(line::bare(tail).body, false).is_some() {
                return (value[..at].trim(), tail);
            }
        }
    }
    (value, "")
}
