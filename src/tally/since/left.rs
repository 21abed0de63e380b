//! What a review leaves for the next one: [`Last::left_by`].
//!
//! Texts are kept as far as they are needed to know a claim again. How it is written down is `post::record`'s matter.

use super::{Became, Carried, Earlier, Last, Whereabouts};
use crate::{
    coverage::State,
    tally::{Issue, Tally, gate::Gate, verdict},
};

/// Characters of a claim and of its grounds that are kept, each.
pub(super) const TEXT_KEPT: usize = 400;
/// Characters of a line of code that are kept.
pub(super) const CODE_KEPT: usize = 240;

impl Last {
    /// What `tally`, a review of a pull request, leaves; `None` for other reviews.
    pub fn left_by(tally: &Tally, gate: &Gate) -> Option<Self> {
        let since = tally.since.as_ref()?;
        let holding = verdict::holding(tally);
        let counted = tally.issues.iter().filter(|issue| issue.is_counted());
        let reported = counted.map(|issue| reported(issue, holding.contains(issue.id.as_str())));
        Some(Self {
            run: tally.run.id.clone(),
            started_at: tally.run.started_at.clone(),
            base: since.pull.base.clone(),
            head: since.pull.head.clone(),
            fingerprint: since.fingerprint.clone(),
            complete: is_complete(tally, gate),
            issues: reported.chain(tally.earlier.iter().map(carried)).collect(),
            dropped: 0,
        })
    }
}

/// Whether nothing need be asked again: nobody who was asked failed to answer, and no more were wanted.
fn is_complete(tally: &Tally, gate: &Gate) -> bool {
    let is_settled = |state| match state {
        State::Answered | State::Skipped | State::NotRouted => true,
        State::Incomplete | State::Failed | State::TimedOut | State::Empty => false,
    };
    let answered = tally.coverage.iter().all(|task| is_settled(task.outcome.state));
    answered && gate.unread.is_empty() && tally.run.finished_at.is_some()
}

fn reported(issue: &Issue, holds: bool) -> Earlier {
    let first = issue.spokesman().map(|member| &member.anchored);
    let text = |text: &str| kept(text, TEXT_KEPT);
    let code = first.and_then(|first| first.code.as_deref().or(first.finding.quote.as_deref()));
    let code = code.filter(|code| !code.trim().is_empty());
    let before = issue.still_open();
    let more = |before: &&Earlier| before.lineages.len() > issue.lineages.len();
    Earlier {
        id: issue.id.clone(),
        path: issue.path.clone(),
        lines: issue.lines,
        symbol: issue.symbol.clone(),
        severity: issue.worst_severity(),
        agreement: before.map_or(issue.agreement, |before| issue.agreement.max(before.agreement)),
        lineages: before.filter(more).map_or(&issue.lineages, |before| &before.lineages).clone(),
        what: text(first.map_or("", |first| &first.finding.what)),
        why: text(first.map_or("", |first| &first.finding.why)),
        code: code.map(|code| kept(code.trim(), CODE_KEPT)),
        holds,
        is_fixed: false,
        disposition: issue.disposition.clone(),
        now: Whereabouts::Unknown,
    }
}

fn carried(one: &Carried) -> Earlier {
    Earlier { is_fixed: one.became == Became::Fixed, now: Whereabouts::Unknown, ..one.issue.clone() }
}

/// The beginning of a text.
pub(super) fn kept(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
