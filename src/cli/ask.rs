//! `scrum ask`: a question about an issue, put to a reviewer who reported it; the next one goes on with the conversation.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::{
    Global,
    error::{CliError, Status},
    found, interrupt, judge, report, serve,
    supervise::{supervised, until_dropped},
    ui::{self, Ui},
    workspace::Workspace,
};
use crate::{
    clock,
    config::{Choice, env, key_of},
    conversation::{About, Message, Role, Scope, Thread, Turn, Viewer, recent},
    coverage::{Outcome, Spent, StandIn, State},
    estimate,
    judge::question::shown,
    prompt::Templates,
    report::{foreign, summary, words},
    reviewer::{Access, Reviewer},
    run::{
        asking,
        bounds::Bounds,
        budget::{Budget, Limits},
        event::{EventSender, channel},
        executor::Pace,
        respondent::{Respondent, most_voices},
    },
    store::{database::Database, keep_out_of_git, threads::Threads},
    tally::{self, Issue, Tally, named::named},
};

/// Most bytes of a question.
const LONGEST_QUESTION: usize = 32_000;
/// Most tokens of what was said before that are told again.
const MOST_EARLIER: u64 = 16_000;
/// Most characters of an issue's claim in the title of its thread.
const LONGEST_TITLE: usize = 100;

#[derive(Debug, Args)]
pub(super) struct AskArgs {
    /// A run id, a prefix of one, a path, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// An issue's id, or the beginning of it, as `scrum report RUN` shows it
    #[arg(value_name = "ISSUE")]
    issue: String,
    /// What to ask, or `-` to read it from standard input
    #[arg(value_name = "QUESTION")]
    question: String,
    /// Ask this one, whoever reported the issue
    #[arg(short, long, value_name = "ID")]
    reviewer: Option<String>,
    /// Begin a new conversation
    #[arg(long)]
    new: bool,
    /// Keep the conversation in FILE [default: .scrum/scrum.db]
    #[arg(long, value_name = "FILE", env = env::STORE, hide_env_values = true)]
    store: Option<PathBuf>,
    /// Wait so long for the answer, in place of what the reviewer is configured with
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: Option<u64>,
}

pub(super) fn run(global: &Global, args: &AskArgs, ui: Ui) -> Result<Status, CliError> {
    let question = question(args)?;
    let (mut workspace, dir) = Workspace::for_run(global, &args.run, ui)?;
    let saved = report::open(&workspace, &dir, ui)?;
    let tally = tally::tally(saved.input);
    let issue = named(&tally, &args.issue)?;
    let respondent = whom(&mut workspace, issue, args)?;
    let database = Database::at(&serve::store(&workspace, args.store.as_deref())?)?;
    database.path().map_or(Ok(()), keep_out_of_git)?;
    let conversation = Conversation {
        threads: Threads::new(database),
        templates: workspace.templates()?,
        respondent: &respondent,
        tally: &tally,
        issue,
        caller: workspace.person(),
    };
    let mut bounds = bounds(&workspace);
    let interrupt = interrupt::watched()?;
    let opened = until_dropped(&interrupt, conversation.open(args.new))?;
    let Some(opened) = opened else { return Ok(Status::Interrupted) };
    let opened = opened?;
    let events = channel(1, most_voices(std::slice::from_ref(&respondent)), &pace());
    let work = async |events: &EventSender, cancel: &CancellationToken| {
        conversation.turn(opened, &question, &mut bounds, (events, cancel), ui).await
    };
    let done = supervised(events, ui, &interrupt, work)?;
    done.unwrap_or(Ok(Status::Interrupted))
}

fn question(args: &AskArgs) -> Result<String, CliError> {
    let text = match args.question.as_str() {
        "-" => String::from_utf8_lossy(&ui::read_stdin()?).into_owned(),
        text => text.to_owned(),
    };
    match text.trim() {
        "" => Err(CliError::new("the question is empty")),
        text if text.len() > LONGEST_QUESTION => {
            let most = words::size(LONGEST_QUESTION as u64);
            Err(CliError::new(format!("the question is longer than {most}")))
        }
        text => Ok(text.to_owned()),
    }
}

/// One question at a time.
fn pace() -> Pace {
    Pace::new(NonZeroUsize::MIN)
}

/// What the configuration allows one command to cost.
fn bounds(workspace: &Workspace) -> Bounds {
    let limits = Limits { cost_usd: workspace.config.max_cost_usd, tokens: workspace.config.max_tokens };
    Bounds::new(Budget::new(limits, Spent::default()))
}

