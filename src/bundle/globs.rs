//! Globs on repository paths, read as in `.gitignore` and `CODEOWNERS`; the main type is [`Globs`].
//!
//! `*` stops at `/`; a glob without `/` matches at any depth, one with `/` from the root; a glob that matches a
//! folder matches all that is in it. There is no negation.

use globset::{Candidate, GlobBuilder, GlobSet, GlobSetBuilder};

use super::SplitError;
use crate::change::RepoPath;

/// Compiled globs, each with the index of the group it came from.
#[derive(Debug)]
pub struct Globs {
    set: GlobSet,
    group: Vec<usize>,
}

impl Globs {
    /// Compiles groups of globs; `Globs::first` tells which group matched.
    ///
    /// An empty glob is an error: it would match everything.
    pub fn grouped<'a>(groups: impl IntoIterator<Item = &'a Vec<String>>) -> Result<Self, SplitError> {
        let mut builder = GlobSetBuilder::new();
        let mut group = Vec::new();
        for (index, globs) in groups.into_iter().enumerate() {
            for glob in globs {
                if glob.trim_matches(['.', '/']).is_empty() {
                    let reason = "it names nothing".to_owned();
                    return Err(SplitError::BadGlob { glob: glob.clone(), reason });
                }
                for form in forms(glob) {
                    let build = GlobBuilder::new(&form).literal_separator(true).build();
                    builder.add(build.map_err(|error| bad(glob, &error))?);
                    group.push(index);
                }
            }
        }
        let set = builder.build().map_err(|error| bad(error.glob().unwrap_or_default(), &error))?;
        Ok(Self { set, group })
    }

    /// The first group of which a glob matches.
    pub(crate) fn first(&self, path: &RepoPath) -> Option<usize> {
        let hits = self.set.matches_candidate(&Candidate::from_bytes(path.as_bytes()));
        hits.into_iter().map(|hit| self.group[hit]).min()
    }

    /// Whether any glob matches.
    pub fn matches(&self, path: &RepoPath) -> bool {
        self.set.is_match_candidate(&Candidate::from_bytes(path.as_bytes()))
    }
}

/// The glob for the path itself and the one for what lies in it.
fn forms(glob: &str) -> [String; 2] {
    let plain = glob.strip_prefix("./").unwrap_or(glob);
    let folder = plain.trim_end_matches('/');
    let rooted = match folder.strip_prefix('/') {
        Some(rest) => rest.to_owned(),
        None if folder.contains('/') => folder.to_owned(),
        None => format!("**/{folder}"),
    };
    let inside = format!("{}/**", rooted.trim_end_matches("/**"));
    [if plain.ends_with('/') { inside.clone() } else { rooted }, inside]
}

fn bad(glob: &str, error: &globset::Error) -> SplitError {
    SplitError::BadGlob { glob: glob.to_owned(), reason: error.kind().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(glob: &str, path: &str, expect: bool) {
        let globs = Globs::grouped([&vec![glob.to_owned()]]).unwrap();
        assert_eq!(globs.matches(&path.into()), expect, "{glob} on {path}");
    }

    #[test]
    fn reads_globs_as_gitignore_does() {
        check("*.md", "README.md", true);
        check("*.md", "docs/deep/a.md", true);
        check("/*.md", "docs/a.md", false);
        check("docs", "docs/a.md", true);
        check("docs/", "docs/a.md", true);
        check("docs/", "docs", false);
        check("docs/*", "docs/a.md", true);
        check("docs/*.md", "docs/deep/a.md", false);
        check("docs/**", "docs/deep/a.md", true);
        check("./docs/**", "docs/a.md", true);
        check("crates/*/src", "crates/x/src/lib.rs", true);
        check("crates/*/src", "crates/x/tests/src.rs", false);
        check("**/tests/**", "a/b/tests/c.rs", true);
        check("{a,b}/*.rs", "b/x.rs", true);
        check("A.txt", "a.txt", false);
    }

    #[test]
    fn names_the_glob_that_does_not_parse() {
        let error = |glob: &str| Globs::grouped([&vec!["ok".to_owned(), glob.to_owned()]]).err().unwrap();
        insta::assert_snapshot!(error("src/[a"), @r#"bad glob "src/[a": unclosed character class; missing ']'"#);
        insta::assert_snapshot!(error("./"), @r#"bad glob "./": it names nothing"#);
    }

    #[test]
    fn the_first_group_wins() {
        let groups = [vec!["src/a.rs".to_owned()], vec!["src".to_owned()]];
        let globs = Globs::grouped(&groups).unwrap();
        assert_eq!(globs.first(&"src/a.rs".into()), Some(0));
        assert_eq!(globs.first(&"src/b.rs".into()), Some(1));
        assert_eq!(globs.first(&"b.rs".into()), None);
    }
}
