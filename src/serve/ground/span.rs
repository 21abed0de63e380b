//! The range of a task: [`Span`], read from a caller's text.
//!
//! What its names mean is asked of a repository later.

use crate::git::RangeSpec;

/// Most characters of a side.
const LONGEST: usize = 250;

/// Which commits a task is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Span {
    /// As without a range.
    Whole,
    /// One commit.
    One(String),
    /// From one to another.
    Between {
        /// The old side, or where the old side is looked for.
        left: String,
        /// The new side.
        right: String,
        /// From where both parted.
        from_merge_base: bool,
    },
}

/// What is no range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::serve) enum BadSpan {
    /// Not of that form.
    #[error(
        "the range {0:?} is none: it must be A..B, A...B or one commit, each the name of a branch or tag, or an id"
    )]
    Form(String),
    /// Only the repository's own folder could tell what it means.
    #[error("{0:?} is no full id of a commit and no name of a branch or tag, which a server would know")]
    Unknown(String),
}

impl Span {
    /// Reads `A..B`, `A...B` or one commit; a side that is left out is `HEAD`.
    pub(super) fn parse(text: Option<&str>) -> Result<Self, BadSpan> {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(Self::Whole) };
        let split = text.split_once("...").map(|sides| (sides, true));
        let split = split.or_else(|| text.split_once("..").map(|sides| (sides, false)));
        let side = |side: &str| match side {
            "" => Ok("HEAD".to_owned()),
            side if is_side(side) => Ok(side.to_owned()),
            _ => Err(BadSpan::Form(text.chars().take(LONGEST).collect())),
        };
        match split {
            Some(((left, right), from_merge_base)) => {
                Ok(Self::Between { left: side(left)?, right: side(right)?, from_merge_base })
            }
            None => Ok(Self::One(side(text)?)),
        }
    }

    /// What stands between its sides.
    pub(super) fn dots(&self) -> &'static str {
        if matches!(self, Self::Between { from_merge_base: true, .. }) { "..." } else { ".." }
    }

    /// As a repository is asked for it.
    pub(super) fn spec(&self) -> RangeSpec {
        match self {
            Self::Whole => RangeSpec::Default,
            Self::One(side) => RangeSpec::Commits(side.clone()),
            Self::Between { left, right, .. } => RangeSpec::Commits(format!("{left}{}{right}", self.dots())),
        }
    }
}

/// No option, no search through history, and nothing that ends the range early.
fn is_side(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./~^@+=#,%".contains(&byte);
    text.len() <= LONGEST
        && !text.starts_with(['-', '.'])
        && !text.contains("..")
        && (text.bytes().all(is_plain) || (!text.is_ascii() && is_foreign_name(text)))
}

/// A name in letters of another alphabet.
fn is_foreign_name(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || "-_./~^@+=#,%".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let between = |left: &str, right: &str, from_merge_base| {
            Ok(Span::Between { left: left.to_owned(), right: right.to_owned(), from_merge_base })
        };
        let one = |side: &str| Ok(Span::One(side.to_owned()));
        let form = |text: &str| Err(BadSpan::Form(text.to_owned()));
        let check = |text: &str, expect| assert_eq!(Span::parse(Some(text)), expect, "{text:?}");
        check("main..feature/x", between("main", "feature/x", false));
        check("main...", between("main", "HEAD", true));
        check("..", between("HEAD", "HEAD", false));
        check(" HEAD~2 ", one("HEAD~2"));
        check("größe", one("größe"));
        check("", Ok(Span::Whole));
        for bad in [
            "-x",
            "--output=/etc/passwd",
            "main..--exec",
            "a..b..c",
            "a....b",
            "a b",
            "a:b",
            ":/fix",
            "a\u{1b}b",
            "a\nb",
            "HEAD^{/x}",
            "$(id)",
            "a;b",
            "a\\b",
            "a*",
            "a\u{202e}b",
        ] {
            check(bad, form(bad));
        }
        assert!(Span::parse(Some(&"a".repeat(251))).is_err());
    }
}
