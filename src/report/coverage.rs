//! The coverage ledger in words: what was shown, who answered, and every [`Gap`].
//!
//! It says what was not read and why. Whether that matters is the gate's decision.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry},
};

use crate::{
    bundle::{Bundle, ExcludeReason, Excluded, Guard, IGNORE_FILE},
    coverage::{Outcome, StandIn, State},
    finding::Verdict,
    report::{foreign, words},
    reviewer::{ReviewerId, Seat},
    route::Routed,
    tally::{Coverage, Tally, spent::Spent},
};

/// Names of left-out files shown for each reason.
const NAMES_SHOWN: usize = 4;

/// Bundles that one reviewer left without a whole answer, all for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Who did not answer.
    pub reviewer: ReviewerId,
    /// How far it came.
    pub state: State,
    /// Why, harmless to show; empty when not known.
    pub reason: String,
    /// Bundle ids, in bundle order.
    pub bundles: Vec<String>,
}

/// Bundles that one reviewer answered in the place of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substitution {
    /// Whose seat it is.
    pub reviewer: ReviewerId,
    /// Who answered.
    pub by: StandIn,
    /// Bundle ids, in bundle order.
    pub bundles: Vec<String>,
}

/// Who answered in whose place, in the order of the ledger.
pub fn substitutions(tally: &Tally) -> Vec<Substitution> {
    let mut found: Vec<Substitution> = Vec::new();
    for Outcome { bundle, reviewer, answered_by, .. } in tally.coverage.iter().map(|task| &task.outcome) {
        let Some(by) = answered_by else { continue };
        match found.iter_mut().find(|known| known.reviewer == *reviewer && known.by == *by) {
            Some(known) => known.bundles.push(bundle.clone()),
            None => found.push(Substitution {
                reviewer: reviewer.clone(),
                by: by.clone(),
                bundles: vec![bundle.clone()],
            }),
        }
    }
    found
}

impl Substitution {
    /// `opus-2 (claude-opus-4-7) answered in its place on c1 web and c2 api`.
    pub fn event(&self, bundles_in_all: usize) -> String {
        let StandIn { reviewer, model } = &self.by;
        let model = foreign::one_line(model);
        format!("{reviewer} ({model}) answered in its place on {}", place(&self.bundles, bundles_in_all))
    }
}

/// `c1 web and c2 api`, `all 20 bundles`.
fn place(bundles: &[String], bundles_in_all: usize) -> String {
    let names: Vec<String> = bundles.iter().map(|id| words::bundle_name(id)).collect();
    if names.len() > 1 && names.len() == bundles_in_all {
        format!("all {}", words::count(names.len(), "bundle"))
    } else {
        words::list_up_to(&names, 3)
    }
}

/// What readers of whole answers should know of how they were asked for: `asked without temperature, which the model does
/// not take: all 6 bundles`, by reviewer. Who answered in whose place is told by [`substitutions`].
pub fn remarks(tally: &Tally, bundles_in_all: usize) -> Vec<(&ReviewerId, String)> {
    let mut bundles: BTreeMap<(&ReviewerId, &str), Vec<String>> = BTreeMap::new();
    for outcome in tally.coverage.iter().map(|task| &task.outcome) {
        let is_own = outcome.state == State::Answered && outcome.answered_by.is_none();
        if let Some(remark) = outcome.reason.as_deref().filter(|_| is_own) {
            bundles.entry((&outcome.reviewer, remark)).or_default().push(outcome.bundle.clone());
        }
    }
    let told = |((reviewer, remark), bundles): (_, Vec<String>)| {
        (reviewer, format!("{}: {}", foreign::one_line(remark), place(&bundles, bundles_in_all)))
    };
    bundles.into_iter().map(told).collect()
}

/// Tasks that were answered, and all that were to be.
pub fn answered(tally: &Tally) -> (usize, usize) {
    let in_state = |state| tally.coverage.iter().filter(|task| task.outcome.state == state).count();
    (in_state(State::Answered), tally.coverage.len() - in_state(State::NotRouted))
}

/// `all 6 answered`, `5 of 6 answered`, `none of 6 answered`, `nobody was asked`.
pub fn in_short(tally: &Tally) -> String {
    match answered(tally) {
        (_, 0) => "nobody was asked".to_owned(),
        (0, all) => format!("none of {} answered", words::grouped(all as u64)),
        (whole, all) if whole == all && all > 1 => format!("all {} answered", words::grouped(all as u64)),
        (whole, all) => {
            format!("{} of {} answered", words::grouped(whole as u64), words::grouped(all as u64))
        }
    }
}

