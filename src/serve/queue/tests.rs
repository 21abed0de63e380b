//! The dispatcher over a real file, and in real time: the store's thread waits for the disk, which paused time does not know.

use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;
use crate::{
    job::{Job, Kind, Priority, Source, Task},
    store::database::Database,
};

/// A daemon's queue without HTTP.
struct Scene {
    folder: TempDir,
    queue: Arc<Queue>,
    end: CancellationToken,
    work: Option<JoinHandle<()>>,
}

impl Scene {
    fn new(workers: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let queue = queue(&folder, workers);
        Self { folder, queue, end: CancellationToken::new(), work: None }
    }

    /// Another node on the same file.
    fn beside(&self) -> Arc<Queue> {
        queue(&self.folder, 10)
    }

    fn begin(&mut self, grace: Duration) {
        self.work = Some(tokio::spawn(Arc::clone(&self.queue).work(self.end.clone(), grace)));
    }

    async fn end(&mut self) {
        self.end.cancel();
        self.work.take().unwrap().await.unwrap();
    }

    async fn bring(&self, number: u32, work: Duration, timeout_secs: u32) -> JobId {
        let id = JobId::parse(&format!("01890000-0000-7000-8000-{number:012}")).unwrap();
        let new = new_job(id.clone(), work, timeout_secs);
        assert_eq!(self.queue.bring(new).await.unwrap(), Enqueued::New(vec![]));
        id
    }

    async fn job(&self, id: &JobId) -> Job {
        self.queue.jobs.job(None, id).await.unwrap().unwrap()
    }

    /// Waits until a job is in `state`.
    async fn until(&self, id: &JobId, state: State) -> Job {
        let mut notes = self.queue.jobs.notes();
        loop {
            let job = self.job(id).await;
            if job.state == state {
                return job;
            }
            assert!(!job.state.is_final(), "{job:?}");
            // Whether it is about this one is seen then.
            let _ = notes.recv().await;
        }
    }
}

fn new_job(id: JobId, work: Duration, timeout_secs: u32) -> NewJob {
    let task = Task { work_ms: u64::try_from(work.as_millis()).unwrap(), ..Task::new(Kind::Noop) };
    let (tenant, source, priority) = (String::new(), Source::Api, Priority::Normal);
    let (max_attempts, dedupe_key, subject) = (3, None, None);
    NewJob { id, tenant, source, priority, task, timeout_secs, max_attempts, dedupe_key, subject }
}

