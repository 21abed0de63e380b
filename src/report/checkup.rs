//! What `scrum doctor` says: a [`Checkup`] as text and as JSON.
//!
//! It repeats names of variables, programs and models that were found, made harmless; it knows no key's value.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::report::{
    foreign, json,
    layout::{self, Ink, NARROWEST},
    words,
};

/// Everything that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Checkup {
    /// About the place: repository, configuration, programs.
    pub place: Vec<Fact>,
    /// What is wrong with the configuration, with what to do.
    pub broken: Vec<String>,
    /// Who is asked, and who could be.
    pub groups: Vec<Group>,
    /// What was looked for and is not there.
    pub absent: Vec<Absent>,
    /// Fewest lineages that a review asks for.
    pub min_lineages: usize,
    /// The command to run next.
    pub next: String,
}

/// Something about the place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fact {
    /// What it is about.
    pub about: String,
    /// What is so.
    pub what: String,
}

/// Reviewers that have something in common.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// What.
    pub title: String,
    /// Whether they are asked by a review.
    pub is_panel: bool,
    /// The reviewers.
    pub checks: Vec<Check>,
}

/// One reviewer, and whether it could run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// Its id.
    pub reviewer: String,
    /// The model it asks; empty where that is to be chosen.
    pub model: String,
    /// The family it counts as; empty where that is not known yet.
    pub lineage: String,
    /// Whether it is a model, and no tool or record.
    pub is_model: bool,
    /// How it is reached.
    pub way: String,
    /// Whether somebody outside of scrum is asked: an endpoint or a program.
    pub is_asked: bool,
    /// Whether it could run.
    #[serde(flatten)]
    pub state: Readiness,
    /// The reviewers in whose place it is asked when they are out of order.
    pub stands_in_for: Vec<String>,
    /// What came of trying it.
    pub probe: Option<Probe>,
}

/// Whether a reviewer could run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Readiness {
    /// Everything it needs is there.
    Ready,
    /// Something is missing.
    Not {
        /// What.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// It is there and not asked.
    Spare {
        /// Why, or what is to be chosen.
        remark: String,
        /// How to have it asked.
        remedy: String,
    },
}

/// What came of one tiny request.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Probe {
    /// From asking to the answer's end, in milliseconds.
    pub latency_ms: u64,
    /// Prompt tokens as the provider counted them.
    pub tokens_in: Option<u64>,
    /// Answer tokens as the provider counted them.
    pub tokens_out: Option<u64>,
    /// In US dollars, when known.
    pub cost_usd: Option<f64>,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// Things of one kind that are not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Absent {
    /// The kind, in the plural.
    pub what: String,
    /// Their names.
    pub names: Vec<String>,
}

impl Check {
    /// Whether trying it with a request would tell something: it is a model, and ready.
    pub fn can_be_probed(&self) -> bool {
        self.is_model && self.is_asked && self.state == Readiness::Ready
    }

    /// Whether a review would get an answer, as far as is known.
    pub fn is_usable(&self) -> bool {
        let answered = self.probe.as_ref().is_none_or(|probe| probe.error.is_none());
        self.state == Readiness::Ready && answered
    }
}

/// Who can run, in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Reviewers that are asked.
    pub reviewers: usize,
    /// Those of them that can run.
    pub usable: usize,
    /// Distinct lineages of those, in name order.
    pub lineages: Vec<String>,
    /// Those that are lineages of models.
    pub model_lineages: Vec<String>,
}

impl Checkup {
    /// Who of those that are asked can run.
    pub fn outcome(&self) -> Outcome {
        let asked = || self.groups.iter().filter(|group| group.is_panel).flat_map(|group| &group.checks);
        let usable: Vec<&Check> = asked().filter(|check| check.is_usable()).collect();
        let distinct = |checks: &mut dyn Iterator<Item = &&Check>| {
            let names: BTreeSet<String> = checks.map(|check| check.lineage.clone()).collect();
            names.into_iter().collect()
        };
        Outcome {
            reviewers: asked().count(),
            usable: usable.len(),
            lineages: distinct(&mut usable.iter()),
            model_lineages: distinct(&mut usable.iter().filter(|check| check.is_model)),
        }
    }

