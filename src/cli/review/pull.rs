//! `scrum review --pr`: [`open()`] finds a pull request, brings its commits here and reads what the last review of it left.
//!
//! How much is asked about is decided when it is known who would be asked: [`Pulled::since`].

use super::ReviewArgs;
use crate::{
    change::Change,
    cli::{Global, error::CliError, pull, ui::Ui, workspace::Workspace},
    config::{Choice, key_of},
    digest,
    disposition::Disposition,
    forge::{
        AnyForge, Forge, ForgeError,
        address::{Known, locate},
    },
    git::{Fetch, Kinship, Repo},
    post::{record, sticky},
    pull::{Address, Comment, Platform, PullRequest, PullState, Reviewed, Thread},
    report::words,
    reviewer::{Reviewer, Seat},
    run::{
        conversation::{self, Heard},
        routing, saved,
        whereabouts::{self, Differences},
    },
    tally::{
        self,
        gate::{self, Policy},
        since::{self, Descent, Last, Scope, Since, short},
    },
};

/// A pull request whose commits are here.
pub(super) struct Pulled {
    reviewed: Reviewed,
    last: Option<Last>,
    decisions: Vec<Disposition>,
    notes: Vec<String>,
    /// Why the record of the last review cannot be used, where there is one.
    unusable: Option<String>,
}

/// What a pull request's server says of it.
struct Seen {
    pull: PullRequest,
    last: Option<Last>,
    heard: Heard,
    unusable: Option<String>,
}

/// Opens the repository for a review of the pull request that `given` means. Nobody is asked for a tally that `is_to_be_posted` where
/// nothing is posted any more.
pub(super) fn open(
    global: &Global,
    given: &str,
    is_to_be_posted: bool,
    ui: Ui,
) -> Result<(Workspace, Pulled), CliError> {
    let here = Workspace::for_addressing(global, ui)?;
    let (address, credential) = pull::address(&here, given)?;
    let local = last_here(&here, &address);
    let forge = pull::open(address.clone(), credential, ui)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::new(format!("cannot start the runtime: {error}")))?;
    let Seen { pull, last, heard, unusable } = runtime.block_on(look(&forge, local))?;
    let over = match pull.state {
        PullState::Open => None,
        PullState::Closed => Some("closed"),
        PullState::Merged => Some("merged"),
    };
    if let Some(over) = over {
        if is_to_be_posted {
            let error = CliError::new(format!("{address} is {over}: nothing is posted there"));
            return Err(error.hint("without --post it is reviewed all the same"));
        }
        ui.note(format_args!("{address} is {over}"));
    }
    let reviewed = bring(&here, address, &pull)?;
    let workspace = Workspace::for_pull(global, &reviewed, ui)?;
    heard.notes.iter().for_each(|note| ui.warning(note));
    let Heard { decisions, notes } = heard;
    Ok((workspace, Pulled { reviewed, last, decisions, notes, unusable }))
}

/// Reads everything that is to be known from the server. `local` is what a review made here left; of that and the one in the conversation
/// the later counts.
async fn look(forge: &AnyForge, local: Option<Last>) -> Result<Seen, ForgeError> {
    let pull = forge.pull().await?;
    let comments: Vec<Comment> = forge.comments().await?;
    let threads: Vec<Thread> = forge.threads().await?;
    let posted = sticky(&comments).and_then(|comment| record::read(&comment.body));
    let (posted, unusable) = match posted {
        Some(Ok(last)) => (Some(last), None),
        Some(Err(error)) => (None, Some(error.to_string())),
        None => (None, None),
    };
    let last = posted.into_iter().chain(local).max_by(|a, b| a.started_at.cmp(&b.started_at));
    let heard = conversation::hear(forge, &comments, &threads, last.as_ref()).await;
    Ok(Seen { unusable: unusable.filter(|_| last.is_none()), pull, last, heard })
}

