//! Leaves out what a model thought aloud: [`without`].
//!
//! Thoughts are drafts; a finding or verdict in them was never given.

use std::{borrow::Cow, ops::Range, sync::LazyLock};

use regex::Regex;

use super::{
    label,
    line::{self, Kind, Lines},
};

/// An opening tag where a line starts, in the ways of the model families.
static OPENS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?im)^[ \t]*(?:<(?:[a-z]{1,8}:)?(?:think|thinking|thoughts?|reasoning|scratchpad|analysis)\s*>|\[think\]|◁think▷|<\|begin_of_thought\|>|<\|channel\|>analysis<\|message\|>)").ok()
});
/// A closing tag.
static CLOSES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)</(?:[a-z]{1,8}:)?(?:think|thinking|thoughts?|reasoning|scratchpad|analysis)\s*>|\[/think\]|◁/think▷|<\|end_of_thought\|>|<\|channel\|>final<\|message\|>").ok()
});

/// Most lines looked at above a tag.
const LONGEST_FIELD: usize = 50;

/// What became of the thinking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    /// None, or all of it left out.
    Done,
    /// It never ends: what stands in it may be no answer.
    Unfinished,
}

/// The answer without the thinking before and in it.
pub(super) fn without(text: &str) -> (Cow<'_, str>, Thinking) {
    let (Some(opens), Some(closes)) = (&*OPENS, &*CLOSES) else {
        return (Cow::Borrowed(text), Thinking::Done);
    };
    let text = behind_lone_close(text.trim_start_matches('\u{feff}'), opens, closes);
    let (mut answer, mut at, mut thinking) = (Cow::Borrowed(""), 0, Thinking::Done);
    let mut from = 0;
    let mut close = closes.find(text);
    // Searched from where the last one ends, so that the next may follow it on the same line.
    while let Some(open) = opens.find(&text[from..]).map(|open| from + open.start()..from + open.end()) {
        if close.is_some_and(|close| close.start() < open.end) {
            close = closes.find_at(text, open.end);
        }
        if let Some(shown) =
            sample_end(text, from, &open).filter(|end| close.is_none_or(|close| *end <= close.start()))
        {
            from = shown;
            continue;
        }
        let Some(close) = close else {
            if text[at..open.start].trim().is_empty() && answer.trim().is_empty() {
                thinking = Thinking::Unfinished;
            }
            break;
        };
        append(&mut answer, &text[at..open.start]);
        at = close.end();
        from = at;
    }
    append(&mut answer, &text[at..]);
    (answer, thinking)
}

/// Where the code fence around `open` ends, when one that begins behind `from` is closed: the tag is only shown.
fn sample_end(text: &str, from: usize, open: &Range<usize>) -> Option<usize> {
    let mut lines = Lines::new(&text[from..]);
    let holder = lines.find(|line| from + line.end > open.start)?;
    let behind = || lines.find(|line| line.kind != Kind::Code).map_or(text.len(), |line| from + line.start);
    (holder.kind == Kind::Code).then(behind)
}

/// Borrows as long as nothing stands before.
fn append<'a>(answer: &mut Cow<'a, str>, part: &'a str) {
    if answer.trim().is_empty() {
        *answer = Cow::Borrowed(part);
    } else if !part.is_empty() {
        answer.to_mut().push_str(part);
    }
}

/// Some servers send the closing tag only. It stands at the start or the end of a line; at the end of a labelled one it is quoted.
fn behind_lone_close<'a>(text: &'a str, opens: &Regex, closes: &Regex) -> &'a str {
    let Some(first) = closes.find(text) else { return text };
    if opens.find(text).is_some_and(|open| open.start() < first.start()) {
        return text;
    }
    let lone = |raw: &str| {
        closes
            .find_iter(raw)
            .find(|tag| {
                let before = &raw[..tag.start()];
                before.trim().is_empty() || raw[tag.end()..].trim().is_empty() && !is_labelled(before)
            })
            .map(|tag| tag.end())
    };
    let prose = Lines::new(text).filter(|line| line.kind == Kind::Prose);
    let ends = prose.filter_map(|line| {
        let end = lone(line.raw)?;
        (!is_amid_field(&text[..line.start], &text[line.end..])).then_some(line.start + end)
    });
    let opened = opens.find(text).map_or(text.len(), |open| open.start());
    ends.take_while(|end| *end <= opened).last().map_or(text, |end| &text[end..])
}

/// Whether a line between these texts goes on with a labelled field: such a one stands in the lines right above, and the line right
/// below is neither empty nor labelled. A tag there is what the field talks about.
fn is_amid_field(above: &str, below: &str) -> bool {
    let mut right_above = above.lines().rev().take(LONGEST_FIELD).take_while(|line| !line.trim().is_empty());
    let below = below.lines().next().unwrap_or_default();
    !below.trim().is_empty() && !is_labelled(below) && right_above.any(is_labelled)
}

fn is_labelled(line: &str) -> bool {
    let name = line::bare(line).body.split_once(':').map(|(name, _)| name.trim_matches(['*', '_', ' ']));
    name.is_some_and(|name| label::of_name(name).is_some())
}
