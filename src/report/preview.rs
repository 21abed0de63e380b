//! What a review would send, without sending it: [`Preview`] for `scrum bundle` and `--dry-run`.
//!
//! Token and cost figures are those of [`estimate`].

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use crate::{
    bundle::{Bundle, Guard, Split, show::numbered},
    change::{FilePatch, RangeInfo},
    estimate::{self, Forecast},
    mask::Mask,
    report::{
        coverage, foreign, json,
        layout::{self, Ink, NARROWEST},
        masks, wire, words,
    },
    reviewer::{Access, Reviewer, ReviewerId, Seat, host},
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
    pub panel: Option<Prospect<'a>>,
    /// Who would be asked about which bundle.
    pub routes: &'a Routes,
}

/// Who would be asked, and what that would take.
#[derive(Debug, Clone, Copy)]
pub struct Prospect<'a> {
    /// Who.
    pub reviewers: &'a [Reviewer],
    /// Who is asked in whose place, and why.
    pub in_place: &'a BTreeMap<ReviewerId, (Reviewer, String)>,
    /// What each would take, in the same order.
    pub forecasts: &'a [Forecast],
    /// To say how old the prices are.
    pub today: Date,
}

impl Prospect<'_> {
    /// Who is asked for the seat of `reviewer`.
    fn voice<'a>(&'a self, reviewer: &'a Reviewer) -> &'a Reviewer {
        self.in_place.get(&reviewer.id).map_or(reviewer, |(stand_in, _)| stand_in)
    }
}

/// Prices older than this are said to be old.
const OLD_DAYS: i32 = 180;

/// Tokens of a bundle as reviewers see it, without the rest of the question.
pub fn estimated_tokens(bundle: &Bundle) -> u64 {
    estimate::tokens(&numbered(bundle))
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
        format!("~{}", short_count(estimated_tokens(bundle))),
        bundle.files.len().to_string(),
        format!("+{} −{}", short_count(added as u64), short_count(removed as u64)),
    ]
}

/// Up to 9,999 in full, then `12k` or `3M`.
fn short_count(number: u64) -> String {
    match number {
        0..10_000 => words::grouped(number),
        10_000..999_500 => format!("{}k", (number + 500) / 1_000),
        _ => format!("{}M", words::grouped((number + 500_000) / 1_000_000)),
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
    let tokens = words::grouped(split.bundles.iter().map(estimated_tokens).sum());
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
        lines.push(in_all(panel));
        lines.extend(prices(panel));
    }
    let too_big = split.bundles.iter().filter(|bundle| bundle.guard == Guard::Oversize).count();
    if too_big > 0 {
        lines.push(ink.alarm(&format!("{} too large to send", words::count(too_big, "bundle"))));
    }
    lines.iter().map(|line| layout::wrap_hanging(line, width, "", "  ").join("\n") + "\n").collect()
}

fn seats(panel: Prospect<'_>) -> Vec<String> {
    let seat = |(seat, forecast): (&Reviewer, &Forecast)| {
        let reviewer = panel.voice(seat);
        let place = panel.in_place.get(&seat.id);
        let place =
            place.map(|(_, why)| format!(" in the place of {} ({})", seat.id, foreign::one_line(why)));
        let model = foreign::one_line(&reviewer.model);
        let lineage = foreign::one_line(reviewer.lineage.as_str());
        let way = match &reviewer.access {
            Access::OpenAi { base_url, .. } | Access::Anthropic { base_url, .. } => {
                format!("at {}", foreign::one_line(&host(base_url)))
            }
            Access::Command { .. } => "by its program".to_owned(),
            Access::Replay { .. } => "from saved replies".to_owned(),
            Access::Sarif(analyser) if analyser.runs_repository_code => {
                "on this machine; it runs code of the change".to_owned()
            }
            Access::Sarif(_) | Access::Builtin(_) => "on this machine".to_owned(),
        };
        let takes = if sends(reviewer) { format!("; {}", takes(forecast)) } else { String::new() };
        let place = place.unwrap_or_default();
        format!("would ask {}{place}: {model}, lineage {lineage}, {way}{takes}", reviewer.id)
    };
    panel.reviewers.iter().zip(panel.forecasts).map(seat).collect()
}

