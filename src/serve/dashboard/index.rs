//! All runs that there are, in memory: [`Index`] follows the daemon's jobs and the folder of its runs, and knows which job made
//! which run.
//!
//! Neither is read a second time for a page: of jobs those are asked for that were told to have changed, of the folder what is
//! new. Who may see what is decided by whoever asks.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::Deserialize;
use tokio::{
    sync::{
        Mutex as Turn,
        broadcast::{Receiver, error::RecvError},
        watch,
    },
    time::Instant,
};

use crate::{
    job::{Job, JobId, Kind, State},
    store::{
        Store,
        chronicle::{Brief, CameTo, Chronicle, News, Spent, Totals},
        database::{DatabaseError, Note},
        jobs::{Filter, Jobs},
    },
};

/// Most jobs that are known, the newest ones.
const MOST: usize = 20_000;
/// How many are read at once.
const PAGE: u32 = 500;
/// How many are read to see which are new.
const NEWEST: u32 = 20;
/// Most jobs that are asked for one by one.
const FEW: usize = 200;
/// How long nothing need be heard of until it is looked all the same.
const STALE: Duration = Duration::from_secs(2);
/// How often all jobs are read again, for those that were removed and for what was not heard.
const ANEW: Duration = Duration::from_mins(5);

/// A job, with what came of it.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) job: Job,
    /// The run that it made.
    pub(super) run: Option<String>,
    pub(super) came_to: Option<CameTo>,
}

/// One run: of a job, of the folder, or of both.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) done: Option<Arc<Done>>,
    pub(super) brief: Option<Arc<Brief>>,
}

impl Entry {
    /// What it is called in addresses.
    pub(super) fn name(&self) -> &str {
        match (&self.done, &self.brief) {
            (Some(done), _) => done.job.new.id.as_str(),
            (None, brief) => brief.as_ref().map_or("", |brief| &brief.id),
        }
    }

    /// The run's own id, once it has one.
    pub(super) fn run(&self) -> Option<&str> {
        let of_job = self.done.as_ref().and_then(|done| done.run.as_deref());
        of_job.or_else(|| self.brief.as_ref().map(|brief| brief.id.as_str()))
    }

    pub(super) fn tenant(&self) -> Option<&str> {
        self.done.as_ref().map(|done| done.job.new.tenant.as_str())
    }

    /// When it was brought, or began.
    pub(super) fn at(&self) -> Timestamp {
        let of_run = || self.brief.as_ref().map_or(Timestamp::UNIX_EPOCH, |brief| brief.at);
        self.done.as_ref().map_or_else(of_run, |done| done.job.created)
    }

    /// What it came to. The folder knows more than the job's result does.
    pub(super) fn came_to(&self) -> Option<&CameTo> {
        let of_run = self.brief.as_ref().and_then(|brief| brief.came_to.as_ref());
        of_run.or_else(|| self.done.as_ref().and_then(|done| done.came_to.as_ref()))
    }

    /// Its repository: the page, where it is on a server that has pages, else as the job names it. A run of neither is of `home`.
    pub(super) fn repository<'a>(&'a self, home: &'a str) -> &'a str {
        let page = self.brief.as_ref().and_then(|brief| brief.repository.as_deref());
        let of_job = |done: &'a Arc<Done>| done.job.new.task.repo.as_deref().unwrap_or_default();
        let named = page.unwrap_or_else(|| self.done.as_ref().map_or(home, of_job));
        named.trim_end_matches('/').trim_end_matches(".git")
    }

    pub(super) fn range(&self) -> &str {
        let of_job = self.done.as_ref().and_then(|done| done.job.new.task.range.as_deref());
        of_job.or_else(|| self.brief.as_ref().map(|brief| brief.range.as_str())).unwrap_or_default()
    }

    pub(super) fn kind(&self) -> Kind {
        self.done.as_ref().map_or(Kind::Review, |done| done.job.new.task.kind)
    }

    /// Whether somebody may see it who sees only the runs of `tenant`.
    pub(super) fn is_seen(&self, tenant: Option<&str>) -> bool {
        tenant.is_none_or(|tenant| self.tenant() == Some(tenant))
    }
}

/// Which entry, in the order of time.
type Place = (i64, Key);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Run(String),
    Job(JobId),
}

