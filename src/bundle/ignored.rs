//! Paths that no reviewer may see, as `.scrumignore` names them; the main type is [`Ignored`].
//!
//! Written and read as a `.gitignore`: later lines win, `!` takes back, and nothing inside a folder that is left out can be
//! taken back. Where the text comes from is decided elsewhere.

use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::SplitError;
use crate::change::{FilePatch, RepoPath};

/// The name of the file at the repository's root.
pub const FILE_NAME: &str = ".scrumignore";

/// A compiled `.scrumignore`.
pub(super) struct Ignored(Gitignore);

impl Ignored {
    /// Reads the file's text. A line that git would pass over in silence is an error: it hides less than somebody meant.
    pub(super) fn new(text: &str) -> Result<Self, SplitError> {
        let mut builder = GitignoreBuilder::new("");
        for line in text.trim_start_matches('\u{feff}').lines() {
            builder.add_line(None, line).map_err(|error| bad(line, &error))?;
        }
        Ok(Self(builder.build().map_err(|error| bad("", &error))?))
    }

    /// Whether `file` stands or stood at a path that is left out.
    pub(super) fn hides(&self, file: &FilePatch) -> bool {
        !self.0.is_empty()
            && [Some(&file.path), file.old_path.as_ref()].into_iter().flatten().any(|path| self.holds(path))
    }

    fn holds(&self, path: &RepoPath) -> bool {
        let bytes = path.as_bytes();
        let folders = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| &bytes[..at]);
        let is_left_out = |path: &[u8], is_folder| {
            self.0.matched(Path::new(&*String::from_utf8_lossy(path)), is_folder).is_ignore()
        };
        folders.into_iter().any(|folder| is_left_out(folder, true)) || is_left_out(bytes, false)
    }
}

fn bad(line: &str, error: &ignore::Error) -> SplitError {
    SplitError::BadGlob { glob: line.to_owned(), reason: format!("in {FILE_NAME}: {error}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_as_git_does() {
        let check = |text: &str, path: &str, expect: bool| {
            assert_eq!(Ignored::new(text).unwrap().holds(&path.into()), expect, "{text:?} on {path}");
        };
        check("", "a.py", false);
        check("# secrets/\n", "secrets/a", false);
        check("secrets/", "secrets/deep/a.py", true);
        check("secrets/", "app/secrets/a.py", true);
        check("/secrets/", "app/secrets/a.py", false);
        check("secrets/", "secrets", false);
        check("*.pem", "tls/server.pem", true);
        check("*.pem\n!public.pem", "tls/public.pem", false);
        check("tls/\n!tls/public.pem", "tls/public.pem", true);
        check("docs/**/draft.md", "docs/a/b/draft.md", true);
        check("/a/*.txt", "a/b/c.txt", false);
        check("a.py", "/a.py", true);
        check("\u{feff}*.key\r\n", "x.key", true);
    }

    #[test]
    fn a_line_that_does_not_parse_is_an_error() {
        let error = Ignored::new("ok\n[z-a]").err().unwrap();
        insta::assert_snapshot!(error, @r#"bad glob "[z-a]": in .scrumignore: error parsing glob '[z-a]': invalid range; 'z' > 'a'"#);
    }
}
