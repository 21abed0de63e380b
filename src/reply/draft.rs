//! One finding under construction: [`Draft`] holds slices of the reply until it becomes a finding or a reject.
//!
//! It decides what is usable; where a finding starts and ends is `block`'s decision.

use std::borrow::Cow;

use super::{
    line::{self, Marker},
    lines, place, severity,
};
use crate::finding::{Finding, LineRange, Location, Reject, Severity};

/// Longest text of one part, in bytes; the reply itself is kept whole elsewhere.
pub(super) const LONGEST_TEXT: usize = 64 * 1024;
/// Most words that may name further places looked at in one text, of each kind.
const MOST_MENTIONS: usize = 20;
/// Longest place text and quote, in bytes.
const LONGEST_LINE: usize = 2 * 1024;

/// A part of a finding that is running text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The quoted code.
    Quote,
    /// The claim.
    What,
    /// Its grounds.
    Why,
    /// The mending.
    Fix,
}

/// A finding being read: byte ranges of the reply's text.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent marks, each set once")]
pub(super) struct Draft<'a> {
    text: &'a str,
    start: usize,
    end: usize,
    /// Severity and its word, when given.
    pub severity: Option<(Severity, &'a str)>,
    /// The place as written.
    pub where_text: Option<&'a str>,
    /// The places read so far.
    pub places: Vec<Location>,
    parts: Vec<(Part, usize, usize)>,
    is_open: bool,
    /// Columns of the list item the finding stands in.
    indent: usize,
    /// Taken back in its own words.
    pub retracted: bool,
    /// Column of the bullet it opened with.
    pub bullet: Option<usize>,
    /// Its claim was labelled.
    pub claimed: bool,
    /// Made by a label, a number or a heading, so it counts even without a place.
    pub announced: bool,
}

impl<'a> Draft<'a> {
    /// A draft whose first line spans `start..end` of `text`.
    pub(super) fn new(text: &'a str, start: usize, end: usize) -> Self {
        Self {
            text,
            start,
            end,
            severity: None,
            where_text: None,
            places: Vec::new(),
            parts: Vec::new(),
            is_open: false,
            indent: item_indent(text, start),
            retracted: false,
            bullet: None,
            claimed: false,
            announced: false,
        }
    }

    /// Whether a place was named.
    pub(super) fn has_place(&self) -> bool {
        self.where_text.is_some()
    }

    /// Whether a path was named, and lines or a symbol in it.
    pub(super) fn has_full_place(&self) -> bool {
        self.places.first().is_some_and(|place| place.lines.is_some() || place.symbol.is_some())
    }