    /// Whether a review could be answered by as many lineages as are asked for.
    pub fn can_review(&self) -> bool {
        self.outcome().lineages.len() >= self.min_lineages.max(1)
    }
}

/// The checkup for a terminal `width` columns wide (at least 40 are used), with a final newline.
pub fn render(checkup: &Checkup, width: usize, color: bool) -> String {
    let (width, ink) = (width.max(NARROWEST), Ink { on: color });
    let mut parts = vec![place(checkup, width, ink)];
    parts.extend(checkup.groups.iter().map(|group| self::group(group, width, ink)));
    parts.push(absent(checkup, width, ink));
    parts.push(closing(checkup, width, ink));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// The checkup as JSON (`scrum.doctor/1`), with a final newline.
pub fn render_json(checkup: &Checkup) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        schema: &'static str,
        #[serde(flatten)]
        checkup: &'a Checkup,
        outcome: Outcome,
        can_review: bool,
    }
    let (outcome, can_review) = (checkup.outcome(), checkup.can_review());
    json::pretty(&Document { schema: "scrum.doctor/1", checkup, outcome, can_review })
}

fn place(checkup: &Checkup, width: usize, ink: Ink) -> String {
    let about = checkup.place.iter().map(|fact| layout::width_of(&fact.about)).max().unwrap_or(0);
    let lines = checkup.place.iter().map(|fact| {
        let head =
            format!("{}{}", ink.strong(&fact.about), " ".repeat(about - fact.about.len() + layout::GAP));
        let what = layout::wrap(&foreign::one_line(&fact.what), width.saturating_sub(about + layout::GAP));
        head + &what.join(&format!("\n{}", " ".repeat(about + layout::GAP))) + "\n"
    });
    let broken = checkup.broken.iter().map(|line| {
        let shown = layout::wrap_hanging(&foreign::one_line(line), width, "! ", "  ");
        ink.alarm(&shown.join("\n")) + "\n"
    });
    lines.chain(broken).collect()
}

fn group(group: &Group, width: usize, ink: Ink) -> String {
    let mut out = ink.strong(&layout::wrap(&group.title, width).join("\n")) + "\n";
    out += &table(&group.checks, width, ink);
    for check in &group.checks {
        if let Some(advice) = advice(check) {
            let text = format!("{}: {advice}", foreign::one_line(&check.reviewer));
            let shown = layout::wrap_hanging(&text, width, "  → ", "    ").join("\n");
            out += &(if check.is_usable() || !group.is_panel { shown } else { ink.alarm(&shown) } + "\n");
        }
    }
    out
}

fn table(checks: &[Check], width: usize, ink: Ink) -> String {
    let shown = |text: &str| foreign::one_line(text);
    let widest = |of: &dyn Fn(&Check) -> &str| {
        checks.iter().map(|check| layout::width_of(&shown(of(check)))).max().unwrap_or(0)
    };
    let id = widest(&|check| &check.reviewer).clamp(8, 24);
    let lineage = widest(&|check| &check.lineage).clamp(7, 14);
    let room = width.saturating_sub(id + lineage + 3 * layout::GAP).max(16);
    let described =
        checks.iter().map(|check| layout::width_of(&shown(&what_words(check)))).max().unwrap_or(0);
    let state = (room / 3).clamp(8, 40).max(room.saturating_sub(described));
    let what = room.saturating_sub(state).max(8);
    let cell = |text: &str, room: usize| layout::wrap(&shown(text), room).join("\n");
    let row = |check: &Check| {
        let state = cell(&state_words(check), state);
        vec![
            cell(&check.reviewer, id),
            cell(&what_words(check), what),
            cell(&check.lineage, lineage),
            if matches!(check.state, Readiness::Spare { .. }) || check.is_usable() {
                state
            } else {
                ink.alarm(&state)
            },
        ]
    };
    layout::columns(&["reviewer", "what", "lineage", "state"], checks.iter().map(row).collect(), ink)
}

