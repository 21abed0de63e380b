//! What a review leaves for the next one, as a line of the sticky comment: [`line()`] writes it, [`read`] reads it.
//!
//! The comment is ours, but people with rights on the repository can edit it, and another version may have written it. So reading
//! trusts nothing: what does not hold together is no record, and the review asks about everything. Nothing read here names a file
//! outside of git's own store, a command or a server.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    disposition::{Decision, Disposition},
    finding::{LineRange, Severity},
    reviewer::Lineage,
    tally::{
        Agreement,
        since::{Earlier, Last, MOST_LEFT, Whereabouts},
    },
};

/// What the line begins with; the record in base64 and ` -->` follow.
pub const MARK: &str = "<!-- scrum:record ";
const END: &str = " -->";

/// The version that this program writes, and the only one that it reads.
const VERSION: u32 = 1;
/// Longer lines are not read, in characters; no platform takes a longer comment.
const LONGEST: usize = 1_000_000;
/// Longest text of a record that is read, in characters.
const LONGEST_TEXT: usize = 4_000;
/// Characters of claims and of their grounds that are written, until all issues fit.
const ROOM: [(usize, usize); 3] = [(LONGEST_TEXT, LONGEST_TEXT), (LONGEST_TEXT, 0), (80, 0)];

/// A record that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// It ends early, or is none.
    #[error("the last review's record is damaged")]
    Damaged,
    /// Another version wrote it.
    #[error("the last review's record is of version {0}, which this scrum does not read")]
    Version(u32),
    /// Its parts do not fit.
    #[error("the last review's record cannot be right: {0}")]
    Wrong(String),
}

/// `last` as one line without its newline, of at most `most` characters; `None` when not even a record without issues fits. Grounds go
/// first, then the ends of claims. What there is no room for even so is counted in it: what is fixed goes first, then what is dismissed,
/// then what weighs least.
pub fn line(last: &Last, most: usize) -> Option<String> {
    let mut issues = last.issues.clone();
    issues.sort_by(|a, b| b.weight().cmp(&a.weight()).then_with(|| a.id.cmp(&b.id)));
    for (what, why) in ROOM {
        for issue in &mut issues {
            issue.what = issue.what.chars().take(what).collect();
            issue.why = issue.why.chars().take(why).collect();
        }
        let whole = text(last, &issues, issues.len());
        if whole.len() <= most {
            return Some(whole);
        }
    }
    // The most that fit; each further issue makes the line longer.
    let (mut low, mut high) = (0, issues.len());
    while low + 1 < high {
        let middle = low.midpoint(high);
        if text(last, &issues, middle).len() <= most { low = middle } else { high = middle }
    }
    Some(text(last, &issues, low)).filter(|text| text.len() <= most)
}

/// The line with the first `kept` of `issues`.
fn text(last: &Last, issues: &[Earlier], kept: usize) -> String {
    let (kept, left_out) = issues.split_at(kept);
    let dropped = last.dropped + left_out.iter().filter(|one| !one.is_fixed).count();
    let entries = kept.iter().map(IssueRecord::from).collect();
    let record = Record { issues: entries, dropped, ..Record::from(last) };
    // Our own structs have string keys only, which is all that could fail.
    let json = serde_json::to_string(&record).unwrap_or_default();
    format!("{MARK}{}{END}", STANDARD.encode(json))
}

/// The record in a comment of ours, which is its last line; `None` when that is none. What looks like one above it may be quoted.
pub fn read(body: &str) -> Option<Result<Last, BadRecord>> {
    last_line(body).strip_prefix(MARK.trim_end()).map(decode)
}

/// The line of `body` that carries its record, as it stands; `None` when nobody could read it, in this version or another.
pub fn standing(body: &str) -> Option<&str> {
    match read(body)? {
        Ok(_) | Err(BadRecord::Version(_)) => Some(last_line(body)),
        Err(BadRecord::Damaged | BadRecord::Wrong(_)) => None,
    }
}

