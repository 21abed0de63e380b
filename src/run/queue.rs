//! Which task begins when a slot is free: [`Queue`]. Pure.
//!
//! Slots are shared evenly among the reviewers that still have work, so one that hangs cannot take them all. A
//! reviewer that is overloaded gets fewer at a time, so that its tasks wait instead of using up their attempts.

use std::collections::VecDeque;

use super::plan::Task;

/// Tasks that wait, and how many of each reviewer are under way.
pub(super) struct Queue {
    reviewers: Vec<Line>,
    under_way: usize,
}

struct Line {
    /// Indices of tasks, in plan order.
    waiting: VecDeque<usize>,
    under_way: usize,
    /// Most tasks under way that it has been found to bear.
    bears: usize,
    /// Answers since `bears` changed.
    answers: usize,
}

impl Line {
    fn new() -> Self {
        Self { waiting: VecDeque::new(), under_way: 0, bears: usize::MAX, answers: 0 }
    }

    fn is_ready(&self) -> bool {
        !self.waiting.is_empty() && self.under_way < self.bears
    }
}

impl Queue {
    pub(super) fn new(tasks: &[Task]) -> Self {
        let lines = tasks.iter().map(|task| task.reviewer + 1).max().unwrap_or_default();
        let mut reviewers: Vec<Line> = (0..lines).map(|_| Line::new()).collect();
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
        let ready = self.reviewers.iter_mut().filter(|line| line.is_ready());
        let line = ready.min_by_key(|line| (line.under_way, line.waiting.front().copied()))?;
        let task = line.waiting.pop_front()?;
        line.under_way += 1;
        self.under_way += 1;
        Some(task)
    }

    /// A task of `reviewer` is no longer under way.
    pub(super) fn end(&mut self, reviewer: usize) {
        self.reviewers[reviewer].under_way -= 1;
        self.under_way -= 1;
    }

    /// `reviewer` answered. When it has done so as often as it bears tasks, it may bear one more.
    pub(super) fn relax(&mut self, reviewer: usize) {
        let line = &mut self.reviewers[reviewer];
        line.answers += 1;
        if line.answers >= line.bears {
            (line.bears, line.answers) = (line.bears.saturating_add(1), 0);
        }
    }

    /// `reviewer` turned a task away, or broke down over it: it bears no more than it still has under way, though
    /// always one.
    pub(super) fn tighten(&mut self, reviewer: usize) {
        let line = &mut self.reviewers[reviewer];
        (line.bears, line.answers) = (line.under_way.max(1), 0);
    }

    /// Puts a task back; it goes before its reviewer's others.
    pub(super) fn again(&mut self, task: usize, reviewer: usize) {
        self.reviewers[reviewer].waiting.push_front(task);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tasks of two reviewers, bundle by bundle.
    fn queue(bundles: usize) -> (Vec<Task>, Queue) {
        let pairs = (0..bundles).flat_map(|bundle| (0..2).map(move |reviewer| Task { bundle, reviewer }));
        let tasks: Vec<Task> = pairs.collect();
        let queue = Queue::new(&tasks);
        (tasks, queue)
    }

    #[test]
    fn in_plan_order_while_all_go_on() {
        let (_, mut queue) = queue(2);
        let begun: Vec<_> = std::iter::from_fn(|| queue.begin()).collect();
        assert_eq!((begun, queue.under_way()), (vec![0, 1, 2, 3], 4));
    }

    #[test]
    fn who_hangs_gets_no_more_slots() {
        let (_, mut queue) = queue(4);
        assert_eq!((queue.begin(), queue.begin()), (Some(0), Some(1)));
        // Reviewer 0 hangs; reviewer 1 gets every slot it gives back.
        for expect in [3, 5, 7] {
            queue.end(1);
            assert_eq!(queue.begin(), Some(expect));
        }
        queue.end(1);
        assert_eq!(queue.begin(), Some(2));
    }

    #[test]
    fn another_attempt_comes_before_the_rest() {
        let (_, mut queue) = queue(3);
        assert_eq!(queue.begin(), Some(0));
        queue.end(0);
        queue.again(0, 0);
        assert_eq!((queue.begin(), queue.begin(), queue.begin()), (Some(0), Some(1), Some(2)));
    }

    #[test]
    fn who_is_overloaded_gets_less_until_it_answers() {
        let mut queue = Queue::new(&[Task { bundle: 0, reviewer: 0 }; 9]);
        let begin_all = |queue: &mut Queue| std::iter::from_fn(|| queue.begin()).take(3).count();
        assert_eq!(begin_all(&mut queue), 3);
        queue.end(0);
        queue.tighten(0);
        assert_eq!(queue.begin(), None);
        for more in [1, 2] {
            queue.end(0);
            queue.relax(0);
            assert_eq!(begin_all(&mut queue), more);
        }
        assert_eq!(queue.under_way(), 3);
        (0..3).for_each(|_| queue.end(0));
        queue.tighten(0);
        assert_eq!((queue.begin().is_some(), queue.begin()), (true, None));
    }

    proptest! {
        /// Whatever ends in which order, each task begins once and the fair share is kept.
        #[test]
        fn every_task_begins_once(bundles in 0_usize..12, slots in 1_usize..9, choices in proptest::collection::vec(any::<usize>(), 40)) {
            let (tasks, mut queue) = queue(bundles);
            let (mut under_way, mut begun) = (Vec::new(), Vec::new());
            let mut choices = choices.into_iter().cycle();
            loop {
                while queue.under_way() < slots && let Some(task) = queue.begin() {
                    under_way.push(task);
                    begun.push(task);
                }
                if under_way.is_empty() {
                    break;
                }
                let ended = under_way.swap_remove(choices.next().unwrap_or_default() % under_way.len());
                queue.end(tasks[ended].reviewer);
            }
            begun.sort_unstable();
            prop_assert_eq!(begun, (0..tasks.len()).collect::<Vec<_>>());
        }
    }
}
