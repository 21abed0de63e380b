//! The order in which checks are begun: as declared, each behind what it needs. [`order`] finds it, or the circle that has
//! none.

use std::collections::BTreeMap;

/// What is known of a check here: its name and the names it needs.
pub type Needing<'a> = (&'a str, &'a [String]);

/// Checks that need one another in a circle; the first is named again at the end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", circle.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" needs "))]
pub struct Circle {
    /// Their names.
    pub circle: Vec<String>,
}

/// Indices of `checks` in the order in which they are begun. Names that are no check's are passed over.
pub fn order(checks: &[Needing<'_>]) -> Result<Vec<usize>, Circle> {
    let at = checks.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect();
    let mut walk = Walk {
        checks,
        at,
        path: Vec::new(),
        order: Vec::new(),
        is_open: vec![false; checks.len()],
        is_done: vec![false; checks.len()],
    };
    (0..checks.len()).try_for_each(|check| walk.visit(check))?;
    Ok(walk.order)
}

struct Walk<'a> {
    checks: &'a [Needing<'a>],
    at: BTreeMap<&'a str, usize>,
    /// From the check that is looked at down to what it needs.
    path: Vec<usize>,
    order: Vec<usize>,
    /// Whether it is on the path.
    is_open: Vec<bool>,
    is_done: Vec<bool>,
}

impl Walk<'_> {
    /// Puts `first` and all it needs in order. Goes by a list of its own: a chain may be longer than a stack is deep.
    fn visit(&mut self, first: usize) -> Result<(), Circle> {
        let mut open = vec![(first, 0)];
        while let Some((check, next)) = open.pop() {
            if next == 0 {
                if self.is_done[check] {
                    continue;
                }
                self.path.push(check);
                self.is_open[check] = true;
            }
            let Some(need) = self.checks[check].1.get(next) else {
                self.path.pop();
                (self.is_open[check], self.is_done[check]) = (false, true);
                self.order.push(check);
                continue;
            };
            open.push((check, next + 1));
            if let Some(&need) = self.at.get(need.as_str()) {
                self.refuse_circle(need)?;
                open.push((need, 0));
            }
        }
        Ok(())
    }

    fn refuse_circle(&self, need: usize) -> Result<(), Circle> {
        if !self.is_open[need] {
            return Ok(());
        }
        let from = self.path.iter().position(|check| *check == need).unwrap_or_default();
        let names = self.path[from..].iter().chain([&need]);
        Err(Circle { circle: names.map(|check| self.checks[*check].0.to_owned()).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_stand_behind_what_they_need() {
        let check = |text: &str, expect: Result<&str, &str>| {
            let owned: Vec<(&str, Vec<String>)> = text
                .split(' ')
                .filter_map(|one| one.split_once(':'))
                .map(|(name, needs)| (name, needs.chars().map(String::from).collect()))
                .collect();
            let needing: Vec<_> = owned.iter().map(|(name, needs)| (*name, needs.as_slice())).collect();
            let found = order(&needing).map(|order| order.iter().map(|at| owned[*at].0).collect::<String>());
            let found = found.map_err(|circle| circle.to_string());
            assert_eq!(found.as_deref().map_err(String::as_str), expect, "{text}");
        };
        check("", Ok(""));
        check("a: b: c:", Ok("abc"));
        check("a:c b: c:", Ok("cab"));
        check("a:cb b:d c:d d:", Ok("dcba"));
        check("a:aa", Err("\"a\" needs \"a\""));
        check("x: a:b b:c c:a", Err("\"a\" needs \"b\" needs \"c\" needs \"a\""));
        check("a:b b:cb c:", Err("\"b\" needs \"b\""));
        check("a:service b:a", Ok("ab"));
    }

    #[test]
    fn a_long_chain_is_no_deep_one() {
        let names: Vec<String> = (0..100_000).map(|number| number.to_string()).collect();
        let needs: Vec<Vec<String>> =
            names.iter().skip(1).map(|name| vec![name.clone()]).chain([vec![]]).collect();
        let needing: Vec<_> =
            names.iter().zip(&needs).map(|(name, needs)| (name.as_str(), needs.as_slice())).collect();
        assert_eq!(order(&needing).unwrap(), (0..100_000).rev().collect::<Vec<_>>());
    }
}
