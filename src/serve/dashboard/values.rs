//! What stands on each page: [`Board::values`] gathers it for whoever asks. The page and its stream are made of the same.

use std::{collections::BTreeMap, sync::Arc};

use minijinja::{Value, context, value::Serde};
use serde::Serialize;
use tokio::task::spawn_blocking;

use super::{
    Board, broken, chart,
    index::{Done, Entry},
    no_such_run,
    progress::Progress,
    runs::Unreadable,
    show::{self, Eye, Row, stamp},
    view::{View, Wanted},
};
use crate::{
    clock,
    job::{Kind, Priority, State},
    provider::relay::Problem,
    report::words,
    serve::{callers::Caller, queue::api},
    store::jobs::Counts,
    tally::worth::{Figures, LineageWorth},
};

/// Runs on a page of the history, and on the overview.
const PAGE: usize = 50;
const LATEST: usize = 12;
/// Most jobs that wait or run and are listed.
const JOBS: usize = 200;
/// Most repositories to choose from.
const REPOSITORIES: usize = 200;
/// Over how many requests the gateway's percentiles are.
const LAST: usize = 1_000;
/// Most events that are read at once.
const EVENTS: u32 = 256;

impl Board {
    /// What `view` shows to `caller`.
    pub(super) async fn values(self: &Arc<Self>, view: &View, caller: &Caller) -> Result<Value, Problem> {
        let eye = Eye { caller, now: clock::now(), home: &self.home };
        let own = match view {
            View::Overview => self.overview(&eye).await?,
            View::Runs(wanted) => self.history(&eye, wanted).await?,
            View::Run(name) => self.run(&eye, name).await?,
            View::Queue => self.of_queue(&eye).await?,
            View::Gateway => self.of_gateway(&eye),
            View::Reviewers => self.reviewers(&eye).await?,
        };
        Ok(context! {
            here => view.section(),
            live => view.live(),
            sees_all => caller.sees_only().is_none(),
            tenant => caller.sees_only(),
            ..own
        })
    }

    async fn overview(&self, eye: &Eye<'_>) -> Result<Value, Problem> {
        let (running, waiting) = self.under_way(eye).await?;
        let latest: Vec<Row> = {
            let known = self.index.known().await.map_err(broken)?;
            let over = known.newest().filter(|entry| is_listed(entry, eye) && is_over(entry));
            over.take(LATEST).map(|entry| eye.row(&entry)).collect()
        };
        let standing = self.standing().await?;
        Ok(context! {
            title => "Overview",
            running => Serde(&running),
            waiting => waiting.len(),
            latest => Serde(&latest),
            gateway => self.performance(eye.caller),
            ..standing
        })
    }

    /// Jobs that run, the oldest first, and those that wait, in the order of their turn.
    async fn under_way(&self, eye: &Eye<'_>) -> Result<(Vec<Row>, Vec<Arc<Done>>), Problem> {
        let (running, mut waiting) = {
            let known = self.index.known().await.map_err(broken)?;
            let own = |state| {
                let tenant = eye.caller.sees_only();
                let is_own = |done: &&Arc<Done>| tenant.is_none_or(|tenant| done.job.new.tenant == tenant);
                known.jobs(state).filter(is_own).cloned().collect::<Vec<_>>()
            };
            (own(State::Running), own(State::Queued))
        };
        let mut rows = Vec::new();
        for done in running.iter().take(JOBS) {
            rows.push(eye.job(done, self.far(done).await?.counted()));
        }
        // Within a priority they stand in the order of their ids, which is that of time.
        waiting.sort_by_key(|done| Priority::ALL.iter().position(|one| *one == done.job.new.priority));
        Ok((rows, waiting))
    }

    /// How far a job is.
    async fn far(&self, done: &Done) -> Result<Progress, Problem> {
        let id = &done.job.new.id;
        let progress = {
            let mut known = self.progress();
            if known.len() > JOBS && !known.contains_key(id) {
                known.clear();
            }
            if done.job.state.is_final() {
                known.remove(id).unwrap_or_default()
            } else {
                Arc::clone(known.entry(id.clone()).or_default())
            }
        };
        let mut progress = progress.lock().await;
        loop {
            let events = self.jobs.events(id, progress.last, EVENTS).await.map_err(broken)?;
            for event in &events {
                progress.see(event);
            }
            if events.len() < EVENTS as usize {
                return Ok(progress.clone());
            }
        }
    }

