//! Pictures made of characters, a cell or less each: [`bar`] and [`interval`].
//!
//! The characters are those that every terminal's font has, that of the Linux console too: `█`, `▌`, `─`, `●`. They say nothing alone;
//! callers put the figure beside them.

use crate::proportion::Proportion;

/// A bar of at most `width` columns for `value`, of which `most` fills it: in steps of half a column, and never nothing for what
/// is something.
pub fn bar(value: u64, most: u64, width: usize) -> String {
    let halves = (u128::from(value.min(most)) * 2 * width as u128).div_ceil(u128::from(most.max(1)));
    let halves = usize::try_from(halves).unwrap_or(usize::MAX);
    "█".repeat(halves / 2) + &"▌".repeat(halves % 2)
}

/// A share with its 95 % interval on a scale of `width` columns from nothing to all: `   ────●──`. Empty when nothing was counted.
pub fn interval(proportion: Proportion, width: usize) -> String {
    let Some(share) = proportion.share() else { return String::new() };
    let (low, high) = proportion.wilson();
    let [low, at, high] = [low, share, high].map(|share| column(share, width));
    let line = |from: usize, to: usize| "─".repeat(to.saturating_sub(from));
    " ".repeat(low) + &line(low, at) + "●" + &line(at, high)
}

/// The column, from 0, that a share stands in.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "columns of a terminal are few, and shares are clamped"
)]
fn column(share: f64, width: usize) -> usize {
    let last = width.saturating_sub(1);
    ((share.clamp(0.0, 1.0) * last as f64).round() as usize).min(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_fill_their_width_and_no_more() {
        let check = |value, most, expect: &str| assert_eq!(bar(value, most, 4), expect, "{value} of {most}");
        check(0, 0, "");
        check(0, 8, "");
        check(1, 8, "▌");
        check(1, 1_000, "▌");
        check(5, 8, "██▌");
        check(8, 8, "████");
        check(9, 8, "████");
        check(u64::MAX, u64::MAX, "████");
    }

    #[test]
    fn intervals_stand_on_their_scale() {
        let check = |hits, of, expect: &str| assert_eq!(interval(Proportion { hits, of }, 21), expect);
        check(0, 0, "");
        check(0, 4, "●──────────");
        check(4, 4, "          ──────────●");
        check(5, 7, "       ───────●────");
    }
}
