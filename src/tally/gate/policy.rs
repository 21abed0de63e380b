//! What the gate asks for: [`Policy`], with a [`Bar`] for each part of the repository.
//!
//! It holds no more than what somebody configured; applying it is [`evaluate`](super::evaluate)'s work.

use std::{fmt, sync::Arc};

use serde::Deserialize;

use crate::{
    bundle::{Globs, SplitError},
    change::RepoPath,
    finding::Severity,
    tally::{Agreement, Issue, since::Earlier},
};

/// What makes the gate fail (`--fail-on`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Nothing: the gate is off.
    #[default]
    Never,
    /// Any counted issue.
    Any,
    /// An issue of WARN or worse.
    Warn,
    /// An issue of BLOCK.
    Block,
    /// An issue that two or more lineages agree on.
    Convergent,
}

/// Which issues fail. All that it says must be true of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// By how bad they are.
    pub fail_on: FailOn,
    /// By how far their lineages agree, at least.
    pub agreement: Agreement,
    /// By how many distinct lineages found them, at least.
    pub min_agreeing: usize,
}

/// A `[[gate.rule]]`: its own bar for the files that its globs match.
#[derive(Debug, Clone)]
pub struct Rule {
    /// As in `.gitignore`.
    paths: Vec<String>,
    globs: Arc<Globs>,
    /// What fails there.
    pub bar: Bar,
}

/// The policy of a run.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What fails where no rule fits.
    pub bar: Bar,
    /// Fewest distinct lineages that must have answered.
    pub min_lineages: usize,
    /// Least share of what was asked that must have been answered in full, in percent.
    pub min_coverage: u8,
    /// The first that fits an issue's path judges it.
    pub rules: Vec<Rule>,
}

impl FailOn {
    /// Every choice, the mildest first.
    pub const ALL: [Self; 5] = [Self::Never, Self::Any, Self::Warn, Self::Block, Self::Convergent];

    /// The word of the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Any => "any",
            Self::Warn => "warn",
            Self::Block => "block",
            Self::Convergent => "convergent",
        }
    }

    /// What fails, in words: `issues of BLOCK`.
    fn noun(self, head: &str) -> String {
        match (self, self.severity()) {
            (Self::Convergent, _) => format!("{head} that two or more lineages agree on"),
            (_, Some(Severity::Block)) => format!("{head} of {}", Severity::Block),
            (_, Some(least)) => format!("{head} of {least} or worse"),
            (_, None) => head.to_owned(),
        }
    }

    /// The least severity that fails on its own.
    fn severity(self) -> Option<Severity> {
        match self {
            Self::Never | Self::Convergent => None,
            Self::Any => Some(Severity::Info),
            Self::Warn => Some(Severity::Warn),
            Self::Block => Some(Severity::Block),
        }
    }
}

impl Bar {
    /// By severity alone, whoever found it.
    pub fn of(fail_on: FailOn) -> Self {
        Self { fail_on, agreement: Agreement::Single, min_agreeing: 1 }
    }

    /// Whether an issue fails unless a human dismissed it. One that is still open from the last review weighs no less than it did then.
    pub(super) fn concerns(&self, issue: &Issue) -> bool {
        let before = issue.still_open();
        let agreement = before.map_or(issue.agreement, |before| before.agreement.max(issue.agreement));
        let lineages = before.map_or(0, |before| before.lineages.len()).max(issue.convergence());
        issue.is_counted() && self.fails(issue.worst_severity(), agreement, lineages)
    }

    /// The same of an issue that nobody reports now.
    pub(super) fn concerns_earlier(&self, issue: &Earlier) -> bool {
        self.fails(issue.severity, issue.agreement, issue.lineages.len())
    }

    /// The same of a finding without a place, which nobody can agree with.
    pub(super) fn concerns_alone(&self, severity: Severity) -> bool {
        self.fails(severity, Agreement::Single, 1)
    }

