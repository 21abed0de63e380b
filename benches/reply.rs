//! How fast the reply reader is on texts made to hurt it, as the text grows tenfold.
//!
//! `cargo bench --bench reply -- [MEGABYTES]` (10 without it). Each kind is read at a tenth of the size and at the full size; the last column is how
//! much longer a byte took then: near 1 is linear. The first kind is an honest review, for comparison.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock and its arguments")]

use std::time::{Duration, Instant};

use scrum::reply;

/// A kind of text: what it starts with and what is repeated until it is long enough.
struct Kind {
    name: &'static str,
    start: &'static str,
    unit: &'static str,
}

const fn kind(name: &'static str, start: &'static str, unit: &'static str) -> Kind {
    Kind { name, start, unit }
}

const REVIEW: &str = "SEVERITY: WARN\nWHERE: src/cache/store.rs:120-131\nQUOTE: `let held = self.lock();`\nWHAT: The lock is held across the call to the loader.\nWHY: `load` may wait for the network, and every reader waits behind it.\nFIX: Take the value out first, then call the loader.\n\n";

const KINDS: &[Kind] = &[
    kind("an honest review", "", REVIEW),
    kind("one character a line", "", "a\n"),
    kind("empty lines", "x", "\n"),
    kind("one line of letters", "", "a"),
    kind("one line of words", "", "lock "),
    kind("one line of spaces", "x", " "),
    kind("one line of paths", "", "src/a.rs "),
    kind("one line of places", "", "src/a.rs:3 "),
    kind("one line of dots", "", "."),
    kind("one line of colons", "", ":1"),
    kind("one line of stars", "", "*"),
    kind("one line of backticks", "", "`"),
    kind("one line of signs", "", "🔴"),
    kind("WHERE without end", "", "WHERE: a.rs:1\n"),
    kind("WHERE and WHAT", "", "WHERE: a.rs:1\nWHAT: x\n"),
    kind("severities", "", "SEVERITY: WARN\n"),
    kind("a WHERE of a whole megabyte", "WHERE: ", "a.rs:1, "),
    kind("a WHERE in quotes", "WHERE: \"", "a "),
    kind("one claim", "WHERE: a.rs:1\nWHAT: x\n", "and on it goes\n"),
    kind("one claim of also at", "WHERE: a.rs:1\nWHAT: x\n", "also at b.rs:2 "),
    kind("retractions of nothing", "WHERE: a.rs:1\nWHAT: x.\n", "RETRACT: b.rs:2\n"),
    kind("findings and retractions", "", "WHERE: a.rs:1\nWHAT: x.\nRETRACT: b.rs:2\n"),
    kind("on reflection", "WHERE: a.rs:1\nWHAT: x.\n", "on reflection, wait. "),
    kind("verdicts", "", "VERDICT: hold\n"),
    kind("verdict labels", "", "VERDICT:\n"),
    kind("fences", "", "```a\n"),
    kind("fences of three kinds", "", "~~~~a\n```b\n````c\n"),
    kind("fences and answers", "```\nWHERE: a.rs:1\n", "```\n\n```\nWHERE: a.rs:1\n"),
    kind("brackets", "", "["),
    kind("braces a line", "", "{\n"),
    kind("nested objects", "", "{\"a\":"),
    kind("broken lists", "", "[1,\n"),
    kind("a list of numbers", "[", "1,"),
    kind("a list of lists", "[", "[],"),
    kind("JSON lines", "", "{\"file\":\"a\",\"line\":1,\"what\":\"x\"}\n"),
    kind("JSON findings", "{\"findings\":[", "{\"file\":\"a.rs\",\"line\":1,\"what\":\"x\"},"),
    kind("a JSON text without end", "{\"what\": \"", "a \\\"b\\\" "),
    kind("a JSON text of quotes", "{\"what\": \"", "\" "),
    kind("JSON that almost is", "", "{\"a\": 1 {\n"),
    kind("JSON comments", "{", "// x\n"),
    kind("tags", "", "<finding>"),
    kind("tags that close nothing", "<finding>", "<severity></what>"),
    kind("findings in tags", "", "<finding><file>a.rs</file><line>1</line><what>x</what></finding>\n"),
    kind("angle brackets", "", "<"),
    kind("attributes", "<finding ", "a=\"b\" "),
    kind("thinking openers", "", "<think>\n"),
    kind("thinking closers", "", "</think>\n"),
    kind("thinking over and over", "", "<think>\na</think>\n"),
    kind("a table", "| File | Line | Issue |\n|---|---|---|\n", "| a.rs | 1 | x |\n"),
    kind("table headers", "", "| File | Issue |\n"),
    kind("rows without bars", "File | Line | Issue\n--- | --- | ---\n", "a.rs | 1 | x\n"),
    kind("a row without end", "| ", "a | "),
    kind("rules", "", "--- | ---\n"),
    kind("headings", "", "# a.rs\n\n"),
    kind("numbered items", "", "1. x\n"),
    kind("nested lists", "", "- - - "),
    kind("deeper and deeper", "", "          - a.rs:1\n"),
    kind("quoted lines", "", "> WHERE: a.rs:1\n"),
    kind("diff lines", "@@ -1 +1 @@\n", "+WHERE: a.rs:1\n"),
    kind("links", "", "[a]("),
    kind("control characters", "", "\u{202e}\u{0}\u{1b}[2J"),
    kind("carriage returns", "", "a\r\n\r"),
    kind("labels of other scripts", "", "严重程度：高\n"),
    kind("Greek and umlauts", "", "Ἀθήνα ist schön. "),
];

fn main() {
    let asked = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let bytes = asked.unwrap_or(10_usize).max(1) * 1_000_000;
    println!("{:<32} {:>10} {:>10} {:>9} {:>9} {:>7}", "", "a tenth", "all", "MB/s", "findings", "growth");
    let mut slowest = Duration::ZERO;
    for kind in KINDS {
        let (small, _) = measured(kind, bytes / 10);
        let (large, findings) = measured(kind, bytes);
        let megabytes = f64::from(u32::try_from(bytes / 1_000_000).unwrap_or(u32::MAX));
        let speed = megabytes / large.as_secs_f64();
        let growth = large.as_secs_f64() / small.as_secs_f64() / 10.0;
        println!(
            "{:<32} {:>7} ms {:>7} ms {speed:>9.0} {findings:>9} {growth:>7.2}",
            kind.name,
            small.as_millis(),
            large.as_millis()
        );
        slowest = slowest.max(large);
    }
    println!("slowest: {} ms", slowest.as_millis());
}

/// The time of one reading, the best of three, and how many findings it gave.
fn measured(kind: &Kind, bytes: usize) -> (Duration, usize) {
    let text = kind.start.to_owned() + &kind.unit.repeat(bytes / kind.unit.len());
    let once = || {
        let begun = Instant::now();
        let reading = reply::read(&text, None);
        (begun.elapsed(), reading.findings.len())
    };
    (0..3).map(|_| once()).min().unwrap_or_default()
}
