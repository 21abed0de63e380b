//! `scrum review`: the main job. Splits, guards, asks the panel, tallies, prints, and leaves a run on disk.

use std::{collections::BTreeSet, num::NonZeroUsize, sync::Arc, time::Duration};

use clap::{Args, builder::FalseyValueParser};
use jiff::tz::TimeZone;
use secrecy::SecretString;

use super::{
    ChangeArgs, GateArgs, Global, OutputArgs, bundle,
    error::{CliError, Status},
    found,
    guidance::{self, guidance},
    interrupt::{self, Interrupt},
    judge::{self, Ended, Session},
    report,
    supervise::supervised,
    ui::Ui,
    workspace::{Reading, Workspace},
};
use crate::{
    VERSION,
    bundle::{Bundle, Split, context::Growth},
    change::{Commit, RangeInfo},
    clock,
    config::{Choice, PanelError, Seats, env},
    disposition::Disposition,
    estimate::{self, Forecast},
    judgement::Judgements,
    mask::{self, Mask},
    prompt::{Templates, guidance::Told},
    provider::{Opener, Question},
    report::{
        json, masks,
        preview::{Preview, Prospect},
        words,
    },
    reviewer::{Access, Builtin, Panel, Reviewer, ReviewerId},
    route::Routes,
    run::{
        self,
        bounds::Bounds,
        budget::{self, Budget, Limits},
        event::channel,
        executor::Pace,
        recall::{self, Memory},
        respondent::{Respondent, Voice, most_voices},
        review::{self, Answers, Asking},
        routing::{self, Assignment},
        saved,
    },
    store::{
        RunDir, StoreError,
        record::{GuidanceRecord, Manifest, RunRecord},
    },
    tally::{
        self, Input, RunInfo, Tally, TaskReply,
        gate::{self, Gate, Policy},
    },
};

const ASKING: &str = "Whom to ask";

#[derive(Debug, Args)]
pub(super) struct ReviewArgs {
    #[command(flatten)]
    change: ChangeArgs,
    /// Ask this panel: `auto` (every reviewer configured, else all that `scrum doctor` finds), `offline`, or a name from `panel.NAME` in scrum.toml
    #[arg(long, help_heading = ASKING, value_name = "NAME", env = env::PANEL, conflicts_with = "reviewers")]
    panel: Option<String>,
    /// Ask this reviewer (repeatable), instead of a panel
    #[arg(short, long = "reviewer", help_heading = ASKING, value_name = "ID")]
    reviewers: Vec<String>,
    /// Most requests and programs under way at once
    #[arg(long, help_heading = ASKING, value_name = "N", env = env::CONCURRENCY)]
    concurrency: Option<NonZeroUsize>,
    /// Ask nothing more once the run is known to have spent this much, in US dollars; the result is inconclusive then
    #[arg(long, help_heading = ASKING, value_name = "USD", value_parser = dollars)]
    max_cost: Option<f64>,
    /// Ask nothing more once the run has spent this many tokens, of prompts and answers; the result is inconclusive then
    #[arg(long, help_heading = ASKING, value_name = "N")]
    max_tokens: Option<u64>,
    /// Longest time for one attempt, for every reviewer
    #[arg(long, help_heading = ASKING, value_name = "SECS", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: Option<u64>,
    /// Ask for everything anew, also what was answered before; what comes is kept for later all the same
    #[arg(long, help_heading = ASKING, env = env::NO_CACHE, value_parser = FalseyValueParser::new())]
    no_cache: bool,
    /// Go on with a run that was interrupted: ask only for what is missing
    #[arg(long, help_heading = ASKING, value_name = "RUN", conflicts_with_all = ["range", "staged", "worktree", "diff", "components", "include", "exclude", "context", "panel", "reviewers"])]
    resume: Option<String>,
    /// Put each BLOCK of one lineage to a reviewer of another one: CONFIRMED, REFUTED or UNSURE, shown beside it
    #[arg(long, help_heading = ASKING)]
    verify: bool,
    /// Show bundles, sizes, tokens and reviewers; send nothing
    #[arg(long, help_heading = ASKING, conflicts_with = "resume")]
    dry_run: bool,
    #[command(flatten)]
    gate: GateArgs,
    #[command(flatten)]
    output: OutputArgs,
}

