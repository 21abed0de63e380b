//! What a reviewer is told: the templates of `prompts/` filled with one bundle, fenced as data by the run's nonce.
//!
//! [`Templates`] holds the texts and their hash; [`Templates::render`] fills them. It sends nothing.
//!
//! A fence line cannot be forged from inside: each line of code stands behind a gutter, each line of a commit
//! message or of guidance behind `> `. So it does no harm when the nonce itself occurs in the change.

pub mod guidance;
mod judgement;
pub mod question;

use std::fmt::Write;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

use crate::{
    bundle::{
        Bundle,
        show::{harmless, numbered},
    },
    change::Commit,
    digest,
};

/// The path in the prompt's example. Git refuses to track anything below `.git`, so a finding with this path was
/// copied from the prompt.
pub const EXAMPLE_PATH: &str = ".git/example-only.c";

/// Most bytes of commit messages told to a reviewer.
pub const INTENT_BYTES: usize = 1_500;

/// Most characters of a commit's first line.
const LONGEST_SUBJECT: usize = 200;

const SYSTEM: &str = "review.system.md";
const USER: &str = "review.user.md";
const SYSTEM_TEXT: &str = include_str!("../prompts/review.system.md");
const USER_TEXT: &str = include_str!("../prompts/review.user.md");
/// What a template may name.
const VARIABLES: [&str; 6] = ["bundle", "component", "diff", "guidance", "intent", "nonce"];

/// The two texts that make one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Rules and answer format; the same for all bundles of a run.
    pub system: String,
    /// The bundle and the authors' intent.
    pub user: String,
}

impl Prompt {
    /// Both texts as one, for programs that take a single text on stdin.
    pub fn joined(&self) -> String {
        format!("{}\n\n{}", self.system, self.user)
    }
}

/// The prompt templates of a run.
#[derive(Debug, Clone)]
pub struct Templates {
    environment: Environment<'static>,
    hash: String,
}

/// A template that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("prompt template {name}: {reason}")]
pub struct TemplateError {
    /// Which one: `review.system.md` or `review.user.md`.
    pub name: String,
    /// What is wrong, with its line.
    pub reason: String,
}

impl Templates {
    /// The embedded templates, each replaced by the given text where there is one.
    ///
    /// A text may name `nonce`, `bundle` (its id), `component` (its name), `diff` (numbered), `intent` (commit messages) and `guidance` (of the
    /// maintainers); the last two may be empty.
    /// Both texts are tried out here, so that a mistake shows before anything is sent.
    pub fn new(system: Option<String>, user: Option<String>) -> Result<Self, TemplateError> {
        let system = system.unwrap_or_else(|| SYSTEM_TEXT.to_owned());
        let user = user.unwrap_or_else(|| USER_TEXT.to_owned());
        let hash = digest::sha256(&[system.as_bytes(), &[0], user.as_bytes()]);
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, text) in [(SYSTEM, system), (USER, user)] {
            environment.add_template_owned(name, text).map_err(|error| unusable(name, &error))?;
        }
        for (name, text) in judgement::texts().chain(question::texts()) {
            environment.add_template(name, text).map_err(|error| unusable(name, &error))?;
        }
        let templates = Self { environment, hash };
        for name in [SYSTEM, USER] {
            templates.try_out(name)?;
        }
        Ok(templates)
    }

    /// SHA-256 over the template texts, in lower-case hexadecimal.
    pub fn hash(&self) -> String {
        self.hash.clone()
    }

    /// Whether maintainers' guidance has a place in them.
    pub fn tell_guidance(&self) -> bool {
        let names =
            |name: &str| self.environment.get_template(name).map(|text| text.undeclared_variables(false));
        [SYSTEM, USER].into_iter().filter_map(|name| names(name).ok()).any(|names| names.contains("guidance"))
    }

    /// The question about `bundle`, with the maintainers' `guidance` about it. The same for every reviewer: render it once
    /// a bundle.
    pub fn render(
        &self,
        bundle: &Bundle,
        commits: &[Commit],
        guidance: &str,
        nonce: &str,
    ) -> Result<Prompt, TemplateError> {
        let Bundle { id, component, .. } = bundle;
        let (diff, intent) = (numbered(bundle), intent(commits));
        let values = context! { nonce, bundle => id, component, diff, guidance, intent };
        Ok(Prompt { system: self.fill(SYSTEM, &values)?, user: self.fill(USER, &values)? })
    }

    /// What a question about `bundle` comes to, whatever the run: a digest of everything in it but the nonce and the commit
    /// messages.
    pub fn digest(&self, bundle: &Bundle, guidance: &str) -> Result<String, TemplateError> {
        let Prompt { system, user } = self.render(bundle, &[], guidance, "")?;
        let parts = [self.hash.as_str(), &system, &user].map(|part| digest::sha256(&[part.as_bytes()]));
        Ok(digest::sha256(&parts.each_ref().map(String::as_bytes)))
    }

    fn fill(&self, name: &str, values: &Value) -> Result<String, TemplateError> {
        let template = self.environment.get_template(name).map_err(|error| unusable(name, &error))?;
        template.render(values).map_err(|error| unusable(name, &error))
    }

    /// Finds names that no template is given, also where an `if` hides them.
    fn try_out(&self, name: &str) -> Result<(), TemplateError> {
        let sample = context! { nonce => "n", bundle => "b", component => "c", diff => "d\n", guidance => "g\n", intent => "i\n" };
        self.fill(name, &sample)?;
        let template = self.environment.get_template(name).map_err(|error| unusable(name, &error))?;
        let is_known = |word: &String| {
            VARIABLES.contains(&word.as_str()) || self.environment.globals().any(|(global, _)| global == word)
        };
        let mut unknown: Vec<_> =
            template.undeclared_variables(false).into_iter().filter(|word| !is_known(word)).collect();
        unknown.sort();
        let Some(word) = unknown.first() else { return Ok(()) };
        let line = template.source().lines().position(|line| line.contains(word)).map_or(1, |at| at + 1);
        let reason = format!("unknown name `{word}` in line {line}; there are {}", VARIABLES.join(", "));
        Err(TemplateError { name: name.to_owned(), reason })
    }
}

