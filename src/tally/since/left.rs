//! What a review leaves for the next one: [`Last::left_by`].
//!
//! Texts are kept as far as they are needed to know a claim again. How it is written down is `post::record`'s matter.

use super::{Became, Carried, Earlier, Last, MOST_LEFT, Scope, Whereabouts};
use crate::{
    coverage::State,
    tally::{
        Issue, Tally,
        gate::{self, Gate},
        verdict,
    },
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
        let mut issues: Vec<Earlier> = reported.chain(tally.earlier.iter().map(carried)).collect();
        let before = since.last.as_ref().filter(|_| !was_read_anew(tally, gate));
        let dropped = before.map_or(0, |last| last.dropped) + drop_least(&mut issues);
        Some(Self {
            run: tally.run.id.clone(),
            started_at: tally.run.started_at.clone(),
            base: since.pull.base.clone(),
            head: since.pull.head.clone(),
            fingerprint: since.fingerprint.clone(),
            complete: is_complete(tally, gate),
            issues,
            dropped,
        })
    }
}

/// Takes out what weighs least where there is too much, and counts what of that was open.
fn drop_least(issues: &mut Vec<Earlier>) -> usize {
    if issues.len() <= MOST_LEFT {
        return 0;
    }
    issues.sort_by(|a, b| b.weight().cmp(&a.weight()).then_with(|| a.id.cmp(&b.id)));
    issues.split_off(MOST_LEFT).iter().filter(|one| !one.is_fixed).count()
}

/// Whether all of the pull request was asked about again and answered in full: then what the last record had no room for is settled.
fn was_read_anew(tally: &Tally, gate: &Gate) -> bool {
    let is_all = tally.since.as_ref().is_some_and(|since| since.scope != Scope::Incremental);
    let forgotten = gate::forgotten(tally);
    is_all && is_answered(tally) && gate.unread.iter().all(|reason| forgotten.contains(reason))
}

/// Whether nothing need be asked again: nobody who was asked failed to answer, and no more were wanted.
fn is_complete(tally: &Tally, gate: &Gate) -> bool {
    is_answered(tally) && gate.unread.is_empty()
}

/// Whether the run is finished and everybody who was asked answered.
fn is_answered(tally: &Tally) -> bool {
    let is_settled = |state| match state {
        State::Answered | State::Skipped | State::NotRouted => true,
        State::Incomplete | State::Failed | State::TimedOut | State::Empty => false,
    };
    tally.run.finished_at.is_some() && tally.coverage.iter().all(|task| is_settled(task.outcome.state))
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
