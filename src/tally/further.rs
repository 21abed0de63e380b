//! Lets findings agree where one names the other's place as a further one: [`join_further`].
//!
//! Only the claim counts there: a further place never makes a `place` agreement, since a line that is named in passing
//! says too little.

use std::collections::HashMap;

use super::{
    Agreement,
    cluster::{Cluster, NEAR, lineages, says_same},
    judged::Rulings,
};
use crate::finding::LineRange;

/// Further places of a finding that are looked at, and clusters looked at around each: bounds for hostile input.
const MOST_PLACES: usize = 8;
const MOST_AROUND: usize = 8;

/// What becomes of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    /// Stays and takes others in.
    Host,
    /// Its members go to that cluster.
    Guest(usize),
}

/// Puts a cluster of one lineage to another that says the same, where the first finding of one names as a further place
/// what lies within ten lines of the other's. A guest takes nobody in. The clusters that are left keep their order.
pub(super) fn join_further(clusters: Vec<Cluster>, rulings: &Rulings) -> Vec<Cluster> {
    let mut fates = vec![Fate::Stays; clusters.len()];
    for (a, b) in pairs(&clusters) {
        let single = |at: usize| lineages(&clusters[at].members) == 1;
        let (guest, host) = if single(b) { (b, a) } else { (a, b) };
        let open = fates[guest] == Fate::Stays && !matches!(fates[host], Fate::Guest(_));
        let settled = clusters[host].agreement != Agreement::Place;
        let same = || says_same(&clusters[host].members, &clusters[guest].members, rulings);
        if open && settled && single(guest) && same() {
            fates[guest] = Fate::Guest(host);
            fates[host] = Fate::Host;
        }
    }
    if fates.contains(&Fate::Host) { joined(clusters, &fates) } else { clusters }
}

/// Clusters of which one names the other's place, the earlier one first.
fn pairs(clusters: &[Cluster]) -> Vec<(usize, usize)> {
    let mut by_path: HashMap<&str, Vec<(LineRange, usize)>> = HashMap::new();
    for (at, cluster) in clusters.iter().enumerate() {
        let first = &cluster.members[0].member.anchored;
        if let (Some(path), Some(lines)) = (&first.path, first.lines) {
            by_path.entry(path).or_default().push((lines, at));
        }
    }
    let mut pairs = Vec::new();
    for (at, cluster) in clusters.iter().enumerate() {
        for place in cluster.members[0].member.anchored.also.iter().take(MOST_PLACES) {
            let (Some(path), Some(lines)) = (&place.path, place.lines) else { continue };
            let there = by_path.get(path.as_str()).map(Vec::as_slice).unwrap_or_default();
            // Clusters of a path come by ascending first line.
            let behind = there.partition_point(|(one, _)| one.start <= lines.end.saturating_add(NEAR));
            let around = there[..behind].iter().rev().take(MOST_AROUND);
            let near = around.filter(|(one, other)| one.gap(lines) <= NEAR && *other != at);
            pairs.extend(near.map(|(_, other)| (at.min(*other), at.max(*other))));
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

fn joined(clusters: Vec<Cluster>, fates: &[Fate]) -> Vec<Cluster> {
    let mut kept: Vec<Cluster> = Vec::with_capacity(clusters.len());
    let mut home_of = vec![0; clusters.len()];
    let mut guests = Vec::new();
    for (at, (cluster, fate)) in clusters.into_iter().zip(fates).enumerate() {
        match fate {
            Fate::Guest(host) => guests.push((*host, cluster)),
            Fate::Stays | Fate::Host => {
                home_of[at] = kept.len();
                kept.push(cluster);
            }
        }
    }
    for (host, guest) in guests {
        kept[home_of[host]].take_in(guest);
    }
    kept
}