fn unusable(name: &str, error: &minijinja::Error) -> TemplateError {
    let what = error
        .detail()
        .map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    let reason = error.line().map_or_else(|| what.clone(), |line| format!("{what} in line {line}"));
    TemplateError { name: name.to_owned(), reason }
}

/// The commit messages, oldest first, each line behind `> `: whole when they fit into [`INTENT_BYTES`], otherwise as
/// many subjects as fit, and how many were left out. Trailers such as `Signed-off-by:` are left out: who wrote a
/// change must not sway its review.
fn intent(commits: &[Commit]) -> String {
    let (text, left) = quoted(commits.iter().flat_map(|commit| told_lines(&commit.message)));
    if left == 0 {
        return text;
    }
    let (mut text, left) = quoted(commits.iter().map(|commit| subject(&commit.message)));
    let _ = match left {
        0 => writeln!(text, "(subjects only)"),
        left => writeln!(text, "(subjects only; {left} of {} commits not shown)", commits.len()),
    };
    text
}

/// The first line behind a bullet, then the body without trailers and empty lines.
fn told_lines(message: &str) -> impl Iterator<Item = String> {
    let body = message.trim().lines().skip(1).filter(|line| !line.trim().is_empty() && !is_trailer(line));
    std::iter::once(subject(message)).chain(body.map(|line| format!("  {line}")))
}

fn subject(message: &str) -> String {
    let line = message.trim().lines().next().unwrap_or_default();
    match line.char_indices().nth(LONGEST_SUBJECT) {
        Some((end, _)) => format!("* {}…", &line[..end]),
        None => format!("* {line}"),
    }
}

fn is_trailer(line: &str) -> bool {
    let word = line.split_once(": ").map_or("", |(word, _)| word);
    word.to_ascii_lowercase().ends_with("-by")
        && word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
}

/// As many of `lines` as fit, quoted, and how many did not.
fn quoted(lines: impl Iterator<Item = String>) -> (String, usize) {
    let (mut text, mut left) = (String::new(), 0);
    for line in lines {
        let line = harmless(&line);
        if left > 0 || text.len() + line.len() + 3 > INTENT_BYTES {
            left += 1;
            continue;
        }
        let _ = writeln!(text, "> {line}");
    }
    (text, left)
}

#[cfg(test)]
mod tests;
