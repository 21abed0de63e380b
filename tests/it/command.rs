//! Single attempts at programs, well-behaved and not.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use scrum::{
    provider::{Answer, AskError, Draft},
    reviewer::{Access, Reviewer},
};
use tokio::io::AsyncReadExt;

use crate::provider::{open, question, reviewer};

/// A reviewer that runs `script` with `sh`.
pub(crate) fn shell(id: &str, script: &str) -> Reviewer {
    let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
    reviewer(id, Access::Command { argv, env: BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]) })
}

async fn ask(reviewer: &Reviewer) -> Result<Answer, AskError> {
    open(reviewer).ask(&question("c1_core"), &Arc::new(Draft::new())).await
}

fn answer(text: &str) -> Answer {
    Answer { text: text.to_owned(), ..Answer::default() }
}

fn unavailable(reason: &str, partial: &str) -> AskError {
    AskError::Unavailable { reason: reason.to_owned(), for_now: false, partial: partial.to_owned() }
}

/// A pipe that tells when the last process that `script` starts with descriptor 9 open has gone.
fn life_line(dir: &Path) -> (String, tokio::net::unix::pipe::Receiver) {
    let path = dir.join("life");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let receiver = tokio::net::unix::pipe::OpenOptions::new().open_receiver(&path).unwrap();
    (path.display().to_string(), receiver)
}

/// Waits until somebody wrote, and then until all writers are gone.
async fn gone(mut line: tokio::net::unix::pipe::Receiver) -> String {
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
    let missing = Access::Command { argv: vec!["no-such-program".to_owned()], env: BTreeMap::new() };
    let hint = "install it, put it on PATH, or write its full path in the reviewer's command";
    assert_eq!(
        ask(&reviewer("missing", missing)).await,
        Err(unavailable(&format!("program `no-such-program` not found: {hint}"), ""))
    );
    let file = Access::Command { argv: vec!["/etc/passwd".to_owned()], env: BTreeMap::new() };
    let reason = "program `/etc/passwd` may not be executed: check its permissions";
    assert_eq!(ask(&reviewer("file", file)).await, Err(unavailable(reason, "")));
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
