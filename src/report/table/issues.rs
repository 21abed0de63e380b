//! Open issues as columns, or one below the other where there is no room: the part of the [`Screen`] that is read most.
//!
//! Which issues there are, and what they are called, is `summary`'s knowledge.

use std::collections::HashSet;

use super::{Screen, claim};
use crate::{
    finding::Anchor,
    report::{earlier, judged, layout, summary, words},
    reviewer::ReviewerId,
    tally::{Agreement, Issue, Member},
};

/// Under this width issues are shown one below the other instead of in columns.
const STACKED_BELOW: usize = 72;

/// Wordings shown of an issue whose reviewers agree on the place only.
const WORDINGS_SHOWN: usize = 4;

/// Width of the column of examinations.
const EXAMINED: usize = 16;

impl Screen<'_> {
    pub(super) fn convergent(&self) -> String {
        let issues = summary::open(self.tally).filter(|issue| issue.is_convergent());
        self.issues("Found by more than one lineage", &issues.collect::<Vec<_>>())
    }

    pub(super) fn single(&self) -> String {
        let issues = summary::open(self.tally).filter(|issue| !issue.is_convergent() && !issue.is_refuted());
        self.issues("Found by one lineage alone", &issues.collect::<Vec<_>>())
    }

    /// One line each: they count, but somebody has shown the line that speaks against them.
    pub(super) fn refuted(&self) -> String {
        let issues: Vec<&Issue> = summary::open(self.tally).filter(|issue| issue.is_refuted()).collect();
        if issues.is_empty() {
            return String::new();
        }
        let line = |issue: &&Issue| {
            let said = summary::spokesman(issue).map(claim).unwrap_or_default();
            let against: Vec<String> =
                judged::examined(issue).map(|said| format!("{}: {}", said.who(), said.quote())).collect();
            let by: Vec<&str> = issue.reviewers.iter().map(ReviewerId::as_str).collect();
            let (severity, id) = (issue.severity, self.directory.short_id(issue));
            let (place, by, against) = (place_cell(issue), by.join(", "), against.join(", "));
            self.indented(&format!("{severity} {id} {place} {by}: {said} (refuted by {against})"))
        };
        self.title("Refuted, counted all the same", issues.len())
            + &issues.iter().map(line).collect::<String>()
    }

    fn issues(&self, title: &str, issues: &[&Issue]) -> String {
        if issues.is_empty() {
            return String::new();
        }
        let title = self.title(title, issues.len());
        let examined = issues.iter().any(|issue| !judged::examined_cell(issue).is_empty());
        let extra = if examined { EXAMINED + layout::GAP } else { 0 };
        if self.width < STACKED_BELOW + extra {
            return issues.iter().fold(title, |out, issue| out + &self.stacked(issue));
        }
        let columns = if examined { self.widths().with_examined() } else { self.widths() };
        let rows = issues.iter().map(|issue| self.row(issue, columns)).collect();
        let (place, agreement) = (columns.place, columns.agreement);
        let (place, agreement) = (format!("{:<place$}", "place"), format!("{:<agreement$}", "agreement"));
        let mut heading = vec!["severity", place.as_str(), agreement.as_str()];
        heading.extend(columns.examined.map(|_| "examined"));
        heading.push("what");
        title + &layout::columns(&heading, rows, self.ink)
    }

    /// The same widths for all issues, so that their tables stand in line.
    fn widths(&self) -> Columns {
        let widest = |cell: &dyn Fn(&Issue) -> String| {
            summary::open(self.tally).map(|issue| layout::width_of(&cell(issue))).max().unwrap_or(0)
        };
        Columns::fitting(
            self.width,
            widest(&|issue| self.directory.short_id(issue).to_owned()),
            widest(&place_cell),
            widest(&|issue| self.agreement_cell(issue)),
        )
    }

    fn row(&self, issue: &Issue, columns: Columns) -> Vec<String> {
        let convergent = issue.is_convergent();
        let agreement = layout::wrap(&self.agreement_cell(issue), columns.agreement).join("\n");
        let agreement = agreement.replace('\u{a0}', " ");
        let mut row = vec![
            format!(
                "{}\n{}",
                self.ink.severity(issue.severity, issue.severity.word()),
                self.ink.faint(self.directory.short_id(issue))
            ),
            layout::wrap(&place_cell(issue), columns.place).join("\n"),
            if convergent { self.ink.strong(&agreement) } else { agreement },
        ];
        row.extend(
            columns.examined.map(|width| layout::wrap(&judged::examined_cell(issue), width).join("\n")),
        );
        let what = self.what(issue);
        row.push(
            what.iter().flat_map(|said| layout::wrap(said, columns.what)).collect::<Vec<_>>().join("\n"),
        );
        row
    }

    fn stacked(&self, issue: &Issue) -> String {
        let agreement = self.agreement_cell(issue).replace('\u{a0}', " ");
        let examined = judged::examined_cell(issue);
        let examined = if examined.is_empty() { examined } else { format!("; {examined}") };
        let id = self.directory.short_id(issue);
        let head = format!("{} {} ({agreement}{examined}) {id}", issue.severity, place_cell(issue));
        let head = layout::wrap_hanging(&head, self.width, "", "      ").join("\n");
        let head = self.ink.severity(issue.severity, &head) + "\n";
        self.what(issue).iter().fold(head, |out, said| out + &self.indented(said))
    }

    /// Parts that are kept on one line each where possible hold no-break spaces.
    fn agreement_cell(&self, issue: &Issue) -> String {
        let count = summary::agreement(issue, self.heard).replace(' ', "\u{a0}");
        let agreed = summary::agreed_on(issue.agreement).map(|words| words.replace(' ', "\u{a0}"));
        let names: Vec<&str> = issue.reviewers.iter().map(ReviewerId::as_str).collect();
        let facts = agreed.map_or(count.clone(), |agreed| format!("{count}, {agreed}"));
        format!("{facts}: {}", names.join(", "))
    }

    /// The claim in one wording; where only the place is agreed on, in everybody's.
    fn what(&self, issue: &Issue) -> Vec<String> {
        let mut said: Vec<String> = match issue.agreement {
            Agreement::Claim | Agreement::Single => {
                summary::spokesman(issue).map(claim).into_iter().collect()
            }
            Agreement::Place => summary::standing(issue)
                .take(WORDINGS_SHOWN)
                .map(|member| format!("{}: {}", member.reviewer, claim(member)))
                .collect(),
        };
        for ruled in judged::adjudicated(issue).take(WORDINGS_SHOWN) {
            let why = Some(ruled.why()).filter(|why| ruled.is_answered() && !why.is_empty());
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            said.push(format!("(ruled {}{why})", ruled.in_short()));
        }
        let also = further_places(issue);
        if !also.is_empty() {
            said.push(format!("(also at {})", words::list_up_to(&also, 2)));
        }
        let near = self.directory.neighbours(issue);
        if !near.is_empty() {
            said.push(format!("(near {})", words::list_up_to(&near, 2)));
        }
        said.extend(issue.disposition.as_ref().map(|one| format!("({})", summary::decided_words(one))));
        said.extend(earlier::standing(issue).map(|standing| format!("({standing})")));
        said
    }
}

