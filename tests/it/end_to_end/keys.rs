//! The value of a key goes to the server, or to the program that is to have it, and nowhere else.

use std::{fs, path::Path};

use super::{KEY, json, ledger, model, program, review, scene};
use crate::{
    mock::{Act, Asked, Mock, ending, event, json_page},
    sandbox::{Printed, Sandbox},
};

/// A server that tells everybody what it was sent.
fn gossip(asked: &Asked) -> Act {
    let named = ["authorization", "x-api-key"].iter().find_map(|name| asked.headers.get(*name));
    let header = named.unwrap().to_str().unwrap();
    let words = format!("rejected request with Authorization: {header}");
    let model = asked.body["model"].as_str().unwrap();
    let error = serde_json::json!({"error": {"message": words}});
    match model {
        "page" => Act::Page { status: 403, headers: Vec::new(), body: format!("<title>{words}</title>") },
        "text" => Act::Page { status: 400, headers: Vec::new(), body: words },
        "status" => Act::Page { status: 429, headers: Vec::new(), body: words },
        "object" => json_page(401, &error),
        "event" => Act::Stream(vec![format!("data: {error}\n\n").into_bytes()]),
        "encoded" => json_page(400, &serde_json::json!({"error": {"message": format!("token {BASE64}")}})),
        "reply" => Act::Reply(format!("SEVERITY: WARN\nWHERE: a.py:1\nWHAT: {header}\n\nVERDICT: hold\n")),
        "finish" => Act::Stream(vec![event("VERDICT: ship"), ending(header)]),
        "anthropic" => {
            let stop = serde_json::json!({"type": "message_delta", "delta": {"stop_reason": header}});
            Act::Stream(vec![format!("data: {stop}\n\n").into_bytes()])
        }
        "broken" => Act::Stream(vec![format!("data: {words}\n\n").into_bytes()]),
        _ => json_page(200, &error),
    }
}

/// [`KEY`] in base64, without what the bytes behind it decide.
const BASE64: &str = "c2stdmVyeS1zZWNyZXQtMDEyMzQ1Njc4O";

/// Every file under `folder`.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_is_written_whatever_the_server_says() {
    let mock = Mock::start(|asked| std::future::ready(gossip(&asked))).await;
    let kinds = [
        "page",
        "text",
        "status",
        "object",
        "event",
        "broken",
        "reply",
        "plain",
        "finish",
        "encoded",
        "anthropic",
    ];
    let entry = |kind: &str| match kind {
        "anthropic" => model(kind, kind, &mock).replace("\"openai\"", "\"anthropic\""),
        _ => model(kind, kind, &mock),
    };
    let mut panel: Vec<String> = kinds.into_iter().map(entry).collect();
    panel.push(model("messages", "object", &mock).replace("\"openai\"", "\"anthropic\""));
    let chatty = "echo \"WHAT: $MOCK_KEY\"; echo $MOCK_KEY | base64; echo VERDICT: hold";
    let dying = "echo half a reply $MOCK_KEY; echo \"no such key: $MOCK_KEY\" >&2; exit 3";
    panel.extend(
        [program("chatty", chatty), program("dying", dying)]
            .map(|entry| format!("{entry}pass_env = [\"MOCK_KEY\"]\n")),
    );
    let sandbox = scene(&["alpha"], &panel);
    let printed = review(&sandbox, &["--timeout", "1", "--format", "json"]);
    let resumed = review_again(&sandbox);
    assert_eq!(printed.status, 0, "one of them answered: {printed:?}");
    assert!(printed.stdout.contains("Bearer [key]"), "{}", printed.stdout);
    let lines = ledger(&json(&printed));
    assert!(lines.iter().any(|line| line.contains("Authorization: Bearer [key]")), "{lines:?}");
    assert_nowhere(&sandbox, &[printed, resumed], &[KEY, BASE64]);
    assert!(!files(&sandbox.repo().join(".scrum/cache")).is_empty());
}

/// None of `forms` is in a file of the runs, the cache and the user's home, nor in what was printed.
#[track_caller]
fn assert_nowhere(sandbox: &Sandbox, printed: &[Printed], forms: &[&str]) {
    let files = [files(&sandbox.repo().join(".scrum")), files(&sandbox.home())].concat();
    assert!(
        files.iter().any(|path| path.components().any(|part| part.as_os_str() == "replies")),
        "{files:?}"
    );
    let said = printed.iter().flat_map(|one| [("stdout", &one.stdout), ("stderr", &one.stderr)]);
    let said = said.map(|(name, text)| (name.into(), text.clone().into_bytes()));
    for (name, text) in files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).chain(said) {
        let text = String::from_utf8_lossy(&text);
        for form in forms {
            assert!(!text.contains(form), "{form} in {}: {text}", name.display());
        }
    }
}

