//! The layer table: which module may name which. A new arrow is a line here, seen in review.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Layers from the bottom up. A module may name modules of lower layers, and of its own layer where that says `Inside`.
const LAYERS: &[(&str, Within, &[&str])] = &[
    (
        "values",
        Within::Siblings,
        &[
            "change",
            "conversation",
            "cost",
            "coverage",
            "digest",
            "disposition",
            "finding",
            "history",
            "job",
            "judgement",
            "proportion",
            "pull",
            "retry_after",
            "reviewer",
            "route",
            "secret",
            "survey",
        ],
    ),
    (
        "stages",
        Within::Siblings,
        &[
            "bundle", "estimate", "mask", "prompt", "reply", "anchor", "tally", "judge", "eval", "report",
            "post", "gauntlet",
        ],
    ),
    ("means", Within::Nobody, &["coalesce", "process"]),
    ("edges", Within::Nobody, &["clock", "config", "daemon", "forge", "git", "probe", "provider", "store"]),
    ("run", Within::Siblings, &["run"]),
    ("progress", Within::Siblings, &["progress"]),
    ("faces", Within::Siblings, &["cli", "serve"]),
];

/// Whether the modules of one layer may name one another.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    /// Yes.
    Siblings,
    /// No: edges never name one another.
    Nobody,
}

#[test]
fn every_module_has_a_layer() {
    let known: Vec<&str> = LAYERS.iter().flat_map(|(_, _, modules)| modules.iter().copied()).collect();
    let unknown: Vec<String> = sources()
        .iter()
        .map(|path| module_of(path))
        .filter(|module| module != "lib" && module != "main" && !known.contains(&module.as_str()))
        .collect();
    assert!(unknown.is_empty(), "modules without a layer in tests/it/architecture.rs: {unknown:?}");
}

#[test]
fn imports_only_go_down() {
    let rank = ranks();
    let mut forbidden = Vec::new();
    for path in sources() {
        let from = module_of(&path);
        let Some(&(from_layer, within)) = rank.get(from.as_str()) else { continue };
        let text = fs::read_to_string(&path).unwrap();
        for (number, target) in top_level_names(&text, depth_of(&path)) {
            if ["self", "*", ""].contains(&target.as_str()) {
                forbidden.push(format!("{}:{number}: {from} must not name the whole crate", path.display()));
            }
            let Some(&(to_layer, _)) = rank.get(target.as_str()) else { continue };
            let sideways = to_layer == from_layer && target != from && within == Within::Nobody;
            if to_layer > from_layer || sideways {
                forbidden.push(format!("{}:{number}: {from} must not name {target}", path.display()));
            }
        }
    }
    assert!(forbidden.is_empty(), "{}", forbidden.join("\n"));
}

