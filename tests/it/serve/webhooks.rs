//! From a platform's message to the comment on its pull request, as an operator sets it up: daemon, git server and mock platform.

use std::{fmt::Write, fs};

use hmac::{Hmac, KeyInit, Mac};
use scrum::post::TALLY_MARK;
use serde_json::{Value, json};
use sha2::Sha256;

use super::Serve;
use crate::{
    forge::{
        MockForge, OURS, Platform, Pull, TOKEN,
        gitea::{Gitea, Make},
        github::GitHub,
        gitlab::GitLab,
    },
    git_server::{GitServer, Manner},
    sandbox::Sandbox,
};

const SECRET: &str = "the webhook's secret of this test";
/// What the reviewer says of every bundle.
const REPLY: &str = "SEVERITY: WARN\nWHERE: src/a.rs:2\nQUOTE: let b = 2;\nWHAT: the second line says too much\nWHY: it does\n\nVERDICT: ship-with-fixes\n";

/// How a platform tells.
#[derive(Clone, Copy)]
struct Customs {
    word: &'static str,
    /// Where it keeps the commits of the pull request 5.
    reference: &'static str,
    /// What it calls a push, and the end.
    actions: [&'static str; 3],
}

const GITHUB: Customs =
    Customs { word: "github", reference: "refs/pull/5/head", actions: ["opened", "synchronize", "closed"] };
const GITEA: Customs =
    Customs { word: "gitea", reference: "refs/pull/5/head", actions: ["opened", "synchronized", "closed"] };
const GITLAB: Customs =
    Customs { word: "gitlab", reference: "refs/merge-requests/5/head", actions: ["open", "update", "close"] };

struct Scene {
    customs: Customs,
    serve: Serve,
    forge: MockForge,
    git: GitServer,
}

impl Scene {
    /// `acme/shop` with the pull request 5, on a server whose token the operator has.
    async fn new(platform: impl Platform, customs: Customs) -> Self {
        let sandbox = Sandbox::without_repository();
        sandbox.script(
            "mkdir -p $HOME/git/acme && git init -q --bare -b main $HOME/git/acme/shop.git && git clone -q $HOME/git/acme/shop.git $HOME/author 2>/dev/null\n\
             cd $HOME/author && git checkout -q -b main; mkdir src && echo 'let a = 1;' > src/a.rs\n\
             printf '[[reviewer]]\\nid = \"evil\"\\nprovider = \"command\"\\nmodel = \"m\"\\ncommand = [\"touch\", \"/tmp/evil-was-here\"]\\n' > scrum.toml\n\
             git add -A && git commit -qm Start && git push -q origin main",
        );
        let base = sandbox.script("git -C $HOME/author rev-parse HEAD").trim().to_owned();
        let forge = MockForge::start(platform, Pull::new("acme/shop", 5, &base, &base)).await;
        let host = forge.url.split_once("/api/").map_or(forge.url.as_str(), |(host, _)| host).to_owned();
        let git = GitServer::start(&sandbox.home().join("git"), Some(host)).await;
        git.behave(Manner::To(token()));
        fs::create_dir(sandbox.home().join("replies")).unwrap();
        fs::write(sandbox.home().join("replies/opus.md"), REPLY).unwrap();
        sandbox.write("scrum.toml", configuration(&sandbox, &git.url));
        let variables =
            [("HOOK_SECRET", SECRET), ("SHOP_TOKEN", TOKEN), ("OTHER_KEY", "another-key-of-the-daemon")];
        let serve = Serve::keeping("scrum.db", sandbox, &variables).await;
        let scene = Self { customs, serve, forge, git };
        scene.push("let b = 2;");
        scene
    }

    /// Somebody adds a line to the pull request.
    fn push(&self, line: &str) {
        let reference = self.customs.reference;
        self.serve.sandbox.script(&format!(
            "cd $HOME/author && git checkout -q -B change && echo '{line}' >> src/a.rs && git add -A && git commit -qm More && git push -qf origin HEAD:{reference}"
        ));
        let head = self.serve.sandbox.script("git -C $HOME/author rev-parse HEAD").trim().to_owned();
        self.forge.change(|pull| pull.head = head);
    }

