//! Puts a lockfile's changes into words.
//!
//! [`remarks`] compares both sides of each lockfile. Only names, versions, sources and checksums are read; what a
//! format does not tell is left unsaid, and a file that cannot be read says nothing.

use std::collections::BTreeMap;

use super::{
    rules::RuleSet,
    shown::{Shown, ShownFile, Text},
};
use crate::{
    change::RepoPath,
    finding::Severity,
    history::{History, Lockfile},
    provider::remark::Remark,
};

/// One locked package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    version: String,
    /// Where it comes from, when that is not the usual registry.
    foreign_source: Option<String>,
    checksum: Option<String>,
    runs_on_install: bool,
}

/// What people write by hand and lockfiles are made from.
const MANIFESTS: [&[u8]; 4] = [b"Cargo.toml", b"package.json", b"go.mod", b"pyproject.toml"];

/// Fewer changes than this among the packages nobody named are not worth a remark.
const LEAST_NEWS: usize = 2;

/// Locked packages by name; a name may be locked in several versions.
type Packages = BTreeMap<String, Vec<Package>>;

/// Whether a program writes this file from a manifest.
pub(super) fn is_lockfile(path: &RepoPath) -> bool {
    read(path, "").is_some()
}

/// Remarks on all lockfiles of the change, each at its manifest if that is shown, else at the nearest shown file.
pub(super) fn remarks(history: &History, shown: &Shown<'_>, rules: &RuleSet) -> Vec<Remark> {
    let told = history.lockfiles.iter().filter_map(|lockfile| {
        let file = place(lockfile, shown)?;
        let (before, after) =
            (read(&lockfile.path, &lockfile.before)?, read(&lockfile.path, &lockfile.after)?);
        let texts = [alarm(lockfile, &before, &after), summary(lockfile, shown, &before, &after)];
        Some(
            texts
                .into_iter()
                .flatten()
                .filter_map(|(severity, text)| file.remark(rules, severity, text))
                .collect::<Vec<_>>(),
        )
    });
    told.flatten().collect()
}

/// The shown file that shares the longest folder with the lockfile, a manifest before others.
fn place<'s, 'a>(lockfile: &Lockfile, shown: &'s Shown<'a>) -> Option<&'s ShownFile<'a>> {
    let shared = |path: &RepoPath| {
        let folder = lockfile.path.parent();
        path.as_bytes().iter().zip(folder).take_while(|(a, b)| a == b).count()
    };
    let is_manifest = |path: &RepoPath| MANIFESTS.contains(&path.file_name());
    shown.files.iter().max_by_key(|file| {
        (
            is_manifest(file.path) && file.path.parent() == lockfile.path.parent(),
            shared(file.path),
            std::cmp::Reverse(file.path),
        )
    })
}

/// What nobody expects of an ordinary update: other content under the same version, a foreign source, a new install script.
fn alarm(lockfile: &Lockfile, before: &Packages, after: &Packages) -> Option<(Severity, Text)> {
    let known = |name: &String| before.get(name).map_or(&[][..], Vec::as_slice);
    let told: Vec<String> = after
        .iter()
        .flat_map(|(name, packages)| {
            packages.iter().flat_map(|package| surprises(name, known(name), package))
        })
        .collect();
    if told.is_empty() {
        return None;
    }
    let text = Text {
        what: format!("{}: {}", lockfile.path, some_of(&told)),
        why: "lockfiles are not shown to reviewers, and this is not what an ordinary update does".to_owned(),
        fix: "make sure that each of these is meant".to_owned(),
    };
    Some((Severity::Warn, text))
}

