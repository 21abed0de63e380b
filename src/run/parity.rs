//! Puts the cases of a parity spec to all sides and compares what they say: [`perform`].
//!
//! Services are started first and always stopped. It never prints.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt, future::join_all, stream};
use tokio::sync::Mutex;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    gauntlet::{
        parity::{
            Access, Answer, Case, Compared, Heard, Report, Side, Silence, SilenceKind, Spec, Status, Target,
            Written, judge,
        },
        program::{How, Program},
    },
    probe::{
        Secrets,
        command::{self, Asked, CommandError, Ended},
        output::Output,
        request::{Client, Request, RequestError},
        service::{self, Running, ServiceError},
    },
};

/// Most bytes of the end of standard error that are shown.
const STDERR_SHOWN: usize = 2_000;

/// What is wanted besides the spec.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// How often each side is asked each case, 1 or more.
    pub repeat: usize,
    /// When it begins, RFC 3339 in UTC.
    pub date: String,
    /// Places of the sides whose answers are wanted too.
    pub record: Vec<usize>,
    /// What programs must not see.
    pub secrets: Secrets,
}

/// What came of a spec.
#[derive(Debug)]
pub struct Carried {
    /// The comparison.
    pub report: Report,
    /// What the sides said first whose answers are wanted, by case; in that order.
    pub answers: Vec<BTreeMap<String, Answer>>,
}

/// Asks every case of every side, until all are asked or `end` is cancelled. `progress` is told how many cases are done.
pub async fn perform(
    spec: &Arc<Spec>,
    wanted: &Wanted,
    end: &CancellationToken,
    mut progress: impl FnMut(usize),
) -> Result<Carried, ServiceError> {
    let services = start_all(spec, &wanted.secrets, end).await?;
    let asker = Arc::new(Asker::new(spec, wanted, end));
    let tasks = (0..spec.cases.len()).map(|at| {
        let asker = Arc::clone(&asker);
        async move { (at, AbortOnDropHandle::new(tokio::spawn(async move { asker.case(at).await })).await) }
    });
    let done = stream::iter(tasks).take_until(end.cancelled()).buffer_unordered(spec.concurrency.get());
    let mut done = std::pin::pin!(done);
    let mut found = BTreeMap::new();
    while let Some((at, case)) = done.next().await {
        // A task gives nothing when it was stopped on the way.
        if let Ok(Some(case)) = case {
            found.insert(at, case);
        }
        progress(found.len());
    }
    join_all(services.into_iter().map(Running::stop)).await;
    Ok(carried(spec, wanted, found.into_values().collect()))
}

/// A case with what the sides said first whose answers are wanted.
type Done = (Compared, Vec<Heard>);

fn carried(spec: &Spec, wanted: &Wanted, done: Vec<Done>) -> Carried {
    let mut answers = vec![BTreeMap::new(); wanted.record.len()];
    let mut cases = Vec::with_capacity(done.len());
    for (case, heard) in done {
        for (answers, heard) in answers.iter_mut().zip(heard) {
            if let Ok(answer) = heard {
                answers.insert(case.name.clone(), answer);
            }
        }
        cases.push(case);
    }
    let unasked = spec.cases.len() - cases.len();
    let sides = sides(spec, &wanted.secrets);
    let report = Report::new(&spec.name, wanted.date.clone(), sides, spec.rule.words(), wanted.repeat, cases);
    Carried { report: Report { unasked, ..report }, answers }
}

/// The sides as they are told of.
fn sides(spec: &Spec, secrets: &Secrets) -> Vec<Side> {
    let side = |target: &Target| Side {
        name: target.name.clone(),
        address: secrets.keys.conceal(target.access.address()),
        writes: writes(target),
    };
    spec.sides.iter().map(side).collect()
}

/// Whether files that it writes are compared.
fn writes(target: &Target) -> bool {
    matches!(&target.access, Access::Command { files, .. } if !files.is_empty())
}

/// Starts them one after the other; when one is not there, those before it are stopped.
async fn start_all(
    spec: &Spec,
    secrets: &Secrets,
    end: &CancellationToken,
) -> Result<Vec<Running>, ServiceError> {
    let mut running = Vec::new();
    for one in &spec.services {
        match service::start(one, secrets, end).await {
            Ok(service) => running.push(service),
            Err(error) => {
                join_all(running.into_iter().map(Running::stop)).await;
                return Err(error);
            }
        }
    }
    Ok(running)
}

/// Asks the sides of one spec.
struct Asker {
    spec: Arc<Spec>,
    sides: Vec<Side>,
    clients: Vec<Option<Result<Client, RequestError>>>,
    wanted: Wanted,
    end: CancellationToken,
    /// Held while a program runs whose files are read: they would be another one's.
    writing: Option<Mutex<()>>,
}

impl Asker {
    fn new(spec: &Arc<Spec>, wanted: &Wanted, end: &CancellationToken) -> Self {
        let client = |target: &Target| match &target.access {
            Access::Http { url, .. } => Some(Client::new(url)),
            Access::Command { .. } | Access::Recorded { .. } => None,
        };
        Self {
            spec: Arc::clone(spec),
            sides: sides(spec, &wanted.secrets),
            clients: spec.sides.iter().map(client).collect(),
            wanted: wanted.clone(),
            end: end.clone(),
            writing: spec.sides.iter().any(writes).then(Mutex::default),
        }
    }