    /// The platform tells of something that happened to the pull request.
    fn message(&self, action: usize, serial: u32) -> String {
        let (page, action) = (format!("{}/acme/shop", self.git.url), self.customs.actions[action]);
        let message = if self.customs.word == "gitlab" {
            let oldrev = (action == "update").then_some("95790bf891e76fee5e1747ab589903a6a1f80f22");
            let attributes = json!({"iid": 5, "action": action, "oldrev": oldrev, "serial": serial});
            json!({"object_kind": "merge_request", "object_attributes": attributes, "project": {"web_url": page}})
        } else {
            let pull = json!({"title": "A change", "draft": false, "serial": serial});
            json!({"action": action, "number": 5, "pull_request": pull, "repository": {"html_url": page}})
        };
        message.to_string()
    }

    /// Sends a message as the platform would; status and answer.
    async fn tell(&self, body: &str, secret: &str, delivery: &str) -> (u16, Value) {
        let signature = signature(body, secret);
        let headers = match self.customs.word {
            "github" => format!(
                "x-github-event: pull_request\r\nx-github-delivery: {delivery}\r\nx-hub-signature-256: sha256={signature}\r\n"
            ),
            "gitea" => format!(
                "x-gitea-event: pull_request\r\nx-gitea-delivery: {delivery}\r\nx-gitea-signature: {signature}\r\n"
            ),
            _ => format!(
                "x-gitlab-event: Merge Request Hook\r\nidempotency-key: {delivery}\r\nx-gitlab-token: {secret}\r\n"
            ),
        };
        let path = format!("/webhooks/{}", self.customs.word);
        let answer = self.serve.post_with(&path, &headers, body).await.all().await;
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let body = &answer[answer.find('{').unwrap()..=answer.rfind('}').unwrap()];
        (status, serde_json::from_str(body).unwrap())
    }

    /// A signed message that leads to a job; its id.
    async fn job(&self, action: usize, serial: u32) -> String {
        let told = self.tell(&self.message(action, serial), SECRET, &serial.to_string()).await;
        assert_eq!((told.0, &told.1["state"]), (202, &json!("queued")), "{told:?}");
        told.1["id"].as_str().unwrap().to_owned()
    }

    async fn get(&self, path: &str) -> String {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.serve.address);
        self.serve.send(&request).await.all().await
    }

    /// Waits until the job has come to its end; how.
    async fn end(&self, id: &str) -> Value {
        self.get(&format!("/queue/jobs/{id}/events")).await;
        let answer = self.get(&format!("/queue/jobs/{id}")).await;
        let body = &answer[answer.find('{').unwrap()..=answer.rfind('}').unwrap()];
        serde_json::from_str(body).unwrap()
    }

    /// The one comment of ours.
    fn comment(&self) -> String {
        let ours: Vec<_> = self.forge.comments().into_iter().filter(|one| one.author == OURS).collect();
        let [one] = ours.as_slice() else { panic!("{ours:?}") };
        assert!(one.body.starts_with(TALLY_MARK), "{}", one.body);
        one.body.clone()
    }

    fn head(&self) -> String {
        self.forge.change(|pull| pull.head.clone())
    }
}

/// What git sends for the token.
fn token() -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    format!("Basic {}", BASE64_STANDARD.encode(format!("x-access-token:{TOKEN}")))
}

fn configuration(sandbox: &Sandbox, server: &str) -> String {
    let replies = sandbox.home().join("replies").display().to_string();
    format!(
        "[gate]\nfail_on = \"warn\"\n[review]\npanel = \"one\"\n[panel.one]\nreviewers = [\"opus\"]\n\
         [[reviewer]]\nid = \"opus\"\nprovider = \"replay\"\nmodel = \"claude-opus-4-8\"\ndir = \"{replies}\"\n\
         [[serve.repository]]\nurl = \"{server}/acme/*\"\ntoken_env = \"SHOP_TOKEN\"\n\
         [serve.queue]\nbusy_percent = 100\n\
         [serve.webhook]\ngithub_secret_env = \"HOOK_SECRET\"\ngitlab_secret_env = \"HOOK_SECRET\"\ngitea_secret_env = \"HOOK_SECRET\"\n"
    )
}

