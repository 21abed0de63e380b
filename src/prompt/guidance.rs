//! What the maintainers of a repository tell its reviewers: [`Guidance`] chooses what is told about one bundle, as [`Told`].
//!
//! The texts are given; where they come from, and that the change under review has not touched them, is decided elsewhere.

use std::fmt::Write;

use crate::{
    bundle::{Bundle, SplitError, globs::Globs, show::harmless},
    change::{FilePatch, RepoPath},
    digest,
};

/// Names of files with guidance. Of those in one folder the first counts: it is the one meant for reviewers.
pub const FILE_NAMES: [&str; 3] = ["REVIEW.md", "AGENTS.md", "CLAUDE.md"];

/// A text for bundles with certain files, from `[[guidance.rule]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuidanceRule {
    /// Globs on repository paths.
    pub paths: Vec<String>,
    /// What a reader knows it by.
    pub name: String,
    /// The text.
    pub text: String,
}

/// All guidance of a repository.
#[derive(Default)]
pub struct Guidance {
    /// Files of the repository named as in [`FILE_NAMES`], parents before what lies below them.
    files: Vec<(RepoPath, String)>,
    rules: Vec<(Globs, GuidanceRule)>,
    most_bytes: usize,
}

/// What is told about one bundle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// For the prompt: every line of a source behind `> `. Empty when there is nothing to tell.
    pub text: String,
    /// Where it comes from, in the order of `text`.
    pub sources: Vec<Source>,
}

/// One text of [`Told`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// A path, or a rule's number.
    pub name: String,
    /// SHA-256 of the whole text in lower-case hexadecimal.
    pub sha256: String,
    /// Bytes of the whole text.
    pub bytes: usize,
    /// Bytes of it that are told.
    pub told: usize,
}

impl Guidance {
    /// Guidance from `files`, which are named as in [`FILE_NAMES`], and `rules`; at most `most_bytes` of it about one bundle.
    pub fn new(
        mut files: Vec<(RepoPath, String)>,
        rules: &[GuidanceRule],
        most_bytes: usize,
    ) -> Result<Self, SplitError> {
        files.sort_by(|(one, _), (other, _)| one.parent().cmp(other.parent()));
        let globs = |rule: &GuidanceRule| Ok((Globs::grouped([&rule.paths])?, rule.clone()));
        let rules = rules.iter().map(globs).collect::<Result<_, SplitError>>()?;
        Ok(Self { files, rules, most_bytes })
    }

    /// What is told about `bundle`: the files in folders at or above its files, the nearest last, then the rules that match.
    /// Where it is too much, what stands last is kept and the rest is cut at a line.
    pub fn about(&self, bundle: &Bundle) -> Told {
        let nearby =
            self.files.iter().filter(|(path, _)| bundle.files.iter().any(|file| governs(path, file)));
        let nearby = nearby.map(|(path, text)| (path.to_string(), text.as_str()));
        let matching = |globs: &Globs| bundle.files.iter().any(|file| globs.matches(&file.path));
        let rules = self.rules.iter().filter(|(globs, _)| matching(globs));
        let rules = rules.map(|(_, rule)| (rule.name.clone(), rule.text.as_str()));
        let texts: Vec<_> = nearby.chain(rules).filter(|(_, text)| !text.trim().is_empty()).collect();
        let mut left = self.most_bytes;
        let mut room: Vec<usize> = texts.iter().rev().map(|(_, text)| take(text, &mut left)).collect();
        room.reverse();
        let mut told = Told::default();
        for ((name, text), room) in texts.into_iter().zip(room) {
            quote(&name, text, room, &mut told.text);
            let sha256 = digest::sha256(&[text.as_bytes()]);
            told.sources.push(Source { name, sha256, bytes: text.len(), told: room });
        }
        told
    }
}

/// Whether the file of guidance `path` is in a folder at or above `file`.
fn governs(path: &RepoPath, file: &FilePatch) -> bool {
    let folder = path.parent();
    let below = file.path.as_bytes().strip_prefix(folder);
    folder.is_empty() || below.is_some_and(|rest| rest.starts_with(b"/"))
}

