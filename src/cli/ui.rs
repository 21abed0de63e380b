//! Printing: [`Ui`] puts data on stdout and everything else on stderr, with colour where it is wanted.
//!
//! It words nothing itself. A closed pipe is the reader's choice and no error.
#![expect(clippy::disallowed_methods, reason = "results may go to a file the user names")]

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    path::Path,
    process::ExitCode,
};

use anstream::{AutoStream, ColorChoice};
use anstyle::AnsiColor;
use clap::ValueEnum;

use tokio::time::Instant;

use super::error::CliError;
use crate::{
    VERSION,
    progress::{
        Style,
        json::{self, Told},
    },
    report::foreign,
    store,
};

/// `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// `--progress`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ProgressAs {
    /// A board on a terminal, else lines of text
    #[default]
    Auto,
    /// Lines of JSON, and nothing else on standard error: docs/design/events.md
    Json,
}

/// The process's two streams.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ui {
    color: ColorChoice,
    pub(super) quiet: bool,
    is_json: bool,
}

const WIDTH_WHEN_UNKNOWN: usize = 100;

impl Ui {
    pub(super) fn new(color: ColorWhen, quiet: bool) -> Self {
        let color = match color {
            ColorWhen::Auto => ColorChoice::Auto,
            ColorWhen::Always => ColorChoice::Always,
            ColorWhen::Never => ColorChoice::Never,
        };
        Self { color, quiet, is_json: false }
    }

    /// Tells what it tells on stderr as `progress` says.
    pub(super) fn progressing(self, progress: ProgressAs) -> Self {
        let is_json = progress == ProgressAs::Json;
        if is_json {
            json::tell(&Told::Began { schema: json::SCHEMA, version: VERSION });
        }
        Self { is_json, ..self }
    }

    /// Tells programs that listen.
    pub(super) fn tell(self, told: &Told<'_>) {
        if self.is_json {
            json::tell(told);
        }
    }

    /// A part of the work has come to its end.
    pub(super) fn step(self, step: &'static str, began: Instant) {
        self.tell(&Told::Step { step, ms: json::millis(began.elapsed()) });
    }

    /// Columns of the terminal behind stdout.
    pub(super) fn width() -> usize {
        terminal_size::terminal_size_of(io::stdout()).map_or(WIDTH_WHEN_UNKNOWN, |(width, _)| width.0.into())
    }

    /// Whether tables may have colour on stdout.
    pub(super) fn color_on_stdout(self) -> bool {
        color_on(self.color, &io::stdout())
    }

    /// How to show progress on stderr.
    pub(super) fn progress(self) -> Style {
        if self.is_json {
            return Style::Json;
        }
        match (self.quiet, io::stderr().is_terminal()) {
            (true, _) => Style::Quiet,
            (false, true) => Style::Terminal,
            (false, false) => Style::Plain,
        }
    }

    /// Puts the result on stdout, or whole into `file`, if that is none called `-`.
    pub(super) fn result(text: &str, file: Option<&Path>) -> Result<(), CliError> {
        let Some(path) = named_file(file) else { return print(text) };
        if path.exists() && !path.is_file() {
            let written = std::fs::write(path, text);
            return written
                .map_err(|error| CliError::new(format!("cannot write {}: {error}", path.display())));
        }
        Ok(store::write(path, text.as_bytes())?)
    }

    /// Fails when [`Ui::result`] could not write to `file`, so that it is known before anybody is asked.
    pub(super) fn check_output(file: Option<&Path>) -> Result<(), CliError> {
        let Some(path) = named_file(file) else { return Ok(()) };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let reason = match folder {
            Some(folder) if !folder.is_dir() => format!("there is no folder {}", folder.display()),
            _ if path.is_dir() => "it is a folder".to_owned(),
            Some(_) | None => return Ok(()),
        };
        Err(CliError::new(format!("cannot write {}: {reason}", path.display())))
    }

    /// A remark for people.
    pub(super) fn note(self, text: impl Display) {
        if self.is_json {
            json::tell(&Told::Note { text: clean(&text) });
        } else if !self.quiet {
            self.labelled(AnsiColor::Cyan, "note", &text);
        }
    }

    /// Something that deserves attention; shown even with `--quiet`.
    pub(super) fn warning(self, text: impl Display) {
        if self.is_json {
            json::tell(&Told::Warning { text: clean(&text) });
        } else {
            self.labelled(AnsiColor::Yellow, "warning", &text);
        }
    }

    /// An error with its hints, and its exit status.
    pub(super) fn error(self, error: &CliError) -> ExitCode {
        if self.is_json {
            json::tell(&Told::Error { text: clean(&error.message), hints: &error.hints });
            return ExitCode::from(2);
        }
        self.labelled(AnsiColor::Red, "error", &error.message);
        for hint in &error.hints {
            self.labelled(AnsiColor::Cyan, "hint", hint);
        }
        ExitCode::from(2)
    }

    fn labelled(self, color: AnsiColor, label: &str, text: &dyn Display) {
        let paint = if color_on(self.color, &io::stderr()) {
            anstyle::Style::new().bold().fg_color(Some(color.into()))
        } else {
            anstyle::Style::new()
        };
        let text = clean(text);
        // Nothing can be done about a closed stderr.
        let _ = writeln!(io::stderr().lock(), "{paint}{label}{paint:#}: {text}");
    }
}

/// Names of files, branches and labels are foreign text, whoever words the message.
fn clean(text: &(impl Display + ?Sized)) -> String {
    foreign::lines(&text.to_string()).join("\n")
}

fn color_on(choice: ColorChoice, stream: &impl anstream::stream::RawStream) -> bool {
    match choice {
        ColorChoice::Auto => AutoStream::choice(stream) != ColorChoice::Never,
        ColorChoice::Never => false,
        ColorChoice::Always | ColorChoice::AlwaysAnsi => true,
    }
}

fn print(text: &str) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::new(format!("cannot write to standard output: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The file that a user names for a result; none for `-`, which is standard output.
pub(super) fn named_file(output: Option<&Path>) -> Option<&Path> {
    output.filter(|file| *file != Path::new("-"))
}

/// Help and version go to stdout with status 0, wrong use to stderr with status 2.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    // Nothing can be done about a closed stream.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// All of standard input.
pub(super) fn read_stdin() -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let read = io::Read::read_to_end(&mut io::stdin().lock(), &mut bytes);
    read.map_err(|error| CliError::new(format!("cannot read standard input: {error}")))?;
    Ok(bytes)
}

/// All of a file the user names.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|error| CliError::new(format!("cannot read {}: {error}", path.display())))
}

/// The folder the process was started in.
pub(super) fn current_directory() -> Result<std::path::PathBuf, CliError> {
    std::env::current_dir().map_err(|error| CliError::new(format!("cannot tell the current folder: {error}")))
}