    /// What came of the case at that place; `None` when it was stopped.
    async fn case(&self, at: usize) -> Option<Done> {
        let case = &self.spec.cases[at];
        let mut heard: Vec<Vec<Heard>> = vec![Vec::new(); self.sides.len()];
        for _ in 0..self.wanted.repeat.max(1) {
            let round = join_all((0..self.sides.len()).map(|side| self.ask(side, case))).await;
            heard.iter_mut().zip(round).for_each(|(heard, one)| heard.push(one));
        }
        if self.end.is_cancelled() {
            return None;
        }
        let compared = self.without_keys(judge(case, &self.sides, &self.spec.rule, &heard));
        let wanted = self.wanted.record.iter().filter_map(|side| heard[*side].first().cloned());
        Some((compared, wanted.collect()))
    }

    fn without_keys(&self, mut case: Compared) -> Compared {
        let conceal = |text: &mut String| *text = self.wanted.secrets.keys.conceal(std::mem::take(text));
        case.reason.iter_mut().chain(&mut case.shown).for_each(conceal);
        case.differences.iter_mut().chain(&mut case.remarks).for_each(|(_, one)| conceal(&mut one.example));
        case
    }

    async fn ask(&self, side: usize, case: &Case) -> Heard {
        let target = &self.spec.sides[side];
        let timeout = case.timeout.unwrap_or(target.timeout);
        match &target.access {
            Access::Http { url, headers } => {
                let client = match &self.clients[side] {
                    Some(Ok(client)) => client,
                    Some(Err(error)) => return Err(silence(error)),
                    None => return Err(not_asked()),
                };
                let headers: Vec<_> = case.headers.iter().chain(headers).cloned().collect();
                let url = format!("{url}{}", case.path);
                let body = case.body.as_deref();
                let request = Request { method: &case.method, url: &url, headers: &headers, body, timeout };
                let answered = tokio::select! {
                    biased;
                    () = self.end.cancelled() => return Err(interrupted()),
                    answered = client.send(&request) => answered.map_err(|error| silence(&error))?,
                };
                Ok(Answer {
                    status: Status::Http(answered.status),
                    headers: answered.headers,
                    body: answered.body,
                    files: Vec::new(),
                    stderr: String::new(),
                })
            }
            Access::Command { program, files } => self.run(program, files, case, timeout).await,
            Access::Recorded { answers, .. } => answers.get(&case.name).cloned().ok_or_else(not_recorded),
        }
    }

    async fn run(
        &self,
        program: &Program,
        files: &[String],
        case: &Case,
        timeout: std::time::Duration,
    ) -> Heard {
        let _alone = match &self.writing {
            Some(writing) => Some(writing.lock().await),
            None => None,
        };
        let asked = Asked { program, stdin: case.body.as_deref().unwrap_or_default(), timeout, files };
        let ended = command::run(&asked, &self.wanted.secrets, &self.end).await;
        answered(&ended.map_err(|error| unstarted(&error))?, timeout)
    }
}

fn answered(ended: &Ended, timeout: std::time::Duration) -> Heard {
    let said = |kind, words: String| Err(Silence { kind, words });
    let status = match ended.how {
        How::Exited(code) => Status::Exit(code),
        How::Killed(signal) => Status::Signal(signal),
        How::TimedOut => {
            return said(SilenceKind::TimedOut, format!("ended after {} s", timeout.as_secs_f64()));
        }
        How::Interrupted => return Err(interrupted()),
    };
    let flood = |what: &str| said(SilenceKind::Flood, format!("{what} is longer than what is read"));
    let Some(stdout) = ended.stdout.whole().map(<[u8]>::to_vec) else { return flood("standard output") };
    let mut files = Vec::new();
    for (name, content) in &ended.files {
        let Some(content) = content.whole().map(<[u8]>::to_vec) else {
            return flood(&format!("file {name}"));
        };
        files.push(Written { name: name.clone(), content });
    }
    Ok(Answer { status, headers: Vec::new(), body: stdout, files, stderr: last_words(&ended.stderr) })
}

fn last_words(stderr: &Output) -> String {
    let text = stderr.text();
    let text = text.trim_end();
    text[text.ceil_char_boundary(text.len().saturating_sub(STDERR_SHOWN))..].to_owned()
}

fn silence(error: &RequestError) -> Silence {
    let kind = match error {
        RequestError::Unreachable { .. } => SilenceKind::Down,
        RequestError::TimedOut { .. } => SilenceKind::TimedOut,
        RequestError::Flood { .. } => SilenceKind::Flood,
        RequestError::Broken { .. } => SilenceKind::Broken,
        RequestError::Unusable(_) | RequestError::Compressed { .. } => SilenceKind::Unreadable,
    };
    Silence { kind, words: error.to_string() }
}

fn unstarted(error: &CommandError) -> Silence {
    let kind = match error {
        CommandError::Empty
        | CommandError::NoFolder { .. }
        | CommandError::NotFound { .. }
        | CommandError::NotExecutable { .. }
        | CommandError::NotStarted { .. } => SilenceKind::Down,
        CommandError::Lost { .. } | CommandError::Files { .. } => SilenceKind::Broken,
    };
    Silence { kind, words: error.to_string() }
}

fn interrupted() -> Silence {
    Silence { kind: SilenceKind::Broken, words: "interrupted".to_owned() }
}

fn not_recorded() -> Silence {
    Silence { kind: SilenceKind::NotRecorded, words: "there is no recorded answer".to_owned() }
}

fn not_asked() -> Silence {
    Silence { kind: SilenceKind::Down, words: "there is no way to ask it".to_owned() }
}
