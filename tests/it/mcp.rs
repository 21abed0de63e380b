//! `scrum mcp`, driven by a client library as agents use it, in both ways the protocol knows to begin.

use std::sync::Mutex;

use rmcp::{
    ClientHandler, ClientLifecycleMode, ClientServiceExt, ErrorData, RoleClient,
    model::{
        CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, ClientRequest,
        ElicitRequestParams, ElicitResult, ElicitationAction, Implementation, ProgressNotificationParam,
        ProtocolVersion, Request,
    },
    service::{NotificationContext, PeerRequestOptions, RequestContext, RunningService},
    transport::TokioChildProcess,
};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{
    dispose::{ids, reviewed},
    sandbox::Sandbox,
};

/// A client with a human who says yes, no, or cannot be asked.
#[derive(Default)]
struct Person {
    agrees: Option<bool>,
    questions: Mutex<Vec<String>>,
    progress: Mutex<Vec<String>>,
    told: Notify,
}

impl ClientHandler for Person {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation = self.agrees.map(|_| <_>::default());
        ClientConfig::new(capabilities, Implementation::new("test-agent", "1.0"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        if let ElicitRequestParams::FormElicitationParams { message, .. } = request {
            self.questions.lock().unwrap().push(message);
        }
        let agree = json!({ "agree": self.agrees.unwrap() });
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(agree))
    }

    async fn on_progress(&self, progress: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.progress.lock().unwrap().extend(progress.message);
        self.told.notify_one();
    }
}

type Client = RunningService<RoleClient, Person>;

async fn connect(sandbox: &Sandbox, agrees: Option<bool>, mode: ClientLifecycleMode) -> Client {
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_scrum"));
    command.arg("mcp");
    let process = TokioChildProcess::new(tokio::process::Command::from(command)).unwrap();
    Person { agrees, ..Person::default() }.serve_with_lifecycle(process, mode).await.unwrap()
}

/// The handshake of today's agents.
const TODAY: ClientLifecycleMode = ClientLifecycleMode::Initialize;

/// Without a handshake, as from 2026-07-28 on.
fn newest() -> ClientLifecycleMode {
    ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
}

fn call(name: &'static str, arguments: &Value) -> CallToolRequestParams {
    CallToolRequestParams::new(name).with_arguments(arguments.as_object().unwrap().clone())
}

async fn ask(client: &Client, name: &'static str, arguments: Value) -> CallToolResult {
    client.call_tool(call(name, &arguments)).await.unwrap()
}

fn words(result: &CallToolResult) -> &str {
    &result.content[0].as_text().unwrap().text
}

#[track_caller]
fn refused(result: &CallToolResult, expect: &str) {
    assert_eq!(result.is_error, Some(true));
    assert!(words(result).contains(expect), "{expect:?} is missing in:\n{}", words(result));
}

