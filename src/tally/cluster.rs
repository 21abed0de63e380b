//! Puts findings together into clusters, one issue each: [`cluster`].
//!
//! A cluster grows around its first finding and never from member to member. Findings come in one total order, so the
//! order they were given in cannot matter. The rules are written down in `docs/design/agreement.md`.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap, HashSet, hash_map::Entry},
};

use super::{
    Agreement, Member,
    claim::{Claim, Sameness},
    further::join_further,
    judged::Rulings,
};
use crate::{anchor::plain_name, finding::LineRange, judgement::ClaimId, reviewer::ReviewerId};

/// Findings this many lines apart are still near.
pub(super) const NEAR: u32 = 10;
/// A finding is compared with at most this many clusters on each way of meeting: a bound for hostile input, far over
/// what honest reviews put around one line.
pub(super) const MOST_CANDIDATES: usize = 32;
/// … and with at most this many members of each.
pub(super) const MOST_COMPARED: usize = 16;
/// A cluster names at most this many neighbours.
const MOST_NEIGHBOURS: usize = 16;

/// Findings that belong together.
#[derive(Debug)]
pub(super) struct Cluster {
    /// Counted findings; the first one is what the others were held against.
    pub(super) members: Vec<Note>,
    /// What its lineages agree on.
    pub(super) agreement: Agreement,
    /// Positions of near clusters that are not the same, nearest first.
    pub(super) neighbours: Vec<usize>,
    /// Positions of members whose groups joined by place, of another lineage than the first member.
    pub(super) unsettled: Vec<usize>,
}

impl Cluster {
    fn new(members: Vec<Note>, agreement: Agreement) -> Self {
        let joined =
            |note: &Note| note.link == Link::Place && note.member.lineage != members[0].member.lineage;
        let unsettled = (1..members.len()).filter(|at| joined(&members[*at])).collect();
        Self { members, agreement, neighbours: Vec::new(), unsettled }
    }

    /// Whether several lineages say the same.
    pub(super) fn is_by_claim(&self) -> bool {
        self.agreement == Agreement::Claim
    }

    /// Adds what says the same; `other` keeps its own order behind this one's members.
    pub(super) fn take_in(&mut self, other: Self) {
        append(&mut self.members, other.members, Link::Further);
        if lineages(&self.members) > 1 {
            self.agreement = Agreement::Claim;
        }
    }
}

/// A finding made ready for comparing.
#[derive(Debug)]
pub(super) struct Note {
    /// Boxed, since putting findings in order moves them often.
    pub(super) member: Box<Member>,
    /// Its claim's name, where rulings are to be looked up.
    pub(super) id: Option<ClaimId>,
    pub(super) claim: Claim,
    lines: Option<LineRange>,
    /// Enclosing symbol's last name.
    symbol: Option<String>,
    /// The reviewer named the symbol itself, not a line in it.
    by_symbol: bool,
    /// How it came into its cluster.
    pub(super) link: Link,
    /// How many members before it stands what it was held against.
    pub(super) back: usize,
}

/// Which rule brought a finding into its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// None: it opened the cluster.
    Opened,
    /// The same claim, near the first of the group.
    Claim,
    /// The same place, and the claims do not clearly differ.
    Place,
    /// Its reviewers stand in the cluster already, at the very same location.
    Location,
    /// The same claim, at a place that one of them names as a further one.
    Further,
    /// Taken back, and put to what it took back.
    TakenBack,
}

/// How two places relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nearness {
    /// They share a line.
    Overlap,
    /// One names the symbol that the other lies in.
    NamedSymbol,
    /// They are so many lines apart, ten at most.
    Lines(u32),
    /// They lie in one symbol.
    SameSymbol,
    /// Both speak of the file as a whole.
    WholeFile,
}

impl Nearness {
    /// Whether they meet; else they are only near.
    pub fn meets(self) -> bool {
        match self {
            Self::Overlap | Self::NamedSymbol => true,
            Self::Lines(_) | Self::SameSymbol | Self::WholeFile => false,
        }
    }
}

