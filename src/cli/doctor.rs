//! `scrum doctor`: which reviewers could run here, why not the others, and what to do about it.
//!
//! Without `--probe` nobody is asked but servers on this machine, and those only for the names of their models.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};

use super::{
    Global,
    error::{CliError, Status},
    interrupt,
    ui::{self, Ui},
    workspace::Workspace,
};
use crate::{
    VERSION,
    config::{Config, FILE_NAME, key_of},
    provider::{Opener, sarif::Site},
    report::{
        checkup::{self, Checkup, Fact, Group, Probe},
        words,
    },
    reviewer::{Access, Reviewer},
    run::{
        checkup::{Findings, check},
        offline,
        probe::probe,
        respondent::Voice,
        survey::{Depth, survey},
    },
    survey::Survey,
};

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(super) struct DoctorArgs {
    /// Send one tiny request to each model that is ready, and tell how long it took and what it cost
    #[arg(long)]
    probe: bool,
    /// Form of the result
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Form,
    /// Write the result to FILE instead of standard output, which is `-`
    #[arg(short, long, value_name = "FILE")]
    output: Option<std::path::PathBuf>,
}

const EXIT_STATUS: &str = "\
Exit status:
  0  a review here would be answered by as many lineages as it asks for (`gate.min_lineages`)
  2  the configuration cannot be used; the rest of the report is there all the same
  3  too few reviewers can run";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For a terminal
    #[default]
    Table,
    /// For machines (`scrum.doctor/1`)
    Json,
}

pub(super) fn run(global: &Global, args: &DoctorArgs, ui: Ui) -> Result<Status, CliError> {
    let file = ui::named_file(args.output.as_deref());
    Ui::check_output(file)?;
    let (workspace, broken) = Workspace::open_forgiving(global, ui)?;
    let survey = look(&workspace, Depth::Full)?;
    let Findings { mut groups, absent, asked } = check(&workspace.config, &survey);
    if args.probe && !try_all(&workspace, &asked, &mut groups)? {
        return Ok(Status::Interrupted);
    }
    let checkup = Checkup {
        place: place(&workspace, &survey, broken.is_some()),
        broken: broken.as_ref().map(words_of).unwrap_or_default(),
        next: next(&workspace, broken.is_some(), &groups).to_owned(),
        groups,
        absent,
        min_lineages: workspace.config.gate.min_lineages,
    };
    let text = match args.format {
        Form::Table => checkup::render(&checkup, Ui::width(), file.is_none() && ui.color_on_stdout()),
        Form::Json => checkup::render_json(&checkup),
    };
    Ui::result(&text, file)?;
    Ok(match broken {
        Some(_) => Status::Unusable,
        None if checkup.can_review() => Status::Done,
        None => Status::Inconclusive,
    })
}

/// Looks what this machine has, as closely as `depth` says.
pub(super) fn look(workspace: &Workspace, depth: Depth) -> Result<Survey, CliError> {
    let root = workspace.root();
    let looking = survey(workspace.environment, depth, &workspace.config.reviewers, &root);
    Ok(runtime()?.block_on(looking))
}

fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| CliError::new(format!("cannot start the runtime: {error}")))
}

fn words_of(error: &CliError) -> Vec<String> {
    let hints = error.hints.iter().map(|hint| format!("hint: {hint}"));
    std::iter::once(error.message.clone()).chain(hints).collect()
}

/// Tries every model that is ready, all at once. False when Ctrl-C came.
fn try_all(workspace: &Workspace, asked: &[Reviewer], groups: &mut [Group]) -> Result<bool, CliError> {
    let panel = || groups.iter().filter(|group| group.is_panel).flat_map(|group| &group.checks);
    let is_ready = |id: &str| panel().any(|check| check.reviewer == id && check.can_be_probed());
    let surroundings = workspace.environment.variables().collect();
    let mut opener = Opener::new(offline::nobody(), Site::nowhere(), surroundings);
    let mut probes: BTreeMap<String, Probe> = BTreeMap::new();
    let mut voices = Vec::new();
    for reviewer in asked.iter().filter(|reviewer| is_ready(reviewer.id.as_str())) {
        let key = key_of(reviewer, workspace.environment).unwrap_or_default();
        match opener.open(reviewer, key) {
            Ok(provider) => voices.push(Voice { reviewer: reviewer.clone(), provider }),
            Err(error) => {
                let probe = Probe { error: Some(error.to_string()), ..Probe::default() };
                probes.insert(reviewer.id.to_string(), probe);
            }
        }
    }
    let interrupt = interrupt::watch();
    let interrupt = interrupt.map_err(|error| CliError::new(format!("cannot listen for Ctrl-C: {error}")))?;
    let tried = runtime()?.block_on(async {
        tokio::select! {
            biased;
            () = interrupt.end.cancelled() => None,
            tried = probe(&voices) => Some(tried),
        }
    });
    let Some(tried) = tried else { return Ok(false) };
    probes.extend(voices.iter().map(|one| one.reviewer.id.to_string()).zip(tried));
    for check in groups.iter_mut().flat_map(|group| &mut group.checks) {
        check.probe = probes.remove(&check.reviewer);
    }
    Ok(true)
}