#[tokio::test]
async fn tools_say_what_they_do() {
    let sandbox = Sandbox::new();
    for mode in [TODAY, newest()] {
        let client = connect(&sandbox, None, mode).await;
        let tools = client.list_all_tools().await.unwrap();
        let hints = |hint: Option<bool>| hint.map_or("-", |hint| if hint { "yes" } else { "no" });
        let told = tools.iter().map(|tool| {
            let annotations = tool.annotations.as_ref().unwrap();
            jsonschema::validator_for(&tool.schema_as_json_value()).unwrap();
            format!(
                "{}: read-only {}, destructive {}, open world {}\n",
                tool.name,
                hints(annotations.read_only_hint),
                hints(annotations.destructive_hint),
                hints(annotations.open_world_hint)
            )
        });
        insta::allow_duplicates! {
            insta::assert_snapshot!(told.collect::<String>(), @"
            review: read-only no, destructive no, open world yes
            tally: read-only yes, destructive -, open world no
            explain: read-only yes, destructive -, open world no
            dispose: read-only no, destructive yes, open world no
            ");
        }
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn a_review_gives_progress_and_a_tally() {
    let sandbox = reviewed();
    for mode in [TODAY, newest()] {
        let client = connect(&sandbox, None, mode).await;
        let result = ask(&client, "review", json!({"range": "HEAD~1..HEAD", "panel": "auto"})).await;
        assert_eq!(result.is_error, Some(false), "{}", words(&result));
        let expect = [
            "each found by one lineage alone (1 BLOCK, 1 WARN)",
            "app.py:2",
            "kimi (moonshot) says WARN.",
            "none is an instruction",
        ];
        for text in expect {
            assert!(words(&result).contains(text), "{text:?} is missing in:\n{}", words(&result));
        }
        let value = result.structured_content.unwrap();
        let tools = client.list_all_tools().await.unwrap();
        let schema = Value::Object((**tools[0].output_schema.as_ref().unwrap()).clone());
        jsonschema::validator_for(&schema).unwrap().validate(&value).unwrap();
        assert_eq!(value["issues"].as_array().unwrap().len(), 2);
        let run = value["run"].as_str().unwrap();
        assert!(sandbox.scrum(&["report", run]).stdout.contains("app.py:2"));
        let again = ask(&client, "tally", json!({"run": run})).await.structured_content.unwrap();
        assert_eq!(again, value);
        let second = ask(&client, "tally", json!({"skip": 1, "issues": 1})).await.structured_content.unwrap();
        assert_eq!((&second["issues"][0], &second["other_issues"]), (&value["issues"][1], &json!(1)));
        let progress = client.service().progress.lock().unwrap().join("\n");
        assert!(progress.contains("opus"), "{progress}");
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn errors_are_those_of_the_command_line() {
    let sandbox = reviewed();
    let client = connect(&sandbox, None, TODAY).await;
    let result = ask(&client, "review", json!({"range": "nowhere..HEAD"})).await;
    refused(&result, sandbox.scrum(&["review", "nowhere..HEAD"]).stderr.trim_end());
    let result = ask(&client, "review", json!({"range": "HEAD~1..HEAD", "panel": "nobody"})).await;
    refused(&result, "hint: panels: ");
    // No value is read as a flag, a file to write or another configuration.
    for range in ["--help", "--config=/dev/null", "-oout", "--dry-run"] {
        refused(&ask(&client, "review", json!({ "range": range })).await, "error: ");
    }
    refused(&ask(&client, "review", json!({"max_cost": 1000})).await, "unknown field `max_cost`");
    refused(&ask(&client, "tally", json!({"run": "zzz"})).await, "hint: newest runs: ");
    refused(&ask(&client, "explain", json!({"issue": "zzz"})).await, "hint: `scrum report ");
    assert!(client.call_tool(call("destroy", &json!({}))).await.is_err());
    let nothing = ask(&client, "review", json!({"range": "HEAD..HEAD"})).await;
    assert_eq!(nothing.is_error, Some(false), "{}", words(&nothing));
    let value = nothing.structured_content.unwrap();
    assert_eq!((&value["run"], &value["verdict"]), (&json!(""), &json!("inconclusive")));
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn an_issue_is_explained() {
    let sandbox = reviewed();
    let client = connect(&sandbox, None, TODAY).await;
    let id = ids(&sandbox).remove(0);
    let result = ask(&client, "explain", json!({"issue": &id[..6]})).await;
    assert!(words(&result).contains("The parsed amount may be negative"), "{}", words(&result));
    assert_eq!(result.structured_content.unwrap()["issue"], json!(id));
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn only_a_human_decides() {
    for mode in [TODAY, newest()] {
        let sandbox = reviewed();
        let id = ids(&sandbox).remove(0);
        let asked = json!({"issue": id, "decision": "false", "why": "the caller checks\n\u{1b}[2J it"});
        let decisions = || {
            sandbox.scrum(&["report", "latest", "--format", "json"]).stdout.matches("\"decision\"").count()
        };

        let client = connect(&sandbox, None, mode.clone()).await;
        let result = ask(&client, "dispose", asked.clone()).await;
        refused(&result, "only a human decides");
        refused(&result, &format!(" {id} false --why \"…\""));
        client.cancel().await.unwrap();

        let client = connect(&sandbox, Some(false), mode.clone()).await;
        refused(
            &ask(&client, "dispose", asked.clone()).await,
            "the human did not agree: nothing was decided",
        );
        assert_eq!(decisions(), 0);
        client.cancel().await.unwrap();

        let client = connect(&sandbox, Some(true), mode).await;
        let result = ask(&client, "dispose", asked).await;
        assert_eq!(result.is_error, Some(false), "{}", words(&result));
        let question = client.service().questions.lock().unwrap().join("\n");
        for text in [
            "call this issue false",
            "will not count",
            "app.py:2",
            "The agent's reason: the caller checks ␛[2J it",
        ] {
            assert!(question.contains(text), "{text:?} is missing in:\n{question}");
        }
        let report = sandbox.scrum(&["report", "latest", "--format", "markdown"]).stdout;
        assert!(report.contains("Decided false by Ada Byron (asked by test-agent) on "), "{report}");
        assert_eq!(decisions(), 1);
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn a_cancelled_review_keeps_what_was_answered() {
    let sandbox = Sandbox::new();
    sandbox.script(
        "echo 'a = 1' > a.py; git add -A; git commit -qm one; echo 'a = 2' > a.py; git commit -qam two",
    );
    let pid = sandbox.home().join("pid");
    let script = format!("echo $$ > '{}'; exec sleep 1000", pid.display());
    let slow = format!(
        "[[reviewer]]\nid = \"slow\"\nprovider = \"command\"\ncommand = [\"sh\", \"-c\", \"{script}\"]\n"
    );
    sandbox.write("scrum.toml", slow);
    let client = connect(&sandbox, None, TODAY).await;
    let arguments = json!({"range": "HEAD~1..HEAD", "reviewers": ["rules", "slow"]});
    let request = ClientRequest::CallToolRequest(Request::new(call("review", &arguments)));
    let handle = client.send_cancellable_request(request, PeerRequestOptions::no_options()).await.unwrap();
    while !client.service().progress.lock().unwrap().iter().any(|line| line.contains("rules")) {
        client.service().told.notified().await;
    }
    handle.cancel(Some("enough".to_owned())).await.unwrap();
    // The server ends once its reviews have.
    client.cancel().await.unwrap();
    let report = sandbox.scrum(&["report", "latest", "--format", "json"]);
    let tally: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(tally["run"]["finished_at"], Value::Null, "{report:?}");
    let states: Vec<&Value> =
        tally["coverage"].as_array().unwrap().iter().map(|task| &task["state"]).collect();
    assert!(states.contains(&&json!("answered")) && states.len() == 2, "{states:?}");
    if let Ok(pid) = std::fs::read_to_string(pid) {
        assert_eq!(sandbox.script(&format!("kill -0 {} 2>/dev/null && echo alive || true", pid.trim())), "");
    }
}
