//! Whether two JSON values say the same in another structure: [`restructured`].
//!
//! Values are found again wherever they stand. A word may be a key on one side and a value on the other, as the variant of an enum is; keys
//! may be spelled otherwise (`elapsed_ms`, `elapsedMs`, `ElapsedMs`); empty values may be left out.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    json::Json,
    pointer::{Step, shown},
    shape::{Restructuring, TAG, Tag, Which},
};

/// A value that holds no other one, and where it stands.
pub(super) type Leaf<'a> = (Vec<Step>, &'a Json<'a>);

/// What has come to stand elsewhere.
#[derive(Debug)]
pub(super) struct Moved<'a> {
    /// How.
    pub(super) how: Restructuring,
    /// Of what stands elsewhere, what has another value too; with its path on the left.
    pub(super) others: Vec<(String, &'a Json<'a>, &'a Json<'a>)>,
}

/// All leaves of a value.
pub(super) fn of<'a>(json: &'a Json<'a>) -> Vec<Leaf<'a>> {
    let mut leaves = Vec::new();
    gather(json, &mut Vec::new(), &mut leaves);
    leaves
}

/// All leaves of some members of an object.
pub(super) fn of_members<'a>(members: impl Iterator<Item = (&'a str, &'a Json<'a>)>) -> Vec<Leaf<'a>> {
    let mut leaves = Vec::new();
    for (key, value) in members {
        gather(value, &mut vec![Step::Key(key.to_owned())], &mut leaves);
    }
    leaves
}

fn gather<'a>(json: &'a Json<'a>, path: &mut Vec<Step>, leaves: &mut Vec<Leaf<'a>>) {
    let mut deeper = |step: Step, value: &'a Json<'a>| {
        path.push(step);
        gather(value, path, leaves);
        path.pop();
    };
    match json {
        Json::Object(members) if !members.is_empty() => {
            for (key, value) in members {
                deeper(Step::Key(key.clone().into_owned()), value);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                deeper(Step::Index(index), item);
            }
        }
        _ => leaves.push((path.clone(), json)),
    }
}

/// How `left` has become `right`, if every leaf that is not empty is found again. With `by_key`, a leaf may have another value where its
/// key is found again, and nowhere twice.
pub(super) fn restructured<'a>(left: &[Leaf<'a>], right: &[Leaf<'a>], by_key: bool) -> Option<Moved<'a>> {
    let mut search = Search { left: Side::of(left), right: Side::of(right), pairs: Vec::new() };
    search.pair_values(true);
    search.pair_values(false);
    let mut tags = search.tags(Which::Left);
    tags.extend(search.tags(Which::Right));
    let same = search.pairs.len();
    if by_key {
        search.pair_keys();
    }
    let is_whole = search.left.open.is_empty() && search.right.open.is_empty();
    if !is_whole || search.pairs.is_empty() && tags.is_empty() {
        return None;
    }
    let others = search.pairs[same..].iter().map(|(a, b)| {
        let path = Shown::of(&left[*a].0, Which::Left, &tags);
        (path.text(), left[*a].1, right[*b].1)
    });
    let others = others.collect();
    let moves = search.pairs.iter().map(|(a, b)| {
        let (from, to) = (&left[*a].0, &right[*b].0);
        prefixes(&Shown::of(from, Which::Left, &tags), &Shown::of(to, Which::Right, &tags))
    });
    let moves = moves.collect();
    let tags = tags.into_iter().map(|(tag, ..)| tag).collect();
    Some(Moved { how: Restructuring { moves, tags }, others })
}

/// A tag, and the place of its key: how deep, and the key.
type FoundTag = (Tag, usize, String);

/// The leaves of one side, and which of them are not found again yet.
struct Side<'l, 'a> {
    leaves: &'l [Leaf<'a>],
    open: BTreeSet<usize>,
}

impl<'l, 'a> Side<'l, 'a> {
    fn of(leaves: &'l [Leaf<'a>]) -> Self {
        let open = (0..leaves.len()).filter(|at| !leaves[*at].1.is_hollow()).collect();
        Self { leaves, open }
    }

    /// The open leaves by what `key` makes of them.
    fn by<K: Ord>(&self, key: impl Fn(&Leaf<'a>) -> Option<K>) -> BTreeMap<K, Vec<usize>> {
        let mut groups: BTreeMap<K, Vec<usize>> = BTreeMap::new();
        for at in &self.open {
            if let Some(key) = key(&self.leaves[*at]) {
                groups.entry(key).or_default().push(*at);
            }
        }
        groups
    }
}