#[test]
fn pure_layers_do_not_touch_the_world() {
    let worldly_modules = ["fs", "env", "net", "process", "thread", "os"];
    let worldly_words = ["SystemTime", "Instant", "Timestamp::now", "tokio::", "reqwest::", "git2::"];
    let mut found = Vec::new();
    for path in sources() {
        let module = module_of(&path);
        let pure = LAYERS[..2].iter().any(|(_, _, modules)| modules.contains(&module.as_str()));
        if !pure {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for (number, name) in names_behind(&text, "std::") {
            if worldly_modules.contains(&name.as_str()) {
                found.push(format!("{}:{number}: std::{name}", path.display()));
            }
        }
        for (number, line) in product_lines(&text) {
            if let Some(word) = worldly_words.iter().find(|word| line.contains(**word)) {
                found.push(format!("{}:{number}: {word}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "effects in a pure layer:\n{}", found.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<_> =
        sources().into_iter().filter(|path| !fs::read_to_string(path).unwrap().starts_with("//! ")).collect();
    assert!(silent.is_empty(), "files that do not open with `//!`: {silent:?}");
}

#[test]
fn dependencies_are_written_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest: toml::Table = fs::read_to_string(root.join("Cargo.toml")).unwrap().parse().unwrap();
    let page = fs::read_to_string(root.join("docs/design/dependencies.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| crate "));
    let first_cells = rows.filter_map(|row| row.split('|').nth(1));
    let mut written: Vec<String> = first_cells
        .flat_map(|cell| cell.split(','))
        .map(|name| name.split('(').next().unwrap_or_default().trim().to_owned())
        .collect();
    let mut used: Vec<String> = manifest["dependencies"].as_table().unwrap().keys().cloned().collect();
    written.sort();
    used.sort();
    assert_eq!(written, used, "docs/design/dependencies.md has a row for each direct dependency");
}

#[test]
fn a_forbidden_arrow_is_found() {
    let check = |text: &str, depth: usize, expect: &[(usize, &str)]| {
        let expect: Vec<_> = expect.iter().map(|(line, name)| (*line, (*name).to_owned())).collect();
        assert_eq!(top_level_names(text, depth), expect, "{text}");
    };
    let used = "use crate::{\n    change::Change,\n    run::plan,\n};\nfn f() { crate::cli::main(); }\n";
    check(used, 1, &[(1, "change"), (1, "run"), (5, "cli")]);
    check(
        "#[cfg(test)]\nmod tests;\nuse crate::cli;\n#[cfg(test)]\nmod tests { use crate::run; }\n",
        1,
        &[(3, "cli")],
    );
    check("use super::{cli, super::run};\n", 1, &[(1, "cli"), (1, "run"), (1, "super")]);
    check("use super::own;\nuse super::super::cli;\n", 2, &[(2, "cli")]);
    check("use crate as all;\nuse crate::{self};\nuse super::*;\n", 1, &[(1, ""), (2, "self"), (3, "*")]);
    check("pub(crate) fn f() {}\n// crate::cli\n", 1, &[]);
}

fn ranks() -> BTreeMap<&'static str, (usize, Within)> {
    let layers = LAYERS.iter().enumerate();
    layers
        .flat_map(|(rank, (_, within, modules))| modules.iter().map(move |module| (*module, (rank, *within))))
        .collect()
}

/// Every `.rs` file of `src/`.
fn sources() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                _ if path.is_dir() => folders.push(path),
                Some(extension) if extension == "rs" => files.push(path),
                _ => {}
            }
        }
    }
    files.sort();
    files
}

/// The top-level module a file belongs to.
fn module_of(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// How many modules a file's own module is below the crate: 1 for `prompt.rs` and `bundle/mod.rs`.
fn depth_of(path: &Path) -> usize {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let is_folder = path.file_name().is_some_and(|name| name == "mod.rs");
    inside.components().count() - usize::from(is_folder)
}

/// Lines with their numbers, comments left out, up to a test module in the file.
fn product_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let opens_tests = |index: usize| {
        text.lines().nth(index + 1).is_some_and(|line| line.ends_with('{') || line.ends_with('}'))
    };
    text.lines()
        .enumerate()
        .take_while(move |(index, line)| *line != "#[cfg(test)]" || !opens_tests(*index))
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The crate's own modules that a file `depth` modules deep names, grouped imports too, with the line the path starts
/// at; `self`, `*` or nothing where it names the crate itself.
fn top_level_names(text: &str, depth: usize) -> Vec<(usize, String)> {
    let mut found = names_behind(text, "crate::");
    found.extend(names_behind(text, &"super::".repeat(depth)));
    let renamed = product_lines(text).filter(|(_, line)| line.contains("use crate as "));
    found.extend(renamed.map(|(number, _)| (number, String::new())));
    found.sort();
    found
}

/// The first names behind `start`, grouped imports too, with the line `start` stands in.
fn names_behind(text: &str, start: &str) -> Vec<(usize, String)> {
    let product: Vec<(usize, &str)> = product_lines(text).collect();
    let joined: String = product.iter().flat_map(|(_, line)| [line, "\n"]).collect();
    let mut found = Vec::new();
    for (at, _) in joined.match_indices(start) {
        if joined[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let line = product[joined[..at].matches('\n').count()].0;
        let rest = &joined[at + start.len()..];
        let names = if rest.starts_with('{') { group_names(rest) } else { vec![leading_name(rest)] };
        found.extend(names.into_iter().map(|name| (line, name)));
    }
    found
}

fn leading_name(text: &str) -> String {
    if text.starts_with('*') {
        return "*".to_owned();
    }
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first name of each entry of `{a::b, c::{d, e}}`.
fn group_names(text: &str) -> Vec<String> {
    let (mut depth, mut names, mut fresh) = (0, Vec::new(), true);
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => fresh = true,
            c if depth == 1 && fresh && c.is_alphanumeric() => {
                names.push(leading_name(&text[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    names
}