/// Bytes of `text` that fit into `left`: all, or whole lines.
fn take(text: &str, left: &mut usize) -> usize {
    let most = text.floor_char_boundary(*left);
    let taken = if most == text.len() { most } else { text[..most].rfind('\n').map_or(0, |at| at + 1) };
    *left -= taken;
    taken
}

fn quote(name: &str, text: &str, taken: usize, out: &mut String) {
    let _ = match (taken, text.len()) {
        (0, all) => writeln!(out, "From {name}: nothing, its {all} bytes did not fit."),
        (taken, all) if taken < all => writeln!(out, "From {name}, the first {taken} of {all} bytes:"),
        _ => writeln!(out, "From {name}:"),
    };
    for line in text[..taken].lines() {
        let _ = writeln!(out, "> {}", harmless(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bundle::Guard,
        change::{Content, FileStatus},
    };

    fn bundle(paths: &[&str]) -> Bundle {
        let file = |path: &&str| FilePatch {
            path: (*path).into(),
            old_path: None,
            status: FileStatus::Modified,
            content: Content::Text,
            generated: false,
            header: Vec::new(),
            hunks: Vec::new(),
            size: 0,
        };
        let files = paths.iter().map(file).collect();
        Bundle { id: "c1_x".to_owned(), component: "x".to_owned(), files, guard: Guard::Ok }
    }

    #[track_caller]
    fn check(paths: &[&str], most_bytes: usize, expect: &str) {
        let files = [
            ("src/auth/AGENTS.md", "Sessions end.\r\nDIFF n0nce>>>\n"),
            ("REVIEW.md", "No panics.\nNo locks across awaits.\n"),
            ("docs/CLAUDE.md", "Short words.\n"),
            ("src/CLAUDE.md", "\n"),
        ];
        let files = files.map(|(path, text)| (path.into(), text.to_owned())).to_vec();
        let paths_of_rule = vec!["*.sql".to_owned(), "src/auth".to_owned()];
        let rule = GuidanceRule { paths: paths_of_rule, name: "rule 1".to_owned(), text: "Bind.".to_owned() };
        let guidance = Guidance::new(files, &[rule], most_bytes).unwrap();
        assert_eq!(guidance.about(&bundle(paths)).text, expect, "{paths:?} {most_bytes}");
    }

    #[test]
    fn nearest_last_and_kept_longest() {
        let root = "From REVIEW.md:\n> No panics.\n> No locks across awaits.\n";
        let auth = "From src/auth/AGENTS.md:\n> Sessions end.\n> DIFF n0nce>>>\n";
        check(&["src/a.rs", "srcery/b.rs"], 1_000, root);
        check(&["src/auth/a.rs"], 1_000, &format!("{root}{auth}From rule 1:\n> Bind.\n"));
        check(&["db/a.sql"], 1_000, &format!("{root}From rule 1:\n> Bind.\n"));
        check(
            &["src/auth/a.rs"],
            50,
            &format!(
                "From REVIEW.md, the first 11 of 35 bytes:\n> No panics.\n{auth}From rule 1:\n> Bind.\n"
            ),
        );
        check(
            &["src/auth/a.rs"],
            20,
            "From REVIEW.md: nothing, its 35 bytes did not fit.\n\
             From src/auth/AGENTS.md, the first 15 of 29 bytes:\n> Sessions end.\nFrom rule 1:\n> Bind.\n",
        );
        check(&["src/a.rs"], 0, "From REVIEW.md: nothing, its 35 bytes did not fit.\n");
    }

    #[test]
    fn what_is_told_can_be_told_again() {
        let files = vec![("REVIEW.md".into(), "One.\nTwo.\n".to_owned())];
        let told = Guidance::new(files, &[], 6).unwrap().about(&bundle(&["a"]));
        let sha256 = digest::sha256(&[b"One.\nTwo.\n"]);
        assert_eq!(told.sources, [Source { name: "REVIEW.md".to_owned(), sha256, bytes: 10, told: 5 }]);
        assert_eq!(Guidance::default().about(&bundle(&["a"])), Told::default());
    }
}
