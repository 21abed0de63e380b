//! Takes an answer out of the code fence that it stands in as a whole: [`without`].
//!
//! A fence that only shows something stays one: what stands in it was not said by the reviewer.

use std::borrow::Cow;

use super::{
    block,
    label::{self, Label},
    line,
};

/// Longest text before the fence, in bytes: a sentence or two that introduce the answer.
const LONGEST_INTRODUCTION: usize = 400;

/// `text` without the fence around the answer.
pub(super) fn without<'a>(text: &'a str, nonce: Option<&str>) -> Cow<'a, str> {
    let Some((before, fence, body)) = opened(text) else { return Cow::Borrowed(text) };
    let introduces = before.trim().is_empty() || introduces_answer(before);
    if before.len() > LONGEST_INTRODUCTION
        || !introduces && !body.lines().any(|line| block::is_end(line, nonce))
    {
        return Cow::Borrowed(text);
    }
    let close = body.rfind(fence).filter(|at| stands_alone(body, *at, fence));
    let (inside, after) = close.map_or((body, ""), |at| (&body[..at], &body[at + fence.len()..]));
    without_seams(inside, after, fence)
}

/// What stands before the first fence, its mark, and what follows its first line, when that starts with a label of ours.
fn opened(text: &str) -> Option<(&str, &str, &str)> {
    let at = text.find("```")?;
    let (before, fenced) = text.split_at(at);
    let length = fenced.bytes().take_while(|byte| *byte == b'`').count();
    let (info, body) = fenced[length..].split_once('\n')?;
    let wraps = ["", "markdown", "md", "text", "txt", "plaintext", "plain"].contains(&info.trim());
    let at_line_start =
        before.trim_end_matches(' ').is_empty() || before.trim_end_matches(' ').ends_with('\n');
    (wraps && at_line_start && opens_answer(body)).then_some((before, &fenced[..length], body))
}

fn opens_answer(body: &str) -> bool {
    let first = body.lines().find(|line| !line.trim().is_empty());
    let label = first.and_then(|line| label::leading(line::bare(line).body, false));
    matches!(label, Some((Label::Severity | Label::Where | Label::Verdict, _)))
}

/// `Here is my review:`, and nothing that is itself an answer.
fn introduces_answer(before: &str) -> bool {
    let lower = before.to_lowercase();
    let names = ["review", "findings", "answer", "审查", "评审", "レビュー", "revisión", "revue"]
        .iter()
        .any(|word| lower.contains(word));
    names && !before.lines().any(|line| label::leading(line::bare(line).body, false).is_some())
}

fn stands_alone(body: &str, at: usize, fence: &str) -> bool {
    let before = body[..at].trim_end_matches(' ');
    (before.is_empty() || before.ends_with('\n'))
        && body[at + fence.len()..].lines().next().is_none_or(|rest| rest.trim().is_empty())
}

/// Where each finding has a fence of its own, the ends and beginnings between them go too.
fn without_seams<'a>(inside: &'a str, after: &str, fence: &str) -> Cow<'a, str> {
    if after.trim().is_empty() && !inside.contains(fence) {
        return Cow::Borrowed(inside);
    }
    let mut out = String::with_capacity(inside.len() + after.len());
    let mut rest = inside;
    while let Some(at) = rest.find(fence) {
        let behind = rest[at + fence.len()..].trim_start();
        let seam =
            behind.strip_prefix(fence).filter(|body| stands_alone(rest, at, fence) && opens_answer(body));
        let (kept, next) = seam.map_or((at + fence.len(), &rest[at + fence.len()..]), |body| (at, body));
        out.push_str(&rest[..kept]);
        rest = next;
    }
    out.push_str(rest);
    out.push_str(after);
    Cow::Owned(out)
}
