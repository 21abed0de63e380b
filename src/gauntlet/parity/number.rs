//! Numbers as JSON writes them, compared by value without losing a digit: [`Number`].
//!
//! It calculates only where a tolerance asks for it.

use std::cmp::Ordering;

/// Most digits of a whole number whose distance to another is told exactly.
const EXACT_DIGITS: usize = 37;

/// A number and the text it was written as. Equal when the values are: `1`, `1.0` and `10e-1`.
#[derive(Debug, Clone)]
pub(super) struct Number {
    text: String,
}

/// `0.digits × 10^exponent`, digits without zeros at either end. Zero has no digits, no exponent and no sign.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    exponent: i64,
    digits: String,
}

impl Number {
    /// A number that a JSON reader has accepted.
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Written with neither a point nor an exponent, so that a reader that wants a whole number takes it.
    pub(super) fn is_written_whole(&self) -> bool {
        !self.text.contains(['.', 'e', 'E'])
    }

    /// How far two numbers lie apart, and the larger of their magnitudes.
    pub(super) fn distance(&self, other: &Self) -> (f64, f64) {
        let (a, b) = (self.approximately(), other.approximately());
        let apart = match (self.whole(), other.whole()) {
            // An f64 would give 0 for neighbours above 2^53.
            (Some(a), Some(b)) => a.abs_diff(b).to_string().parse().unwrap_or(f64::INFINITY),
            _ => (a - b).abs(),
        };
        (apart, a.abs().max(b.abs()))
    }

    fn approximately(&self) -> f64 {
        self.text.parse().unwrap_or(f64::NAN)
    }

    fn whole(&self) -> Option<i128> {
        (self.is_written_whole() && self.text.len() <= EXACT_DIGITS).then(|| self.text.parse().ok())?
    }
}

impl Decimal {
    /// `None` when the exponent is beyond all reason; such numbers are equal when written the same.
    fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i64 = exponent.parse().ok()?;
        let (is_negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let leading = all.len() - digits.len();
        let digits = digits.trim_end_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self { is_negative: false, exponent: 0, digits });
        }
        let shift = i64::try_from(whole.len()).ok()? - i64::try_from(leading).ok()?;
        Some(Self { is_negative, exponent: exponent.checked_add(shift)?, digits })
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.is_negative) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => -1,
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude = (self.exponent, &self.digits).cmp(&(other.exponent, &other.digits));
        let magnitude = if self.is_negative { magnitude.reverse() } else { magnitude };
        self.sign().cmp(&other.sign()).then(magnitude)
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.text == other.text {
            return Ordering::Equal;
        }
        match (Decimal::read(&self.text), Decimal::read(&other.text)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => self.text.cmp(&other.text),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_equal_by_value() {
        let check = |a: &str, b: &str, expect: Ordering| {
            assert_eq!(Number::new(a).cmp(&Number::new(b)), expect, "{a} {b}");
            assert_eq!(Number::new(b).cmp(&Number::new(a)), expect.reverse(), "{b} {a}");
        };
        check("1", "1.0", Ordering::Equal);
        check("1", "10e-1", Ordering::Equal);
        check("0.001e3", "1E+0", Ordering::Equal);
        check("0", "-0.0e9", Ordering::Equal);
        check("100", "1e2", Ordering::Equal);
        check("9007199254740993", "9007199254740992", Ordering::Greater);
        check("0.1", "0.1000000000000000055511151231257827", Ordering::Less);
        check("-2", "-10", Ordering::Greater);
        check("-1", "0", Ordering::Less);
        check("9.99", "10", Ordering::Less);
        check("1e99999999999999999999", "1e99999999999999999999", Ordering::Equal);
        check("1e99999999999999999999", "1e99999999999999999998", Ordering::Greater);
        check("1e9223372036854775807", "5", Ordering::Greater);
    }

    #[test]
    fn distances() {
        let check = |a: &str, b: &str, expect: f64| {
            let (apart, _) = Number::new(a).distance(&Number::new(b));
            assert!((apart - expect).abs() <= expect * 1e-9, "{a} {b}: {apart}");
        };
        check("9007199254740993", "9007199254740992", 1.0);
        check("1.5", "1", 0.5);
        check("-1", "1", 2.0);
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_machine_numbers(a in any::<i64>(), b in any::<i64>()) {
            prop_assert_eq!(Number::new(&a.to_string()).cmp(&Number::new(&b.to_string())), a.cmp(&b));
        }

        #[test]
        fn zeros_behind_the_point_and_the_exponent_do_not_count(a in any::<i32>(), zeros in 1_usize..5) {
            let plain = Number::new(&a.to_string());
            let pad = "0".repeat(zeros);
            prop_assert_eq!(&plain, &Number::new(&format!("{a}.{pad}")));
            prop_assert_eq!(&plain, &Number::new(&format!("{a}{pad}e-{zeros}")));
        }
    }
}
