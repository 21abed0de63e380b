//! Programs that never outlive who started them: [`Group`].
//!
//! A program runs in a process group of its own, so that what it starts in turn is ended with it. What it may see, what
//! it is told and what its output means is its caller's matter. No shell is involved.

#![expect(clippy::disallowed_methods, reason = "the one place where programs are started")]

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::{ffi::OsStrExt, process::ExitStatusExt},
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use tokio::{
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    time::{MissedTickBehavior, interval, timeout},
};

/// How long output is read after the program itself has ended, in case something it started holds it open.
pub const GRACE: Duration = Duration::from_millis(500);
/// How often it is looked for those who were started with a variable: they may start others meanwhile.
const ROUNDS: usize = 10;
/// How often it is looked whether the last process of a group has gone.
const LOOK: Duration = Duration::from_millis(20);

/// A process group that does not outlive its owner: dropping it kills everybody in it.
///
/// A process that leaves the group, as a daemon does, is not ended with it.
#[derive(Debug)]
pub struct Group {
    child: Child,
    id: Option<Pid>,
}

/// Opens a file with the program that the desktop has for it, which outlives us. Fails where no such program can be started; whether it
/// shows anything is its own matter.
pub fn open(file: &Path) -> io::Result<()> {
    // A name that begins with a dash must not be read as an option.
    open::that_detached(std::path::absolute(file)?)
}

/// The ends of a program's pipes, which can be taken once.
#[derive(Debug)]
pub struct Pipes {
    /// What it reads.
    pub stdin: Option<ChildStdin>,
    /// What it prints.
    pub stdout: Option<ChildStdout>,
    /// What it complains.
    pub stderr: Option<ChildStderr>,
}

/// The command that starts `name`, a program on `PATH` or a path.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    Command::new(name)
}

impl Group {
    /// Starts `command`, its three streams at pipes.
    pub fn start(mut command: Command) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        Ok(Self { child, id })
    }

    /// Its pipes.
    pub fn pipes(&mut self) -> Pipes {
        let child = &mut self.child;
        Pipes { stdin: child.stdin.take(), stdout: child.stdout.take(), stderr: child.stderr.take() }
    }

    /// Waits for the program alone: what it left behind in its group is not waited for.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// How the program ended, if it has.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks everybody in the group to end (TERM), and ends those that have not after `grace` (KILL). Tells how the
    /// program itself ended. What they print meanwhile must be read by somebody else.
    pub async fn stop(mut self, grace: Duration) -> io::Result<ExitStatus> {
        self.signal(Signal::SIGTERM);
        if timeout(grace, self.emptied()).await.is_err() {
            self.signal(Signal::SIGKILL);
        }
        self.ended().await
    }

    /// Asks the program to end (TERM) twice, `pause` apart, and ends its group if it has not ended after as long again. What it
    /// holds back for the first, it drops for the second.
    pub async fn end_at_once(mut self, pause: Duration) {
        self.signal(Signal::SIGTERM);
        if timeout(pause, self.ended()).await.is_err() {
            self.signal(Signal::SIGTERM);
            let _ = timeout(pause, self.ended()).await;
        }
        // What is left of the group is killed with it.
    }

    /// Sends everybody in the group what Ctrl-C sends (INT).
    pub fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    /// Waits until nobody is left in the group, so that its number may be somebody else's.
    async fn emptied(&mut self) {
        // How it ended is kept and asked for again.
        let _ = self.child.wait().await;
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.id.is_some_and(|id| killpg(id, None).is_ok()) {
            looks.tick().await;
        }
        self.id = None;
    }

    fn signal(&self, signal: Signal) {
        if let Some(id) = self.id {
            // An error means that nobody is left in the group.
            let _ = killpg(id, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

/// Kills everybody who was started with the variable `name` set to `value`, in whichever group or session they are by now: what
/// they started in groups of its own outlives those who are killed themselves. Only Linux tells; elsewhere it does nothing.
pub fn kill_started_with(name: &str, value: &OsStr) {
    let variable = [name.as_bytes(), b"=", value.as_bytes()].concat();
    for _ in 0..ROUNDS {
        let found = started_with(&variable);
        if found.is_empty() {
            return;
        }
        for id in found {
            // An error means that it has gone.
            let _ = kill(id, Signal::SIGKILL);
        }
    }
}

fn started_with(variable: &[u8]) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let found = processes.filter_map(|process| {
        let id = process.file_name().to_str()?.parse().ok()?;
        let environment = fs::read(process.path().join("environ")).ok()?;
        environment.split(|byte| *byte == 0).any(|one| one == variable).then(|| Pid::from_raw(id))
    });
    found.collect()
}

/// Keeps programs of the same user from reading this process: its memory, and the variables that it was started with. Only Linux
/// knows this; elsewhere it does nothing. What is started from here can be read again, and root reads everything.
pub fn conceal() {
    #[cfg(target_os = "linux")]
    // It fails for no number but a wrong one.
    let _ = nix::sys::prctl::set_dumpable(false);
}

/// How a program ended: `exit status 2`, `killed by signal 9`.
pub fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => status.to_string(),
    }
}