impl Note {
    /// Reads the member's claim and place.
    pub(super) fn new(member: Member) -> Self {
        let anchored = &member.anchored;
        let claim = Claim::read(&anchored.finding.what, &anchored.finding.why);
        let symbol = anchored.symbol.as_deref().map(|symbol| plain_name(symbol).to_owned());
        let named = anchored.finding.location.as_ref();
        let by_symbol = named.is_some_and(|place| place.symbol.is_some() && place.lines.is_none());
        Self {
            lines: anchored.lines,
            symbol,
            by_symbol,
            claim,
            id: None,
            link: Link::Opened,
            back: 0,
            member: Box::new(member),
        }
    }

    fn same_symbol(&self, other: &Self) -> bool {
        self.symbol.is_some() && self.symbol == other.symbol
    }

    /// How near the two stand to one another; `None` when neither near nor meeting.
    pub(super) fn nearness(&self, other: &Self) -> Option<Nearness> {
        let gap = match (self.lines, other.lines) {
            (Some(a), Some(b)) => Some(a.gap(b)),
            _ => None,
        };
        let same_symbol = self.same_symbol(other);
        match gap {
            Some(0) => Some(Nearness::Overlap),
            _ if same_symbol && (self.by_symbol || other.by_symbol) => Some(Nearness::NamedSymbol),
            Some(gap) if gap <= NEAR => Some(Nearness::Lines(gap)),
            _ if same_symbol => Some(Nearness::SameSymbol),
            None if self.lines == other.lines && self.symbol == other.symbol => Some(Nearness::WholeFile),
            _ => None,
        }
    }

    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.claim.compare(&other.claim) == Sameness::Same
    }

    /// Whether it says word for word the same of the same code.
    fn repeats(&self, other: &Self) -> bool {
        let (one, two) = (&self.member.anchored, &other.member.anchored);
        (&one.finding.what, &one.finding.why, &one.path, &one.code)
            == (&two.finding.what, &two.finding.why, &two.path, &two.code)
    }

    pub(super) fn same_location(&self, other: &Self) -> bool {
        self.lines == other.lines && (self.lines.is_some() || self.symbol == other.symbol)
    }

    fn gap(&self, other: &Self) -> u32 {
        match (self.lines, other.lines) {
            (Some(a), Some(b)) => a.gap(b),
            _ => u32::MAX,
        }
    }
}

/// Puts `notes` together. Clusters come ordered by path and first member. What one reviewer said at one location comes
/// together last: who else repeats a part of it must not decide what the rest is held against.
pub(super) fn cluster(notes: Vec<Note>, rulings: &Rulings) -> Vec<Cluster> {
    let mut by_path: BTreeMap<String, Vec<Note>> = BTreeMap::new();
    for note in notes {
        by_path.entry(note.member.anchored.path.clone().unwrap_or_default()).or_default().push(note);
    }
    let found = by_path.into_values().flat_map(|notes| within_file(notes, rulings)).collect();
    let mut clusters = fold_same_location(join_further(found, rulings));
    name_neighbours(&mut clusters);
    clusters
}

/// First by claim, then by place among what is left single.
fn within_file(mut notes: Vec<Note>, rulings: &Rulings) -> Vec<Cluster> {
    notes.sort_by(|a, b| order(&a.member, &b.member));
    let groups = join(with_echoes(notes), Link::Claim, &|cluster, group| by_claim(cluster, group, rulings));
    let agreed = |group: &Vec<Note>| if lineages(group) > 1 { Agreement::Claim } else { Agreement::Single };
    let mut clusters: Vec<Cluster> = Vec::new();
    let mut single = Vec::new();
    for group in groups {
        match agreed(&group) {
            Agreement::Single => single.push(group),
            agreement => clusters.push(Cluster::new(group, agreement)),
        }
    }
    for group in join(single, Link::Place, &|cluster, group| by_place(cluster, group, rulings)) {
        let agreement = if lineages(&group) > 1 { Agreement::Place } else { Agreement::Single };
        clusters.push(Cluster::new(group, agreement));
    }
    clusters.sort_by(|a, b| order(&a.members[0].member, &b.members[0].member));
    clusters
}

