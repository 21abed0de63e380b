//! What is no issue and yet must not go unseen: [`Leftovers`].
//!
//! Findings without a place, what was taken back, texts that could not be used, what reviewers did not see, and what became of the
//! issues of a pull request's last review.

use serde::Serialize;

use super::issue::Wording;
use crate::{
    report::{coverage, earlier, foreign, masks, summary, words},
    tally::{
        Member, RejectedText, Tally,
        since::{Became, Carried},
    },
};

/// Lines of an unusable text that are shown.
const REJECT_LINES: usize = 6;

/// Characters of such a line that are shown.
const REJECT_LINE: usize = 200;

/// Characters of an earlier issue's claim that are shown.
const CLAIM_SHOWN: usize = 400;

/// All of it.
#[derive(Serialize)]
pub(super) struct Leftovers {
    earlier: Vec<Group>,
    unplaced: Vec<Wording>,
    retracted: Vec<Retracted>,
    rejects: Vec<Reject>,
    excluded: Vec<String>,
    masked_title: String,
    masked: Vec<String>,
}

/// Issues of the last review of one kind.
#[derive(Serialize)]
struct Group {
    title: String,
    entries: Vec<Earlier>,
}

#[derive(Serialize)]
struct Earlier {
    severity: &'static str,
    place: String,
    finders: String,
    back: bool,
    what: String,
    decided: Option<String>,
    id: String,
}

#[derive(Serialize)]
struct Retracted {
    reviewer: String,
    severity: &'static str,
    place: String,
    what: String,
}

#[derive(Serialize)]
struct Reject {
    reviewer: String,
    bundle: String,
    reason: String,
    text: String,
}

impl Leftovers {
    pub(super) fn of(tally: &Tally) -> Self {
        let masked = &tally.run.masks;
        Self {
            earlier: groups(tally),
            unplaced: summary::unplaced(tally).into_iter().map(Wording::of).collect(),
            retracted: summary::retracted(tally).into_iter().map(retracted).collect(),
            rejects: tally.rejects.iter().map(reject).collect(),
            excluded: coverage::excluded_lines(&tally.excluded),
            masked_title: format!(
                "{} masked for reviewers",
                words::count(masks::count(masked), "credential")
            ),
            masked: masks::lines(masked),
        }
    }
}

fn groups(tally: &Tally) -> Vec<Group> {
    let group = |title: &str, of: Vec<&Carried>| Group {
        title: format!("{} {title}", words::count(of.len(), "issue")),
        entries: of.into_iter().map(earlier_entry).collect(),
    };
    let kinds = [
        group("still open from the last review, not reported now", earlier::open(tally).collect()),
        group("of the last review dismissed by a human", earlier::of(tally, Became::Dismissed).collect()),
        group("fixed since the last review", earlier::of(tally, Became::Fixed).collect()),
    ];
    kinds.into_iter().filter(|group| !group.entries.is_empty()).collect()
}

fn earlier_entry(one: &Carried) -> Earlier {
    Earlier {
        severity: one.issue.severity.word(),
        place: earlier::place(one),
        finders: earlier::finders(one),
        back: one.became == Became::BackAgain,
        what: words::in_brief(&one.issue.what, CLAIM_SHOWN),
        decided: one.issue.disposition.as_ref().map(|one| words::sentence(&summary::decided_words(one))),
        id: foreign::one_line(&one.issue.id),
    }
}

fn retracted(member: &Member) -> Retracted {
    let finding = &member.anchored.finding;
    Retracted {
        reviewer: foreign::one_line(member.reviewer.as_str()),
        severity: finding.severity.word(),
        place: foreign::one_line(&finding.where_text),
        what: foreign::one_line(&finding.what),
    }
}

fn reject(reject: &RejectedText) -> Reject {
    let lines = foreign::lines(&reject.text);
    let lines: Vec<String> =
        lines.iter().take(REJECT_LINES).map(|line| words::shortened(line, REJECT_LINE)).collect();
    Reject {
        reviewer: foreign::one_line(reject.reviewer.as_str()),
        bundle: words::bundle_name(&reject.bundle),
        reason: foreign::one_line(&reject.reason),
        text: lines.join("\n"),
    }
}
