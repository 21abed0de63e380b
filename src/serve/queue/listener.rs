//! Hears what a job's process says: [`Listener`] makes of its lines what is stored, counted and answered at the end.
//!
//! What is read is bounded in every way, for a process may say anything.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Deserialize;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    sync::mpsc,
};

use super::{naming::Naming, recorder::News, watch::Watch};
use crate::{
    report::foreign,
    serve::metrics::queue::{Numbers, Step},
};

/// Most bytes of a line; the rest of it is not read.
const LONGEST: usize = 16 << 10;
/// Most events of an attempt that are stored.
pub(super) const MOST: usize = 2_000;
/// Lines of text that are remembered.
const TAIL: usize = 10;
/// Most characters of each.
const WIDTH: usize = 500;

/// What was heard so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The run that its files are of.
    pub(super) run: Option<String>,
    /// Why it failed, in its words.
    error: Option<String>,
    tail: VecDeque<String>,
    told: usize,
    pub(super) tokens_in: u64,
    pub(super) tokens_out: u64,
    pub(super) cost_usd: f64,
}

impl Heard {
    /// Its own words for why it failed.
    pub(super) fn complaint(&self) -> Option<String> {
        let tail = || self.tail.iter().cloned().collect::<Vec<_>>().join("\n");
        self.error.clone().or_else(|| Some(tail())).filter(|text| !text.is_empty())
    }
}

/// What one line tells us. What else is in it goes on as it is.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line {
    Tokens,
    Run {
        run: String,
    },
    Error {
        text: String,
    },
    Step {
        step: String,
        ms: u64,
    },
    Finished {
        tokens_in: Option<u64>,
        tokens_out: Option<u64>,
        cost_usd: Option<f64>,
    },
    #[serde(other)]
    Other,
}

/// An ear at a process.
pub(super) struct Listener {
    pub(super) watch: Watch,
    numbers: Arc<Numbers>,
    naming: Naming,
    heard: Mutex<Heard>,
    /// Has room for all that is told.
    news: mpsc::Sender<News>,
}

impl Listener {
    /// Counts with `numbers`, and tells of files by `naming`. What is to be stored comes out of the other end, which is over when the listener is dropped.
    pub(super) fn new(numbers: Arc<Numbers>, naming: Naming) -> (Self, mpsc::Receiver<News>) {
        // Each event may come with files, and one says that there were more.
        let (news, told) = mpsc::channel(2 * MOST + 2);
        (Self { watch: Watch::new(), numbers, naming, heard: Mutex::default(), news }, told)
    }

    /// What was heard so far.
    pub(super) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells something of our own.
    pub(super) fn tell(&self, event: String) {
        let mut heard = self.heard();
        heard.told += 1;
        let event = match heard.told {
            1..=MOST => event,
            told if told == MOST + 1 => {
                json!({ "event": "note", "text": format!("what comes after {MOST} events is not kept") })
                    .to_string()
            }
            _ => return,
        };
        // There is room by construction.
        let _ = self.news.try_send(News::Event(event));
    }

    /// Reads lines until there are no more.
    pub(super) async fn lines(&self, from: impl AsyncRead + Unpin) -> io::Result<()> {
        let mut from = BufReader::new(from);
        loop {
            let mut line = Vec::new();
            let length = (&mut from).take(LONGEST as u64).read_until(b'\n', &mut line).await?;
            if length == 0 {
                return Ok(());
            }
            if length == LONGEST && line.last() != Some(&b'\n') {
                skip_line(&mut from).await?;
            }
            self.line(String::from_utf8_lossy(&line).trim());
        }
    }

    /// Reads, and takes it for a sign of life.
    pub(super) async fn drain(&self, mut from: impl AsyncRead + Unpin) -> io::Result<()> {
        let mut some = vec![0; 8 << 10];
        while from.read(&mut some).await? > 0 {
            self.watch.see();
        }
        Ok(())
    }

    fn line(&self, text: &str) {
        self.watch.see();
        if text.is_empty() {
            return;
        }
        let text = &*self.naming.told(text);
        let Ok(line) = serde_json::from_str::<Line>(text) else {
            let mut heard = self.heard();
            if heard.tail.len() == TAIL {
                heard.tail.pop_front();
            }
            heard.tail.push_back(foreign::one_line(text).chars().take(WIDTH).collect());
            return;
        };
        let has_files = matches!(line, Line::Run { .. } | Line::Finished { .. });
        match line {
            // Too many to be worth storing.
            Line::Tokens => return,
            Line::Run { run } => self.heard().run = Some(run),
            Line::Error { text } => self.heard().error = Some(text),
            Line::Step { step, ms } => {
                if let Some(step) = Step::of(&step) {
                    self.numbers.step(step, Duration::from_millis(ms));
                }
            }
            Line::Finished { tokens_in, tokens_out, cost_usd } => self.spent(tokens_in, tokens_out, cost_usd),
            Line::Other => {}
        }
        self.tell(text.to_owned());
        if has_files {
            let _ = self.news.try_send(News::Files);
        }
    }

    fn spent(&self, tokens_in: Option<u64>, tokens_out: Option<u64>, cost_usd: Option<f64>) {
        let (tokens_in, tokens_out) = (tokens_in.unwrap_or_default(), tokens_out.unwrap_or_default());
        let cost_usd = cost_usd.unwrap_or_default();
        self.numbers.spent(tokens_in, tokens_out, cost_usd);
        let mut heard = self.heard();
        heard.tokens_in = heard.tokens_in.saturating_add(tokens_in);
        heard.tokens_out = heard.tokens_out.saturating_add(tokens_out);
        heard.cost_usd += cost_usd;
    }
}

async fn skip_line(from: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<()> {
    loop {
        let some = from.fill_buf().await?;
        let (used, is_over) = match memchr::memchr(b'\n', some) {
            Some(at) => (at + 1, true),
            None => (some.len(), some.is_empty()),
        };
        from.consume(used);
        if is_over {
            return Ok(());
        }
    }
}
