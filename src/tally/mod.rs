//! The tally: findings of all reviewers put together into issues, counted by distinct lineage, with what was not read.
//!
//! [`tally`] is a pure function of its input and does not depend on its order: `answers` reads and anchors every reply,
//! `cluster` puts findings together by `claim` and place, or as `judged`, `issues` makes ranked issues of them, `identity` names them,
//! [`gate`] and [`verdict`] judge. The wire form is `report::json`.

mod answers;
mod claim;
mod cluster;
pub mod explain;
mod fnv;
mod further;
pub mod gate;
mod identity;
mod issues;
mod judged;
pub mod lineage;
pub mod named;
pub mod since;
pub mod spent;
pub mod verdict;
mod words;
pub mod worth;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use answers::Answers;
pub use claim::{Evidence, Sameness, Tongue, evidence};
pub use cluster::{Nearness, one_issue};
use since::{Carried, Earlier, Shown, Since, Standing};

use serde::Deserialize;

use crate::{
    anchor::Anchored,
    bundle::{self, Bundle, Excluded, context::Growth},
    change::RangeInfo,
    coverage::Outcome,
    disposition::{self, Disposition},
    finding::{Anchor, LineRange, Severity, Verdict},
    judgement::{ClaimId, Examination, Judgements, Ruling, Unexamined},
    mask::Mask,
    reviewer::{Lineage, Panel, ReviewerId},
    route::Routes,
};

/// All that a tally is made of.
#[derive(Debug, Clone)]
pub struct Input {
    /// Which run.
    pub run: RunInfo,
    /// Which change.
    pub range: RangeInfo,
    /// Who was asked.
    pub panel: Panel,
    /// What was shown.
    pub bundles: Vec<Bundle>,
    /// What was not.
    pub excluded: Vec<Excluded>,
    /// One entry a task, with its reply.
    pub replies: Vec<TaskReply>,
    /// What others were asked about the findings.
    pub judgements: Judgements,
    /// What humans decided about issues of this or other runs.
    pub dispositions: Vec<Disposition>,
    /// Which pull request it is about, and what the last review of that left; `None` for other changes.
    pub since: Option<Since>,
}

/// A task's record and, when there was any text, the reply.
#[derive(Debug, Clone)]
pub struct TaskReply {
    /// The run's record.
    pub outcome: Outcome,
    /// The reply, verbatim.
    pub text: Option<String>,
}

/// Facts of the run that the tally repeats.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunInfo {
    /// Run id.
    pub id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC; absent while running and after an interruption.
    pub finished_at: Option<String>,
    /// Version of scrum that asked.
    pub tool_version: String,
    /// Hash of the prompt templates.
    pub prompt_hash: String,
    /// The page of the repository, without credentials, where it is on a server that has pages.
    pub repository: Option<String>,
    /// The run's fence nonce.
    pub nonce: Option<String>,
    /// What reviewers saw markers for.
    pub masks: Vec<Mask>,
    /// Why not everything was asked that should have been, such as a budget that is used up.
    pub cut_short: Option<String>,
    /// Who was asked about which bundle.
    pub routes: Routes,
    /// How much more than the hunks was shown.
    pub growth: Growth,
}

/// What the reviewers found, where they agree, and what was not read.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// Which run.
    pub run: RunInfo,
    /// Which change.
    pub range: RangeInfo,
    /// Who was asked.
    pub panel: Panel,
    /// What was shown.
    pub bundles: Vec<Bundle>,
    /// What was not.
    pub excluded: Vec<Excluded>,
    /// Every bundle × reviewer, ordered by bundle number, then reviewer id.
    pub coverage: Vec<Coverage>,
    /// Ranked: claim above place above single, then convergence, severity, path, line.
    pub issues: Vec<Issue>,
    /// Findings without a usable place.
    pub unplaced: Vec<Member>,
    /// Text that was not usable.
    pub rejects: Vec<RejectedText>,
    /// What others were asked about the findings; also with the issues they are about.
    pub judgements: Judgements,
    /// Which pull request it is about, and the last review of that; `None` for other changes.
    pub since: Option<Since>,
    /// Issues of the last review that nobody reports now, the weightiest first.
    pub earlier: Vec<Carried>,
}

/// A task's outcome with what its reply turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    /// The record, its state lowered where the reply was not usable.
    pub outcome: Outcome,
    /// The reviewer's verdict on the bundle.
    pub verdict: Option<Verdict>,
    /// Findings in the reply, retracted ones included.
    pub findings: usize,
}

/// Findings that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    /// Stable across pushes: from path, symbol or quoted code, and claim.
    pub id: String,
    /// Repository path.
    pub path: String,
    /// Lines of its first member; `None` when only a symbol or file is named.
    pub lines: Option<LineRange>,
    /// Enclosing function or type.
    pub symbol: Option<String>,
    /// The worst of its counted members.
    pub severity: Severity,
    /// What the lineages agree on.
    pub agreement: Agreement,
    /// Distinct lineages with a counted member, in name order.
    pub lineages: Vec<Lineage>,
    /// Reviewers with a counted member, in name order.
    pub reviewers: Vec<ReviewerId>,
    /// Ids of near issues that are not the same.
    pub see_also: Vec<String>,
    /// All findings of the issue, retracted ones too.
    pub members: Vec<Member>,
    /// Of a `place` issue: positions of the members that stand for a group of claims of another lineage than the first
    /// member's, about which it is not settled whether they are its claim.
    pub unsettled: Vec<usize>,
    /// What adjudicators said about its claims. Decides between `claim`, `place` and two issues; adds no lineage.
    pub adjudications: Vec<Ruling>,
    /// What reviewers of other lineages said about its claims. Changes no count and no gate.
    pub examinations: Vec<Examination>,
    /// Its claims that could not be put to anybody.
    pub unexamined: Vec<Unexamined>,
    /// What a human decided about it.
    pub disposition: Option<Disposition>,
    /// How it relates to the last review of the same pull request; `None` where there is none.
    pub standing: Option<Standing>,
    /// The issue of that review which it is.
    pub earlier: Option<Box<Earlier>>,
}

