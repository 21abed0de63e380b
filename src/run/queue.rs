//! Which task begins when a slot is free: [`Queue`]. Pure.
//!
//! Slots are shared evenly among the reviewers that still have work, so one that hangs cannot take them all.

use std::collections::VecDeque;

use super::plan::Task;

/// Tasks that wait, and how many of each reviewer are under way.
pub(super) struct Queue {
    reviewers: Vec<Seat>,
    under_way: usize,
}

#[derive(Default)]
struct Seat {
    /// Indices of tasks, in plan order.
    waiting: VecDeque<usize>,
    under_way: usize,
}

impl Queue {
    pub(super) fn new(tasks: &[Task]) -> Self {
        let seats = tasks.iter().map(|task| task.reviewer + 1).max().unwrap_or_default();
        let mut reviewers: Vec<Seat> = (0..seats).map(|_| Seat::default()).collect();
        for (index, task) in tasks.iter().enumerate() {
            reviewers[task.reviewer].waiting.push_back(index);
        }
        Self { reviewers, under_way: 0 }
    }

    /// How many tasks are under way.
    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    /// The task to begin now: of the reviewers with fewest under way, the one whose next task was planned first.
    pub(super) fn begin(&mut self) -> Option<usize> {
        let ready = self.reviewers.iter_mut().filter(|seat| !seat.waiting.is_empty());
        let seat = ready.min_by_key(|seat| (seat.under_way, seat.waiting.front().copied()))?;
        let task = seat.waiting.pop_front()?;
        seat.under_way += 1;
        self.under_way += 1;
        Some(task)
    }

    /// A task of `reviewer` is no longer under way.
    pub(super) fn end(&mut self, reviewer: usize) {
        self.reviewers[reviewer].under_way -= 1;
        self.under_way -= 1;
    }

    /// Puts a task back; it goes before its reviewer's others.
    pub(super) fn again(&mut self, task: usize, reviewer: usize) {
        self.reviewers[reviewer].waiting.push_front(task);
    }
}