/// Who is asked: the one who is named; else the first who reported the issue and can be asked, else anybody of their lineages.
fn whom(workspace: &mut Workspace, issue: &Issue, args: &AskArgs) -> Result<Respondent, CliError> {
    let choice = Choice { panel: None, reviewers: args.reviewer.iter().cloned().collect() };
    found::add(workspace, &choice)?;
    let candidates = match &args.reviewer {
        Some(_) => workspace.config.chosen(&choice)?,
        None => finders(&workspace.config.reviewers, issue),
    };
    let mut reasons = Vec::new();
    for reviewer in &candidates {
        match respondent(workspace, reviewer, args.timeout)? {
            Ok(respondent) => return Ok(respondent),
            Err(reason) => reasons.push(format!("{}: {reason}", reviewer.id)),
        }
    }
    let unknown = issue.reviewers.iter().filter(|id| candidates.iter().all(|one| one.id != **id));
    if args.reviewer.is_none() {
        reasons.extend(unknown.map(|id| format!("{id}: not configured here")));
    }
    let error = CliError::new(format!("nobody can be asked about {}: {}", issue.id, reasons.join("; ")));
    let able: Vec<&str> = workspace
        .config
        .reviewers
        .iter()
        .filter(|one| takes_questions(one) && key_of(one, workspace.environment).is_ok())
        .map(|one| one.id.as_str())
        .collect();
    let run = &args.run;
    Err(match able.as_slice() {
        [] => error.hint("configure a [[reviewer]] that is a model, or set a provider's key: `scrum doctor` shows what there is"),
        able => error.hint(format!("ask somebody else with `-r`: {}", able.join(", "))),
    }
    .hint(format!("`scrum explain {run} {}` shows what was reported, and why it is one issue", issue.id)))
}

/// Those who reported the issue, in the order of its findings, then others of their lineages.
fn finders(reviewers: &[Reviewer], issue: &Issue) -> Vec<Reviewer> {
    let members = issue.members.iter().map(|member| &member.reviewer);
    let own = members.filter_map(|id| reviewers.iter().find(|one| one.id == *id));
    let kin = reviewers.iter().filter(|one| issue.lineages.contains(&one.lineage));
    let mut finders: Vec<Reviewer> = Vec::new();
    for one in own.chain(kin) {
        if finders.iter().all(|known| known.id != one.id) {
            finders.push(one.clone());
        }
    }
    finders
}

fn respondent(
    workspace: &Workspace,
    reviewer: &Reviewer,
    timeout: Option<u64>,
) -> Result<Result<Respondent, String>, CliError> {
    if takes_questions(reviewer) {
        judge::without_seat(reviewer, workspace, timeout)
    } else {
        Ok(Err(format!("a reviewer of kind `{}` takes no questions", reviewer.access.provider())))
    }
}

fn takes_questions(reviewer: &Reviewer) -> bool {
    match reviewer.access {
        Access::OpenAi { .. } | Access::Anthropic { .. } | Access::Command(_) => true,
        Access::Replay { .. } | Access::Sarif(_) | Access::Builtin(_) => false,
    }
}

/// A thread to go on with.
struct Opened {
    thread: Thread,
    earlier: Vec<Message>,
    /// It is not stored yet.
    is_new: bool,
}

/// What is said about one issue with one reviewer.
struct Conversation<'a> {
    threads: Threads,
    templates: Templates,
    respondent: &'a Respondent,
    tally: &'a Tally,
    issue: &'a Issue,
    caller: String,
}