    /// Whether there is running text.
    pub(super) fn has_text(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Whether there is any running text but a title.
    pub(super) fn has_part(&self, part: Part) -> bool {
        self.parts
            .iter()
            .any(|(other, start, end)| *other == part && !self.text[*start..*end].trim().is_empty())
    }

    /// Whether anything but running text is known.
    pub(super) fn has_claim(&self) -> bool {
        self.has_part(Part::What)
    }

    /// The part that is being written.
    pub(super) fn open_part(&self) -> Option<Part> {
        self.parts.last().filter(|_| self.is_open).map(|(part, ..)| *part)
    }

    /// Opens `part` with the bytes `start..end`.
    pub(super) fn open(&mut self, part: Part, start: usize, end: usize) {
        self.parts.push((part, start, end));
        self.is_open = true;
        self.end = self.end.max(end);
    }

    /// Lengthens the open part, or opens the claim, with a line at `start..end`.
    pub(super) fn extend(&mut self, start: usize, end: usize) {
        match self.parts.last_mut() {
            Some((_, _, last)) if self.is_open => *last = end,
            _ => self.parts.push((Part::What, start, end)),
        }
        self.is_open = true;
        self.end = end;
    }

    /// The draft goes on to `end` with a line that is no running text.
    pub(super) fn reach(&mut self, end: usize) {
        self.is_open = false;
        self.end = self.end.max(end);
    }

    /// Takes the place from a text that is one.
    pub(super) fn set_where(&mut self, value: &'a str) {
        self.where_text = Some(value);
        self.places = place::whole(value);
    }

    /// Takes the path from `File:`; lines that came before it are kept.
    pub(super) fn set_file(&mut self, value: &'a str) {
        let lines = self.places.first().and_then(|place| place.lines);
        self.set_where(value);
        if let (Some(first), Some(lines)) = (self.places.first_mut(), lines) {
            first.lines = first.lines.or(Some(lines));
        }
    }

    /// Takes the lines from `Line:`; further ones become further places.
    pub(super) fn set_lines(&mut self, ranges: &[LineRange]) {
        if self.places.is_empty() {
            self.places.push(Location::default());
        }
        let path = self.places[0].path.clone();
        for (index, range) in ranges.iter().enumerate() {
            match index {
                0 => self.places[0].lines = Some(*range),
                _ => self.places.push(Location { path: path.clone(), lines: Some(*range), symbol: None }),
            }
        }
    }

    /// Takes further places; `false` when the text names none.
    pub(super) fn set_also(&mut self, value: &str) -> bool {
        let path = self.places.first().map(|place| place.path.clone()).unwrap_or_default();
        let room = place::MOST_PLACES.saturating_sub(self.places.len());
        let further = place::further(value, &path);
        let any = room > 0 && !further.is_empty();
        self.places.extend(further.into_iter().take(room));
        any
    }

    /// Takes the symbol from `Function:`.
    pub(super) fn set_symbol(&mut self, value: &str) {
        let name = value.trim_matches(['`', '*', ' ']).trim_end_matches("()");
        if let Some(first) = self.places.first_mut()
            && first.lines.is_none()
            && !name.is_empty()
            && name.len() <= 200
        {
            first.symbol = Some(name.to_owned());
        }
    }

    /// The finding, or why it is none. `section` is the severity of the section it stands in.
    pub(super) fn finish(self, section: Option<Severity>) -> Result<Finding, Reject> {
        let [quote, what, why, fix] =
            [Part::Quote, Part::What, Part::Why, Part::Fix].map(|part| self.joined(part));
        let (what, why, fix) = promoted(what, why, fix);
        let copied =
            self.places.iter().any(is_example) || self.severity.is_some_and(|(_, word)| word.contains('|'));
        if copied {
            return Err(self.reject("copied from the prompt's example"));
        }
        if what.is_empty() {
            return Err(self.reject(if self.has_place() {
                "a place without a claim"
            } else {
                "a severity without a claim"
            }));
        }
        if says_nothing(self.where_text.unwrap_or_default(), &what) {
            return Err(self.reject("says that there is nothing to say"));
        }
        let titled = || severity::marked(self.first_line()).or_else(|| severity::trailing(self.first_line()));
        let (severity, word) =
            self.severity.or_else(titled).unwrap_or((section.unwrap_or(Severity::Warn), ""));
        let mut places = self.places;
        add_mentioned(&mut places, &what);
        add_mentioned(&mut places, &why);
        let mut places = places.into_iter();
        Ok(Finding {
            severity,
            severity_word: word.to_owned(),
            where_text: bounded(self.where_text.unwrap_or_default(), LONGEST_LINE).to_owned(),
            location: places.next().filter(|place| !place.path.is_empty() || place.symbol.is_some()),
            also_at: places.collect(),
            quote: Some(unquoted(&quote)).filter(|quote| !quote.is_empty()),
            what,
            why,
            fix,
            retracted: self.retracted,
        })
    }

    /// The draft as a reject.
    pub(super) fn reject(&self, reason: &str) -> Reject {
        Reject {
            text: bounded(self.text[self.start..self.end].trim(), LONGEST_TEXT).to_owned(),
            reason: reason.to_owned(),
        }
    }

    /// The first line of the claim: a title may end in a severity.
    fn first_line(&self) -> &'a str {
        let claim = self.parts.iter().find(|(part, ..)| *part == Part::What);
        claim.map_or("", |(_, start, end)| self.text[*start..*end].trim().lines().next().unwrap_or_default())
    }

    fn joined(&self, wanted: Part) -> String {
        let mut out = String::new();
        for (part, start, end) in &self.parts {
            let text = dedented(&self.text[*start..*end], self.indent);
            if *part == wanted && !text.is_empty() && out.len() < LONGEST_TEXT {
                if !out.is_empty() {
                    out.push_str("\n\n");
                }
                out.push_str(bounded(&text, LONGEST_TEXT));
            }
        }
        out
    }
}

/// Where the words of a list item start in its line; 0 outside lists.
fn item_indent(text: &str, start: usize) -> usize {
    let raw = text[start..].split('\n').next().unwrap_or_default();
    let bare = line::bare(raw);
    let listed = matches!(bare.marker, Marker::Bullet | Marker::Number) || line::indent(raw) > 0;
    if listed { raw.trim_end().len() - bare.body.len() } else { 0 }
}

/// `WHERE: none`, `WHAT: No issues found.`: the form filled in where there is nothing to report.
pub(super) fn says_nothing(place: &str, what: &str) -> bool {
    let start = bounded(what, 100).to_lowercase();
    let nothing = [
        "no issue",
        "no finding",
        "no problem",
        "no bug",
        "no significant",
        "no major",
        "no critical",
        "no blocking",
        "no concern",
        "none",
        "nothing",
        "n/a",
        "looks good",
        "lgtm",
        "未发现",
        "没有发现",
        "没有问题",
        "无问题",
        "問題なし",
        "問題は見つかりません",
        "keine ",
        "ningún problema",
        "sin problemas",
        "aucun problème",
        "проблем не",
    ];
    place::is_nowhere(place)
        && nothing
            .iter()
            .any(|words| start.trim_start_matches(|c: char| !c.is_alphanumeric()).starts_with(words))
}

