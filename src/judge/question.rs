//! What somebody sees who is asked about an issue: [`shown`].

use super::{CODE_SHOWN, claim, place};
use crate::{
    bundle::show::excerpt,
    mask,
    prompt::question::IssueShown,
    tally::{Issue, Tally},
};

/// Most claims that are told, the first of the tally first.
const CLAIMS_SHOWN: usize = 4;

/// The claims of `issue`, and the code around its place as reviewers saw it.
pub fn shown(tally: &Tally, issue: &Issue) -> IssueShown {
    let standing = issue.members.iter().filter(|member| !member.anchored.finding.retracted);
    let mut claims: Vec<_> =
        standing.map(|member| (member.reviewer.to_string(), claim(member, true))).collect();
    let further_claims = claims.len().saturating_sub(CLAIMS_SHOWN);
    claims.truncate(CLAIMS_SHOWN);
    let bundles = mask::shown(&tally.bundles, &tally.run.masks);
    IssueShown {
        place: place(&issue.path, issue.lines),
        severity: issue.severity.word(),
        claims,
        further_claims,
        code: excerpt(&bundles, &issue.path, issue.lines, CODE_SHOWN),
    }
}
