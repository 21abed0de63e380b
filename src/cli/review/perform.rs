//! From the first request to the last word: [`perform`] asks, saves, tallies and prints.

use std::{collections::BTreeSet, sync::Arc};

use tokio::time::Instant;

use super::{ReviewArgs, prepare::Job};
use crate::{
    bundle::Split,
    cli::{
        error::{CliError, Status},
        interrupt::Interrupt,
        judge::{self, Ended, Session},
        post::{self, Matter},
        report,
        supervise::supervised,
        ui::Ui,
        workspace::Workspace,
    },
    clock,
    disposition::Disposition,
    progress::json::Told,
    report::{json, masks, words},
    reviewer::Reviewer,
    run::{
        self,
        bounds::Bounds,
        budget::{Budget, Limits},
        event::channel,
        executor::Pace,
        recall::{self, Memory, Recalled},
        respondent::most_voices,
        review::{self, Answers, Asking},
    },
    store::StoreError,
    tally::{
        self, Input, Tally, TaskReply,
        gate::{self, Gate},
    },
};

/// Asks, saves, tallies, prints. What cannot be written is an error, told when the tally has been shown.
pub(super) fn perform(
    workspace: &Workspace,
    args: &ReviewArgs,
    mut job: Job,
    interrupt: &Interrupt,
    ui: Ui,
) -> Result<Status, CliError> {
    if let Some(masked) = masks::in_short(&job.material.masks) {
        ui.note(masked);
    }
    job.asked.announce(ui);
    ui.tell(&Told::Run { run: &job.dir.id });
    let began = Instant::now();
    let mut bounds = bounds(workspace, args, &job, ui)?;
    let dispositions = report::decisions(workspace, &job.dir, workspace.trust()?, ui)?;
    let Some(Answers { replies, unsaved, forgotten }) =
        ask(workspace, args, &mut job, &mut bounds, ui, interrupt)?
    else {
        return Ok(dropped(&job, ui));
    };
    ui.step("review", began);
    let mut input = input(&mut job, replies, dispositions)?;
    let session = Session {
        workspace,
        dir: &job.dir,
        record: &job.record,
        respondents: &job.asked.respondents,
        cache: job.memory.cache(),
        timeout: args.timeout,
        pace: pace(workspace, args),
    };
    let judged = if unsaved.is_none() {
        judge::judge(&session, &mut input, &mut bounds, ui, interrupt)?
    } else {
        Ended::Judged(None)
    };
    let Ended::Judged(unjudged) = judged else { return Ok(dropped(&job, ui)) };
    tidy(workspace, &job.memory, forgotten, ui);
    let interrupted = interrupt.end.is_cancelled();
    job.record.cut_short = bounds.cut_short().map(str::to_owned);
    job.record.finished_at = (!interrupted).then(|| run::timestamp(clock::now()));
    input.run = job.record.info();
    conclude(workspace, args, &job, input, unsaved.or(unjudged), ui)
}

/// Tallies `input`, prints it and posts it where that is asked for; `unsaved` is what kept a reply from being written.
fn conclude(
    workspace: &Workspace,
    args: &ReviewArgs,
    job: &Job,
    input: Input,
    unsaved: Option<StoreError>,
    ui: Ui,
) -> Result<Status, CliError> {
    let began = Instant::now();
    let read = tally::read(input);
    ui.step("parse", began);
    let began = Instant::now();
    let tally = read.tally();
    let gate = gate::evaluate(&tally, &job.policy);
    ui.step("tally", began);
    let began = Instant::now();
    let kept = keep(workspace, job, &tally, &gate);
    ui.step("report", began);
    if !args.is_phase {
        report::print(&tally, &gate, &args.output, ui)?;
        ui.note(format_args!("saved in {}", workspace.shown(&job.dir.review)));
    }
    if let Some(error) = unsaved {
        let hint = format!("replies are missing from the run; ask again with: {}", again(job));
        return Err(CliError::from(error).hint(hint));
    }
    kept?;
    if job.record.finished_at.is_none() {
        let posting = if args.post { " --post" } else { "" };
        ui.note(format_args!("interrupted; go on with: {}{posting}", again(job)));
        return Ok(Status::Interrupted);
    }
    if args.post {
        post::post(&Matter::new(workspace, &job.dir, (&tally, &gate), args.pr.as_deref()), ui)?;
    }
    Ok(gate.result.into())
}

