//! Shows which family models descend from, and why: [`Descent`] for `scrum lineage`.

use serde::Serialize;

use crate::{
    report::{
        foreign, json,
        layout::{self, Ink, NARROWEST},
        markdown::escape,
        words,
    },
    reviewer::{Access, Lineage, Reviewer},
    tally::lineage,
};

/// Under this width models are shown one below the other instead of in columns.
const STACKED_BELOW: usize = 60;

/// A model name with its lineage and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Descent {
    /// The reviewer that is configured with it.
    pub reviewer: Option<String>,
    /// As providers write it.
    pub model: String,
    /// What it counts as.
    pub lineage: String,
    /// The rule that decided, or who did.
    pub why: String,
}

impl Descent {
    /// What the name alone says.
    pub fn of_name(model: &str) -> Self {
        let (lineage, why) = lineage::explain(model);
        Self { reviewer: None, model: model.to_owned(), lineage: lineage.to_string(), why }
    }

    /// What is configured; a lineage that the name does not give was declared.
    pub fn of_reviewer(reviewer: &Reviewer) -> Self {
        let (by_name, why) = lineage::explain(&reviewer.model);
        let why = match (&reviewer.access, by_name == reviewer.lineage) {
            (Access::Builtin(_), _) => "not a language model: it stands for itself".to_owned(),
            (_, true) => why,
            (_, false) => format!("declared in the configuration; the name says {by_name}: {why}"),
        };
        Self {
            reviewer: Some(reviewer.id.to_string()),
            model: reviewer.model.clone(),
            lineage: reviewer.lineage.to_string(),
            why,
        }
    }
}

/// The models for a terminal `width` columns wide (at least 40 are used), and the lineages that are known by name, with a
/// final newline. Either may be empty.
pub fn render(models: &[Descent], known: &[Lineage], width: usize, color: bool) -> String {
    let (width, ink) = (width.max(NARROWEST), Ink { on: color });
    let parts = [self::models(models, width, ink), self::known(known, width)];
    let shown: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    shown.join("\n")
}

/// The same as Markdown, with a final newline.
pub fn render_markdown(models: &[Descent], known: &[Lineage]) -> String {
    let row = |one: &Descent| {
        let cells = [one.reviewer.as_deref().unwrap_or_default(), &one.model, &one.lineage, &one.why];
        format!("| {} |\n", cells.map(escape::cell).join(" | "))
    };
    let mut out = String::new();
    if !models.is_empty() {
        out += "| reviewer | model | lineage | why |\n|---|---|---|---|\n";
        out.extend(models.iter().map(row));
    }
    for line in known_words(known) {
        let gap = if out.is_empty() { "" } else { "\n" };
        out = out + gap + &escape::text(&line) + "\n";
    }
    out
}

fn models(models: &[Descent], width: usize, ink: Ink) -> String {
    if models.is_empty() {
        return String::new();
    }
    if width < STACKED_BELOW {
        let told = |one: &Descent| {
            let [name, model, lineage, why] = cells(one);
            let name = if name.is_empty() { model } else { format!("{name}: {model}") };
            let line = format!("{name} is {lineage}: {why}");
            layout::wrap_hanging(&line, width, "", "  ").join("\n") + "\n"
        };
        return models.iter().map(told).collect();
    }
    let rows: Vec<[String; 4]> = models.iter().map(cells).collect();
    let named = models.iter().any(|one| one.reviewer.is_some());
    let heading = ["reviewer", "model", "lineage", "why"];
    let first = usize::from(!named);
    let widest = |at: usize| {
        let cells = rows.iter().map(|row| layout::width_of(&row[at]));
        cells.chain([heading[at].len()]).max().unwrap_or(0)
    };
    let mut room = [widest(0), widest(1), widest(2), 0].map(|wanted| wanted.min(width / 3));
    room[3] = width.saturating_sub(room[first..3].iter().map(|one| one + layout::GAP).sum()).max(1);
    let wrapped = |row: &[String; 4]| {
        let cells = row.iter().zip(room).map(|(cell, room)| layout::wrap(cell, room).join("\n"));
        cells.skip(first).collect::<Vec<_>>()
    };
    layout::columns(&heading[first..], rows.iter().map(wrapped).collect(), ink)
}

/// Reviewer, model, lineage and reason, harmless to show.
fn cells(one: &Descent) -> [String; 4] {
    [one.reviewer.as_deref().unwrap_or_default(), &one.model, &one.lineage, &one.why].map(foreign::one_line)
}

fn known(known: &[Lineage], width: usize) -> String {
    let lines = known_words(known);
    lines.iter().map(|line| layout::wrap_hanging(line, width, "", "  ").join("\n") + "\n").collect()
}

/// What is known without a model's name; nothing when that was not asked for.
fn known_words(known: &[Lineage]) -> Vec<String> {
    if known.is_empty() {
        return Vec::new();
    }
    let names: Vec<&str> = known.iter().map(Lineage::as_str).collect();
    vec![
        format!("{} known by model names: {}", words::count(known.len(), "lineage"), names.join(", ")),
        "A static tool is a lineage of its own (static:ruff), and so is the repository's history. All models of \
         unknown descent together are one. A reviewer's `lineage = \"…\"` in scrum.toml overrides its name."
            .to_owned(),
    ]
}

/// The same as a document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: &'static str,
    models: &'a [Descent],
    known: Vec<&'a str>,
}

/// As JSON (`scrum.lineage/1`), with a final newline.
pub fn render_json(models: &[Descent], known: &[Lineage]) -> String {
    let known = known.iter().map(Lineage::as_str).collect();
    json::pretty(&Document { schema: "scrum.lineage/1", models, known })
}