/// What the newest finished review of the same pull request left that was made here. One that came with a commit does not count: a change
/// could bring it. Nor does one that does not read.
fn last_here(workspace: &Workspace, address: &Address) -> Option<Last> {
    workspace.runs_made_here().rev().find_map(|dir| {
        let since = dir.since().ok().flatten()?;
        if since.pull.address != *address {
            return None;
        }
        let run = saved::open(&dir).ok().filter(|run| run.record.finished_at.is_some())?;
        let tally = tally::tally(run.input);
        Last::left_by(&tally, &gate::evaluate(&tally, &run.policy))
    })
}

/// Fetches what of the pull request is not here, and finds where it left its target.
pub(in crate::cli) fn bring(
    workspace: &Workspace,
    address: Address,
    pull: &PullRequest,
) -> Result<Reviewed, CliError> {
    let repo = workspace.repo.as_ref().ok_or_else(|| CliError::new("not in a git repository"))?;
    for id in [&pull.base, &pull.head] {
        let is_id =
            matches!(id.len(), 40 | 64) && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_id {
            return Err(CliError::new(format!("the server names {id:?} as a commit of {address}")));
        }
    }
    let fetch = missing(workspace, repo, &address, pull);
    if !fetch.refs.is_empty() {
        repo.fetch(&fetch)?;
    }
    if let Some(id) = [&pull.head, &pull.base].into_iter().find(|id| !repo.has_commit(id)) {
        let gone = format!("{} of {address} is not at the remote `{}`", short(id), fetch.remote);
        return Err(CliError::new(gone).hint("if it was pushed to just now, run the command again").hint(
            "if the remote is another repository, add the one that the pull request is in: git remote add",
        ));
    }
    let base = repo.merge_base(&pull.base, &pull.head)?;
    Ok(Reviewed { address, base, target: pull.base.clone(), head: pull.head.clone() })
}

/// What has to be fetched, and where from.
fn missing(workspace: &Workspace, repo: &Repo, address: &Address, pull: &PullRequest) -> Fetch {
    let number = address.number;
    let theirs = match address.platform {
        Platform::GitHub | Platform::Gitea => format!("refs/pull/{number}/head"),
        Platform::GitLab => format!("refs/merge-requests/{number}/head"),
    };
    let ours = |name: &str| format!("refs/scrum/pull/{number}/{name}");
    let wanted = [(&pull.head, theirs, ours("head")), (&pull.base, pull.base.clone(), ours("base"))];
    let wanted = wanted.into_iter().filter(|(id, ..)| !repo.has_commit(id));
    let refs = wanted.map(|(_, theirs, ours)| (theirs, ours)).collect();
    Fetch { remote: remote(workspace, repo, address), refs }
}

/// The remote that is the pull request's repository; else `origin`. What comes from there has the ids that the server told, or does not count.
fn remote(workspace: &Workspace, repo: &Repo, address: &Address) -> String {
    let is_it = |url: String| {
        let (platform, url, origin) = (Some(address.platform), workspace.config.forge.url.clone(), Some(url));
        let known = Known { platform, url, origin, ..Known::default() };
        locate(&address.number.to_string(), &known).is_ok_and(|found| found == *address)
    };
    let found = repo.remotes().into_iter().find(|(_, url)| is_it(url.clone()));
    found.map_or_else(|| pull::REMOTE.to_owned(), |(name, _)| name)
}

impl Pulled {
    /// Decides how much is asked about, and has `workspace` review that.
    pub(super) fn since(
        self,
        workspace: &mut Workspace,
        args: &ReviewArgs,
        choice: &Choice,
        policy: &Policy,
        ui: Ui,
    ) -> Result<Since, CliError> {
        let Self { reviewed: pull, mut last, decisions, notes, unusable } = self;
        let fingerprint = fingerprint(workspace, args, choice, policy, ui)?;
        let descent = descent(workspace, last.as_ref(), &pull)?;
        let scope = match unusable {
            Some(reason) => Scope::Full(reason),
            None => since::scope(last.as_ref(), args.full, (&pull.base, &fingerprint), descent),
        };
        if let Some(last) = &mut last {
            follow(workspace, last, &pull, &scope)?;
        }
        announce(&pull, &scope, last.as_ref(), ui);
        Ok(Since { pull, scope, fingerprint, last, decisions, notes })
    }
}