/// `about 12,400 tokens in, $0.08 to $0.12, 2 of 3 answers in the cache`.
fn takes(forecast: &Forecast) -> String {
    let all = forecast.requests + forecast.cached;
    let mut parts = Vec::new();
    if forecast.requests > 0 {
        let price =
            forecast.cost_usd.map_or_else(|| "price not known".to_owned(), |(low, high)| dollars(low, high));
        parts.push(format!("about {} tokens in, {price}", words::grouped(forecast.tokens_in)));
    }
    if forecast.cached > 0 {
        parts.push(format!("{} of {} in the cache", forecast.cached, words::count(all, "answer")));
    }
    parts.join(", ")
}

/// `$0.08 to $0.12`, `up to $0.02` where the least is next to nothing, or one of them where they look the same; `no cost`.
fn dollars(low: f64, high: f64) -> String {
    let (least, most) = (words::dollars(low), words::dollars(high));
    match (least == most, high > 0.0) {
        (_, false) => "no cost".to_owned(),
        (true, true) => least,
        (false, true) if low < 0.01 => format!("up to {most}"),
        (false, true) => format!("{least} to {most}"),
    }
}

/// Whether asking it is a request; built-ins and saved replies answer in this process.
fn sends(reviewer: &Reviewer) -> bool {
    match reviewer.access {
        Access::OpenAi { .. } | Access::Anthropic { .. } | Access::Command { .. } => true,
        Access::Replay { .. } | Access::Sarif(_) | Access::Builtin(_) => false,
    }
}

/// Who of `panel` is shown the change outside of this machine, and what that takes: a line each, and one for all of them where they
/// are several. Nothing when nobody is asked anything there.
pub fn shown_to(panel: Prospect<'_>) -> Vec<String> {
    let all = panel.reviewers.iter().zip(panel.forecasts);
    let all = all.map(|(one, forecast)| (panel.voice(one), forecast));
    let away = all.filter(|(one, forecast)| !one.access.stays_here() && forecast.requests > 0);
    let (reviewers, forecasts): (Vec<_>, Vec<_>) =
        away.map(|(one, forecast)| (one.clone(), forecast.clone())).unzip();
    let panel = Prospect { reviewers: &reviewers, forecasts: &forecasts, ..panel };
    let mut lines: Vec<String> = reviewers
        .iter()
        .zip(&forecasts)
        .map(|(reviewer, forecast)| format!("{}: {}; {}", reviewer.id, place(reviewer), takes(forecast)))
        .collect();
    if lines.len() > 1 {
        lines.push(format!("in all {}", amount(panel)));
    }
    lines.extend(prices(panel));
    lines
}

/// `gpt-6.1-sol at api.openai.com`; a program passes what it is told on to wherever it is logged in.
fn place(reviewer: &Reviewer) -> String {
    match (reviewer.access.base_url(), reviewer.access.program()) {
        (Some(url), _) => {
            format!("{} at {}", foreign::one_line(&reviewer.model), foreign::one_line(&host(url)))
        }
        (None, Some(program)) => format!(
            "the program {}, which passes it on to {}",
            foreign::one_line(program),
            foreign::one_line(reviewer.lineage.as_str())
        ),
        (None, None) => foreign::one_line(&reviewer.model),
    }
}

/// What is to be sent.
fn remote(panel: Prospect<'_>) -> Vec<Forecast> {
    let all = panel.reviewers.iter().zip(panel.forecasts);
    all.filter(|(reviewer, _)| sends(panel.voice(reviewer))).map(|(_, forecast)| forecast.clone()).collect()
}

fn in_all(panel: Prospect<'_>) -> String {
    format!("{}; nothing was sent", amount(panel))
}

/// `3 requests, about 12,400 tokens in and 240 to 2,040 out, $0.08 to $0.12`.
fn amount(panel: Prospect<'_>) -> String {
    let (all, is_whole) = estimate::together(&remote(panel));
    let requests = words::count(all.requests, "request");
    if all.requests == 0 {
        return requests;
    }
    let (low, high) = all.cost_usd.unwrap_or_default();
    let cost = match (is_whole, high > 0.0) {
        (true, _) => dollars(low, high),
        (false, true) => format!("{} and what is not known", dollars(low, high)),
        (false, false) => "at a cost that is not known".to_owned(),
    };
    let [tokens_in, few, many] =
        [all.tokens_in, *all.tokens_out.start(), *all.tokens_out.end()].map(words::grouped);
    format!("{requests}, about {tokens_in} tokens in and {few} to {many} out, {cost}")
}