/// What is known.
#[derive(Default)]
pub(super) struct Known {
    jobs: BTreeMap<JobId, Arc<Done>>,
    briefs: HashMap<String, Arc<Brief>>,
    /// Which job made a run.
    makers: HashMap<String, JobId>,
    order: BTreeSet<Place>,
}

impl Known {
    /// All, the newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = Entry> {
        self.order.iter().rev().map(|(_, key)| self.entry(key))
    }

    /// The run that `name` means: the id of its job, or its own.
    pub(super) fn named(&self, name: &str) -> Option<Entry> {
        let by_job = JobId::parse(name).filter(|id| self.jobs.contains_key(id)).map(Key::Job);
        let by_run = || self.makers.get(name).cloned().map(Key::Job);
        let alone = || self.briefs.contains_key(name).then(|| Key::Run(name.to_owned()));
        by_job.or_else(by_run).or_else(alone).map(|key| self.entry(&key))
    }

    /// Jobs in `state`.
    pub(super) fn jobs(&self, state: State) -> impl Iterator<Item = &Arc<Done>> {
        self.jobs.values().filter(move |done| done.job.state == state)
    }

    fn entry(&self, key: &Key) -> Entry {
        match key {
            Key::Run(id) => Entry { done: None, brief: self.briefs.get(id).cloned() },
            Key::Job(id) => {
                let done = self.jobs.get(id).cloned();
                let brief = done.as_ref().and_then(|done| self.briefs.get(done.run.as_ref()?).cloned());
                Entry { done, brief }
            }
        }
    }

    fn job(&mut self, job: Job) {
        let done = done(job);
        let id = done.job.new.id.clone();
        if let Some(run) = &done.run {
            self.makers.insert(run.clone(), id.clone());
            if let Some(brief) = self.briefs.get(run) {
                self.order.remove(&place(brief));
            }
        }
        self.order.insert((done.job.created.as_millisecond(), Key::Job(id.clone())));
        self.jobs.insert(id, Arc::new(done));
        if self.jobs.len() > MOST
            && let Some(oldest) = self.jobs.keys().next().cloned()
        {
            self.no_job(&oldest);
        }
    }

    fn no_job(&mut self, id: &JobId) {
        let Some(done) = self.jobs.remove(id) else { return };
        self.order.remove(&(done.job.created.as_millisecond(), Key::Job(id.clone())));
        // Its run is one of the folder's now, which only those see who see all.
        if let Some(run) = &done.run {
            self.makers.remove(run);
            if let Some(brief) = self.briefs.get(run) {
                self.order.insert(place(brief));
            }
        }
    }

    fn runs(&mut self, news: News) {
        for brief in news.told {
            if !self.makers.contains_key(&brief.id) {
                self.order.insert(place(&brief));
            }
            self.briefs.insert(brief.id.clone(), Arc::new(brief));
        }
        for brief in news.gone.iter().filter_map(|id| self.briefs.remove(id)) {
            self.order.remove(&place(&brief));
        }
    }
}

fn place(brief: &Brief) -> Place {
    (brief.at.as_millisecond(), Key::Run(brief.id.clone()))
}

/// What a job's result says of its run.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Made {
    run: Option<String>,
    gate: String,
    verdict: Option<String>,
    totals: Option<Totals>,
    spent: Spent,
}

fn done(mut job: Job) -> Done {
    let made: Made = job.result.take().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let Made { run, gate, verdict, totals, spent } = made;
    let came_to = verdict.zip(totals).map(|(verdict, mut totals)| {
        totals.spent.cost_usd = totals.spent.cost_usd.or(spent.cost_usd);
        CameTo { verdict, gate, totals, heard: None }
    });
    Done { job, run, came_to }
}

/// What was heard of since it was looked.
#[derive(Default)]
struct Heard {
    changed: BTreeSet<JobId>,
    /// There may be others.
    any: bool,
    /// Something was brought.
    is_new: bool,
}

/// How far it was looked.
struct Looked {
    chronicle: Arc<Mutex<Chronicle>>,
    at: Option<Instant>,
    anew: Option<Instant>,
}

/// Runs, the newest first.
pub(super) struct Index {
    jobs: Jobs,
    known: Mutex<Known>,
    heard: Mutex<Heard>,
    looked: Turn<Looked>,
    /// Counts what was heard.
    news: watch::Sender<u64>,
}

