//! What a machine has to review with: a [`Survey`] of keys, local servers and programs.
//!
//! Names only: the value of a key is never part of it. Looking is `run::survey`'s work, choosing from it is `config`'s.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// What was looked for on a machine, and what of it is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// Environment variables of keys that are set.
    pub keys: BTreeSet<String>,
    /// Servers of models, those that nobody answered for too, in the order of the presets.
    pub servers: Vec<Server>,
    /// Files of logins that are there, as the list of seats names them.
    pub logins: BTreeSet<String>,
    /// Programs on `PATH`, by the name they are called with.
    pub programs: BTreeMap<String, Program>,
    /// Tools that the project gets from npm, by name.
    pub node_tools: BTreeMap<String, NodeTool>,
}

/// A place where a server of models may listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Name of the preset for it, such as `ollama`; empty where only a reviewer names it.
    pub preset: String,
    /// Base URL of its OpenAI-compatible interface.
    pub base_url: String,
    /// The models it has.
    pub models: Result<Vec<LocalModel>, Silence>,
}

/// Why it is not known which models a server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Silence {
    /// Nobody listens there.
    Nobody,
    /// It is not on this machine, so it was not asked.
    NotAsked,
    /// Something else than a list of models came back, in words.
    Odd(String),
}

/// A model of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalModel {
    /// As the server calls it.
    pub name: String,
    /// Bytes of its weights; 0 when the server does not tell.
    pub bytes: u64,
    /// What it is good for, and where it runs.
    pub kind: ModelKind,
}

/// What a model of a local server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelKind {
    /// It answers, on that server.
    Chat,
    /// It answers, but somewhere else: the server passes what it is told on.
    Elsewhere,
    /// It only turns text into numbers.
    Embedding,
}

/// How far a project has a tool from npm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeTool {
    /// In `node_modules/.bin`.
    Installed,
    /// A package with it is a dependency in `package.json`, and not installed.
    Declared,
}

/// A program that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// What it says to `--version`, harmless to show; `None` when it was not asked or said nothing.
    pub version: Option<String>,
}

impl Survey {
    /// The server behind `base_url`.
    pub fn server_at(&self, base_url: &str) -> Option<&Server> {
        self.servers.iter().find(|server| is_same_place(&server.base_url, base_url))
    }
}

/// Whether two base URLs name one server, by whichever of this machine's names.
pub fn is_same_place(one: &str, other: &str) -> bool {
    let plain = |url: &str| url.trim_end_matches('/').replace("://localhost:", "://127.0.0.1:");
    plain(one) == plain(other)
}
