//! A run as a board on a terminal: a line a task under way, and one with what is left.
//!
//! [`Board`] says what the lines are; [`Screen`] keeps them at the bottom of the terminal and takes them away at
//! the end. Both leave the cursor and the terminal's modes alone, so there is nothing to restore when the program
//! is ended.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use unicode_width::UnicodeWidthChar;

use super::plain::{Lines, name_of, seconds};
use crate::{
    coverage::State,
    report::foreign,
    run::event::{Arrived, RunEvent, TaskName},
};

/// What is known of a run while it goes on.
#[derive(Debug, Default)]
pub struct Board {
    tasks: Vec<TaskName>,
    under_way: BTreeMap<usize, UnderWay>,
    /// Why the tasks wait that must.
    held: BTreeMap<usize, String>,
    ended: usize,
    answered: usize,
}

#[derive(Debug, Default)]
struct UnderWay {
    attempt: u32,
    tokens: u64,
    elapsed: Duration,
}

impl UnderWay {
    fn line(&self, task: &TaskName) -> String {
        let again = if self.attempt > 1 { format!(" · attempt {}", self.attempt) } else { String::new() };
        let come = match self.tokens {
            0 => "waiting".to_owned(),
            tokens => format!("{tokens} tokens"),
        };
        foreign::one_line(&format!("{} · {come} · {}{again}", name_of(task), seconds(self.elapsed)))
    }
}

impl Board {
    /// Takes an event in.
    pub fn take(&mut self, event: &RunEvent) {
        match event {
            RunEvent::RunStarted { tasks } => self.tasks.clone_from(tasks),
            RunEvent::Asked { task, attempt } => {
                self.held.remove(task);
                self.under_way.insert(*task, UnderWay { attempt: *attempt, ..UnderWay::default() });
            }
            RunEvent::Tokens { under_way } => under_way.iter().for_each(|arrived| self.arrived(*arrived)),
            RunEvent::Retrying { task, .. } => {
                self.under_way.remove(task);
            }
            RunEvent::Waiting { task, reason, .. } => {
                self.held.insert(*task, reason.clone());
            }
            RunEvent::FellBack { task, .. } => {
                self.under_way.remove(task);
                self.held.remove(task);
            }
            RunEvent::CutShort { .. } => {}
            RunEvent::Finished { task, outcome } => {
                self.under_way.remove(task);
                self.held.remove(task);
                self.ended += 1;
                self.answered += usize::from(outcome.state == State::Answered);
            }
            RunEvent::RunFinished { .. } => {
                self.under_way.clear();
                self.held.clear();
            }
        }
    }

    fn arrived(&mut self, Arrived { task, tokens, elapsed }: Arrived) {
        if let Some(under_way) = self.under_way.get_mut(&task) {
            (under_way.tokens, under_way.elapsed) = (tokens, elapsed);
        }
    }

    /// At most `height` lines: the tasks that take longest, and last what is left.
    pub fn lines(&self, height: usize) -> Vec<String> {
        let mut longest: Vec<_> = self.under_way.iter().collect();
        longest.sort_by_key(|(task, under_way)| (std::cmp::Reverse(under_way.elapsed), **task));
        let held: Vec<String> = self.held_lines().take(height.saturating_sub(1) / 2).collect();
        longest.truncate(height.saturating_sub(1 + held.len()));
        // A line keeps its place as long as it is shown.
        longest.sort_by_key(|(task, _)| **task);
        let line = |(task, under_way): (&usize, &UnderWay)| Some(under_way.line(self.tasks.get(*task)?));
        longest.into_iter().filter_map(line).chain(held).chain([self.summary()]).collect()
    }

    /// Why others wait, each reason once: `waiting · 60 requests a minute are allowed at api.example.com`.
    fn held_lines(&self) -> impl Iterator<Item = String> {
        let reasons: BTreeSet<&String> = self.held.values().collect();
        reasons.into_iter().map(|reason| format!("waiting · {}", foreign::one_line(reason)))
    }

    fn summary(&self) -> String {
        let mut words = format!("{} of {} answered", self.answered, self.tasks.len());
        for (count, what) in
            [(self.under_way.len(), "under way"), (self.ended - self.answered, "not answered")]
        {
            if count > 0 {
                words = format!("{words} · {count} {what}");
            }
        }
        words
    }
}

/// The bottom of the terminal on stderr.
#[derive(Debug)]
pub struct Screen {
    board: Board,
    log: Lines,
    area: ProgressBar,
}

impl Default for Screen {
    fn default() -> Self {
        // A bar without a bar: its message is the board, drawn in one go.
        let text_only =
            ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        let area = ProgressBar::no_length().with_style(text_only);
        Self { board: Board::default(), log: Lines::default(), area }
    }
}

impl Screen {
    /// Shows what `event` changes. Attempts that failed scroll away above the board, answers do not.
    pub fn show(&mut self, event: &RunEvent) {
        self.board.take(event);
        let is_answer =
            matches!(event, RunEvent::Finished { outcome, .. } if outcome.state == State::Answered);
        if let Some(line) = self.log.line(event).filter(|_| !is_answer) {
            self.area.println(line);
        }
        if matches!(event, RunEvent::Tokens { .. }) {
            self.draw();
        }
    }

