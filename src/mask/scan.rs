//! Where credentials stand in texts: [`everywhere`].
//!
//! Rules look at single lines, `block` at keys over several, [`data_of_secrets`] at manifests; what was found once is then
//! looked for in every text.

use std::{collections::BTreeMap, ops::Range, sync::OnceLock};

use aho_corasick::{AhoCorasick, MatchKind};
use regex::bytes::Regex;

use super::{
    Side, block,
    lines::{Line, Text},
    placeholder,
    rules::Table,
};
use crate::change::RepoPath;

const PRIVATE_KEY: &str = "private-key";

/// Part of a line that is masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    /// Bytes of the line.
    pub(super) at: Range<usize>,
    /// What it is.
    pub(super) kind: &'static str,
    /// What tells it from others: its own text; of a key over several lines, all of it.
    pub(super) value: Vec<u8>,
}

/// What is masked in one line, by where it starts; none touches another.
#[derive(Debug, Clone, Default)]
pub(super) struct Masked(BTreeMap<usize, Span>);

impl Masked {
    /// Masks `at` of `line` unless something there is masked already.
    pub(super) fn add(&mut self, line: &[u8], at: Range<usize>, kind: &'static str) {
        let value = line[at.clone()].to_vec();
        self.add_span(Span { at, kind, value });
    }

    fn add_span(&mut self, span: Span) {
        let before = self.0.range(..span.at.end).next_back();
        if before.is_none_or(|(_, before)| before.at.end <= span.at.start) {
            self.0.insert(span.at.start, span);
        }
    }

    /// In the order of the line.
    pub(super) fn spans(&self) -> impl ExactSizeIterator<Item = &Span> {
        self.0.values()
    }
}

/// Whether a line by itself holds a credential.
pub(super) fn holds_any(line: &[u8]) -> bool {
    let mut masked = Masked::default();
    Table::get().mask(line, true, &mut masked);
    !masked.0.is_empty() || block::find(&[line], true).iter().any(Option::is_some)
}