/// Ordered notes by themselves, but with each goes what its lineage repeats of it word for word at the same location: an echo
/// must not find another cluster than the note itself, and bring others there.
fn with_echoes(notes: Vec<Note>) -> Vec<Vec<Note>> {
    let mut groups: Vec<Vec<Note>> = Vec::with_capacity(notes.len());
    for note in notes {
        let is_echo = |of: &Note| {
            of.member.lineage == note.member.lineage && note.same_location(of) && note.repeats(of)
        };
        match groups.last_mut() {
            Some(group) if is_echo(&group[0]) => append(group, vec![note], Link::Claim),
            _ => groups.push(vec![note]),
        }
    }
    groups
}

/// How well a group of notes fits a cluster; `None` when it does not. Higher is better.
type Fits<'a> = dyn Fn(&[Note], &[Note]) -> Option<Fit> + 'a;

/// Meeting before near, then the likeness of the claims, then the smaller gap.
#[derive(PartialEq, PartialOrd)]
struct Fit(bool, f32, std::cmp::Reverse<u32>);

/// Near the first member, the same as one member, and different from none.
fn by_claim(cluster: &[Note], group: &[Note], rulings: &Rulings) -> Option<Fit> {
    let (first, new) = (cluster.first()?, group.first()?);
    let meets = new.nearness(first)?.meets();
    says_same(cluster, group, rulings)
        .then(|| Fit(meets, first.claim.similarity(&new.claim), std::cmp::Reverse(first.gap(new))))
}

/// The group's first is the same as one member and different from none, and none of it is a reviewer's remark on a
/// second location.
pub(super) fn says_same(cluster: &[Note], group: &[Note], rulings: &Rulings) -> bool {
    let mut same = false;
    for (_, member) in compared(cluster) {
        match rulings.compare(member, &group[0]) {
            Sameness::Same => same = true,
            Sameness::Unclear => {}
            Sameness::Different => return false,
        }
    }
    same && !group.iter().any(|note| elsewhere(cluster, note))
}

/// Meets the first member, and no member's claim differs.
fn by_place(cluster: &[Note], group: &[Note], rulings: &Rulings) -> Option<Fit> {
    let (first, new) = (cluster.first()?, group.first()?);
    if !new.nearness(first)?.meets() || group.iter().any(|note| elsewhere(cluster, note)) {
        return None;
    }
    let differ = compared(cluster).any(|(_, member)| rulings.compare(member, new) == Sameness::Different);
    (!differ).then(|| Fit(true, first.claim.similarity(&new.claim), std::cmp::Reverse(0)))
}

/// The members that a further finding is compared with, and their positions. One that repeats the one before it word for
/// word is passed over: a second model of a lineage must not hide what its sibling says.
pub(super) fn compared(cluster: &[Note]) -> impl Iterator<Item = (usize, &Note)> {
    let members = cluster.iter().enumerate();
    members.filter(|(at, note)| *at == 0 || !note.repeats(&cluster[at - 1])).take(MOST_COMPARED)
}

/// One reviewer's remarks on several locations are several issues, however alike.
pub(super) fn elsewhere(cluster: &[Note], new: &Note) -> bool {
    let mut own = cluster.iter().filter(|note| note.member.reviewer == new.member.reviewer);
    own.next().is_some_and(|note| !note.same_location(new))
}

