//! Writes remarks of what is no model as a reply in the form every reviewer answers in.
//!
//! The main type is [`Remark`]; [`write()`] puts them on paper. It decides no severity and leaves nothing out.

use std::fmt::Write as _;

use crate::{
    bundle::Bundle,
    change::{Hunk, RepoPath},
    finding::{Severity, Verdict},
    report::foreign,
};

/// One thing to say about one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) severity: Severity,
    pub(super) path: RepoPath,
    /// New-side line, 1-based.
    pub(super) line: u32,
    /// The line's text; `None` when it must not be repeated.
    pub(super) quote: Option<String>,
    pub(super) what: String,
    pub(super) why: String,
    /// Empty when there is nothing to propose.
    pub(super) fix: String,
}

impl Remark {
    /// Whether its line is shown in `bundle`.
    pub(super) fn stands_in(&self, bundle: &Bundle) -> bool {
        let files = bundle.files.iter().filter(|file| file.path == self.path);
        files.flat_map(|file| &file.hunks).flat_map(Hunk::lines).any(|line| line.new == Some(self.line))
    }
}

/// The reply: a block a remark in order of place, the verdict, and `END nonce` unless `nonce` is empty.
/// `scope` says what was looked at, so that silence is not taken for more than it is.
pub(super) fn write(mut remarks: Vec<Remark>, scope: &str, nonce: &str) -> String {
    remarks
        .sort_by(|a, b| (&a.path, a.line, b.severity, &a.what).cmp(&(&b.path, b.line, a.severity, &b.what)));
    let mut out = String::new();
    for remark in &remarks {
        write_block(&mut out, remark);
    }
    let worst = remarks.iter().map(|remark| remark.severity).max();
    let _ = writeln!(out, "VERDICT: {}, {}; {scope}", verdict(worst).word(), tell(remarks.len()));
    if !nonce.is_empty() {
        let _ = writeln!(out, "END {nonce}");
    }
    out
}

fn write_block(out: &mut String, remark: &Remark) {
    let place = format!("{}:{}", remark.path, remark.line);
    let quote = remark.quote.as_deref().map(quotable).unwrap_or_default();
    let fields = [
        ("SEVERITY", remark.severity.word()),
        ("WHERE", &place),
        ("QUOTE", &quote),
        ("WHAT", &remark.what),
        ("WHY", &remark.why),
        ("FIX", &remark.fix),
    ];
    for (name, text) in fields.into_iter().filter(|(_, text)| !text.is_empty()) {
        let _ = writeln!(out, "{name}: {text}");
    }
    out.push('\n');
}

fn verdict(worst: Option<Severity>) -> Verdict {
    match worst {
        None | Some(Severity::Info) => Verdict::Ship,
        Some(Severity::Warn) => Verdict::ShipWithFixes,
        Some(Severity::Block) => Verdict::Hold,
    }
}

fn tell(count: usize) -> String {
    match count {
        0 => "nothing to remark".to_owned(),
        1 => "1 remark above".to_owned(),
        _ => format!("{count} remarks above"),
    }
}

/// Text of a foreign line for one line of a reply: no control or direction-changing characters, at most 200 characters.
pub(super) fn quotable(text: &str) -> String {
    let shown = |c: char| if c.is_control() || foreign::is_hidden(c) { ' ' } else { c };
    text.trim().chars().take(200).map(shown).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remark(severity: Severity, line: u32) -> Remark {
        Remark {
            severity,
            path: "src/a b.rs".into(),
            line,
            quote: Some("\tlet a = 1; \u{202e}\u{1b}[2J".to_owned()),
            what: "a thing".to_owned(),
            why: "a reason".to_owned(),
            fix: String::new(),
        }
    }

    #[test]
    fn blocks_come_in_order_of_place_and_cannot_break_a_line() {
        let text = write(vec![remark(Severity::Warn, 9), remark(Severity::Info, 2)], "all was read", "n1");
        insta::assert_snapshot!(text, @r"
        SEVERITY: INFO
        WHERE: src/a b.rs:2
        QUOTE: let a = 1;   [2J
        WHAT: a thing
        WHY: a reason

        SEVERITY: WARN
        WHERE: src/a b.rs:9
        QUOTE: let a = 1;   [2J
        WHAT: a thing
        WHY: a reason

        VERDICT: ship-with-fixes, 2 remarks above; all was read
        END n1
        ");
    }

    #[test]
    fn silence_says_what_it_rests_on() {
        assert_eq!(
            write(Vec::new(), "3 lines were read", ""),
            "VERDICT: ship, nothing to remark; 3 lines were read\n"
        );
    }
}