/// When the oldest of the prices used was looked up.
fn prices(panel: Prospect<'_>) -> Option<String> {
    let oldest = oldest_price(panel)?;
    let days = panel.today.since(oldest).map_or(0, |age| age.get_days());
    let old = if days > OLD_DAYS {
        format!(", {days} days old: check them, or set `price`")
    } else {
        String::new()
    };
    Some(format!("by list prices of {oldest}{old}; a model that reasons at length costs more"))
}

fn oldest_price(panel: Prospect<'_>) -> Option<Date> {
    let used = panel.reviewers.iter().zip(panel.forecasts).filter(|(_, forecast)| forecast.requests > 0);
    used.filter_map(|(reviewer, _)| panel.voice(reviewer).price?.as_of).min()
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
    estimated_tokens: u64,
    /// Least and most, as far as prices are known.
    estimated_cost_usd: [f64; 2],
    /// Whether the price of everything that would be sent is known.
    cost_is_known: bool,
    prices_as_of: Option<String>,
    forecast: Vec<SeatForecast>,
}

#[derive(Debug, Serialize)]
struct SeatForecast {
    reviewer: String,
    /// Who is asked in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<String>,
    requests: usize,
    cached: usize,
    tokens_in: u64,
    tokens_out: [u64; 2],
    /// Null without a price.
    cost_usd: Option<[f64; 2]>,
}

#[derive(Debug, Serialize)]
struct BundlePreview {
    #[serde(flatten)]
    bundle: wire::BundleEntry,
    added: usize,
    removed: usize,
    estimated_tokens: u64,
}

/// The preview as JSON (`scrum.preview/1`), with a final newline. `requests` and the estimates beside it count what
/// would leave this process; without a panel they are 0 and the bundles' own estimates stay.
pub fn render_json(preview: &Preview<'_>) -> String {
    let panel = preview.panel;
    let (all, cost_is_known) = estimate::together(&panel.map(remote).unwrap_or_default());
    let (low, high) = all.cost_usd.unwrap_or_default();
    let seats = panel.map_or(<_>::default(), |panel| panel.reviewers);
    let forecasts = panel.map_or(<_>::default(), |panel| panel.forecasts);
    json::pretty(&Document {
        schema: "scrum.preview/1",
        range: json::range(preview.range),
        bundles: preview.split.bundles.iter().map(|one| bundle_preview(one, preview.routes)).collect(),
        excluded: preview.split.excluded.iter().map(json::excluded).collect(),
        masked: preview.masks.iter().map(json::masked).collect(),
        panel: seats.iter().map(|reviewer| json::seat(&Seat::from(reviewer))).collect(),
        requests: all.requests,
        estimated_tokens: all.tokens_in,
        estimated_cost_usd: [low, high],
        cost_is_known,
        prices_as_of: panel.and_then(oldest_price).map(|date| date.to_string()),
        forecast: seats.iter().zip(forecasts).map(|one| seat_forecast(panel, one)).collect(),
    })
}

fn seat_forecast(panel: Option<Prospect<'_>>, (reviewer, forecast): (&Reviewer, &Forecast)) -> SeatForecast {
    let in_place = panel.and_then(|panel| panel.in_place.get(&reviewer.id));
    SeatForecast {
        reviewer: reviewer.id.to_string(),
        asked: in_place.map(|(stand_in, _)| stand_in.id.to_string()),
        requests: forecast.requests,
        cached: forecast.cached,
        tokens_in: forecast.tokens_in,
        tokens_out: [*forecast.tokens_out.start(), *forecast.tokens_out.end()],
        cost_usd: forecast.cost_usd.map(|(low, high)| [low, high]),
    }
}

fn bundle_preview(bundle: &Bundle, routes: &Routes) -> BundlePreview {
    let (added, removed) = counts(bundle);
    let estimated_tokens = estimated_tokens(bundle);
    BundlePreview { bundle: json::bundle(bundle, routes), added, removed, estimated_tokens }
}
