//! What somebody sees who is asked about an issue, [`shown`], or about all of them, [`listed`].

use super::{CODE_SHOWN, claim, place};
use crate::{
    bundle::show::excerpt,
    mask,
    prompt::question::IssueShown,
    report::{foreign, words},
    tally::{Issue, Tally},
};

/// Most claims that are told, the first of the tally first.
const CLAIMS_SHOWN: usize = 4;

/// Most issues of a run that are listed, the weightiest first.
const ISSUES_LISTED: usize = 100;

/// Most characters of a claim in the list.
const LISTED_CLAIM: usize = 300;

/// A line an issue that stands, in the order of the tally, and one that says how many have no room.
pub fn listed(tally: &Tally) -> Vec<String> {
    let standing: Vec<&Issue> = tally.issues.iter().filter(|issue| issue.is_open()).collect();
    let mut lines: Vec<String> = standing.iter().take(ISSUES_LISTED).map(|issue| line(issue)).collect();
    if lines.is_empty() {
        lines.push("(nothing was reported)".to_owned());
    }
    if let Some(further @ 1..) = standing.len().checked_sub(ISSUES_LISTED) {
        lines.push(format!("({further} further issues left out)"));
    }
    lines
}

fn line(issue: &Issue) -> String {
    let what = issue.spokesman().map_or("", |member| &member.anchored.finding.what);
    let families = issue.lineages.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let what = words::shortened(&foreign::one_line(what), LISTED_CLAIM);
    format!("{} {} {} ({families}): {what}", issue.id, issue.severity, place(&issue.path, issue.lines))
}

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
