//! `scrum doctor`, `scrum init` and the panel without configuration, on machines made for the test.

mod auto;
mod doctor;
mod init;

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::json;

use crate::{
    mock::{Act, Asked, Mock, json_page},
    sandbox::{Printed, Sandbox},
};

const KEY: &str = "sk-very-secret-0123456789";

/// A machine with nothing on it but what a test puts there.
struct Machine {
    sandbox: Sandbox,
    variables: Vec<(String, String)>,
}

impl Machine {
    /// A repository with one commit, no configuration, no program on `PATH`, and nobody where Ollama would listen.
    fn new() -> Self {
        let sandbox = Sandbox::unconfigured();
        sandbox.script("git init -q -b main .; git commit -q --allow-empty -m start");
        fs::create_dir(sandbox.home().join("bin")).unwrap();
        let path = sandbox.home().join("bin").to_str().unwrap().to_owned();
        let nobody = "127.0.0.1:1".to_owned();
        Self { sandbox, variables: vec![("PATH".to_owned(), path), ("OLLAMA_HOST".to_owned(), nobody)] }
    }

    fn with(mut self, variable: &str, value: &str) -> Self {
        self.variables.push((variable.to_owned(), value.to_owned()));
        self
    }

    fn with_key(self, variable: &str) -> Self {
        self.with(variable, KEY)
    }

    /// With a program that tells its version, and otherwise does what `script` says once its input has ended.
    fn with_program(self, name: &str, script: &str) -> Self {
        let path = self.sandbox.home().join("bin").join(name);
        let version = format!("if [ \"$1\" = --version ]; then echo '{name} 1.2.3 (test)'; exit; fi");
        fs::write(&path, format!("#!/bin/sh\n{version}\nwhile read -r _; do :; done\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// With an Ollama at `mock`.
    fn with_ollama(self, mock: &Mock) -> Self {
        let address = mock.url.trim_start_matches("http://").trim_end_matches("/v1").to_owned();
        self.with("OLLAMA_HOST", &address)
    }

    /// A last commit with one file in it.
    fn with_change(self) -> Self {
        self.sandbox.write("app/a.py", "def share(a, b):\n    return a / b\n");
        self.sandbox.script("git add -A; git commit -qm 'Share evenly'");
        self
    }

    fn scrum(&self, arguments: &[&str]) -> Printed {
        let variables: Vec<_> =
            self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let printed = self.sandbox.scrum_with(arguments, &variables);
        assert!(!format!("{printed:?}").contains(KEY), "a key was printed: {printed:?}");
        printed
    }

    /// What stdout says, the same on every machine: no folders, ports, times, nor servers that run where the test does.
    fn shown(&self, printed: &Printed) -> String {
        let root = fs::canonicalize(self.sandbox.repo()).unwrap();
        let ollama = &self.variables.iter().rfind(|(name, _)| name == "OLLAMA_HOST").unwrap().1;
        let text = printed.stdout.replace(root.to_str().unwrap(), "/repo").replace(ollama.as_str(), "OLLAMA");
        // Which presets there are is not what this is about.
        let is_list = |line: &str| line.starts_with("  local servers") || line.starts_with("  programs");
        let lines = text.lines().scan(false, |in_list, line| {
            *in_list = is_list(line) || *in_list && line.starts_with("    ");
            Some((!*in_list).then_some(line))
        });
        let lines: Vec<&str> = lines.flatten().collect();
        without_times(&lines.join("\n"))
    }
}

/// `answered in 12 ms` without the figure.
fn without_times(text: &str) -> String {
    let mut parts = text.split("answered in ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        let rest = part.split_once('s').map_or(part, |(_, rest)| rest);
        out + "answered in T s" + rest
    })
}

/// An Ollama with a model of each kind, which answers with `reply`.
async fn ollama(reply: &'static str) -> Mock {
    Mock::start(move |asked| std::future::ready(like_ollama(&asked, reply))).await
}

fn like_ollama(asked: &Asked, reply: &str) -> Act {
    if asked.path != "/api/tags" {
        return Act::Reply(reply.to_owned());
    }
    let model = |name: &str, size: u64, family: &str| json!({"name": name, "model": name, "size": size, "details": {"family": family}});
    let models = [
        model("qwen3-coder:30b", 18_556_000_000, "qwen3moe"),
        model("gemma3:latest", 3_338_801_804, "gemma3"),
        model("qwen3:8b", 5_200_000_000, "qwen3"),
        model("nomic-embed-text:latest", 274_302_450, "nomic-bert"),
        model("gpt-oss:120b-cloud", 384, "gptoss"),
    ];
    json_page(200, &json!({"models": models}))
}