fn dollars(text: &str) -> Result<f64, String> {
    let usd: Option<f64> = text.strip_prefix('$').unwrap_or(text).parse().ok();
    usd.filter(|usd| usd.is_finite() && *usd >= 0.0)
        .ok_or_else(|| "must be an amount such as 0.50".to_owned())
}

/// What is reviewed.
pub(super) struct Material {
    pub(super) split: Arc<Split>,
    pub(super) range: RangeInfo,
    /// Their messages as they are told.
    pub(super) commits: Vec<Commit>,
    /// What is masked in both.
    pub(super) masks: Vec<Mask>,
    /// What became of showing more around the hunks.
    pub(super) growth: Growth,
    /// What the maintainers tell about each bundle, in the bundles' order.
    pub(super) guidance: Vec<Told>,
}

impl Material {
    /// A change with its credentials found; they are masked in `commits`.
    pub(super) fn new(split: Split, range: RangeInfo, mut commits: Vec<Commit>, guidance: Vec<Told>) -> Self {
        let masks = mask::find(&split.bundles, &mut commits);
        Self { split: Arc::new(split), range, commits, masks, growth: Growth::default(), guidance }
    }

    pub(super) fn manifest(&self) -> Manifest {
        Manifest { context: (&self.growth).into(), ..Manifest::new(&self.range, &self.split) }
    }

    /// For the run's record.
    pub(super) fn guidance_told(&self) -> Vec<GuidanceRecord> {
        let of_bundle = |(bundle, told): (&Bundle, &Told)| {
            let sources = told.sources.clone().into_iter();
            sources.map(|source| GuidanceRecord::new(&bundle.id, source)).collect::<Vec<_>>()
        };
        self.split.bundles.iter().zip(&self.guidance).flat_map(of_bundle).collect()
    }
}

/// Whom to ask what.
pub(super) struct Asked {
    pub(super) questions: Vec<Arc<Question>>,
    pub(super) respondents: Vec<Respondent>,
    pub(super) skipped: Vec<(ReviewerId, String)>,
}

impl Asked {
    /// Everybody who may be sent a question, stand-ins too.
    fn reviewers(&self) -> impl Iterator<Item = &Reviewer> {
        self.respondents.iter().flat_map(|seat| &seat.voices).map(|voice| &voice.reviewer)
    }

    /// Says who is not asked as one would expect, and why.
    pub(super) fn announce(&self, ui: Ui) {
        for (reviewer, reason) in &self.skipped {
            ui.warning(format_args!("{reviewer} is not asked: {reason}"));
        }
        for Respondent { reviewer, voices, absence } in &self.respondents {
            if let (Some(absence), Some(first)) = (absence, voices.first()) {
                ui.warning(format_args!(
                    "{} is asked in the place of {}: {absence}",
                    first.reviewer.id, reviewer.id
                ));
            }
        }
    }
}

/// A run that is ready to be asked.
struct Job {
    dir: RunDir,
    record: RunRecord,
    material: Material,
    policy: Policy,
    asked: Asked,
    memory: Arc<Memory>,
    earlier: Vec<TaskReply>,
    judgements: Judgements,
}

pub(super) fn run(global: &Global, args: &ReviewArgs, ui: Ui) -> Result<Status, CliError> {
    Ui::check_output(args.output.output.as_deref())?;
    if let Some(name) = &args.resume {
        let (mut workspace, dir) = Workspace::for_run(global, name, ui)?;
        let job = resume(&mut workspace, args, dir, ui)?;
        return perform(&workspace, args, job, ui);
    }
    let mut workspace = Workspace::for_change(global, &args.change, ui)?;
    match prepare(&mut workspace, args, ui)? {
        Some(job) => perform(&workspace, args, job, ui),
        None => Ok(Status::Done),
    }
}