/// What is missing, in the order of the ledger, equal reasons of one reviewer put together.
pub fn gaps(tally: &Tally) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    let mut known: HashMap<_, usize> = HashMap::new();
    let is_missing = |task: &&Coverage| !matches!(task.outcome.state, State::Answered | State::NotRouted);
    for task in tally.coverage.iter().filter(is_missing) {
        let gap = gap_of(task);
        match known.entry((&task.outcome.reviewer, gap.state, gap.reason.clone())) {
            Entry::Occupied(at) => gaps[*at.get()].bundles.extend(gap.bundles),
            Entry::Vacant(free) => {
                free.insert(gaps.len());
                gaps.push(gap);
            }
        }
    }
    gaps
}

/// `by route only to rules and kimi (light): c1 docs and c2 root`, a line a panel; nothing without routes.
pub fn routed(tally: &Tally) -> Vec<String> {
    let mut bundles: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut reviewers: BTreeMap<&str, &BTreeSet<String>> = BTreeMap::new();
    let is_whole = |routed: &Routed| {
        tally.panel.reviewers.iter().all(|seat| routed.reviewers.contains(seat.id.as_str()))
    };
    for (bundle, routed) in tally.run.routes.iter().filter(|(_, routed)| !is_whole(routed)) {
        bundles.entry(&routed.panel).or_default().push(words::bundle_name(bundle));
        reviewers.insert(&routed.panel, &routed.reviewers);
    }
    let line = |(panel, bundles): (&&str, &Vec<String>)| {
        let asked: Vec<&String> = reviewers[*panel].iter().collect();
        let only = if asked.is_empty() { "nobody".to_owned() } else { words::list(&asked) };
        format!("by route only to {only} ({}): {}", foreign::one_line(panel), words::list_up_to(bundles, 6))
    };
    bundles.iter().map(line).collect()
}

fn gap_of(task: &Coverage) -> Gap {
    let outcome = &task.outcome;
    Gap {
        reviewer: outcome.reviewer.clone(),
        state: outcome.state,
        reason: foreign::one_line(outcome.reason.as_deref().unwrap_or_default()),
        bundles: vec![outcome.bundle.clone()],
    }
}

impl Gap {
    /// `timed out on c2 web`, `failed on all 20 bundles`.
    pub fn event(&self, bundles_in_all: usize) -> String {
        format!("{} {}", event_word(self.state), place(&self.bundles, bundles_in_all))
    }
}

/// What happened, up to the bundle's name.
fn event_word(state: State) -> &'static str {
    match state {
        State::Answered => "answered on",
        State::Incomplete => "gave an incomplete answer on",
        State::Failed => "failed on",
        State::TimedOut => "timed out on",
        State::Empty => "gave an empty answer on",
        State::Skipped | State::NotRouted => "was not asked about",
    }
}

/// The state as people read it.
pub fn state_word(state: State) -> &'static str {
    match state {
        State::TimedOut => "timed out",
        State::NotRouted => "by route not asked",
        State::Answered | State::Incomplete | State::Failed | State::Empty | State::Skipped => state.word(),
    }
}

/// The verdicts of each reviewer that answered: `hold on c1 validatord, ship on c2 web`; the bundles are left out when
/// they are all.
pub fn verdicts(tally: &Tally) -> BTreeMap<&ReviewerId, String> {
    let mut tasks: BTreeMap<&ReviewerId, Vec<&Coverage>> = BTreeMap::new();
    for task in tally.coverage.iter().filter(|task| task.outcome.state == State::Answered) {
        tasks.entry(&task.outcome.reviewer).or_default().push(task);
    }
    tasks.into_iter().map(|(reviewer, tasks)| (reviewer, verdicts_in(&tasks))).collect()
}

fn verdicts_in(tasks: &[&Coverage]) -> String {
    let order = [Some(Verdict::Hold), Some(Verdict::ShipWithFixes), Some(Verdict::Ship), None];
    let groups: Vec<String> = order.into_iter().filter_map(|verdict| verdict_group(tasks, verdict)).collect();
    groups.join("; ")
}

fn verdict_group(tasks: &[&Coverage], verdict: Option<Verdict>) -> Option<String> {
    let bundles: Vec<String> = tasks
        .iter()
        .filter(|task| task.verdict == verdict)
        .map(|task| words::bundle_name(&task.outcome.bundle))
        .collect();
    let word = verdict.map_or("no verdict", Verdict::word);
    match bundles.len() {
        0 => None,
        all if all == tasks.len() => Some(word.to_owned()),
        _ => Some(format!("{word} on {}", words::list_up_to(&bundles, 3))),
    }
}

/// `c1 validatord (46 KB)`.
pub fn bundle_head(bundle: &Bundle) -> String {
    let size = words::size(bundle.byte_len() as u64);
    let remark = match bundle.guard {
        Guard::Ok => "",
        Guard::Warn => ", large",
        Guard::Oversize => ", too large to send",
        Guard::Forced => ", too large but forced",
    };
    format!("{} ({size}{remark})", words::bundle_name(&bundle.id))
}

