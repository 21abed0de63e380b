//! Tests of `gauntlet.toml`: what it means, and what is wrong with it in words.

use std::time::Duration;

use super::*;
use crate::gauntlet::program::{Program, WaitFor};

fn load(text: &str) -> Result<Gauntlet, String> {
    parse(text, Path::new("/repo/gauntlet.toml")).map_err(|error| error.to_string())
}

fn program(argv: &[&str], folder: &str) -> Program {
    let argv = argv.iter().map(|word| (*word).to_owned()).collect();
    Program { argv, folder: folder.into(), env: BTreeMap::new(), pass_env: Vec::new() }
}

/// A check in words: layer, what it does, what it expects, how it stands to the others.
fn told(check: &Check) -> String {
    let action = match &check.action {
        Action::Command { program, expect_status } => {
            format!("{:?} in {} is {expect_status}", program.argv, program.folder.display())
        }
        Action::Http { request, expect_status } => {
            let Request { method, url, headers, body } = request;
            format!("{method} {url} {headers:?} {:?} is {expect_status:?}", String::from_utf8_lossy(body))
        }
    };
    let Check { name, layer, timeout, expect_output, needs, parallel, on_failure, .. } = check;
    let output = expect_output.as_ref().map(Regex::as_str);
    format!("{name} ({layer}): {action}, {output:?}, {timeout:?}, {needs:?}, {parallel}, {on_failure:?}")
}

#[test]
fn what_is_not_said() {
    let file = load(
        "[[service]]\nname = \"gateway\"\ncommand = [\"./gateway\"]\nwait_for = \"localhost:3100\"\n\
         [[smoke]]\nname = \"unit\"\ncommand = [\"make\"]\n\
         [[smoke]]\nname = \"health\"\nhttp = \"http://127.0.0.1:3100/health\"\nneeds = [\"gateway\", \"unit\"]\n",
    )
    .unwrap();
    let Chain { services, checks, on_failure, concurrency } = file.chain;
    assert_eq!((on_failure, concurrency.get()), (OnFailure::Continue, 4));
    let gateway = Service {
        name: "gateway".to_owned(),
        program: program(&["./gateway"], "/repo"),
        wait_for: WaitFor::Port("localhost:3100".to_owned()),
        timeout: Duration::from_mins(1),
    };
    assert_eq!(services, [gateway]);
    assert_eq!(
        checks.iter().map(told).collect::<Vec<_>>(),
        [
            "unit (smoke): [\"make\"] in /repo is 0, None, 600s, [], false, None",
            "health (smoke): GET http://127.0.0.1:3100/health {} \"\" is None, None, 600s, [\"gateway\", \"unit\"], false, None",
        ]
    );
}

#[test]
fn what_can_be_said() {
    let file = load(
        r#"
        [chain]
        on_failure = "stop"
        concurrency = 2
        [[service]]
        name = "gateway"
        command = ["./gateway", "--port", "3100"]
        folder = "services/gateway"
        env = { LOG = "debug" }
        pass_env = ["OPENAI_*"]
        wait_for = "http://127.0.0.1:3100/health"
        timeout_secs = 5
        [[smoke]]
        name = "unit"
        layer = "substrate"
        command = ["cargo", "test"]
        folder = "/srv/app"
        expect_status = 3
        expect_output = "^ok"
        parallel = true
        on_failure = "continue"
        [[smoke]]
        name = "validate"
        layer = "service"
        http = "http://127.0.0.1:3100/v1/validate"
        json = { a = 1 }
        headers = { Accept = "text/plain" }
        expect_status = 422
        timeout_secs = 2
        "#,
    );
    let Chain { services, checks, on_failure, concurrency } = file.unwrap().chain;
    assert_eq!((on_failure, concurrency.get()), (OnFailure::Stop, 2));
    let gateway = Service {
        name: "gateway".to_owned(),
        program: Program {
            env: [("LOG".to_owned(), "debug".to_owned())].into(),
            pass_env: vec!["OPENAI_*".to_owned()],
            ..program(&["./gateway", "--port", "3100"], "/repo/services/gateway")
        },
        wait_for: WaitFor::Url("http://127.0.0.1:3100/health".parse().unwrap()),
        timeout: Duration::from_secs(5),
    };
    assert_eq!(services, [gateway]);
    assert_eq!(
        checks.iter().map(told).collect::<Vec<_>>(),
        [
            "unit (substrate): [\"cargo\", \"test\"] in /srv/app is 3, Some(\"^ok\"), 600s, [], true, Some(Continue)",
            "validate (service): POST http://127.0.0.1:3100/v1/validate {\"accept\": \"text/plain\", \"content-type\": \"application/json\"} \"{\\\"a\\\":1}\" is Some(422), None, 2s, [], false, None",
        ]
    );
}

