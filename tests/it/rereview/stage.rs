//! A pull request that is pushed to, reviewed and talked about: [`Stage`].
//!
//! `origin` is a bare repository on disk, its server a mock, GitHub's where nothing else is said. The panel are two programs that report every line of the bundle with
//! `leak(` (both, BLOCK) or `slow(` (one, WARN).

use std::{
    fs,
    process::{Child, Stdio},
};

use scrum::{
    post::{TALLY_MARK, record},
    run::saved,
    store::Store,
    tally::{self, gate, since::Last},
};
use serde_json::Value;

use crate::{
    forge::{MockForge, OURS, Platform, Pull, TOKEN, github::GitHub},
    sandbox::{Printed, Sandbox},
};

/// The reviewers' program; `$1` are the words for a leak, `$2` whether it looks for what is slow.
const REVIEWER: &str = r#"
if [ -e "$(dirname "$0")/silent" ]; then cat > /dev/null; exit 0; fi
if [ -e "$(dirname "$0")/stuck" ] && [ -z "$2" ]; then echo stuck > "$(dirname "$0")/begun"; exec sleep 1000; fi
awk -v leak="$1" -v slow="$2" '
function say(severity, what) {
    number = $0; sub(/\|.*/, "", number); gsub(/ /, "", number)
    code = $0; sub(/^[^|]*\| ./, "", code)
    printf "SEVERITY: %s\nWHERE: %s:%s\nQUOTE: %s\nWHAT: %s\nWHY: it does\n\n", severity, path, number, code, what
}
/^\+\+\+ b\// { path = substr($0, 7) }
/^ *[0-9]+\| [+ ].*leak\(/ { say("BLOCK", leak) }
/^ *[0-9]+\| [+ ].*slow\(/ { if (slow) say("WARN", "reading the whole table for one row takes seconds on large shops") }
END { print "VERDICT: ship" }
'
"#;

/// What both say of `leak(`.
const LEAK: &str = "the socket leaks when the handshake fails because the early return skips close";

/// What a kind of server has of its own besides its API.
#[derive(Clone, Copy)]
pub(super) struct Customs {
    /// Where it keeps the commits of the pull request 5.
    pub(super) reference: &'static str,
    /// What a job of its CI sees, as [`MockForge::job`] takes it.
    pub(super) job: &'static [(&'static str, &'static str)],
}

const GITHUB: Customs = Customs {
    reference: "refs/pull/5/head",
    job: &[
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_API_URL", "API"),
        ("GITHUB_SERVER_URL", "API"),
        ("GITHUB_REPOSITORY", "acme/shop"),
        ("GITHUB_TOKEN", TOKEN),
    ],
};

pub(super) struct Stage {
    pub(super) sandbox: Sandbox,
    pub(super) forge: MockForge,
    customs: Customs,
}

impl Stage {
    /// `main` has `src/a.rs` with twenty lines and the configuration; the pull request 5 adds `added` at the file's end.
    pub(super) async fn new(added: &str) -> Self {
        Self::on(GitHub::new(), GITHUB, added).await
    }

    /// The same on another server.
    pub(super) async fn on(platform: impl Platform, customs: Customs, added: &str) -> Self {
        let sandbox = Sandbox::new();
        let home = sandbox.home().display().to_string();
        fs::write(sandbox.home().join("reviewer.sh"), REVIEWER).unwrap();
        sandbox.write("scrum.toml", configuration(&home, LEAK));
        let lines = (1..=20).map(|number| format!("let line_{number} = {number};")).collect::<Vec<_>>();
        sandbox.write("src/a.rs", lines.join("\n") + "\n");
        sandbox.script(
            "git init -q --bare -b main $HOME/origin.git\ngit remote add origin $HOME/origin.git\ngit add -A\n\
             git commit -qm Start\ngit push -q origin main\ngit clone -q $HOME/origin.git $HOME/author",
        );
        let base = sandbox.script("git rev-parse HEAD").trim().to_owned();
        let pull = Pull::new("acme/shop", 5, &base, &base);
        let forge = MockForge::start(platform, pull).await;
        let stage = Self { sandbox, forge, customs };
        stage.push(&format!("printf '%s' '{added}' >> src/a.rs"));
        stage
    }

    /// Somebody edits the pull request with a script and pushes; gives the commit.
    pub(super) fn push(&self, script: &str) -> String {
        self.sandbox.script(&format!(
            "cd $HOME/author\n{script}\ngit add -A\ngit commit -qm More --allow-empty\n\
             git push -qf origin HEAD:{}",
            self.customs.reference
        ));
        let head = self.head();
        self.forge.change(|pull| pull.head.clone_from(&head));
        head
    }

    /// The pull request's last commit.
    pub(super) fn head(&self) -> String {
        self.sandbox.script("git -C $HOME/author rev-parse HEAD").trim().to_owned()
    }

    /// Somebody pushes to the target branch.
    pub(super) fn push_to_main(&self, script: &str) {
        self.sandbox.script(&format!(
            "git clone -q $HOME/origin.git $HOME/other && cd $HOME/other\n{script}\ngit add -A\n\
             git commit -qm Other\ngit push -q origin main"
        ));
        let base = self.sandbox.script("git -C $HOME/other rev-parse HEAD").trim().to_owned();
        self.forge.change(|pull| pull.base = base);
    }

    /// The same as [`Stage::scrum`], under way: its output goes nowhere.
    pub(super) fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = self.sandbox.command(env!("CARGO_BIN_EXE_scrum"));
        command.args(arguments).envs(self.forge.job(self.customs.job));
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    pub(super) fn scrum(&self, arguments: &[&str]) -> Printed {
        let job = self.forge.job(self.customs.job);
        let job: Vec<_> = job.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let printed = self.sandbox.scrum_with(arguments, &job);
        assert!(!printed.stderr.contains(TOKEN) && !printed.stdout.contains(TOKEN));
        printed
    }

    /// What was said on stderr without what differs from run to run, and the status.
    pub(super) fn told(&self, printed: &Printed) -> String {
        let host = self.forge.job(&[("", "HOST")])[0].1.replace("http://", "");
        let head = self.head();
        let text = printed.stderr.replace(&host, "HOST").replace(&head, "HEAD").replace(&head[..7], "HEAD");
        let run = regex::Regex::new(r"\d{8}-\d{9}-[0-9a-f]{6}").unwrap();
        format!("{}status {}", run.replace_all(&text, "RUN"), printed.status)
    }

    /// Reviews the pull request; gives `tally.json`.
    pub(super) fn review(&self, more: &[&str]) -> Value {
        let arguments = [&["review", "--pr", "5", "--format", "json"], more].concat();
        let printed = self.scrum(&arguments);
        serde_json::from_str(&printed.stdout).unwrap_or_else(|_| panic!("{}", printed.stderr))
    }

    /// Puts the newest run's record where the next review looks for it, and forgets all that is kept here: as in CI, where each job starts
    /// from nothing.
    pub(super) fn post_and_forget(&self) {
        let text = format!("{TALLY_MARK}\nThe tally.\n{}", record::line(&self.left(), 16_000).unwrap());
        self.forge.change(|pull| {
            pull.comments.retain(|comment| comment.author != OURS);
            pull.say(OURS, &text);
        });
        fs::remove_dir_all(self.sandbox.repo().join(".scrum")).unwrap();
    }

    /// What the newest run leaves for the next one.
    pub(super) fn left(&self) -> Last {
        let scrum = self.sandbox.repo().join(".scrum");
        let store = Store::new(&scrum, ["cache".as_ref(), "bundles".as_ref(), "reviews".as_ref()]);
        let dir = store.runs().pop().unwrap();
        let run = saved::open(&dir).unwrap();
        let tally = tally::tally(run.input);
        Last::left_by(&tally, &gate::evaluate(&tally, &run.policy)).unwrap()
    }

    pub(super) fn configure(&self, leak: &str) -> String {
        configuration(&self.sandbox.home().display().to_string(), leak)
    }
}

fn configuration(home: &str, leak: &str) -> String {
    let reviewer = |id: &str, model: &str, slow: &str| {
        format!(
            "[[reviewer]]\nid = \"{id}\"\nprovider = \"command\"\nmodel = \"{model}\"\n\
             command = [\"sh\", \"{home}/reviewer.sh\", \"{leak}\", \"{slow}\"]\n"
        )
    };
    format!(
        "[review]\npanel = \"two\"\n[panel.two]\nreviewers = [\"opus\", \"kimi\"]\n{}{}",
        reviewer("opus", "claude-opus-4-8", "1"),
        reviewer("kimi", "kimi-k2", "")
    )
}

/// A tally in short: scope and reason, what came of each issue, verdict and gate.
pub(super) fn shown(tally: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut lines = vec![match tally["since"]["reason"].as_str() {
        None => text(&tally["since"]["scope"]),
        Some(reason) => format!("{}: {reason}", text(&tally["since"]["scope"])),
    }];
    let decided = |issue: &Value| issue["disposition"]["decision"].as_str().map(|word| format!(" ({word})"));
    for (key, state) in [("issues", "standing"), ("earlier", "state")] {
        let mut found: Vec<String> = tally[key]
            .as_array()
            .into_iter()
            .flatten()
            .map(|issue| {
                let (path, line) = (text(&issue["path"]), &issue["start_line"]);
                let (severity, convergence) = (text(&issue["severity"]), &issue["convergence"]);
                let decided = decided(issue).unwrap_or_default();
                format!("{key}: {} {severity} by {convergence} {path}:{line}{decided}", text(&issue[state]))
            })
            .collect();
        found.sort();
        lines.append(&mut found);
    }
    lines.push(format!(
        "verdict {}, gate {}",
        text(&tally["verdict"]["result"]),
        text(&tally["gate"]["result"])
    ));
    lines.join("\n")
}
