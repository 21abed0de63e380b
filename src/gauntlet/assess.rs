//! May this ship? [`assess`] makes an [`Assessment`] of what the phases came to.
//!
//! The rule and its reasons: `docs/design/assessment.md`. It weighs reasons and reads none of their words.

/// What a gauntlet comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assessment {
    /// Everything declared was carried out, and nothing speaks against it.
    Ship,
    /// Likewise, but for what is known to differ and was accepted.
    ShipWithKnownGap,
    /// Nothing speaks against it, but not everything was carried out.
    Inconclusive,
    /// Something speaks against it, whatever else was not carried out.
    Hold,
}

impl Assessment {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ship => "ship",
            Self::ShipWithKnownGap => "ship-with-known-gap",
            Self::Inconclusive => "inconclusive",
            Self::Hold => "hold",
        }
    }
}

/// What a reason weighs, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Speaks for it.
    Fine,
    /// Was accepted.
    Known,
    /// Could not be carried out, or not wholly.
    Lacking,
    /// Speaks against it.
    Against,
}

/// One thing that a phase came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What it weighs.
    pub weight: Weight,
    /// In words, made harmless to show.
    pub words: String,
}

impl Reason {
    /// A reason of this weight.
    pub fn new(weight: Weight, words: impl Into<String>) -> Self {
        Self { weight, words: words.into() }
    }
}

/// An assessment with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessed {
    /// In one word.
    pub assessment: Assessment,
    /// Why, what decides first; never empty.
    pub reasons: Vec<String>,
}

/// Weighs what the phases came to, in their order.
///
/// *hold* when anything speaks against it; else *inconclusive* when anything lacks, or there is nothing at all; else
/// *ship-with-known-gap* when anything was accepted; else *ship*. Reasons stand by weight, those that decide first; what speaks for
/// it is named only where it ships.
pub fn assess(mut reasons: Vec<Reason>) -> Assessed {
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.weight));
    let assessment = match reasons.first().map(|reason| reason.weight) {
        Some(Weight::Against) => Assessment::Hold,
        Some(Weight::Lacking) => Assessment::Inconclusive,
        Some(Weight::Known) => Assessment::ShipWithKnownGap,
        Some(Weight::Fine) => Assessment::Ship,
        None => {
            let reasons = vec!["nothing was carried out".to_owned()];
            return Assessed { assessment: Assessment::Inconclusive, reasons };
        }
    };
    let ships = assessment < Assessment::Inconclusive;
    reasons.retain(|reason| ships || reason.weight > Weight::Fine);
    Assessed { assessment, reasons: reasons.into_iter().map(|reason| reason.words).collect() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WEIGHTS: [Weight; 4] = [Weight::Fine, Weight::Known, Weight::Lacking, Weight::Against];

    fn check(reasons: &[(Weight, &str)], expect: (&str, &[&str])) {
        let assessed = assess(reasons.iter().map(|(weight, words)| Reason::new(*weight, *words)).collect());
        let reasons: Vec<&str> = assessed.reasons.iter().map(String::as_str).collect();
        assert_eq!((assessed.assessment.word(), reasons.as_slice()), expect);
    }

    #[test]
    fn the_rule() {
        let [fine, known, lacking, against] = [
            (Weight::Fine, "21 / 21"),
            (Weight::Known, "5 diff"),
            (Weight::Lacking, "down"),
            (Weight::Against, "red"),
        ];
        check(&[fine], ("ship", &["21 / 21"]));
        check(&[fine, known], ("ship-with-known-gap", &["5 diff", "21 / 21"]));
        check(&[fine, known, lacking], ("inconclusive", &["down", "5 diff"]));
        check(&[fine, known, lacking, against], ("hold", &["red", "down", "5 diff"]));
        check(&[fine, against], ("hold", &["red"]));
        check(&[], ("inconclusive", &["nothing was carried out"]));
    }

    proptest! {
        #[test]
        fn a_further_reason_never_betters_it(picks in prop::collection::vec(0usize..4, 1..8), more in 0usize..4) {
            let reasons: Vec<Reason> =
                picks.iter().map(|pick| Reason::new(WEIGHTS[*pick], pick.to_string())).collect();
            let before = assess(reasons.clone());
            let after = assess([reasons, vec![Reason::new(WEIGHTS[more], "more")]].concat());
            prop_assert!(after.assessment >= before.assessment);
            prop_assert!(!after.reasons.is_empty());
        }

        #[test]
        fn the_order_of_phases_does_not_decide(mut picks in prop::collection::vec(0usize..4, 1..8)) {
            let assessed = |picks: &[usize]| {
                assess(picks.iter().map(|pick| Reason::new(WEIGHTS[*pick], pick.to_string())).collect())
            };
            let forwards = assessed(&picks);
            picks.reverse();
            prop_assert_eq!(forwards, assessed(&picks));
        }
    }
}
