//! Reads what `.gitattributes` of the baseline's tree declare about changed files: [`Attributes`].
//!
//! The baseline's files decide, never the change's: a change must not be able to take itself out of a review. Only
//! `linguist-generated`, `diff` and `binary` are known here; macros of the repository's own are not.

use git2::{Oid, Repository};
use globset::{GlobBuilder, GlobMatcher};

use super::error::GitError;
use super::folders;
use super::objects::blob;
use super::trees::Pair;
use crate::change::RepoPath;

/// What is declared about one file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Declared {
    /// `linguist-generated`.
    pub(super) generated: bool,
    /// Whether it is text.
    pub(super) text: Textual,
}

/// What is declared about a file being text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Textual {
    /// Nothing: the content tells.
    #[default]
    Undeclared,
    /// `diff`: text even with a NUL in it.
    Always,
    /// `-diff` or `binary`.
    Never,
}

/// The rules of all `.gitattributes` on the way to changed files; a later rule overrides an earlier one.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    /// Folder of the file, with a trailing `/` unless it is the root.
    folder: Vec<u8>,
    pattern: GlobMatcher,
    /// Without a `/` the pattern is about file names, else about paths below `folder`.
    about_name: bool,
    generated: Option<bool>,
    text: Option<Textual>,
}

/// Reads the files in `base` at or above the changed files.
pub(super) fn read(repo: &Repository, base: Option<Oid>, pairs: &[Pair]) -> Result<Attributes, GitError> {
    let mut attributes = Attributes::default();
    let Some(base) = base else { return Ok(attributes) };
    let on_the_way = folders::above(pairs.iter().map(Pair::path));
    folders::each(repo, base, &on_the_way, &mut |folder, tree| {
        if let Some(entry) =
            tree.get_name(".gitattributes").filter(|entry| entry.filemode() & 0o170_000 == 0o100_000)
        {
            attributes.add(folder, blob(repo, entry.id())?.content());
        }
        Ok(())
    })?;
    Ok(attributes)
}

impl Attributes {
    /// What is declared about `path`.
    pub(super) fn of(&self, path: &RepoPath) -> Declared {
        let mut declared = Declared::default();
        for rule in self.rules.iter().filter(|rule| rule.fits(path)) {
            declared.generated = rule.generated.unwrap_or(declared.generated);
            declared.text = rule.text.unwrap_or(declared.text);
        }
        declared
    }

    /// Adds the rules of one file; parents come before their sub-folders, whose rules override.
    fn add(&mut self, folder: &[u8], content: &[u8]) {
        let folder = if folder.is_empty() { Vec::new() } else { [folder, b"/"].concat() };
        let content = String::from_utf8_lossy(content);
        self.rules.extend(content.lines().filter_map(|line| rule(&folder, line)));
    }
}

impl Rule {
    fn fits(&self, path: &RepoPath) -> bool {
        let Some(below) = path.as_bytes().strip_prefix(&self.folder[..]) else { return false };
        self.pattern.is_match(folders::as_path(if self.about_name { path.file_name() } else { below }))
    }
}

/// A rule that says something we want to know; lines that git would not understand are passed over, as git does.
fn rule(folder: &[u8], line: &str) -> Option<Rule> {
    let line = line.trim_start();
    let (pattern, words) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => line.split_once([' ', '\t'])?,
    };
    if pattern.is_empty()
        || pattern.starts_with('#')
        || pattern.starts_with('!')
        || pattern.starts_with("[attr]")
    {
        return None;
    }
    let (mut generated, mut text) = (None, None);
    for word in words.split_ascii_whitespace() {
        match word {
            "linguist-generated" | "linguist-generated=true" => generated = Some(true),
            "-linguist-generated" | "!linguist-generated" | "linguist-generated=false" => {
                generated = Some(false);
            }
            "binary" | "-diff" => text = Some(Textual::Never),
            "diff" => text = Some(Textual::Always),
            "!diff" | "!binary" | "-binary" => text = Some(Textual::Undeclared),
            driver if driver.starts_with("diff=") => text = Some(Textual::Undeclared),
            _ => {}
        }
    }
    generated.map(|_| ()).or(text.map(|_| ()))?;
    let about_name = !pattern.contains('/');
    let glob = GlobBuilder::new(pattern.strip_prefix('/').unwrap_or(pattern))
        .literal_separator(true)
        .build()
        .ok()?;
    Some(Rule { folder: folder.to_vec(), pattern: glob.compile_matcher(), about_name, generated, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[(&str, &str)], path: &str, generated: bool, text: Textual) {
        let mut attributes = Attributes::default();
        for (folder, content) in files {
            attributes.add(folder.as_bytes(), content.as_bytes());
        }
        assert_eq!(attributes.of(&RepoPath::from(path)), Declared { generated, text });
    }

    #[test]
    fn patterns_match_as_in_git() {
        let check = |pattern: &str, path: &str, fits: bool| {
            check(&[("", &format!("{pattern} linguist-generated\n"))], path, fits, Textual::Undeclared);
        };
        check("*.rs", "deep/er/x.rs", true);
        check("x.rs", "deep/x.rs", true);
        check("/x.rs", "deep/x.rs", false);
        check("deep/*.rs", "deep/er/x.rs", false);
        check("deep/**", "deep/er/x.rs", true);
        check("**/er/*.rs", "deep/er/x.rs", true);
        check("\"a b.rs\"", "a b.rs", true);
        check("[xy].rs", "y.rs", true);
        check("# *.rs", "x.rs", false);
        check("[broken", "[broken", false);
    }

    #[test]
    fn later_and_deeper_rules_override() {
        let files =
            [("", "* linguist-generated binary\n*.c diff\n"), ("sub", "*.c -linguist-generated !diff\n")];
        check(&files, "x.h", true, Textual::Never);
        check(&files, "x.c", true, Textual::Always);
        check(&files, "sub/x.c", false, Textual::Undeclared);
        check(&files, "subway/x.c", true, Textual::Always);
    }
}
