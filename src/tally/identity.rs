//! Names issues so that a name stays the same from push to push: [`ids`].
//!
//! A name is made of the path, the named symbol or the line of code, and the claim's words; never of line numbers.

use std::collections::HashMap;

use super::{
    cluster::{Cluster, Note},
    words,
};
use crate::digest;

/// Bytes of the digest that a name shows; two in 100,000 issues collide with a chance of 1 in 50,000.
const SHOWN: usize = 6;

/// One name for each cluster, in the same order. Clusters of one name are told apart by `-2`, `-3` … in their order.
pub(super) fn ids(clusters: &[Cluster]) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut name = |cluster: &Cluster| {
        let id = id(cluster);
        let count = seen.entry(id.clone()).or_default();
        *count += 1;
        if *count == 1 { id } else { format!("{id}-{count}") }
    };
    clusters.iter().map(&mut name).collect()
}

/// From the member whose parts come first as text, so that the members' lines have no say.
fn id(cluster: &Cluster) -> String {
    let counted = |note: &&Note| !note.member.anchored.finding.retracted;
    let stood_by = cluster.members.iter().filter(counted).map(parts).min();
    let [path, place, words] =
        stood_by.or_else(|| cluster.members.iter().map(parts).min()).unwrap_or_default();
    let mut id = digest::sha256(&[format!("{path}\0{place}\0{words}").as_bytes()]);
    id.truncate(2 * SHOWN);
    id
}

fn parts(note: &Note) -> [String; 3] {
    let anchored = &note.member.anchored;
    let finding = &anchored.finding;
    let named = finding.location.as_ref().and_then(|place| place.symbol.clone());
    let code = anchored.code.as_ref().or(finding.quote.as_ref()).map(|code| with_single_blanks(code));
    let place = named.or(code).or_else(|| anchored.symbol.clone()).unwrap_or_default();
    [anchored.path.clone().unwrap_or_default(), place, words::normalised(&finding.what)]
}

fn with_single_blanks(code: &str) -> String {
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}
