//! Says in words why an issue is one: [`render`] and [`render_json`] for `scrum explain`.
//!
//! What is said comes from `tally::explain`; nothing is judged here.

use serde::Serialize;

use crate::{
    finding::{Anchor, LineRange},
    report::{
        foreign, json,
        layout::{self, Ink, NARROWEST},
        summary::{self, Directory},
        words,
    },
    reviewer::Lineage,
    tally::{
        Agreement, Evidence, Issue, Member, Nearness, Sameness, Tally,
        explain::{Because, Comparison, Explanation, Join, Parting, Rule},
    },
};

/// Shared words that are named.
const WORDS_NAMED: usize = 12;

/// The explanation for a terminal `width` columns wide (at least 40 are used), with a final newline.
pub fn render(tally: &Tally, issue: &Issue, explanation: &Explanation, width: usize, color: bool) -> String {
    let page = Page { tally, issue, width: width.max(NARROWEST), ink: Ink { on: color } };
    let members = issue.members.iter().zip(&explanation.joins).enumerate();
    let mut parts = vec![page.head()];
    parts.extend(members.map(|(at, (member, join))| page.member(at, member, join)));
    parts.push(page.partings(&explanation.partings));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

struct Page<'a> {
    tally: &'a Tally,
    issue: &'a Issue,
    width: usize,
    ink: Ink,
}

impl Page<'_> {
    fn head(&self) -> String {
        let issue = self.issue;
        let title = format!("{} {} {}", issue.severity, summary::place(issue), issue.id);
        let mut out = self.ink.severity(issue.severity, self.sentence(&title).trim_end()) + "\n";
        out += &self.sentence(&agreement(issue, summary::heard(self.tally).len()));
        if let Some(disposition) = &issue.disposition {
            out += &self.sentence(&words::sentence(&summary::decided_words(disposition)));
        }
        out
    }

    fn member(&self, at: usize, member: &Member, join: &Join) -> String {
        let finding = &member.anchored.finding;
        let own = match foreign::one_line(&finding.severity_word) {
            own if own.is_empty() || own.eq_ignore_ascii_case(finding.severity.word()) => String::new(),
            own => format!(", in its own words \"{own}\""),
        };
        let retracted = if finding.retracted { ", and took it back" } else { "" };
        let lineage = foreign::one_line(member.lineage.as_str());
        let head =
            format!("{} {} ({lineage}): {}{own}{retracted}", at + 1, member.reviewer, finding.severity);
        let mut out = self.ink.strong(self.sentence(&head).trim_end()) + "\n";
        out += &self.line("place:", &place(member));
        for also in &member.anchored.also {
            let path = also.path.as_deref().unwrap_or("nowhere");
            out += &self.line("also:", &spot(path, also.lines, also.symbol.as_deref()));
        }
        out += &self.line("what:", &foreign::one_line(&finding.what));
        if !finding.why.trim().is_empty() {
            out += &self.line("why:", &foreign::one_line(&finding.why));
        }
        out + &self.line("here:", &joined(&self.issue.members, join))
    }

    fn partings(&self, partings: &[Parting]) -> String {
        if partings.is_empty() {
            return String::new();
        }
        let directory = Directory::of(self.tally);
        let mut out = self.ink.strong(&format!("Near, but other issues ({})", partings.len())) + "\n";
        for parting in partings {
            let other = self.tally.issues.iter().find(|issue| issue.id == parting.issue);
            let Some(other) = other else { continue };
            let what = summary::spokesman(other).map(|member| member.anchored.finding.what.as_str());
            let what = words::shortened(&foreign::one_line(what.unwrap_or_default()), 200);
            let (id, place) = (directory.short_id(other), summary::place(other));
            let head = format!("{id} {} {place}: {what}", other.severity);
            out += &(layout::wrap_hanging(&head, self.width, "  ", "    ").join("\n") + "\n");
            let line = layout::wrap_hanging(&parted(parting), self.width, "    ", "    ");
            out += &(line.join("\n") + "\n");
        }
        out
    }

    /// A sentence from the left edge.
    fn sentence(&self, text: &str) -> String {
        layout::wrap_hanging(text, self.width, "", "  ").join("\n") + "\n"
    }

    /// A line that is marked in front; what does not fit hangs behind the mark.
    fn line(&self, mark: &str, text: &str) -> String {
        layout::wrap_hanging(text, self.width, &format!("  {mark:<7}"), &" ".repeat(9)).join("\n") + "\n"
    }
}

