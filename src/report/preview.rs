//! What a review would send, without sending it: [`Preview`] for `scrum bundle` and `--dry-run`.
//!
//! Token figures are estimates: one token for four bytes of diff, which is near enough for code in common
//! tokenizers to decide by, and prompts' own text is not counted.

use serde::Serialize;

use crate::{
    bundle::{Bundle, Guard, Split},
    change::{FilePatch, RangeInfo},
    mask::Mask,
    report::{
        coverage, foreign, json,
        layout::{self, Ink, NARROWEST},
        masks, wire, words,
    },
    reviewer::{Access, Reviewer, Seat, host},
    route::Routes,
};

/// What would be sent, and to whom.
#[derive(Debug, Clone, Copy)]
pub struct Preview<'a> {
    /// Which change.
    pub range: &'a RangeInfo,
    /// Its bundles, and what was left out.
    pub split: &'a Split,
    /// What reviewers would see markers for.
    pub masks: &'a [Mask],
    /// Who would be asked; nobody for `scrum bundle`.
    pub panel: Option<&'a [Reviewer]>,
    /// Who would be asked about which bundle.
    pub routes: &'a Routes,
}

/// Tokens of a diff of `bytes` bytes: a quarter, rounded up. An estimate.
pub fn estimated_tokens(bytes: usize) -> usize {
    bytes.div_ceil(4)
}

/// The preview for a terminal `width` columns wide (at least 40 are used), with a final newline.
pub fn render(preview: &Preview<'_>, width: usize, color: bool) -> String {
    let (width, ink) = (width.max(NARROWEST), Ink { on: color });
    let parts = [
        bundles(preview, width, ink),
        left_out(preview.split, width),
        masked(preview.masks, width),
        closing(preview, width, ink),
    ];
    let shown: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    shown.join("\n")
}

fn bundles(preview: &Preview<'_>, width: usize, ink: Ink) -> String {
    let Preview { split, routes, .. } = preview;
    if split.bundles.is_empty() {
        return String::new();
    }
    let panel = |bundle: &Bundle| routes.of(&bundle.id).map(|routed| foreign::one_line(&routed.panel));
    let panels: Vec<Option<String>> = split.bundles.iter().map(panel).collect();
    let widest = panels.iter().flatten().map(|panel| layout::width_of(panel) + layout::GAP).max();
    let room = width.saturating_sub(8 + 8 + 5 + 14 + 4 * 2 + widest.unwrap_or(0)).max(8);
    let mut heading = vec!["bundle", "size", "tokens", "files", "lines"];
    heading.extend(widest.map(|_| "panel"));
    let rows = split.bundles.iter().zip(panels).map(|(bundle, panel)| {
        let mut row = row(bundle, room, ink);
        row.extend(widest.map(|_| panel.unwrap_or_default()));
        row
    });
    layout::columns(&heading, rows.collect(), ink)
}

fn row(bundle: &Bundle, room: usize, ink: Ink) -> Vec<String> {
    let (added, removed) = counts(bundle);
    let bytes = bundle.byte_len();
    let guard = match bundle.guard {
        Guard::Ok => String::new(),
        Guard::Warn => "large".to_owned(),
        Guard::Oversize => ink.alarm("too big"),
        Guard::Forced => "forced".to_owned(),
    };
    let size = words::size(bytes as u64);
    vec![
        layout::wrap(&words::bundle_name(&bundle.id), room).join("\n"),
        if guard.is_empty() { size } else { format!("{size}\n{guard}") },
        format!("~{}", short_count(estimated_tokens(bytes))),
        bundle.files.len().to_string(),
        format!("+{} −{}", short_count(added), short_count(removed)),
    ]
}

/// Up to 9,999 in full, then `12k` or `3M`.
fn short_count(number: usize) -> String {
    match number {
        0..10_000 => words::grouped(number as u64),
        10_000..999_500 => format!("{}k", (number + 500) / 1_000),
        _ => format!("{}M", words::grouped((number as u64 + 500_000) / 1_000_000)),
    }
}

fn counts(bundle: &Bundle) -> (usize, usize) {
    bundle.files.iter().map(FilePatch::counts).fold((0, 0), |sum, file| (sum.0 + file.0, sum.1 + file.1))
}

fn left_out(split: &Split, width: usize) -> String {
    let lines = coverage::excluded_lines(&split.excluded);
    section("Files not shown to reviewers", split.excluded.len(), &lines, width)
}

fn masked(masks: &[Mask], width: usize) -> String {
    section("Credentials masked for reviewers", masks::count(masks), &masks::lines(masks), width)
}

fn section(title: &str, count: usize, lines: &[String], width: usize) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let title = format!("{title} ({count})\n");
    lines
        .iter()
        .fold(title, |out, line| out + &layout::wrap_hanging(line, width, "  ", "    ").join("\n") + "\n")
}

