//! Which rule chooses a bundle's panel: [`routes`] reads [`RouteRule`]s against the bundle's files and size.
//!
//! Every file takes the first rule that fits it, so a rule for sensitive paths cannot be outvoted by what else is in the
//! bundle. What a panel is, is `config`'s business.

use std::collections::BTreeSet;

use super::{Bundle, SplitError, globs::Globs};

/// One `[[route]]`: fits a file when all that it says is true.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RouteRule {
    /// Globs on the file's path, of a renamed file also on its old one; empty for every file.
    pub paths: Vec<String>,
    /// The bundle's diff has at least this many bytes.
    pub min_bytes: Option<usize>,
    /// The bundle's diff has at most this many bytes.
    pub max_bytes: Option<usize>,
}

impl RouteRule {
    fn fits_size(&self, bytes: usize) -> bool {
        self.min_bytes.is_none_or(|least| bytes >= least) && self.max_bytes.is_none_or(|most| bytes <= most)
    }
}

/// For each bundle the rules that its files take, by index; `None` is the file that none fits.
pub fn routes(bundles: &[Bundle], rules: &[RouteRule]) -> Result<Vec<BTreeSet<Option<usize>>>, SplitError> {
    let globs = rules.iter().map(|rule| Globs::grouped([&rule.paths])).collect::<Result<Vec<_>, _>>()?;
    let taken = |bundle: &Bundle| {
        let bytes = bundle.byte_len();
        let paths = bundle.files.iter().flat_map(|file| [Some(&file.path), file.old_path.as_ref()]);
        let first = |path| {
            let fits = |(rule, globs): (&RouteRule, &Globs)| {
                rule.fits_size(bytes) && (rule.paths.is_empty() || globs.matches(path))
            };
            rules.iter().zip(&globs).position(fits)
        };
        paths.flatten().map(first).collect()
    };
    Ok(bundles.iter().map(taken).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bundle::Guard, git};

    fn bundle(paths: &[(&str, &str)]) -> Bundle {
        let file = |(old, new): &(&str, &str)| {
            let renamed = format!("similarity index 90%\nrename from {old}\nrename to {new}\n");
            let header = if old == new { String::new() } else { renamed };
            format!("diff --git a/{old} b/{new}\n{header}--- a/{old}\n+++ b/{new}\n@@ -1 +1 @@\n-a\n+b\n")
        };
        let text: String = paths.iter().map(file).collect();
        let files = git::read_diff(text.as_bytes()).unwrap().files;
        Bundle { id: "c1_x".to_owned(), component: "x".to_owned(), files, guard: Guard::Ok }
    }

    fn rule(paths: &[&str]) -> RouteRule {
        RouteRule { paths: paths.iter().map(|path| (*path).to_owned()).collect(), ..RouteRule::default() }
    }

    fn check(rules: &[RouteRule], paths: &[&str], expect: &[Option<usize>]) {
        let pairs: Vec<_> = paths.iter().map(|path| (*path, *path)).collect();
        let taken = routes(&[bundle(&pairs)], rules).unwrap().remove(0);
        assert_eq!(taken.into_iter().collect::<Vec<_>>(), expect, "{paths:?}");
    }

    #[test]
    fn each_file_takes_the_first_rule_that_fits() {
        let rules = [rule(&["src/auth/**", "migrations/**"]), rule(&["docs/**", "*.md"])];
        check(&rules, &["docs/a.txt", "README.md"], &[Some(1)]);
        check(&rules, &["docs/a.txt", "src/auth/login.rs"], &[Some(0), Some(1)]);
        check(&rules, &["src/auth/README.md"], &[Some(0)]);
        check(&rules, &["docs/a.txt", "src/lib.rs"], &[None, Some(1)]);
        check(&[], &["src/lib.rs"], &[None]);
    }

    #[test]
    fn sizes_are_of_the_whole_bundle() {
        let size = bundle(&[("a", "a")]).byte_len();
        let sized = |min_bytes, max_bytes| RouteRule { min_bytes, max_bytes, ..RouteRule::default() };
        check(&[sized(None, Some(size))], &["a"], &[Some(0)]);
        check(&[sized(None, Some(size - 1))], &["a"], &[None]);
        check(&[sized(Some(size), None)], &["a"], &[Some(0)]);
        check(&[sized(Some(size + 1), None)], &["a"], &[None]);
        check(&[sized(None, Some(size))], &["a", "b"], &[None]);
        let both = RouteRule { max_bytes: Some(size), ..rule(&["docs"]) };
        check(&[both], &["a"], &[None]);
    }

    #[test]
    fn a_file_that_left_a_sensitive_folder_is_still_sensitive() {
        let rules = [rule(&["src/auth/**"]), rule(&["docs/**"])];
        let taken = routes(&[bundle(&[("src/auth/key.rs", "docs/key.rs")])], &rules).unwrap();
        assert_eq!(taken, [BTreeSet::from([Some(0), Some(1)])]);
    }
}
