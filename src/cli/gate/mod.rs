//! `scrum gate`: applies the policy of today to a saved run, and says so on its commit.
//!
//! [`run`] finds the run of the commits in question, judges it, writes an override down, sets a status. It asks no reviewer.

mod status;
mod wanted;
mod whole;

use clap::{Args, ValueEnum};

use super::{
    GateArgs, Global,
    error::{CliError, Status},
    pull, report,
    ui::Ui,
    workspace::Workspace,
};
use crate::{
    change::RangeInfo,
    clock,
    forge::{AnyForge, Forge},
    report::{foreign, json, summary},
    reviewer::Panel,
    run::saved,
    store::RunDir,
    tally::{
        self, Tally,
        gate::{self, Gate, GateResult, Override, Policy},
    },
};
use wanted::{Found, Wanted};

#[derive(Debug, Args)]
pub(super) struct GateCommand {
    /// A run id, a prefix of one, a path, or `latest`: the latest run of the commits in question
    #[arg(value_name = "RUN", default_value = "latest")]
    run: String,
    /// The commit that is to pass; what is checked out when not given
    #[arg(long, value_name = "COMMIT", conflicts_with = "pr")]
    head: Option<String>,
    /// Where the review must have started: a commit, or a branch that the change is to be merged into
    #[arg(long, value_name = "COMMIT", conflicts_with = "pr")]
    base: Option<String>,
    /// What is to pass is the head of this pull request now: a number, its address, or `auto` in CI
    #[arg(long, value_name = "N")]
    pr: Option<String>,
    /// Put the answer on the run's head as the commit status `scrum`
    #[arg(long)]
    status: bool,
    /// Let this run pass whatever the gate says, and write down why
    #[arg(long = "override", value_name = "WHY", value_parser = said)]
    overruled: Option<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Form,
    #[command(flatten)]
    gate: GateArgs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For a terminal
    #[default]
    Table,
    /// For machines: `gate` as in tally.json
    Json,
}

fn said(why: &str) -> Result<String, String> {
    let why = why.trim();
    let is_blank = why.chars().all(|char| char.is_whitespace() || foreign::is_hidden(char));
    if is_blank { Err("say why".to_owned()) } else { Ok(why.to_owned()) }
}

/// What the gate said, and of what.
struct Answer {
    gate: Gate,
    range: RangeInfo,
    /// The run, and its tally where that can be made.
    run: Option<(RunDir, Option<Tally>)>,
}

pub(super) fn run(global: &Global, args: &GateCommand, ui: Ui) -> Result<Status, CliError> {
    let here = Workspace::for_addressing(global, ui)?;
    let forge = forge(&here, args, ui)?;
    let pull = match (&args.pr, &forge) {
        (Some(_), Some(forge)) => Some((forge.address().clone(), block_on(forge.pull())??)),
        (Some(_), None) | (None, _) => None,
    };
    let wanted = match &pull {
        Some((address, pull)) => Wanted::of_pull(&here, address.clone(), pull),
        None => Wanted::here(&here, args)?,
    };
    let answer = match wanted::find(&here, &args.run, &wanted)? {
        Found::Run(dir) => of_run(global, &args.gate, args.overruled.as_deref(), &dir, ui)?,
        Found::Nothing(range) => of_nothing(&args.gate.over(here.policy()), range),
    };
    print(args, &answer)?;
    if let Some(forge) = &forge
        && args.status
    {
        let page = status::page(forge.address(), here.environment.ci_job(), pull.map(|(_, pull)| pull.page));
        status::set(forge, &answer, page, ui)?;
    }
    Ok(Status::of(&answer.gate))
}

/// Says on its commit what the gate says of a review that was posted just now; nothing where the gate is off. The review stands
/// whether or not the platform takes it.
pub(super) fn tell(global: &Global, args: &GateArgs, dir: &RunDir, pr: Option<&str>, ui: Ui) {
    if let Err(CliError { message, hints }) = told(global, args, dir, pr, ui) {
        ui.warning(format_args!("no status is put on the commit: {message}"));
        for hint in hints {
            ui.note(hint);
        }
    }
}

