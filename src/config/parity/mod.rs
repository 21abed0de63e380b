//! Parity specs: [`load`] reads one and what it names into a [`Spec`].
//!
//! Every table is closed. What a spec names is looked for from the spec's own folder. Nobody is asked anything here.

mod cases;
mod file;
mod files;

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use regex::Regex;

use super::{
    ConfigError,
    error::invalid,
    place::{Entry, line_of},
    service::{ProgramKeys, http_url, timeout},
};
use crate::gauntlet::parity::{Access, Case, Pointer, Replacement, Rule, Spec, Target, Tolerance, recording};
use file::{File, SideEntry, TolerancesEntry};

/// Seconds a side has for one answer where nothing else is said.
const USUAL_SECS: u64 = 30;
/// Cases under way at once where nothing else is said.
const USUAL_CONCURRENCY: NonZeroUsize = NonZeroUsize::new(8).unwrap();
/// Most cases under way at once.
const MOST_AT_ONCE: usize = 1_000;
/// Most bytes of a file that a spec names.
const LARGEST: u64 = 64 << 20;

/// A case, and where it is written.
struct Found {
    case: Case,
    path: PathBuf,
    line: usize,
}

/// Reads the spec at `path`.
pub fn load(path: &Path) -> Result<Spec, ConfigError> {
    let text = super::read(path)?;
    let file: File = toml::from_str(&text).map_err(|source| invalid(path, &text, &source))?;
    let reader = Reader { path, text: &text, folder: folder(path) };
    reader.spec(file).map_err(|error| error.located(&[(path.to_owned(), text.clone())]))
}

/// The folder of a file, absolute so that programs can be started in it.
fn folder(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

/// A spec that is being read.
struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    folder: PathBuf,
}

impl Reader<'_> {
    fn spec(&self, file: File) -> Result<Spec, ConfigError> {
        let stem = || self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = file.name.clone().unwrap_or_else(stem);
        if name.trim().is_empty() {
            return Err(entry("name", "is empty"));
        }
        let concurrency = file.concurrency.unwrap_or(USUAL_CONCURRENCY);
        if concurrency.get() > MOST_AT_ONCE {
            return Err(entry(
                "concurrency",
                &format!("is {concurrency}, it must be from 1 to {MOST_AT_ONCE}"),
            ));
        }
        let rule = rule(&file)?;
        let services = (1..).zip(file.service).map(|(number, one)| one.service(number, &self.folder));
        let services = services.collect::<Result<Vec<_>, _>>()?;
        let sides = self.sides(file.side)?;
        let mut found = Vec::new();
        for (number, case) in (1..).zip(file.case) {
            let place = Entry::Numbered("case", number);
            let line = line_of(&place, self.text).unwrap_or(1);
            let wrong = |reason| ConfigError::Entry { entry: place.clone(), reason };
            let cases = case.into_cases(&self.folder).map_err(wrong)?;
            found.extend(cases.into_iter().map(|case| Found { case, path: self.path.to_owned(), line }));
        }
        for pattern in &file.cases {
            found.extend(cases::read(&self.folder, pattern)?);
        }
        let cases = self.distinct(found)?;
        Ok(Spec { name, sides, services, cases, rule, concurrency })
    }

    fn whole(&self, reason: &str, advice: &str) -> ConfigError {
        let (reason, advice) = (reason.to_owned(), Some(advice.to_owned()));
        ConfigError::Invalid { path: self.path.to_owned(), line: 1, reason, suggestion: None, advice }
    }

    fn distinct(&self, found: Vec<Found>) -> Result<Vec<Case>, ConfigError> {
        if found.is_empty() {
            return Err(self.whole(
                "there is no case",
                "write `[[case]]` with a `name`, or `cases = [\"cases.jsonl\"]`",
            ));
        }
        let mut known: BTreeMap<&str, &Found> = BTreeMap::new();
        for one in &found {
            if let Some(first) = known.insert(&one.case.name, one) {
                let before = format!("{}:{}", first.path.display(), first.line);
                let reason = format!("case {:?} is there twice, first at {before}", one.case.name);
                return Err(at(&one.path, one.line, reason));
            }
        }
        drop(known);
        Ok(found.into_iter().map(|one| one.case).collect())
    }

    fn sides(&self, entries: Vec<SideEntry>) -> Result<Vec<Target>, ConfigError> {
        if entries.len() < 2 {
            return Err(self.whole(
                "parity needs two sides or more",
                "write a `[[side]]` for each, with a `name` and a `url`, a `command` or recorded `answers`",
            ));
        }
        let mut sides: Vec<Target> = Vec::new();
        for (number, side) in (1..).zip(entries) {
            let place = Entry::Numbered("side", number);
            let wrong = |reason: String| ConfigError::Entry { entry: place.clone(), reason };
            if side.name.trim().is_empty() {
                return Err(wrong("needs a `name`".to_owned()));
            }
            if sides.iter().any(|other| other.name == side.name) {
                return Err(wrong(format!("another side is named {:?} too", side.name)));
            }
            let timeout = timeout(side.timeout_secs.unwrap_or(USUAL_SECS)).map_err(wrong)?;
            let name = side.name.clone();
            sides.push(Target { name, timeout, access: self.access(side, wrong)? });
        }
        Ok(sides)
    }

    fn access(&self, side: SideEntry, wrong: impl Fn(String) -> ConfigError) -> Result<Access, ConfigError> {
        let misplaced = side.misplaced();
        if let Some((key, needed)) = misplaced {
            return Err(wrong(format!("`{key}` is for a side with `{needed}`")));
        }
        match (side.url, side.command, side.answers) {
            (Some(url), None, None) => Ok(Access::Http {
                url: address(&url).map_err(wrong)?,
                headers: side.headers.into_iter().collect(),
            }),
            (None, Some(command), None) => {
                let keys =
                    ProgramKeys { command, folder: side.folder, env: side.env, pass_env: side.pass_env };
                Ok(Access::Command { program: keys.program(&self.folder).map_err(wrong)?, files: side.files })
            }
            (None, None, Some(file)) => {
                let path = self.folder.join(&file);
                let text = super::read(&path)?;
                let answers = recording::read(&text).map_err(|bad| at(&path, bad.line, bad.reason))?;
                Ok(Access::Recorded { file, answers })
            }
            _ => Err(wrong("needs `url`, `command` or `answers`, one of them".to_owned())),
        }
    }
}

