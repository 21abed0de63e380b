//! A review of a pull request beside the last one, in words: [`line`], [`standing`] and [`became`].
//!
//! What relates to what is the tally's matter (`tally::since`).

use super::{summary, words};
use crate::tally::{
    Issue, Tally,
    since::{Became, Carried, Scope, Standing, short},
};

/// `first review of this pull request`, or what became of things since the last one, and why all of it was asked about again. No final
/// full stop; `None` for other changes. Foreign text is not escaped.
pub fn line(tally: &Tally) -> Option<String> {
    let since = tally.since.as_ref()?;
    let Some(last) = &since.last else {
        let again = match &since.scope {
            Scope::Full(reason) => format!("; all of it was asked about: {reason}"),
            Scope::First | Scope::Incremental => String::new(),
        };
        return Some(format!("first review of this pull request{again}"));
    };
    let scope = match &since.scope {
        Scope::Incremental => "; only what came since was asked about".to_owned(),
        Scope::Full(reason) => format!("; all of it was asked about again: {reason}"),
        Scope::First => String::new(),
    };
    let room = match last.dropped {
        0 => String::new(),
        dropped => format!("; {} of it had no room in its record", words::count(dropped, "issue")),
    };
    Some(format!("since the last review of {}: {}{scope}{room}", short(&last.head), counts(tally)))
}

/// `2 new, 1 still open, 1 fixed`.
fn counts(tally: &Tally) -> String {
    let reported = |wanted| summary::open(tally).filter(|issue| issue.standing == Some(wanted)).count();
    let carried = |wanted| summary::earlier(tally).filter(|one| one.became == wanted).count();
    let dismissed = summary::dismissed(tally).count() + carried(Became::Dismissed);
    let figures = [
        (reported(Standing::New), "new"),
        (reported(Standing::StillOpen) + carried(Became::StillOpen), "still open"),
        (reported(Standing::BackAgain), "back again"),
        (carried(Became::Fixed), "fixed"),
        (dismissed, "dismissed"),
    ];
    let told = figures.iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> =
        told.map(|(count, word)| format!("{} {word}", words::grouped(*count as u64))).collect();
    if told.is_empty() { "nothing new and nothing open".to_owned() } else { told.join(", ") }
}

/// How an issue relates to the last review: `new`, `still open, was BLOCK of 2 lineages`; `None` where there was none.
pub fn standing(issue: &Issue) -> Option<String> {
    let word = match issue.standing? {
        Standing::New => "new",
        Standing::StillOpen => "still open",
        Standing::BackAgain => "back again",
    };
    let was = issue.earlier.as_deref().filter(|_| summary::was_worse(issue));
    let was =
        was.map(|was| format!(", was {} of {}", was.severity, words::count(was.lineages.len(), "lineage")));
    Some(format!("{word}{}", was.unwrap_or_default()))
}

/// What became of an issue that nobody reports now.
pub fn became(carried: &Carried) -> &'static str {
    match carried.became {
        Became::StillOpen => "still open",
        Became::Fixed => "fixed",
        Became::Dismissed => "dismissed",
    }
}

/// `2 issues still open from the last review`, of those that nobody reports now; `None` when there are none.
pub fn carried(tally: &Tally) -> Option<String> {
    let open = summary::earlier(tally).filter(|one| one.is_open()).count();
    (open > 0).then(|| format!("{} still open from the last review", words::count(open, "issue")))
}
