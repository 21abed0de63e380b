//! From a configuration entry to the program it starts: [`of`] checks it and puts the model into its arguments.

use super::{ConfigError, file, panel::wrong};
use crate::reviewer::Invocation;

/// Stands for the reviewer's model in a `command`.
const MODEL: &str = "{model}";

/// The program of `entry`.
pub(super) fn of(entry: &file::Reviewer) -> Result<Invocation, ConfigError> {
    let command = entry.command.clone().unwrap_or_default();
    if command.first().is_none_or(String::is_empty) {
        return Err(wrong(&entry.id, "needs a `command`, such as [\"claude\", \"-p\"]"));
    }
    let argv = with_model(&command, entry.model.as_deref())
        .ok_or_else(|| wrong(&entry.id, "needs a `model`, which its command names"))?;
    Ok(Invocation {
        argv: [argv, entry.args.clone()].concat(),
        env: entry.env.clone(),
        api_key_env: entry.api_key_env.clone(),
        pass_env: pass_env(entry)?,
        output: entry.output.unwrap_or_default(),
        work_dir: entry.work_dir.clone(),
    })
}

/// The variables that `entry` wants passed on.
pub(super) fn pass_env(entry: &file::Reviewer) -> Result<Vec<String>, ConfigError> {
    if entry.pass_env.iter().any(|name| name.trim_end_matches('*').contains('*')) {
        return Err(wrong(&entry.id, "`pass_env` knows a `*` at the end of a name only"));
    }
    Ok(entry.pass_env.clone())
}

/// `command` with the model in its place. Without a model that place is left out, together with the option before
/// it; `None` where there is no such option, so that the program cannot do without.
fn with_model(command: &[String], model: Option<&str>) -> Option<Vec<String>> {
    let mut argv: Vec<String> = Vec::with_capacity(command.len());
    for argument in command {
        match model {
            Some(model) => argv.push(argument.replace(MODEL, model)),
            None if argument == MODEL => drop(argv.pop_if(|option| option.starts_with('-'))?),
            None if argument.contains(MODEL) => {}
            None => argv.push(argument.clone()),
        }
    }
    Some(argv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_stands_where_the_command_wants_it() {
        let check = |command: &[&str], model: Option<&str>, expect: Option<&[&str]>| {
            let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
            assert_eq!(with_model(&owned(command), model), expect.map(owned), "{command:?} {model:?}");
        };
        let claude = ["claude", "-p", "--model", "{model}", "--tools", ""];
        check(&claude, Some("opus"), Some(&["claude", "-p", "--model", "opus", "--tools", ""]));
        check(&claude, None, Some(&["claude", "-p", "--tools", ""]));
        check(
            &["aider", "--model={model}", "-x"],
            Some("a b; $(c)"),
            Some(&["aider", "--model=a b; $(c)", "-x"]),
        );
        check(&["aider", "--model={model}", "-x"], None, Some(&["aider", "-x"]));
        check(&["ollama", "run", "{model}"], Some("qwen3:8b"), Some(&["ollama", "run", "qwen3:8b"]));
        check(&["ollama", "run", "{model}"], None, None);
    }
}
