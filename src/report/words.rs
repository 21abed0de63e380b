//! Small words for people: counts, sizes, durations and lists, such as [`count`] and [`size`].
//!
//! English only, no colour. Sentences about a tally are made in `summary`.

use std::time::Duration;

use crate::{proportion::Proportion, report::foreign};

/// `1 issue`, `2 issues`, `1,200 issues`; `one` is a noun whose plural ends in a plain `s`.
pub fn count(number: usize, one: &str) -> String {
    format!("{} {}", grouped(number as u64), plural(number, one))
}

/// `issue` or `issues`.
pub fn plural(number: usize, one: &str) -> String {
    if number == 1 { one.to_owned() } else { format!("{one}s") }
}

/// Digits in groups of three: `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A size in steps of 1000: `512 bytes`, `3.2 KB`, `46 KB`, `1.3 MB`.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} {}", if bytes == 1 { "byte" } else { "bytes" }),
        1_000..999_500 => format!("{} KB", short(bytes, 1_000)),
        999_500..999_500_000 => format!("{} MB", short(bytes, 1_000_000)),
        _ => format!("{} GB", short(bytes, 1_000_000_000)),
    }
}

/// `number / unit`, with one decimal place under ten.
fn short(number: u64, unit: u64) -> String {
    let tenths = number.saturating_add(unit / 20) / (unit / 10);
    if tenths < 100 {
        return format!("{}.{}", tenths / 10, tenths % 10).trim_end_matches(".0").to_owned();
    }
    grouped(number.saturating_add(unit / 2) / unit)
}

/// A time span as people say it: `47 s`, `2 min`, `1 h 3 min`.
pub fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let parts = [(seconds / 3_600, "h"), (seconds % 3_600 / 60, "min"), (seconds % 60, "s")];
    let told =
        parts.into_iter().skip_while(|(number, _)| *number == 0).take(2).filter(|(number, _)| *number > 0);
    let told: Vec<String> = told.map(|(number, unit)| format!("{} {unit}", grouped(number))).collect();
    if told.is_empty() { "0 s".to_owned() } else { told.join(" ") }
}

/// A time span from milliseconds: `850 ms`, `3.2 s`, `47 s`, `2 min 5 s`, `1 h 3 min`.
pub fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds.saturating_add(500) / 1_000;
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..59_500 => format!("{} s", short(milliseconds, 1_000)),
        59_500..3_599_500 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub fn list<S: AsRef<str>>(names: &[S]) -> String {
    list_up_to(names, usize::MAX)
}

/// As [`list`], but at most `most` names, then `and 7 more`. One name more than `most` is still named.
pub fn list_up_to<S: AsRef<str>>(names: &[S], most: usize) -> String {
    let named = if names.len() <= most.saturating_add(1) { names.len() } else { most };
    let mut shown: Vec<String> = names.iter().take(named).map(|name| name.as_ref().to_owned()).collect();
    if named < names.len() {
        shown.push(format!("{} more", grouped((names.len() - named) as u64)));
    }
    match shown.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Dollars: `$0.42`, and `under $0.01` for what would round to nothing.
pub fn dollars(amount: f64) -> String {
    if amount > 0.0 && amount < 0.01 { "under $0.01".to_owned() } else { format!("${amount:.2}") }
}

/// A share with its 95 % interval, `71 % (36–92)`; `–` of nothing.
pub fn share(proportion: Proportion) -> String {
    let Some(share) = proportion.share() else { return "–".to_owned() };
    percent(share) + &interval(proportion.wilson())
}

/// A share, 0.0–1.0, in whole percent: `71 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", whole_percent(share))
}

/// Both ends of an interval of shares, to stand behind one: ` (36–92)`.
pub fn interval((low, high): (f64, f64)) -> String {
    format!(" ({}–{})", whole_percent(low), whole_percent(high))
}

/// Nothing is never negative: a sum of no figures is -0.0.
fn whole_percent(share: f64) -> String {
    format!("{:.0}", share * 100.0 + 0.0)
}