/// `kimi-k2 at openrouter.ai`, `program claude 2.1.3`, `built in`.
fn what_words(check: &Check) -> String {
    let Check { model, way, .. } = check;
    match (model.as_str(), way.as_str()) {
        ("", way) => way.to_owned(),
        (model, "built in") if model == check.reviewer => way.clone(),
        (model, way) if way.split(' ').nth(1) == Some(model) => way.to_owned(),
        (model, way) if way.starts_with("program") => format!("{model}, {way}"),
        (model, "built in" | "saved replies") => format!("{model}, {way}"),
        (model, way) => format!("{model} at {way}"),
    }
}

/// `ready; stands in for opus`.
fn state_words(check: &Check) -> String {
    let names: Vec<String> = check.stands_in_for.iter().map(|id| foreign::one_line(id)).collect();
    let covers =
        if names.is_empty() { String::new() } else { format!("; stands in for {}", words::list(&names)) };
    outcome_words(check) + &covers
}

fn outcome_words(check: &Check) -> String {
    match (&check.state, &check.probe) {
        (_, Some(Probe { error: Some(_), .. })) => "failed".to_owned(),
        (_, Some(probe)) => format!("answered in {}{}", words::duration(probe.latency_ms), spent(probe)),
        (Readiness::Ready, None) => "ready".to_owned(),
        (Readiness::Not { problem, .. }, None) => problem.clone(),
        (Readiness::Spare { remark, .. }, None) => remark.clone(),
    }
}

/// `, 19 + 3 tokens, under $0.01`.
fn spent(probe: &Probe) -> String {
    let tokens = match (probe.tokens_in, probe.tokens_out) {
        (Some(given), Some(answered)) => {
            format!(", {} + {} tokens", words::grouped(given), words::grouped(answered))
        }
        _ => String::new(),
    };
    let cost = probe.cost_usd.map(|usd| format!(", {}", words::dollars(usd))).unwrap_or_default();
    tokens + &cost
}

/// What to do, where there is something to do.
fn advice(check: &Check) -> Option<String> {
    let text = match (&check.state, &check.probe) {
        (_, Some(Probe { error: Some(error), .. })) => error,
        (Readiness::Not { remedy, .. } | Readiness::Spare { remedy, .. }, _) => remedy,
        (Readiness::Ready, _) => return None,
    };
    Some(foreign::one_line(text))
}

fn absent(checkup: &Checkup, width: usize, ink: Ink) -> String {
    if checkup.absent.is_empty() {
        return String::new();
    }
    let line = |absent: &Absent| {
        let names: Vec<String> = absent.names.iter().map(|name| foreign::one_line(name)).collect();
        layout::wrap_hanging(&format!("{}: {}", absent.what, names.join(", ")), width, "  ", "    ")
            .join("\n")
            + "\n"
    };
    ink.strong("Looked for, not found") + "\n" + &checkup.absent.iter().map(line).collect::<String>()
}

fn closing(checkup: &Checkup, width: usize, ink: Ink) -> String {
    let line = |text: &str| layout::wrap(text, width).join("\n") + "\n";
    let verdict = line(&conclusion(checkup));
    let head = if checkup.can_review() { ink.strong(&verdict) + "\n" } else { ink.alarm(&verdict) + "\n" };
    head.trim_end().to_owned() + "\n" + &line(&checkup.next)
}

/// `3 of 4 reviewers can run: 2 lineages of models (anthropic, moonshot), and 2 that are no models`.
fn conclusion(checkup: &Checkup) -> String {
    let Outcome { reviewers, usable, lineages, model_lineages } = checkup.outcome();
    let models = match model_lineages.len() {
        0 => "no model among them".to_owned(),
        some => format!("{} of models ({})", words::count(some, "lineage"), model_lineages.join(", ")),
    };
    let others = match lineages.len() - model_lineages.len() {
        0 => String::new(),
        some => format!(", and {some} of tools and records"),
    };
    let short = if checkup.can_review() {
        String::new()
    } else {
        format!("; {} asked for", words::count(checkup.min_lineages.max(1), "lineage"))
    };
    format!("{usable} of {} can run: {models}{others}{short}", words::count(reviewers, "reviewer"))
}