fn closing(preview: &Preview<'_>, width: usize, ink: Ink) -> String {
    let split = preview.split;
    let bytes: usize = split.bundles.iter().map(Bundle::byte_len).sum();
    let tokens = words::grouped(estimated_tokens(bytes) as u64);
    let size = words::size(bytes as u64);
    let spec = foreign::one_line(&preview.range.spec);
    let mut lines = vec![if split.bundles.is_empty() {
        let files = words::count(split.excluded.len(), "changed file");
        format!("{spec}: nothing to review, {files} left out")
    } else {
        format!("{spec}: {}, {size}, about {tokens} tokens", words::count(split.bundles.len(), "bundle"))
    }];
    if let Some(panel) = preview.panel {
        lines.extend(seats(panel));
        lines.push(requests(preview));
    }
    let too_big = split.bundles.iter().filter(|bundle| bundle.guard == Guard::Oversize).count();
    if too_big > 0 {
        lines.push(ink.alarm(&format!("{} too large to send", words::count(too_big, "bundle"))));
    }
    lines.iter().map(|line| layout::wrap_hanging(line, width, "", "  ").join("\n") + "\n").collect()
}

fn seats(panel: &[Reviewer]) -> Vec<String> {
    let seat = |reviewer: &Reviewer| {
        let model = foreign::one_line(&reviewer.model);
        let lineage = foreign::one_line(reviewer.lineage.as_str());
        let way = match &reviewer.access {
            Access::OpenAi { base_url, .. } | Access::Anthropic { base_url, .. } => {
                format!("at {}", foreign::one_line(host(base_url)))
            }
            Access::Command { .. } => "by its program".to_owned(),
            Access::Replay { .. } => "from saved replies".to_owned(),
            Access::Sarif(analyser) if analyser.runs_repository_code => {
                "on this machine; it runs code of the change".to_owned()
            }
            Access::Sarif(_) | Access::Builtin(_) => "on this machine".to_owned(),
        };
        format!("would ask {}: {model}, lineage {lineage}, {way}", reviewer.id)
    };
    panel.iter().map(seat).collect()
}

/// The bundles that would be sent, one entry a request. Reviewers that answer on this machine without a model are no requests.
fn sent<'a>(preview: &Preview<'a>) -> Vec<&'a Bundle> {
    let sends = |access: &Access| match access {
        Access::OpenAi { .. } | Access::Anthropic { .. } | Access::Command { .. } => true,
        Access::Replay { .. } | Access::Sarif(_) | Access::Builtin(_) => false,
    };
    let remote = preview.panel.unwrap_or_default().iter().filter(|reviewer| sends(&reviewer.access));
    let Preview { split, routes, .. } = *preview;
    let of = |reviewer: &Reviewer| {
        let id = reviewer.id.clone();
        split.bundles.iter().filter(move |bundle| routes.asks(&bundle.id, id.as_str()))
    };
    remote.flat_map(of).collect()
}

fn tokens_of(bundles: &[&Bundle]) -> usize {
    bundles.iter().map(|bundle| estimated_tokens(bundle.byte_len())).sum()
}

fn requests(preview: &Preview<'_>) -> String {
    let sent = sent(preview);
    let requests = words::count(sent.len(), "request");
    let tokens = words::grouped(tokens_of(&sent) as u64);
    format!("{requests}, about {tokens} tokens of diff in all; nothing was sent")
}

/// The preview as a document.
#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    range: wire::Range,
    bundles: Vec<BundlePreview>,
    excluded: Vec<wire::ExcludedFile>,
    masked: Vec<wire::MaskedText>,
    panel: Vec<wire::Seat>,
    requests: usize,
    estimated_tokens: usize,
}

#[derive(Debug, Serialize)]
struct BundlePreview {
    #[serde(flatten)]
    bundle: wire::BundleEntry,
    added: usize,
    removed: usize,
    estimated_tokens: usize,
}

/// The preview as JSON (`scrum.preview/1`), with a final newline. `requests` and `estimated_tokens` count what
/// would leave this machine; without a panel both are 0 and the bundles' own estimates stay.
pub fn render_json(preview: &Preview<'_>) -> String {
    let seats = preview.panel.unwrap_or_default();
    let sent = sent(preview);
    json::pretty(&Document {
        schema: "scrum.preview/1",
        range: json::range(preview.range),
        bundles: preview.split.bundles.iter().map(|one| bundle_preview(one, preview.routes)).collect(),
        excluded: preview.split.excluded.iter().map(json::excluded).collect(),
        masked: preview.masks.iter().map(json::masked).collect(),
        panel: seats.iter().map(|reviewer| json::seat(&Seat::from(reviewer))).collect(),
        requests: sent.len(),
        estimated_tokens: tokens_of(&sent),
    })
}

fn bundle_preview(bundle: &Bundle, routes: &Routes) -> BundlePreview {
    let (added, removed) = counts(bundle);
    let estimated_tokens = estimated_tokens(bundle.byte_len());
    BundlePreview { bundle: json::bundle(bundle, routes), added, removed, estimated_tokens }
}