/// Looks where the last review's issues are now, and narrows the review to what came since where it is to be.
fn follow(
    workspace: &mut Workspace,
    last: &mut Last,
    pull: &Reviewed,
    scope: &Scope,
) -> Result<(), CliError> {
    let words = format!("{} after {}", pull.address, short(&last.head));
    let is_here = workspace.repo.as_ref().is_some_and(|repo| repo.has_commit(&last.head));
    let since = is_here.then(|| workspace.change_since(pull, &last.head, words)).transpose()?;
    if let (Some(repo), Some(whole)) = (&workspace.repo, workspace.given()) {
        whereabouts::look(repo, last, &pull.head, Differences { since: since.as_ref(), whole });
    }
    if let (Scope::Incremental, Some(change)) = (scope, since) {
        workspace.narrow(change);
    }
    Ok(())
}

fn descent(workspace: &Workspace, last: Option<&Last>, pull: &Reviewed) -> Result<Descent, CliError> {
    let (Some(last), Some(repo)) = (last, &workspace.repo) else { return Ok(Descent::Ancestor) };
    Ok(match repo.kinship(&last.head, &pull.head)? {
        Kinship::Ancestor => Descent::Ancestor,
        Kinship::Missing if repo.is_shallow() => Descent::Cut,
        Kinship::Missing | Kinship::Apart => Descent::Rewritten,
    })
}

fn announce(pull: &Reviewed, scope: &Scope, last: Option<&Last>, ui: Ui) {
    let Some(last) = last else {
        if let Scope::Full(reason) = scope {
            ui.note(format_args!("all of {} will be reviewed: {reason}", pull.address));
        }
        return;
    };
    let head = short(&last.head);
    match scope {
        Scope::First => {}
        Scope::Full(reason) => {
            ui.note(format_args!("all of {} will be reviewed again: {reason}", pull.address));
        }
        Scope::Incremental if last.head == pull.head => {
            ui.note(format_args!(
                "nothing was pushed to {} since the last review of {head} (--full reviews all of it again)",
                pull.address
            ));
        }
        Scope::Incremental => {
            let known = last.issues.iter().filter(|issue| !issue.is_fixed).count();
            let known = words::count(known, "issue");
            ui.note(format_args!(
                "reviewing what was pushed to {} after {head}; {known} known from before (--full reviews all of it again)",
                pull.address
            ));
        }
    }
}

/// Hash of what decides who is asked what, whatever the change: another one means that all of it is asked about again.
fn fingerprint(
    workspace: &Workspace,
    args: &ReviewArgs,
    choice: &Choice,
    policy: &Policy,
    ui: Ui,
) -> Result<String, CliError> {
    let config = &workspace.config;
    let rules = workspace.split_rules(&args.change, &Change::default(), ui)?;
    let panel: Vec<_> = routing::anybody(config, choice)?
        .into_iter()
        .filter(|one| key_of(one, workspace.environment).is_ok())
        .map(|one: Reviewer| (Seat::from(&one), one.access, one.temperature, one.max_output_tokens))
        .collect();
    let asked = format!(
        "{:?}",
        (
            (workspace.templates()?.hash(), panel, &config.routes, policy.min_lineages),
            (
                &rules.declared,
                rules.limits,
                rules.cut_declared,
                &rules.include,
                &rules.exclude,
                &rules.ignored
            ),
            (&rules.only_components, args.change.context.unwrap_or(config.context), &config.rules),
            (config.guidance, config.guidance_bytes, &config.guidance_rules),
        )
    );
    let mut hash = digest::sha256(&[asked.as_bytes()]);
    hash.truncate(32);
    Ok(hash)
}