fn signature(body: &str, secret: &str) -> String {
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).unwrap().chain_update(body);
    let mut written = String::new();
    for byte in mac.finalize().into_bytes() {
        write!(written, "{byte:02x}").unwrap();
    }
    written
}

/// Opened, told again, pushed to twice, closed.
async fn through_its_life(platform: impl Platform, customs: Customs) {
    let scene = Scene::new(platform, customs).await;
    let first = scene.job(0, 1).await;
    let ended = scene.end(&first).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    assert_eq!(ended["source"], customs.word);
    let comment = scene.comment();
    assert!(comment.contains("too much") && comment.contains(&scene.head()[..7]), "{comment}");
    // What the gate says stands on the commit.
    let statuses = scene.forge.statuses();
    let [status] = statuses.as_slice() else { panic!("{statuses:?}") };
    assert_eq!((&status.commit, status.context.as_str()), (&scene.head(), "scrum"), "{status:?}");
    assert!(["failure", "failed"].contains(&status.state.as_str()), "{status:?}");
    // Told again, by the same id or with the same body: nothing happens.
    for delivery in ["1", "another"] {
        let told = scene.tell(&scene.message(0, 1), SECRET, delivery).await;
        assert_eq!(told, (202, json!({"ignored": "this message has come before"})));
    }
    // Two pushes while the server of the repository does not answer: the older job is called off.
    scene.git.behave(Manner::Hang);
    scene.push("let c = 3;");
    let older = scene.job(1, 2).await;
    scene.push("let d = 4;");
    let told = scene.tell(&scene.message(1, 3), SECRET, "3").await;
    assert_eq!(told.1["called_off"], json!([older]), "{told:?}");
    assert_eq!(scene.end(&older).await["state"], "cancelled");
    scene.git.behave(Manner::To(token()));
    let newer = told.1["id"].as_str().unwrap();
    let ended = scene.end(newer).await;
    assert!(["succeeded", "failed"].contains(&ended["state"].as_str().unwrap()), "{ended}");
    // Closed: what is under way is called off, and nothing more is written.
    scene.git.behave(Manner::Hang);
    let last = scene.job(1, 4).await;
    let told = scene.tell(&scene.message(2, 5), SECRET, "5").await;
    assert_eq!(told, (202, json!({"called_off": [last]})));
    assert_eq!(scene.end(&last).await["state"], "cancelled");
    scene.comment();
    assert!(!std::path::Path::new("/tmp/evil-was-here").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_gitea() {
    through_its_life(Gitea::new(Make::Gitea), GITEA).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_gitlab() {
    through_its_life(GitLab::new(), GITLAB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_github() {
    through_its_life(GitHub::enterprise(), GITHUB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_signed_or_not_listed_does_nothing() {
    let scene = Scene::new(Gitea::new(Make::Gitea), GITEA).await;
    let message = scene.message(0, 1);
    assert_eq!(scene.tell(&message, "another secret", "1").await.0, 401);
    let unsigned = scene.serve.post("/webhooks/gitea", &message).await.all().await;
    assert!(unsigned.contains(" 401 ") && unsigned.contains("is not signed"), "{unsigned}");
    assert!(scene.serve.post("/webhooks/elsewhere", &message).await.all().await.contains(" 404 "));
    let changed = message.replace("acme/shop", "acme/../evil/shop");
    for other in [
        changed.clone(),
        message.replace(&scene.git.url, "https://evil.example"),
        message.replace("/acme/shop", "/evil/shop"),
    ] {
        let told = scene.tell(&other, SECRET, &other.len().to_string()).await;
        assert!(told.1["ignored"].as_str().is_some_and(|why| why.contains("on no list")), "{told:?}");
    }
    let draft = message.replace("\"draft\":false", "\"draft\":true");
    assert!(scene.tell(&draft, SECRET, "d").await.1["ignored"].as_str().unwrap().contains("draft"));
    assert_eq!(scene.tell("{}", SECRET, "x").await.0, 400);
    let jobs = scene.get("/queue/jobs").await;
    assert!(jobs.contains("\"jobs\":[]"), "{jobs}");
    assert!(scene.forge.requests().is_empty() && scene.git.asked().is_empty());
}
