//! A program that must go on while others are asked: [`start`] waits until it is ready, [`Running::stop`] ends it with
//! all it has started.
//!
//! A service that something else answers for is an error: what was then measured would not be it.

use std::{io, process::ExitStatus, time::Duration};

use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    GRACE, Secrets,
    command::CommandError,
    output::{Listener, Output},
    request::{Client, Request, RequestError},
};
use crate::{
    gauntlet::program::{How, Service, WaitFor},
    process::{self, Group, Pipes},
    report::{foreign::one_line, words::shortened},
    secret::Keys,
};

/// How long a connection may take to be accepted.
const LONGEST_CONNECT: Duration = Duration::from_secs(1);
/// How long one look at a URL may take.
const LONGEST_LOOK: Duration = Duration::from_secs(10);
/// From one look to the next.
const PAUSE: Duration = Duration::from_millis(50);
/// Most characters of a service's last words in an error.
const LONGEST_WORDS: usize = 300;
/// Lines that its last words are.
const LAST_LINES: usize = 5;

/// A service that is ready. Dropping it kills it and all it has started.
#[derive(Debug)]
pub struct Running {
    group: Group,
    heard: Listener,
}

/// A service that has been stopped.
#[derive(Debug)]
pub struct Stopped {
    /// What it has printed and complained, as it came.
    pub output: Output,
    /// How it ended, where it had before it was asked to.
    pub died: Option<How>,
}

/// A service that is not there.
#[derive(Debug, thiserror::Error)]
#[error("service `{name}`: {trouble}")]
pub struct ServiceError {
    /// Which.
    pub name: String,
    /// What is wrong.
    #[source]
    pub trouble: Trouble,
    /// What it has printed and complained.
    pub output: Output,
}

/// Why a service is not there.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Its program cannot be run.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// Somebody else is where it is to be.
    #[error("something already answers at {address}")]
    Taken {
        /// Host and port.
        address: String,
    },
    /// It ended.
    #[error("it ended before it was ready: {how}{last_words}")]
    Died {
        /// How.
        how: How,
        /// What may be the matter, and the end of what it printed behind `; it says: `; or nothing.
        last_words: String,
    },
    /// It goes on, and is not ready.
    #[error("it was not ready after {seconds} s: {reason}{last_words}")]
    NotReady {
        /// How long was waited.
        seconds: u64,
        /// What the last look showed.
        reason: String,
        /// The end of what it printed behind `; it says: `, or nothing.
        last_words: String,
    },
    /// We were asked to end.
    #[error("interrupted before it was ready")]
    Interrupted,
    /// It cannot be looked at from here.
    #[error("it {0}")]
    Http(RequestError),
    /// It ran, and could not be followed.
    #[error("it cannot be followed: {0}")]
    Lost(#[from] io::Error),
}

/// Starts `service` and waits until it is ready, or `end` is cancelled. One that is not ready in time is stopped.
pub async fn start(
    service: &Service,
    secrets: &Secrets,
    end: &CancellationToken,
) -> Result<Running, ServiceError> {
    let failed = |trouble, output| ServiceError { name: service.name.clone(), trouble, output };
    let at_once = |trouble| failed(trouble, Output::default());
    let look = Look::at(&service.wait_for).map_err(at_once)?;
    let address = service.wait_for.port();
    if accepts(&address).await.is_ok() {
        return Err(at_once(Trouble::Taken { address }));
    }
    let mut group = super::start(&service.program, secrets).map_err(|error| at_once(error.into()))?;
    let Pipes { stdin, stdout, stderr } = group.pipes();
    drop(stdin);
    let mut running = Running { group, heard: Listener::new().to(stdout).to(stderr) };
    match running.get_ready(&look, service.timeout, end).await {
        Ok(()) => Ok(running),
        Err(trouble) => {
            let output = running.end().await;
            Err(failed(trouble.ending_with(&output, &secrets.keys), output))
        }
    }
}

impl Running {
    /// Asks it and all it has started to end, and ends who does not.
    pub async fn stop(mut self) -> Stopped {
        let died = self.group.has_ended().map(How::from);
        Stopped { output: self.end().await, died }
    }

    /// How it ended, if it has.
    pub fn has_ended(&mut self) -> Option<How> {
        self.group.has_ended().map(How::from)
    }

