//! Puts a tally on its pull request: [`post`]. [`rehearse`] says what that would do and sends nothing.
//!
//! Everything is read first, and what is there decides what is done, so it can be ended at any point and done again, and two can do it at
//! once: nothing is said twice for longer than it takes to see it. What is said is `post`'s matter, how it is sent `forge`'s.

#[cfg(test)]
pub(super) mod tests;

use crate::{
    forge::{Forge, ForgeError},
    post::{
        comment::{self, Stamp},
        plan::{doubles, missing, outlived},
        remarks::{self, Rules, Wanted},
        stickies, sticky,
    },
    pull::{Address, Comment, Placed, PullRequest, PullState, Thread},
    report::{markdown::escape, words},
    tally::{Tally, gate::Gate, since::short},
};

/// How often the comment with the tally is looked at after it was written, until nobody else has written it.
const LOOKS: usize = 3;
/// Refusals that are told one by one.
const REFUSALS_TOLD: usize = 5;
/// Characters of a platform's reason that are told.
const REASON_TOLD: usize = 200;

/// What is posted.
#[derive(Clone, Copy)]
pub struct Posting<'a> {
    /// The tally.
    pub tally: &'a Tally,
    /// What the gate says of it.
    pub gate: &'a Gate,
    /// Which issues get a comment at their line.
    pub rules: Rules,
    /// Whether the first of two commits is the second or in its history; `false` where nobody can say.
    pub contains: &'a dyn Fn(&str, &str) -> bool,
}

/// What became of the comment with the tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// There was none.
    Added,
    /// There was one with another text.
    Edited,
    /// It was there already.
    Unchanged,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The pull request's page.
    pub page: String,
    /// The comment with the tally.
    pub tally: Written,
    /// Comments made at lines.
    pub remarks: usize,
    /// Comments that the platform did not take at their line.
    pub refused: usize,
    /// Comments whose issue does not stand any more, or that were there twice.
    pub retired: usize,
    /// Where the pull request is now, when that is another commit than the tally is of.
    pub moved_to: Option<String>,
}

/// What would be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsal {
    /// The pull request's page.
    pub page: String,
    /// What would become of the comment with the tally.
    pub tally: Written,
    /// Its text.
    pub body: String,
    /// Comments that would be made at lines.
    pub remarks: Vec<Wanted>,
    /// Comments that would be retired.
    pub retired: usize,
    /// Where the pull request is now, when that is another commit than the tally is of.
    pub moved_to: Option<String>,
}

/// A tally that is not on its pull request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The platform does not do it.
    #[error(transparent)]
    Forge(#[from] ForgeError),
    /// It is about files that nobody has committed.
    #[error("run {run} is of {spec}, which is no commit of a pull request")]
    NoCommit {
        /// The run.
        run: String,
        /// What it is of.
        spec: String,
    },
    /// It is about another one.
    #[error("run {run} is of {own}, not of {asked}")]
    OtherPull {
        /// The run.
        run: String,
        /// Its pull request.
        own: String,
        /// The one asked for.
        asked: String,
    },
    /// It is about commits that are not in it, as far as is known here.
    #[error("run {run} is of commit {commit}, which is not known to be in {pull}, now at {head}")]
    OtherCommit {
        /// The run.
        run: String,
        /// Its last commit.
        commit: String,
        /// The pull request.
        pull: String,
        /// Its last commit.
        head: String,
    },
    /// There is nobody left to tell.
    #[error("{pull} is {state}: nothing is posted")]
    Over {
        /// The pull request.
        pull: String,
        /// `closed` or `merged`.
        state: &'static str,
    },
    /// Only people with rights may say anything there.
    #[error("the conversation of {pull} is locked: {error}")]
    Locked {
        /// The pull request.
        pull: String,
        /// What the platform says.
        error: ForgeError,
    },
    /// A later run stands there.
    #[error("{pull} shows the later run {run}: the older one is not put in its place")]
    Newer {
        /// The pull request.
        pull: String,
        /// The later run.
        run: String,
    },
    /// The comment with the tally is there, but something went wrong with those at lines.
    #[error("the tally is on {pull}, but not every comment at a line could be made or retired: {error}")]
    Partly {
        /// The pull request.
        pull: String,
        /// Why.
        error: ForgeError,
    },
}

/// What is there, and what should be.
struct Scene {
    pull: PullRequest,
    stamp: Stamp,
    comments: Vec<Comment>,
    threads: Vec<Thread>,
    wanted: Vec<Wanted>,
    moved_to: Option<String>,
}

impl Scene {
    fn missing(&self, rules: Rules) -> Vec<&Wanted> {
        missing(&self.wanted, &self.threads, rules.most, self.stamp.started_at)
    }
}

/// A comment that the platform did not take at its line.
struct Refusal<'a> {
    wanted: &'a Wanted,
    reason: String,
}