    async fn history(&self, eye: &Eye<'_>, wanted: &Wanted) -> Result<Value, Problem> {
        let known = self.index.known().await.map_err(broken)?;
        let mut repositories: BTreeMap<String, usize> = BTreeMap::new();
        let (mut count, mut all, mut rows, mut trend) = (0, 0, Vec::new(), Vec::new());
        let first = (wanted.page - 1).saturating_mul(PAGE);
        for entry in known.newest() {
            let is_wanted_kind = wanted.kind == entry.kind().word();
            let is_shown =
                is_listed(&entry, eye) || (is_wanted_kind && entry.is_seen(eye.caller.sees_only()));
            if !is_shown {
                continue;
            }
            all += 1;
            let repository = entry.repository(eye.home);
            match repositories.get_mut(repository) {
                Some(runs) => *runs += 1,
                None => drop(repositories.insert(repository.to_owned(), 1)),
            }
            if !wanted.fits(&entry, repository, Eye::state(&entry).0) {
                continue;
            }
            if (first..first.saturating_add(PAGE)).contains(&count) {
                rows.push(eye.row(&entry));
            }
            count += 1;
            if !wanted.repository.is_empty() && entry.came_to().is_some() && trend.len() < 60 {
                trend.push(entry);
            }
        }
        drop(known);
        let mut repositories: Vec<_> =
            repositories.into_iter().filter(|(name, _)| !name.is_empty()).collect();
        repositories.sort_by(|(_, one), (_, other)| other.cmp(one));
        repositories.truncate(REPOSITORIES);
        let pages = count.div_ceil(PAGE).max(1);
        let next = (wanted.page < pages).then(|| wanted.address(wanted.page + 1));
        let before = (wanted.page > 1).then(|| wanted.address((wanted.page - 1).min(pages)));
        Ok(context! {
            title => if wanted.repository.is_empty() { "Runs".to_owned() } else { format!("Runs of {}", show::short(&wanted.repository)) },
            wanted => Serde(wanted),
            is_all => wanted.is_all(),
            rows => Serde(&rows),
            count, all, pages, next, before,
            page => wanted.page,
            repositories => Serde(&repositories),
            verdicts => ["ship", "ship-with-fixes", "hold", "inconclusive"],
            states => ["queued", "running", "done", "failed", "cancelled", "timed out", "unfinished"],
            kinds => Kind::ALL.iter().map(|kind| kind.word()).collect::<Vec<_>>(),
            trend => Serde(chart::trend(trend.iter())),
        })
    }

    async fn run(&self, eye: &Eye<'_>, name: &str) -> Result<Value, Problem> {
        let entry = self.index.named(name).await.map_err(broken)?;
        let entry = entry.filter(|entry| entry.is_seen(eye.caller.sees_only())).ok_or_else(no_such_run)?;
        let is_over = is_over(&entry);
        // What a report cannot be made of is told as far as it is known.
        let report = match entry.run().filter(|_| is_over) {
            Some(_) => Some(self.runs.report(&entry).await),
            None => None,
        };
        let (report, trouble) = match report {
            // A chain without a review is no run, and has nothing but checks.
            Some(Err(Unreadable::Gone)) if entry.kind() != Kind::Review => (None, None),
            Some(Ok(report)) => (Some(Value::from_safe_string(report.to_string())), None),
            Some(Err(error)) => {
                tracing::warn!(run = entry.run(), %error, "a run cannot be shown");
                (None, Some("the run cannot be read; the daemon's log says why"))
            }
            None => (None, None),
        };
        let (mut counted, mut progress, mut files) = (None, None, Vec::new());
        if let Some(done) = &entry.done {
            if report.is_none() {
                let far = self.far(done).await?;
                counted = far.counted();
                progress = Some(far.value());
            }
            if is_over {
                let id = &done.job.new.id;
                let kept = self.jobs.files(id).await.map_err(broken)?;
                files = kept
                    .into_iter()
                    .map(|(name, size)| (api::address(id.as_str(), &name), name, words::size(size)))
                    .collect();
            }
        }
        let row = match &entry.done {
            Some(done) if !is_over => eye.job(done, counted),
            _ => eye.row(&entry),
        };
        let range = show::range(entry.range());
        let subject = if range.is_empty() { entry.kind().word() } else { &range };
        let state = match (is_over, entry.came_to()) {
            (true, Some(came_to)) => came_to.verdict.as_str(),
            (true, None) | (false, _) => Eye::state(&entry).0,
        };
        Ok(context! {
            title => format!("{subject}: {state}"),
            over => is_over,
            row => Serde(&row),
            run => entry.run(),
            report, trouble, progress,
            files => Serde(&files),
        })
    }

    async fn of_queue(&self, eye: &Eye<'_>) -> Result<Value, Problem> {
        let (running, waiting) = self.under_way(eye).await?;
        let more = waiting.len().saturating_sub(JOBS);
        let waiting: Vec<Row> = waiting.iter().take(JOBS).map(|done| eye.job(done, None)).collect();
        let standing = self.standing().await?;
        Ok(context! {
            title => "Queue",
            running => Serde(&running),
            waiting => Serde(&waiting),
            more,
            ..standing
        })
    }

