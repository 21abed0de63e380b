//! What really runs programs, makes requests and starts services: [`hands`].

use futures_util::{FutureExt, future::BoxFuture};
use http::HeaderMap;
use tokio_util::sync::CancellationToken;

use super::{Absent, Hands, Held, Left, StartedService};
use crate::{
    gauntlet::{
        program::{Program, Service},
        smoke::{Action, Check, Request, Seen},
    },
    probe::{
        Secrets,
        command::{self, Asked},
        request::{self, Client, RequestError},
        service::{self, Running},
    },
    secret::Keys,
};

/// Hands that end what they do when `end` is cancelled. No text they give holds a key of `secrets`.
pub fn hands<'a>(secrets: &'a Secrets, end: &'a CancellationToken) -> Hands<'a> {
    Hands {
        check: Box::new(move |check| look(check, secrets, end).boxed()),
        start: Box::new(move |service| start(service, secrets, end).boxed()),
    }
}

async fn look(check: &Check, secrets: &Secrets, end: &CancellationToken) -> Seen {
    let concealed = |text: String| secrets.keys.conceal(text);
    match &check.action {
        Action::Command { program, .. } => match run(check, program, secrets, end).await {
            Ok(ended) => Seen::Ended {
                how: ended.how,
                stdout: concealed(ended.stdout.text()),
                stderr: concealed(ended.stderr.text()),
            },
            Err(error) => Seen::NotDone(error.to_string()),
        },
        Action::Http { request, .. } => {
            let answered = tokio::select! {
                biased;
                () = end.cancelled() => return Seen::Interrupted,
                answered = ask(check, request) => answered,
            };
            match answered {
                Ok(response) => Seen::Answered {
                    status: response.status,
                    body: concealed(String::from_utf8_lossy(&response.body).into_owned()),
                },
                Err(RequestError::TimedOut { .. }) => Seen::TimedOut,
                Err(error) => Seen::NotDone(concealed(error.to_string())),
            }
        }
    }
}

async fn run(
    check: &Check,
    program: &Program,
    secrets: &Secrets,
    end: &CancellationToken,
) -> Result<command::Ended, command::CommandError> {
    let asked = Asked { program, stdin: b"", timeout: check.timeout, files: &[] };
    command::run(&asked, secrets, end).await
}

async fn ask(check: &Check, request: &Request) -> Result<request::Response, RequestError> {
    let (url, headers) = (request.url.as_str(), headers(&request.headers));
    let body = (!request.body.is_empty()).then_some(request.body.as_slice());
    let method = request.method.as_str();
    Client::new(url)?
        .send(&request::Request { method, url, headers: &headers, body, timeout: check.timeout })
        .await
}

/// They come from a configuration, so they are text.
fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    map.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

async fn start<'a>(
    service: &'a Service,
    secrets: &'a Secrets,
    end: &CancellationToken,
) -> StartedService<'a> {
    let concealed = |text: String| secrets.keys.conceal(text);
    match service::start(service, secrets, end).await {
        Ok(running) => Ok(Box::new(Started { running, keys: secrets.keys.clone() })),
        Err(error) => Err(Absent {
            reason: concealed(error.trouble.to_string()),
            output: concealed(error.output.text()),
        }),
    }
}

/// A service that runs, and what must not be seen of its output.
struct Started {
    running: Running,
    keys: Keys,
}

impl<'a> Held<'a> for Started {
    fn has_died(&mut self) -> Option<String> {
        self.running.has_ended().map(|how| how.to_string())
    }

    fn stop(self: Box<Self>) -> BoxFuture<'a, Left> {
        let Self { running, keys } = *self;
        let stopping = async move {
            let stopped = running.stop().await;
            let output = keys.conceal(stopped.output.text());
            Left { output, died: stopped.died.map(|how| how.to_string()) }
        };
        stopping.boxed()
    }
}
