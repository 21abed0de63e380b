//! A program as a reviewer: prompt on stdin, reply on stdout.
//!
//! [`Program`] starts it in a process group of its own and never leaves one behind. It runs in an empty folder and sees
//! few of our variables (`surroundings`); `envelope` takes the reply out of what it prints. No shell is involved. How
//! long it may take is `run`'s decision: dropping the attempt kills the whole group.

mod envelope;
mod surroundings;

use std::{
    collections::VecDeque,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{ChildStderr, ChildStdin, ChildStdout, Command},
};

use super::{Answer, AskError, Draft, in_brief};
use crate::{
    process::{self, Group, Pipes},
    prompt::Prompt,
    reviewer::{Invocation, OutputForm},
    secret::Keys,
};
use envelope::{Envelope, Unwrapped};
pub use surroundings::Surroundings;
use surroundings::Variables;

/// How much of the end of stderr is looked at, in bytes.
const LONGEST_TAIL: usize = 4_096;
/// How much of stderr's end stands in an error, in bytes.
const LONGEST_WORDS: usize = 500;

/// A program that reads a prompt and writes a review.
#[derive(Debug, Clone)]
pub struct Program {
    name: String,
    arguments: Vec<String>,
    variables: Variables,
    output: OutputForm,
    work_dir: Option<PathBuf>,
    /// The keys of the whole run.
    keys: Keys,
}

impl Program {
    /// The program of `invocation`; `None` when there is none.
    pub(super) fn new(invocation: &Invocation, surroundings: &Surroundings) -> Option<Self> {
        let (name, arguments) = invocation.argv.split_first().filter(|(name, _)| !name.is_empty())?;
        Some(Self {
            name: name.clone(),
            arguments: arguments.to_vec(),
            variables: surroundings.of(invocation),
            output: invocation.output,
            work_dir: invocation.work_dir.clone(),
            keys: Keys::default(),
        })
    }

    /// The same program; what it writes is told without `keys`.
    pub(super) fn keeping(self, keys: Keys) -> Self {
        Self { keys, ..self }
    }

    pub(super) async fn ask(&self, prompt: &Prompt, draft: &Draft) -> Result<Answer, AskError> {
        let folder = self.folder()?;
        let mut command = process::program(&self.name);
        command.args(&self.arguments).current_dir(folder.path());
        let mut group = self.start(command)?;
        let mut heard = Heard { envelope: Envelope::new(self.output), tail: Tail::default() };
        let ended = converse(&mut group, prompt.joined(), draft, &mut heard).await;
        drop(group);
        let Heard { envelope, tail } = heard;
        let most = envelope.most();
        let Unwrapped { answer, failure } = envelope.finish(draft);
        let how = match (ended, failure) {
            (Ok(status), None) if status.success() => return Ok(answer),
            (Ok(status), Some(reason)) if status.success() => self.broken(&reason),
            (Ok(status), failure) => {
                let stderr = tail.into_text();
                let told = failure.or_else(|| envelope::failure_in(self.output, &stderr));
                self.broken(&ending(status, &told.unwrap_or_else(|| self.last_words(stderr))))
            }
            (Err(trouble), _) => self.failed(&trouble.words(most)),
        };
        Err(how.after(answer.text))
    }

    /// Runs the program with `arguments` in place of its own, in `folder` and with nothing on stdin, and gives what it
    /// left, whatever its exit status. More than `most` bytes on stdout are an error.
    pub(super) async fn run(
        &self,
        arguments: &[OsString],
        folder: &Path,
        most: usize,
    ) -> Result<Ended, AskError> {
        let mut command = process::program(&self.name);
        command.args(arguments).current_dir(folder);
        let mut group = self.start(command)?;
        let draft = Draft::new();
        let mut heard = Heard { envelope: Envelope::none(most), tail: Tail::default() };
        let ended = converse(&mut group, String::new(), &draft, &mut heard).await;
        drop(group);
        let status = ended.map_err(|trouble| self.failed(&trouble.words(most)))?;
        Ok(Ended { status, stdout: draft.take_text(), last_words: self.last_words(heard.tail.into_text()) })
    }

    /// `text` with `[key]` in place of the keys of the program and of the run.
    pub(super) fn without_keys(&self, text: String) -> String {
        self.keys.conceal(self.variables.without_keys(text))
    }

    /// Where it runs. What an agent finds there it may take for orders, and what it writes there is gone afterwards.
    fn folder(&self) -> Result<Folder, AskError> {
        match &self.work_dir {
            Some(path) if path.is_dir() => Ok(Folder::Given(path.clone())),
            Some(path) => Err(self.failed(&format!("work_dir {} is no folder", path.display()))),
            None => tempfile::Builder::new()
                .prefix("scrum-")
                .tempdir()
                .map(Folder::Empty)
                .map_err(|error| self.failed(&format!("no temporary folder to run in: {error}"))),
        }
    }

    fn start(&self, mut command: Command) -> Result<Group, AskError> {
        command.env_clear().envs(self.variables.exposed());
        Group::start(command).map_err(|error| self.not_started(&error))
    }

    fn not_started(&self, error: &io::Error) -> AskError {
        let name = in_brief(&self.name);
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
        AskError::unavailable(self.named(how))
    }

    pub(super) fn failed(&self, how: &str) -> AskError {
        AskError::permanent(self.named(how))
    }

    fn named(&self, how: &str) -> String {
        let how = in_brief(&self.without_keys(how.to_owned()));
        format!("program `{}`: {how}", in_brief(&self.name))
    }

    /// The end of `stderr` in one line.
    fn last_words(&self, stderr: String) -> String {
        let text = self.without_keys(stderr);
        let text = text.trim_end();
        let from = text.len().saturating_sub(LONGEST_WORDS);
        in_brief(&text[text.ceil_char_boundary(from)..])
    }
}

/// Where a program runs.
enum Folder {
    /// Somebody's own.
    Given(PathBuf),
    /// Made for it; removed when dropped.
    Empty(tempfile::TempDir),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Empty(folder) => folder.path(),
        }
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

fn ending(status: ExitStatus, last_words: &str) -> String {
    let how = process::ending(status);
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
    group: &mut Group,
    prompt: String,
    draft: &Draft,
    heard: &mut Heard,
) -> Result<ExitStatus, Trouble> {
    let Pipes { stdin, stdout, stderr } = group.pipes();
    let Heard { envelope, tail } = heard;
    let talk = async {
        let reply = read_reply(stdout, envelope, draft);
        tokio::try_join!(feed(stdin, prompt), reply, tail.read(stderr, draft)).map(drop)
    };
    tokio::pin!(talk);
    let end = group.ended();
    tokio::pin!(end);
    tokio::select! {
        talked = &mut talk => {
            talked?;
            end.await.map_err(Trouble::Io)
        }
        status = &mut end => {
            if let Ok(talked) = tokio::time::timeout(process::GRACE, talk).await {
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

async fn read_reply(
    stdout: Option<ChildStdout>,
    envelope: &mut Envelope,
    draft: &Draft,
) -> Result<(), Trouble> {
    let Some(mut stdout) = stdout else { return Ok(()) };
    let mut buffer = vec![0; 16 << 10];
    loop {
        match stdout.read(&mut buffer).await.map_err(Trouble::Io)? {
            0 => return Ok(()),
            length if envelope.take(&buffer[..length], draft) => {}
            _ => return Err(Trouble::Flood),
        }
    }
}

/// What a program has said.
struct Heard {
    envelope: Envelope,
    tail: Tail,
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

    fn into_text(mut self) -> String {
        String::from_utf8_lossy(self.0.make_contiguous()).into_owned()
    }
}