/// What the lineages agree on, in a sentence.
fn agreement(issue: &Issue, heard: usize) -> String {
    let count = summary::agreement(issue, heard);
    let names: Vec<String> = issue.lineages.iter().map(|one| foreign::one_line(one.as_str())).collect();
    let names = words::list(&names);
    match issue.agreement {
        _ if issue.lineages.is_empty() => {
            "Everybody who said it took it back: it counts for nothing.".to_owned()
        }
        Agreement::Claim => format!("{count} say the same: {names}."),
        Agreement::Place => {
            format!("{count} speak of the same place: {names}. Whether they say the same is not settled.")
        }
        Agreement::Single => format!("{count}, {names} alone."),
    }
}

/// The place as it was found in the change, and as written where that says something else.
fn place(member: &Member) -> String {
    let anchored = &member.anchored;
    let written = foreign::one_line(&anchored.finding.where_text);
    let found = match &anchored.path {
        Some(path) => {
            format!("{}, {}", spot(path, anchored.lines, anchored.symbol.as_deref()), on(anchored.anchor))
        }
        None => on(anchored.anchor).to_owned(),
    };
    let exact =
        anchored.path.as_deref().is_some_and(|path| written.contains(&spot(path, anchored.lines, None)));
    let written = match written.as_str() {
        "" => "no place given; ".to_owned(),
        _ if exact => String::new(),
        written => format!("written \"{written}\"; "),
    };
    let note = anchored.note.as_deref().map(|note| format!(" ({})", foreign::one_line(note)));
    written + &found + &note.unwrap_or_default()
}

/// `src/a.rs:3-4 in parse`.
fn spot(path: &str, lines: Option<LineRange>, symbol: Option<&str>) -> String {
    let lines = match lines {
        Some(LineRange { start, end }) if start == end => format!(":{start}"),
        Some(LineRange { start, end }) => format!(":{start}-{end}"),
        None => String::new(),
    };
    let symbol = symbol.map(|symbol| format!(" in {symbol}")).unwrap_or_default();
    foreign::one_line(&format!("{path}{lines}{symbol}"))
}

fn on(anchor: Anchor) -> &'static str {
    match anchor {
        Anchor::Changed => "on a changed line",
        Anchor::Context => "in the shown context",
        Anchor::File => "in a changed file, outside the shown lines",
        Anchor::Moved => "moved there",
        Anchor::Outside => "in a file that the change does not touch",
        Anchor::Nowhere => "not found",
        Anchor::Unchecked => "not checked, no bundle at hand",
    }
}

/// How a member came in. Members are named by their number and reviewer.
fn joined(members: &[Member], join: &Join) -> String {
    let name = |at: usize| format!("{} ({})", at + 1, members[at].reviewer);
    let by = match &join.rule {
        Rule::First if members.len() == 1 => "the only finding".to_owned(),
        Rule::First => "comes first by place; the others were held against it".to_owned(),
        Rule::Claim { to, nearness, same_as, comparison } => {
            let near = nearness_to(*nearness, &name(*to));
            let same = if same_as == to { String::new() } else { format!(" as {}", name(*same_as)) };
            format!("{near}, and says the same{same}: {}", figures(comparison))
        }
        Rule::Place { to, nearness, comparison } => {
            let near = nearness_to(*nearness, &name(*to));
            format!("{near}; whether it says the same is not settled: {}", figures(comparison))
        }
        Rule::Further { to, same_as, comparison } => {
            let says = format!("says the same as {}: {}", name(*same_as), figures(comparison));
            format!("a further place of it or of {} is near the other, and it {says}", name(*to))
        }
        Rule::Location { with } => format!(
            "stands at the very same location as {}: what one reviewer says at one location is one entry",
            name(*with)
        ),
        Rule::TakenBack { beside, same: true } => {
            format!(
                "taken back, so it counts for nothing; shown beside {}, which says the same",
                name(*beside)
            )
        }
        Rule::TakenBack { beside, same: false } => {
            format!(
                "taken back, so it counts for nothing; shown beside {} at the same location",
                name(*beside)
            )
        }
    };
    let once = join.counts_with.map(|at| {
        let lineage = foreign::one_line(members[at].lineage.as_str());
        format!(". Counts once with {}: both are {lineage}", name(at))
    });
    by + &once.unwrap_or_default()
}

