//! A chain for a document: [`section`] stands in a gauntlet's report, [`render`] alone.

use super::{Checked, Smoke, summary};
use crate::report::markdown::escape::{cell, code};

/// A document about the chain alone, with a final newline.
pub fn render(smoke: &Smoke) -> String {
    format!("# Smoke: {}\n\nDate: {}\n\n{}", summary::headline(smoke), smoke.started_at, tables(smoke))
}

/// The chain as a section under a heading of level 2, with a final newline.
pub fn section(smoke: &Smoke) -> String {
    format!("## Smoke\n\n**{}**\n\n{}", summary::headline(smoke), tables(smoke))
}

fn tables(smoke: &Smoke) -> String {
    let line = |trouble: summary::Trouble| {
        let output = trouble.output.map_or_else(String::new, |file| format!(" ({})", code(&file)));
        format!("- **{}** {}{output}\n", trouble.word, cell(&trouble.text))
    };
    let troubles: String = summary::troubles(smoke).into_iter().map(line).collect();
    let gap = if troubles.is_empty() { "" } else { "\n" };
    let checks: String = smoke.checks.iter().map(row).collect();
    format!(
        "{}{gap}{troubles}\n<details><summary>All checks</summary>\n\n\
         | Check | Layer | Result | Time |\n|---|---|---|--:|\n{checks}\n</details>\n",
        layers(smoke)
    )
}

fn layers(smoke: &Smoke) -> String {
    let row = |layer: summary::Layer<'_>| {
        let checks = summary::passing(layer.checks.iter().copied());
        let time = layer.took().map(summary::time).unwrap_or_default();
        format!("| {} | {checks} | {time} | {} |\n", cell(layer.name), layer.rest())
    };
    let rows: Vec<String> = summary::layers(smoke).into_iter().map(row).collect();
    format!("| Layer | Checks | Time | |\n|---|---|--:|---|\n{}", rows.concat())
}

fn row(check: &Checked) -> String {
    let Checked { name, layer, result, .. } = check;
    format!("| {} | {} | {} | {} |\n", cell(name), cell(layer), result.word(), summary::time_of(check))
}
