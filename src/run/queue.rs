//! Which task begins when a slot is free: [`Queue`]. Pure.
//!
//! Everybody who may be asked has a line of tasks. Slots are shared evenly among the lines that still have work, so a reviewer
//! that hangs cannot take them all. One that is overloaded gets fewer at a time, so that its tasks wait instead of using up their
//! attempts. Whether a provider takes anything now is decided elsewhere; a line that must wait is held.

use std::collections::VecDeque;

/// Tasks that wait, and how many of each line are under way.
pub(super) struct Queue {
    lines: Vec<Line>,
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
    /// Not to be looked at for now.
    held: bool,
}

impl Line {
    fn new() -> Self {
        Self { waiting: VecDeque::new(), under_way: 0, bears: usize::MAX, answers: 0, held: false }
    }

    fn is_ready(&self) -> bool {
        !self.held && !self.waiting.is_empty() && self.under_way < self.bears
    }
}

impl Queue {
    /// So many lines; task `i` of the plan stands in line `line_of[i]`.
    pub(super) fn new(lines: usize, line_of: impl IntoIterator<Item = usize>) -> Self {
        let mut lines: Vec<Line> = (0..lines).map(|_| Line::new()).collect();
        for (task, line) in line_of.into_iter().enumerate() {
            lines[line].waiting.push_back(task);
        }
        Self { lines, under_way: 0 }
    }

    /// How many tasks are under way.
    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    /// The task that is next, and its line: of the lines with fewest under way, the one whose next task was planned first.
    pub(super) fn next(&self) -> Option<(usize, usize)> {
        let ready = self.lines.iter().enumerate().filter(|(_, line)| line.is_ready());
        let (at, line) = ready.min_by_key(|(_, line)| (line.under_way, line.waiting.front().copied()))?;
        Some((at, *line.waiting.front()?))
    }

    /// The next task of `line` is under way.
    pub(super) fn begin(&mut self, line: usize) {
        self.withdraw(line);
        self.lines[line].under_way += 1;
        self.under_way += 1;
    }

    /// Takes the next task of `line` out.
    pub(super) fn withdraw(&mut self, line: usize) {
        self.lines[line].waiting.pop_front();
    }

    /// Passes over `line` until all are [released](Self::release).
    pub(super) fn hold(&mut self, line: usize) {
        self.lines[line].held = true;
    }

    /// Looks at all lines again.
    pub(super) fn release(&mut self) {
        self.lines.iter_mut().for_each(|line| line.held = false);
    }

    /// Lets nobody wait in `line` any more.
    pub(super) fn clear(&mut self, line: usize) {
        self.lines[line].waiting.clear();
    }

    /// A task of `line` is no longer under way.
    pub(super) fn end(&mut self, line: usize) {
        self.lines[line].under_way -= 1;
        self.under_way -= 1;
    }

    /// The reviewer of `line` answered. When it has done so as often as it bears tasks, it may bear one more.
    pub(super) fn relax(&mut self, line: usize) {
        let line = &mut self.lines[line];
        line.answers += 1;
        if line.answers >= line.bears {
            (line.bears, line.answers) = (line.bears.saturating_add(1), 0);
        }
    }

    /// The reviewer of `line` turned a task away, or broke down over it: it bears no more than it still has under way, though
    /// always one.
    pub(super) fn tighten(&mut self, line: usize) {
        let line = &mut self.lines[line];
        (line.bears, line.answers) = (line.under_way.max(1), 0);
    }

    /// Puts a task into `line`, before its others.
    pub(super) fn again(&mut self, task: usize, line: usize) {
        self.lines[line].waiting.push_front(task);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::run::plan::Task;

    /// Tasks of two reviewers, bundle by bundle.
    fn queue(bundles: usize) -> (Vec<Task>, Queue) {
        let pairs = (0..bundles).flat_map(|bundle| (0..2).map(move |reviewer| Task { bundle, reviewer }));
        let tasks: Vec<Task> = pairs.collect();
        let queue = Queue::new(2, tasks.iter().map(|task| task.reviewer));
        (tasks, queue)
    }

    fn begin(queue: &mut Queue) -> Option<usize> {
        let (line, task) = queue.next()?;
        queue.begin(line);
        Some(task)
    }

    #[test]
    fn in_plan_order_while_all_go_on() {
        let (_, mut queue) = queue(2);
        let begun: Vec<_> = std::iter::from_fn(|| begin(&mut queue)).collect();
        assert_eq!((begun, queue.under_way()), (vec![0, 1, 2, 3], 4));
    }

    #[test]
    fn who_hangs_gets_no_more_slots() {
        let (_, mut queue) = queue(4);
        assert_eq!((begin(&mut queue), begin(&mut queue)), (Some(0), Some(1)));
        // Reviewer 0 hangs; reviewer 1 gets every slot it gives back.
        for expect in [3, 5, 7] {
            queue.end(1);
            assert_eq!(begin(&mut queue), Some(expect));
        }
        queue.end(1);
        assert_eq!(begin(&mut queue), Some(2));
    }

    #[test]
    fn a_line_that_is_held_costs_no_other_its_turn() {
        let (_, mut queue) = queue(2);
        queue.hold(0);
        assert_eq!((begin(&mut queue), begin(&mut queue), begin(&mut queue)), (Some(1), Some(3), None));
        queue.release();
        queue.withdraw(0);
        assert_eq!((begin(&mut queue), begin(&mut queue)), (Some(2), None));
    }

    #[test]
    fn another_attempt_comes_before_the_rest() {
        let (_, mut queue) = queue(3);
        assert_eq!(begin(&mut queue), Some(0));
        queue.end(0);
        queue.again(0, 0);
        assert_eq!((begin(&mut queue), begin(&mut queue), begin(&mut queue)), (Some(0), Some(1), Some(2)));
    }

    #[test]
    fn who_is_overloaded_gets_less_until_it_answers() {
        let mut queue = Queue::new(1, [0; 9]);
        let begin_all = |queue: &mut Queue| std::iter::from_fn(|| begin(queue)).take(3).count();
        assert_eq!(begin_all(&mut queue), 3);
        queue.end(0);
        queue.tighten(0);
        assert_eq!(begin(&mut queue), None);
        for more in [1, 2] {
            queue.end(0);
            queue.relax(0);
            assert_eq!(begin_all(&mut queue), more);
        }
        assert_eq!(queue.under_way(), 3);
        (0..3).for_each(|_| queue.end(0));
        queue.tighten(0);
        assert_eq!((begin(&mut queue).is_some(), begin(&mut queue)), (true, None));
    }

    proptest! {
        /// Whatever ends in which order, each task begins once and the fair share is kept.
        #[test]
        fn every_task_begins_once(bundles in 0_usize..12, slots in 1_usize..9, choices in proptest::collection::vec(any::<usize>(), 40)) {
            let (tasks, mut queue) = queue(bundles);
            let (mut under_way, mut begun) = (Vec::new(), Vec::new());
            let mut choices = choices.into_iter().cycle();
            loop {
                while queue.under_way() < slots && let Some(task) = begin(&mut queue) {
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
