//! `scrum gauntlet`: may this ship? [`run()`] carries out what `gauntlet.toml` declares, phase by phase, and judges it.
//!
//! The review is prepared first, so that what cannot be reviewed is known before anything has run; then come the checks, the
//! review, the comparisons. Whatever ends it early, what came is kept.

mod phases;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::{Timestamp, tz::TimeZone};
use phases::Comparison;

use super::{
    Format, Global, OutputArgs,
    error::{CliError, Status},
    interrupt::{self, Interrupt},
    post::{self, Matter},
    review::{self, Reviewed},
    ui::Ui,
    workspace::Workspace,
};
use crate::{
    VERSION, clock,
    config::{
        ReviewPhase, env,
        gauntlet::{self, Gauntlet},
    },
    gauntlet::{
        assess::Reason,
        conclude::{Outcome, Phase, conclude},
        document::{AssessmentWord, GauntletDocument, Line, Review, Run},
        markdown, review as told, terminal,
    },
    git::Repo,
    progress::json::Told,
    run,
    store::{Gauntlets, RunDir, Store},
};

/// Name of the file where none is named, at the repository's root.
pub(super) const FILE_NAME: &str = "gauntlet.toml";

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(super) struct GauntletArgs {
    /// What declares the phases [default: gauntlet.toml at the repository's root]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Leave out this phase (repeatable); a gauntlet that lacks a declared one never ships
    #[arg(long, value_enum, value_name = "PHASE")]
    skip: Vec<PhaseName>,
    /// Carry out only this phase (repeatable)
    #[arg(long, value_enum, value_name = "PHASE", conflicts_with = "skip")]
    only: Vec<PhaseName>,
    /// Ask this panel, in place of the declared one
    #[arg(long, value_name = "NAME", env = env::PANEL)]
    panel: Option<String>,
    /// Review this pull request, in place of the declared range
    #[arg(long, value_name = "N|URL|auto")]
    pr: Option<String>,
    /// Put what comes of it on the pull request, below the tally
    #[arg(long, requires = "pr")]
    post: bool,
    #[command(flatten)]
    output: OutputArgs,
}

const EXIT_STATUS: &str = "\
Exit status:
  0    ship, or ship-with-known-gap
  1    hold: a check failed, the review holds, or sides differ where nobody accepted it
  2    wrong use, configuration or another error
  3    inconclusive: nothing speaks against it, but not everything was carried out
  130  interrupted; services are stopped, and what came is kept";

/// A phase as it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PhaseName {
    /// The chain of checks
    Smoke,
    /// The review of the range
    Review,
    /// The comparisons
    Parity,
}

impl PhaseName {
    fn word(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Review => "review",
            Self::Parity => "parity",
        }
    }
}

impl GauntletArgs {
    /// By which flag a phase is left out, if it is.
    fn left_out(&self, phase: PhaseName) -> Option<String> {
        if self.skip.contains(&phase) {
            return Some(format!("--skip {}", phase.word()));
        }
        let only =
            || self.only.iter().map(|one| format!("--only {}", one.word())).collect::<Vec<_>>().join(" ");
        (!self.only.is_empty() && !self.only.contains(&phase)).then(only)
    }

    /// The words of a `scrum review` of the declared range.
    fn review_line(&self, range: Option<&str>, panel: Option<&str>) -> Vec<String> {
        let flag = |name: &str, value: Option<&str>| value.map(|value| format!("--{name}={value}"));
        let flags = [flag("panel", self.panel.as_deref().or(panel)), flag("pr", self.pr.as_deref())];
        let range = range.filter(|_| self.pr.is_none()).map(|range| ["--".to_owned(), range.to_owned()]);
        flags.into_iter().flatten().chain(range.into_iter().flatten()).collect()
    }
}

/// A gauntlet that is under way.
struct Session<'a> {
    global: &'a Global,
    args: &'a GauntletArgs,
    ui: Ui,
    base: Workspace,
    /// As people call it: from the repository's root.
    file: String,
    declared: Gauntlet,
    interrupt: Interrupt,
}