/// Joins ordered groups: each one to the open cluster that it fits best, or it opens its own.
fn join(groups: Vec<Vec<Note>>, link: Link, fits: &Fits<'_>) -> Vec<Vec<Note>> {
    let mut clusters: Vec<Vec<Note>> = Vec::with_capacity(groups.len());
    let mut open = Open::default();
    for group in groups {
        let candidates = open.candidates(&clusters, &group[0]);
        let fitting = candidates.into_iter().filter_map(|at| Some((fits(&clusters[at], &group)?, at)));
        let better = |a: &(Fit, usize), b: &(Fit, usize)| {
            a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal).then(b.1.cmp(&a.1))
        };
        if let Some((_, at)) = fitting.max_by(better) {
            append(&mut clusters[at], group, link);
        } else {
            open.add(clusters.len(), &group[0]);
            clusters.push(group);
        }
    }
    clusters
}

/// Puts a group behind a cluster's members; its first remembers how it came and how far the cluster's first is.
fn append(members: &mut Vec<Note>, mut group: Vec<Note>, link: Link) {
    if let Some(first) = group.first_mut() {
        (first.link, first.back) = (link, members.len());
    }
    members.extend(group);
}

/// The clusters that a further note could be near, by line and by symbol. Notes come by ascending first line.
#[derive(Default)]
struct Open {
    by_line: Vec<usize>,
    by_symbol: HashMap<Option<String>, Vec<usize>>,
}

impl Open {
    fn add(&mut self, at: usize, first: &Note) {
        if first.lines.is_some() {
            self.by_line.push(at);
        }
        if first.symbol.is_some() || first.lines.is_none() {
            self.by_symbol.entry(first.symbol.clone()).or_default().push(at);
        }
    }