/// Everything up to the first request. `None` when there is nothing to ask, and it has been said.
fn prepare(workspace: &mut Workspace, args: &ReviewArgs, ui: Ui) -> Result<Option<Job>, CliError> {
    let policy = args.gate.over(workspace.policy());
    let change = match workspace.change(&args.change, ui)? {
        Reading::Files(change) => change,
        Reading::NoFile(range) => {
            document_of_nothing(args, policy, range, ui)?;
            return Ok(None);
        }
    };
    let (range, commits) = (change.range.clone(), change.commits.clone());
    let choice = Choice { panel: args.panel.clone(), reviewers: args.reviewers.clone() };
    let leaves = found::add(workspace, &choice, ui)?;
    let looks_back = |one: &Reviewer| one.access == Access::Builtin(Builtin::History);
    let past = routing::anybody(&workspace.config, &choice)?.iter().any(looks_back).then(|| change.clone());
    let (split, growth) = bundle::split(workspace, &args.change, change, ui)?;
    let templates = workspace.templates()?;
    let guidance = guidance(workspace, &range, &split, &templates, ui)?;
    let (seats, routes) = seats(workspace, &choice, policy, &split)?;
    let material = Material { growth, ..Material::new(split, range, commits, guidance) };
    if args.dry_run {
        foresee(workspace, args, &material, &templates, (&seats, &routes), ui)?;
        bundle::check_sizes(workspace, &material.split, ui)?;
        return Ok(None);
    }
    bundle::check_sizes(workspace, &material.split, ui)?;
    if leaves {
        found::announce(&seats, &routes, &material.split, ui);
    }
    let nonce = clock::nonce()?;
    let mut record = record(&nonce, &templates, &material, &seats.panel(), policy);
    record.judging = judge::wanted(&workspace.config, args.verify);
    record.guidance = material.guidance_told();
    record.routes = routes.iter().map(Into::into).collect();
    let opener = workspace.opener(&seats, &material, past)?;
    let asked = asked(args.timeout, seats, opener, &material, &templates, &nonce)?;
    let memory =
        memory(workspace, args, &material, &templates, asked.respondents.iter().map(|one| &one.reviewer))?;
    let dir = workspace.store.create(&record, &material.manifest(), &material.split)?;
    let (earlier, judgements) = <_>::default();
    Ok(Some(Job { dir, record, material, policy, asked, memory, earlier, judgements }))
}

/// Shows what would be sent, and what that would cost.
fn foresee(
    workspace: &Workspace,
    args: &ReviewArgs,
    material: &Material,
    templates: &Templates,
    (seats, routes): (&Seats, &Routes),
    ui: Ui,
) -> Result<(), CliError> {
    let reviewers = seats.usable_reviewers();
    let questions = questions(material, templates, "0123456789abcdef")?;
    let memory = memory(workspace, args, material, templates, &reviewers)?;
    let forecast = |reviewer: &Reviewer| {
        let own = questions.iter().filter(|one| routes.asks(&one.bundle.id, reviewer.id.as_str()));
        let (known, open): (Vec<_>, Vec<_>) = own.partition(|one| memory.answer(one, &reviewer.id).is_some());
        let open: Vec<u64> = open.iter().map(|one| estimate::tokens(&one.prompt.joined())).collect();
        Forecast::new(reviewer, &open, known.len())
    };
    let forecasts: Vec<Forecast> = reviewers.iter().map(forecast).collect();
    let today = clock::now().to_zoned(TimeZone::UTC).date();
    let prospect = Prospect { reviewers: &reviewers, forecasts: &forecasts, today };
    let panel = (!material.split.bundles.is_empty()).then_some(prospect);
    let Material { range, split, masks, .. } = material;
    let preview = Preview { range, split, masks, panel, routes };
    bundle::show(&preview, &args.output, ui)?;
    guidance::announce(&material.guidance, ui);
    judge::announce(&workspace.config, args.verify, ui);
    Ok(())
}

/// Everybody who is asked about a bundle of `split`, with keys, and who is asked about which.
fn seats(
    workspace: &Workspace,
    choice: &Choice,
    policy: Policy,
    split: &Split,
) -> Result<(Seats, Routes), CliError> {
    let Assignment { reviewers, routes } = routing::assign(&workspace.config, choice, &split.bundles)?;
    let panel = Panel { reviewers: reviewers.iter().map(Into::into).collect() };
    let least = least(&routes, &panel, &split.bundles, policy);
    let seats = workspace.config.seated(reviewers, least, workspace.environment)?;
    Ok((seats, routes))
}