fn queue(folder: &TempDir, workers: u32) -> Arc<Queue> {
    let settings = config::Queue {
        workers,
        waiting: 1_000.into(),
        attempts: 3,
        timeout: Duration::from_mins(10),
        stall: Duration::from_mins(10),
        busy_percent: 100,
        keep: Duration::from_hours(24),
        folder: None,
    };
    let database = Database::open(&folder.path().join("scrum.db")).unwrap();
    let runs = ["cache", "bundles", "reviews"].map(|name| folder.path().join(name));
    let runs = Store::new(folder.path(), runs.each_ref().map(PathBuf::as_path));
    let place = Workplace {
        program: "false".into(),
        folder: folder.path().join("jobs"),
        repository: None,
        config: None,
        secrets: Vec::new(),
    };
    let node = crate::clock::uuid();
    let offered = Offered { repositories: Vec::new(), withheld: Withheld::default(), posts_status: false };
    let workshop = Workshop::open(place, offered, runs, &node).unwrap();
    Queue::new(Jobs::new(database), settings, Numbers::new(), (node, false), workshop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_at_once_than_may_be() {
    let mut scene = Scene::new(3);
    for number in 0..40 {
        scene.bring(number, Duration::from_millis(u64::from(number % 4)), 60).await;
    }
    let most = Arc::new(AtomicUsize::new(0));
    let looking = tokio::spawn({
        let (queue, most) = (Arc::clone(&scene.queue), Arc::clone(&most));
        async move {
            let mut notes = queue.jobs.notes();
            while notes.recv().await.is_ok() {
                let running = queue.jobs.counts().await.unwrap().running;
                most.fetch_max(usize::try_from(running).unwrap(), Ordering::SeqCst);
            }
        }
    });
    scene.begin(Duration::ZERO);
    for number in 0..40 {
        let id = JobId::parse(&format!("01890000-0000-7000-8000-{number:012}")).unwrap();
        scene.until(&id, State::Succeeded).await;
        assert!(scene.queue.underway.held().len() <= 3);
    }
    looking.abort();
    let most = most.load(Ordering::SeqCst);
    assert!((1..=3).contains(&most), "{most}");
    scene.end().await;
    assert_eq!(scene.queue.underway.held().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_takes_too_long() {
    let mut scene = Scene::new(10);
    scene.begin(Duration::ZERO);
    let long = scene.bring(1, Duration::from_mins(1), 1).await;
    let job = scene.until(&long, State::TimedOut).await;
    assert_eq!(job.reason.as_deref(), Some("it took longer than 1 s"));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_called_off_makes_room() {
    let mut scene = Scene::new(1);
    scene.begin(Duration::ZERO);
    let first = scene.bring(1, Duration::from_hours(10), 86_400).await;
    scene.until(&first, State::Running).await;
    let second = scene.bring(2, Duration::ZERO, 60).await;
    assert_eq!(scene.queue.cancel(None, &first).await.unwrap(), Some(State::Running));
    scene.until(&second, State::Succeeded).await;
    assert_eq!(scene.job(&first).await.state, State::Cancelled);
    assert_eq!(scene.queue.cancel(None, &first).await.unwrap(), Some(State::Cancelled));
    scene.end().await;
}

/// Through another node, whose word comes with the next renewal at the latest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_called_off_elsewhere_stops() {
    let mut scene = Scene::new(1);
    scene.begin(Duration::ZERO);
    let first = scene.bring(1, Duration::from_hours(10), 86_400).await;
    scene.until(&first, State::Running).await;
    scene.beside().cancel(None, &first).await.unwrap();
    let second = scene.bring(2, Duration::ZERO, 60).await;
    scene.until(&second, State::Succeeded).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_gives_back_what_it_has_not_done() {
    let mut scene = Scene::new(2);
    scene.begin(Duration::from_secs(2));
    let long = scene.bring(1, Duration::from_hours(10), 86_400).await;
    let short = scene.bring(2, Duration::from_secs(1), 86_400).await;
    let waits = scene.bring(3, Duration::ZERO, 60).await;
    scene.until(&long, State::Running).await;
    scene.until(&short, State::Running).await;
    scene.end().await;
    let states = [scene.job(&long).await.state, scene.job(&short).await.state, scene.job(&waits).await.state];
    assert_eq!(states, [State::Queued, State::Succeeded, State::Queued]);
    assert_eq!(scene.queue.underway.held(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_away_for_a_while_stops_nobody() {
    let mut scene = Scene::new(2);
    let path = scene.folder.path().join("scrum.db");
    scene.begin(Duration::ZERO);
    let running = scene.bring(1, Duration::from_millis(200), 60).await;
    let waits = scene.bring(2, Duration::ZERO, 60).await;
    scene.until(&waits, State::Succeeded).await;
    let foreign = Connection::open(&path).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = std::thread::spawn(move || {
        // As long as the store waits for a lock, and then some.
        std::thread::park_timeout(Duration::from_secs(6));
        foreign.execute_batch("COMMIT").unwrap();
    });
    scene.until(&running, State::Succeeded).await;
    begun.join().unwrap();
    let later = scene.bring(3, Duration::ZERO, 60).await;
    scene.until(&later, State::Succeeded).await;
    scene.end().await;
}

/// What cannot be done by the program there fails, or is tried again, and the others go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_cannot_be_done_fails_alone() {
    let mut scene = Scene::new(2);
    scene.begin(Duration::ZERO);
    let id = JobId::parse("01890000-0000-7000-8000-000000000001").unwrap();
    let mut new = new_job(id.clone(), Duration::ZERO, 60);
    new.task.kind = Kind::Review;
    new.task.repo = Some("/nowhere".to_owned());
    scene.queue.bring(new).await.unwrap();
    let other = scene.bring(2, Duration::ZERO, 60).await;
    scene.until(&other, State::Succeeded).await;
    let job = scene.until(&id, State::Failed).await;
    assert!(job.reason.is_some());
    scene.end().await;
}

/// A disk that is full takes every change that changes nothing.
#[tokio::test]
async fn a_store_that_takes_nothing_is_in_trouble_until_it_takes_something() {
    let scene = Scene::new(1);
    let foreign = Connection::open(scene.folder.path().join("scrum.db")).unwrap();
    let full = "BEGIN SELECT RAISE(ABORT, 'full'); END;";
    let fill = format!(
        "CREATE TRIGGER full_jobs BEFORE INSERT ON jobs {full} CREATE TRIGGER full_number BEFORE UPDATE ON jobs_queued {full}"
    );
    foreign.execute_batch(&fill).unwrap();
    let id = JobId::parse("01890000-0000-7000-8000-000000000001").unwrap();
    let bring = async || scene.queue.bring(new_job(id.clone(), Duration::ZERO, 60)).await;
    bring().await.unwrap_err();
    scene.queue.reap().await;
    scene.queue.try_store().await;
    assert!(scene.queue.trouble.is_of_store());
    foreign.execute_batch("DROP TRIGGER full_jobs; DROP TRIGGER full_number").unwrap();
    scene.queue.reap().await;
    assert!(scene.queue.trouble.is_of_store());
    scene.queue.try_store().await;
    assert!(!scene.queue.trouble.is_of_store());
    assert_eq!(bring().await, Ok(Enqueued::New(Vec::new())));
}
