//! Two JSON values, part by part: [`differences`].
//!
//! The order of members does not count, that of elements does, and numbers are compared by value. What is the same but for where it
//! stands is told once, by `leaves`, and not as so many missing fields.

use std::{borrow::Cow, cmp::Ordering, collections::BTreeMap};

use super::{
    json::Json,
    leaves,
    number::Number,
    pointer::{Step, shown},
    rule::Rule,
    shape::{Difference, Kind, Part, Shape, Which},
};
use crate::report::words::shortened;

/// Most shapes told of one pair of bodies.
const MOST_SHAPES: usize = 100;

/// Most characters of a value in an example.
const EXAMPLE: usize = 90;

type Member<'a> = (Cow<'a, str>, Json<'a>);

/// How `right` differs from `left`; both are normalised already.
pub(super) fn differences(left: &Json<'_>, right: &Json<'_>, part: &Part, rule: &Rule) -> Vec<Difference> {
    let mut walk = Walk { part, rule, path: Vec::new(), found: BTreeMap::new() };
    walk.values(left, right);
    walk.found.into_iter().map(|(shape, example)| Difference { shape, example }).collect()
}

/// `left` against `right` in a line.
pub(super) fn against(left: &Json<'_>, right: &Json<'_>) -> String {
    format!("{} against {}", brief(left), brief(right))
}

/// A value in a few words.
pub(super) fn brief(json: &Json<'_>) -> String {
    shortened(&json.compact(), EXAMPLE)
}

struct Walk<'a> {
    part: &'a Part,
    rule: &'a Rule,
    path: Vec<Step>,
    found: BTreeMap<Shape, String>,
}

/// The members of two objects, put side by side.
#[derive(Default)]
struct Aligned<'a> {
    both: Vec<(&'a str, &'a Json<'a>, &'a Json<'a>)>,
    left: Vec<&'a Member<'a>>,
    right: Vec<&'a Member<'a>>,
}

impl<'a> Aligned<'a> {
    /// Members are ordered by key; of a key that is repeated, the first is put beside the first.
    fn of(mut left: &'a [Member<'a>], mut right: &'a [Member<'a>]) -> Self {
        let mut aligned = Self::default();
        loop {
            let order = match (left.first(), right.first()) {
                (Some((a, _)), Some((b, _))) => a.cmp(b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return aligned,
            };
            if order.is_eq() {
                aligned.both.push((&left[0].0, &left[0].1, &right[0].1));
            } else if order.is_lt() {
                aligned.left.push(&left[0]);
            } else {
                aligned.right.push(&right[0]);
            }
            left = &left[usize::from(order.is_le())..];
            right = &right[usize::from(order.is_ge())..];
        }
    }

    fn has_both(&self, key: &str) -> bool {
        self.both.iter().any(|(known, ..)| *known == key)
    }
}