impl Conversation<'_> {
    /// The thread to go on with, or a new one.
    async fn open(&self, new: bool) -> Result<Opened, CliError> {
        let (about, reviewer) =
            ([self.tally.run.id.as_str(), &self.issue.id], self.respondent.reviewer.id.as_str());
        let nobody = Viewer::default();
        if !new && let Some(id) = self.threads.latest_about(&nobody, about, reviewer).await? {
            let known = self.threads.thread(&nobody, &id).await?;
            let (thread, earlier) = known.ok_or_else(|| CliError::new(format!("thread {id} is gone")))?;
            return Ok(Opened { thread, earlier, is_new: false });
        }
        let shown = shown(self.tally, self.issue);
        let context = self.templates.about_issue(&shown, reviewer, &clock::nonce()?)?;
        let [run, issue] = about.map(str::to_owned);
        let about = About { run, issue: Some(issue), reviewer: Some(reviewer.to_owned()), context };
        let what = self.issue.spokesman().map_or("", |member| &member.anchored.finding.what);
        let what = words::shortened(&foreign::one_line(what), LONGEST_TITLE);
        let title = format!("{} {what}", summary::place(self.issue));
        let thread = Thread { id: clock::identifier()?, title, about: Some(about), created: clock::now() };
        Ok(Opened { thread, earlier: Vec::new(), is_new: true })
    }

    /// Asks, prints what comes, and keeps the turn if it is whole.
    async fn turn(
        &self,
        Opened { thread, earlier, is_new }: Opened,
        question: &str,
        bounds: &mut Bounds,
        (events, cancel): (&EventSender, &CancellationToken),
        ui: Ui,
    ) -> Result<Status, CliError> {
        let (told, left_out) = recent(&earlier, MOST_EARLIER, estimate::tokens);
        let context = thread.about.as_ref().map_or("", |about| &about.context);
        let prompt = self.templates.question(context.to_owned(), told, question, &clock::nonce()?)?;
        let asked_at = clock::now();
        let answer = asking::ask(self.respondent, prompt, pace(), bounds, events, cancel).await;
        let Some((outcome, text)) = answer else { return Ok(Status::Interrupted) };
        if left_out > 0 {
            let left_out = words::count(left_out, "message");
            ui.note(format_args!("the conversation is long: its first {left_out} were not told again"));
        }
        Ui::result(&printable(&text), None)?;
        if cancel.is_cancelled() {
            return Ok(Status::Interrupted);
        }
        if outcome.state != State::Answered {
            let reason = outcome.reason.unwrap_or_else(|| outcome.state.word().to_owned());
            let id = &self.respondent.reviewer.id;
            return Err(CliError::new(format!("{id} gave no whole answer: {reason}"))
                .hint("nothing was kept of this; ask again, or somebody else with `-r ID`"));
        }
        let turn = self.spoken(question, text, &outcome, asked_at)?;
        let (viewer, id) = (Viewer::default(), thread.id.clone());
        if is_new {
            self.threads.begin(&viewer, thread, Some(turn)).await?;
        } else if !self.threads.add(&viewer, &id, turn).await? {
            return Err(CliError::new(format!("thread {id} is gone")));
        }
        ui.note(self.heard(&outcome, earlier.len()));
        Ok(Status::Done)
    }

    fn spoken(
        &self,
        question: &str,
        answer: String,
        outcome: &Outcome,
        asked_at: jiff::Timestamp,
    ) -> Result<Turn, CliError> {
        let (provider, model) = self.speaker(outcome);
        let Outcome { tokens_in, tokens_out, cost_usd, .. } = *outcome;
        let spent = Spent { tokens_in, tokens_out, cost_usd, ..Spent::default() };
        let message = |role, content, spent, created| -> Result<Message, CliError> {
            Ok(Message {
                id: clock::identifier()?,
                role,
                content,
                provider: provider.clone(),
                model: model.clone(),
                reason: "ask".to_owned(),
                scope: Scope::Private,
                caller: self.caller.clone(),
                spent,
                created,
            })
        };
        Ok(Turn {
            question: message(Role::User, question.to_owned(), Spent::default(), asked_at)?,
            answer: message(Role::Assistant, answer, spent, clock::now())?,
        })
    }

    /// Who really answered, and its model.
    fn speaker(&self, outcome: &Outcome) -> (String, String) {
        if let Some(StandIn { reviewer, model }) = &outcome.answered_by {
            return (reviewer.to_string(), model.clone());
        }
        let Reviewer { id, model, .. } = &self.respondent.reviewer;
        (id.to_string(), model.clone())
    }

    /// `opus (claude-opus-5) answered, $0.02; ask again to go on, `--new` starts over`.
    fn heard(&self, outcome: &Outcome, earlier: usize) -> String {
        let (who, model) = self.speaker(outcome);
        let cost = outcome.cost_usd.map(|usd| format!(" for {}", words::dollars(usd))).unwrap_or_default();
        let model = if model == who { String::new() } else { format!(" ({model})") };
        let going_on = match earlier {
            0 => "ask again to go on".to_owned(),
            earlier => format!("after {} before; `--new` starts over", words::count(earlier, "message")),
        };
        format!("{who}{model} answered{cost}; {going_on}")
    }
}

/// An answer as a terminal may show it.
fn printable(text: &str) -> String {
    foreign::lines(text.trim()).iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}
