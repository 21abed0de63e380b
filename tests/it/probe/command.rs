//! Programs that are run to their end.

use std::{collections::BTreeMap, path::Path, time::Duration};

use scrum::{
    gauntlet::program::{How, Program},
    probe::{
        Secrets,
        command::{Asked, CommandError, Ended, run},
        output::MOST,
    },
    secret::Keys,
};
use tokio_util::sync::CancellationToken;

use super::{output, shell};
use crate::command::{gone, life_line};

const LIMIT: Duration = Duration::from_mins(1);

fn asked(program: &Program) -> Asked<'_> {
    Asked { program, stdin: b"", timeout: LIMIT, files: &[] }
}

async fn ask(asked: &Asked<'_>) -> Result<Ended, CommandError> {
    run(asked, &Secrets::default(), &CancellationToken::new()).await
}

async fn ask_shell(script: &str) -> Ended {
    ask(&asked(&shell(script, Path::new("/")))).await.unwrap()
}

#[tokio::test]
async fn what_goes_in_and_comes_out() {
    let check = async |script: &str, how: How, stdout: &str, stderr: &str| {
        let program = shell(script, Path::new("/"));
        let ended = ask(&Asked { stdin: b"in", ..asked(&program) }).await.unwrap();
        assert_eq!(
            (ended.how, ended.stdout, ended.stderr),
            (how, output(stdout), output(stderr)),
            "{script}"
        );
    };
    check("cat; pwd; echo $GREETING >&2", How::Exited(0), "in/\n", "hello\n").await;
    check("exec <&-; exit 3", How::Exited(3), "", "").await;
    check("echo a; kill -9 $$", How::Killed(9), "a\n", "").await;
    let bytes = ask_shell("printf '\\377\\000x'").await.stdout;
    assert_eq!(bytes.whole(), Some(&b"\xff\0x"[..]));
}

#[tokio::test]
async fn programs_that_cannot_be_run() {
    let check = async |argv: &[&str], folder: &str, files: &[&str], expect: &str| {
        let argv = argv.iter().map(|word| (*word).to_owned()).collect();
        let program = Program { argv, folder: folder.into(), env: BTreeMap::new(), pass_env: Vec::new() };
        let files: Vec<String> = files.iter().map(|glob| (*glob).to_owned()).collect();
        let error = ask(&Asked { files: &files, ..asked(&program) }).await.unwrap_err();
        assert_eq!(error.to_string(), expect);
    };
    check(&[], "/", &[], "the command is empty").await;
    check(&["no-such-program"], "/", &[], "program `no-such-program` not found").await;
    check(&["./no-such"], "/", &[], "program `./no-such` not found").await;
    check(&["etc/passwd"], "/", &[], "program `etc/passwd` may not be executed").await;
    check(&["true"], "/no/such", &[], "program `true`: there is no folder /no/such").await;
    check(&["true"], "/", &["../*"], "program `true`: files: \"../*\" leads out of the folder").await;
}

#[tokio::test]
async fn keys_of_ours_are_not_seen_unless_named() {
    let check = async |pass_env: &[&str], expect: &str| {
        let program = Program {
            pass_env: pass_env.iter().map(|name| (*name).to_owned()).collect(),
            ..shell("echo ${PATH:+path} ${CARGO_MANIFEST_DIR:+folder}", Path::new("/"))
        };
        let secrets = Secrets { names: vec!["CARGO_MANIFEST_DIR".to_owned()], keys: Keys::default() };
        let ended = run(&asked(&program), &secrets, &CancellationToken::new()).await.unwrap();
        assert_eq!(ended.stdout, output(expect));
    };
    check(&[], "path\n").await;
    check(&["CARGO_MANIFEST_DIR"], "path folder\n").await;
}

#[tokio::test]
async fn of_a_flood_the_two_ends_are_kept() {
    let flood = ask_shell("echo first; head -c 20000000 /dev/zero; echo last; echo fine >&2").await;
    assert_eq!(flood.how, How::Exited(0));
    let stdout = flood.stdout;
    assert_eq!(stdout.whole(), None);
    assert_eq!((stdout.head.len() + stdout.tail.len(), stdout.cut), (MOST, 20_000_011 - MOST as u64));
    assert!(stdout.head.starts_with(b"first\n") && stdout.tail.ends_with(b"last\n"));
    assert_eq!(flood.stderr, output("fine\n"));
}

#[tokio::test]
async fn past_its_time_it_is_ended_with_all_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let (path, line) = life_line(dir.path());
    // Nobody in this family ends when asked to.
    let script = format!(
        "trap '' TERM; exec 9>'{path}'; (trap '' TERM; sh -c 'sleep 1000 & sleep 1000') & echo here >&9; echo out; wait"
    );
    let time_flies = async {
        line.readable().await.unwrap();
        tokio::time::pause();
    };
    let (ended, ()) = tokio::join!(ask_shell(&script), time_flies);
    assert_eq!(ended.how, How::TimedOut);
    assert!(ended.took >= LIMIT, "{:?}", ended.took);
    gone(line).await;
}

#[tokio::test]
async fn who_is_asked_to_end_may_say_goodbye() {
    let dir = tempfile::tempdir().unwrap();
    let (path, line) = life_line(dir.path());
    let script = format!("trap 'echo bye; exit 7' TERM; exec 9>'{path}'; echo here >&9; sleep 1000 & wait");
    let (program, end) = (shell(&script, Path::new("/")), CancellationToken::new());
    let secrets = Secrets::default();
    let asked = asked(&program);
    let interrupt = async {
        line.readable().await.unwrap();
        end.cancel();
    };
    let (ended, ()) = tokio::join!(run(&asked, &secrets, &end), interrupt);
    let ended = ended.unwrap();
    assert_eq!((ended.how, ended.stdout), (How::Interrupted, output("bye\n")));
}

#[tokio::test]
async fn what_it_leaves_behind_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let (path, line) = life_line(dir.path());
    let script = format!("exec 9>'{path}'; echo here >&9; sleep 1000 & echo done");
    let ended = ask_shell(&script).await;
    assert_eq!((ended.how, ended.stdout), (How::Exited(0), output("done\n")));
    assert_eq!(gone(line).await, "here\n");
}

#[tokio::test]
async fn files_that_were_written_are_read() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("out/deep")).unwrap();
    for (name, text) in [("out/old.json", "old"), ("out/same.json", "same"), ("out/note.txt", "no")] {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let check = async |globs: &[&str], expect: &[(&str, &str)]| {
        let script = "echo new > out/old.json; echo 1 > out/a.json; echo 2 > out/deep/b.json; echo 3 > out/c.txt; \
             ln -sf /etc/passwd out/link.json";
        let globs: Vec<String> = globs.iter().map(|glob| (*glob).to_owned()).collect();
        let program = shell(script, dir.path());
        let ended = ask(&Asked { files: &globs, ..asked(&program) }).await.unwrap();
        let expect: BTreeMap<_, _> =
            expect.iter().map(|(name, text)| ((*name).to_owned(), output(text))).collect();
        assert_eq!(ended.files, expect, "{globs:?}");
    };
    check(&["out/*.json"], &[("out/a.json", "1\n"), ("out/old.json", "new\n")]).await;
    check(&["**/b.json", "./out/c.txt"], &[("out/c.txt", "3\n"), ("out/deep/b.json", "2\n")]).await;
    check(&["no/such/*"], &[]).await;
}