/// Fewest lineages that must be there for every bundle to have been answered by as many as it needs.
fn least(routes: &Routes, panel: &Panel, bundles: &[Bundle], policy: Policy) -> usize {
    let needed = bundles.iter().map(|bundle| routes.needed(&bundle.id, panel, policy.min_lineages));
    needed.max().unwrap_or(policy.min_lineages)
}

/// The tally of a change without files, for a reader that expects a document; a person has been told.
fn document_of_nothing(args: &ReviewArgs, policy: Policy, range: RangeInfo, ui: Ui) -> Result<(), CliError> {
    if args.dry_run {
        return Ok(());
    }
    let now = run::timestamp(clock::now());
    let run = RunInfo {
        started_at: now.clone(),
        finished_at: Some(now),
        tool_version: VERSION.to_owned(),
        ..RunInfo::default()
    };
    let (panel, bundles, excluded, replies, judgements, dispositions) = <_>::default();
    let tally =
        tally::tally(Input { run, range, panel, bundles, excluded, replies, judgements, dispositions });
    report::print_document(&tally, &gate::evaluate(&tally, policy), &args.output, ui)
}

/// A run on disk with the questions nobody has answered. The panel is the run's own, as it is configured now.
fn resume(workspace: &mut Workspace, args: &ReviewArgs, dir: RunDir, ui: Ui) -> Result<Job, CliError> {
    let saved = saved::open_undecided(&dir)?;
    let panel: Vec<String> = saved.input.panel.reviewers.iter().map(|seat| seat.id.to_string()).collect();
    let policy = args.gate.over(saved.policy);
    let choice = Choice { panel: None, reviewers: panel };
    found::add(workspace, &choice, ui)?;
    let routes = saved.record.info().routes;
    let least = least(&routes, &saved.input.panel, &saved.input.bundles, policy);
    let seats = workspace.config.seats(&choice, least, workspace.environment);
    let seats = seats.map_err(|error| match error {
        PanelError::NoSuchReviewer { id, .. } => changed_panel(&dir, &format!("there is no reviewer {id:?}")),
        PanelError::NoSuchPanel { .. } | PanelError::Unusable { .. } => error.into(),
    })?;
    let panel = seats.panel();
    if let Some(seat) = panel.reviewers.iter().find(|seat| !saved.input.panel.reviewers.contains(seat)) {
        return Err(changed_panel(&dir, &format!("{} is {} of {}", seat.id, seat.model, seat.lineage)));
    }
    let split = Split { bundles: saved.input.bundles, excluded: saved.input.excluded };
    let templates = workspace.templates()?;
    let guidance = guidance(workspace, &saved.input.range, &split, &templates, ui)?;
    let (range, commits, masks) = (saved.input.range, saved.record.commits(), saved.record.masks());
    let material =
        Material { split: Arc::new(split), range, commits, masks, growth: Growth::default(), guidance };
    if templates.hash() != saved.record.prompt_hash {
        return Err(CliError::new(format!("the prompts of run {} were other ones", dir.id))
            .hint("start a new review: answers to different prompts must not be mixed in one run"));
    }
    if material.guidance_told() != saved.record.guidance {
        return Err(CliError::new(format!("the guidance of run {} was another one", dir.id))
            .hint("start a new review: answers to different prompts must not be mixed in one run"));
    }
    let past = seats.asks(Builtin::History).then(|| workspace.change_again(&material.range)).flatten();
    let opener = workspace.opener(&seats, &material, past)?;
    let asked = asked(args.timeout, seats, opener, &material, &templates, &saved.record.nonce)?;
    let memory =
        memory(workspace, args, &material, &templates, asked.respondents.iter().map(|one| &one.reviewer))?;
    let mut record = saved.record;
    let verify = args.verify || record.judging.is_some_and(|judging| judging.verify);
    record.judging = judge::wanted(&workspace.config, verify);
    let (earlier, judgements) = (saved.input.replies, saved.input.judgements);
    Ok(Job { dir, record, material, policy, asked, memory, earlier, judgements })
}

