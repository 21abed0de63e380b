//! Names of the files in which outputs are kept: [`file_names`].

use std::collections::BTreeSet;

/// Most characters of a file's name, without its ending.
const LONGEST_NAME: usize = 60;

/// A file name for each of `names`: of harmless characters alone, and none twice, also where upper and lower case are one.
pub fn file_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    names.into_iter().map(|name| free(&harmless(name), &mut taken)).collect()
}

fn free(stem: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{stem}-{number}"));
    let mut candidates = [stem.to_owned()].into_iter().chain(numbered);
    // There are more numbers than names.
    let found = candidates.find(|name| taken.insert(name.to_lowercase())).unwrap_or_default();
    format!("{found}.txt")
}

/// Letters, digits, `-`, `_` and dots, which do not stand first; any run of others is one `-`.
fn harmless(name: &str) -> String {
    let is_harmless = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    let mut out = String::new();
    for c in name.chars().map(|c| if is_harmless(&c) { c } else { '-' }).take(LONGEST_NAME) {
        if !(c == '-' && out.ends_with('-')) {
            out.push(c);
        }
    }
    let out = out.trim_matches(['-', '.']);
    if out.is_empty() { "check".to_owned() } else { out.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_harmless_and_unique() {
        let check = |names: &[&str], expect: &[&str]| {
            assert_eq!(file_names(names.iter().copied()), expect, "{names:?}");
        };
        check(&["unit", "v1.2_fast"], &["unit.txt", "v1.2_fast.txt"]);
        check(
            &["../../etc/passwd", "a/b\\c", "..", "", "\u{1b}[31m", "日本"],
            &["etc-passwd.txt", "a-b-c.txt", "check.txt", "check-2.txt", "31m.txt", "check-3.txt"],
        );
        check(
            &["Unit", "unit", "unit-2", "unit!"],
            &["Unit.txt", "unit-2.txt", "unit-2-2.txt", "unit-3.txt"],
        );
        assert_eq!(file_names([&*"x".repeat(500)]), ["x".repeat(60) + ".txt"]);
    }
}