fn last_line(body: &str) -> &str {
    body.trim_end().lines().next_back().unwrap_or_default().trim()
}

fn decode(line: &str) -> Result<Last, BadRecord> {
    let text = line.strip_suffix(END.trim_start()).ok_or(BadRecord::Damaged)?.trim();
    if text.len() > LONGEST {
        return Err(BadRecord::Damaged);
    }
    let json = STANDARD.decode(text).map_err(|_| BadRecord::Damaged)?;
    let Versioned { v } = serde_json::from_slice(&json).map_err(|_| BadRecord::Damaged)?;
    if v != VERSION {
        return Err(BadRecord::Version(v));
    }
    let record: Record =
        serde_json::from_slice(&json).map_err(|error| BadRecord::Wrong(error.to_string()))?;
    record.last()
}

#[derive(Deserialize)]
struct Versioned {
    v: u32,
}

/// [`Last`] as it is written; also a part of `pull.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    v: u32,
    run: String,
    at: String,
    base: String,
    head: String,
    asked: String,
    complete: bool,
    #[serde(default, skip_serializing_if = "is_zero")]
    dropped: usize,
    issues: Vec<IssueRecord>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct IssueRecord {
    id: String,
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lines: Option<(u32, u32)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    symbol: Option<String>,
    severity: String,
    agreement: String,
    lineages: Vec<String>,
    what: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    why: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    holds: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    fixed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decided: Option<Decided>,
    /// Only in `pull.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    now: Option<Now>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Decided {
    decision: String,
    why: String,
    by: String,
    at: Timestamp,
    /// The issue it was made about, where that is in other words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    about: Option<String>,
}

/// [`Whereabouts`], where known.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Now {
    Gone,
    There { path: String, lines: Option<(u32, u32)> },
}

impl From<&Last> for Record {
    fn from(last: &Last) -> Self {
        Self {
            v: VERSION,
            run: last.run.clone(),
            at: last.started_at.clone(),
            base: last.base.clone(),
            head: last.head.clone(),
            asked: last.fingerprint.clone(),
            complete: last.complete,
            dropped: last.dropped,
            issues: last.issues.iter().map(IssueRecord::from).collect(),
        }
    }
}

impl From<&Earlier> for IssueRecord {
    fn from(issue: &Earlier) -> Self {
        let ends = |lines: LineRange| (lines.start, lines.end);
        Self {
            id: issue.id.clone(),
            path: issue.path.clone(),
            lines: issue.lines.map(ends),
            symbol: issue.symbol.clone(),
            severity: issue.severity.word().to_owned(),
            agreement: issue.agreement.word().to_owned(),
            lineages: issue.lineages.iter().map(ToString::to_string).collect(),
            what: issue.what.clone(),
            why: issue.why.clone(),
            code: issue.code.clone(),
            holds: issue.holds,
            fixed: issue.is_fixed,
            decided: issue.disposition.as_ref().map(|one| Decided::of(one, &issue.id)),
            now: match &issue.now {
                Whereabouts::Unknown => None,
                Whereabouts::Gone => Some(Now::Gone),
                Whereabouts::There { path, lines } => {
                    Some(Now::There { path: path.clone(), lines: lines.map(ends) })
                }
            },
        }
    }
}

impl Decided {
    fn of(one: &Disposition, issue: &str) -> Self {
        Self {
            about: (one.issue != issue).then(|| one.issue.clone()),
            decision: one.decision.word().to_owned(),
            why: one.why.clone(),
            by: one.by.clone(),
            at: one.at,
        }
    }

