//! `scrum post`: puts a saved run's tally on its pull request. [`post`] is also what a review does with `--post`.
//!
//! Whatever goes wrong, the tally stays on disk, and the error says how to post it later.

use clap::Args;

use super::{
    Global,
    error::{CliError, Status},
    pull, report,
    ui::Ui,
    workspace::Workspace,
};
use crate::{
    forge::AnyForge,
    git::Kinship,
    report::{foreign, words},
    run::posting::{self, PostError, Posted, Posting, Rehearsal, Written},
    store::RunDir,
    tally::{Tally, gate::Gate, since::short},
};

#[derive(Debug, Args)]
pub(super) struct PostArgs {
    /// A run id, a prefix of one, a path, or `latest`
    #[arg(value_name = "RUN", default_value = "latest")]
    run: String,
    /// The pull request: its number, the address of its page, or `auto` for the CI job's; without it, the one that was reviewed
    #[arg(long, value_name = "N|URL|auto")]
    pr: Option<String>,
    /// Show what would be said and done; send nothing
    #[arg(long)]
    dry_run: bool,
}

/// What is posted, and where.
pub(super) struct Matter<'a> {
    workspace: &'a Workspace,
    dir: &'a RunDir,
    tally: &'a Tally,
    gate: &'a Gate,
    /// The pull request as a user names it.
    pr: String,
}

pub(super) fn run(global: &Global, args: &PostArgs, ui: Ui) -> Result<Status, CliError> {
    let (workspace, dir) = Workspace::for_run(global, &args.run, ui)?;
    let saved = report::open(&workspace, &dir, ui)?;
    let (tally, gate) = report::judged(&workspace, &dir, saved, None, ui)?;
    let matter = Matter::new(&workspace, &dir, (&tally, &gate), args.pr.as_deref());
    if args.dry_run {
        rehearse(&matter, ui)?;
    } else {
        post(&matter, ui)?;
    }
    Ok(Status::Done)
}

/// Puts a tally on its pull request, and says what that came to.
pub(super) fn post(matter: &Matter<'_>, ui: Ui) -> Result<(), CliError> {
    let work = async |forge: &AnyForge, posting: &Posting<'_>| posting::post(forge, posting).await;
    told(matter.with_forge(work, ui)?, ui);
    Ok(())
}

fn rehearse(matter: &Matter<'_>, ui: Ui) -> Result<(), CliError> {
    let work = async |forge: &AnyForge, posting: &Posting<'_>| posting::rehearse(forge, posting).await;
    let Rehearsal { page, tally, body, remarks, retired, moved_to } = matter.with_forge(work, ui)?;
    ui.note(match tally {
        Written::Added => format!("would comment on {page}"),
        Written::Edited => format!("would edit the comment on {page}"),
        Written::Unchanged => format!("the comment on {page} would stay as it is"),
    });
    tell_of_move(moved_to.as_deref(), ui);
    if retired > 0 {
        ui.note(format_args!("would retire {} at lines", words::count(retired, "comment")));
    }
    let mut text = body;
    for wanted in &remarks {
        let (path, lines) = (&wanted.remark.path, wanted.remark.lines);
        let place = foreign::one_line(&format!("{path}:{}", lines.end));
        ui.note(format_args!("would comment at {place}: {} {}", wanted.severity, wanted.issue));
        text.extend(["\n---\n\n", &wanted.remark.body]);
    }
    Ui::result(&text, None)
}

impl<'a> Matter<'a> {
    /// Without `pr` it goes where the pull request is that was reviewed, else where the CI job's is.
    pub(super) fn new(
        workspace: &'a Workspace,
        dir: &'a RunDir,
        (tally, gate): (&'a Tally, &'a Gate),
        pr: Option<&str>,
    ) -> Self {
        let reviewed = tally.since.as_ref().map(|since| since.pull.address.number.to_string());
        let pr = pr.map(str::to_owned).or(reviewed).unwrap_or_else(|| "auto".to_owned());
        Self { workspace, dir, tally, gate, pr }
    }

    fn with_forge<T>(
        &self,
        work: impl AsyncFnOnce(&AnyForge, &Posting<'_>) -> Result<T, PostError>,
        ui: Ui,
    ) -> Result<T, CliError> {
        let (address, credential) = pull::address(self.workspace, &self.pr)?;
        let forge = pull::open(address, credential, ui)?;
        let contains = |old: &str, new: &str| {
            let repo = self.workspace.repo.as_ref().filter(|repo| repo.has_commit(new));
            repo.is_some_and(|repo| matches!(repo.kinship(old, new), Ok(Kinship::Ancestor)))
        };
        let (tally, gate, rules) = (self.tally, self.gate, self.workspace.config.post);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| CliError::new(format!("cannot start the runtime: {error}")))?;
        let done = runtime.block_on(work(&forge, &Posting { tally, gate, rules, contains: &contains }));
        done.map_err(|error| self.hinted(error))
    }

    /// The pull request as it can be named later: `auto` means something in its CI job only.
    fn lasting_name(&self) -> String {
        let found = (self.pr == "auto").then(|| pull::address(self.workspace, &self.pr).ok()).flatten();
        found.map_or_else(|| self.pr.clone(), |(address, _)| address.number.to_string())
    }

    /// What can be done about it; for what may work later, where the tally is, and what posts it then.
    fn hinted(&self, error: PostError) -> CliError {
        let plain = CliError::new(error.to_string());
        let folder = self.workspace.shown(&self.dir.review);
        let later = format!(
            "the tally is kept in {folder}; post it later with: scrum post {} --pr {}",
            self.dir.id,
            self.lasting_name()
        );
        match error {
            PostError::Forge(error) => CliError::from(error).hint(later),
            PostError::Over { .. } | PostError::Partly { .. } | PostError::Locked { .. } => plain.hint(later),
            PostError::NoCommit { .. } => plain.hint("review the pull request itself: scrum review --pr N"),
            PostError::OtherPull { .. } => plain.hint("leave --pr out, or name the run of that pull request"),
            PostError::OtherCommit { head, .. } => plain
                .hint(format!("fetch it if {head} is not here, or review it: scrum review --pr {}", self.pr)),
            PostError::Newer { .. } => plain.hint(format!("the tally is kept in {folder}")),
        }
    }
}

fn told(posted: Posted, ui: Ui) {
    let Posted { page, tally, remarks, refused, retired, moved_to } = posted;
    let mut parts = vec![match tally {
        Written::Added => format!("posted on {page}"),
        Written::Edited => format!("posted on {page}, in place of the last tally"),
        Written::Unchanged => format!("{page} shows it already"),
    }];
    let lines = [
        (remarks, "comment", "made at lines"),
        (refused, "comment", "refused there"),
        (retired, "comment", "retired"),
    ];
    let lines = lines.into_iter().filter(|(count, ..)| *count > 0);
    parts.extend(lines.map(|(count, noun, what)| format!("{} {what}", words::count(count, noun))));
    ui.note(parts.join("; "));
    tell_of_move(moved_to.as_deref(), ui);
}

fn tell_of_move(moved_to: Option<&str>, ui: Ui) {
    if let Some(head) = moved_to {
        ui.warning(format_args!(
            "the pull request is at {} now, so there are no comments at lines",
            short(head)
        ));
    }
}