/// A key that looks another way in a URL.
const ODD_KEY: &str = "sk-very+secret/0123456789";
/// [`ODD_KEY`] in base64, without what the bytes behind it decide.
const ODD_BASE64: &str = "c2stdmVyeStzZWNyZXQvMDEyMzQ1Njc4O";
const ODD_URL: &str = "sk-very%2Bsecret%2F0123456789";

/// A shell script that writes SARIF about `alpha/code.py:1` with `words` as the message, and warns on stderr.
fn sarif(words: &str) -> String {
    let log = |words: &str| {
        format!(
            r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"nosy"}}}},"results":[{{"ruleId":"R1","level":"error","message":{{"text":"{words}"}},"locations":[{{"physicalLocation":{{"artifactLocation":{{"uri":"'$FILE'"}},"region":{{"startLine":1}}}}}}]}}]}}]}}"#
        )
    };
    // In two words: a tool that names a file of the change would not be asked.
    format!("FILE='alpha'/code.py; printf '%s' '{}'; echo \"$MOCK_KEY\" >&2", log(&format!("'\"{words}\"'")))
}

/// A static tool that is a shell script.
fn tool(id: &str, script: &str, more: &str) -> String {
    format!(
        "[[reviewer]]\nid = \"{id}\"\nprovider = \"sarif\"\nmodel = \"{id}\"\ncommand = [\"sh\", \"-c\", {script:?}]\n{more}"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_static_tool_has_no_key_and_repeats_none() {
    let mock = Mock::always(|| Act::Reply("VERDICT: ship, all read".to_owned())).await;
    let passed = "pass_env = [\"MOCK_KEY\"]\n";
    // Where the message is shortened, half of a key must not be left.
    let padded = format!("It leaks {}${{MOCK_KEY}}", "x".repeat(375));
    let panel = [
        model("opus", "claude-opus-4-7", &mock),
        tool("nosy", &sarif("It leaks ${MOCK_KEY:-nothing}"), ""),
        tool("trusted", &sarif(&format!("It leaks $MOCK_KEY {ODD_BASE64} {ODD_URL}")), passed),
        tool("long", &sarif(&padded), passed),
        tool("dying", "echo \"no such key: $MOCK_KEY\" >&2; exit 3", passed),
        "[[reviewer]]\nid = \"saved\"\nprovider = \"sarif\"\nmodel = \"saved\"\nreport = \"../saved.sarif\"\n".to_owned(),
    ];
    let sandbox = scene(&["alpha"], &panel);
    let write =
        format!("MOCK_KEY='{ODD_KEY}'; ({}) > ../saved.sarif 2>/dev/null", sarif("It leaks $MOCK_KEY"));
    sandbox.script(&write);
    let printed =
        sandbox.scrum_with(&["review", "HEAD~1..HEAD", "--format", "json"], &[("MOCK_KEY", ODD_KEY)]);
    let lines = ledger(&json(&printed));
    assert!(lines.iter().any(|line| line.contains("no such key: [key]")), "{lines:?}");
    for said in ["It leaks nothing", "It leaks [key] [key] [key]", "It leaks [key] (R1)"] {
        assert!(printed.stdout.contains(said), "{said}: {}", printed.stdout);
    }
    assert_nowhere(&sandbox, &[printed], &[ODD_KEY, ODD_BASE64, ODD_URL, "sk-very"]);
}

/// What is shown of the run afterwards, in every form.
fn review_again(sandbox: &Sandbox) -> Printed {
    let resume = ["review", "--resume", "latest", "--timeout", "1", "--verify"];
    let mut all =
        sandbox.scrum_with(&resume, &[("MOCK_KEY", KEY), ("RUST_BACKTRACE", "full"), ("RUST_LOG", "trace")]);
    for page in [&["report", "latest", "--format", "markdown"][..], &["tally", "latest"], &["stats"]] {
        let shown = sandbox.scrum(page);
        all.stdout += &shown.stdout;
        all.stderr += &shown.stderr;
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_not_set_sends_nothing() {
    let mock = Mock::always(|| Act::Reply("VERDICT: ship".to_owned())).await;
    let sandbox = scene(&["alpha"], &[model("opus", "claude-opus-4-7", &mock)]);
    for variables in [&[][..], &[("MOCK_KEY", "")]] {
        let printed = sandbox.scrum_with(&["review", "HEAD~1..HEAD"], variables);
        assert_eq!((printed.status, printed.stdout.as_str()), (2, ""), "{printed:?}");
        assert!(printed.stderr.contains("MOCK_KEY"), "{}", printed.stderr);
    }
    assert_eq!(mock.asked().len(), 0);
}
