//! Holds a static tool's findings against the lines a change brings in: [`Analysis`].

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use super::told::{Report, Told};
use crate::{
    bundle::{Bundle, Globs, Split},
    change::{FilePatch, FileStatus, Hunk, LineKind, RepoPath},
    finding::{Finding, LineRange},
    provider::remark::{self, Remark},
    reply,
    report::words,
};

/// Most characters of each foreign sentence in a reply.
const LONGEST: usize = 400;

/// The changed files a tool is about, with the numbers of their added lines.
#[derive(Debug)]
pub(super) struct Changed(BTreeMap<RepoPath, BTreeSet<u32>>);

impl Changed {
    /// Of all bundles: a file may have been cut.
    pub(super) fn of(split: &Split, paths: &[String], globs: &Globs) -> Self {
        let mut changed: BTreeMap<RepoPath, BTreeSet<u32>> = BTreeMap::new();
        let files = split.bundles.iter().flat_map(|bundle| &bundle.files);
        for file in files.filter(|file| is_fitting(file, paths, globs)) {
            let lines = file.hunks.iter().flat_map(Hunk::lines);
            let added = lines.filter(|line| line.kind == LineKind::Added).filter_map(|line| line.new);
            changed.entry(file.path.clone()).or_default().extend(added);
        }
        Self(changed)
    }

    /// In order.
    pub(super) fn files(&self) -> impl Iterator<Item = &RepoPath> {
        self.0.keys()
    }

    pub(super) fn holds(&self, path: &RepoPath) -> bool {
        self.0.contains_key(path)
    }

    /// The first added line among `lines`.
    fn first_added(&self, path: &RepoPath, lines: LineRange) -> Option<u32> {
        self.0.get(path)?.range(lines.start..=lines.end).next().copied()
    }
}

/// Whether a tool that is about `paths`, or about all, has something to look at in `file`.
pub(super) fn is_fitting(file: &FilePatch, paths: &[String], globs: &Globs) -> bool {
    file.status != FileStatus::Deleted && (paths.is_empty() || globs.matches(&file.path))
}

/// What a tool says about a change.
#[derive(Debug)]
pub(super) struct Analysis {
    remarks: Vec<Remark>,
    /// Findings in changed files, on lines the change does not touch.
    untouched: BTreeMap<RepoPath, usize>,
    suppressed: usize,
    troubles: Vec<String>,
}

impl Analysis {
    /// Fails when the tool stopped at something that stands on no line of the change: nothing can be said then.
    pub(super) fn new(report: Report, changed: &Changed) -> Result<Self, String> {
        let Report { mut told, suppressed, troubles } = report;
        told.sort();
        told.dedup();
        let mut analysis = Self { remarks: Vec::new(), untouched: BTreeMap::new(), suppressed, troubles };
        for one in told {
            let path = one.path.as_ref().filter(|path| changed.holds(path));
            let added = path.and_then(|path| changed.first_added(path, one.lines));
            match (path, added) {
                (Some(path), Some(line)) if !one.is_old => analysis.remarks.push(remark(path, line, &one)),
                _ if one.is_fatal => return Err(stopped(&one)),
                (Some(path), _) => *analysis.untouched.entry(path.clone()).or_default() += 1,
                (None, _) => {}
            }
        }
        Ok(analysis)
    }

    /// What the tool says went wrong, if anything: it may have missed something.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.troubles.first().map(String::as_str)
    }

    /// How many findings are not the change's, the same for every bundle; `None` where there are none.
    pub(super) fn older(&self) -> Option<String> {
        let older: usize = self.untouched.values().sum();
        (older > 0)
            .then(|| format!("{} on other lines of the changed files", words::count(older, "older finding")))
    }

    /// The reply for `bundle`, ended by `END nonce` unless `nonce` is empty.
    pub(super) fn answer(&self, name: &str, bundle: &Bundle, nonce: &str) -> String {
        let remarks = self.remarks.iter().filter(|remark| remark.stands_in(bundle)).cloned().collect();
        remark::write(remarks, &self.scope(name, bundle), nonce)
    }

    fn scope(&self, name: &str, bundle: &Bundle) -> String {
        let paths: BTreeSet<&RepoPath> = bundle.files.iter().map(|file| &file.path).collect();
        let older: usize = paths.iter().filter_map(|path| self.untouched.get(path)).sum();
        let mut scope = match older {
            0 => format!("{name} finds nothing on lines this change does not touch"),
            _ => format!("{} on lines this change does not touch", words::count(older, "older finding")),
        };
        if self.suppressed > 0 {
            let _ = write!(
                scope,
                "; {} in the whole report",
                words::count(self.suppressed, "suppressed finding")
            );
        }
        scope
    }
}

/// The finding at `line`. Where its words would not be read as what they are, which their author may intend, they are
/// left out.
fn remark(path: &RepoPath, line: u32, told: &Told) -> Remark {
    let worded = |what: String, why: String, fix: String| Remark {
        severity: told.severity,
        path: path.clone(),
        line,
        quote: None,
        what,
        why,
        fix,
    };
    let why = if told.why.is_empty() { "the tool's rule gives no reason" } else { &told.why };
    let fix = Some(&told.fix).filter(|fix| !fix.is_empty()).map(|fix| sentence(fix, "")).unwrap_or_default();
    let whole = worded(sentence(&told.what, &told.rule), sentence(why, ""), fix);
    if is_read_as_meant(&whole) {
        return whole;
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_/:".contains(c);
    let rule: String = told.rule.chars().filter(|c| is_plain(*c)).take(100).collect();
    let what = format!("The tool's rule {rule} fires here.");
    worded(
        what,
        "Its message is left out, because it would not be read as one finding.".to_owned(),
        String::new(),
    )
}

/// Foreign words as one line that ends in a mark of our own, with the `rule` behind them if there is one.
fn sentence(text: &str, rule: &str) -> String {
    let (text, rule) = (words::in_brief(text, LONGEST), words::in_brief(rule, LONGEST));
    let text = text.trim_end_matches('.');
    if rule.is_empty() { format!("{text}.") } else { format!("{text} ({rule}).") }
}

/// Whether a reader of the reply finds this one finding, with its severity and not taken back.
fn is_read_as_meant(remark: &Remark) -> bool {
    let reading = reply::read(&remark::write(vec![remark.clone()], "all was read", ""), None);
    let place = format!("{}:{}", remark.path, remark.line);
    let is_itself = |finding: &Finding| {
        finding.severity == remark.severity && !finding.retracted && finding.where_text == place
    };
    reading.rejects.is_empty()
        && reading.verdict.is_some()
        && matches!(reading.findings.as_slice(), [finding] if is_itself(finding))
}

fn stopped(told: &Told) -> String {
    let place = told.path.as_ref().map(|path| format!("{path}:{}: ", told.lines.start)).unwrap_or_default();
    format!("stopped before it could look at the change: {place}{}", told.what)
}