fn nearness_to(nearness: Nearness, other: &str) -> String {
    match nearness {
        Nearness::Overlap => format!("shares a line with {other}"),
        Nearness::NamedSymbol => {
            format!("meets {other}: one names the function or type that the other lies in")
        }
        Nearness::Lines(gap) => format!("near {other}, {} apart", words::count(gap as usize, "line")),
        Nearness::SameSymbol => format!("near {other}, in the same function or type"),
        Nearness::WholeFile => format!("speaks of the whole file, as {other}"),
    }
}

/// Why a near issue is another one.
fn parted(parting: &Parting) -> String {
    let near = match parting.nearness {
        Some(nearness) => nearness_to(nearness, "this one"),
        None => "near by a further place only".to_owned(),
    };
    let figures = figures(&parting.comparison);
    match &parting.because {
        Because::ClaimsDiffer => format!("{near}, but the claims differ: {figures}"),
        Because::OneReviewer(by) => {
            format!("{near}, but {by} speaks of both, at two locations: those are two remarks ({figures})")
        }
        Because::MembersDiffer => format!("{near}, but claims of two members differ: {figures}"),
        Because::OnlyNear => {
            format!("{near} and no nearer, and the claims do not settle that they are the same: {figures}")
        }
        Because::Settled => format!(
            "{near}, and one of the two is agreed on by claim, which takes in nothing by place: {figures}"
        ),
        Because::FitsAnother => format!(
            "{near}, but each finding joins one issue only, the one it fits best at its turn ({figures})"
        ),
    }
}

/// `likeness 0.41, 0.30 is asked; both hold "handshake" and "socket"`, behind the ruling that goes before it.
fn figures(comparison: &Comparison) -> String {
    let by_words = by_words(&comparison.evidence);
    let Some(ruling) = &comparison.ruling else { return by_words };
    let by = &ruling.hearing.by.id;
    let quote = words::shortened(&foreign::one_line(&ruling.hearing.quote), 200);
    let answer = ruling.answer.word();
    format!("the adjudicator {by} ruled {answer}, quoting \"{quote}\" (by their words: {by_words})")
}

fn by_words(evidence: &Evidence) -> String {
    let Evidence { answer, least, most, bound, .. } = evidence;
    let likeness = match answer {
        Sameness::Same if least >= bound => format!("likeness {least:.2}, {bound:.2} is asked"),
        Sameness::Same => "word for word".to_owned(),
        Sameness::Different => format!("likeness {most:.2} at most, under {bound:.2}"),
        Sameness::Unclear if most < bound => {
            format!("likeness {most:.2} at most, under {bound:.2}, but only English texts can clearly differ")
        }
        Sameness::Unclear => format!("likeness between {least:.2} and {most:.2}, {bound:.2} is asked"),
    };
    let quoted: Vec<String> =
        evidence.shared.iter().map(|word| format!("\"{}\"", foreign::one_line(word))).collect();
    if quoted.is_empty() {
        return format!("{likeness}; they share no telling word");
    }
    format!("{likeness}; both hold {}", words::list_up_to(&quoted, WORDS_NAMED))
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: &'static str,
    run: &'a str,
    issue: &'a str,
    agreement: &'static str,
    convergence: usize,
    lineages: Vec<&'a str>,
    members: Vec<JoinEntry<'a>>,
    see_also: Vec<PartingEntry<'a>>,
}

/// Numbers are positions in `members`, from 0.
#[derive(Debug, Serialize)]
struct JoinEntry<'a> {
    reviewer: &'a str,
    lineage: &'a str,
    what: &'a str,
    /// `first`, `claim`, `place`, `further-place`, `same-location`, `taken-back`.
    rule: &'static str,
    held_against: Option<usize>,
    nearness: Option<&'static str>,
    lines_apart: Option<u32>,
    same_as: Option<usize>,
    evidence: Option<EvidenceEntry<'a>>,
    counts_with: Option<usize>,
}

#[derive(Debug, Serialize)]
struct PartingEntry<'a> {
    issue: &'a str,
    nearness: Option<&'static str>,
    lines_apart: Option<u32>,
    because: &'static str,
    evidence: EvidenceEntry<'a>,
}