/// What is out of the ordinary about `package`, given how the same name was locked before.
fn surprises(name: &str, known: &[Package], package: &Package) -> Vec<String> {
    let version = &package.version;
    let other_content = known.iter().any(|old| old.version == *version && contradict(old, package));
    let new_source = package
        .foreign_source
        .as_ref()
        .filter(|source| known.iter().all(|old| old.foreign_source.as_ref() != Some(source)));
    let new_script = package.runs_on_install && known.iter().all(|old| !old.runs_on_install);
    [
        other_content.then(|| format!("{name} {version} has another checksum under the same version")),
        new_source.map(|source| format!("{name} now comes from {source}")),
        new_script.then(|| format!("{name} {version} runs a script when it is installed")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether two checksums of one kind (`sha512-…`, `h1:…`) differ.
fn contradict(old: &Package, new: &Package) -> bool {
    let kind = |checksum: &str| checksum.split(['-', ':']).next().map(str::len);
    match (&old.checksum, &new.checksum) {
        (Some(old), Some(new)) => old != new && kind(old) == kind(new),
        _ => false,
    }
}

/// Packages that come in, go, or make a breaking jump without being named in a manifest that reviewers see.
///
/// Go needs none of this: `go.mod` is shown and names all that is built, a breaking version is another module.
fn summary(
    lockfile: &Lockfile,
    shown: &Shown<'_>,
    before: &Packages,
    after: &Packages,
) -> Option<(Severity, Text)> {
    if before.is_empty() || after.is_empty() || lockfile.path.file_name() == b"go.sum" {
        return None;
    }
    let is_news = |name: &str| !is_told(shown, name) && !is_platform_build(name);
    let missing_in = |other: &Packages, from: &Packages| -> Vec<String> {
        let new = from.iter().filter(|(name, _)| !other.contains_key(*name) && is_news(name));
        new.map(|(name, packages)| format!("{name} {}", packages[0].version)).collect()
    };
    let (added, removed) = (missing_in(before, after), missing_in(after, before));
    let kept = after.iter().filter(|(name, _)| is_news(name));
    let jumps: Vec<String> = kept.filter_map(|(name, now)| jump(name, before.get(name)?, now)).collect();
    if added.len() + jumps.len() < LEAST_NEWS {
        return None;
    }
    let parts = [("come in: ", &added), ("go: ", &removed), ("breaking version jumps: ", &jumps)];
    let told = parts.iter().filter(|(_, list)| !list.is_empty());
    let told: Vec<String> = told.map(|(word, list)| format!("{word}{}", some_of(list))).collect();
    let text = Text {
        what: format!("{}: {}", lockfile.path, told.join("; ")),
        why: format!(
            "no manifest in this change names them, and the lockfile itself is not shown to reviewers; it locks {} packages \
             now and locked {} before",
            after.len(),
            before.len()
        ),
        fix: String::new(),
    };
    Some((Severity::Info, text))
}

/// Whether the package is one of many prebuilt for a system and processor, which come and go with the one that picks
/// among them.
fn is_platform_build(name: &str) -> bool {
    const SYSTEMS: [&str; 12] = [
        "aix",
        "android",
        "darwin",
        "freebsd",
        "linux",
        "win32",
        "windows",
        "openharmony",
        "sunos",
        "netbsd",
        "openbsd",
        "wasm32",
    ];
    const PROCESSORS: [&str; 12] =
        ["arm", "x64", "ia32", "ppc64", "s390x", "riscv", "x86", "aarch64", "i686", "loong64", "mips", "-64"];
    let holds = |words: &[&str]| words.iter().any(|word| name.contains(word));
    holds(&SYSTEMS) && (holds(&PROCESSORS) || name.contains("wasi")) || name.starts_with("windows-")
}

/// Whether an added or removed line of a shown manifest names the package.
fn is_told(shown: &Shown<'_>, name: &str) -> bool {
    let manifests = shown.files.iter().filter(|file| MANIFESTS.contains(&file.path.file_name()));
    manifests
        .flat_map(ShownFile::changed_lines)
        .any(|line| line.windows(name.len().max(1)).any(|window| window == name.as_bytes()))
}

fn some_of(list: &[String]) -> String {
    const SHOWN: usize = 6;
    let shown = list
        .iter()
        .take(SHOWN)
        .map(|text| crate::provider::remark::quotable(text))
        .collect::<Vec<_>>()
        .join(", ");
    if list.len() > SHOWN { format!("{shown} and {} more", list.len() - SHOWN) } else { shown }
}

/// `name 1.2 → 2.0`, for a package that is locked in one version before and after.
fn jump(name: &str, before: &[Package], after: &[Package]) -> Option<String> {
    let ([old], [new]) = (before, after) else { return None };
    let breaks = lead(&old.version) != lead(&new.version);
    breaks.then(|| format!("{name} {} → {}", old.version, new.version))
}

/// The part of a version whose change breaks by convention: up to the first number that is not 0.
fn lead(version: &str) -> &str {
    let version = version.trim_start_matches('v');
    let mut end = 0;
    for part in version.split('.') {
        end += part.len() + 1;
        if part != "0" {
            break;
        }
    }
    &version[..end.saturating_sub(1).min(version.len())]
}

/// The packages of a lockfile; `None` when its format is unknown or it cannot be read.
fn read(path: &RepoPath, text: &str) -> Option<Packages> {
    let entries = match path.file_name() {
        b"Cargo.lock" => read_toml(text, true)?,
        b"poetry.lock" | b"uv.lock" | b"pdm.lock" => read_toml(text, false)?,
        b"package-lock.json" | b"npm-shrinkwrap.json" => read_npm(text)?,
        b"go.sum" => read_go_sum(text),
        b"yarn.lock" => read_yarn(text),
        b"pnpm-lock.yaml" => read_pnpm(text),
        b"bun.lock" => read_bun(text),
        _ => return None,
    };
    let mut packages = Packages::new();
    for (name, package) in entries {
        packages.entry(name).or_default().push(package);
    }
    for versions in packages.values_mut() {
        versions.sort();
    }
    Some(packages)
}

fn plain(version: &str) -> Package {
    Package { version: version.to_owned(), foreign_source: None, checksum: None, runs_on_install: false }
}

/// `[[package]]` tables. In Cargo's format a package without a source is one of the repository's own.
fn read_toml(text: &str, own_have_no_source: bool) -> Option<Vec<(String, Package)>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let table: toml::Table = text.parse().ok()?;
    let packages = table.get("package")?.as_array()?.iter();
    let is_own = |value: &&toml::Value| match value.get("source") {
        None => own_have_no_source,
        Some(source) => {
            ["editable", "virtual", "directory", "path"].iter().any(|key| source.get(key).is_some())
        }
    };
    Some(packages.filter(|value| !is_own(value)).filter_map(toml_package).collect())
}

fn toml_package(value: &toml::Value) -> Option<(String, Package)> {
    let text = |key: &str| value.get(key).and_then(toml::Value::as_str);
    let source = match value.get("source") {
        Some(toml::Value::String(source)) => source.strip_prefix("git+"),
        Some(toml::Value::Table(source)) => {
            source.get("git").or_else(|| source.get("url")).and_then(toml::Value::as_str)
        }
        _ => None,
    };
    let package = Package {
        version: text("version").unwrap_or("0").to_owned(),
        foreign_source: source.map(plain_address),
        checksum: text("checksum").map(str::to_owned),
        runs_on_install: false,
    };
    Some((text("name")?.to_owned(), package))
}

fn read_npm(text: &str) -> Option<Vec<(String, Package)>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let packages = value.get("packages")?.as_object()?;
    let read = |(key, value): (&String, &serde_json::Value)| {
        let (_, name) = key.rsplit_once("node_modules/")?;
        let text = |key: &str| value.get(key).and_then(serde_json::Value::as_str);
        let foreign = |url: &&str| {
            !url.starts_with("https://registry.npmjs.org/")
                && !url.starts_with("https://registry.yarnpkg.com/")
        };
        let package = Package {
            version: text("version")?.to_owned(),
            foreign_source: text("resolved").filter(foreign).map(plain_address),
            checksum: text("integrity").map(str::to_owned),
            runs_on_install: value
                .get("hasInstallScript")
                .and_then(serde_json::Value::as_bool)
                .unwrap_or(false),
        };
        Some((name.to_owned(), package))
    };
    Some(packages.iter().filter_map(read).collect())
}

/// An address without credentials, and without the commit it names, which changes with every update.
fn plain_address(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return "a local path".to_owned() };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    format!("{scheme}://{}/{path}", host.rsplit('@').next().unwrap_or_default())
}