/// Widths of the columns whose content varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    place: usize,
    agreement: usize,
    /// Only where somebody was to examine something.
    examined: Option<usize>,
    what: usize,
}

impl Columns {
    /// Shares `width` out; the longest id, place and agreement say what those columns could use.
    fn fitting(width: usize, longest_id: usize, longest_place: usize, longest_agreement: usize) -> Self {
        let place = longest_place.clamp("place".len(), width / 4);
        let agreement = longest_agreement.clamp("agreement".len(), (width / 5).clamp(16, 40));
        let used = longest_id.max("severity".len()) + place + agreement + 3 * layout::GAP;
        Self { place, agreement, examined: None, what: width.saturating_sub(used).max(1) }
    }

    /// Takes the room for a column of examinations from the claims.
    fn with_examined(self) -> Self {
        Self {
            examined: Some(EXAMINED),
            what: self.what.saturating_sub(EXAMINED + layout::GAP).max(1),
            ..self
        }
    }
}

fn place_anchor(issue: &Issue) -> Option<Anchor> {
    summary::spokesman(issue).map(Member::anchor)
}

fn place_cell(issue: &Issue) -> String {
    let note =
        place_anchor(issue).filter(|anchor| *anchor != Anchor::Unchecked).and_then(summary::place_note);
    let place = summary::place(issue);
    note.map_or_else(|| place.clone(), |note| format!("{place} ({note})"))
}

/// Where its findings stand besides, each place once, in the order of the findings.
fn further_places(issue: &Issue) -> Vec<String> {
    let mut seen = HashSet::from([summary::place(issue)]);
    summary::standing(issue).flat_map(summary::also_at).filter(|place| seen.insert(place.clone())).collect()
}
