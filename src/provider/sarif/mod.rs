//! A static analyser as a reviewer: its report, read once a run, becomes a reply for each bundle.
//!
//! [`StaticTool`] answers with the findings on lines that the change adds or edits, and counts the others. It has no
//! opinion of its own: severity, rule and words are the tool's. Lines match only where the tool saw the change's new
//! side, so that is where it runs.

mod analysis;
mod cargo;
mod log;
mod places;
mod running;
mod shellcheck;
#[cfg(test)]
mod tests;
mod told;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::OnceCell;

use super::{
    Answer, AskError, End, OpenError, Question,
    command::{Program, Surroundings},
    remark,
};
use crate::{
    bundle::{Globs, Split},
    reviewer::{Analyser, Invocation, ReportSource, Reviewer, Tree},
    secret::Keys,
};
use analysis::{Analysis, Changed};
use places::Places;
use told::Report;

/// Finds a folder that holds all files of the change's new side, or says why there is none; may take its time, it runs on a
/// thread of its own.
pub type FindTree = Arc<dyn Fn(Tree) -> Result<PathBuf, String> + Send + Sync>;

/// What static tools look at.
#[derive(Clone)]
pub struct Site {
    /// The change as reviewers see it.
    pub split: Arc<Split>,
    /// The commit on the change's new side, if it is one.
    pub head: Option<String>,
    /// Where its files are.
    pub tree: FindTree,
}

impl Site {
    /// For questions that are about no change: a static tool has nothing to look at.
    pub fn nowhere() -> Self {
        let tree: FindTree = Arc::new(|_| Err("there is no change to look at".to_owned()));
        Self { split: Arc::default(), head: None, tree }
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("head", &self.head).finish_non_exhaustive()
    }
}

/// A static analyser and the one report it gives in a run.
#[derive(Debug)]
pub struct StaticTool {
    name: String,
    analyser: Analyser,
    globs: Globs,
    site: Site,
    /// What is started; `None` where the report is there already.
    program: Option<Program>,
    /// The keys of the whole run.
    keys: Keys,
    analysis: OnceCell<Result<Analysis, AskError>>,
}

impl StaticTool {
    pub(super) fn open(
        reviewer: &Reviewer,
        analyser: &Analyser,
        site: &Site,
        surroundings: &Surroundings,
        keys: Keys,
    ) -> Result<Self, OpenError> {
        let globs = Globs::grouped([&analyser.paths]).map_err(|error| OpenError::BadPaths {
            reviewer: reviewer.id.to_string(),
            reason: error.to_string(),
        })?;
        Ok(Self {
            name: super::in_brief(&reviewer.model),
            analyser: analyser.clone(),
            globs,
            site: site.clone(),
            program: program(&analyser.source, surroundings).map(|program| program.keeping(keys.clone())),
            keys,
            analysis: OnceCell::new(),
        })
    }

    /// Whoever asks first has the tool run; all others wait for its report.
    pub(super) async fn ask(&self, question: &Question) -> Result<Answer, AskError> {
        let bundle = &question.bundle;
        if !bundle.files.iter().any(|file| analysis::is_fitting(file, &self.analyser.paths, &self.globs)) {
            let scope = format!("nothing for {} in this bundle", self.name);
            return Ok(Answer {
                text: remark::write(Vec::new(), &scope, &question.nonce),
                ..Answer::default()
            });
        }
        let analysis = self.analysis.get_or_try_init(|| self.settled()).await?;
        let analysis = analysis.as_ref().map_err(Clone::clone)?;
        let end = analysis.trouble().map_or(End::Stop, |trouble| End::Cut(super::in_brief(trouble)));
        let text = analysis.answer(&self.name, bundle, &question.nonce);
        Ok(Answer { text, end, remark: analysis.older(), ..Answer::default() })
    }

    /// What all bundles are told; an error for what another attempt may mend.
    async fn settled(&self) -> Result<Result<Analysis, AskError>, AskError> {
        match self.analyse().await {
            Err(error @ AskError::Transient { .. }) => Err(error),
            settled => Ok(settled),
        }
    }

    async fn analyse(&self) -> Result<Analysis, AskError> {
        let changed = Changed::of(&self.site.split, &self.analyser.paths, &self.globs);
        let report = match &self.analyser.source {
            ReportSource::Program(program) => {
                let started = self.program.as_ref().ok_or_else(|| self.failed("the command is empty"))?;
                let root = self.root(program.tree).await?;
                running::run(program, started, self.analyser.levels, &root, &changed).await?
            }
            ReportSource::File(file) => self.saved(file, &changed).await?,
        };
        // Before sentences are shortened: half of a key is not known for one.
        let report = report.concealed(|text| self.without_keys(text));
        Analysis::new(report, &changed).map_err(|reason| self.failed(&reason))
    }

    /// `text` with `[key]` in place of the keys of the tool and of the run.
    pub(super) fn without_keys(&self, text: String) -> String {
        match &self.program {
            Some(program) => program.without_keys(text),
            None => self.keys.conceal(text),
        }
    }

    /// The tree without symbolic links on the way, so that what a tool writes can be compared with it.
    async fn root(&self, tree: Tree) -> Result<PathBuf, AskError> {
        let find = Arc::clone(&self.site.tree);
        let found = tokio::task::spawn_blocking(move || {
            let root = find(tree)?;
            root.canonicalize().map_err(|error| format!("cannot open {}: {error}", root.display()))
        });
        let found = found.await.unwrap_or_else(|error| Err(error.to_string()));
        found.map_err(|reason| self.failed(&reason))
    }

    async fn saved(&self, file: &Path, changed: &Changed) -> Result<Report, AskError> {
        let wrong = |reason: String| self.failed(&format!("{}: {reason}", file.display()));
        let text = tokio::fs::read_to_string(file).await.map_err(|error| wrong(error.to_string()))?;
        let head = self.site.head.as_deref();
        log::read(&text, &Places::elsewhere(changed), self.analyser.levels, head).map_err(wrong)
    }

    fn failed(&self, reason: &str) -> AskError {
        AskError::permanent(super::in_brief(&format!("{}: {reason}", self.name)))
    }
}

/// What `source` starts, with its part of `surroundings`; `None` when there is nothing to start.
fn program(source: &ReportSource, surroundings: &Surroundings) -> Option<Program> {
    let ReportSource::Program(program) = source else { return None };
    let (argv, env, pass_env) = (program.argv.clone(), program.env.clone(), program.pass_env.clone());
    Program::new(&Invocation { argv, env, pass_env, ..Invocation::default() }, surroundings)
}