    fn disposition(self, issue: &Earlier, run: &str) -> Result<Disposition, BadRecord> {
        let is_short = |text: &String| text.chars().count() <= LONGEST_TEXT;
        check([&self.why, &self.by].into_iter().all(is_short), "a decision")?;
        check(self.about.as_deref().is_none_or(is_issue), "an issue's id")?;
        Ok(Disposition {
            at: self.at,
            issue: self.about.unwrap_or_else(|| issue.id.clone()),
            decision: by_word(&self.decision, &Decision::ALL, Decision::word)?,
            why: self.why,
            by: self.by,
            run: run.to_owned(),
            path: issue.path.clone(),
            severity: issue.severity,
            what: issue.what.clone(),
            found_by: Vec::new(),
        })
    }
}

impl Record {
    /// The core's form.
    pub fn last(self) -> Result<Last, BadRecord> {
        if self.issues.len() > MOST_LEFT {
            return Err(BadRecord::Wrong(format!("it has {} issues", self.issues.len())));
        }
        let Self { run, at, base, head, asked, complete, dropped, issues, v: _ } = self;
        check(is_commit(&base) && is_commit(&head), "a commit's id")?;
        check(is_hex(&asked) && is_run(&run), "a name")?;
        check(at.parse::<Timestamp>().is_ok(), "a time")?;
        let issues = issues.into_iter().map(|issue| issue.earlier(&run)).collect::<Result<_, _>>()?;
        Ok(Last { run, started_at: at, base, head, fingerprint: asked, complete, issues, dropped })
    }
}

impl IssueRecord {
    fn texts(&self) -> impl Iterator<Item = &String> {
        [&self.path, &self.what, &self.why].into_iter().chain(&self.symbol).chain(&self.code)
    }

    fn earlier(self, run: &str) -> Result<Earlier, BadRecord> {
        check(is_issue(&self.id), "an issue's id")?;
        check(self.texts().all(|text| text.chars().count() <= LONGEST_TEXT), "the length of a text")?;
        let severity =
            by_word(&self.severity, &[Severity::Info, Severity::Warn, Severity::Block], Severity::word)?;
        let agreements = [Agreement::Single, Agreement::Place, Agreement::Claim];
        let mut lineages: Vec<Lineage> = self.lineages.iter().map(|name| Lineage::new(name)).collect();
        lineages.sort();
        lineages.dedup();
        let mut issue = Earlier {
            lines: self.lines.map(range).transpose()?,
            severity,
            agreement: by_word(&self.agreement, &agreements, Agreement::word)?,
            lineages,
            holds: self.holds,
            is_fixed: self.fixed,
            disposition: None,
            now: match self.now {
                None => Whereabouts::Unknown,
                Some(Now::Gone) => Whereabouts::Gone,
                Some(Now::There { path, lines }) => {
                    Whereabouts::There { path, lines: lines.map(range).transpose()? }
                }
            },
            id: self.id,
            path: self.path,
            symbol: self.symbol,
            what: self.what,
            why: self.why,
            code: self.code,
        };
        issue.disposition = self.decided.map(|one| one.disposition(&issue, run)).transpose()?;
        Ok(issue)
    }
}

fn check(holds: bool, what: &str) -> Result<(), BadRecord> {
    if holds { Ok(()) } else { Err(BadRecord::Wrong(format!("{what} is none"))) }
}

fn by_word<T: Copy>(word: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T, BadRecord> {
    let found = all.iter().copied().find(|value| name(*value) == word);
    found.ok_or_else(|| BadRecord::Wrong(format!("it says {:?}", word.chars().take(20).collect::<String>())))
}

fn range((start, end): (u32, u32)) -> Result<LineRange, BadRecord> {
    check(0 < start && start <= end, "a range of lines")?;
    Ok(LineRange { start, end })
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// SHA-1 or SHA-256.
fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && is_hex(text)
}

/// Whether it is an id as `tally` makes them: digits, `-` and a number where several would be the same.
pub fn is_issue(text: &str) -> bool {
    let (digits, number) = text.split_once('-').unwrap_or((text, "2"));
    digits.len() == 12 && is_hex(digits) && number.len() <= 5 && number.parse::<u32>().is_ok()
}

fn is_run(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests;
