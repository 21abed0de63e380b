//! Findings that open with a headline: a place, a severity, a title; and what form a reply has as a whole ([`Form`]).
//!
//! Findings set off by labels are `labels`' part.

use super::{
    super::{
        draft::{Draft, Part},
        label::{self, Label},
        line::{self, Bare, Kind, Line, Lines, Marker},
        place, severity,
    },
    Reader, opens_labels,
};
use crate::finding::{Location, Severity};

/// Most lines by which a reply's form is measured.
const MOST_LINES: usize = 50_000;

/// How a reply sets its findings off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reply) enum Form {
    /// `WHERE:`, `File:` and the like.
    Labelled,
    /// Lines that open with a place or a severity and a place.
    Headline,
    /// Items and paragraphs that mention a place.
    Prose,
}

impl Form {
    /// The form of `text`, from its own lines outside code and quotes.
    pub(in crate::reply) fn of(text: &str) -> Self {
        let (mut labels, mut headlines) = (0_usize, 0_usize);
        for line in Lines::new(text).filter(|line| line.kind == Kind::Prose).take(MOST_LINES) {
            let bare = line::bare(line.raw);
            match label_of(&line, bare) {
                Some((Label::Where | Label::File, _)) => labels += 1,
                Some(_) => {}
                None => {
                    let head = headline(bare, Self::Headline);
                    headlines += usize::from(head.is_some_and(|head| !head.places.is_empty()));
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
pub(super) struct Headline<'a> {
    pub severity: Option<(Severity, &'a str)>,
    pub places: Vec<Location>,
    /// The place as written.
    pub place_text: &'a str,
    /// The claim on the same line.
    pub rest: &'a str,
}

/// Reads `bare` as a headline, as strictly as `form` asks.
fn headline(bare: Bare<'_>, form: Form) -> Option<Headline<'_>> {
    let (severity, body) = match severity::leading(bare.body) {
        Some((severity, word, rest)) => (Some((severity, word)), rest),
        None => (None, bare.body.trim_start_matches(is_sign).trim_start()),
    };
    // `In `@src/a.rs`:` heads what is said about that file.
    let body = body.strip_prefix("In `@").filter(|rest| rest.ends_with("`:")).unwrap_or(body);
    if let Some((places, rest)) = place::leading(body) {
        let place_text = body[..body.len() - rest.len()].trim_end_matches(severity::is_separator);
        let rest = severity::behind_separators(rest);
        let behind = severity::leading(rest).filter(|_| severity.is_none());
        return Some(match behind {
            Some((given, word, rest)) => Headline { severity: Some((given, word)), places, place_text, rest },
            None => Headline { severity, places, place_text, rest },
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

/// `📍` and the like, which say nothing; letters and what encloses text do.
fn is_sign(c: char) -> bool {
    !c.is_ascii() && !c.is_alphanumeric() && !c.is_whitespace() && !"【「（《“‘".contains(c)
}

fn token_at(body: &str, at: usize) -> &str {
    let rest = &body[at..];
    let end = rest.find(|c: char| c.is_whitespace() || c == '`').unwrap_or(rest.len());
    rest[..end].trim_end_matches([')', ',', '.', ';', '*'])
}

/// The label a line opens with. Far indented lines without a mark are samples of code, not labels.
pub(super) fn label_of<'a>(line: &Line<'a>, bare: Bare<'a>) -> Option<(Label, &'a str)> {
    let sample = line::indent(line.raw) > 3 && bare.marker == Marker::None && !bare.bold;
    let alone = bare.bold || bare.marker == Marker::Heading;
    let unsigned = bare.body.trim_start_matches(|c: char| !c.is_ascii() && !c.is_alphanumeric());
    let body = if unsigned.len() < bare.body.len() { line::bare(unsigned).body } else { bare.body };
    label::leading(body, alone || body.len() < unsigned.trim_start().len()).filter(|_| !sample)
}

/// The column of a bullet.
pub(super) fn bullet_column(line: &Line<'_>, bare: Bare<'_>) -> Option<usize> {
    (bare.marker == Marker::Bullet).then(|| line::indent(line.raw))
}

impl<'a> Reader<'a> {
    pub(super) fn headline(&mut self, line: &Line<'a>, bare: Bare<'a>) -> bool {
        // A bullet beside one that is a finding may name its place anywhere.
        let beside = |draft: &Draft<'_>| draft.bullet.is_some() && draft.bullet == bullet_column(line, bare);
        let form = if self.draft.as_ref().is_some_and(beside) { Form::Prose } else { self.form };
        let Some(head) = headline(bare, form) else { return false };
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
        self.retraction(Bare { body: head.rest, ..bare });
        true
    }

    /// Whether a headline starts a finding here, given the reply's form.
    fn starts(&self, head: &Headline<'_>, line: &Line<'_>, bare: Bare<'_>) -> bool {
        let set_off = matches!(bare.marker, Marker::Number | Marker::Heading);
        let placed = !head.places.is_empty();
        match self.form {
            Form::Labelled => {
                let alone = head.rest.trim().is_empty() && (bare.marker == Marker::Bullet || bare.bold);
                head.severity.is_some()
                    && (set_off || alone || (bare.bold && self.draft.is_none()))
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
    pub(super) fn lines_in_file(&mut self, line: &Line<'a>, bare: Bare<'a>) -> bool {
        let Some(file) = self.file else { return false };
        let (given, body) = match severity::leading(bare.body) {
            Some((severity, word, rest)) => (Some((severity, word)), rest),
            None => (None, bare.body),
        };
        let Some((range, rest)) = place::leading_lines(body) else { return false };
        let detail = |draft: &Draft<'_>| {
            draft.has_full_place() && draft.bullet < bullet_column(line, bare) && draft.bullet.is_some()
        };
        if self.draft.as_ref().is_some_and(detail) {
            return false;
        }
        self.open(line);
        let rest = severity::behind_separators(rest);
        let behind = severity::leading(rest).filter(|_| given.is_none());
        let (given, rest) =
            behind.map_or((given, rest), |(severity, word, rest)| (Some((severity, word)), rest));
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
    pub(super) fn heading(&mut self, line: &Line<'a>, bare: Bare<'a>, rest: &Lines<'a>) -> bool {
        let heading = bare.marker == Marker::Heading;
        let numbered = bare.marker == Marker::Number && line::indent(line.raw) == 0;
        if !heading && !numbered {
            return false;
        }
        let before_place = rest.peek_filled().is_some_and(|next| opens_labels(&next));
        let section = severity::of_section(bare.body).filter(|_| heading);
        let goes_on = self.draft.is_some()
            && !before_place
            && section.is_none()
            && (self.form == Form::Labelled || !heading);
        if goes_on || (numbered && !before_place) {
            return false;
        }
        self.close();
        self.file = None;
        if heading {
            let level = line::heading_level(line.raw);
            let around = self.section.filter(|(above, _)| *above < level);
            self.section = section.map(|severity| (level, severity)).or(around);
        }
        if before_place && section.is_none() {
            let start = self.offset(bare.body);
            self.title = Some((start, line.end));
        }
        true
    }
}
