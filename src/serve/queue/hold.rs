//! Begins no job on a machine that is busy: [`watch_machine`] looks how much of its processors and memory is used, [`judge`] says
//! whether that is too much.
//!
//! Where this process may use only a part of the machine, as in a container, that part counts.
#![expect(clippy::disallowed_methods, reason = "limits of a control group are in files of the system")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Queue;
use crate::serve::metrics::queue::{Held, Usage};

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);
/// How much of what is seen of the processors counts, against all that was seen before: most of it is of the last five seconds.
const NEWS: f64 = 0.2;
/// It must be so much less than what is too much before jobs begin again.
const RELIEF: f64 = 0.1;

/// Why no job begins, and since when.
#[derive(Default)]
pub(super) struct Hold {
    reason: Mutex<Option<(Held, Instant)>>,
    /// What was seen last.
    usage: Mutex<Usage>,
}

impl Hold {
    /// Why no job begins, and since when.
    pub(super) fn reason(&self) -> Option<(Held, Instant)> {
        *self.known()
    }

    /// What is used up, and how many percent of it are used.
    pub(super) fn percent(&self) -> Option<(Held, u8)> {
        let (reason, _) = self.reason()?;
        let usage = *self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        Some((reason, percent(usage, reason)))
    }

    /// Takes what was seen. True when jobs may begin again.
    fn see(&self, usage: Usage, most: f64) -> bool {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner) = usage;
        let mut known = self.known();
        let before = *known;
        let reason = judge(before.map(|(reason, _)| reason), usage, most);
        let since = before.map_or_else(Instant::now, |(_, since)| since);
        *known = reason.map(|reason| (reason, since));
        before.is_some() && reason.is_none()
    }

    fn known(&self) -> MutexGuard<'_, Option<(Held, Instant)>> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether jobs are held where `most` of anything may be used, and before they were held for that reason or not.
fn judge(before: Option<Held>, usage: Usage, most: f64) -> Option<Held> {
    let over = |held: Held, used: f64| {
        let limit = if before.is_some() { most - RELIEF } else { most };
        (used > limit).then_some(held)
    };
    over(Held::Memory, usage.memory).or_else(|| over(Held::Cpu, usage.cpu))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share from 0 to 1 is 0 to 100 percent"
)]
fn percent(usage: Usage, of: Held) -> u8 {
    let share = match of {
        Held::Cpu => usage.cpu,
        Held::Memory => usage.memory,
    };
    (share.clamp(0.0, 1.0) * 100.0).round() as u8
}

/// Looks at the machine again and again.
pub(super) async fn watch_machine(queue: &Queue) {
    let most = f64::from(queue.settings.busy_percent) / 100.0;
    let mut machine = match Machine::new() {
        Ok(machine) => machine,
        Err(error) => {
            tracing::warn!(%error, "processors and memory are not watched");
            return;
        }
    };
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let usage = machine.usage();
        queue.numbers.used(usage);
        if queue.settings.busy_percent == 100 {
            continue;
        }
        if queue.hold.see(usage, most) {
            queue.wake.notify_one();
        }
        queue.numbers.held(queue.hold.reason().map(|(reason, _)| reason));
    }
}

/// The machine, or our part of it.
struct Machine {
    system: System,
    group: Option<Group>,
    cpu: Option<f64>,
}

/// A control group with a limit on processors.
struct Group {
    folder: PathBuf,
    /// Microseconds of processors' time, and when.
    last: Option<(u64, Instant)>,
}

impl Machine {
    fn new() -> Result<Self, sysinfo::Error> {
        let mut system = System::new()?;
        system.refresh_cpu_usage();
        Ok(Self { system, group: Group::own(), cpu: None })
    }

    fn usage(&mut self) -> Usage {
        let memory = self.memory();
        self.system.refresh_cpu_usage();
        let machine = f64::from(self.system.global_cpu_usage()) / 100.0;
        let own = self.group.as_mut().and_then(Group::used).unwrap_or_default();
        let now = machine.max(own).clamp(0.0, 1.0);
        let cpu = self.cpu.map_or(now, |before| before + (now - before) * NEWS);
        self.cpu = Some(cpu);
        Usage { cpu, memory }
    }

