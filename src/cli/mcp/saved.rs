//! The tools that read a saved run: [`tally()`] and [`explain()`]. They change nothing.

use rmcp::model::CallToolRequestParams;

use super::{
    Answer, Server, arguments,
    tools::{Explain, ISSUES_SHOWN, TallyOf},
};
use crate::{
    cli::{Global, error::CliError, explain, report, ui::Ui, workspace::Workspace},
    report::{
        explain as told,
        formats::brief::{Brief, brief},
    },
    tally::{self, Tally, named::named},
};

/// Columns of an explanation.
const WIDTH: usize = 120;

pub(super) async fn tally(server: &Server, call: CallToolRequestParams) -> Result<Answer, CliError> {
    let asked: TallyOf = arguments(call.arguments)?;
    let run = asked.run.unwrap_or_else(latest);
    let most = asked.issues.unwrap_or(ISSUES_SHOWN);
    server.apart(move |global, ui| Ok(answer(&in_short(global, &run, asked.skip, most, ui)?))).await
}

pub(super) async fn explain(server: &Server, call: CallToolRequestParams) -> Result<Answer, CliError> {
    let asked: Explain = arguments(call.arguments)?;
    let explained = move |global: &Global, ui: Ui| {
        let tally = open(global, &asked.run.unwrap_or_else(latest), ui)?;
        let issue = named(&tally, &asked.issue)?;
        let explanation = explain::explained(&tally, issue)?;
        let words = told::render(&tally, issue, &explanation, WIDTH, false);
        let value = serde_json::from_str(&told::json::render(&tally, issue, &explanation)).ok();
        Ok(Answer { words, value })
    };
    server.apart(explained).await
}

/// The run in short; `most` issues after `skip`.
pub(super) fn in_short(
    global: &Global,
    run: &str,
    skip: usize,
    most: usize,
    ui: Ui,
) -> Result<Brief, CliError> {
    let workspace = Workspace::open_anywhere(global, ui)?;
    let dir = workspace.find_run(run)?;
    let saved = report::open(&workspace, &dir, ui)?;
    let (tally, gate) = report::judged(&workspace, &dir, saved, None, ui)?;
    Ok(brief(&tally, &gate, skip, most))
}

pub(super) fn answer(brief: &Brief) -> Answer {
    Answer { words: brief.words(), value: serde_json::to_value(brief).ok() }
}

pub(super) fn latest() -> String {
    "latest".to_owned()
}

fn open(global: &Global, run: &str, ui: Ui) -> Result<Tally, CliError> {
    let workspace = Workspace::open_anywhere(global, ui)?;
    let saved = report::open(&workspace, &workspace.find_run(run)?, ui)?;
    Ok(tally::tally(saved.input))
}
