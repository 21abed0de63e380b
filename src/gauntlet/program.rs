//! What a gauntlet starts, a [`Program`], and [`How`] it ended; a [`Service`] runs while others are asked.
//!
//! Starting them is `probe`'s work.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use url::Url;

/// How a program is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Program and arguments, at least the former; never passed through a shell.
    pub argv: Vec<String>,
    /// Where it runs; absolute.
    pub folder: PathBuf,
    /// Variables set for it, beside ours.
    pub env: BTreeMap<String, String>,
    /// Our variables that it sees although they hold keys; a `*` at the end stands for any rest of a name.
    pub pass_env: Vec<String>,
}

impl Program {
    /// The program's name, as it is called.
    pub fn name(&self) -> &str {
        self.argv.first().map_or("", String::as_str)
    }
}

/// A program that must run while others are asked, and is stopped in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// By which it is needed and told of.
    pub name: String,
    /// What is started.
    pub program: Program,
    /// What shows that it is ready.
    pub wait_for: WaitFor,
    /// How long it may take until it is ready.
    pub timeout: Duration,
}

/// What shows that a service is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitFor {
    /// A port that accepts connections: `127.0.0.1:3100`.
    Port(String),
    /// An address that answers with a status of 2xx.
    Url(Url),
}

impl WaitFor {
    /// Host and port, to be connected to.
    pub fn port(&self) -> String {
        match self {
            Self::Port(address) => address.clone(),
            Self::Url(url) => {
                let port = url.port_or_known_default().unwrap_or_default();
                format!("{}:{port}", url.host_str().unwrap_or_default())
            }
        }
    }
}

impl fmt::Display for WaitFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(address) => f.write_str(address),
            Self::Url(url) => f.write_str(url.as_str()),
        }
    }
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// By itself, with this exit status.
    Exited(i32),
    /// By a signal that somebody else sent, or that its own mistake caused.
    Killed(i32),
    /// It was ended when its time was over.
    TimedOut,
    /// It was ended since we were asked to end.
    Interrupted,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(status) => write!(f, "exit status {status}"),
            Self::Killed(signal) => write!(f, "killed by signal {signal}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}