pub(super) fn run(global: &Global, args: &GauntletArgs, ui: Ui) -> Result<Status, CliError> {
    Ui::check_output(args.output.file())?;
    let base = Workspace::open_anywhere(global, ui)?;
    let path = file(&base, args)?;
    let declared = gauntlet::read(&path)?;
    let shown = path.strip_prefix(base.root()).unwrap_or(&path).display().to_string();
    let interrupt = interrupt::watched()?;
    let session = Session { global, args, ui, base, file: shown, declared, interrupt };
    session.check()?;
    session.run()
}

/// The file that is named, else the one at the repository's root.
fn file(base: &Workspace, args: &GauntletArgs) -> Result<PathBuf, CliError> {
    let path = args.file.as_ref().map_or_else(|| base.root().join(FILE_NAME), |file| base.resolve(file));
    if path.is_file() {
        return Ok(path);
    }
    let error = CliError::new(format!("there is no file {}", base.shown(&path)));
    Err(error
        .hint("docs/design/gauntlet.md says what stands in one: [[smoke]], [review], [[parity]], [[gap]]"))
}

impl Session<'_> {
    /// What cannot be carried out as it was asked for.
    fn check(&self) -> Result<(), CliError> {
        let Gauntlet { chain, review, parity, .. } = &self.declared;
        if chain.checks.is_empty() && review.is_none() && parity.is_empty() {
            let error = CliError::new(format!("{} declares no phase", self.file));
            return Err(error.hint("declare [[smoke]] checks, a [review] or a [[parity]] spec"));
        }
        if self.args.pr.is_some() && review.is_none() {
            return Err(CliError::new(format!("{} declares no review of a pull request", self.file))
                .hint("write [review] into it; its range gives way to the pull request"));
        }
        if let Some(flag) = self.args.left_out(PhaseName::Review).filter(|_| self.args.post) {
            return Err(CliError::new(format!("{flag} leaves nothing to post"))
                .hint("what comes of a gauntlet is posted below the tally of its review"));
        }
        Ok(())
    }

    fn run(self) -> Result<Status, CliError> {
        let started = clock::now();
        let specs = self.specs()?;
        let mut review = self.ready()?;
        let store = review.as_ref().map_or(&self.base.store, |review| &review.workspace.store).clone();
        let dir = match review.as_ref().and_then(review::Phase::dir) {
            Some(dir) => dir.clone(),
            None => store.create_review(&run::run_id(started, &clock::nonce()?))?,
        };
        self.ui.tell(&Told::Run { run: &dir.id });
        let smoke = self.smoke(&dir)?;
        let is_over = self.is_over(&smoke);
        let reviewed = self.review(review.as_mut(), is_over)?;
        let compared = self.parity(&specs, is_over)?;
        let earlier = self.earlier(&store)?;
        let outcome = Outcome {
            run: self.facts(&dir, started),
            smoke,
            review: reviewed.as_ref().map(|reviewed| self.told(reviewed.as_ref(), &earlier)),
            parity: compared.as_ref().map(|all| all.iter().map(|one| one.entry.clone()).collect()),
            register: self.declared.gaps.clone(),
            earlier,
            notes: self.notes(review.as_ref()),
        };
        let document = conclude(outcome, started.to_zoned(TimeZone::UTC).date());
        keep(&document, compared, &dir, &store)?;
        self.show(&document, &dir)?;
        if let (Some(review), Phase::Carried(Some(reviewed)), true) = (&review, &reviewed, self.args.post) {
            let tally = (&reviewed.tally, &reviewed.gate);
            post::post(&Matter::new(&review.workspace, &dir, tally, self.args.pr.as_deref()), self.ui)?;
        } else if self.args.post {
            self.ui.warning(format_args!(
                "nothing is posted: without a review there is no tally to stand below"
            ));
        }
        Ok(self.status(&document))
    }

    fn facts(&self, dir: &RunDir, started: Timestamp) -> Run {
        Run {
            id: dir.id.clone(),
            started_at: run::timestamp(started),
            finished_at: (!self.is_interrupted()).then(|| run::timestamp(clock::now())),
            tool_version: VERSION.to_owned(),
            file: self.file.clone(),
            head: self.base.repo.as_ref().and_then(Repo::head),
        }
    }

    /// What is told of a review, and what it weighs.
    fn told(&self, reviewed: Option<&Reviewed>, earlier: &[Line]) -> (Review, Reason) {
        match reviewed {
            Some(Reviewed { tally, gate, replies }) => told::phase(tally, gate, replies, earlier),
            None => told::of_nothing(self.declared.review.as_ref().and_then(|review| review.range.clone())),
        }
    }

    fn is_interrupted(&self) -> bool {
        self.interrupt.end.is_cancelled()
    }

    /// The review, as far as the first request; `None` where none is carried out.
    fn ready(&self) -> Result<Option<review::Phase>, CliError> {
        let declared =
            self.declared.review.as_ref().filter(|_| self.args.left_out(PhaseName::Review).is_none());
        let Some(ReviewPhase { range, panel }) = declared else { return Ok(None) };
        let line = self.args.review_line(range.as_deref(), panel.as_deref());
        review::ready(self.global, &line, self.ui).map(Some)
    }

    /// What earlier gauntlets of the same file came to.
    fn earlier(&self, store: &Store) -> Result<Vec<Line>, CliError> {
        let Gauntlets { lines, unusable } = store.gauntlets()?;
        for line in unusable {
            self.ui.warning(format_args!("not a gauntlet and left out: {line}"));
        }
        Ok(lines.into_iter().filter(|line| line.file == self.file).collect())
    }

    /// What a reader should know besides.
    fn notes(&self, review: Option<&review::Phase>) -> Vec<String> {
        let change = review.and_then(|review| review.workspace.given());
        let brings =
            change.is_some_and(|change| change.files.iter().any(|file| file.path.to_string() == self.file));
        let note = format!("the change under review brings {} itself: look at what it declares", self.file);
        brings.then_some(note).into_iter().collect()
    }

    fn show(&self, document: &GauntletDocument, dir: &RunDir) -> Result<(), CliError> {
        for one in &document.review.engagement {
            if let Some(silence) = &one.silence {
                self.ui.warning(format_args!("{} fell silent: {silence}", one.now.reviewer));
            }
        }
        let output = &self.args.output;
        Ui::result(&shown(document, output.format, output.file().is_none(), self.ui), output.file())?;
        self.ui.note(format_args!("saved in {}", self.base.shown(&dir.review)));
        Ok(())
    }

    fn status(&self, document: &GauntletDocument) -> Status {
        if self.is_interrupted() {
            return Status::Interrupted;
        }
        match document.assessment.result {
            AssessmentWord::Ship | AssessmentWord::ShipWithKnownGap => Status::Done,
            AssessmentWord::Hold => Status::GateFailed,
            AssessmentWord::Inconclusive => Status::Inconclusive,
        }
    }
}

/// Writes down what came of it, and each comparison with what is accepted of it.
fn keep(
    document: &GauntletDocument,
    compared: Phase<Vec<Comparison>>,
    dir: &RunDir,
    store: &Store,
) -> Result<(), CliError> {
    if let Phase::Carried(compared) = compared {
        for (mut one, entry) in compared.into_iter().zip(&document.parity.specs) {
            one.keep(entry, &document.gaps, dir)?;
        }
    }
    dir.write_gauntlet(document)?;
    if document.run.finished_at.is_some() {
        store.append_gauntlet(&document.line())?;
    }
    Ok(())
}

/// A gauntlet in the form asked for; colour only on a screen.
pub(super) fn shown(document: &GauntletDocument, format: Format, to_screen: bool, ui: Ui) -> String {
    match format {
        Format::Table => terminal::render(document, Ui::width(), to_screen && ui.color_on_stdout()),
        Format::Markdown => markdown::render(document),
        Format::Json => document.render(),
    }
}
