//! Single attempts at programs, well-behaved and not.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use scrum::{
    provider::{Answer, AskError, Draft, Opener, Provider, Question, Sample, sarif::Site},
    reviewer::{Access, Invocation, OutputForm, Reviewer},
};
use secrecy::SecretString;
use tokio::io::AsyncReadExt;

use crate::provider::{open, question, reviewer};

/// A reviewer that runs `script` with `sh`.
pub(crate) fn shell(id: &str, script: &str) -> Reviewer {
    let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
    let env = BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]);
    reviewer(id, Access::Command(Invocation { argv, env, ..Invocation::default() }))
}

async fn ask(reviewer: &Reviewer) -> Result<Answer, AskError> {
    open(reviewer).ask(&question("c1_core"), Sample::Any, &Arc::new(Draft::new())).await
}

fn answer(text: &str) -> Answer {
    Answer { text: text.to_owned(), ..Answer::default() }
}

fn unavailable(reason: &str, partial: &str) -> AskError {
    AskError::Unavailable { reason: reason.to_owned(), for_now: false, partial: partial.to_owned() }
}

/// A pipe that tells when the last process that `script` starts with descriptor 9 open has gone.
pub(crate) fn life_line(dir: &Path) -> (String, tokio::net::unix::pipe::Receiver) {
    let path = dir.join("life");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let receiver = tokio::net::unix::pipe::OpenOptions::new().open_receiver(&path).unwrap();
    (path.display().to_string(), receiver)
}

/// Waits until somebody wrote, and then until all writers are gone.
pub(crate) async fn gone(mut line: tokio::net::unix::pipe::Receiver) -> String {
    let mut text = String::new();
    while text.is_empty() {
        line.readable().await.unwrap();
        line.read_to_string(&mut text).await.unwrap();
    }
    text
}

#[tokio::test]
async fn the_prompt_goes_in_and_the_reply_comes_out() {
    assert_eq!(
        ask(&shell("cat", "cat; echo; echo $GREETING")).await,
        Ok(answer("Review this.\n\ndiff\nhello\n"))
    );
    assert_eq!(ask(&shell("deaf", "echo fine")).await, Ok(answer("fine\n")));
    assert_eq!(ask(&shell("mute", "cat > /dev/null")).await, Ok(answer("")));
    assert_eq!(ask(&shell("closed", "exec <&-; echo fine")).await, Ok(answer("fine\n")));
}

#[tokio::test]
async fn failures_in_clear_words() {
    assert_eq!(
        ask(&shell("bad", "echo part; printf '\\033[31mno\\n  login\\033[0m\\n' >&2; exit 3")).await,
        Err(unavailable("program `sh`: exit status 3: ␛[31mno login␛[0m", "part\n"))
    );
    assert_eq!(
        ask(&shell("dead", "kill -9 $$")).await,
        Err(unavailable("program `sh`: killed by signal 9", ""))
    );
    let program =
        |name: &str| Access::Command(Invocation { argv: vec![name.to_owned()], ..Invocation::default() });
    let hint = "install it, put it on PATH, or write its full path in the reviewer's command";
    assert_eq!(
        ask(&reviewer("missing", program("no-such-program"))).await,
        Err(unavailable(&format!("program `no-such-program` not found: {hint}"), ""))
    );
    let reason = "program `/etc/passwd` may not be executed: check its permissions";
    assert_eq!(ask(&reviewer("file", program("/etc/passwd"))).await, Err(unavailable(reason, "")));
}

#[tokio::test]
async fn only_the_end_of_a_long_complaint_is_shown() {
    let error =
        ask(&shell("loud", "yes ééé | head -c 1000000 >&2; echo the end >&2; exit 1")).await.unwrap_err();
    let AskError::Unavailable { reason, .. } = error else { panic!("{error:?}") };
    assert!(reason.starts_with("program `sh`: exit status 1: ") && reason.ends_with("the end"), "{reason}");
    assert!(reason.len() < 600, "{reason}");
}

#[tokio::test]
async fn a_flood_is_stopped() {
    let error = ask(&shell("flood", "head -c 1000000000 /dev/zero | tr '\\0' x")).await.unwrap_err();
    let AskError::Permanent { reason, partial } = error else { panic!("{error:?}") };
    assert_eq!(reason, "program `sh`: wrote more than 4 MiB and was stopped");
    assert_eq!(partial.len(), 4 << 20);
}

#[tokio::test]
async fn what_a_program_leaves_behind_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let (path, line) = life_line(dir.path());
    let script = format!("exec 9>'{path}'; echo here >&9; sleep 1000 & echo reply");
    assert_eq!(ask(&shell("forks", &script)).await, Ok(answer("reply\n")));
    assert_eq!(gone(line).await, "here\n");
}

#[tokio::test]
async fn dropping_the_attempt_kills_the_whole_family() {
    let dir = tempfile::tempdir().unwrap();
    let (path, line) = life_line(dir.path());
    let script =
        format!("exec 9>'{path}'; (sh -c 'sleep 1000 & sleep 1000' & sleep 1000) & echo here >&9; wait");
    let seat = shell("forks", &script);
    let family = tokio::spawn(async move { ask(&seat).await });
    line.readable().await.unwrap();
    family.abort();
    assert_eq!(gone(line).await, "here\n");
}