struct Search<'l, 'a> {
    left: Side<'l, 'a>,
    right: Side<'l, 'a>,
    /// Places of leaves that stand for each other.
    pairs: Vec<(usize, usize)>,
}

impl<'a> Search<'_, 'a> {
    /// Puts leaves of the same value together, `with_key` only where the key is the same too.
    fn pair_values(&mut self, with_key: bool) {
        let key =
            |(path, value): &Leaf<'a>| Some((*value, if with_key { Some(last_key(path)?) } else { None }));
        let (left, mut right) = (self.left.by(key), self.right.by(key));
        for (key, places) in left {
            let others = right.remove(&key).unwrap_or_default();
            places.into_iter().zip(others).for_each(|(a, b)| self.pair(a, b));
        }
    }

    /// Puts leaves together whose key is found once on each side.
    fn pair_keys(&mut self) {
        let key = |(path, _): &Leaf<'a>| last_key(path);
        let (left, mut right) = (self.left.by(key), self.right.by(key));
        for (key, places) in left {
            if let ([a], Some([b])) = (places.as_slice(), right.remove(&key).as_deref()) {
                self.pair(*a, *b);
            }
        }
    }

    fn pair(&mut self, a: usize, b: usize) {
        self.left.open.remove(&a);
        self.right.open.remove(&b);
        self.pairs.push((a, b));
    }

    /// Takes out the open texts of the other side that are keys on the side `key_on`.
    fn tags(&mut self, key_on: Which) -> Vec<FoundTag> {
        let (keys, values) = match key_on {
            Which::Left => (&self.left, &mut self.right),
            Which::Right => (&self.right, &mut self.left),
        };
        let mut known: BTreeMap<String, (usize, &str)> = BTreeMap::new();
        for (path, _) in keys.leaves {
            for (depth, step) in path.iter().enumerate() {
                if let Step::Key(key) = step {
                    known.entry(folded(key)).or_insert((depth, key));
                }
            }
        }
        let mut found = Vec::new();
        for at in values.open.clone() {
            let (path, value) = &values.leaves[at];
            let Json::String(text) = value else { continue };
            if let Some((depth, key)) = known.get(&folded(text)) {
                values.open.remove(&at);
                found.push((Tag { key_on, value_at: shown(path) }, *depth, (*key).to_owned()));
            }
        }
        found
    }
}

/// The steps of a path as they are shown and as they are compared.
struct Shown(Vec<(String, String)>);

impl Shown {
    fn of(path: &[Step], side: Which, tags: &[FoundTag]) -> Self {
        let is_tag = |at: usize, key: &str| {
            tags.iter().any(|(tag, depth, known)| tag.key_on == side && *depth == at && known == key)
        };
        let step = |(at, step): (usize, &Step)| match step {
            Step::Key(key) if is_tag(at, key) => (format!("/{TAG}"), TAG.to_owned()),
            Step::Key(key) => (shown(std::slice::from_ref(step)), folded(key)),
            Step::Index(_) => ("/*".to_owned(), "*".to_owned()),
        };
        Self(path.iter().enumerate().map(step).collect())
    }

    fn text(&self) -> String {
        self.0.iter().map(|(shown, _)| shown.as_str()).collect()
    }
}

/// Two paths without the end they share.
fn prefixes(from: &Shown, to: &Shown) -> (String, String) {
    let pairs = from.0.iter().rev().zip(to.0.iter().rev());
    let shared = pairs.take_while(|((_, a), (_, b))| a == b).count();
    let before = |path: &Shown| Shown(path.0[..path.0.len() - shared].to_vec()).text();
    (before(from), before(to))
}

/// The last key of a path, however it is spelled; what stands in an array goes by the key of the array.
fn last_key(path: &[Step]) -> Option<String> {
    path.iter().rev().find_map(|step| match step {
        Step::Key(key) => Some(folded(key)),
        Step::Index(_) => None,
    })
}

/// A name in whatever style it is spelled: `elapsed_ms`, `elapsedMs`, `Elapsed-MS`.
fn folded(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}
