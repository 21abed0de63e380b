//! Says which bundles are too large and what to do about it: [`oversize`] and [`warning`].
//!
//! `bundle::guard` has judged them. Nothing here prints or stops a run.

use std::{cmp::Reverse, fmt::Write};

use crate::{
    bundle::{
        Bundle, Guard, Limits,
        context::{Context, Growth},
    },
    report::{foreign, words},
};

/// How many of a bundle's largest files are named.
const LARGEST: usize = 3;

/// Why nothing was sent and what to do: names each oversize bundle, its size and its largest files. `None` when no
/// bundle is oversize.
pub fn oversize(bundles: &[Bundle], limits: &Limits) -> Option<String> {
    let large: Vec<&Bundle> = bundles.iter().filter(|bundle| bundle.guard == Guard::Oversize).collect();
    if large.is_empty() {
        return None;
    }
    let (count, limit) = (bundles_are(large.len()), words::grouped(limits.fail_bytes as u64));
    let mut text = format!("{count} over {limit} bytes of diff; nothing was sent\n");
    for bundle in &large {
        describe(bundle, &mut text);
    }
    text.push_str("hint: make it smaller, or send it all the same:\n");
    for way in ways_out(&large) {
        let _ = writeln!(text, "  - {way}");
    }
    Some(text)
}

/// A warning about bundles that are large or were forced; `None` when there is none.
pub fn warning(bundles: &[Bundle], limits: &Limits) -> Option<String> {
    let is_large = |bundle: &&Bundle| matches!(bundle.guard, Guard::Warn | Guard::Forced);
    let large: Vec<&Bundle> = bundles.iter().filter(is_large).collect();
    if large.is_empty() {
        return None;
    }
    let (count, limit) = (bundles_are(large.len()), words::grouped(limits.warn_bytes as u64));
    let mut text = format!("{count} over {limit} bytes of diff; models read long diffs less closely\n");
    for bundle in &large {
        describe(bundle, &mut text);
    }
    Some(text)
}

/// `context: 12 of 14 hunks grown to their function; 2 left, the bundle would pass 60,000 bytes`; `None` when nothing more
/// than hunks was asked for, or nothing could have grown.
pub fn growth(growth: &Growth, warn_bytes: usize) -> Option<String> {
    let what = match growth.context {
        Context::Hunk => return None,
        Context::Function => "function",
        Context::File => "file",
    };
    let why = [
        (growth.too_large, format!("the bundle would pass {} bytes", words::grouped(warn_bytes as u64))),
        (growth.not_found, "no function with a clear end is around them".to_owned()),
        (growth.shared, format!("another bundle shows a change in the same {what}")),
        (growth.without_text, "the file before the change is not at hand".to_owned()),
    ];
    let left: Vec<String> = why
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, why)| format!("; {} left, {why}", words::grouped(*count as u64)))
        .collect();
    let (grown, all) = (growth.grown as u64, words::count(growth.hunks(), "hunk"));
    (growth.hunks() > 0).then(|| {
        format!("context: {} of {all} grown to their {what}{}", words::grouped(grown), left.concat())
    })
}

/// `12 of 14 hunks are shown with their function, 3.4 KB more in all`; `None` likewise.
pub fn growth_in_short(growth: &Growth) -> Option<String> {
    let what = match growth.context {
        Context::Hunk => return None,
        Context::Function => "function",
        Context::File => "file",
    };
    let (grown, all) = (words::grouped(growth.grown as u64), words::count(growth.hunks(), "hunk"));
    let more = words::size(growth.bytes as u64);
    (growth.hunks() > 0).then(|| format!("{grown} of {all} shown with the whole {what}, {more} more"))
}

fn bundles_are(count: usize) -> String {
    if count == 1 { "1 bundle is".to_owned() } else { format!("{count} bundles are") }
}

fn describe(bundle: &Bundle, text: &mut String) {
    let forced = if bundle.guard == Guard::Forced { ", forced" } else { "" };
    let _ = writeln!(text, "  {}  {} bytes{forced}", bundle.id, words::grouped(bundle.byte_len() as u64));
    for (bytes, path) in largest(bundle) {
        let _ = writeln!(text, "    {:>9}  {path}", words::grouped(bytes as u64));
    }
    let rest = bundle.files.len().saturating_sub(LARGEST);
    if rest > 0 {
        let _ = writeln!(text, "    and {rest} more");
    }
}

/// The largest files of a bundle, largest first, equal ones in path order.
fn largest(bundle: &Bundle) -> Vec<(usize, String)> {
    let mut files: Vec<_> = bundle
        .files
        .iter()
        .map(|file| (file.byte_len(), foreign::one_line(&file.path.to_string())))
        .collect();
    files.sort_by_key(|(bytes, _)| Reverse(*bytes));
    files.truncate(LARGEST);
    files
}

/// What can be done, the surest last. A bundle of one hunk is as small as cutting makes it.
fn ways_out(large: &[&Bundle]) -> Vec<String> {
    let hunks = |bundle: &Bundle| bundle.files.iter().map(|file| file.hunks.len()).sum::<usize>();
    let mut ways = Vec::new();
    if large.iter().any(|bundle| hunks(bundle) > 1) {
        ways.push(
            "declare smaller components in scrum.toml: [[component]] name = \"…\", paths = [\"…\"]"
                .to_owned(),
        );
        ways.push("let declared components be cut too: [bundle] split = \"always\"".to_owned());
    }
    let path = large.iter().find_map(|bundle| largest(bundle).into_iter().next());
    let path = path.map(|(_, path)| path).unwrap_or_default();
    ways.push(format!("leave files out: --exclude {}", shell_quoted(&globset::escape(&path))));
    ways.push("send it as it is: SCRUM_FORCE_OVERSIZE=1".to_owned());
    ways
}

/// `path` as one word of a POSIX shell.
fn shell_quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', "'\\''"))
}