/// Something is wrong with a key of the spec.
fn entry(key: &'static str, reason: &str) -> ConfigError {
    ConfigError::Entry { entry: Entry::Key(key), reason: reason.to_owned() }
}

/// Something is wrong in a file that the spec names.
fn at(path: &Path, line: usize, reason: String) -> ConfigError {
    ConfigError::Invalid { path: path.to_owned(), line, reason, suggestion: None, advice: None }
}

/// Where paths are added: without a slash at the end.
fn address(text: &str) -> Result<String, String> {
    let url = http_url(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!(
            "url {text:?} must end before `?` and `#`: the path of each case is added to it"
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("url must hold no user: say `headers = { authorization = \"…\" }`".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn rule(file: &File) -> Result<Rule, ConfigError> {
    let pointers = |key: &'static str, texts: &[String]| {
        let read = |text: &String| Pointer::read(text).map_err(|bad| entry(key, &bad.to_string()));
        texts.iter().map(read).collect::<Result<Vec<_>, _>>()
    };
    let replacement = |(number, one): (usize, &file::ReplaceEntry)| {
        let wrong = |error: regex::Error| ConfigError::Entry {
            entry: Entry::Numbered("replace", number),
            reason: format!("pattern {:?}: {}", one.pattern, error.to_string().replace('\n', " ")),
        };
        Ok(Replacement { pattern: Regex::new(&one.pattern).map_err(wrong)?, with: one.with.clone() })
    };
    Ok(Rule {
        ignore: pointers("ignore", &file.ignore)?,
        mask: pointers("mask", &file.mask)?,
        sort: pointers("sort", &file.sort)?,
        tolerances: tolerances(&file.tolerance)?,
        replacements: (1..).zip(&file.replace).map(replacement).collect::<Result<_, ConfigError>>()?,
        headers: file.compare_headers.iter().map(|name| name.to_ascii_lowercase()).collect(),
    })
}

fn tolerances(entry: &TolerancesEntry) -> Result<Vec<Tolerance>, ConfigError> {
    let amount = |far: f64, wrong: &dyn Fn(&str) -> ConfigError| {
        if far.is_finite() && far >= 0.0 { Ok(far) } else { Err(wrong("must be a number of 0 or more")) }
    };
    let entries = match entry {
        TolerancesEntry::One(far) => {
            let absolute = amount(*far, &|reason| self::entry("tolerance", reason))?;
            return Ok(vec![Tolerance { pointer: None, absolute, relative: 0.0 }]);
        }
        TolerancesEntry::Several(entries) => entries,
    };
    let tolerance = |(number, one): (usize, &file::ToleranceEntry)| {
        let wrong = |reason: &str| ConfigError::Entry {
            entry: Entry::Numbered("tolerance", number),
            reason: reason.to_owned(),
        };
        if one.absolute.is_none() && one.relative.is_none() {
            return Err(wrong("needs `absolute`, `relative` or both"));
        }
        let pointer =
            one.pointer.as_deref().map(Pointer::read).transpose().map_err(|bad| wrong(&bad.to_string()))?;
        Ok(Tolerance {
            pointer,
            absolute: amount(one.absolute.unwrap_or(0.0), &wrong)?,
            relative: amount(one.relative.unwrap_or(0.0), &wrong)?,
        })
    };
    (1..).zip(entries).map(tolerance).collect()
}

#[cfg(test)]
mod tests;
