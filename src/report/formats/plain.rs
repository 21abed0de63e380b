//! An issue in plain sentences: the [`Teller`] says the same in every form.
//!
//! Every line is harmless to print and begins with a word of our own, so that no foreign text decides what kind of line it is.

use crate::{
    change::RepoPath,
    finding::{Finding, LineRange},
    report::{
        foreign,
        judged::{self, Said},
        summary::{self, Directory},
        words,
    },
    tally::{Issue, Member, Tally},
};

/// Characters of a claim that stand in for a name.
const TITLE: usize = 200;

/// Tells issues; knows what each of them needs to know of the whole tally.
pub(super) struct Teller<'a> {
    heard: usize,
    directory: Directory<'a>,
}

impl<'a> Teller<'a> {
    pub(super) fn of(tally: &'a Tally) -> Self {
        Self { heard: summary::heard(tally).len(), directory: Directory::of(tally) }
    }

    /// `BLOCK, 2 of 3 lineages, same claim`.
    pub(super) fn weight(&self, issue: &Issue) -> String {
        let agreed = summary::agreed_on(issue.agreement).map(|on| format!(", {on}")).unwrap_or_default();
        format!("{}, {}{agreed}", issue.severity, summary::agreement(issue, self.heard))
    }

    /// The weight and the claim, then who said what and why, what others answered, and the id.
    pub(super) fn lines(&self, issue: &Issue) -> Vec<String> {
        let mut lines = vec![format!("{}: {}", self.weight(issue), claim(issue))];
        let spokesman = summary::spokesman(issue);
        let is_spokesman = |member: &Member| spokesman.is_some_and(|one| std::ptr::eq(one, member));
        lines.extend(summary::standing(issue).map(|member| said(member, is_spokesman(member))));
        lines.extend(judged::adjudicated(issue).map(|said| judgement("Adjudicated", said)));
        lines.extend(judged::examined(issue).map(|said| judgement("Examined", said)));
        lines.extend(issue.unexamined.first().map(|one| format!("Not examined: {}", sentence(&one.reason))));
        lines.extend(
            issue.disposition.as_ref().map(|one| words::sentence(&summary::decided_words(one)) + "."),
        );
        let near = self.directory.neighbours(issue);
        if !near.is_empty() {
            lines.push(format!("Near, but another claim: {}.", words::list_up_to(&near, 5)));
        }
        lines.push(format!("Issue {}.", issue.id));
        lines
    }
}

/// What is claimed, as the first reviewer of the issue's severity put it.
pub(super) fn claim(issue: &Issue) -> String {
    summary::spokesman(issue).map(|member| sentence(&member.anchored.finding.what)).unwrap_or_default()
}

/// The claim where there is room for a name only.
pub(super) fn title(issue: &Issue) -> String {
    words::shortened(&claim(issue), TITLE)
}

/// A finding without a place: `WARN by kimi (moonshot): …`.
pub(super) fn unplaced(member: &Member) -> String {
    let finding = &member.anchored.finding;
    let grounds = grounds(finding);
    format!(
        "{} by {}: {}",
        finding.severity,
        who(member),
        [vec![sentence(&finding.what)], grounds].concat().join(" ")
    )
}

/// `path` as programs of the repository's users find it: its own bytes where those are harmless text, else spelled out.
pub(super) fn path(shown: &str) -> String {
    let path = RepoPath::from_display(shown.trim_start_matches('/'));
    match std::str::from_utf8(path.as_bytes()) {
        Ok(text) if !text.chars().any(|c| c.is_control() || foreign::is_hidden(c)) => text.to_owned(),
        Ok(_) | Err(_) => foreign::one_line(shown),
    }
}

/// The lines of an issue; a form that needs one takes the first of them.
pub(super) fn first_line(issue: &Issue) -> Option<u32> {
    issue.lines.map(|LineRange { start, .. }| start)
}

/// Why and how to mend it, where that is said.
fn grounds(finding: &Finding) -> Vec<String> {
    let parts = [("Why", &finding.why), ("Fix", &finding.fix)].into_iter();
    let told = parts.filter(|(_, text)| !text.trim().is_empty());
    told.map(|(name, text)| format!("{name}: {}", sentence(text))).collect()
}

fn said(member: &Member, is_spokesman: bool) -> String {
    let finding = &member.anchored.finding;
    let what = if is_spokesman { String::new() } else { format!(": {}", sentence(&finding.what)) };
    let end = if is_spokesman { "." } else { "" };
    let note = member.anchored.note.as_deref().or_else(|| summary::place_note(member.anchor()));
    let note = note.map(|note| format!("Place: {}", sentence(note)));
    let head = format!("{} says {}{what}{end}", who(member), finding.severity);
    [vec![head], grounds(finding), note.into_iter().collect()].concat().join(" ")
}

fn judgement(how: &str, said: Said<'_>) -> String {
    format!("{how} by {}: {}. {}", said.who(), said.word, sentence(&said.why())).trim_end().to_owned()
}

/// `kimi (moonshot)`.
fn who(member: &Member) -> String {
    format!("{} ({})", member.reviewer, foreign::one_line(member.lineage.as_str()))
}

/// Foreign words as one line that ends in a mark.
fn sentence(text: &str) -> String {
    let line = foreign::one_line(text);
    let ends = line.is_empty() || line.ends_with(['.', '!', '?', ':', '…', ';', '。']);
    if ends { line } else { line + "." }
}
