//! Specs that are wrong, and what is said of them; command sides; answers that stand in for a side.

use crate::sandbox::Sandbox;

const SIDES: &str =
    "[[side]]\nname = \"A\"\ncommand = [\"cat\"]\n[[side]]\nname = \"B\"\ncommand = [\"cat\"]\n";

fn check(spec: &str, expect: &str) {
    let sandbox = Sandbox::without_repository();
    sandbox.write("spec.toml", spec);
    sandbox.write("broken.jsonl", "{\"name\":\"a\",\"body\":\"x\"}\n\n{\"name\":\"b\",\"bdoy\":\"x\"}\n");
    sandbox.write("twice.jsonl", "{\"name\":\"a\"}\n{\"name\":\"a\"}\n");
    sandbox.write("answers.jsonl", "{\"case\":\"a\",\"exit\":0}\n{\n");
    let printed = sandbox.scrum(&["parity", "spec.toml"]);
    let root = format!("{}/", sandbox.repo().canonicalize().unwrap().display());
    let stderr = printed.stderr.replace(&root, "").replace(&format!("{}/", sandbox.repo().display()), "");
    assert_eq!((printed.status, stderr.trim_end()), (2, expect), "{spec}");
}

#[test]
fn what_is_wrong_with_a_spec_is_told_with_its_line() {
    check(
        "",
        "error: spec.toml:1: parity needs two sides or more\nhint: write a `[[side]]` for each, with a `name` and a `url`, a `command` or recorded `answers`",
    );
    check(
        SIDES,
        "error: spec.toml:1: there is no case\nhint: write `[[case]]` with a `name`, or `cases = [\"cases.jsonl\"]`",
    );
    check(
        "ingore = [\"/a\"]\n",
        "error: spec.toml:1: unknown field `ingore`, expected one of `name`, `concurrency`, `ignore`, `mask`, `sort`, `tolerance`, `replace`, `compare_headers`, `service`, `side`, `case`, `cases`\nhint: did you mean `ignore`?",
    );
    check(
        "ignore = [\"a\"]\n",
        "error: spec.toml:1: ignore: \"a\" is no JSON pointer: it must be empty or begin with `/`, as in \"/elapsed_ms\"",
    );
    check("tolerance = -1.0\n", "error: spec.toml:1: tolerance: must be a number of 0 or more");
    check(
        "[[replace]]\npattern = \"(\"\nwith = \"\"\n",
        "error: spec.toml:1: replace 1: pattern \"(\": regex parse error:     (     ^ error: unclosed group",
    );
    let one = "[[side]]\nname = \"A\"\nurl = \"http://127.0.0.1:1\"\n";
    check(
        one,
        "error: spec.toml:1: parity needs two sides or more\nhint: write a `[[side]]` for each, with a `name` and a `url`, a `command` or recorded `answers`",
    );
    check(&format!("{one}{one}"), "error: spec.toml:4: side 2: another side is named \"A\" too");
    check(
        &format!("{one}[[side]]\nname = \"B\"\n"),
        "error: spec.toml:4: side 2: needs `url`, `command` or `answers`, one of them",
    );
    check(
        &format!("{one}[[side]]\nname = \"B\"\nurl = \"localhost:80\"\n"),
        "error: spec.toml:4: side 2: \"localhost:80\" is no address: it must begin with http:// or https://",
    );
    check(
        &format!("{one}[[side]]\nname = \"B\"\nurl = \"http://h\"\nfiles = [\"a\"]\n"),
        "error: spec.toml:4: side 2: `files` is for a side with `command`",
    );
    check(
        &format!("{one}[[side]]\nname = \"B\"\nanswers = \"answers.jsonl\"\n"),
        "error: answers.jsonl:2: EOF while parsing an object at line 1 column 1",
    );
    check(
        &format!("cases = \"broken.jsonl\"\n{SIDES}"),
        "error: broken.jsonl:3: unknown field `bdoy`, expected one of `name`, `method`, `path`, `headers`, `json`, `body`, `body_file`, `body_files`, `timeout_secs`, `allow_empty`",
    );
    check(
        &format!("cases = \"twice.jsonl\"\n{SIDES}"),
        "error: twice.jsonl:2: case \"a\" is there twice, first at twice.jsonl:1",
    );
    check(
        &format!("cases = [\"none/*.json\"]\n{SIDES}"),
        "error: spec.toml:1: cases: no file matches \"none/*.json\"",
    );
    check(
        &format!("{SIDES}[[case]]\nname = \"a\"\npath = \"x\"\n"),
        "error: spec.toml:7: case 1: path \"x\" must begin with `/`",
    );
    check(
        &format!("{SIDES}[[case]]\nname = \"a\"\nbody = \"x\"\njson = 1\n"),
        "error: spec.toml:7: case 1: has more than one of `json`, `body`, `body_file` and `body_files`",
    );
    check(
        &format!("{SIDES}[[case]]\nname = \"a\"\n[[case]]\nname = \"a\"\n"),
        "error: spec.toml:9: case \"a\" is there twice, first at spec.toml:7",
    );
}