fn changed_panel(dir: &RunDir, now: &str) -> CliError {
    CliError::new(format!("the panel of run {} was another one: now {now}", dir.id))
        .hint("start a new review: answers of different models must not be mixed in one run")
}

/// Puts `material` to `seats`; `timeout` in seconds goes over their own.
pub(super) fn asked(
    timeout: Option<u64>,
    seats: Seats,
    mut opener: Opener,
    material: &Material,
    templates: &Templates,
    nonce: &str,
) -> Result<Asked, CliError> {
    let questions = questions(material, templates, nonce)?;
    let skipped = seats.skipped.iter();
    let skipped = skipped.map(|seat| (seat.reviewer.id.clone(), seat.obstacle.to_string())).collect();
    let respondents = respondents(timeout, seats, &mut opener)?;
    Ok(Asked { questions, respondents, skipped })
}

/// What `reviewers` answered about `material` in earlier runs.
fn memory<'a>(
    workspace: &Workspace,
    args: &ReviewArgs,
    material: &Material,
    templates: &Templates,
    reviewers: impl IntoIterator<Item = &'a Reviewer>,
) -> Result<Arc<Memory>, CliError> {
    let digest =
        |(bundle, guidance): &(Bundle, String)| Ok((bundle.id.clone(), templates.digest(bundle, guidance)?));
    let questions = told(material).iter().map(digest).collect::<Result<Vec<_>, CliError>>()?;
    Ok(Arc::new(Memory::new(workspace.cache(!args.no_cache), &questions, reviewers)))
}

/// What reviewers see of each bundle, and the guidance that goes with it: both without values of credentials.
fn told(material: &Material) -> Vec<(Bundle, String)> {
    let shown = mask::shown(&material.split.bundles, &material.masks).into_owned();
    let guidance = material.guidance.iter().map(|told| mask::without_credentials(&told.text));
    shown.into_iter().zip(guidance).collect()
}

/// What is to be asked, a question a bundle.
fn questions(
    material: &Material,
    templates: &Templates,
    nonce: &str,
) -> Result<Vec<Arc<Question>>, CliError> {
    let nonce: Arc<str> = nonce.into();
    let question = |(bundle, (shown, guidance)): (&Bundle, (Bundle, String))| {
        let prompt = templates.render(&shown, &material.commits, &guidance, &nonce)?;
        let bundle = Arc::new(bundle.clone());
        Ok(Arc::new(Question { bundle, prompt, nonce: Arc::clone(&nonce) }))
    };
    material.split.bundles.iter().zip(told(material)).map(question).collect()
}

/// The seats that can be asked, each with those who may answer for it.
fn respondents(
    timeout: Option<u64>,
    mut seats: Seats,
    opener: &mut Opener,
) -> Result<Vec<Respondent>, CliError> {
    let own = seats.usable.into_iter().map(|(reviewer, key)| (reviewer.clone(), Some((reviewer, key)), None));
    let absent =
        seats.substituted.into_iter().map(|seat| (seat.reviewer, None, Some(seat.obstacle.to_string())));
    let respondent = |(reviewer, own, absence): (Reviewer, Option<_>, _)| {
        let voices = own.into_iter().chain(seats.stand_ins.remove(&reviewer.id).unwrap_or_default());
        let voices = voices.map(|(reviewer, key)| voice(timeout, reviewer, key, opener));
        Ok(Respondent { voices: voices.collect::<Result<_, _>>()?, reviewer, absence })
    };
    own.chain(absent).map(respondent).collect()
}

/// `reviewer` made ready to be asked; `timeout` in seconds goes over its own.
pub(super) fn voice(
    timeout: Option<u64>,
    mut reviewer: Reviewer,
    key: Option<SecretString>,
    opener: &mut Opener,
) -> Result<Voice, CliError> {
    reviewer.timeout = timeout.map_or(reviewer.timeout, Duration::from_secs);
    let provider = opener.open(&reviewer, key)?;
    Ok(Voice { reviewer, provider })
}