    #[expect(clippy::cast_precision_loss, reason = "a share needs no more")]
    fn memory(&mut self) -> f64 {
        self.system.refresh_memory();
        let share =
            |used: u64, of: u64| if of == 0 { 0.0 } else { (used as f64 / of as f64).clamp(0.0, 1.0) };
        let total = self.system.total_memory();
        let machine = share(total.saturating_sub(self.system.available_memory()), total);
        let own = Pid::from_u32(std::process::id());
        let nothing = ProcessRefreshKind::nothing();
        self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), true, nothing);
        let group = self.system.process(own).and_then(sysinfo::Process::cgroup_limits);
        // Files in memory count as ours, and go when memory is needed.
        group.map_or(machine, |group| machine.max(share(group.rss, group.total_memory)))
    }
}

impl Group {
    /// Ours, by the second version of control groups.
    fn own() -> Option<Self> {
        let told = fs::read_to_string("/proc/self/cgroup").ok()?;
        let path = told.lines().find_map(|line| line.strip_prefix("0::/"))?;
        let root = Path::new("/sys/fs/cgroup");
        // In a container its own group looks like the root.
        let folder =
            [root.join(path), root.to_owned()].into_iter().find(|it| it.join("cpu.max").is_file())?;
        Some(Self { folder, last: None })
    }

    /// Share of its time that it has used since it was last asked; `None` where it has no limit.
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more")]
    fn used(&mut self) -> Option<f64> {
        let processors = processors(&fs::read_to_string(self.folder.join("cpu.max")).ok()?)?;
        let used = spent(&fs::read_to_string(self.folder.join("cpu.stat")).ok()?)?;
        let now = Instant::now();
        let (before, at) = self.last.replace((used, now))?;
        let time = now.duration_since(at).as_micros() as f64 * processors;
        (time > 0.0).then(|| used.saturating_sub(before) as f64 / time)
    }
}

/// How many processors a group may use, as `cpu.max` says: `200000 100000`; `None` for `max`.
fn processors(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

/// Microseconds of processors' time, as `cpu.stat` says.
fn spent(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("usage_usec "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_much_is_too_much_until_there_is_some_relief() {
        let check = |before: Option<Held>, (cpu, memory): (f64, f64), expect: Option<Held>| {
            assert_eq!(judge(before, Usage { cpu, memory }, 0.8), expect, "{before:?} {cpu} {memory}");
        };
        check(None, (0.8, 0.8), None);
        check(None, (0.81, 0.2), Some(Held::Cpu));
        check(None, (0.2, 0.81), Some(Held::Memory));
        check(None, (0.9, 0.9), Some(Held::Memory));
        check(Some(Held::Cpu), (0.75, 0.2), Some(Held::Cpu));
        check(Some(Held::Cpu), (0.69, 0.2), None);
        check(Some(Held::Memory), (0.2, 0.75), Some(Held::Memory));
        check(Some(Held::Memory), (0.75, 0.2), Some(Held::Cpu));
    }

    #[tokio::test(start_paused = true)]
    async fn since_when_jobs_are_held() {
        let hold = Hold::default();
        let see = |cpu: f64| hold.see(Usage { cpu, memory: 0.0 }, 0.8);
        assert!(!see(0.5));
        assert_eq!(hold.reason(), None);
        let since = Instant::now();
        assert!(!see(0.9));
        tokio::time::advance(Duration::from_mins(1)).await;
        assert!(!see(0.9));
        assert_eq!(hold.reason(), Some((Held::Cpu, since)));
        assert_eq!(hold.percent(), Some((Held::Cpu, 90)));
        assert!(see(0.1));
        assert_eq!((hold.reason(), hold.percent()), (None, None));
    }

    #[test]
    fn what_a_control_group_says() {
        let check = |text: &str, expect: Option<f64>| assert_eq!(processors(text), expect, "{text}");
        check("max 100000\n", None);
        check("150000 100000\n", Some(1.5));
        check("0 100000", None);
        check("", None);
        assert_eq!(spent("usage_usec 1234\nuser_usec 1\n"), Some(1234));
        assert_eq!(spent("nothing"), None);
    }

    #[test]
    fn a_machine_uses_some_of_everything() {
        let mut machine = Machine::new().unwrap();
        let Usage { cpu, memory } = machine.usage();
        assert!((0.0..=1.0).contains(&cpu) && memory > 0.0 && memory <= 1.0, "{cpu} {memory}");
    }
}