/// Words behind which running text names further places of the same finding.
const ALSO: &[&str] = &[
    "also at ",
    "also in ",
    "also on ",
    "also see ",
    "also affects ",
    "also present at ",
    "also present in ",
    "also happens at ",
    "also happens in ",
    "also occurs at ",
    "also occurs in ",
    "also applies to ",
    "same at ",
    "same in ",
    "same issue at ",
    "same issue in ",
    "same problem at ",
    "same problem in ",
    "same bug at ",
    "same bug in ",
    "same pattern at ",
    "same pattern in ",
    "same applies to ",
    "same applies at ",
    "likewise at ",
    "likewise in ",
    "similarly at ",
    "similarly in ",
    "also: ",
];

/// Adds the places with lines that `text` names behind such words.
fn add_mentioned(places: &mut Vec<Location>, text: &str) {
    let Some(path) = places.first().map(|place| place.path.clone()).filter(|path| !path.is_empty()) else {
        return;
    };
    let lower = text.to_ascii_lowercase();
    let openers = ["also", "same ", "similarly ", "likewise "];
    for (at, _) in openers.iter().flat_map(|opener| lower.match_indices(opener).take(MOST_MENTIONS)) {
        let Some(mark) = ALSO.iter().find(|mark| lower[at..].starts_with(**mark)) else { continue };
        let named = place::further(bounded(&text[at + mark.len()..], LONGEST_LINE), &path);
        for place in named {
            if place.lines.is_some() && !places.contains(&place) && places.len() < place::MOST_PLACES {
                places.push(place);
            }
        }
    }
}

/// The first text given stands for a claim that was not labelled.
pub(super) fn promoted(what: String, why: String, fix: String) -> (String, String, String) {
    match (what.is_empty(), why.is_empty()) {
        (false, _) => (what, why, fix),
        (true, false) => (why, String::new(), fix),
        (true, true) => (fix, String::new(), String::new()),
    }
}

/// The places of the answer format and of its example (which stands under `.git/`, where no change can be): models
/// sometimes copy them.
pub(super) fn is_example(place: &Location) -> bool {
    let path = place.path.to_ascii_lowercase();
    ["path/to/", ".git/", "<"].iter().any(|start| path.starts_with(start))
        || ["path", "file/path"].contains(&path.as_str())
}

/// Cuts at most `limit` bytes off the front, at a character's end.
pub(super) fn bounded(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

/// Removes the indent that all lines but the first share, at most `most` columns, and the white space around.
fn dedented(text: &str, most: usize) -> String {
    let text = text.trim_end();
    let text = bounded(text.trim_start_matches(['\n', '\r']), LONGEST_TEXT);
    let width = |line: &&str| line.len() - line.trim_start_matches(' ').len();
    let shared = text
        .split('\n')
        .skip(1)
        .filter(|line| !line.trim().is_empty())
        .map(|line| width(&line))
        .min()
        .unwrap_or(0)
        .min(most);
    let mut out = String::with_capacity(text.len());
    let (first, rest) = text.split_once('\n').map_or((text, None), |(first, rest)| (first, Some(rest)));
    out.push_str(&without_loose_bold(first.trim_start()));
    for line in rest.into_iter().flat_map(|rest| rest.split('\n')) {
        out.push('\n');
        out.push_str(line.get(shared..).unwrap_or(line.trim_start()));
    }
    out
}

/// A line without the closing `**` whose opening one was taken off as a mark.
fn without_loose_bold(line: &str) -> Cow<'_, str> {
    let line = line.trim_end();
    let line = line.strip_suffix("~~").filter(|line| !line.contains("~~")).unwrap_or(line);
    match line.split_once("**").filter(|_| line.matches("**").count() % 2 == 1) {
        Some((title, rest)) => Cow::Owned(format!("{title}{rest}")),
        None => Cow::Borrowed(line),
    }
}

/// The quoted code without fence, span and bundle numbers.
fn unquoted(quote: &str) -> String {
    let lines: Vec<&str> = quote.lines().filter(|line| !line.trim_start().starts_with("```")).collect();
    let text = lines.join("\n");
    let trimmed = text.trim_matches(['\n', '\r']);
    let spanned = trimmed.trim().strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
    let text = spanned.map_or(trimmed.trim(), |inner| inner.trim_matches('`').trim());
    bounded(without_gutter(text), LONGEST_LINE).to_owned()
}

/// `    42| +    let n = 0;` → `let n = 0;`
fn without_gutter(text: &str) -> &str {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let gutter = text[digits..].strip_prefix("| ").filter(|_| digits > 0);
    gutter.map_or(text, |rest| rest.trim_start_matches(['+', '-']).trim())
}

/// What a severity label says, the whole value when it is the form's own list of words.
pub(super) fn severity_of(value: &str) -> (Severity, &str) {
    if value.matches('|').count() >= 2 { (Severity::Warn, value) } else { severity::of_value(value) }
}

/// The lines a `Line:` label names.
pub(super) fn lines_of(value: &str) -> Vec<LineRange> {
    lines::only(value)
}
