//! A program as a reviewer: prompt on stdin, reply on stdout.
//!
//! [`Program`] starts it in a process group of its own and never leaves one behind. No shell is involved. How
//! long it may take is `run`'s decision: dropping the attempt kills the whole group.

#![expect(clippy::disallowed_methods, reason = "the one place where programs are started")]

use std::{
    collections::{BTreeMap, VecDeque},
    ffi::OsString,
    io,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop, ProcessGroup};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{ChildStderr, ChildStdin, ChildStdout, Command},
};

use super::{Answer, AskError, Draft, one_line};
use crate::prompt::Prompt;

/// Longest reply taken from a program, in bytes. A program that writes more is stopped.
const LONGEST_REPLY: usize = 4 << 20;
/// How much of the end of stderr is looked at, in bytes.
const LONGEST_TAIL: usize = 4_096;
/// How much of stderr's end stands in an error, in bytes.
const LONGEST_WORDS: usize = 500;
/// How long output is read after the program itself has ended, in case something it started holds stdout open.
const GRACE: Duration = Duration::from_millis(500);

/// A program that reads a prompt and writes a review.
#[derive(Debug, Clone)]
pub struct Program {
    name: String,
    arguments: Vec<String>,
    env: BTreeMap<String, String>,
}

impl Program {
    /// The program `argv[0]`; `None` when there is none.
    pub(super) fn new(argv: &[String], env: &BTreeMap<String, String>) -> Option<Self> {
        let (name, arguments) = argv.split_first().filter(|(name, _)| !name.is_empty())?;
        Some(Self { name: name.clone(), arguments: arguments.to_vec(), env: env.clone() })
    }

    pub(super) async fn ask(&self, prompt: &Prompt, draft: &Draft) -> Result<Answer, AskError> {
        let mut command = Command::new(&self.name);
        command.args(&self.arguments);
        let mut group = Group(self.start(command)?);
        let mut tail = Tail::default();
        let ended = converse(&mut *group.0, prompt.joined(), draft, &mut tail, LONGEST_REPLY).await;
        drop(group);
        match ended {
            Ok(status) if status.success() => Ok(Answer { text: draft.take_text(), ..Answer::default() }),
            Ok(status) => Err(self.broken(&ending(status, &tail.last_words()))),
            Err(trouble) => Err(self.failed(&trouble.words(LONGEST_REPLY))),
        }
        .map_err(|error| error.after(draft.take_text()))
    }

    /// Runs the program with `arguments` in place of its own, in `folder` and with nothing on stdin, and gives what it
    /// left, whatever its exit status. More than `most` bytes on stdout are an error.
    pub(super) async fn run(
        &self,
        arguments: &[OsString],
        folder: &Path,
        most: usize,
    ) -> Result<Ended, AskError> {
        let mut command = Command::new(&self.name);
        command.args(arguments).current_dir(folder);
        let mut group = Group(self.start(command)?);
        let (draft, mut tail) = (Draft::new(), Tail::default());
        let ended = converse(&mut *group.0, String::new(), &draft, &mut tail, most).await;
        drop(group);
        let status = ended.map_err(|trouble| self.failed(&trouble.words(most)))?;
        Ok(Ended { status, stdout: draft.take_text(), last_words: tail.last_words() })
    }

    fn start(&self, mut command: Command) -> Result<Box<dyn ChildWrapper>, AskError> {
        command.envs(&self.env).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        CommandWrap::from(command)
            .wrap(ProcessGroup::leader())
            .wrap(KillOnDrop)
            .spawn()
            .map_err(|error| self.not_started(&error))
    }

    fn not_started(&self, error: &io::Error) -> AskError {
        let name = one_line(&self.name);
        match error.kind() {
            io::ErrorKind::NotFound => AskError::unavailable(format!(
                "program `{name}` not found: install it, put it on PATH, or write its full path in the reviewer's command"
            )),
            io::ErrorKind::PermissionDenied => {
                AskError::unavailable(format!("program `{name}` may not be executed: check its permissions"))
            }
            io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory => {
                AskError::transient(format!("program `{name}` could not be started: {error}"))
            }
            _ => AskError::unavailable(format!("program `{name}` could not be started: {error}")),
        }
    }

