//! A chain for a terminal: [`render`].

use super::{CheckResult, Checked, Smoke, Verdict, summary};
use crate::report::{
    foreign::one_line,
    layout::{Ink, NARROWEST, columns, wrap, wrap_hanging},
};

/// Columns that a name may take.
const WIDEST_NAME: usize = 30;
/// Columns that a layer may take.
const WIDEST_LAYER: usize = 14;

/// The chain for a terminal `width` columns wide, with a final newline; without `color` no escape at all. `folder` is the
/// run's.
pub fn render(smoke: &Smoke, folder: &str, width: usize, color: bool) -> String {
    let (width, ink) = (width.max(NARROWEST), Ink { on: color });
    let checks = columns(&["Check", "Layer", "Result", "Time"], rows(smoke, ink), ink);
    let by_layer = columns(&["Layer", "Checks", "Time", ""], layers(smoke), ink);
    let parts = [checks, troubles(smoke, folder, width, ink), by_layer, headline(smoke, width, ink)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn rows(smoke: &Smoke, ink: Ink) -> Vec<Vec<String>> {
    let row = |check: &Checked| {
        let result = check.result.word();
        let result = match check.result {
            CheckResult::Passed => result.to_owned(),
            CheckResult::Failed(_) => ink.alarm(result),
            CheckResult::Skipped(_) => ink.faint(result),
        };
        vec![
            cell(&check.name, WIDEST_NAME),
            cell(&check.layer, WIDEST_LAYER),
            result,
            summary::time_of(check),
        ]
    };
    smoke.checks.iter().map(row).collect()
}

fn cell(text: &str, width: usize) -> String {
    wrap(&one_line(text), width).join("\n")
}

fn layers(smoke: &Smoke) -> Vec<Vec<String>> {
    let row = |layer: summary::Layer<'_>| {
        let checks = summary::passing(layer.checks.iter().copied());
        let time = layer.took().map(summary::time).unwrap_or_default();
        vec![cell(layer.name, WIDEST_NAME), checks, time, layer.rest()]
    };
    summary::layers(smoke).into_iter().map(row).collect()
}

fn troubles(smoke: &Smoke, folder: &str, width: usize, ink: Ink) -> String {
    let lines = |trouble: summary::Trouble| {
        let text = format!("{}  {}", trouble.word, trouble.text);
        let lines = wrap_hanging(&text, width, "", "  ");
        let (first, rest) = lines.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
        let painted = first.replacen(trouble.word, &ink.alarm(trouble.word), 1);
        let output = trouble.output.map(|file| {
            wrap_hanging(&one_line(&format!("output: {folder}/{file}")), width, "  ", "  ").join("\n")
        });
        let rest = rest.iter().cloned().chain(output.map(|line| ink.faint(&line)));
        [painted].into_iter().chain(rest).map(|line| line + "\n").collect::<String>()
    };
    summary::troubles(smoke).into_iter().map(lines).collect()
}

fn headline(smoke: &Smoke, width: usize, ink: Ink) -> String {
    let text = wrap(&format!("Smoke: {}", summary::headline(smoke)), width).join("\n");
    let painted = match smoke.verdict() {
        Verdict::Pass => ink.strong(&text),
        Verdict::Fail | Verdict::Inconclusive => ink.alarm(&text),
    };
    painted + "\n"
}