/// Nothing is tallied: Ctrl-C came twice.
fn dropped(job: &Job, ui: Ui) -> Status {
    ui.note(format_args!("ended at once; go on with: {}", again(job)));
    Status::Interrupted
}

fn again(job: &Job) -> String {
    format!("scrum review --resume {}", job.dir.id)
}

/// Keeps the cache within its limits. A cache that cannot be written costs no review.
fn tidy(workspace: &Workspace, memory: &Memory, forgotten: Option<StoreError>, ui: Ui) {
    let pruned = memory.cache().prune(workspace.cache_limits());
    if let Some(error) = forgotten.or_else(|| pruned.err()) {
        ui.warning(format_args!("answers are not kept for other runs: {error}"));
    }
}

/// Leaves the run as it ended on disk.
fn keep(workspace: &Workspace, job: &Job, tally: &Tally, gate: &Gate) -> Result<(), CliError> {
    job.dir.write_record(&job.record)?;
    report::write_products(&job.dir, tally, gate)?;
    Ok(workspace.store.append_finding_line(&json::summary_line(tally, gate))?)
}

/// Asks everybody, with progress on stderr and Ctrl-C under control. `None` when all is to be dropped.
fn ask(
    workspace: &Workspace,
    args: &ReviewArgs,
    job: &mut Job,
    bounds: &mut Bounds,
    ui: Ui,
    interrupt: &Interrupt,
) -> Result<Option<Answers>, CliError> {
    let routes = job.record.info().routes;
    let mut asking = Asking {
        dir: &job.dir,
        questions: &job.asked.questions,
        respondents: &job.asked.respondents,
        skipped: &job.asked.skipped,
        routes: &routes,
        earlier: std::mem::take(&mut job.earlier),
        pace: pace(workspace, args),
        memory: Some(Arc::clone(&job.memory)),
    };
    let Recalled { answers: known, unnoted } = recall::recall(&mut asking)?;
    let tasks = review::open_tasks(&asking).len();
    if known > 0 {
        let of = words::count(known + tasks, "answer");
        ui.note(format_args!("{known} of {of} from the cache (--no-cache asks anew)"));
    }
    let events = channel(tasks, most_voices(asking.respondents), &asking.pace);
    let work = async |events: &_, cancel: &_| review::ask(asking, bounds, events, cancel).await;
    let answers = supervised(events, ui, interrupt, work)?.transpose()?;
    Ok(answers.map(|answers| Answers { forgotten: answers.forgotten.or(unnoted), ..answers }))
}

/// What holds this run's requests back, with what was spent on it before. Says what cannot be counted.
fn bounds(workspace: &Workspace, args: &ReviewArgs, job: &Job, ui: Ui) -> Result<Bounds, CliError> {
    let limits = Limits {
        cost_usd: args.max_cost.or(workspace.config.max_cost_usd),
        tokens: args.max_tokens.or(workspace.config.max_tokens),
    };
    if limits.cost_usd.is_some() {
        warn_of_unpriced(job.asked.reviewers().chain(&workspace.config.adjudicator), ui);
    }
    Ok(Bounds::new(Budget::new(limits, job.dir.spent()?)))
}

/// Says whose answers a limit on cost cannot count.
pub(in crate::cli) fn warn_of_unpriced<'a>(reviewers: impl Iterator<Item = &'a Reviewer>, ui: Ui) {
    let unpriced: BTreeSet<_> = reviewers.filter(|one| one.price.is_none()).map(|one| &one.id).collect();
    for reviewer in unpriced {
        ui.warning(format_args!(
            "{reviewer} has no price, so the limit on cost counts only what it tells itself: give it a `price`, or limit tokens"
        ));
    }
}

fn pace(workspace: &Workspace, args: &ReviewArgs) -> Pace {
    Pace::new(args.concurrency.unwrap_or(workspace.config.concurrency))
}

/// What the run's tally is made of, as far as it is known.
fn input(job: &mut Job, replies: Vec<TaskReply>, dispositions: Vec<Disposition>) -> Result<Input, CliError> {
    let (panel, _) = job.dir.judged(&job.record)?;
    let split = Split::clone(&job.material.split);
    Ok(Input {
        run: job.record.info(),
        range: job.material.range.clone(),
        panel,
        bundles: split.bundles,
        excluded: split.excluded,
        replies,
        judgements: std::mem::take(&mut job.judgements),
        dispositions,
        since: job.since.clone(),
    })
}