    /// How the queue and this machine do: of all tenants, as `/queue/status` says it.
    async fn standing(&self) -> Result<Value, Problem> {
        let Counts { waiting, oldest, running, by_state } = self.queue.counts().await.map_err(broken)?;
        let depth: Vec<(&str, u64)> = Priority::ALL
            .iter()
            .map(|one| (one.word(), waiting.iter().filter(|(it, _)| it == one).map(|(_, jobs)| jobs).sum()))
            .collect();
        let kept: Vec<(String, u64)> =
            by_state.iter().map(|(state, jobs)| (state.word().replace('_', " "), *jobs)).collect();
        let oldest =
            oldest.map(|at| words::span(clock::now().duration_since(at).try_into().unwrap_or_default()));
        let usage = self.queue.numbers.usage();
        let (cpu, memory) = (chart::percent(usage.cpu), chart::percent(usage.memory));
        Ok(context! {
            depth, kept, oldest,
            busy => running,
            workers => self.queue.settings.workers,
            most => self.queue.settings.waiting.all,
            node => self.queue.node.clone(),
            held => self.queue.held().map(|(held, _)| held.word()),
            busy_percent => self.queue.settings.busy_percent,
            ailments => Serde(self.queue.ailments()),
            cpu, memory,
        })
    }

    /// As `/api/metrics/performance` tells it.
    fn performance(&self, caller: &Caller) -> Value {
        let own = (!caller.name.is_empty()).then_some(&*caller.tenant);
        Value::from(Serde(self.gateway.metrics.performance(LAST, own)))
    }

    fn of_gateway(&self, eye: &Eye<'_>) -> Value {
        let usage = self.gateway.flights.usage();
        context! {
            title => "Gateway",
            gateway => self.performance(eye.caller),
            last => LAST,
            providers => Serde(self.gateway.metrics.providers()),
            models => Serde(self.gateway.routes.names()),
            flights => usage.flights,
            answers => usage.answers,
            answer_bytes => words::size(usage.answer_bytes as u64),
        }
    }

    async fn reviewers(self: &Arc<Self>, eye: &Eye<'_>) -> Result<Value, Problem> {
        self.count();
        let (board, tenant) = (Arc::clone(self), eye.caller.sees_only().map(str::to_owned));
        let told = spawn_blocking(move || {
            let decisions = board.store.decisions().unwrap_or_default();
            board.counting.told(tenant.as_deref(), decisions)
        });
        let told = told.await.map_err(|_| no_such_run())?;
        let lineages: Vec<OfLineage> =
            told.all.lineages.iter().map(|one| OfLineage::new(one, &told.months)).collect();
        Ok(context! {
            title => "Reviewers",
            runs => told.all.runs,
            issues => told.all.issues,
            decided => told.all.decided,
            unplaced => told.all.unplaced,
            left => told.left,
            unreadable => told.unreadable,
            counted_at => told.at.map(stamp),
            lineages => Serde(&lineages),
        })
    }
}

/// Whether a run is in the history of whoever looks: what does nothing is not.
fn is_listed(entry: &Entry, eye: &Eye<'_>) -> bool {
    entry.kind() != Kind::Noop && entry.is_seen(eye.caller.sees_only())
}

fn is_over(entry: &Entry) -> bool {
    entry.done.as_ref().map_or_else(|| entry.came_to().is_some(), |done| done.job.state.is_final())
}

/// A lineage on the page of reviewers.
#[derive(Serialize)]
struct OfLineage {
    name: String,
    figures: OfFinder,
    reviewers: Vec<OfFinder>,
    months: chart::Months,
}

/// A lineage's or a reviewer's figures, for people.
#[derive(Serialize)]
struct OfFinder {
    name: String,
    issues: usize,
    real: usize,
    r#false: usize,
    wontfix: usize,
    alone: usize,
    /// In percent: the share, and both ends of its interval.
    precision: Option<[u64; 3]>,
    answers: usize,
    cost: Option<String>,
    cost_per_real: Option<String>,
    /// Some prices are not known.
    is_least: bool,
}

impl OfLineage {
    fn new(worth: &LineageWorth, months: &[(String, crate::tally::worth::Worth)]) -> Self {
        let name = worth.lineage.as_str();
        let reviewers = worth.reviewers.iter();
        Self {
            name: name.to_owned(),
            figures: OfFinder::new(name, &worth.figures),
            reviewers: reviewers
                .map(|(finder, figures)| OfFinder::new(finder.reviewer.as_str(), figures))
                .collect(),
            months: chart::months(months, name),
        }
    }
}

impl OfFinder {
    fn new(name: &str, figures: &Figures) -> Self {
        let precision = figures.precision();
        let (low, high) = precision.wilson();
        Self {
            name: name.to_owned(),
            issues: figures.issues,
            real: figures.real,
            r#false: figures.false_,
            wontfix: figures.wontfix,
            alone: figures.alone,
            precision: precision.share().map(|share| [share, low, high].map(chart::percent)),
            answers: figures.spent.answers,
            cost: figures.spent.cost_usd.map(words::dollars),
            cost_per_real: figures.cost_per_real().map(words::dollars),
            is_least: figures.spent.unpriced > 0,
        }
    }
}