/// What is wrong with `text`, from the line on.
fn check(text: &str, expect: &str) {
    let found = load(text).map(|_| ()).unwrap_err();
    assert_eq!(found.strip_prefix("/repo/gauntlet.toml:").unwrap_or(&found), expect, "{text}");
}

fn smoke(keys: &str) -> String {
    format!("\n[[smoke]]\nname = \"unit\"\n{keys}")
}

fn service(keys: &str) -> String {
    format!("[[service]]\nname = \"gateway\"\n{keys}")
}

#[test]
fn keys_are_known_and_fit_together() {
    check(
        "[[smok]]\n",
        "1: unknown field `smok`, expected one of `chain`, `service`, `smoke`, `review`, `parity`, `gap`",
    );
    check("[[smoke]]\ncommand = [\"a\"]\n", "1: `name` is missing");
    check(
        &service("command = [\"a\"]\nwait_for = \"127.0.0.1:1\""),
        "1: service 1: \"gateway\" is never started: there is no [[smoke]] check, and what a comparison needs stands in its spec",
    );
    check(
        &smoke("comand = [\"a\"]\n").replace('\n', "\n\n"),
        "7: unknown field `comand`, expected one of `name`, `layer`, `command`, `folder`, `env`, `pass_env`, `http`, `method`, `headers`, `body`, `json`, `timeout_secs`, `expect_status`, `expect_output`, `needs`, `parallel`, `on_failure`",
    );
    check(
        &smoke(""),
        "2: smoke 1: \"unit\": needs a `command`, such as [\"make\", \"test\"], or `http`, an address",
    );
    check(
        &smoke("command = []"),
        "2: smoke 1: \"unit\": `command` is empty; it is a list, such as [\"make\", \"test\"]",
    );
    check(
        &smoke("command = [\"a\"]\nhttp = \"http://h\""),
        "2: smoke 1: \"unit\": has both `command` and `http`; it must be one of them",
    );
    check(
        &smoke("command = [\"a\"]\nmethod = \"PUT\""),
        "2: smoke 1: \"unit\": `method` means nothing to a command",
    );
    check(
        &smoke("http = \"http://h\"\nfolder = \"x\""),
        "2: smoke 1: \"unit\": `folder` means nothing to a request",
    );
    check(
        &smoke("http = \"h/health\""),
        "2: smoke 1: \"unit\": \"h/health\" is no address: relative URL without a base",
    );
    check(
        &smoke("http = \"ftp://h\""),
        "2: smoke 1: \"unit\": \"ftp://h\" is no address: it must begin with http:// or https://",
    );
}

#[test]
fn values_are_in_their_range() {
    check(
        &smoke("http = \"http://h\"\nexpect_status = 0"),
        "2: smoke 1: \"unit\": expect_status is 0, it must be from 100 to 599",
    );
    check(
        &smoke("command = [\"a\"]\nexpect_status = -1"),
        "2: smoke 1: \"unit\": expect_status is -1, it must be from 0 to 255",
    );
    check(
        &smoke("command = [\"a\"]\ntimeout_secs = 0"),
        "2: smoke 1: \"unit\": timeout_secs is 0, it must be from 1 to 604800",
    );
    check(
        &smoke("command = [\"a\"]\nexpect_output = \"(\""),
        "2: smoke 1: \"unit\": expect_output: \"(\" is no regular expression: unclosed group",
    );
}

#[test]
fn names_and_needs_hold_together() {
    check(
        &smoke("command = [\"a\"]\nneeds = [\"gatway\"]"),
        "2: smoke 1: no check or service named \"gatway\"",
    );
    check(
        &smoke("command = [\"a\"]\nneeds = [\"unit\"]"),
        "2: smoke 1: it can never begin: \"unit\" needs \"unit\"",
    );
    check(&smoke("command = [\"a\"]").repeat(2), "5: smoke 2: the name \"unit\" is that of smoke 1 already");
    check(&service("command = [\"a\"]"), "1: `wait_for` is missing");
    check(
        &service("command = [\"a\"]\nwait_for = \"3100\""),
        "1: service 1: \"gateway\": `wait_for` is \"3100\", it must be a port, such as \"127.0.0.1:3100\", or a URL, such as \"http://127.0.0.1:3100/health\"",
    );
    check("[chain]\n\nconcurrency = 0", "3: chain.concurrency is 0, it must be from 1 to 1000");
    check("[chain]\non_failure = \"halt\"", "2: on_failure is `halt`, it must be `continue` or `stop`");
}