#[test]
fn commands_are_sides() {
    let sandbox = Sandbox::without_repository();
    sandbox.write(
        "spec.toml",
        "cases = [\"cases/*.json\", \"traffic.har\"]\n\
         [[side]]\nname = \"cat\"\ncommand = [\"sh\", \"-c\", \"cat; echo x > out.txt\"]\nfiles = [\"out.txt\"]\n\
         [[side]]\nname = \"sed\"\ncommand = [\"sed\", \"s/3/4/\"]\n\
         [[case]]\nname = \"same\"\njson = { a = [1, 2] }\n\
         [[case]]\nname = \"other\"\nbody = \"{\\\"a\\\": 3}\"\n",
    );
    sandbox.write("cases/one.json", "{\"name\": \"big\", \"json\": 12345678901234567890123}");
    sandbox.write(
        "traffic.har",
        r#"{"log":{"entries":[{"request":{"method":"POST","url":"https://h.example/v1/x?y=1","headers":[],"postData":{"text":"hello"}}}]}}"#,
    );
    let printed = sandbox.scrum(&["parity", "spec.toml", "--record", "cat=said.jsonl", "--format", "json"]);
    assert_eq!(printed.status, 1, "{}", printed.stderr);
    let report: serde_json::Value = serde_json::from_str(&printed.stdout).unwrap();
    let verdicts: Vec<String> = report["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| format!("{} {}", case["name"], case["verdict"]))
        .collect();
    insta::assert_snapshot!(verdicts.join("\n"), @r#"
    "same" "diff"
    "other" "diff"
    "big" "diff"
    "POST /v1/x?y=1" "diff"
    "#);
    let causes: Vec<&str> =
        report["causes"].as_array().unwrap().iter().map(|cause| cause["what"].as_str().unwrap()).collect();
    insta::assert_snapshot!(causes.join("\n"), @"
    file out.txt is missing on sed
    other text, body
    other number at /a
    ");
    // What it said stands in for it.
    let spec = std::fs::read_to_string(sandbox.repo().join("spec.toml")).unwrap();
    let stand_in = spec.replace("command = [\"sed\", \"s/3/4/\"]", "answers = \"said.jsonl\"");
    sandbox.write("again.toml", stand_in);
    let printed = sandbox.scrum(&["parity", "again.toml"]);
    assert_eq!(
        (printed.status, printed.stdout.lines().nth(1)),
        (0, Some("4 match · 0 diff (out of 4 cases)")),
        "{printed:?}"
    );
}

#[test]
fn services_are_started_and_stopped() {
    let sandbox = Sandbox::without_repository();
    sandbox.write(
        "spec.toml",
        format!("{SIDES}[[service]]\nname = \"never\"\ncommand = [\"sh\", \"-c\", \"echo no port >&2; exit 3\"]\nwait_for = \"127.0.0.1:9\"\n[[case]]\nname = \"a\"\nbody = \"x\"\n"),
    );
    let printed = sandbox.scrum(&["parity", "spec.toml"]);
    assert_eq!(
        (printed.status, printed.stderr.trim_end()),
        (
            3,
            "warning: nothing was compared: service `never`: it ended before it was ready: exit status 3; it says: no port"
        )
    );
}