/// A bundle's id as people read it, harmless to show: `c1_validatord` is `c1 validatord`.
pub fn bundle_name(id: &str) -> String {
    foreign::one_line(&id.replacen('_', " ", 1))
}

/// The first letter as a capital.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// At most `most` characters, with an ellipsis where something was cut.
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// Foreign text as one harmless line of at most `most` characters. Of a long text only the beginning is looked at.
pub fn in_brief(text: &str, most: usize) -> String {
    let beginning: String = text.chars().take(8 * most).collect();
    shortened(&foreign::one_line(&beginning), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        let shown: Vec<_> = [0, 1, 2, 999, 1_000, 1_234_567].map(|n| count(n, "issue")).into();
        insta::assert_snapshot!(shown.join("\n"), @r"
        0 issues
        1 issue
        2 issues
        999 issues
        1,000 issues
        1,234,567 issues
        ");
    }

    #[test]
    fn sizes() {
        let bytes = [
            0,
            1,
            999,
            1_000,
            3_249,
            9_949,
            9_950,
            46_000,
            100_001,
            999_499,
            999_500,
            1_300_000,
            5_000_000_000,
            u64::MAX,
        ];
        let shown: Vec<_> = bytes.map(|n| format!("{n}: {}", size(n))).into();
        insta::assert_snapshot!(shown.join("\n"), @r"
        0: 0 bytes
        1: 1 byte
        999: 999 bytes
        1000: 1 KB
        3249: 3.2 KB
        9949: 9.9 KB
        9950: 10 KB
        46000: 46 KB
        100001: 100 KB
        999499: 999 KB
        999500: 1 MB
        1300000: 1.3 MB
        5000000000: 5 GB
        18446744073709551615: 18,446,744,073 GB
        ");
    }

    #[test]
    fn spans() {
        let check = |seconds: u64, expect: &str| assert_eq!(span(Duration::from_secs(seconds)), expect);
        check(0, "0 s");
        check(45, "45 s");
        check(60, "1 min");
        check(1_201, "20 min 1 s");
        check(3_600, "1 h");
        check(3_660, "1 h 1 min");
        check(3_630, "1 h");
        check(90_000, "25 h");
    }

    #[test]
    fn durations() {
        let spans = [
            0,
            999,
            1_000,
            3_240,
            9_960,
            47_000,
            59_499,
            59_500,
            125_000,
            3_599_499,
            3_599_500,
            3_780_000,
            u64::MAX,
        ];
        let shown: Vec<_> = spans.map(|n| format!("{n}: {}", duration(n))).into();
        insta::assert_snapshot!(shown.join("\n"), @r"
        0: 0 ms
        999: 999 ms
        1000: 1 s
        3240: 3.2 s
        9960: 10 s
        47000: 47 s
        59499: 59 s
        59500: 1 min 0 s
        125000: 2 min 5 s
        3599499: 59 min 59 s
        3599500: 1 h 0 min
        3780000: 1 h 3 min
        18446744073709551615: 5124095576030 h 25 min
        ");
    }

    #[test]
    fn lists() {
        let names = ["a", "b", "c", "d", "e"];
        let shown: Vec<_> = (0..=5)
            .map(|n| list(&names[..n]))
            .chain([list_up_to(&names, 2), list_up_to(&names, 4)])
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        a
        a and b
        a, b and c
        a, b, c and d
        a, b, c, d and e
        a, b and 3 more
        a, b, c, d and e
        ");
    }

    #[test]
    fn small_words() {
        assert_eq!([dollars(0.0), dollars(0.004), dollars(1.5)], ["$0.00", "under $0.01", "$1.50"]);
        assert_eq!([bundle_name("c1_a_b"), bundle_name("odd")], ["c1 a_b", "odd"]);
        assert_eq!([sentence("nothing"), sentence("")], ["Nothing", ""]);
    }
}