/// `module version h1:hash` lines; those for `/go.mod` only lock a module's own requirements.
fn read_go_sum(text: &str) -> Vec<(String, Package)> {
    let read = |line: &str| {
        let mut words = line.split(' ');
        let (name, version, hash) = (words.next()?, words.next()?, words.next()?);
        let package = Package { checksum: Some(hash.to_owned()), ..plain(version) };
        (!version.ends_with("/go.mod")).then(|| (name.to_owned(), package))
    };
    text.lines().filter_map(read).collect()
}

/// An entry's head names the package, its `version` line the version; both generations of the format.
fn read_yarn(text: &str) -> Vec<(String, Package)> {
    let mut entries = Vec::new();
    let mut head: Option<String> = None;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if !line.starts_with(' ') {
            head = name_before_at(
                line.trim_matches(['"', ':'].as_slice()).split(',').next().unwrap_or_default(),
            );
        } else if let Some(version) =
            line.strip_prefix("  version").map(|rest| rest.trim_matches([' ', ':', '"'].as_slice()))
        {
            entries.extend(head.take().map(|name| (name, plain(version))));
        }
    }
    entries
}

/// `@scope/name@1.2.3` without the version.
fn name_before_at(text: &str) -> Option<String> {
    let text = text.trim_matches(['"', '\'', ' ', '/'].as_slice());
    let at = text.char_indices().skip(1).find(|(_, c)| *c == '@')?.0;
    Some(text[..at].to_owned())
}

/// The keys below `packages:`, `name@version` with an optional leading `/`.
fn read_pnpm(text: &str) -> Vec<(String, Package)> {
    let below = text.lines().skip_while(|line| *line != "packages:").skip(1);
    let keys = below
        .take_while(|line| line.starts_with(' ') || line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let read = |line: &str| {
        let key = line.trim().trim_end_matches(':').trim_matches(['\'', '/'].as_slice());
        let key = key.split('(').next().unwrap_or_default();
        let name = name_before_at(key)?;
        let version = key.get(name.len() + 1..)?.to_owned();
        Some((name, plain(&version)))
    };
    keys.filter_map(read).collect()
}

/// Lines like `    "name": ["name@1.2.3", …],`.
fn read_bun(text: &str) -> Vec<(String, Package)> {
    let read = |line: &str| {
        let (_, rest) = line.strip_prefix("    \"")?.split_once("\": [\"")?;
        let key = rest.split('"').next()?;
        let name = name_before_at(key)?;
        let version = key.get(name.len() + 1..)?.to_owned();
        Some((name, plain(&version)))
    };
    text.lines().filter_map(read).collect()
}

#[cfg(test)]
mod tests;