#[derive(Debug, Serialize)]
struct EvidenceEntry<'a> {
    /// `same`, `unclear`, `different`: as ruled, else by the words.
    answer: &'static str,
    /// The adjudicator whose ruling goes before the words.
    ruled_by: Option<&'a str>,
    least: f32,
    most: f32,
    bound: f32,
    telling: [usize; 2],
    shared: &'a [String],
}

/// As JSON (`scrum.explanation/1`), with a final newline.
pub fn render_json(tally: &Tally, issue: &Issue, explanation: &Explanation) -> String {
    let members = issue.members.iter().zip(&explanation.joins);
    json::pretty(&Document {
        schema: "scrum.explanation/1",
        run: &tally.run.id,
        issue: &issue.id,
        agreement: issue.agreement.word(),
        convergence: issue.convergence(),
        lineages: issue.lineages.iter().map(Lineage::as_str).collect(),
        members: members.map(|(member, join)| join_entry(member, join)).collect(),
        see_also: explanation.partings.iter().map(parting_entry).collect(),
    })
}

fn join_entry<'a>(member: &'a Member, join: &'a Join) -> JoinEntry<'a> {
    let (rule, held_against, nearness, same_as, comparison) = match &join.rule {
        Rule::First => ("first", None, None, None, None),
        Rule::Claim { to, nearness, same_as, comparison } => {
            ("claim", Some(*to), Some(*nearness), Some(*same_as), Some(comparison))
        }
        Rule::Place { to, nearness, comparison } => {
            ("place", Some(*to), Some(*nearness), None, Some(comparison))
        }
        Rule::Further { to, same_as, comparison } => {
            ("further-place", Some(*to), None, Some(*same_as), Some(comparison))
        }
        Rule::Location { with } => ("same-location", Some(*with), None, None, None),
        Rule::TakenBack { beside, same } => {
            ("taken-back", Some(*beside), None, same.then_some(*beside), None)
        }
    };
    JoinEntry {
        reviewer: member.reviewer.as_str(),
        lineage: member.lineage.as_str(),
        what: &member.anchored.finding.what,
        rule,
        held_against,
        nearness: nearness.map(nearness_word),
        lines_apart: nearness.and_then(lines_apart),
        same_as,
        evidence: comparison.map(evidence_entry),
        counts_with: join.counts_with,
    }
}

fn parting_entry(parting: &Parting) -> PartingEntry<'_> {
    PartingEntry {
        issue: &parting.issue,
        nearness: parting.nearness.map(nearness_word),
        lines_apart: parting.nearness.and_then(lines_apart),
        because: match parting.because {
            Because::ClaimsDiffer => "claims-differ",
            Because::OneReviewer(_) => "one-reviewer",
            Because::MembersDiffer => "members-differ",
            Because::OnlyNear => "only-near",
            Because::Settled => "settled",
            Because::FitsAnother => "fits-another",
        },
        evidence: evidence_entry(&parting.comparison),
    }
}

fn nearness_word(nearness: Nearness) -> &'static str {
    match nearness {
        Nearness::Overlap => "overlap",
        Nearness::NamedSymbol => "named-symbol",
        Nearness::Lines(_) => "lines",
        Nearness::SameSymbol => "same-symbol",
        Nearness::WholeFile => "whole-file",
    }
}

fn lines_apart(nearness: Nearness) -> Option<u32> {
    match nearness {
        Nearness::Lines(gap) => Some(gap),
        Nearness::Overlap => Some(0),
        Nearness::NamedSymbol | Nearness::SameSymbol | Nearness::WholeFile => None,
    }
}

fn evidence_entry(comparison: &Comparison) -> EvidenceEntry<'_> {
    let evidence = &comparison.evidence;
    EvidenceEntry {
        ruled_by: comparison.ruling.as_ref().map(|ruling| ruling.hearing.by.id.as_str()),
        answer: match comparison.answer {
            Sameness::Same => "same",
            Sameness::Unclear => "unclear",
            Sameness::Different => "different",
        },
        least: evidence.least,
        most: evidence.most,
        bound: evidence.bound,
        telling: evidence.telling,
        shared: &evidence.shared,
    }
}
