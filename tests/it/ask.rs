//! `scrum ask`: a conversation with a reviewer about what it reported.

use crate::{
    explain::reviewed_as,
    mock::{Act, Asked, Mock},
    sandbox::Sandbox,
};

/// The convergence case reviewed, and from then on kimi at `url` and sonnet a program.
fn reviewed(url: &str) -> Sandbox {
    let sandbox = reviewed_as("convergence", &[]);
    let program = "[[reviewer]]\nid = \"sonnet\"\nprovider = \"command\"\nmodel = \"claude-sonnet-4-6\"\n\
                   command = [\"sh\", \"-c\", \"printf 'I was told '; grep -c . \"]\n";
    let kimi = format!(
        "[[reviewer]]\nid = \"kimi\"\nprovider = \"openai\"\nmodel = \"moonshotai/kimi-k2-0905\"\nbase_url = \"{url}\"\n"
    );
    sandbox.write("scrum.toml", kimi + program);
    sandbox
}

fn text_of(asked: &Asked, message: usize) -> String {
    asked.body["messages"][message]["content"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_goes_on() {
    let mock = Mock::start(|asked| {
        let answer = format!("Because of line 8.\u{1b}[2J\nAnswer {}.", asked.number);
        std::future::ready(Act::Reply(answer))
    })
    .await;
    let sandbox = reviewed(&mock.url);
    let first = sandbox.scrum(&["ask", "latest", "91c9", "Can the balance really go negative?"]);
    assert_eq!(
        (first.status, first.stdout.as_str()),
        (0, "Because of line 8.␛[2J\nAnswer 0.\n"),
        "{first:?}"
    );
    assert!(first.stderr.contains("kimi (moonshotai/kimi-k2-0905) answered"), "{}", first.stderr);
    let second = sandbox.scrum(&["ask", "latest", "91c9", "And with two at once?"]);
    assert_eq!(second.stdout, "Because of line 8.␛[2J\nAnswer 1.\n", "{second:?}");
    let anew = sandbox.scrum(&["ask", "latest", "91c9", "Anew?", "--new"]);
    assert_eq!(anew.status, 0, "{anew:?}");
    let asked = mock.asked();
    let system = text_of(&asked[0], 0);
    for part in [
        "You are kimi, one of those who reported it.",
        "An issue at services/ledger/transfer.go:8, reported as BLOCK.",
        "> What: Insufficient balance is logged",
        "> sonnet:",
        "| +\tif from.Balance < amount {",
    ] {
        assert!(system.contains(part), "{part} in\n{system}");
    }
    assert_eq!(text_of(&asked[0], 1), "Can the balance really go negative?");
    assert_eq!(text_of(&asked[1], 0), system, "the same context");
    let told = text_of(&asked[1], 1);
    assert!(told.contains("> Can the balance really go negative?\n> You answered:\n"), "{told}");
    assert!(told.contains("> Because of line 8.<U+001B>[2J\n"), "{told}");
    assert!(told.ends_with("\n\nAnd with two at once?"), "{told}");
    assert_eq!(text_of(&asked[2], 1), "Anew?");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_leaves_nothing() {
    let page = |body: &str| Act::Page { status: 400, headers: Vec::new(), body: body.to_owned() };
    let mock = Mock::start(move |asked| {
        std::future::ready(match asked.number {
            0 => page("{\"error\":{\"message\":\"no such thing\"}}"),
            _ => Act::Reply("Here.".to_owned()),
        })
    })
    .await;
    let sandbox = reviewed(&mock.url);
    let failed = sandbox.scrum(&["ask", "latest", "91c9", "Why?", "--store", "own.db"]);
    assert_eq!((failed.status, failed.stdout.as_str()), (2, ""), "{failed:?}");
    assert!(failed.stderr.contains("kimi gave no whole answer"), "{}", failed.stderr);
    let next = sandbox.scrum(&["ask", "latest", "91c9", "-", "--store", "own.db"]);
    assert_eq!(next.status, 2, "standard input is empty: {next:?}");
    let next = sandbox.scrum(&["ask", "latest", "91c9", "Why then?", "--store", "own.db"]);
    assert_eq!((next.status, next.stdout.as_str()), (0, "Here.\n"), "{next:?}");
    assert_eq!(text_of(&mock.asked()[1], 1), "Why then?");
    assert!(!sandbox.repo().join(".scrum/scrum.db").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_answer_and_offline_reviewers_say_why_not() {
    let mock = Mock::always(|| Act::Reply("Yes.".to_owned())).await;
    let sandbox = reviewed(&mock.url);
    let program = sandbox.scrum(&["ask", "latest", "91c9", "Why?", "-r", "sonnet"]);
    assert_eq!(program.status, 0, "{program:?}");
    assert!(program.stdout.starts_with("I was told "), "{program:?}");
    let unknown = sandbox.scrum(&["ask", "latest", "ffff", "Why?"]);
    assert_eq!(unknown.status, 2, "{unknown:?}");
    let nobody = sandbox.scrum(&["ask", "latest", "91c9", "Why?", "-r", "opuss"]);
    assert!(nobody.stderr.contains("opuss"), "{nobody:?}");
    sandbox.write("scrum.toml", "[[reviewer]]\nid = \"rules\"\nprovider = \"builtin\"\nmodel = \"rules\"\n");
    let offline = sandbox.scrum(&["ask", "latest", "91c9", "Why?", "-r", "rules"]);
    assert_eq!(offline.status, 2, "{offline:?}");
    insta::assert_snapshot!(offline.stderr, @"
    error: nobody can be asked about 91c906e1ecf8: rules: a reviewer of kind `builtin` takes no questions
    hint: configure a [[reviewer]] that is a model, or set a provider's key: `scrum doctor` shows what there is
    hint: `scrum explain latest 91c906e1ecf8` shows what was reported, and why it is one issue
    ");
    let keyless = "[[reviewer]]\nid = \"opus\"\nprovider = \"anthropic\"\nmodel = \"claude-opus-4-7\"\napi_key_env = \"NO_KEY\"\n";
    let able = "[[reviewer]]\nid = \"local\"\nprovider = \"openai\"\nmodel = \"qwen3\"\nbase_url = \"http://127.0.0.1:9/v1\"\n";
    sandbox.write("own.toml", format!("{keyless}{able}"));
    let keyless = sandbox.scrum(&["ask", "latest", "91c9", "Why?", "-r", "opus", "--config", "own.toml"]);
    insta::assert_snapshot!(keyless.stderr, @"
    error: nobody can be asked about 91c906e1ecf8: opus: NO_KEY is not set
    hint: ask somebody else with `-r`: local
    hint: `scrum explain latest 91c906e1ecf8` shows what was reported, and why it is one issue
    ");
    let gone = sandbox.scrum(&["ask", "latest", "91c9", "Why?"]);
    insta::assert_snapshot!(gone.stderr, @"
    error: nobody can be asked about 91c906e1ecf8: kimi: not configured here; opus: not configured here; sonnet: not configured here
    hint: configure a [[reviewer]] that is a model, or set a provider's key: `scrum doctor` shows what there is
    hint: `scrum explain latest 91c906e1ecf8` shows what was reported, and why it is one issue
    ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_keep_both_turns() {
    let mock = Mock::always(|| Act::Reply("Yes.".to_owned())).await;
    let sandbox = reviewed(&mock.url);
    std::thread::scope(|scope| {
        let ask = || assert_eq!(sandbox.scrum(&["ask", "latest", "91c9", "Why?"]).status, 0);
        let asking: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        for one in asking {
            one.join().unwrap();
        }
    });
    let database = rusqlite::Connection::open(sandbox.repo().join(".scrum/scrum.db")).unwrap();
    let count = |table: &str| -> i64 {
        database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count("messages"), 8);
    let roles: String = database
        .query_row(
            "SELECT group_concat(role, ' ') FROM (SELECT role FROM messages ORDER BY thread, place)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(roles, ["user assistant"; 4].join(" "));
}