impl Issue {
    /// Distinct lineages. Never counts retracted findings.
    pub fn convergence(&self) -> usize {
        self.lineages.len()
    }
}

/// What the lineages of an issue agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Agreement {
    /// One lineage only.
    Single,
    /// The same place; whether they claim the same is not settled.
    Place,
    /// The same claim.
    Claim,
}

impl Agreement {
    /// Every one, the weakest first.
    pub const ALL: [Self; 3] = [Self::Single, Self::Place, Self::Claim];

    /// The word used in the tally.
    pub fn word(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Place => "place",
            Self::Claim => "claim",
        }
    }
}

/// One finding with who made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub reviewer: ReviewerId,
    /// Of which descent.
    pub lineage: Lineage,
    /// About which bundle.
    pub bundle: String,
    /// The finding and its place.
    pub anchored: Anchored,
}

impl Member {
    /// Names what it claims.
    pub fn claim_id(&self) -> ClaimId {
        let Anchored { path, code, finding, .. } = &self.anchored;
        let (path, code) = (path.as_deref().unwrap_or_default(), code.as_deref().unwrap_or_default());
        ClaimId::of(path, code, &finding.what, &finding.why)
    }

    /// How its place relates to the change.
    pub fn anchor(&self) -> Anchor {
        self.anchored.anchor
    }
}

/// A reject with whose reply it stood in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedText {
    /// About which bundle.
    pub bundle: String,
    /// Whose reply.
    pub reviewer: ReviewerId,
    /// The text.
    pub text: String,
    /// Why it was not usable.
    pub reason: String,
}

/// Puts everything together. The order of `input`'s lists never changes the result.
pub fn tally(input: Input) -> Tally {
    read(input).tally()
}

/// A run whose replies have been read, and not put together yet.
#[derive(Debug)]
pub struct Read {
    answers: Answers,
    input: Input,
}

impl Read {
    /// Puts everything together.
    pub fn tally(self) -> Tally {
        assembled(self.answers, self.input)
    }
}

/// The first half of [`tally`].
pub fn read(mut input: Input) -> Read {
    input.panel.reviewers.sort_by(|a, b| a.id.cmp(&b.id));
    sort_bundles(&mut input.bundles);
    input.excluded.sort_by(|a, b| (&a.path, a.reason).cmp(&(&b.path, b.reason)));
    judged::sort(&mut input.judgements);
    Read { answers: answers::read(&mut input), input }
}

fn assembled(answers: Answers, mut input: Input) -> Tally {
    let decided = decided(&mut input);
    let (placed, mut unplaced): (Vec<_>, Vec<_>) =
        answers.members.into_iter().partition(|member| member.anchored.path.is_some());
    unplaced.sort_by(cluster::order);
    let mut issues = issues::issues(placed, &input.judgements, &decided);
    let shown = Shown { bundles: &input.bundles, excluded: &input.excluded, coverage: &answers.coverage };
    let earlier = input.since.as_ref().map(|since| since::join(since, &mut issues, &decided, &shown));
    Tally {
        run: input.run,
        range: input.range,
        panel: input.panel,
        bundles: input.bundles,
        excluded: input.excluded,
        coverage: answers.coverage,
        issues,
        unplaced,
        rejects: answers.rejects,
        judgements: input.judgements,
        since: input.since,
        earlier: earlier.unwrap_or_default(),
    }
}

/// The last word about each issue: decisions made here, in the pull request's conversation, and those that the last review knew of.
fn decided(input: &mut Input) -> BTreeMap<String, Disposition> {
    let mut all = std::mem::take(&mut input.dispositions);
    if let Some(since) = &input.since {
        let before = since.last.iter().flat_map(|last| &last.issues);
        all.extend(before.filter_map(|issue| issue.disposition.clone()));
        all.extend(since.decisions.iter().cloned());
    }
    disposition::latest(all)
}

fn sort_bundles(bundles: &mut [Bundle]) {
    bundles.sort_by(|a, b| bundle_order(&a.id, &b.id));
    for bundle in bundles {
        bundle.files.sort_by(|a, b| bundle::order(a).cmp(&bundle::order(b)));
        bundle
            .files
            .iter_mut()
            .for_each(|file| file.hunks.sort_by_key(|hunk| (hunk.new_start, hunk.old_start)));
    }
}

/// By the number in `c12_name`, then by the whole name.
fn bundle_order(a: &str, b: &str) -> std::cmp::Ordering {
    fn number(id: &str) -> u32 {
        let digits = id.strip_prefix('c').and_then(|rest| rest.split('_').next());
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(u32::MAX)
    }
    (number(a), a).cmp(&(number(b), b))
}