/// What is to be known about the place: repository, configuration, git.
fn place(workspace: &Workspace, survey: &Survey, is_broken: bool) -> Vec<Fact> {
    let fact = |about: &str, what: String| Fact { about: about.to_owned(), what };
    let mut facts = vec![fact("scrum", VERSION.to_owned())];
    match &workspace.repo {
        Some(repo) => {
            let outlook = repo.outlook();
            let branch =
                outlook.branch.map_or_else(|| "no branch".to_owned(), |name| format!("branch {name}"));
            let root = workspace.root();
            let root = root.to_string_lossy();
            facts.push(fact("repository", format!("{}, {branch}", root.trim_end_matches('/'))));
            let reads = match outlook.range {
                Ok((words, base)) => {
                    let from = base.map(|id| format!(", from {}", &id[..id.len().min(10)]));
                    format!("{words}{}", from.unwrap_or_default())
                }
                Err(why) => format!("nothing yet: {why}"),
            };
            facts.push(fact("a review reads", reads));
        }
        None => facts.push(fact("repository", "none here; `scrum review --diff FILE` needs none".to_owned())),
    }
    facts.push(fact("configuration", configuration(workspace, is_broken)));
    let git =
        survey.programs.get("git").map(|found| found.version.clone().unwrap_or_else(|| "found".to_owned()));
    facts
        .push(fact("git", git.unwrap_or_else(|| "not found; scrum reads repositories by itself".to_owned())));
    facts
}

fn configuration(workspace: &Workspace, is_broken: bool) -> String {
    let Config { files, reviewers, panels, routes, components, .. } = &workspace.config;
    if is_broken {
        return "cannot be used; what follows is without it".to_owned();
    }
    if files.is_empty() {
        return format!("none ({FILE_NAME} in the repository, or your own)");
    }
    let files: Vec<String> = files.iter().map(|file| workspace.shown(file).to_string()).collect();
    // What is built in stands in no file.
    let own = reviewers.iter().filter(|one| !matches!(one.access, Access::Builtin(_))).count();
    let counted = [
        (own, "reviewer"),
        (panels.keys().filter(|name| *name != "offline").count(), "panel"),
        (routes.len(), "route"),
        (components.len(), "component"),
    ];
    let counted = counted.into_iter().filter(|(count, _)| *count > 0);
    let counted: Vec<String> = counted.map(|(count, what)| words::count(count, what)).collect();
    let counted = if counted.is_empty() { "no reviewers".to_owned() } else { counted.join(", ") };
    format!("{}: {counted}", words::list(&files))
}

fn next(workspace: &Workspace, is_broken: bool, groups: &[Group]) -> &'static str {
    let checks = || groups.iter().filter(|group| group.is_panel).flat_map(|group| &group.checks);
    if is_broken {
        "Next: correct the configuration."
    } else if !workspace.config.names_reviewers && !workspace.config.files.is_empty() {
        "Next: `scrum review` works as it is; a [[reviewer]] in a file takes the place of those found here."
    } else if !workspace.config.names_reviewers {
        "Next: `scrum init` writes down whom to ask; `scrum review` works as it is."
    } else if checks().any(|check| check.probe.is_none() && check.can_be_probed()) {
        "Next: `scrum doctor --probe` tries each of them once, `scrum review --dry-run` shows what would be sent."
    } else {
        "Next: `scrum review --dry-run` shows what would be sent, `scrum review` asks."
    }
}