/// Puts the tally on the pull request behind `forge`.
pub async fn post(forge: &impl Forge, posting: &Posting<'_>) -> Result<Posted, PostError> {
    let scene = look(forge, posting).await?;
    let missing = scene.missing(posting.rules);
    let (made, refusals, failure) = remark(forge, &scene.pull, &missing).await;
    let body = body(forge, posting, &scene, &refusals, failure.as_ref());
    let tally = match say(forge, &scene, &body).await {
        // The first failure tells more.
        Err(PostError::Forge(error)) => return Err(kept_out(forge, &scene.pull, failure.unwrap_or(error))),
        other => other?,
    };
    let retired = match failure {
        None => retire(forge, posting, &scene, made).await,
        Some(error) => Err(error),
    };
    let partly = |error| PostError::Partly { pull: forge.address().to_string(), error };
    let retired = retired.map_err(partly)?;
    let refused = refusals.len();
    let Scene { pull, moved_to, .. } = scene;
    Ok(Posted { page: pull.page, tally, remarks: made, refused, retired, moved_to })
}

/// Why nothing could be said.
fn kept_out(forge: &impl Forge, pull: &PullRequest, error: ForgeError) -> PostError {
    if pull.is_locked && matches!(error, ForgeError::Forbidden { .. }) {
        return PostError::Locked { pull: forge.address().to_string(), error };
    }
    error.into()
}

/// What [`post`] would do.
pub async fn rehearse(forge: &impl Forge, posting: &Posting<'_>) -> Result<Rehearsal, PostError> {
    let scene = look(forge, posting).await?;
    let body = body(forge, posting, &scene, &[], None);
    let tally = match sticky(&scene.comments) {
        None => Written::Added,
        Some(old) if comment::is_same(&old.body, &body) => Written::Unchanged,
        Some(_) => Written::Edited,
    };
    let remarks = scene.missing(posting.rules).into_iter().cloned().collect();
    let retired = outlived(posting.tally, &scene.threads).len();
    let Scene { pull, moved_to, .. } = scene;
    Ok(Rehearsal { page: pull.page, tally, body, remarks, retired, moved_to })
}

/// Reads everything, and says why nothing is to be posted where nothing is.
async fn look(forge: &impl Forge, posting: &Posting<'_>) -> Result<Scene, PostError> {
    let tally = posting.tally;
    let run = || tally.run.id.clone();
    let asked = forge.address();
    let stamp =
        Stamp::of(tally).ok_or_else(|| PostError::NoCommit { run: run(), spec: tally.range.spec.clone() })?;
    let pull = forge.pull().await?;
    let state = match pull.state {
        PullState::Open => None,
        PullState::Closed => Some("closed"),
        PullState::Merged => Some("merged"),
    };
    if let Some(state) = state {
        return Err(PostError::Over { pull: asked.to_string(), state });
    }
    let moved_to = (stamp.head != pull.head).then(|| pull.head.clone());
    let is_own = || !(posting.contains)(&stamp.head, &pull.base);
    let is_within = moved_to.is_none() || ((posting.contains)(&stamp.head, &pull.head) && is_own());
    if let Some(since) = tally.since.as_ref().filter(|since| !is_same(&since.pull.address, asked, is_within))
    {
        let own = since.pull.address.to_string();
        return Err(PostError::OtherPull { run: run(), own, asked: asked.to_string() });
    }
    if !is_within && tally.since.is_none() {
        let (commit, head) = (short(&stamp.head).to_owned(), short(&pull.head).to_owned());
        return Err(PostError::OtherCommit { run: run(), commit, pull: asked.to_string(), head });
    }
    let comments = forge.comments().await?;
    if let Some(there) = sticky(&comments).and_then(|old| Stamp::read(&old.body)) {
        give_way(forge, &stamp, &there, &pull)?;
    }
    let threads = forge.threads().await?;
    let extent = remarks::extent(tally, &pull.base);
    let wanted = match moved_to {
        Some(_) => Vec::new(),
        None => remarks::wanted(tally, posting.rules.inline, extent, forge.limits().comment),
    };
    Ok(Scene { pull, stamp, comments, threads, wanted, moved_to })
}

/// Whether the pull request that was reviewed is the one asked for. A repository may have got another name since: the commits tell then.
fn is_same(reviewed: &Address, asked: &Address, is_within: bool) -> bool {
    let renamed = Address { project: asked.project.clone(), ..reviewed.clone() };
    reviewed == asked || (is_within && renamed == *asked)
}

/// An error when what is there must stay.
fn give_way(forge: &impl Forge, ours: &Stamp, there: &Stamp, pull: &PullRequest) -> Result<(), PostError> {
    if there.outranks(ours, &pull.head) {
        return Err(PostError::Newer { pull: forge.address().to_string(), run: there.run.clone() });
    }
    Ok(())
}

