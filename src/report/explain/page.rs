//! An explanation as a [`Page`], written [for a terminal](Page::for_terminal) or [as Markdown](Page::as_markdown).
//!
//! Its texts are made harmless lines by who makes the page. What is said is not decided here.

use std::fmt::Write as _;

use crate::{
    finding::Severity,
    report::{
        layout::{self, Ink},
        markdown::escape,
    },
};

/// What there is to say about one issue.
pub(super) struct Page {
    pub(super) severity: Severity,
    pub(super) place: String,
    pub(super) id: String,
    /// What it comes to.
    pub(super) sentences: Vec<String>,
    /// Its members, then what others said about them.
    pub(super) entries: Vec<Entry>,
    pub(super) neighbours: Vec<Neighbour>,
}

/// A near issue.
pub(super) struct Neighbour {
    pub(super) id: String,
    pub(super) severity: Severity,
    pub(super) place: String,
    pub(super) what: String,
    /// Why it is another one.
    pub(super) parted: String,
}

/// A heading with marked lines under it.
pub(super) struct Entry {
    pub(super) head: String,
    pub(super) lines: Vec<(&'static str, String)>,
}

impl Page {
    /// At most `width` columns wide, with a final newline.
    pub(super) fn for_terminal(&self, width: usize, ink: Ink) -> String {
        let hanging = |text: &str, first: &str, rest: &str| {
            layout::wrap_hanging(text, width, first, rest).join("\n") + "\n"
        };
        let title = format!("{} {} {}", self.severity, self.place, self.id);
        let mut head = ink.severity(self.severity, hanging(&title, "", "  ").trim_end()) + "\n";
        head.extend(self.sentences.iter().map(|sentence| hanging(sentence, "", "  ")));
        let entry = |entry: &Entry| {
            let lines = entry.lines.iter();
            let lines = lines.map(|(mark, text)| hanging(text, &format!("  {mark:<7}"), &" ".repeat(9)));
            ink.strong(hanging(&entry.head, "", "  ").trim_end()) + "\n" + &lines.collect::<String>()
        };
        let mut parts = vec![head];
        parts.extend(self.entries.iter().map(entry));
        if !self.neighbours.is_empty() {
            let near = self.neighbours.iter().map(|Neighbour { id, severity, place, what, parted }| {
                let head = hanging(&format!("{id} {severity} {place}: {what}"), "  ", "    ");
                head + &hanging(parted, "    ", "    ")
            });
            parts.push(ink.strong(&self.near_heading()) + "\n" + &near.collect::<String>());
        }
        parts.join("\n")
    }

    /// With a final newline.
    pub(super) fn as_markdown(&self) -> String {
        let (place, id) = (escape::code(&self.place), escape::code(&self.id));
        let mut out = format!("### {} {place} · {id}\n", self.severity);
        for sentence in &self.sentences {
            let _ = write!(out, "\n{}\n", escape::text(sentence));
        }
        for Entry { head, lines } in &self.entries {
            let _ = write!(out, "\n**{}**\n\n", escape::cell(head));
            for (mark, text) in lines {
                let _ = writeln!(out, "- {mark} {}", escape::text(text));
            }
        }
        if !self.neighbours.is_empty() {
            let _ = write!(out, "\n#### {}\n\n", self.near_heading());
        }
        for Neighbour { id, severity, place, what, parted } in &self.neighbours {
            let (place, id) = (escape::code(place), escape::code(id));
            let (what, parted) = (escape::text(what), escape::text(parted));
            let _ = write!(out, "- {severity} {place} · {id}: {what}\n  <br>{parted}\n");
        }
        out
    }

    fn near_heading(&self) -> String {
        format!("Near, but other issues ({})", self.neighbours.len())
    }
}