/// The record of a run that starts now.
pub(super) fn record(
    nonce: &str,
    templates: &Templates,
    material: &Material,
    panel: &Panel,
    policy: Policy,
) -> RunRecord {
    let now = clock::now();
    RunRecord {
        schema: RunRecord::SCHEMA.to_owned(),
        id: run::run_id(now, nonce),
        tool_version: VERSION.to_owned(),
        prompt_hash: templates.hash(),
        nonce: nonce.to_owned(),
        started_at: run::timestamp(now),
        finished_at: None,
        range: (&material.range).into(),
        commits: material.commits.iter().map(Into::into).collect(),
        masked: material.masks.iter().map(Into::into).collect(),
        cut_short: None,
        panel: panel.reviewers.iter().map(Into::into).collect(),
        gate: policy.into(),
        routes: Vec::new(),
        judging: None,
        guidance: Vec::new(),
    }
}

/// Asks, saves, tallies, prints. What cannot be written is an error, told when the tally has been shown.
fn perform(workspace: &Workspace, args: &ReviewArgs, mut job: Job, ui: Ui) -> Result<Status, CliError> {
    if let Some(masked) = masks::in_short(&job.material.masks) {
        ui.note(masked);
    }
    job.asked.announce(ui);
    let mut bounds = bounds(workspace, args, &job, ui)?;
    let dispositions = report::decisions(workspace, &job.dir, workspace.trust()?, ui)?;
    let interrupt = interrupt::watch();
    let interrupt = interrupt.map_err(|error| CliError::new(format!("cannot listen for Ctrl-C: {error}")))?;
    let again = format!("scrum review --resume {}", job.dir.id);
    let Some(Answers { replies, unsaved, forgotten }) =
        ask(workspace, args, &mut job, &mut bounds, ui, &interrupt)?
    else {
        ui.note(format_args!("ended at once; go on with: {again}"));
        return Ok(Status::Interrupted);
    };
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
        judge::judge(&session, &mut input, &mut bounds, ui, &interrupt)?
    } else {
        Ended::Judged(None)
    };
    let unsaved = match judged {
        Ended::Judged(unjudged) => unsaved.or(unjudged),
        Ended::Dropped => {
            ui.note(format_args!("ended at once; go on with: {again}"));
            return Ok(Status::Interrupted);
        }
    };
    tidy(workspace, &job.memory, forgotten, ui);
    let interrupted = interrupt.end.is_cancelled();
    job.record.cut_short = bounds.cut_short().map(str::to_owned);
    job.record.finished_at = (!interrupted).then(|| run::timestamp(clock::now()));
    input.run = job.record.info();
    let tally = tally::tally(input);
    let gate = gate::evaluate(&tally, job.policy);
    let kept = keep(workspace, &job, &tally, &gate);
    report::print(&tally, &gate, &args.output, ui)?;
    ui.note(format_args!("saved in {}", workspace.shown(&job.dir.review)));
    if let Some(error) = unsaved {
        return Err(
            CliError::from(error).hint(format!("replies are missing from the run; ask again with: {again}"))
        );
    }
    kept?;
    if interrupted {
        ui.note(format_args!("interrupted; go on with: {again}"));
        return Ok(Status::Interrupted);
    }
    Ok(gate.result.into())
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
    let known = recall::recall(&mut asking)?;
    let tasks = review::open_tasks(&asking).len();
    if known > 0 {
        let of = words::count(known + tasks, "answer");
        ui.note(format_args!("{known} of {of} from the cache (--no-cache asks anew)"));
    }
    let events = channel(tasks, most_voices(asking.respondents), &asking.pace);
    let work = async |events: &_, cancel: &_| review::ask(asking, bounds, events, cancel).await;
    Ok(supervised(events, ui, interrupt, work)?.transpose()?)
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
pub(super) fn warn_of_unpriced<'a>(reviewers: impl Iterator<Item = &'a Reviewer>, ui: Ui) {
    let unpriced: BTreeSet<_> = reviewers.filter(|one| budget::is_unpriced(one)).map(|one| &one.id).collect();
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
    })
}