    async fn end(self) -> Output {
        let Self { group, mut heard } = self;
        // How it ends when it is asked to is not our matter, and what cannot be read of it is not there.
        let _ = group.stop(GRACE).await;
        let _ = heard.finish(Instant::now() + process::GRACE).await;
        heard.output()
    }

    async fn get_ready(
        &mut self,
        look: &Look,
        limit: Duration,
        end: &CancellationToken,
    ) -> Result<(), Trouble> {
        let mut reason = "nothing answers".to_owned();
        let ready = async {
            while let Err(found) = look.once().await {
                reason = found;
                sleep(PAUSE).await;
            }
        };
        let last_words = String::new();
        let died = |how: ExitStatus| Trouble::Died { how: How::from(how), last_words: String::new() };
        tokio::select! {
            biased;
            status = self.group.ended() => return Err(died(status?)),
            () = end.cancelled() => return Err(Trouble::Interrupted),
            () = ready => {}
            () = sleep(limit) => return Err(Trouble::NotReady { seconds: limit.as_secs(), reason, last_words }),
        }
        // Somebody may answer who was faster than it.
        self.group.has_ended().map_or(Ok(()), |status| Err(died(status)))
    }
}

impl Trouble {
    /// The same with the end of `output` where it says why.
    fn ending_with(self, output: &Output, keys: &Keys) -> Self {
        let said = said(output, keys);
        match self {
            Self::Died { how: How::Exited(0), .. } => Self::Died {
                how: How::Exited(0),
                last_words: format!("; it must stay in the foreground{said}"),
            },
            Self::Died { how, .. } => Self::Died { how, last_words: said },
            Self::NotReady { seconds, reason, .. } => Self::NotReady { seconds, reason, last_words: said },
            other => other,
        }
    }
}

/// Its last lines in one: `; it says: address in use`.
fn said(output: &Output, keys: &Keys) -> String {
    let text = keys.conceal(output.text());
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    if last.is_empty() {
        return String::new();
    }
    format!("; it says: {}", shortened(&one_line(&last.join(" ")), LONGEST_WORDS))
}

/// How it is seen that a service is ready.
enum Look {
    Port(String),
    Url(Client, String),
}

impl Look {
    fn at(what: &WaitFor) -> Result<Self, Trouble> {
        Ok(match what {
            WaitFor::Port(address) => Self::Port(address.clone()),
            WaitFor::Url(url) => {
                Self::Url(Client::new(url.as_str()).map_err(Trouble::Http)?, url.to_string())
            }
        })
    }

    /// Whether it is ready now, or what there is instead.
    async fn once(&self) -> Result<(), String> {
        match self {
            Self::Port(address) => accepts(address).await,
            Self::Url(client, url) => {
                let asked = Request { method: "GET", url, headers: &[], body: None, timeout: LONGEST_LOOK };
                match client.send(&asked).await {
                    Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
                    Ok(answer) => Err(format!("{url} answers {}", answer.status)),
                    Err(error) => Err(format!("{url}: {error}")),
                }
            }
        }
    }
}

/// Whether somebody accepts connections at `address`, or why not.
async fn accepts(address: &str) -> Result<(), String> {
    let words = |reason: &dyn std::fmt::Display| format!("{address}: {reason}");
    let stream = timeout(LONGEST_CONNECT, TcpStream::connect(address))
        .await
        .map_err(|_| words(&"no answer"))?
        .map_err(|error| words(&error))?;
    // A port that nobody listens at can be connected to itself.
    let is_own = matches!((stream.local_addr(), stream.peer_addr()), (Ok(own), Ok(peer)) if own == peer);
    if is_own { Err(words(&"nobody listens")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_short_and_hold_no_key() {
        let keys = Keys::of(&"sk-very-secret-0123".to_owned().into());
        let check = |output: &str, expect: &str| {
            let output = Output { head: output.into(), ..Output::default() };
            assert_eq!(said(&output, &keys), expect);
        };
        check("", "");
        check(" \n", "");
        check("a\nb\n\nc\nd\ne\n\x1b[1mf\n", "; it says: b c d e ␛[1mf");
        check("key sk-very-secret-0123", "; it says: key [key]");
    }
}