/// `2 lockfiles: Cargo.lock and web/yarn.lock`, a line a reason. Many files that somebody chose not to see are told
/// by their top folders, the fullest first.
pub fn excluded_lines(excluded: &[Excluded]) -> Vec<String> {
    let mut by_reason: BTreeMap<ExcludeReason, Vec<String>> = BTreeMap::new();
    for file in excluded {
        by_reason.entry(file.reason).or_default().push(foreign::one_line(&file.path.to_string()));
    }
    let line = |(reason, paths): (&ExcludeReason, &Vec<String>)| {
        let names = match reason {
            ExcludeReason::Filtered | ExcludeReason::OtherComponent if paths.len() > NAMES_SHOWN + 1 => {
                words::list_up_to(&by_folder(paths), NAMES_SHOWN)
            }
            _ => words::list_up_to(paths, NAMES_SHOWN),
        };
        format!("{}: {names}", excluded_count(*reason, paths.len()))
    };
    by_reason.iter().map(line).collect()
}

/// `200 in src`, `3 at the root`, the fullest folder first.
fn by_folder(paths: &[String]) -> Vec<String> {
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for path in paths {
        let folder = path.split_once('/').map_or("", |(folder, _)| folder);
        *folders.entry(folder).or_default() += 1;
    }
    let mut folders: Vec<_> = folders.into_iter().collect();
    folders.sort_by_key(|(_, files)| Reverse(*files));
    let told = |(folder, files): &(&str, usize)| match *folder {
        "" => format!("{} at the root", words::grouped(*files as u64)),
        folder => format!("{} in {folder}", words::grouped(*files as u64)),
    };
    folders.iter().map(told).collect()
}

/// `2 lockfiles`, `1 generated file`.
fn excluded_count(reason: ExcludeReason, files: usize) -> String {
    let noun = match reason {
        ExcludeReason::Lockfile => "lockfile",
        ExcludeReason::Vendored => "vendored file",
        ExcludeReason::Generated => "generated file",
        ExcludeReason::Minified => "minified file",
        ExcludeReason::Binary => "binary file",
        ExcludeReason::Ignored | ExcludeReason::Filtered | ExcludeReason::OtherComponent => "file",
    };
    let counted = words::count(files, noun);
    match reason {
        ExcludeReason::Ignored => format!("{counted} kept from reviewers by {IGNORE_FILE}"),
        ExcludeReason::Filtered => format!("{counted} left out by include or exclude"),
        ExcludeReason::OtherComponent if files == 1 => format!("{counted} of another component"),
        ExcludeReason::OtherComponent => format!("{counted} of other components"),
        _ => counted,
    }
}

/// `61,500 tokens in, 4,200 out, $0.25 and 3 replies of unknown price, 14 of 20 from the cache`; `None` when there is nothing
/// to tell. `of` is the number of questions.
pub fn spent(spent: &Spent, of: usize) -> Option<String> {
    let Spent { answers: _, cached, tokens_in, tokens_out, cost_usd, unpriced } = *spent;
    let (tokens_in, tokens_out) = (tokens_in.unwrap_or_default(), tokens_out.unwrap_or_default());
    let mut parts = Vec::new();
    if tokens_in > 0 || tokens_out > 0 {
        parts.push(format!("{} tokens in, {} out", words::grouped(tokens_in), words::grouped(tokens_out)));
    }
    let unknown = if unpriced == 1 {
        "1 reply".to_owned()
    } else {
        format!("{} replies", words::grouped(unpriced as u64))
    };
    let known = cost_usd.filter(|usd| *usd > 0.0 || (unpriced == 0 && !parts.is_empty())).map(words::dollars);
    match (known, unpriced) {
        (None, 0) => {}
        (Some(known), 0) => parts.push(known),
        (None, _) => parts.push(format!("{unknown} of unknown price")),
        (Some(known), _) => parts.push(format!("{known} and {unknown} of unknown price")),
    }
    if cached > 0 {
        parts.push(format!(
            "{} of {} from the cache",
            words::grouped(cached as u64),
            words::grouped(of as u64)
        ));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// As [`spent`], for the whole of `tally`.
pub fn spent_in_all(tally: &Tally) -> Option<String> {
    spent(&Spent::in_all(tally), tally.coverage.len() + tally.judgements.hearings().count())
}

/// As [`spent`], for each reviewer there is something to tell of.
pub fn spent_by_reviewer(tally: &Tally) -> BTreeMap<&ReviewerId, String> {
    let told = |seat: &'_ Seat| {
        let tasks = tally.coverage.iter().filter(|task| task.outcome.reviewer == seat.id).count();
        spent(&Spent::by_seat(tally, seat), tasks)
    };
    tally.panel.reviewers.iter().filter_map(|seat| Some((&seat.id, told(seat)?))).collect()
}