/// Fills in what is masked in each of `texts`.
pub(super) fn everywhere(texts: &mut [Text<'_>]) {
    texts.iter_mut().for_each(one);
    let Some(known) = Known::of(texts) else { return };
    for text in texts {
        for (line, masked) in text.lines.iter().zip(&mut text.masked) {
            known.add_to(line, masked);
        }
    }
}

fn one(text: &mut Text<'_>) {
    let settings = text.path.is_some_and(holds_settings);
    for (line, masked) in text.lines.iter().zip(&mut text.masked) {
        Table::get().mask(line.text, settings, masked);
    }
    values_below(text, settings);
    data_of_secrets(text);
    let is_key_file = text.path.is_some_and(|path| block::is_key_file(path.file_name()));
    let mut from = 0;
    for lines in text.lines.chunk_by(|a, b| a.hunk == b.hunk) {
        keys(lines, &mut text.masked[from..from + lines.len()], is_key_file);
        from += lines.len();
    }
}

/// Values that stand alone on the line below their name: of a block of YAML, of a call over several lines. In a diff that line may
/// be there twice, removed and added.
fn values_below(text: &mut Text<'_>, settings: bool) {
    for at in 0..text.lines.len() {
        let name = text.lines[at];
        let Some(name_text) = name_alone(name.text) else { continue };
        for below in at + 1..text.lines.len().min(at + 1 + MOST_BELOW) {
            let line = text.lines[below];
            let value = line.text.trim_ascii_start();
            let indent = line.text.len() - value.len();
            if line.hunk != name.hunk || indent <= indent_of(name.text) || !stands_alone(value, settings) {
                break;
            }
            let joined = [name_text, b" ", value].concat();
            let mut masked = Masked::default();
            Table::get().mask(&joined, settings, &mut masked);
            for span in masked.spans().filter(|span| span.at.start > name_text.len()) {
                let back = |at: usize| at - name_text.len() - 1 + indent;
                text.masked[below].add(line.text, back(span.at.start)..back(span.at.end), span.kind);
            }
            if line.side == Side::New {
                break;
            }
        }
    }
}

/// Most lines below a name that may hold its value.
const MOST_BELOW: usize = 4;

/// A line that ends where a value would follow, without the mark of a block in YAML.
fn name_alone(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii_end();
    let block =
        [&b"|-"[..], b">-", b"|+", b">+", b"|", b">"].into_iter().find_map(|mark| line.strip_suffix(mark));
    let line = block.map_or(line, <[u8]>::trim_ascii_end);
    let is_name = line.len() <= LONGEST_NAME && line.ends_with(b":")
        || block.is_none() && line.ends_with(b"=")
        || line.ends_with(b"(");
    is_name.then_some(line)
}

/// Longest line with a name, in bytes.
const LONGEST_NAME: usize = 200;

fn indent_of(line: &[u8]) -> usize {
    line.len() - line.trim_ascii_start().len()
}

/// Whether a line is one value: in quotes, or in files of settings one word that is no key of its own.
fn stands_alone(value: &[u8], settings: bool) -> bool {
    let value = value.trim_ascii_end();
    let is_quoted = value.first().is_some_and(|first| b"\"'`".contains(first));
    let is_word = !value.iter().any(u8::is_ascii_whitespace) && !value.ends_with(b":");
    is_quoted || settings && is_word
}

/// Private keys in the lines of one hunk. A row has no number of its own: all of a key is one value.
fn keys(lines: &[Line<'_>], masked: &mut [Masked], is_key_file: bool) {
    let texts: Vec<&[u8]> = lines.iter().map(|line| line.text).collect();
    let rows = block::find(&texts, is_key_file);
    let mut whole: Vec<Vec<u8>> = Vec::new();
    for (row, text) in rows.iter().zip(&texts) {
        if let Some(row) = row {
            whole.resize(whole.len().max(row.key + 1), Vec::new());
            whole[row.key].extend_from_slice(&text[row.at.clone()]);
        }
    }
    for (row, masked) in rows.into_iter().zip(masked) {
        if let Some(row) = row {
            // The row is all of the line's value: what a rule saw in it is part of the key.
            masked.0.retain(|_, known| known.at.end <= row.at.start || row.at.end <= known.at.start);
            masked.add_span(Span { at: row.at, kind: PRIVATE_KEY, value: whole[row.key].clone() });
        }
    }
}

/// The values under `data:` of Kubernetes secrets, which are base64 of anything.
fn data_of_secrets(text: &mut Text<'_>) {
    static HEAD: OnceLock<Option<Regex>> = OnceLock::new();
    static ENTRY: OnceLock<Option<Regex>> = OnceLock::new();
    let head = HEAD.get_or_init(|| Regex::new(r#"(?-u)^\s*kind:\s*["']?Secret["']?\s*$"#).ok());
    let entry = ENTRY.get_or_init(|| {
        Regex::new(r#"(?-u)^\s+(?P<key>[A-Za-z0-9._-]+):\s*["']?(?P<value>(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)["']?\s*$"#).ok()
    });
    let (Some(head), Some(entry)) = (head, entry) else { return };
    let name = text.path.map(|path| path.file_name().to_ascii_lowercase()).unwrap_or_default();
    let is_yaml = name.ends_with(b".yaml") || name.ends_with(b".yml");
    if !is_yaml || !text.lines.iter().any(|line| head.is_match(line.text)) {
        return;
    }
    let other = [&b"name"[..], b"namespace", b"type", b"kind", b"apiVersion", b"app", b"component", b"tier"];
    for (line, masked) in text.lines.iter().zip(&mut text.masked) {
        let Some(found) = entry.captures(line.text) else { continue };
        let (Some(key), Some(value)) = (found.name("key"), found.name("value")) else { continue };
        if value.len() >= 8 && !other.contains(&key.as_bytes()) {
            masked.add(line.text, value.range(), "kubernetes-secret");
        }
    }
}

/// Values that were found, to be looked for elsewhere.
struct Known {
    values: AhoCorasick,
    kinds: Vec<&'static str>,
}

impl Known {
    /// `None` when there are none that could be told from words.
    fn of(texts: &[Text<'_>]) -> Option<Self> {
        let spans = texts.iter().flat_map(Text::spans).map(|(_, span)| span);
        let telling =
            spans.filter(|span| span.value.len() == span.at.len() && placeholder::is_telling(&span.value));
        let mut values: Vec<(&[u8], &'static str)> =
            telling.map(|span| (span.value.as_slice(), span.kind)).collect();
        values.sort_unstable();
        values.dedup_by_key(|(value, _)| *value);
        let kinds: Vec<_> = values.iter().map(|(_, kind)| *kind).collect();
        let values = values.iter().map(|(value, _)| value);
        let values = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(values).ok()?;
        (!kinds.is_empty()).then_some(Self { values, kinds })
    }

    fn add_to(&self, line: &Line<'_>, masked: &mut Masked) {
        for found in self.values.find_iter(line.text) {
            masked.add(line.text, found.range(), self.kinds[found.pattern().as_usize()]);
        }
    }
}

/// Whether a file holds settings, where values stand without quotes.
fn holds_settings(path: &RepoPath) -> bool {
    let name = path.file_name().to_ascii_lowercase();
    let names = [
        &b"credentials"[..],
        b"config",
        b".netrc",
        b"_netrc",
        b".npmrc",
        b".pypirc",
        b".pgpass",
        b".envrc",
        b".s3cfg",
        b".boto",
    ];
    let ends = [
        &b".env"[..],
        b".ini",
        b".cfg",
        b".conf",
        b".cnf",
        b".properties",
        b".yml",
        b".yaml",
        b".toml",
        b".tfvars",
        b".hcl",
        b".netrc",
        b".service",
        b"dockerfile",
    ];
    name.starts_with(b".env")
        || names.contains(&name.as_slice())
        || ends.iter().any(|end| name.ends_with(end))
}
