//! `[[gap]]` entries as the [`Register`] of what is known to differ.

use jiff::civil::Date;
use serde::Deserialize;
use toml::value::Datetime;

use super::{ConfigError, error::nearest, place::Entry};
use crate::gauntlet::gap::{Gap, Register};

/// A gap as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GapEntry {
    matches: String,
    shape: Option<String>,
    why: String,
    accepted_by: String,
    since: Option<Datetime>,
    until: Option<Datetime>,
}

/// The register of `entries`, where `shapes` are the words that there are for shapes of differences.
pub(super) fn register(entries: Vec<GapEntry>, shapes: &[&str]) -> Result<Register, ConfigError> {
    let gaps =
        (1..).zip(entries).map(|(number, entry)| gap(entry, shapes).map_err(|reason| wrong(number, reason)));
    let gaps: Vec<Gap> = gaps.collect::<Result<_, _>>()?;
    Register::new(gaps.clone()).map_err(|error| {
        let number = gaps.iter().position(|gap| gap.matches == error.glob).map_or(1, |at| at + 1);
        wrong(number, error.to_string())
    })
}

fn wrong(number: usize, reason: String) -> ConfigError {
    ConfigError::Entry { entry: Entry::Numbered("gap", number), reason }
}

fn gap(entry: GapEntry, shapes: &[&str]) -> Result<Gap, String> {
    let GapEntry { matches, shape, why, accepted_by, since, until } = entry;
    for (key, text) in [("why", &why), ("accepted_by", &accepted_by)] {
        if text.trim().is_empty() {
            return Err(format!("{key} is empty: a gap that nobody answers for is not accepted"));
        }
    }
    if let Some(shape) = shape.as_deref().filter(|shape| !shapes.contains(shape)) {
        let meant = nearest(shape, shapes.iter().copied());
        let meant = meant.map(|word| format!(" (did you mean {word:?}?)")).unwrap_or_default();
        return Err(format!("shape is {shape:?}{meant}, it must be one of {}", shapes.join(", ")));
    }
    let (since, until) = (day("since", since)?, day("until", until)?);
    if let (Some(since), Some(until)) = (since, until)
        && until < since
    {
        return Err(format!("until is {until}, before since ({since})"));
    }
    Ok(Gap { matches, shape, why, accepted_by, since, until })
}

fn day(key: &str, written: Option<Datetime>) -> Result<Option<Date>, String> {
    let Some(written) = written else { return Ok(None) };
    let bad = || format!("{key} is {written}, it must be a date such as 2027-01-01");
    let date = written.date.filter(|_| written.time.is_none()).ok_or_else(bad)?;
    let date = (i16::try_from(date.year), i8::try_from(date.month), i8::try_from(date.day));
    let (Ok(year), Ok(month), Ok(day)) = date else { return Err(bad()) };
    Date::new(year, month, day).map(Some).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        gap: Vec<GapEntry>,
    }

    fn read(rest: &str) -> Result<Register, String> {
        let text = format!("[[gap]]\nmatches = \"v/*\"\n{rest}\n");
        let file: File = toml::from_str(&text).map_err(|error| error.message().to_owned())?;
        register(file.gap, &["structure", "value"]).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_no_gap_is_told() {
        let check = |rest: &str, expect: &str| assert_eq!(read(rest).unwrap_err(), expect, "{rest}");
        let whole = "why = \"known\"\naccepted_by = \"Ines\"\n";
        assert!(read(&format!("{whole}since = 2026-05-02\nuntil = 2026-05-02")).is_ok());
        assert!(read(&format!("{whole}shape = \"structure\"")).is_ok());
        check(
            "why = \" \"\naccepted_by = \"Ines\"",
            "gap 1: why is empty: a gap that nobody answers for is not accepted",
        );
        check("why = \"known\"", "missing field `accepted_by`");
        check(
            &format!("{whole}since = 2026-05-02\nuntil = 2026-05-01"),
            "gap 1: until is 2026-05-01, before since (2026-05-02)",
        );
        check(
            &format!("{whole}until = 2026-05-02T01:00:00Z"),
            "gap 1: until is 2026-05-02T01:00:00Z, it must be a date such as 2027-01-01",
        );
        check(
            &format!("{whole}shape = \"strucure\""),
            "gap 1: shape is \"strucure\" (did you mean \"structure\"?), it must be one of structure, value",
        );
        check(
            &format!("{whole}[[gap]]\nmatches = \"[\"\n{whole}"),
            "gap 2: matches = \"[\" is no glob: unclosed character class; missing ']'",
        );
    }
}
