//! Says in words why an issue is one: [`render`] and [`render_markdown`] for `scrum explain`, [`json`] for machines.
//!
//! What is said comes from `tally::explain`; nothing is judged here.

pub mod json;
mod page;

use page::{Entry, Neighbour, Page};

use crate::{
    finding::{Anchor, LineRange},
    judgement::{ClaimId, Hearing, Ruling},
    report::{
        foreign, judged,
        layout::{Ink, NARROWEST},
        summary::{self, Directory},
        words,
    },
    tally::{
        Agreement, Evidence, Issue, Member, Nearness, Sameness, Tally,
        explain::{Because, Comparison, Explanation, Join, Parting, Rule},
    },
};

/// Shared words that are named.
const WORDS_NAMED: usize = 12;

/// Characters of a quote or a reason that are shown.
const LONGEST: usize = 1_000;

/// The explanation for a terminal `width` columns wide (at least 40 are used), with a final newline.
pub fn render(tally: &Tally, issue: &Issue, explanation: &Explanation, width: usize, color: bool) -> String {
    page(tally, issue, explanation).for_terminal(width.max(NARROWEST), Ink { on: color })
}

/// The explanation as Markdown, with a final newline.
pub fn render_markdown(tally: &Tally, issue: &Issue, explanation: &Explanation) -> String {
    page(tally, issue, explanation).as_markdown()
}

fn page(tally: &Tally, issue: &Issue, explanation: &Explanation) -> Page {
    let members = issue.members.iter().zip(&explanation.joins).enumerate();
    let mut entries: Vec<Entry> = members.map(|(at, (one, join))| member(issue, at, one, join)).collect();
    entries.extend(issue.adjudications.iter().map(|ruling| ruled(tally, issue, ruling)));
    entries.extend(issue.examinations.iter().map(|one| {
        let about = about(issue, &[&one.claim]);
        asked("Examination by", &one.hearing, one.answer.word(), about)
    }));
    entries.extend(issue.unexamined.iter().map(|one| Entry {
        head: format!("Not examined: {}", foreign::one_line(&one.reason)),
        lines: vec![("about:", about(issue, &[&one.claim]))],
    }));
    let disposition = issue.disposition.as_ref();
    let decided = disposition.map(|disposition| words::sentence(&summary::decided_words(disposition)));
    let directory = Directory::of(tally);
    Page {
        severity: issue.severity,
        place: summary::place(issue),
        id: issue.id.clone(),
        sentences: std::iter::once(agreement(issue, summary::heard(tally).len())).chain(decided).collect(),
        entries,
        neighbours: explanation.partings.iter().filter_map(|one| neighbour(tally, &directory, one)).collect(),
    }
}

/// What one reviewer said, where, and how it came in.
fn member(issue: &Issue, at: usize, member: &Member, join: &Join) -> Entry {
    let finding = &member.anchored.finding;
    let own = match foreign::one_line(&finding.severity_word) {
        own if own.is_empty() || own.eq_ignore_ascii_case(finding.severity.word()) => String::new(),
        own => format!(", in its own words \"{own}\""),
    };
    let retracted = if finding.retracted { ", and took it back" } else { "" };
    let lineage = foreign::one_line(member.lineage.as_str());
    let mut lines = vec![("place:", place(member))];
    lines.extend(member.anchored.also.iter().map(|also| {
        let path = also.path.as_deref().unwrap_or("nowhere");
        ("also:", spot(path, also.lines, also.symbol.as_deref()))
    }));
    lines.push(("what:", foreign::one_line(&finding.what)));
    if !finding.why.trim().is_empty() {
        lines.push(("why:", foreign::one_line(&finding.why)));
    }
    lines.push(("here:", joined(&issue.members, join)));
    let head = format!("{} {} ({lineage}): {}{own}{retracted}", at + 1, member.reviewer, finding.severity);
    Entry { head, lines }
}

/// What an adjudicator was asked; the other claim may stand in another issue.
fn ruled(tally: &Tally, issue: &Issue, ruling: &Ruling) -> Entry {
    let claims = ruling.pair.claims();
    let mut about = about(issue, &claims);
    if claims.iter().any(|claim| holders(issue, &[claim]).is_empty()) {
        let others = tally.issues.iter().filter(|other| other.id != issue.id);
        let others = others.filter(|other| other.adjudications.contains(ruling));
        let ids: Vec<&str> = others.map(|other| other.id.as_str()).collect();
        about.extend([", against a claim of ", &words::list(&ids)]);
    }
    asked("Ruling by", &ruling.hearing, ruling.answer.word(), about)
}

/// A question about claims: who, the answer, on what it rests; where it does not count, why not.
fn asked(how: &str, hearing: &Hearing, answer: &'static str, about: String) -> Entry {
    let said = judged::said(hearing, answer);
    let told = |text: &str| words::shortened(&foreign::one_line(text), LONGEST);
    let mut lines = vec![("about:", about)];
    if !hearing.quote.trim().is_empty() {
        let missing = if hearing.quote_found { "" } else { " (stands nowhere in what was shown)" };
        lines.push(("quote:", told(&hearing.quote) + missing));
    }
    if !hearing.why.trim().is_empty() {
        lines.push(("why:", told(&hearing.why)));
    }
    lines.extend(hearing.outcome.reason.as_deref().map(|reason| ("note:", told(reason))));
    Entry { head: format!("{how} {}: {}", said.who(), said.word), lines }
}

/// Positions of the members that make one of `claims` and stand by it.
fn holders(issue: &Issue, claims: &[&ClaimId]) -> Vec<usize> {
    let members = issue.members.iter().enumerate();
    let standing = members.filter(|(_, member)| !member.anchored.finding.retracted);
    standing.filter(|(_, member)| claims.contains(&&member.claim_id())).map(|(at, _)| at).collect()
}

/// `1 (opus) and 3 (kimi)`.
fn about(issue: &Issue, claims: &[&ClaimId]) -> String {
    let names = holders(issue, claims).into_iter().map(|at| name(&issue.members, at));
    words::list(&names.collect::<Vec<_>>())
}

/// Members are named by their number and reviewer: `1 (opus)`.
fn name(members: &[Member], at: usize) -> String {
    format!("{} ({})", at + 1, members[at].reviewer)
}

/// A near issue; `None` for one that is not in the tally.
fn neighbour<'a>(tally: &'a Tally, directory: &Directory<'a>, parting: &Parting) -> Option<Neighbour> {
    let other = tally.issues.iter().find(|issue| issue.id == parting.issue)?;
    let what = summary::spokesman(other).map(|member| member.anchored.finding.what.as_str());
    let what = words::shortened(&foreign::one_line(what.unwrap_or_default()), 200);
    Some(Neighbour {
        id: directory.short_id(other).to_owned(),
        severity: other.severity,
        place: summary::place(other),
        what,
        parted: parted(parting),
    })
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

/// How a member came in.
fn joined(members: &[Member], join: &Join) -> String {
    let name = |at| name(members, at);
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
