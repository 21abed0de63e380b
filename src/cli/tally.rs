//! `scrum tally`: computes a saved run's tally again, or that of a plain folder of replies.

use std::{ffi::OsStr, path::Path};

use clap::Args;

use super::{
    GateArgs, Global, TallyOutputArgs,
    error::{CliError, Status},
    report,
    ui::Ui,
    workspace::Workspace,
};
use crate::{
    config::Config,
    reviewer::{Lineage, Panel, Seat},
    run::saved,
    store::{self, LooseReply},
    tally::{self, gate, lineage},
};

#[derive(Debug, Args)]
pub(super) struct TallyArgs {
    /// A run id, a prefix of one, a path, `latest`, or a folder of replies named `<reviewer>.md` or `<bundle>__<reviewer>.md`
    #[arg(value_name = "RUN")]
    run: String,
    #[command(flatten)]
    gate: GateArgs,
    #[command(flatten)]
    output: TallyOutputArgs,
}

pub(super) fn run(global: &Global, args: &TallyArgs, ui: Ui) -> Result<Status, CliError> {
    let workspace = Workspace::open_anywhere(global, ui)?;
    let folder = workspace.resolve(Path::new(&args.run));
    if folder.is_dir() && !folder.join("run.json").is_file() {
        return tally_folder(&workspace, args, &folder, ui);
    }
    let dir = workspace.find_run(&args.run)?;
    let saved = report::open(&workspace, &dir, ui)?;
    let policy = args.gate.over(saved.policy.clone());
    let (tally, gate) = report::judged(&workspace, &dir, saved, Some(&policy), ui)?;
    let written = report::write_products(&dir, &tally, &gate);
    report::print(&tally, &gate, &args.output, ui)?;
    written.map(|()| Status::of(&gate))
}

fn tally_folder(workspace: &Workspace, args: &TallyArgs, folder: &Path, ui: Ui) -> Result<Status, CliError> {
    let (replies, unusable) = store::loose_replies(folder)?;
    for name in unusable {
        ui.warning(format_args!("{name:?} names no reviewer and is left out"));
    }
    if replies.is_empty() {
        return Err(CliError::new(format!("no replies in {}", folder.display()))
            .hint("replies are files named `<reviewer>.md` or `<bundle>__<reviewer>.md`"));
    }
    let name = folder.file_name().and_then(OsStr::to_str).unwrap_or("replies");
    let panel = panel_of(&replies, &workspace.config);
    let policy = args.gate.over(workspace.policy());
    let tally = tally::tally(saved::loose(name, replies, panel));
    let gate = gate::evaluate(&tally, &policy);
    report::print(&tally, &gate, &args.output, ui)?;
    Ok(gate.result.into())
}

/// A reviewer that is configured counts as configured; any other name stands for the model.
pub(super) fn panel_of(replies: &[LooseReply], config: &Config) -> Panel {
    let mut seats: Vec<Seat> = Vec::new();
    for reply in replies {
        if seats.iter().any(|seat| seat.id == reply.reviewer) {
            continue;
        }
        let configured = config.reviewers.iter().find(|reviewer| reviewer.id == reply.reviewer);
        seats.push(configured.map_or_else(|| named(reply), Seat::from));
    }
    Panel { reviewers: seats }
}

fn named(reply: &LooseReply) -> Seat {
    let model = reply.reviewer.to_string();
    let lineage: Lineage = lineage::of(&model);
    Seat { id: reply.reviewer.clone(), provider: "file".to_owned(), model, lineage }
}