/// Makes the comments at lines. How many were made, which were refused, and what kept the rest from being tried.
async fn remark<'a>(
    forge: &impl Forge,
    pull: &PullRequest,
    missing: &[&'a Wanted],
) -> (usize, Vec<Refusal<'a>>, Option<ForgeError>) {
    let (mut made, mut refusals) = (0, Vec::new());
    for batch in missing.chunks(forge.limits().batch.max(1)) {
        let remarks: Vec<_> = batch.iter().map(|wanted| wanted.remark.clone()).collect();
        let placed = match forge.remark(pull, &remarks).await {
            Ok(placed) => placed,
            Err(error) => return (made, refusals, Some(error)),
        };
        for (wanted, placed) in batch.iter().zip(placed) {
            match placed {
                Placed::Yes => made += 1,
                Placed::Refused(reason) => refusals.push(Refusal { wanted, reason }),
            }
        }
    }
    (made, refusals, None)
}

fn body(
    forge: &impl Forge,
    posting: &Posting<'_>,
    scene: &Scene,
    refusals: &[Refusal<'_>],
    failure: Option<&ForgeError>,
) -> String {
    let notes = notes(scene, refusals, failure);
    let old = sticky(&scene.comments).map(|old| old.body.as_str());
    comment::body(posting.tally, posting.gate, &scene.stamp, forge.limits().comment, &notes, old)
}

/// What a reader of the tally must know of how it was posted, as lines of Markdown.
fn notes(scene: &Scene, refusals: &[Refusal<'_>], failure: Option<&ForgeError>) -> Vec<String> {
    let reason = |text: &str| escape::cell(&words::in_brief(text, REASON_TOLD));
    let mut notes = Vec::new();
    if let Some(head) = &scene.moved_to {
        let (old, new) = (escape::code(short(&scene.stamp.head)), escape::code(short(head)));
        notes.push(format!(
            "This is a review of {old}; the pull request is at {new} now, so there are no comments at lines."
        ));
    }
    for Refusal { wanted, reason: why } in refusals.iter().take(REFUSALS_TOLD) {
        let place = escape::code(&format!("{}:{}", wanted.remark.path, wanted.remark.lines.end));
        let id = escape::code(&wanted.issue);
        notes.push(format!(
            "Said here only, as the platform took no comment at {place} ({id}): {}",
            reason(why)
        ));
    }
    if let Some(more) = refusals.len().checked_sub(REFUSALS_TOLD).filter(|more| *more > 0) {
        notes.push(format!(
            "Said here only, as the platform took no comment: {}",
            words::count(more, "more comment")
        ));
    }
    if let Some(error) = failure {
        notes.push(format!("Not all comments at lines could be made: {}", reason(&error.to_string())));
    }
    notes
}

/// Writes the comment with the tally, and sees to it that there is one and that it is not an older one.
async fn say(forge: &impl Forge, scene: &Scene, body: &str) -> Result<Written, PostError> {
    let written = match sticky(&scene.comments) {
        Some(old) if comment::is_same(&old.body, body) => Written::Unchanged,
        Some(old) => match forge.edit(&old.id, body).await {
            Ok(()) => Written::Edited,
            // Somebody has just deleted it.
            Err(ForgeError::NotFound { .. }) => forge.comment(body).await.map(|_| Written::Added)?,
            Err(error) => return Err(error.into()),
        },
        None => forge.comment(body).await.map(|_| Written::Added)?,
    };
    let is_settled = written == Written::Unchanged && stickies(&scene.comments).count() == 1;
    for _ in 0..if is_settled { 0 } else { LOOKS } {
        let comments = forge.comments().await?;
        let mut ours = stickies(&comments);
        let Some(first) = ours.next() else { break };
        for double in ours {
            forge.delete(&double.id).await?;
        }
        if comment::is_same(&first.body, body) {
            break;
        }
        if let Some(there) = Stamp::read(&first.body) {
            give_way(forge, &scene.stamp, &there, &scene.pull)?;
        }
        forge.edit(&first.id, body).await?;
    }
    Ok(written)
}

/// Retires what has outlived its issue and what is there twice, as another run may have said the same at the same time.
async fn retire(
    forge: &impl Forge,
    posting: &Posting<'_>,
    scene: &Scene,
    made: usize,
) -> Result<usize, ForgeError> {
    let now = if made > 0 { Some(forge.threads().await?) } else { None };
    let threads = now.as_ref().unwrap_or(&scene.threads);
    let mut over = outlived(posting.tally, threads);
    for double in doubles(threads) {
        if !over.iter().any(|thread| thread.id == double.id) {
            over.push(double);
        }
    }
    for thread in &over {
        forge.retire(thread).await?;
    }
    Ok(over.len())
}
