//! The last review of the same pull request, in words: [`scope_line`], [`counts`], [`standing`], [`line()`].
//!
//! What weighs how is the tally's matter.

use crate::{
    report::{foreign, summary, words},
    tally::{
        Issue, Tally,
        since::{Became, Carried, Scope, Since, Standing, short},
    },
};

/// `only what was pushed after abc1234 was reviewed`; `None` for a first review and for what is no pull request.
pub fn scope_line(tally: &Tally) -> Option<String> {
    let Since { scope, last, .. } = tally.since.as_ref()?;
    let head = last.as_ref().map(|last| short(&last.head));
    match (scope, head) {
        (Scope::First, _) => None,
        (Scope::Incremental, head) => {
            Some(format!("only what was pushed after {} was reviewed", head.unwrap_or("an earlier commit")))
        }
        (Scope::Full(reason), Some(_)) => {
            Some(foreign::one_line(&format!("all of it was reviewed again: {reason}")))
        }
        (Scope::Full(reason), None) => Some(foreign::one_line(&format!("all of it was reviewed: {reason}"))),
    }
}

/// `since the last review of abc1234: 2 new, 1 still open and 1 fixed`; `None` where there is none.
pub fn counts(tally: &Tally) -> Option<String> {
    let last = tally.since.as_ref()?.last.as_ref()?;
    let reported = |wanted| summary::open(tally).filter(|issue| issue.standing == Some(wanted)).count();
    let carried = |wanted| of(tally, wanted).count();
    let figures = [
        (reported(Standing::New), "new"),
        (reported(Standing::StillOpen) + carried(Became::StillOpen), "still open"),
        (reported(Standing::BackAgain) + carried(Became::BackAgain), "back again"),
        (carried(Became::Fixed), "fixed"),
        (summary::dismissed(tally).count() + carried(Became::Dismissed), "dismissed"),
    ];
    let told = figures.iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> =
        told.map(|(count, word)| format!("{} {word}", words::grouped(*count as u64))).collect();
    let told = if told.is_empty() { "nothing new and nothing open".to_owned() } else { words::list(&told) };
    Some(format!("since the last review of {}: {told}", short(&last.head)))
}

/// `nothing new since the last review of abc1234`; `None` where there is anything new.
pub fn nothing_new(tally: &Tally) -> Option<String> {
    let since = tally.since.as_ref().filter(|since| since.scope == Scope::Incremental)?;
    let last = since.last.as_ref().filter(|_| tally.bundles.is_empty() && tally.excluded.is_empty())?;
    Some(format!("nothing new since the last review of {}", short(&last.head)))
}

/// Earlier issues of one kind, the weightiest first.
pub fn of(tally: &Tally, became: Became) -> impl Iterator<Item = &Carried> {
    summary::earlier(tally).filter(move |one| one.became == became)
}

/// Earlier issues that count though nobody reports them now, the weightiest first.
pub fn open(tally: &Tally) -> impl Iterator<Item = &Carried> {
    summary::earlier(tally).filter(|one| one.is_open())
}

/// How an issue relates to the last review: `new`, `still open`, `back again`; `None` where there is none. That it was dismissed in other
/// words is said, whether the decision holds for these or not.
pub fn standing(issue: &Issue) -> Option<String> {
    if let Some(decided) = issue.disposition.as_ref().filter(|one| one.issue != issue.id) {
        return Some(format!("dismissed as {}, worded anew", decided.issue));
    }
    let other = issue.earlier.as_ref().filter(|before| before.id != issue.id && issue.disposition.is_none());
    let decided = other.and_then(|before| before.disposition.as_ref()).filter(|one| one.decision.dismisses());
    let decided = decided.map(|one| format!("; something like it was {}", summary::decided_words(one)));
    Some(plain_standing(issue)? + &decided.unwrap_or_default())
}

fn plain_standing(issue: &Issue) -> Option<String> {
    Some(match issue.standing? {
        Standing::New => "new".to_owned(),
        Standing::BackAgain => "back again".to_owned(),
        Standing::StillOpen => match issue.still_open().filter(|_| summary::was_worse(issue)) {
            None => "still open".to_owned(),
            Some(before) => format!(
                "still open, counted as at the last review: {} by {}",
                issue.worst_severity(),
                words::count(before.lineages.len().max(issue.lineages.len()), "lineage")
            ),
        },
    })
}

/// `src/a.rs:3 found by anthropic and openai: the socket leaks`, harmless to show; `most` characters of the claim.
pub fn line(carried: &Carried, most: usize) -> String {
    let back = if carried.became == Became::BackAgain { ", back again" } else { "" };
    let what = words::in_brief(&carried.issue.what, most);
    format!("{} {}{back}: {what}", place(carried), finders(carried))
}

/// Where it is, as far as known.
pub fn place(carried: &Carried) -> String {
    let issue = &carried.issue;
    summary::place_words(&issue.path, issue.lines, issue.symbol.as_deref())
}

/// `found by anthropic and openai`, harmless to show.
pub fn finders(carried: &Carried) -> String {
    let names: Vec<String> =
        carried.issue.lineages.iter().map(|one| foreign::one_line(one.as_str())).collect();
    format!("found by {}", words::list_up_to(&names, 4))
}
