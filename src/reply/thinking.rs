//! Leaves out what a model thought aloud before it answered: [`without`].
//!
//! Thoughts are drafts; a finding or verdict in them was never given.

const TAGS: &[(&str, &str)] =
    &[("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<reasoning>", "</reasoning>")];

/// What became of the thinking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    /// None, or all of it left out.
    Done,
    /// It never ends: there is no answer behind it.
    Unfinished,
}

/// The answer behind the thinking at the front of `text`.
pub(super) fn without(text: &str) -> (&str, Thinking) {
    let mut rest = text.trim_start_matches('\u{feff}');
    while let Some((open, close)) = TAGS.iter().find(|(open, _)| starts_with_tag(rest, open)) {
        let inside = &rest.trim_start()[open.len()..];
        match inside.find(close) {
            Some(end) => rest = &inside[end + close.len()..],
            None => return (rest, Thinking::Unfinished),
        }
    }
    (behind_lone_close(rest), Thinking::Done)
}

fn starts_with_tag(text: &str, tag: &str) -> bool {
    text.trim_start().get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag))
}

/// Some servers send the closing tag only: it stands on a line of its own.
fn behind_lone_close(text: &str) -> &str {
    let lone = super::line::Lines::new(text).filter(|line| line.kind == super::line::Kind::Prose);
    let last = lone.filter(|line| TAGS.iter().any(|(_, close)| line.raw.trim() == *close)).last();
    last.map_or(text, |line| &text[line.end..])
}