fn told(global: &Global, args: &GateArgs, dir: &RunDir, pr: Option<&str>, ui: Ui) -> Result<(), CliError> {
    let answer = of_run(global, args, None, dir, ui)?;
    if answer.gate.result == GateResult::Off {
        return Ok(());
    }
    let here = Workspace::for_addressing(global, ui)?;
    let reviewed = dir.since()?.map(|since| since.pull.address.number.to_string());
    let pr = pr.map(str::to_owned).or(reviewed).unwrap_or_else(|| "auto".to_owned());
    let (address, credential) = pull::address(&here, &pr)?;
    let forge = pull::open(address, credential, ui)?;
    let pull = block_on(forge.pull())??;
    let page = status::page(forge.address(), here.environment.ci_job(), Some(pull.page));
    status::set(&forge, &answer, page, ui)
}

/// The platform, where it is needed.
fn forge(workspace: &Workspace, args: &GateCommand, ui: Ui) -> Result<Option<AnyForge>, CliError> {
    let given = match &args.pr {
        Some(given) => given.as_str(),
        None if args.status => "auto",
        None => return Ok(None),
    };
    let (address, credential) = pull::address(workspace, given)?;
    Ok(Some(pull::open(address, credential, ui)?))
}

/// Judges a run by the configuration that counts for its change.
fn of_run(
    global: &Global,
    args: &GateArgs,
    overruled: Option<&str>,
    dir: &RunDir,
    ui: Ui,
) -> Result<Answer, CliError> {
    let name = dir.review.to_str().unwrap_or(&dir.id);
    let (workspace, dir) = Workspace::for_run(global, name, ui)?;
    let policy = args.over(workspace.policy());
    let record = dir.record()?;
    let (range, altered) = (RangeInfo::from(&record.range), dir.altered(&record)?);
    let (tally, gate) = if altered.is_empty() {
        let mut saved = report::open(&workspace, &dir, ui)?;
        let gaps = whole::gaps(&workspace, &saved.input, ui)?;
        let run = &mut saved.input.run;
        let reasons: Vec<String> = run.cut_short.take().into_iter().chain(gaps).collect();
        run.cut_short = (!reasons.is_empty()).then(|| reasons.join("; "));
        let (tally, gate) = report::judged(&workspace, &dir, saved, Some(&policy), ui)?;
        (Some(tally), gate)
    } else {
        let trust = workspace.trust()?;
        let overrides = report::overrides(&workspace, &dir, trust, ui)?;
        (None, Gate::unjudged(&policy, altered).overruled(&record.id, &range, &overrides))
    };
    let gate = match overruled {
        Some(why) => overrule(&workspace, &dir, gate, (&record.id, &range), why, ui)?,
        None => gate,
    };
    if let (Some(tally), Some(_)) = (&tally, overruled) {
        report::write_products(&dir, tally, &gate)?;
    }
    Ok(Answer { gate, range, run: Some((dir, tally)) })
}

/// A change without files has no run.
fn of_nothing(policy: &Policy, range: RangeInfo) -> Answer {
    let tally = tally::tally(saved::loose("", Vec::new(), Panel::default()));
    Answer { gate: gate::evaluate(&tally, policy), range, run: None }
}

/// Writes down that somebody lets the run pass.
fn overrule(
    workspace: &Workspace,
    dir: &RunDir,
    gate: Gate,
    (run, range): (&str, &RangeInfo),
    why: &str,
    ui: Ui,
) -> Result<Gate, CliError> {
    if gate.lets_through() {
        let already = if gate.overruled.is_some() { "it is overridden already" } else { "it passes" };
        return Err(CliError::new(format!("there is nothing to override: {already}")));
    }
    let one = Override {
        at: clock::now(),
        by: workspace.person(),
        why: why.to_owned(),
        run: run.to_owned(),
        base: range.base.clone(),
        head: range.head.clone(),
        policy: gate.policy.clone(),
        result: gate.result,
        reasons: gate.reasons.clone(),
        issues: Some(gate.issues.clone()),
    };
    dir.append_override(&one)?;
    ui.note(format_args!(
        "kept in {}; another run needs another one",
        workspace.shown(&dir.overrides_file())
    ));
    Ok(gate.overruled(run, range, &[one]))
}

fn print(args: &GateCommand, answer: &Answer) -> Result<(), CliError> {
    let text = match args.format {
        Form::Table => {
            let run = answer.run.as_ref().map(|(dir, _)| format!("Run {} of ", dir.id)).unwrap_or_default();
            summary::gate_lines(&answer.gate, &format!("{run}{}", summary::commits(&answer.range)))
        }
        Form::Json => json::render_gate(&answer.gate),
    };
    Ui::result(&text, None)
}

/// Waits for a platform's answer.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::new(format!("cannot start the runtime: {error}")))?;
    Ok(runtime.block_on(work))
}
