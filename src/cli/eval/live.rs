//! Asks a panel about labelled changes: [`Live`] puts each one to it as `review` would, and never asks anything twice.
//!
//! What was answered is kept in a run for each change, under a name made of its bundles and prompts. Scoring is `eval`'s work.

use std::{fmt::Write as _, num::NonZeroUsize};

use crate::{
    bundle::Split,
    change::Change,
    cli::{
        ChangeArgs, bundle,
        error::CliError,
        guidance::guidance,
        interrupt::Interrupt,
        review::{self as reviewing, Asked, Material},
        supervise::supervised,
        ui::Ui,
        workspace::{Reading, Workspace},
    },
    clock,
    config::{Choice, Config, Seats},
    coverage::Spent,
    digest::sha256,
    judgement::Judgements,
    prompt::Templates,
    reviewer::{Builtin, Lineage, Panel, Reviewer, Seat},
    route::Routes,
    run::{
        bounds::Bounds,
        budget::{Budget, Limits},
        event::channel,
        executor::Pace,
        respondent::most_voices,
        review::{self, Asking},
        saved,
    },
    store::{ChangeAt, LabelledCase, RunDir, StoreError, record::RunRecord},
    tally::{Input, TaskReply},
};

/// Characters of a case's name in its run's id.
const NAME_KEPT: usize = 60;
/// Digits of the hash in it.
const DIGITS: usize = 12;

/// Whom to ask, and how.
pub(super) struct Live<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) panel: &'a str,
    /// Which of the panel to ask.
    pub(super) is_wanted: &'a dyn Fn(&str, &Lineage) -> bool,
    pub(super) interrupt: &'a Interrupt,
    pub(super) ui: Ui,
}

/// What came of asking about one case.
pub(super) enum Answered {
    /// The answers of the whole panel.
    Panel(Box<Input>),
    /// The change has no file to review; it has been said.
    Nothing,
    /// The user stopped it; what was answered is kept.
    Interrupted,
    /// The budget is used up, in words; what was answered is kept.
    CutShort(String),
}

/// A run on disk, with what it holds already.
struct Kept {
    dir: RunDir,
    record: RunRecord,
    earlier: Vec<TaskReply>,
}

impl Live<'_> {
    /// The limits of the configuration, for all cases together.
    pub(super) fn bounds(&self) -> Result<Bounds, CliError> {
        let Config { max_cost_usd: cost_usd, max_tokens: tokens, .. } = self.workspace.config;
        if cost_usd.is_some() {
            let seats = self.seats()?;
            reviewing::warn_of_unpriced(seats.usable_reviewers().iter(), self.ui);
        }
        Ok(Bounds::new(Budget::new(Limits { cost_usd, tokens }, Spent::default())))
    }

    /// Asks what is not answered yet about the change of `case`, within `bounds`.
    pub(super) fn answers(
        &self,
        case: &LabelledCase,
        at: &ChangeAt,
        bounds: &mut Bounds,
    ) -> Result<Answered, CliError> {
        let (workspace, args) = self.place(at)?;
        let Reading::Files(change) = workspace.change(&args, self.ui)? else { return Ok(Answered::Nothing) };
        let (range, commits) = (change.range.clone(), change.commits.clone());
        let seats = self.seats()?;
        let past = seats.asks(Builtin::History).then(|| change.clone());
        let split = self.split(&workspace, &args, change)?;
        let templates = workspace.templates()?;
        let guidance = guidance(&workspace, &range, &split, &templates, self.ui)?;
        let material = Material::new(split, range, commits, guidance);
        let panel = seats.panel();
        let kept = kept(&workspace, &case.name, &material, &templates, &panel)?;
        let opener = workspace.opener(&seats, &material, past)?;
        let asked = reviewing::asked(None, seats, opener, &material, &templates, &kept.record.nonce)?;
        let Some(replies) = self.ask(&kept, &asked, bounds)? else { return Ok(Answered::Interrupted) };
        if self.interrupt.end.is_cancelled() {
            return Ok(Answered::Interrupted);
        }
        if let Some(reason) = bounds.cut_short() {
            return Ok(Answered::CutShort(reason.to_owned()));
        }
        Ok(Answered::Panel(Box::new(input(&kept.record, material, panel, replies))))
    }

    /// The workspace of the case's repository, and what names its change there.
    fn place(&self, at: &ChangeAt) -> Result<(Workspace, ChangeArgs), CliError> {
        let (repo, range, diff) = match at {
            ChangeAt::Range { repo, range } => (Some(repo.as_path()), Some(range.clone()), None),
            ChangeAt::Diff(file) => (None, None, Some(file.clone())),
        };
        Ok((self.workspace.for_evaluation(repo)?, ChangeArgs { range, diff, ..ChangeArgs::default() }))
    }

    fn seats(&self) -> Result<Seats, CliError> {
        let choice = Choice { panel: Some(self.panel.to_owned()), reviewers: Vec::new() };
        let mut seats = self.workspace.config.seats(&choice, 1, self.workspace.environment)?;
        let all = seats.panel();
        let is_wanted = |reviewer: &Reviewer| (self.is_wanted)(reviewer.id.as_str(), &reviewer.lineage);
        seats.usable.retain(|(reviewer, _)| is_wanted(reviewer));
        seats.substituted.retain(|seat| is_wanted(&seat.reviewer));
        seats.skipped.retain(|seat| is_wanted(&seat.reviewer));
        if seats.usable.is_empty() && seats.substituted.is_empty() {
            let all: Vec<String> =
                all.reviewers.iter().map(|seat| format!("{} ({})", seat.id, seat.lineage)).collect();
            return Err(CliError::new(format!("nobody on panel {:?} is left to ask", self.panel))
                .hint(format!("reviewers on it: {}", all.join(", "))));
        }
        Ok(seats)
    }

    fn split(&self, workspace: &Workspace, args: &ChangeArgs, change: Change) -> Result<Split, CliError> {
        let (split, _) = bundle::split(workspace, args, change, self.ui)?;
        bundle::check_sizes(workspace, &split, self.ui)?;
        Ok(split)
    }

    /// All replies, earlier ones too. `None` when everything is to be dropped.
    fn ask(
        &self,
        kept: &Kept,
        asked: &Asked,
        bounds: &mut Bounds,
    ) -> Result<Option<Vec<TaskReply>>, CliError> {
        asked.announce(self.ui);
        let concurrency: NonZeroUsize = self.workspace.config.concurrency;
        let asking = Asking {
            dir: &kept.dir,
            questions: &asked.questions,
            respondents: &asked.respondents,
            skipped: &asked.skipped,
            routes: &Routes::default(),
            earlier: kept.earlier.clone(),
            pace: Pace::new(concurrency),
            memory: None,
        };
        let tasks = review::open_tasks(&asking).len();
        if tasks == 0 {
            return Ok(Some(asking.earlier));
        }
        let events = channel(tasks, most_voices(asking.respondents), &asking.pace);
        let work = async |events: &_, cancel: &_| review::ask(asking, bounds, events, cancel).await;
        let Some(answers) = supervised(events, self.ui, self.interrupt, work)? else { return Ok(None) };
        let answers = answers?;
        match answers.unsaved {
            Some(error) => Err(error.into()),
            None => Ok(Some(answers.replies)),
        }
    }
}

