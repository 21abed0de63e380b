//! Finds which deleted and added files are one file that moved: [`find`].
//!
//! It takes git's steps (`git diff -M`): equal content first, then files whose name stands only once on either side,
//! then every remaining pair up to a limit. Copies are not looked for, as git does not by default.

use std::cmp::Reverse;
use std::collections::HashMap;

use git2::{Oid, Repository};

use super::error::GitError;
use super::objects::{self, Objects, blob};
use super::similarity::{Fingerprint, LEAST, LEAST_BY_NAME, MOST, sizes_allow};
use super::trees::{Entry, Pair};
use crate::change::RepoPath;

/// Git's `diff.renameLimit`: at most this many files squared are compared each with each.
const RENAME_LIMIT: usize = 1000;
/// So many equal sources that are still free are looked at for one file.
const MOST_EQUAL: usize = 100;
/// So many best sources are kept for one file while all are compared.
const MOST_CANDIDATES: usize = 4;
/// Larger files are binary to git and only moved as they are, in bytes.
const LARGEST: u64 = 512 * 1024 * 1024;

/// One end of a possible move.
struct End {
    path: RepoPath,
    entry: Entry,
    taken: bool,
}

/// A move: indices into sources and targets.
struct Match {
    source: usize,
    target: usize,
    score: u64,
}

/// Replaces deleted and added files that belong together by renames; path order stays.
pub(super) fn find(
    objects: &Objects<'_>,
    pairs: Vec<Pair>,
    notes: &mut Vec<String>,
) -> Result<Vec<Pair>, GitError> {
    let mut search = Search::default();
    for pair in pairs {
        match pair {
            Pair::Deleted { path, old } => search.sources.push(End { path, entry: old, taken: false }),
            Pair::Added { path, new } => search.targets.push(End { path, entry: new, taken: false }),
            other @ (Pair::Changed { .. } | Pair::Renamed { .. }) => search.others.push(other),
        }
    }
    if !search.sources.is_empty() && !search.targets.is_empty() {
        search.equal();
        search.same_names(objects)?;
        search.all_pairs(objects, notes)?;
    }
    Ok(search.into_pairs())
}

#[derive(Default)]
struct Search {
    sources: Vec<End>,
    targets: Vec<End>,
    others: Vec<Pair>,
    found: Vec<Match>,
}

impl Search {
    fn take(&mut self, found: Match) {
        self.sources[found.source].taken = true;
        self.targets[found.target].taken = true;
        self.found.push(found);
    }

    /// Files with the same object id; one with the same name is preferred.
    fn equal(&mut self) {
        let mut by_id: HashMap<Oid, Vec<usize>> = HashMap::new();
        for (at, source) in self.sources.iter().enumerate() {
            by_id.entry(source.entry.id).or_default().push(at);
        }
        for target in 0..self.targets.len() {
            let end = &self.targets[target];
            let Some(equal) = by_id.get(&end.entry.id) else { continue };
            let free = |source: &&usize| {
                let source = &self.sources[**source];
                !source.taken && may_move(source.entry, end.entry)
            };
            let best = equal.iter().filter(free).take(MOST_EQUAL).max_by_key(|source| {
                (self.sources[**source].path.file_name() == end.path.file_name(), Reverse(**source))
            });
            if let Some(source) = best.copied() {
                self.take(Match { source, target, score: MOST });
            }
        }
    }

    /// Files whose name stands once among the remaining sources and once among the remaining targets.
    fn same_names(&mut self, objects: &Objects<'_>) -> Result<(), GitError> {
        let (sources, targets) = (unique_names(&self.sources), unique_names(&self.targets));
        let mut couples: Vec<(usize, usize)> = sources
            .iter()
            .filter_map(|(name, source)| Some(((*source)?, (*targets.get(name)?)?)))
            .filter(|(source, target)| self.regular(*source, *target))
            .collect();
        couples.sort_unstable();
        let scores = objects.each(&couples, |repo, (source, target)| {
            score(repo, self.sources[*source].entry.id, self.targets[*target].entry.id)
        })?;
        for ((source, target), score) in couples.into_iter().zip(scores) {
            if score >= LEAST_BY_NAME {
                self.take(Match { source, target, score });
            }
        }
        Ok(())
    }

    fn regular(&self, source: usize, target: usize) -> bool {
        self.sources[source].entry.is_regular() && self.targets[target].entry.is_regular()
    }

    /// Every remaining source with every remaining target; the best pairs first.
    fn all_pairs(&mut self, objects: &Objects<'_>, notes: &mut Vec<String>) -> Result<(), GitError> {
        let (sources, targets) = (remaining(&self.sources), remaining(&self.targets));
        if sources.is_empty() || targets.is_empty() {
            return Ok(());
        }
        if sources.len() * targets.len() > RENAME_LIMIT * RENAME_LIMIT {
            notes.push(format!(
                "{} deleted and {} added files are too many to compare each with each: moved and edited files \
                 among them are shown as deleted and added",
                sources.len(),
                targets.len()
            ));
            return Ok(());
        }
        let mut candidates = self.candidates(objects, &sources, &targets)?;
        candidates.sort_by_key(|(found, same_name)| (Reverse((found.score, *same_name)), found.target));
        for (found, _) in candidates {
            if !self.sources[found.source].taken && !self.targets[found.target].taken {
                self.take(found);
            }
        }
        Ok(())
    }

