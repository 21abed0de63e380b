//! `scrum serve` as a process of its own, between raw connections and a server in this process: [`Serve`].

mod callers;
mod dashboard;
mod gateway;
mod jobs;
mod log;
mod nodes;
mod openapi;
mod shell;
mod threads;
mod three_nodes;
mod watching;
mod webhooks;

use std::{fs::File, io, process::Stdio};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

use crate::{
    end_to_end::KEY,
    sandbox::{Printed, Sandbox},
};

/// A running daemon with one model, `mock`; killed when dropped.
pub(crate) struct Serve {
    /// Where it listens.
    pub(crate) address: String,
    process: Child,
    pub(crate) sandbox: Sandbox,
}

impl Serve {
    /// In front of the server at `url`, with `settings` for `[serve]`.
    pub(crate) async fn start(url: &str, settings: &str) -> Self {
        Self::start_with(url, settings, "").await
    }

    /// The same, with further settings of the model.
    pub(crate) async fn start_with(url: &str, settings: &str, of_model: &str) -> Self {
        Self::start_in(Sandbox::without_repository(), url, settings, of_model).await
    }

    /// The same, among the runs of `sandbox`.
    pub(crate) async fn start_in(sandbox: Sandbox, url: &str, settings: &str, of_model: &str) -> Self {
        let reviewer = format!(
            "provider = \"openai\"\nbase_url = \"{url}\"\nmodel = \"mock\"\napi_key_env = \"MOCK_KEY\""
        );
        let text = format!(
            "[serve]\n{settings}\n[panel]\nreviewers = [\"mock\"]\n[[reviewer]]\nid = \"mock\"\n{reviewer}\n{of_model}\n"
        );
        sandbox.write("scrum.toml", text);
        Self::of(sandbox).await
    }

    /// Configured by what is in `sandbox`.
    pub(crate) async fn of(sandbox: Sandbox) -> Self {
        Self::with_variable(sandbox, "MOCK_KEY", KEY).await
    }

    /// In front of the server at `url`, with a variable that switches something off.
    pub(crate) async fn without(url: &str, variable: &str) -> Self {
        let sandbox = Sandbox::without_repository();
        let reviewer =
            format!("id = \"mock\"\nprovider = \"openai\"\nbase_url = \"{url}\"\nmodel = \"mock\"");
        sandbox.write("scrum.toml", format!("[[reviewer]]\n{reviewer}\n"));
        Self::with_variable(sandbox, variable, "0").await
    }

    async fn with_variable(sandbox: Sandbox, variable: &str, value: &str) -> Self {
        Self::keeping("scrum.db", sandbox, &[(variable, value)]).await
    }

    /// With a store of its own or one that others have too.
    pub(crate) async fn keeping(store: &str, sandbox: Sandbox, variables: &[(&str, &str)]) -> Self {
        let said = sandbox.home().join("stderr");
        let mut command = Command::from(sandbox.command(env!("CARGO_BIN_EXE_scrum")));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--config", "scrum.toml"])
            .env("SCRUM_STORE", store);
        command.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(File::create(&said).unwrap());
        let mut process = command.kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().unwrap_or_default();
        let address = line.strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("{line:?} {:?}", std::fs::read_to_string(&said)));
        Self { address: address.to_owned(), process, sandbox }
    }

    /// Runs the built `scrum` beside it, with its file.
    pub(crate) fn scrum(&self, arguments: &[&str]) -> Printed {
        self.sandbox.scrum(&[arguments, &["--store", "scrum.db"]].concat())
    }

    /// Sends `body` to `path` on a connection of its own.
    pub(crate) async fn post(&self, path: &str, body: &str) -> Connection {
        self.post_with(path, "", body).await
    }

    /// The same, with further `headers`, a line each.
    pub(crate) async fn post_with(&self, path: &str, headers: &str, body: &str) -> Connection {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n",
            self.address
        );
        self.send(&(head + body)).await
    }

    /// Sends a request as it is written.
    pub(crate) async fn send(&self, request: &str) -> Connection {
        let mut socket = TcpStream::connect(&self.address).await.unwrap();
        // Who is refused early may be cut off while it still sends.
        let _ = socket.write_all(request.as_bytes()).await;
        Connection { socket, got: Vec::new() }
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::SIGTERM);
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.process.id().unwrap()).unwrap());
        kill(id, signal).unwrap();
    }

    /// Asks it to end, and gives all that it has logged.
    pub(crate) async fn log_at_the_end(mut self) -> String {
        self.terminate();
        self.process.wait().await.unwrap();
        std::fs::read_to_string(self.sandbox.home().join("stderr")).unwrap()
    }

    /// Ends it at once.
    pub(crate) async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }

    /// Waits until it listens no more.
    pub(crate) async fn deaf(&self) {
        while TcpStream::connect(&self.address).await.is_ok() {}
    }

    /// Its exit status.
    pub(crate) async fn ended(mut self) -> Option<i32> {
        self.process.wait().await.unwrap().code()
    }
}

/// One request's connection, and what has come over it.
pub(crate) struct Connection {
    socket: TcpStream,
    got: Vec<u8>,
}

impl Connection {
    /// Waits until `words` have come.
    pub(crate) async fn until(&mut self, words: &str) {
        while !self.text().contains(words) {
            assert_ne!(
                self.socket.read_buf(&mut self.got).await.unwrap(),
                0,
                "{words:?} never came: {}",
                self.text()
            );
        }
    }

    /// All that comes until the other side closes, in whatever way.
    pub(crate) async fn all(mut self) -> String {
        let ended: io::Result<usize> = self.socket.read_to_end(&mut self.got).await;
        drop(ended);
        self.text()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.got).into_owned()
    }
}

/// A chat request.
pub(crate) fn chat(stream: bool, text: &str) -> String {
    json!({"model": "mock", "stream": stream, "messages": [{"role": "user", "content": text}]}).to_string()
}

/// Status, and the error of a whole answer without its message.
pub(crate) fn refusal(answer: &str) -> (u16, Value) {
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let (start, end) = (body.find('{').unwrap(), body.rfind('}').unwrap());
    let mut error: Value = serde_json::from_str(&body[start..=end]).unwrap();
    assert!(error["error"]["message"].take().as_str().is_some_and(|message| !message.is_empty()), "{answer}");
    (status, error)
}