/// The run of this change, new or as it was left. Answers of reviewers that are others now are not taken over.
fn kept(
    workspace: &Workspace,
    name: &str,
    material: &Material,
    templates: &Templates,
    panel: &Panel,
) -> Result<Kept, CliError> {
    let id = run_id(name, material, templates);
    let dir = match workspace.store.find(&id) {
        Ok(dir) => dir,
        Err(StoreError::NoSuchRun { .. }) => return create(workspace, id, material, templates, panel),
        Err(error) => return Err(error.into()),
    };
    let saved = saved::open(&dir)?;
    let before = saved.input.panel.reviewers;
    let is_same = |reply: &TaskReply| {
        let seat_in = |seats: &[Seat]| seats.iter().find(|seat| seat.id == reply.outcome.reviewer).cloned();
        seat_in(&before).is_some_and(|seat| seat_in(&panel.reviewers).is_some_and(|now| now == seat))
    };
    let earlier = saved.input.replies.into_iter().filter(is_same).collect();
    let mut record = saved.record;
    record.masked = material.masks.iter().map(Into::into).collect();
    let gone = before.iter().filter(|seat| panel.reviewers.iter().all(|now| now.id != seat.id));
    record.panel = panel.reviewers.iter().chain(gone).map(Into::into).collect();
    dir.write_record(&record)?;
    Ok(Kept { dir, record, earlier })
}

fn create(
    workspace: &Workspace,
    id: String,
    material: &Material,
    templates: &Templates,
    panel: &Panel,
) -> Result<Kept, CliError> {
    let nonce = clock::nonce()?;
    let policy = workspace.policy();
    let mut record = reviewing::record(&nonce, templates, material, panel, &policy);
    record.id = id;
    record.guidance = material.guidance_told();
    let manifest = material.manifest();
    let dir = workspace.store.create(&record, &manifest, &material.split)?;
    Ok(Kept { dir, record, earlier: Vec::new() })
}

/// The case's name as far as it fits a file's, and a hash of all that reviewers are told.
fn run_id(name: &str, material: &Material, templates: &Templates) -> String {
    let mut told = templates.hash();
    for (bundle, guidance) in material.split.bundles.iter().zip(&material.guidance) {
        let _ = write!(told, "\n{} {}", bundle.id, bundle.sha256());
        if !guidance.text.is_empty() {
            let _ = write!(told, "\n{:?}", guidance.text);
        }
    }
    for commit in &material.commits {
        let _ = write!(told, "\n{} {:?}", commit.id, commit.message);
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
    let name: String = name.chars().take(NAME_KEPT).map(plain).collect();
    format!("{name}-{}", &sha256(&[told.as_bytes()])[..DIGITS])
}

fn input(record: &RunRecord, material: Material, panel: Panel, mut replies: Vec<TaskReply>) -> Input {
    replies.retain(|reply| panel.reviewers.iter().any(|seat| seat.id == reply.outcome.reviewer));
    let split = Split::clone(&material.split);
    Input {
        run: record.info(),
        range: material.range,
        panel,
        bundles: split.bundles,
        excluded: split.excluded,
        replies,
        judgements: Judgements::default(),
        dispositions: Vec::new(),
        since: None,
    }
}