    /// The latest clusters around `note`, each once, in their order.
    fn candidates(&mut self, clusters: &[Vec<Note>], note: &Note) -> Vec<usize> {
        if let Some(lines) = note.lines {
            let reaches = |at: &usize| clusters[*at][0].lines.is_some_and(|one| one.gap(lines) <= NEAR);
            self.by_line.retain(reaches);
            self.by_line.drain(..self.by_line.len().saturating_sub(MOST_CANDIDATES));
        }
        let latest = |list: &[usize]| list[list.len().saturating_sub(MOST_CANDIDATES)..].to_vec();
        let mut found = if note.lines.is_some() { latest(&self.by_line) } else { Vec::new() };
        if let Some(same) = self.by_symbol.get(&note.symbol) {
            found.extend(latest(same));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

pub(super) fn lineages(group: &[Note]) -> usize {
    let mut names: Vec<_> = group.iter().map(|note| &note.member.lineage).collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}

/// Where all reviewers of a single cluster also stand, at the very same location, in another cluster, it goes there:
/// within one reviewer, one location is one entry.
fn fold_same_location(clusters: Vec<Cluster>) -> Vec<Cluster> {
    let mut homes: HashMap<_, usize> = HashMap::new();
    let mut kept: Vec<Cluster> = Vec::with_capacity(clusters.len());
    let (agreed, single): (Vec<_>, Vec<_>) =
        clusters.into_iter().partition(|one| one.agreement != Agreement::Single);
    for cluster in agreed.into_iter().chain(single) {
        let seats: HashSet<_> = cluster.members.iter().map(seat).collect();
        let mut home = seats.iter().map(|seat| homes.get(seat).copied());
        let first = home.next().flatten().filter(|first| home.all(|other| other == Some(*first)));
        if let (Agreement::Single, Some(home)) = (cluster.agreement, first) {
            append(&mut kept[home].members, cluster.members, Link::Location);
            continue;
        }
        for seat in seats {
            if let Entry::Vacant(free) = homes.entry(seat) {
                free.insert(kept.len());
            }
        }
        kept.push(cluster);
    }
    kept.sort_by(|a, b| order(&a.members[0].member, &b.members[0].member));
    kept
}

/// A reviewer at a location: path, lines or symbol.
pub(super) fn seat(note: &Note) -> (ReviewerId, Option<String>, Option<LineRange>, Option<String>) {
    let symbol = note.symbol.clone().filter(|_| note.lines.is_none());
    (note.member.reviewer.clone(), note.member.anchored.path.clone(), note.lines, symbol)
}

/// Lets every cluster name the ones that it is near to, by its first member or by that of what a further place brought in.
fn name_neighbours(clusters: &mut [Cluster]) {
    let mut near: Vec<Vec<(u32, usize)>> = vec![Vec::new(); clusters.len()];
    for (a, b, gap) in near_pairs(clusters) {
        near[a].push((gap, b));
        near[b].push((gap, a));
    }
    for (cluster, mut near) in clusters.iter_mut().zip(near) {
        near.sort_unstable();
        let mut seen = HashSet::new();
        let others = near.into_iter().map(|(_, other)| other).filter(|other| seen.insert(*other));
        cluster.neighbours = others.take(MOST_NEIGHBOURS).collect();
    }
}

/// Pairs of clusters that are near, with how many lines lie between.
fn near_pairs(clusters: &[Cluster]) -> Vec<(usize, usize, u32)> {
    let is_head = |(at, note): &(usize, &Note)| *at == 0 || note.link == Link::Further;
    let mut heads: Vec<(usize, &Note)> = Vec::with_capacity(clusters.len());
    for (at, cluster) in clusters.iter().enumerate() {
        heads.extend(cluster.members.iter().enumerate().filter(is_head).map(|(_, note)| (at, note)));
    }
    heads.sort_by(|a, b| order(&a.1.member, &b.1.member));
    let mut pairs = Vec::new();
    for file in heads.chunk_by(|a, b| a.1.member.anchored.path == b.1.member.anchored.path) {
        let mut open: Vec<(usize, &Note)> = Vec::new();
        let mut by_symbol: HashMap<&str, Vec<(usize, &Note)>> = HashMap::new();
        for (at, note) in file {
            let pair = |(other, head): &(usize, &Note)| (*other, *at, head.gap(note));
            if let Some(lines) = note.lines {
                open.retain(|(_, head)| head.lines.is_some_and(|one| one.gap(lines) <= NEAR));
                open.drain(..open.len().saturating_sub(MOST_NEIGHBOURS));
                pairs.extend(open.iter().map(pair));
                open.push((*at, note));
            }
            if let Some(symbol) = &note.symbol {
                let same = by_symbol.entry(symbol).or_default();
                pairs.extend(same.iter().rev().take(MOST_NEIGHBOURS).map(pair));
                same.push((*at, note));
            }
        }
    }
    pairs.retain(|(a, b, _)| a != b);
    pairs
}

/// The total order of findings: by place, then by text, and who said it last, so that the same words from a second
/// model of a family stand beside the first.
pub(super) fn order(a: &Member, b: &Member) -> Ordering {
    fn key(member: &Member) -> impl Ord + '_ {
        let anchored = &member.anchored;
        let finding = &anchored.finding;
        let place = (&anchored.path, anchored.lines.is_none(), anchored.lines, &anchored.symbol);
        let words = (&finding.what, &finding.why, &finding.fix, &finding.quote);
        let scale = (finding.severity, &finding.severity_word, &finding.where_text, finding.retracted);
        let checked = (anchored.anchor, &anchored.note, &anchored.code, &anchored.also);
        (place, words, scale, checked, (&member.lineage, &member.reviewer, &member.bundle))
    }
    key(a).cmp(&key(b))
}

/// Whether two findings are one issue: they say the same and, where both have a place, are near. A place that is only a
/// file is near all of it.
pub fn one_issue(a: &Member, b: &Member) -> bool {
    let paths = (&a.anchored.path, &b.anchored.path);
    if matches!(paths, (Some(one), Some(other)) if one != other) {
        return false;
    }
    let whole_file = |member: &Member| member.anchored.lines.is_none() && member.anchored.symbol.is_none();
    let anywhere = paths.0.is_none() || paths.1.is_none() || whole_file(a) || whole_file(b);
    let (a, b) = (Note::new(a.clone()), Note::new(b.clone()));
    (anywhere || a.nearness(&b).is_some()) && a.says_the_same(&b)
}
