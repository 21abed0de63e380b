//! Findings set off by labels: `SEVERITY:`, `File:`, `**Fix:**` and the rest.
//!
//! Each handler says whether the line was a label after all; a word with a colon may be running text.

use super::{
    super::{
        draft::{self, Part},
        label::{self, Label},
        line::{self, Bare, Line, Lines, Marker},
        place, retract, verdict,
    },
    MOST_RETRACTIONS, Reader, is_place_label, opens_labels,
};
use crate::finding::Reject;

impl<'a> Reader<'a> {
    /// Handles a labelled line; `false` when the label turns out to be running text.
    pub(super) fn label(
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
            Label::Where | Label::File if !after_blank && self.further_place(value, line) => {}
            Label::Where | Label::File => return self.place_label(label, value, line),
            Label::Lines => return self.lines_label(value, line),
            Label::Also => return self.also_label(value, line),
            Label::Status => return self.status_label(value, line),
            Label::Symbol => return self.symbol_label(value, line),
            Label::Quote => return self.part(Part::Quote, value, line, bare),
            Label::What => return self.what_label(value, line, bare, rest),
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
            self.vague_verdict = true;
        } else {
            self.set_verdict(value);
        }
    }

    pub(super) fn set_verdict(&mut self, value: &str) {
        let read = verdict::of_value(value);
        self.vague_verdict = read.is_none();
        self.verdict = read.or(self.verdict);
    }

    fn retract(&mut self, value: &'a str, line: &Line<'a>) {
        self.close();
        let Some(target) = retract::Target::of_value(value) else { return };
        if !self.take_back(&target) {
            let text = draft::bounded(line.raw.trim(), 2_000).to_owned();
            self.reject(Reject { text, reason: "takes back a finding that was not made".to_owned() });
        }
    }

    /// Marks the finding meant; `false` when there is none.
    pub(super) fn take_back(&mut self, target: &retract::Target) -> bool {
        self.retractions += 1;
        if self.retractions > MOST_RETRACTIONS {
            return false;
        }
        target.find(&mut self.findings).map(|finding| finding.retracted = true).is_some()
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
        let opens_next = || rest.peek_filled().is_some_and(|next| is_place_label(&next));
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
        self.tail(tail);
        true
    }

    /// Further labels on the same line: `SEVERITY: WARN | WHERE: a.rs:3 | WHAT: …`.
    fn tail(&mut self, tail: &'a str) {
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
                    let start = self.offset(value);
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

    /// `WHERE:` or `File:` belongs to the open finding when that has no place yet.
    fn place_label(&mut self, label: Label, value: &'a str, line: &Line<'a>) -> bool {
        let (value, tail) = split_parts(value);
        let is_other = !value.is_empty() && !place::is_nowhere(value) && place::whole(value).is_empty();
        if label == Label::File && is_other {
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
        self.tail(tail);
        true
    }

    /// `WHERE:` right below `WHERE:`, before any claim: one finding at two places.
    fn further_place(&mut self, value: &'a str, line: &Line<'a>) -> bool {
        let Some(draft) = self.draft.as_mut().filter(|draft| draft.has_full_place() && !draft.has_text())
        else {
            return false;
        };
        let further = draft.set_also(value);
        if further {
            draft.reach(line.end);
        }
        further
    }

    fn lines_label(&mut self, value: &'a str, line: &Line<'a>) -> bool {
        let (value, tail) = split_parts(value);
        let ranges = draft::lines_of(value);
        let Some(draft) = self.draft.as_mut().filter(|_| !ranges.is_empty()) else { return false };
        draft.set_lines(&ranges);
        draft.reach(line.end);
        self.tail(tail);
        true
    }

    /// `Also at: b.rs:9, c.rs:4`: further places of the finding that is open.
    fn also_label(&mut self, value: &'a str, line: &Line<'a>) -> bool {
        let Some(draft) = self.draft.as_mut().filter(|draft| draft.has_place()) else { return false };
        if !draft.set_also(value) {
            return false;
        }
        draft.reach(line.end);
        true
    }

    /// `Status: withdrawn`.
    fn status_label(&mut self, value: &'a str, line: &Line<'a>) -> bool {
        let Some(draft) = self.draft.as_mut().filter(|_| retract::says_so(value)) else { return false };
        draft.retracted = true;
        draft.reach(line.end);
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

    /// A second `WHAT:` is running text, unless it opens the next finding of a reply that puts the claim first.
    fn what_label(&mut self, value: &'a str, line: &Line<'a>, bare: Bare<'a>, rest: &Lines<'a>) -> bool {
        let taken = self.draft.as_ref().is_none_or(|draft| draft.claimed);
        if taken {
            if !rest.peek_filled().is_some_and(|next| opens_labels(&next)) {
                return false;
            }
            self.open(line);
        }
        if let Some(draft) = &mut self.draft {
            draft.claimed = true;
            draft.announced |= taken;
        }
        self.part(Part::What, value, line, bare)
    }

    fn part(&mut self, part: Part, value: &'a str, line: &Line<'a>, bare: Bare<'a>) -> bool {
        let Some(draft) = &mut self.draft else { return false };
        let start = (value.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize).min(line.end);
        let start = if value.is_empty() { line.end } else { start };
        draft.open(part, start, line.end);
        if part != Part::Quote {
            let opener = bare.body.starts_with(char::is_alphabetic) && retract::says_so(bare.body);
            self.retraction(if opener { bare } else { Bare { body: value, ..bare } });
        }
        true
    }
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