impl Index {
    /// Of `jobs` and the runs of `store`. Nothing is read yet.
    pub(super) fn new(jobs: Jobs, store: Store) -> Self {
        let chronicle = Arc::new(Mutex::new(Chronicle::new(store)));
        let looked = Turn::new(Looked { chronicle, at: None, anew: None });
        Self { jobs, known: Mutex::default(), heard: Mutex::default(), looked, news: watch::Sender::new(0) }
    }

    /// Takes down what is heard, as long as anything can be.
    pub(super) async fn keep_up(&self, mut notes: Receiver<Note>) {
        loop {
            let heard = match notes.recv().await {
                Ok(Note::Changed(id) | Note::CalledOff(id)) => Some(id),
                Ok(Note::Ready) => {
                    lock(&self.heard).is_new = true;
                    None
                }
                Ok(Note::Missed) | Err(RecvError::Lagged(_)) => {
                    lock(&self.heard).any = true;
                    None
                }
                Err(RecvError::Closed) => return,
            };
            let mut all = lock(&self.heard);
            all.changed.extend(heard);
            if all.changed.len() > FEW {
                *all = Heard { any: true, ..Heard::default() };
            }
            drop(all);
            self.news.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Changes whenever something is heard.
    pub(super) fn listen(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// What is known now. A store that does not answer leaves it as it was, and says so.
    pub(super) async fn known(&self) -> Result<MutexGuard<'_, Known>, DatabaseError> {
        let mut looked = self.looked.lock().await;
        let heard = mem::take(&mut *lock(&self.heard));
        let is_stale = looked.at.is_none_or(|at| at.elapsed() >= STALE);
        if is_stale || heard.any || heard.is_new || !heard.changed.is_empty() {
            let chronicle = Arc::clone(&looked.chronicle);
            let news = tokio::task::spawn_blocking(move || lock(&chronicle).follow()).await;
            lock(&self.known).runs(news.unwrap_or_default());
            let is_anew = looked.anew.is_none_or(|at| at.elapsed() >= ANEW);
            let read = if heard.any || is_anew { self.all().await } else { self.some(&heard).await };
            if let Err(error) = read {
                lock(&self.heard).any = true;
                return Err(error);
            }
            looked.at = Some(Instant::now());
            if heard.any || is_anew {
                looked.anew = looked.at;
            }
        }
        drop(looked);
        Ok(lock(&self.known))
    }

    /// The run that `name` means. A job that was not heard of yet is asked for.
    pub(super) async fn named(&self, name: &str) -> Result<Option<Entry>, DatabaseError> {
        let found = self.known().await?.named(name);
        let Some(id) = JobId::parse(name).filter(|_| found.is_none()) else { return Ok(found) };
        let Some(job) = self.jobs.job(None, &id).await? else { return Ok(None) };
        let mut known = lock(&self.known);
        known.job(job);
        Ok(known.named(name))
    }

    /// Every job that is kept.
    async fn all(&self) -> Result<(), DatabaseError> {
        let mut before = None;
        let mut found: Vec<Job> = Vec::new();
        while found.len() < MOST {
            let page =
                self.jobs.list(Filter { before: before.take(), most: PAGE, ..Filter::default() }).await?;
            let is_last = page.len() < PAGE as usize;
            before = page.last().map(|job| job.new.id.clone());
            found.extend(page);
            if is_last {
                break;
            }
        }
        let mut known = lock(&self.known);
        let ids: BTreeSet<&JobId> = found.iter().map(|job| &job.new.id).collect();
        let gone: Vec<JobId> = known.jobs.keys().filter(|id| !ids.contains(id)).cloned().collect();
        for id in &gone {
            known.no_job(id);
        }
        found.into_iter().rev().for_each(|job| known.job(job));
        Ok(())
    }

    /// Those that were brought since, and those that were heard of.
    async fn some(&self, heard: &Heard) -> Result<(), DatabaseError> {
        let newest = lock(&self.known).jobs.keys().next_back().cloned();
        let mut before = None;
        loop {
            let page =
                self.jobs.list(Filter { before: before.take(), most: NEWEST, ..Filter::default() }).await?;
            let is_new = |job: &Job| newest.as_ref().is_none_or(|newest| job.new.id > *newest);
            let is_all = page.len() < NEWEST as usize || !page.last().is_some_and(is_new);
            before = page.last().map(|job| job.new.id.clone());
            let mut known = lock(&self.known);
            page.into_iter().filter(is_new).for_each(|job| known.job(job));
            if is_all {
                break;
            }
        }
        for id in &heard.changed {
            let job = self.jobs.job(None, id).await?;
            let mut known = lock(&self.known);
            match job {
                Some(job) => known.job(job),
                None => known.no_job(id),
            }
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{NewJob, Priority, Source, Task};

    fn job(last: char, minute: i64, run: Option<&str>) -> Job {
        let result = run.map(|run| {
            let totals = r#"{"convergent":1,"distinct":2,"by_severity":{"BLOCK":0,"WARN":2,"INFO":0}}"#;
            format!(r#"{{"gate":"pass","verdict":"ship","run":"{run}","totals":{totals},"spent":{{"cost_usd":0.5}}}}"#)
        });
        let new = NewJob {
            id: JobId::parse(&format!("01890000-0000-7000-8000-00000000000{last}")).unwrap(),
            tenant: format!("tenant {last}"),
            source: Source::Api,
            priority: Priority::Normal,
            task: Task {
                kind: Kind::Review,
                repo: Some("/srv/a.git".to_owned()),
                range: Some("A..B".to_owned()),
                panel: None,
                file: None,
                pull: None,
                work_ms: 0,
            },
            timeout_secs: 1,
            max_attempts: 1,
            dedupe_key: None,
            subject: None,
        };
        Job {
            new,
            state: if run.is_some() { State::Succeeded } else { State::Running },
            attempt: 1,
            node: None,
            created: Timestamp::from_second(minute * 60).unwrap(),
            started: None,
            finished: None,
            result,
            reason: None,
        }
    }

    fn brief(id: &str, minute: i64) -> Brief {
        let at = Timestamp::from_second(minute * 60).unwrap();
        let came_to = Some(CameTo { verdict: "hold".to_owned(), heard: Some((1, 2)), ..CameTo::default() });
        Brief { id: id.to_owned(), at, repository: None, range: "C..D".to_owned(), came_to }
    }

    /// `range verdict repository` of each, newest first.
    fn told(known: &Known) -> Vec<String> {
        let told = |entry: Entry| {
            let verdict = entry.came_to().map_or("under way", |came_to| came_to.verdict.as_str()).to_owned();
            format!("{} {verdict} {}", entry.range(), entry.repository("/home"))
        };
        known.newest().map(told).collect()
    }

    #[test]
    fn a_job_and_its_run_are_one() {
        let mut known = Known::default();
        known.runs(News { told: vec![brief("r1", 1), brief("r2", 5)], gone: Vec::new() });
        assert_eq!(told(&known), ["C..D hold /home", "C..D hold /home"]);
        known.job(job('1', 3, None));
        assert_eq!(told(&known), ["C..D hold /home", "A..B under way /srv/a", "C..D hold /home"]);
        known.job(job('1', 3, Some("r1")));
        assert_eq!(told(&known), ["C..D hold /home", "A..B hold /srv/a"], "the folder knows more of it");
        let entry = known.named("r1").unwrap();
        assert_eq!(
            (entry.name(), entry.tenant()),
            ("01890000-0000-7000-8000-000000000001", Some("tenant 1"))
        );
        assert!(entry.is_seen(Some("tenant 1")) && entry.is_seen(None) && !entry.is_seen(Some("tenant 2")));
        assert!(!known.named("r2").unwrap().is_seen(Some("tenant 1")), "nobody's but whose the folder is");
        known.runs(News { told: Vec::new(), gone: vec!["r1".to_owned()] });
        assert_eq!(told(&known), ["C..D hold /home", "A..B ship /srv/a"], "the job's result is left");
        known.no_job(&JobId::parse(entry.name()).unwrap());
        assert_eq!(told(&known), ["C..D hold /home"]);
        assert!(known.named("r1").is_none() && known.named(entry.name()).is_none());
    }

    #[test]
    fn a_run_that_comes_after_its_job_is_not_listed_twice() {
        let mut known = Known::default();
        known.job(job('1', 3, Some("r1")));
        known.runs(News { told: vec![brief("r1", 2)], gone: Vec::new() });
        assert_eq!(told(&known), ["A..B hold /srv/a"]);
        known.no_job(&JobId::parse("01890000-0000-7000-8000-000000000001").unwrap());
        assert_eq!(told(&known), ["C..D hold /home"], "it is still in the folder");
    }
}