impl Walk<'_> {
    fn values(&mut self, left: &Json<'_>, right: &Json<'_>) {
        match (left, right) {
            (Json::Object(a), Json::Object(b)) => self.objects(left, right, a, b),
            (Json::Array(a), Json::Array(b)) => self.arrays(a, b),
            (Json::Number(a), Json::Number(b)) => self.numbers(left, right, a, b),
            _ if left == right => {}
            _ if left.type_word() == right.type_word() => {
                self.add(Kind::Value { of: left.type_word() }, || against(left, right));
            }
            _ => self.types(left, right),
        }
    }

    fn numbers(&mut self, left: &Json<'_>, right: &Json<'_>, a: &Number, b: &Number) {
        let is_remarkable = a.is_written_whole() != b.is_written_whole();
        match a == b {
            true if is_remarkable => self.add(Kind::NumberForm, || against(left, right)),
            true => {}
            false if self.rule.tolerates(&self.path, a, b) => {}
            false => self.add(Kind::Value { of: left.type_word() }, || against(left, right)),
        }
    }

    fn types(&mut self, left: &Json<'_>, right: &Json<'_>) {
        let moved = (left.is_container() || right.is_container())
            .then(|| leaves::restructured(&leaves::of(left), &leaves::of(right), false))
            .flatten();
        let kind = match moved {
            Some(moved) => Kind::Restructured(moved.how),
            None => Kind::Type { left: left.type_word(), right: right.type_word() },
        };
        self.add(kind, || against(left, right));
    }

    fn arrays(&mut self, a: &[Json<'_>], b: &[Json<'_>]) {
        if a.len() != b.len() {
            return self.add(Kind::Length, || format!("{} against {}", a.len(), b.len()));
        }
        if a != b && is_reordered(a, b) {
            let at = a.iter().zip(b).position(|(a, b)| a != b).unwrap_or_default();
            return self.add(Kind::Order, || format!("element {at}: {}", against(&a[at], &b[at])));
        }
        for (index, (a, b)) in a.iter().zip(b).enumerate() {
            self.within(Step::Index(index), |walk| walk.values(a, b));
        }
    }

    fn objects(&mut self, left: &Json<'_>, right: &Json<'_>, a: &[Member<'_>], b: &[Member<'_>]) {
        let aligned = Aligned::of(a, b);
        if let Some((moved, with_common)) = restructured(&aligned) {
            self.add(Kind::Restructured(moved.how), || against(left, right));
            for (path, left, right) in moved.others {
                let shape = Shape {
                    part: self.part.clone(),
                    path: shown(&self.path) + &path,
                    kind: other(left, right),
                };
                self.insert(shape, || against(left, right));
            }
            if with_common {
                return;
            }
        } else {
            self.lone(&aligned, &aligned.left, Which::Left);
            self.lone(&aligned, &aligned.right, Which::Right);
        }
        for (at, (key, left, right)) in aligned.both.iter().enumerate() {
            let is_repeated = at > 0 && aligned.both[at - 1].0 == *key;
            self.within(Step::Key((*key).to_owned()), |walk| {
                if is_repeated {
                    walk.add(Kind::RepeatedOnBoth, || against(left, right));
                }
                walk.values(left, right);
            });
        }
    }

    /// Members that one side alone has.
    fn lone(&mut self, aligned: &Aligned<'_>, members: &[&Member<'_>], side: Which) {
        for (at, (key, value)) in members.iter().enumerate() {
            let is_repeated = aligned.has_both(key) || at > 0 && members[at - 1].0 == *key;
            let kind =
                if is_repeated { Kind::Repeated { side } } else { Kind::Missing { side: side.other() } };
            self.within(Step::Key(key.clone().into_owned()), |walk| walk.add(kind, || brief(value)));
        }
    }

    fn within(&mut self, step: Step, look: impl FnOnce(&mut Self)) {
        self.path.push(step);
        look(self);
        self.path.pop();
    }

    fn add(&mut self, kind: Kind, example: impl FnOnce() -> String) {
        self.insert(Shape { part: self.part.clone(), path: shown(&self.path), kind }, example);
    }

    fn insert(&mut self, shape: Shape, example: impl FnOnce() -> String) {
        if self.found.len() < MOST_SHAPES {
            self.found.entry(shape).or_insert_with(example);
        }
    }
}

/// How two values differ that stand for the same.
fn other(left: &Json<'_>, right: &Json<'_>) -> Kind {
    if left.type_word() == right.type_word() {
        Kind::Value { of: left.type_word() }
    } else {
        Kind::Type { left: left.type_word(), right: right.type_word() }
    }
}

fn is_reordered(a: &[Json<'_>], b: &[Json<'_>]) -> bool {
    let (mut a, mut b): (Vec<&Json<'_>>, Vec<&Json<'_>>) = (a.iter().collect(), b.iter().collect());
    a.sort();
    b.sort();
    a == b
}

/// Whether what one side alone has is what the other alone has, standing elsewhere; else whether that is so when members count too
/// that both have with other values, which is then told as `true`.
fn restructured<'a>(aligned: &Aligned<'a>) -> Option<(leaves::Moved<'a>, bool)> {
    if aligned.left.is_empty() || aligned.right.is_empty() {
        return None;
    }
    let lone = |members: &[&'a Member<'a>]| {
        leaves::of_members(members.iter().map(|(key, value)| (key.as_ref(), value)))
    };
    let (left, right) = (lone(&aligned.left), lone(&aligned.right));
    let changed = || aligned.both.iter().filter(|(_, a, b)| a != b);
    let more_left = leaves::of_members(changed().map(|(key, a, _)| (*key, *a)));
    let more_right = leaves::of_members(changed().map(|(key, _, b)| (*key, *b)));
    let all_left: Vec<_> = left.iter().cloned().chain(more_left).collect();
    let all_right: Vec<_> = right.iter().cloned().chain(more_right).collect();
    [false, true].into_iter().find_map(|by_key| {
        let lone = leaves::restructured(&left, &right, by_key).map(|moved| (moved, false));
        lone.or_else(|| leaves::restructured(&all_left, &all_right, by_key).map(|moved| (moved, true)))
    })
}

#[cfg(test)]
mod tests;