    /// Takes the board away.
    pub fn clear(&mut self) {
        self.area.finish_and_clear();
    }

    fn draw(&mut self) {
        let (columns, rows) = size();
        let lines = self.board.lines(rows.saturating_sub(2));
        let lines: Vec<&str> = lines.iter().map(|line| fitting(line, columns)).collect();
        self.area.set_message(lines.join("\n"));
    }
}

/// Columns and rows of the terminal.
fn size() -> (usize, usize) {
    terminal_size::terminal_size_of(std::io::stderr())
        .map_or((80, 24), |(width, height)| (usize::from(width.0), usize::from(height.0)))
}

/// As much of `line` as fits into a line of the terminal.
pub(super) fn fitted(line: &str) -> String {
    fitting(line, size().0).to_owned()
}

/// As much of `line` as fits into `columns`.
fn fitting(line: &str, columns: usize) -> &str {
    let mut used = 0;
    let too_wide = line.char_indices().find(|(_, c)| {
        used += c.width().unwrap_or(0);
        used > columns
    });
    too_wide.map_or(line, |(at, _)| &line[..at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{coverage::Outcome, reviewer::ReviewerId};

    fn name(bundle: &str, reviewer: &str) -> TaskName {
        TaskName { bundle: bundle.to_owned(), reviewer: ReviewerId::new(reviewer).unwrap() }
    }

    fn finished(task: usize, state: State) -> RunEvent {
        let outcome = Outcome {
            bundle: "c1_validatord".to_owned(),
            reviewer: ReviewerId::new("opus").unwrap(),
            state,
            reason: None,
            attempts: 1,
            cached: false,
            latency_ms: 4_200,
            tokens_in: None,
            tokens_out: Some(310),
            cost_usd: None,
            guessed: None,
            answered_by: None,
            timing: None,
        };
        RunEvent::Finished { task, outcome: Box::new(outcome) }
    }

    fn board() -> Board {
        let mut board = Board::default();
        let arrived = |task, tokens, secs| Arrived { task, tokens, elapsed: Duration::from_secs(secs) };
        let tasks = vec![
            name("c1_validatord", "opus"),
            name("c1_validatord", "kimi"),
            name("c2_web", "opus"),
            name("c2_web", "kimi"),
            name("c3_docs", "opus"),
        ];
        board.take(&RunEvent::RunStarted { tasks });
        for task in 0..4 {
            board.take(&RunEvent::Asked { task, attempt: 1 });
        }
        board.take(&finished(0, State::Answered));
        board.take(&finished(1, State::Failed));
        board.take(&RunEvent::Retrying {
            task: 2,
            reason: "HTTP 503".to_owned(),
            delay: Duration::from_secs(1),
        });
        board.take(&RunEvent::Asked { task: 2, attempt: 2 });
        board.take(&RunEvent::Tokens {
            under_way: vec![arrived(2, 0, 5), arrived(3, 40, 75), arrived(9, 1, 1)],
        });
        board
    }

    #[test]
    fn the_board_shows_what_takes_longest_and_what_is_left() {
        insta::assert_snapshot!(board().lines(10).join("\n"), @"
        c2 web · opus · waiting · 5.0 s · attempt 2
        c2 web · kimi · 40 tokens · 1 min 15 s
        1 of 5 answered · 2 under way · 1 not answered
        ");
    }

    #[test]
    fn the_board_says_why_others_wait() {
        let mut board = board();
        let reason = "60 requests a minute are allowed at api.example.com".to_owned();
        let delay = Some(Duration::from_secs(1));
        board.take(&RunEvent::Waiting { task: 4, reason, delay });
        let stand_in = ReviewerId::new("kimi-2").unwrap();
        board.take(&RunEvent::FellBack { task: 3, stand_in, reason: "HTTP 503".to_owned() });
        insta::assert_snapshot!(board.lines(10).join("\n"), @"
        c2 web · opus · waiting · 5.0 s · attempt 2
        waiting · 60 requests a minute are allowed at api.example.com
        1 of 5 answered · 1 under way · 1 not answered
        ");
        board.take(&RunEvent::Asked { task: 4, attempt: 1 });
        assert_eq!(board.lines(10).iter().filter(|line| line.starts_with("waiting")).count(), 0);
    }

    #[test]
    fn a_low_terminal_gets_few_lines() {
        let check = |height: usize, expect: usize| assert_eq!(board().lines(height).len(), expect);
        check(2, 2);
        check(1, 1);
        check(0, 1);
    }

    #[test]
    fn lines_are_cut_to_the_width() {
        let check = |line: &str, columns: usize, expect: &str| assert_eq!(fitting(line, columns), expect);
        check("abc", 3, "abc");
        check("abc", 2, "ab");
        check("日本", 3, "日");
        check("é", 0, "");
    }
}
