//! `scrum dispose`: writes down what a human decided about issues, for this run and all later ones.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::{
    Global,
    error::{CliError, Status},
    report,
    ui::Ui,
    workspace::Workspace,
};
use crate::{
    clock,
    disposition::{Decision, Disposition, Finder},
    finding::Severity,
    report::{earlier, foreign, summary, words},
    tally::{
        self, Issue,
        named::{Named, decidable},
    },
};

#[derive(Debug, Args)]
pub(super) struct DisposeArgs {
    /// A run id, a prefix of one, a path, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// Ids of issues, or beginnings of ids, as `scrum report RUN` shows them
    #[arg(value_name = "ISSUE", required = true, num_args = 1..)]
    issues: Vec<String>,
    /// `real`, `false` (not true), `wontfix` (true, but stays so), or `undecided` to take a decision back
    #[arg(value_name = "DECISION", required = true, value_parser = parse_decision)]
    decision: Decision,
    /// The reason, for those who come later
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    why: String,
}

fn parse_decision(word: &str) -> Result<Decision, String> {
    let known = Decision::ALL.into_iter().find(|value| value.word() == word);
    known.ok_or_else(|| format!("one of {}", Decision::ALL.map(Decision::word).join(", ")))
}

/// What was decided, why and by whom.
pub(super) struct Deciding<'a> {
    pub(super) decision: Decision,
    pub(super) why: &'a str,
    pub(super) by: &'a str,
}

/// What became of it.
pub(super) struct Decided {
    /// A line an issue.
    pub(super) lines: String,
    /// Where it is kept.
    pub(super) path: PathBuf,
}

pub(super) fn run(global: &Global, args: &DisposeArgs, ui: Ui) -> Result<Status, CliError> {
    let workspace = Workspace::open_anywhere(global, ui)?;
    let by = workspace.person();
    let deciding = Deciding { decision: args.decision, why: &args.why, by: &by };
    let Decided { lines, path } = decide(&workspace, &args.run, &args.issues, &deciding, ui)?;
    Ui::result(&lines, None)?;
    ui.note(format_args!("kept in {}; every run that has the issue shows it", workspace.shown(&path)));
    Ok(Status::Done)
}

/// Writes a decision down about every issue that `names` mean.
pub(super) fn decide(
    workspace: &Workspace,
    run: &str,
    names: &[String],
    deciding: &Deciding<'_>,
    ui: Ui,
) -> Result<Decided, CliError> {
    let dir = workspace.find_run(run)?;
    let saved = report::open(workspace, &dir, ui)?;
    let said = saved.input.since.iter().flat_map(|since| &since.decisions);
    let latest = saved.input.dispositions.iter().chain(said).map(|one| one.at).max();
    let at = after(latest, clock::now());
    let tally = tally::tally(saved.input);
    let named = names.iter().map(|name| decidable(&tally, name)).collect::<Result<Vec<_>, _>>()?;
    let issues: Vec<Facts<'_>> = named.into_iter().map(Facts::of).collect();
    let decided: Vec<Disposition> =
        issues.iter().map(|issue| issue.disposition(deciding, &dir.id, at)).collect();
    let path = dir.append_decisions(&decided)?;
    let lines = issues.iter().map(|issue| issue.told(deciding.decision));
    Ok(Decided { lines: lines.collect(), path })
}

/// Now, but behind every known decision: another machine's clock may be ahead, and the last one to speak counts.
fn after(latest: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let next = latest.map_or(i64::MIN, |latest| latest.as_millisecond().saturating_add(1));
    Timestamp::from_millisecond(now.as_millisecond().max(next)).unwrap_or(now)
}

/// What of an issue a decision keeps.
struct Facts<'a> {
    id: &'a str,
    path: &'a str,
    place: String,
    severity: Severity,
    what: &'a str,
    found_by: Vec<Finder>,
}

impl<'a> Facts<'a> {
    fn of(named: Named<'a>) -> Self {
        match named {
            Named::Reported(issue) => Self {
                id: &issue.id,
                path: &issue.path,
                place: summary::place(issue),
                severity: issue.severity,
                what: issue.spokesman().map_or("", |member| &member.anchored.finding.what),
                found_by: finders(issue),
            },
            // Who of the lineages found it is not carried over.
            Named::Earlier(one) => Self {
                id: &one.issue.id,
                path: &one.issue.path,
                place: earlier::place(one),
                severity: one.issue.severity,
                what: &one.issue.what,
                found_by: Vec::new(),
            },
        }
    }

    fn disposition(&self, deciding: &Deciding<'_>, run: &str, at: Timestamp) -> Disposition {
        Disposition {
            at,
            issue: self.id.to_owned(),
            decision: deciding.decision,
            why: deciding.why.trim().to_owned(),
            by: deciding.by.to_owned(),
            run: run.to_owned(),
            path: self.path.to_owned(),
            severity: self.severity,
            what: self.what.to_owned(),
            found_by: self.found_by.clone(),
        }
    }

    /// `3fa9c1d2e4b5 is false now: BLOCK src/a.rs:3 The socket leaks`.
    fn told(&self, decision: Decision) -> String {
        let what = words::shortened(&foreign::one_line(self.what), 100);
        format!("{} is {decision} now: {} {} {what}\n", self.id, self.severity, self.place)
    }
}

fn finders(issue: &Issue) -> Vec<Finder> {
    let finder = |member: &tally::Member| Finder {
        reviewer: member.reviewer.clone(),
        lineage: member.lineage.clone(),
    };
    let mut found_by: Vec<Finder> = summary::standing(issue).map(finder).collect();
    found_by.sort();
    found_by.dedup();
    found_by
}