    /// The best few sources of each target, and whether the file name is the same.
    fn candidates(
        &self,
        objects: &Objects<'_>,
        sources: &[usize],
        targets: &[usize],
    ) -> Result<Vec<(Match, bool)>, GitError> {
        let source_sizes =
            objects.each(sources, |repo, at| objects::size(repo, self.sources[*at].entry.id))?;
        let target_sizes =
            objects.each(targets, |repo, at| objects::size(repo, self.targets[*at].entry.id))?;
        let fits = |one: u64, others: &[u64]| {
            (1..=LARGEST).contains(&one) && others.iter().any(|other| sizes_allow(one, *other))
        };
        let sized: Vec<(usize, u64)> = sources.iter().copied().zip(source_sizes.iter().copied()).collect();
        let prints = objects.each(&sized, |repo, (at, size)| {
            let id = self.sources[*at].entry.id;
            fits(*size, &target_sizes).then(|| fingerprint(repo, id)).transpose()
        })?;
        let sized: Vec<(usize, u64)> = targets.iter().copied().zip(target_sizes).collect();
        let found = objects.each(&sized, |repo, (target, size)| {
            if !fits(*size, &source_sizes) {
                return Ok(Vec::new());
            }
            let end = &self.targets[*target];
            let print = fingerprint(repo, end.entry.id)?;
            let mut best = Vec::with_capacity(MOST_CANDIDATES);
            for ((source, source_size), source_print) in sources.iter().zip(&source_sizes).zip(&prints) {
                let comparable = source_print.as_ref().filter(|_| sizes_allow(*source_size, *size));
                let score = comparable.map_or(0, |other| other.score(&print));
                let same_name = self.sources[*source].path.file_name() == end.path.file_name();
                keep_if_better(&mut best, (Match { source: *source, target: *target, score }, same_name));
            }
            best.retain(|(found, _)| found.score >= LEAST);
            Ok(best)
        })?;
        Ok(found.into_iter().flatten().collect())
    }

    fn into_pairs(mut self) -> Vec<Pair> {
        let mut pairs = self.others;
        for Match { source, target, score } in &self.found {
            let (source, target) = (&self.sources[*source], &self.targets[*target]);
            pairs.push(Pair::Renamed {
                old_path: source.path.clone(),
                old: source.entry,
                path: target.path.clone(),
                new: target.entry,
                percent: u32::try_from(score * 100 / MOST).unwrap_or(100),
            });
        }
        self.sources.retain(|end| !end.taken);
        self.targets.retain(|end| !end.taken);
        pairs.extend(self.sources.into_iter().map(|end| Pair::Deleted { path: end.path, old: end.entry }));
        pairs.extend(self.targets.into_iter().map(|end| Pair::Added { path: end.path, new: end.entry }));
        pairs.sort_by(|one, other| one.path().cmp(other.path()));
        pairs
    }
}

/// Puts `new` into a free place, else into that of the first of the worst if it is better. As in git also what is too
/// unlike to have moved takes a place, which decides in which order equally good ones stand.
fn keep_if_better(best: &mut Vec<(Match, bool)>, new: (Match, bool)) {
    let rank = |(found, same_name): &(Match, bool)| (found.score, *same_name);
    if best.len() < MOST_CANDIDATES {
        best.push(new);
    } else if let Some(worst) = best.iter_mut().min_by_key(|one| rank(one))
        && rank(worst) < rank(&new)
    {
        *worst = new;
    }
}

/// Files may change their permission while moving; links and submodules must stay what they are.
fn may_move(old: Entry, new: Entry) -> bool {
    old.mode == new.mode || old.is_regular() && new.is_regular()
}

/// Where each file name stands among what is not taken; `None` when it stands twice.
fn unique_names(ends: &[End]) -> HashMap<Vec<u8>, Option<usize>> {
    let mut names = HashMap::new();
    for (at, end) in ends.iter().enumerate().filter(|(_, end)| !end.taken) {
        names.entry(end.path.file_name().to_vec()).and_modify(|place| *place = None).or_insert(Some(at));
    }
    names
}

/// Regular files that are not taken.
fn remaining(ends: &[End]) -> Vec<usize> {
    (0..ends.len()).filter(|at| !ends[*at].taken && ends[*at].entry.is_regular()).collect()
}

fn score(repo: &Repository, old: Oid, new: Oid) -> Result<u64, GitError> {
    let (old_size, new_size) = (objects::size(repo, old)?, objects::size(repo, new)?);
    if !sizes_allow(old_size, new_size) || old_size.max(new_size) > LARGEST {
        return Ok(0);
    }
    Ok(fingerprint(repo, old)?.score(&fingerprint(repo, new)?))
}

fn fingerprint(repo: &Repository, id: Oid) -> Result<Fingerprint, GitError> {
    let blob = blob(repo, id)?;
    Ok(Fingerprint::new(if blob.size() == 0 { &[] } else { blob.content() }))
}
