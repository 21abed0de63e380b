//! What a gauntlet asks of the world: commands, HTTP requests, and services that run meanwhile.
//!
//! [`command`] runs a program to its end, [`request`] asks a server, [`service`] starts one that must go on while others are asked. What came of it is told
//! as it is; whether that is good is `gauntlet`'s matter.

pub mod command;
pub mod output;
pub mod request;
pub mod service;
mod written;

use std::{path::PathBuf, time::Duration};

use self::command::CommandError;
use crate::{
    gauntlet::program::Program,
    process::{self, Group},
    secret::Keys,
};

/// How long who is asked to end may take, before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// What of our environment programs do not see unless they name it.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// Names of variables that hold keys of our own.
    pub names: Vec<String>,
    /// Their values, and others that no text may show.
    pub keys: Keys,
}

impl Secrets {
    /// The variables that `program` does not see.
    fn hidden_from<'a>(&'a self, program: &'a Program) -> impl Iterator<Item = &'a str> {
        let is_named = |name: &str| program.pass_env.iter().any(|pattern| fits(pattern, name));
        self.names.iter().map(String::as_str).filter(move |name| !is_named(name))
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

/// Starts `program` with our environment, its own variables, and none of the hidden ones.
fn start(program: &Program, secrets: &Secrets) -> Result<Group, CommandError> {
    let Program { argv, folder, env, .. } = program;
    let [file, arguments @ ..] = argv.as_slice() else { return Err(CommandError::Empty) };
    if !folder.is_dir() {
        return Err(CommandError::NoFolder { program: file.clone(), folder: folder.clone() });
    }
    // One without a `/` is looked for on PATH.
    let path = if file.contains('/') { folder.join(file) } else { PathBuf::from(file) };
    let mut command = process::program(path);
    command.args(arguments).current_dir(folder);
    for name in secrets.hidden_from(program) {
        command.env_remove(name);
    }
    command.envs(env);
    Group::start(command).map_err(|error| CommandError::not_started(file.clone(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_see_what_they_name() {
        let check = |pass_env: &[&str], expect: &[&str]| {
            let program = Program {
                argv: vec!["true".to_owned()],
                folder: PathBuf::from("/"),
                env: [].into(),
                pass_env: pass_env.iter().map(|name| (*name).to_owned()).collect(),
            };
            let names = ["OPENAI_API_KEY", "GITHUB_TOKEN"].map(str::to_owned).to_vec();
            let secrets = Secrets { names, keys: Keys::default() };
            assert_eq!(secrets.hidden_from(&program).collect::<Vec<_>>(), expect, "{pass_env:?}");
        };
        check(&[], &["OPENAI_API_KEY", "GITHUB_TOKEN"]);
        check(&["OPENAI_*", "GITHUB"], &["GITHUB_TOKEN"]);
        check(&["*"], &[]);
    }
}