    fn fails(&self, severity: Severity, agreement: Agreement, lineages: usize) -> bool {
        let is_bad = match self.fail_on.severity() {
            Some(least) => severity >= least,
            None => self.fail_on == FailOn::Convergent && lineages >= 2,
        };
        is_bad && agreement >= self.agreement && lineages >= self.min_agreeing
    }

    /// How many lineages must have answered for anything to be able to fail.
    pub(super) fn least(&self) -> usize {
        match self.fail_on {
            FailOn::Never => 1,
            FailOn::Convergent => self.min_agreeing.max(2),
            FailOn::Any | FailOn::Warn | FailOn::Block if self.agreement > Agreement::Single => {
                self.min_agreeing.max(2)
            }
            FailOn::Any | FailOn::Warn | FailOn::Block => self.min_agreeing,
        }
    }

    /// What fails, in words: `issues of BLOCK found by 3 lineages or more`.
    pub(super) fn noun(&self, head: &str) -> String {
        let noun = self.fail_on.noun(head);
        let by = match self.min_agreeing {
            0 | 1 => String::new(),
            more => format!(" found by {more} lineages or more"),
        };
        let agreed = match self.agreement {
            Agreement::Single => "",
            Agreement::Place => " whose place lineages agree on",
            Agreement::Claim => " whose claim lineages agree on",
        };
        format!("{noun}{by}{agreed}")
    }
}

impl Rule {
    /// `paths` are globs, at least one. Fails where one cannot be read.
    pub fn new(paths: Vec<String>, bar: Bar) -> Result<Self, SplitError> {
        let globs = Arc::new(Globs::grouped([&paths])?);
        Ok(Self { paths, globs, bar })
    }

    /// Its globs.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    fn fits(&self, path: &RepoPath) -> bool {
        self.globs.matches(path)
    }
}

impl Policy {
    /// Severity and lineages that answered, the same for all paths.
    pub fn plain(fail_on: FailOn, min_lineages: usize) -> Self {
        Self { bar: Bar::of(fail_on), min_lineages, min_coverage: 0, rules: Vec::new() }
    }

    /// Whether nothing can fail.
    pub fn is_off(&self) -> bool {
        self.bars().all(|bar| bar.fail_on == FailOn::Never)
    }

    /// The bars of the rules, then the one where none fits.
    pub(super) fn bars(&self) -> impl Iterator<Item = &Bar> {
        self.rules.iter().map(|rule| &rule.bar).chain([&self.bar])
    }

    /// Which of [`bars`](Self::bars) judges what is called `path`.
    pub(super) fn place(&self, path: &RepoPath) -> usize {
        self.rules.iter().position(|rule| rule.fits(path)).unwrap_or(self.rules.len())
    }

    /// The bar at `place`.
    pub(super) fn bar_at(&self, place: usize) -> &Bar {
        self.rules.get(place).map_or(&self.bar, |rule| &rule.bar)
    }

    /// Names the rule at `place`: ` (gate.rule 1: src/auth/**)`; nothing where no rule fits.
    pub(super) fn named(&self, place: usize) -> String {
        let rule = self.rules.get(place).map(|rule| rule.paths.join(", "));
        rule.map(|paths| format!(" (gate.rule {}: {paths})", place + 1)).unwrap_or_default()
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fail-on {}", self.fail_on.word())?;
        if self.agreement > Agreement::Single {
            write!(f, ", agreement {}", self.agreement.word())?;
        }
        if self.min_agreeing > 1 {
            write!(f, ", min-agreeing {}", self.min_agreeing)?;
        }
        Ok(())
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, min-lineages {}", self.bar, self.min_lineages)?;
        if self.min_coverage > 0 {
            write!(f, ", min-coverage {} %", self.min_coverage)?;
        }
        self.rules.iter().try_for_each(|rule| write!(f, "; {}: {}", rule.paths.join(", "), rule.bar))
    }
}
