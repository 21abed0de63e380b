//! A pull request and the last review of it, filled into the shapes of `wire`: [`pull`], [`since`], [`earlier`].

use super::{agreement_word, disposition, severity_word};
use crate::{
    pull::Reviewed,
    report::wire,
    tally::since::{Became, Carried, Earlier, Last, Scope, Since, Standing},
};

pub(super) fn pull(pull: &Reviewed) -> wire::Pull {
    let Reviewed { address, base, target, head } = pull;
    wire::Pull {
        platform: address.platform.word().to_owned(),
        api: address.api.clone(),
        project: address.project.clone(),
        number: address.number,
        base: base.clone(),
        target: target.clone(),
        head: head.clone(),
    }
}

pub(super) fn since(since: &Since) -> wire::Since {
    let (scope, reason) = match &since.scope {
        Scope::First => (wire::ScopeWord::First, None),
        Scope::Incremental => (wire::ScopeWord::Incremental, None),
        Scope::Full(reason) => (wire::ScopeWord::Full, Some(reason.clone())),
    };
    wire::Since { scope, reason, last: since.last.as_ref().map(last), notes: since.notes.clone() }
}

fn last(last: &Last) -> wire::LastReview {
    wire::LastReview {
        run: last.run.clone(),
        started_at: last.started_at.clone(),
        base: last.base.clone(),
        head: last.head.clone(),
        dropped: last.dropped,
    }
}

pub(super) fn standing(standing: Standing) -> wire::StandingWord {
    match standing {
        Standing::New => wire::StandingWord::New,
        Standing::StillOpen => wire::StandingWord::StillOpen,
        Standing::BackAgain => wire::StandingWord::BackAgain,
    }
}

pub(super) fn was(before: &Earlier) -> wire::Was {
    wire::Was {
        severity: severity_word(before.severity),
        lineages: before.lineages.iter().map(ToString::to_string).collect(),
    }
}

pub(super) fn earlier(carried: &Carried) -> wire::EarlierIssue {
    let issue = &carried.issue;
    wire::EarlierIssue {
        id: issue.id.clone(),
        state: match carried.became {
            Became::BackAgain => wire::BecameWord::BackAgain,
            Became::StillOpen => wire::BecameWord::StillOpen,
            Became::Fixed => wire::BecameWord::Fixed,
            Became::Dismissed => wire::BecameWord::Dismissed,
        },
        path: issue.path.clone(),
        start_line: issue.lines.map(|lines| lines.start),
        end_line: issue.lines.map(|lines| lines.end),
        symbol: issue.symbol.clone(),
        severity: severity_word(issue.severity),
        agreement: agreement_word(issue.agreement),
        convergence: issue.lineages.len(),
        lineages: issue.lineages.iter().map(ToString::to_string).collect(),
        what: issue.what.clone(),
        why: issue.why.clone(),
        disposition: issue.disposition.as_ref().map(|one| disposition(one, &issue.id)),
    }
}
