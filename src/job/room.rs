//! Who may still bring a job: [`Room`]. No database: how many wait is given.

/// How many jobs may wait.
///
/// One tenant alone never fills the queue as long as its share is less than all: whoever has fewer waiting than the share is
/// refused only when others fill it together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Of all tenants together.
    pub all: u64,
    /// Of one tenant that has a name. Where nobody is named there is nobody to share with.
    pub of_a_tenant: u64,
}

/// What is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The queue.
    Queue,
    /// The tenant's share of it.
    Share,
}

impl Room {
    /// How many jobs of `tenant` may wait.
    pub fn of(self, tenant: &str) -> u64 {
        if tenant.is_empty() { self.all } else { self.of_a_tenant.min(self.all) }
    }

    /// What keeps `tenant` from bringing one more where `waiting` wait, `own` of them its own.
    pub fn full(self, tenant: &str, waiting: u64, own: u64) -> Option<Full> {
        if waiting >= self.all {
            return Some(Full::Queue);
        }
        (own >= self.of(tenant)).then_some(Full::Share)
    }
}

impl From<u64> for Room {
    /// So many, whoever brings them.
    fn from(all: u64) -> Self {
        Self { all, of_a_tenant: all }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_share_is_less_than_all() {
        let room = Room { all: 4, of_a_tenant: 2 };
        let check = |tenant: &str, waiting: u64, own: u64, expect: Option<Full>| {
            assert_eq!(room.full(tenant, waiting, own), expect, "{tenant} {waiting} {own}");
        };
        check("acme", 0, 0, None);
        check("acme", 1, 1, None);
        check("acme", 2, 2, Some(Full::Share));
        check("other", 3, 0, None);
        check("acme", 4, 2, Some(Full::Queue));
        check("other", 4, 0, Some(Full::Queue));
        check("other", 6, 0, Some(Full::Queue));
        check("", 3, 3, None);
        check("", 4, 4, Some(Full::Queue));
        assert_eq!(Room { all: 3, of_a_tenant: 9 }.of("acme"), 3);
    }

    proptest! {
        /// Whatever some tenants bring, none has more than its share, all together never more than all, and a tenant with room in its
        /// share is refused only when the queue is full.
        #[test]
        fn no_tenant_keeps_another_out(
            all in 1..20_u64,
            of_a_tenant in 1..20_u64,
            brought in proptest::collection::vec(0..4_u8, 0..80),
        ) {
            let room = Room { all, of_a_tenant };
            let mut waiting = BTreeMap::<u8, u64>::new();
            for tenant in brought {
                let (sum, own) = (waiting.values().sum::<u64>(), waiting.get(&tenant).copied().unwrap_or(0));
                match room.full(&tenant.to_string(), sum, own) {
                    None => *waiting.entry(tenant).or_default() += 1,
                    Some(Full::Share) => prop_assert_eq!(own, of_a_tenant.min(all)),
                    Some(Full::Queue) => prop_assert_eq!(sum, all),
                }
            }
            prop_assert!(waiting.values().sum::<u64>() <= all);
            prop_assert!(waiting.values().all(|own| *own <= of_a_tenant));
        }
    }
}