/// A reviewer that runs `script` with `sh`, prints `output` and may see `pass_env`.
fn agent(script: &str, output: OutputForm, pass_env: &[&str]) -> Reviewer {
    let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
    let pass_env = pass_env.iter().map(|name| (*name).to_owned()).collect();
    let api_key_env = Some("TOOL_KEY".to_owned());
    reviewer(
        "agent",
        Access::Command(Invocation { argv, output, pass_env, api_key_env, ..Invocation::default() }),
    )
}

/// The provider of `reviewer` where our environment is PATH and these.
fn opened(reviewer: &Reviewer, variables: &[(&str, &str)]) -> Provider {
    let path = std::env::var("PATH").unwrap();
    let variables = variables.iter().copied().chain([("PATH", path.as_str())]);
    let surroundings = variables.map(|(name, value)| (name.to_owned(), SecretString::from(value))).collect();
    Opener::new(Arc::new(|_, _: &Question| Ok(String::new())), Site::nowhere(), surroundings)
        .open(reviewer, None)
        .unwrap()
}

const OURS: &[(&str, &str)] = &[
    ("TOOL_KEY", "k-0123456789"),
    ("OTHER_TOKEN", "o-0123456789"),
    ("HTTPS_PROXY", "http://p"),
    ("SHLVL", "9"),
];

#[tokio::test]
async fn a_program_sees_what_it_is_given() {
    let names = "env | cut -d= -f1 | grep -vE '^(PWD|OLDPWD|SHLVL|_)$' | sort | tr '\\n' ' '";
    let seen = async |pass_env: &[&str]| {
        let reviewer = agent(names, OutputForm::Text, pass_env);
        let answer =
            opened(&reviewer, OURS).ask(&question("c1_core"), Sample::Any, &Arc::new(Draft::new())).await;
        answer.unwrap().text
    };
    assert_eq!(seen(&[]).await, "HTTPS_PROXY PATH TOOL_KEY ");
    assert_eq!(seen(&["OTHER_*"]).await, "HTTPS_PROXY OTHER_TOKEN PATH TOOL_KEY ");
}

#[tokio::test]
async fn a_key_a_program_gives_away_is_not_shown() {
    let script = "echo \"as $TOOL_KEY\"; echo \"bad keys: $TOOL_KEY $OTHER_TOKEN\" >&2; exit 1";
    let reviewer = agent(script, OutputForm::Text, &["OTHER_TOKEN"]);
    let provider = opened(&reviewer, OURS);
    let error = provider.ask(&question("c1_core"), Sample::Any, &Arc::new(Draft::new())).await.unwrap_err();
    assert_eq!(error.to_string(), "program `sh`: exit status 1: bad keys: [key] [key]");
    let AskError::Unavailable { partial, .. } = error else { panic!("{error:?}") };
    assert_eq!(provider.without_key(partial), "as [key]\n");
}

#[tokio::test]
async fn each_attempt_has_an_empty_folder_that_is_gone_afterwards() {
    let seat = shell("folder", "ls -A; touch left-behind; pwd");
    let folders: Vec<String> = [ask(&seat).await, ask(&seat).await].map(|answer| answer.unwrap().text).into();
    assert_ne!(folders[0], folders[1]);
    assert!(folders.iter().all(|folder| !Path::new(folder.trim()).exists()), "{folders:?}");

    let dir = tempfile::tempdir().unwrap();
    let work_dir = |path: &Path| {
        let argv = ["pwd".to_owned()].to_vec();
        reviewer(
            "given",
            Access::Command(Invocation { argv, work_dir: Some(path.to_owned()), ..Invocation::default() }),
        )
    };
    let given = dir.path().canonicalize().unwrap();
    assert_eq!(ask(&work_dir(&given)).await, Ok(answer(&format!("{}\n", given.display()))));
    let missing = given.join("no");
    let reason = format!("program `pwd`: work_dir {} is no folder", missing.display());
    assert_eq!(ask(&work_dir(&missing)).await, Err(AskError::Permanent { reason, partial: String::new() }));
}

#[tokio::test]
async fn what_an_agent_said_before_it_hung_is_kept() {
    let line = r#"{"type":"item.completed","item":{"type":"agent_message","text":"VERDICT: hold"}}"#;
    let hangs = agent(&format!("cat >/dev/null; echo '{line}'; sleep 1000"), OutputForm::CodexJsonl, &[]);
    let draft = Arc::new(Draft::new());
    let attempt = {
        let draft = Arc::clone(&draft);
        tokio::spawn(async move { opened(&hangs, &[]).ask(&question("c1_core"), Sample::Any, &draft).await })
    };
    while draft.tokens() == 0 {
        tokio::task::yield_now().await;
    }
    attempt.abort();
    assert_eq!(draft.take_text(), "VERDICT: hold");
}
