//! `scrum init`: writes a first `scrum.toml` from what is found on this machine and in this repository.

use std::path::PathBuf;

use clap::Args;

use super::{
    Global,
    doctor::look,
    error::{CliError, Status},
    ui::{self, Ui},
    workspace::Workspace,
};
use crate::{
    bundle,
    config::{Candidate, FILE_NAME, candidates, one_a_lineage, presets},
    report::{
        starter::{self, Proposal, Starter},
        words,
    },
    run::survey::Depth,
    survey::is_same_place,
};

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Replace the file that is there
    #[arg(long)]
    force: bool,
    /// Print the file instead of writing it
    #[arg(long, conflicts_with = "output")]
    stdout: bool,
    /// Write to FILE instead of scrum.toml at the repository's root; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: &InitArgs, ui: Ui) -> Result<Status, CliError> {
    // What it is about to replace may be broken.
    let (workspace, _) = Workspace::open_forgiving(global, ui)?;
    let named = ui::named_file(args.output.as_deref());
    let is_shown = args.stdout || (args.output.is_some() && named.is_none());
    let file = named.map_or_else(|| workspace.root().join(FILE_NAME), |file| workspace.resolve(file));
    if file.exists() && !args.force && !is_shown {
        return Err(CliError::new(format!("there is a {} already", workspace.shown(&file)))
            .hint("`--force` replaces it, `--stdout` only shows what would be written"));
    }
    let found =
        candidates(&look(&workspace, Depth::Quick)?, workspace.config.times, &workspace.config.prices);
    let chosen = one_a_lineage(&found);
    let (asked, spare): (Vec<_>, Vec<_>) = found.iter().partition(|one| chosen.contains(&one.reviewer));
    let [asked, spare] = [asked, spare].map(|some| some.into_iter().map(proposal).collect::<Vec<_>>());
    let (files, roots) = match &workspace.repo {
        Some(repo) => repo.layout()?,
        None => <_>::default(),
    };
    let components = bundle::inferred(&files, &roots);
    let starter = Starter { asked: &asked, spare: &spare, components: &components, files: &files };
    let text = starter::render(&starter);
    if is_shown {
        Ui::result(&text, None)?;
        return Ok(Status::Done);
    }
    Ui::check_output(Some(&file))?;
    Ui::result(&text, Some(&file))?;
    ui.note(format_args!("wrote {}: {}", workspace.shown(&file), summary(&asked, components.len())));
    ui.note(next(&asked));
    Ok(Status::Done)
}

fn proposal(candidate: &Candidate) -> Proposal {
    let Candidate { reviewer, preset, .. } = candidate;
    let access = &reviewer.access;
    let known = presets().into_iter().find(|known| known.name == *preset);
    let usual = known.and_then(|known| known.base_url);
    let base_url = access.base_url().filter(|url| usual.is_none_or(|usual| !is_same_place(url, &usual)));
    let needs = match (access.program(), access.key_variable(), access.base_url()) {
        (Some(program), ..) => format!("program `{program}`"),
        (None, Some(variable), _) => format!("key in {variable}"),
        (None, None, Some(_)) => "on this machine, no key".to_owned(),
        (None, None, None) => "nothing".to_owned(),
    };
    Proposal {
        reviewer: reviewer.clone(),
        preset: preset.clone(),
        has_own_model: access.program().is_some(),
        base_url: base_url.map(str::to_owned),
        needs,
    }
}

fn summary(asked: &[Proposal], components: usize) -> String {
    let names: Vec<String> = asked.iter().map(|one| one.reviewer.id.to_string()).collect();
    let names = ["rules".to_owned(), "history".to_owned()].into_iter().chain(names).collect::<Vec<_>>();
    let reviewers = format!("{} ({})", words::count(names.len(), "reviewer"), words::list(&names));
    match components {
        0 => reviewers,
        some => format!("{reviewers}, {}", words::count(some, "component")),
    }
}

/// What to run next. Whoever is shown the change is told again, since from now on `scrum review` asks them.
fn next(asked: &[Proposal]) -> String {
    let away = asked.iter().filter(|one| !one.reviewer.access.stays_here());
    let away: Vec<String> = away.map(|one| one.reviewer.id.to_string()).collect();
    if away.is_empty() {
        return "next: `scrum review`, or add models first: `scrum doctor` says what was looked for"
            .to_owned();
    }
    format!(
        "next: `scrum doctor --probe` tries each once; from now on `scrum review` shows the change to {}",
        words::list(&away)
    )
}