    /// An exit status does not tell a program that cannot reach its model from one that did not like the question: the former is
    /// by far more likely.
    fn broken(&self, how: &str) -> AskError {
        AskError::unavailable(format!("program `{}`: {how}", one_line(&self.name)))
    }

    pub(super) fn failed(&self, how: &str) -> AskError {
        AskError::permanent(format!("program `{}`: {how}", one_line(&self.name)))
    }
}

/// What a program left that ran to its end.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) stdout: String,
    /// The end of stderr in one line.
    pub(super) last_words: String,
}

impl Ended {
    /// As a failure of `program`.
    pub(super) fn failed(&self, program: &Program) -> AskError {
        program.failed(&ending(self.status, &self.last_words))
    }
}

/// A process group that does not outlive its owner.
struct Group(Box<dyn ChildWrapper>);

impl Drop for Group {
    fn drop(&mut self) {
        // An error means that nobody is left in the group, which is what is wanted.
        let _ = self.0.start_kill();
    }
}

fn ending(status: ExitStatus, last_words: &str) -> String {
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => status.to_string(),
    };
    if last_words.is_empty() { how } else { format!("{how}: {last_words}") }
}

/// Why a conversation broke off.
enum Trouble {
    Flood,
    Io(io::Error),
}

impl Trouble {
    /// `most` is how many bytes were allowed.
    fn words(&self, most: usize) -> String {
        match self {
            Self::Flood => format!("wrote more than {} MiB and was stopped", most >> 20),
            Self::Io(error) => error.to_string(),
        }
    }
}

/// Writes the prompt, reads both outputs and waits for the end, all at once: no pipe may fill up and block.
async fn converse(
    child: &mut dyn ChildWrapper,
    prompt: String,
    draft: &Draft,
    tail: &mut Tail,
    most: usize,
) -> Result<ExitStatus, Trouble> {
    let (stdin, stdout, stderr) = (child.stdin().take(), child.stdout().take(), child.stderr().take());
    let talk = async {
        tokio::try_join!(feed(stdin, prompt), read_reply(stdout, draft, most), tail.read(stderr, draft))
            .map(drop)
    };
    tokio::pin!(talk);
    // The program alone: what it left behind in its group is not waited for.
    let mut end = child.inner_mut().wait();
    tokio::select! {
        talked = &mut talk => {
            talked?;
            end.await.map_err(Trouble::Io)
        }
        status = &mut end => {
            if let Ok(talked) = tokio::time::timeout(GRACE, talk).await {
                talked?;
            }
            status.map_err(Trouble::Io)
        }
    }
}

async fn feed(stdin: Option<ChildStdin>, prompt: String) -> Result<(), Trouble> {
    if let Some(mut stdin) = stdin {
        // An error only says that the program ended or closed its stdin without reading it all.
        let _ = stdin.write_all(prompt.as_bytes()).await;
    }
    Ok(())
}

async fn read_reply(stdout: Option<ChildStdout>, draft: &Draft, most: usize) -> Result<(), Trouble> {
    let Some(mut stdout) = stdout else { return Ok(()) };
    let mut buffer = vec![0; 16 << 10];
    loop {
        match stdout.read(&mut buffer).await.map_err(Trouble::Io)? {
            0 => return Ok(()),
            length if draft.push(&buffer[..length], most) => {}
            _ => return Err(Trouble::Flood),
        }
    }
}

/// The last bytes a program wrote to stderr.
#[derive(Default)]
struct Tail(VecDeque<u8>);

impl Tail {
    async fn read(&mut self, stderr: Option<ChildStderr>, draft: &Draft) -> Result<(), Trouble> {
        let Some(mut stderr) = stderr else { return Ok(()) };
        let mut buffer = vec![0; LONGEST_TAIL];
        loop {
            let length = stderr.read(&mut buffer).await.map_err(Trouble::Io)?;
            if length == 0 {
                return Ok(());
            }
            draft.touch();
            self.0.extend(&buffer[..length]);
            self.0.drain(..self.0.len().saturating_sub(LONGEST_TAIL));
        }
    }

    /// The last lines in one, for an error.
    fn last_words(mut self) -> String {
        let text = String::from_utf8_lossy(self.0.make_contiguous()).into_owned();
        let text = text.trim_end();
        let from = text.len().saturating_sub(LONGEST_WORDS);
        one_line(&text[text.ceil_char_boundary(from)..])
    }
}
