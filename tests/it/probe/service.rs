//! Services that are waited for and stopped.

use std::{net::TcpListener, path::Path, time::Duration};

use scrum::{
    gauntlet::program::{How, Program, Service, WaitFor},
    probe::{
        Secrets,
        service::{Running, ServiceError, start},
    },
};
use tokio_util::sync::CancellationToken;

use super::shell;
use crate::command::{gone, life_line};

/// A server that answers every GET at a port with a status.
pub(crate) const SERVER: &str = "
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(sys.argv[2])); self.end_headers()
    def log_message(self, *_): pass
print('listening', flush=True)
server = http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Answer)
server.serve_forever()
";

/// A port nobody listens at.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn server(port: u16, status: u16) -> Program {
    let argv = ["python3", "-c", SERVER, &port.to_string(), &status.to_string()];
    Program { argv: argv.map(str::to_owned).to_vec(), ..shell("", Path::new("/")) }
}

fn at_port(port: u16, program: Program) -> Service {
    let wait_for = WaitFor::Port(format!("127.0.0.1:{port}"));
    Service { name: "gateway".to_owned(), program, wait_for, timeout: Duration::from_mins(1) }
}

async fn begin(service: &Service) -> Result<Running, ServiceError> {
    start(service, &Secrets::default(), &CancellationToken::new()).await
}

/// The error, with the port as `PORT`.
async fn trouble(service: &Service, port: u16) -> String {
    begin(service).await.unwrap_err().to_string().replace(&port.to_string(), "PORT")
}

#[tokio::test]
async fn a_service_runs_from_its_answer_to_its_stop() {
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/health");
    for wait_for in [WaitFor::Port(format!("127.0.0.1:{port}")), WaitFor::Url(url.parse().unwrap())] {
        let service = Service { wait_for, ..at_port(port, server(port, 204)) };
        let mut running = begin(&service).await.unwrap();
        assert_eq!(running.has_ended(), None);
        let stopped = running.stop().await;
        assert_eq!((stopped.output.text().as_str(), stopped.died), ("listening\n", None));
        TcpListener::bind(("127.0.0.1", port)).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_never_ready() {
    let port = free_port();
    let silent = at_port(port, shell("echo starting; sleep 1000", Path::new("/")));
    let words = trouble(&silent, port).await;
    let expect =
        "service `gateway`: it was not ready after 60 s: 127.0.0.1:PORT: Connection refused (os error 111)";
    assert!(words.starts_with(expect), "{words}");
}

#[tokio::test]
async fn a_service_that_is_ill() {
    let port = free_port();
    let wait_for = WaitFor::Url(format!("http://127.0.0.1:{port}/").parse().unwrap());
    let ill = Service { wait_for, timeout: Duration::from_secs(3), ..at_port(port, server(port, 503)) };
    assert_eq!(
        trouble(&ill, port).await,
        "service `gateway`: it was not ready after 3 s: http://127.0.0.1:PORT/ answers 503; it says: listening"
    );
}

#[tokio::test]
async fn a_service_that_dies() {
    let port = free_port();
    let dies = at_port(port, shell("echo reading config; echo 'no such table' >&2; exit 4", Path::new("/")));
    let words = trouble(&dies, port).await;
    let expect = "service `gateway`: it ended before it was ready: exit status 4; it says: ";
    assert!(words.starts_with(expect) && words.contains("no such table"), "{words}");
    assert_eq!(
        trouble(&at_port(port, shell("sleep 0 & exit 0", Path::new("/"))), port).await,
        "service `gateway`: it ended before it was ready: exit status 0; it must stay in the foreground"
    );
    let missing = Program { argv: vec!["no-such-server".to_owned()], ..shell("", Path::new("/")) };
    assert_eq!(
        trouble(&at_port(port, missing), port).await,
        "service `gateway`: program `no-such-server` not found"
    );
}

#[tokio::test]
async fn a_port_that_somebody_else_has() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let expect = "service `gateway`: something already answers at 127.0.0.1:PORT";
    assert_eq!(trouble(&at_port(port, server(port, 200)), port).await, expect);
    let wait_for = WaitFor::Url(format!("http://127.0.0.1:{port}/").parse().unwrap());
    assert_eq!(trouble(&Service { wait_for, ..at_port(port, server(port, 200)) }, port).await, expect);
}

#[tokio::test(start_paused = true)]
async fn a_family_that_does_not_want_to_end_is_killed() {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let (path, line) = life_line(dir.path());
    let Program { argv, .. } = server(port, 200);
    let python = format!("exec python3 -c \"{}\" {port} {}", argv[2], argv[4]);
    let script = format!(
        "trap '' TERM; exec 9>'{path}'; echo here >&9; (trap '' TERM; sh -c 'sleep 1000 & sleep 1000') & {python}"
    );
    let service =
        Service { timeout: Duration::from_hours(2400), ..at_port(port, shell(&script, dir.path())) };
    let running = begin(&service).await.unwrap();
    let stopped = running.stop().await;
    assert_eq!(stopped.died, None);
    assert_eq!(gone(line).await, "here\n");
}

#[tokio::test]
async fn a_service_that_died_meanwhile_is_told() {
    let port = free_port();
    let Program { argv, .. } = server(port, 200);
    let once = argv[2].replace("server.serve_forever()", "server.handle_request(); sys.exit(9)");
    let argv = [&argv[..2], &[once], &argv[3..]].concat();
    let program = Program { argv, ..shell("", Path::new("/")) };
    // The look at the port is the one request it takes.
    let running = begin(&at_port(port, program)).await.unwrap();
    let mut running = running;
    while running.has_ended().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(running.stop().await.died, Some(How::Exited(9)));
}

#[tokio::test]
async fn waiting_ends_when_it_is_told_to() {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let (path, line) = life_line(dir.path());
    let script = format!("exec 9>'{path}'; echo here >&9; sleep 1000 & sleep 1000");
    let service = at_port(port, shell(&script, dir.path()));
    let end = CancellationToken::new();
    let secrets = Secrets::default();
    let interrupt = async {
        line.readable().await.unwrap();
        end.cancel();
    };
    let (started, ()) = tokio::join!(start(&service, &secrets, &end), interrupt);
    assert_eq!(started.unwrap_err().to_string(), "service `gateway`: interrupted before it was ready");
    assert_eq!(gone(line).await, "here\n");
}
