//! Shows a [`Tally`] as Markdown for a pull request: [`render`], and [`within`] for a comment that may only be so long.
//!
//! The verdict comes first, then who was asked, what was not read and what became of the last review's issues; issues that lineages
//! agree on with every wording, then what one reviewer calls a BLOCK; the rest is folded. All foreign text passes through [`escape`].

pub mod escape;
mod fold;
mod heading;
mod issue;
mod ledger;

use fold::{Entry, Section, Weight};
use issue::{Writer, said, said_briefly};

use crate::{
    report::{coverage, foreign, masks, summary, words},
    tally::{Issue, Member, RejectedText, Tally, gate::Gate},
};

/// Lines of an unusable text that are shown.
const REJECT_LINES: usize = 6;

/// Longest line, in characters, of a part that cannot be left out, as a share of the document: so many of them fit.
const LINES_THAT_FIT: usize = 40;

/// The tally as Markdown, with a final newline.
pub fn render(tally: &Tally, gate: &Gate) -> String {
    within(tally, gate, usize::MAX, &[])
}

/// The same in at most `most` characters, at least a thousand: the least weighty entries are told in brief or only counted, never
/// the verdict or what was not read. `notes` are lines of Markdown that stand below the verdict.
pub fn within(tally: &Tally, gate: &Gate, most: usize, notes: &[String]) -> String {
    let longest = most / LINES_THAT_FIT;
    let mut sections = sections(tally, gate, longest, notes);
    if fold::fits(&mut sections, most) {
        return fold::joined(&sections);
    }
    let whole = format!(
        "\n*Shortened to fit a comment; all of it is in `tally.md` of the run: {}*\n",
        ledger::reprint(tally)
    );
    let room = most.saturating_sub(fold::length(&whole));
    let (text, _) = fold::fit(sections, room);
    if fold::length(&text) <= room { text + &whole } else { heading::least(tally, gate) + &whole }
}

/// One issue of `tally` as it is told there, in at most `most` characters; in brief where it is longer.
pub fn issue(tally: &Tally, issue: &Issue, most: usize) -> String {
    Writer::of(tally).alone_in(issue, most)
}

fn sections(tally: &Tally, gate: &Gate, longest: usize, notes: &[String]) -> Vec<Section> {
    let writer = Writer::of(tally);
    vec![
        Section::fixed(heading::heading(tally, gate, longest, notes)),
        heading::gaps(tally),
        heading::asked(tally),
        writer.convergent(),
        writer.blocks(),
        writer.earlier_blocks(),
        writer.refuted(),
        writer.others(),
        writer.earlier_others(),
        writer.dismissed(),
        writer.fixed(),
        unplaced(tally),
        retracted(tally),
        rejects(tally),
        ledger::ledger(tally),
        unseen("Not shown to reviewers:", &coverage::excluded_lines(&tally.excluded)),
        masked(tally),
        Section::fixed(ledger::footer(tally)),
    ]
}

/// A part that opens on a click.
fn folded(
    weight: Weight,
    noun: &'static str,
    title: &str,
    between: &'static str,
    entries: Vec<Entry>,
) -> Section {
    if entries.is_empty() {
        return Section::fixed(String::new());
    }
    let before = format!("<details>\n<summary>{title}</summary>\n\n");
    Section { weight, before, entries, between, after: "\n</details>\n".to_owned(), noun }
}

fn unplaced(tally: &Tally) -> Section {
    let members = summary::unplaced(tally);
    let title = format!("{} without a place in the change", words::count(members.len(), "finding"));
    let entry = |member: &&Member| Entry::new(said(member), said_briefly(member));
    folded(Weight::Loose, "finding", &title, "", members.iter().map(entry).collect())
}

fn retracted(tally: &Tally) -> Section {
    let line = |member: &&Member| {
        let finding = &member.anchored.finding;
        let (reviewer, what) = (escape::cell(member.reviewer.as_str()), escape::text(&finding.what));
        let place = escape::code(&finding.where_text);
        Entry::line(format!(
            "({reviewer} emitted a {} on {place} and took it back: {what})\n",
            finding.severity
        ))
    };
    let entries = summary::retracted(tally).iter().map(line).collect();
    let (before, after) = <_>::default();
    Section {
        weight: Weight::TakenBack,
        before,
        entries,
        between: "\n",
        after,
        noun: "finding that was taken back",
    }
}

fn rejects(tally: &Tally) -> Section {
    let entry = |reject: &RejectedText| {
        let lines: Vec<String> = foreign::lines(&reject.text)
            .iter()
            .take(REJECT_LINES)
            .map(|line| words::shortened(line, 200))
            .collect();
        let (reviewer, reason) = (escape::cell(reject.reviewer.as_str()), escape::cell(&reject.reason));
        let bundle = escape::cell(&words::bundle_name(&reject.bundle));
        let head = format!("- {reviewer} on {bundle}: {reason}\n");
        Entry::new(format!("{head}\n{}", escape::fence(&lines, "  ")), head)
    };
    let title = format!("{} not usable", words::count(tally.rejects.len(), "text"));
    folded(Weight::Unusable, "text", &title, "\n", tally.rejects.iter().map(entry).collect())
}

fn masked(tally: &Tally) -> Section {
    let masks = &tally.run.masks;
    let count = words::count(masks::count(masks), "credential");
    unseen(&format!("{count} masked for reviewers:"), &masks::lines(masks))
}

/// A list of what reviewers did not see.
fn unseen(title: &str, lines: &[String]) -> Section {
    if lines.is_empty() {
        return Section::fixed(String::new());
    }
    let entry = |line: &String| {
        let brief = words::shortened(line, 200);
        Entry::new(format!("- {}\n", escape::cell(line)), format!("- {}\n", escape::cell(&brief)))
    };
    let entries = lines.iter().map(entry).collect();
    let (before, after) = (format!("{title}\n\n"), String::new());
    Section { weight: Weight::Unseen, before, entries, between: "", after, noun: "line" }
}
