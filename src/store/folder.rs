//! A plain folder of replies, as people keep them: [`loose_replies`] reads `<reviewer>.md` and `<bundle>__<reviewer>.md`.

use std::path::Path;

use super::{StoreError, read};
use crate::reviewer::ReviewerId;

/// One reply in a plain folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LooseReply {
    /// From the file's name; `all` when it names only a reviewer.
    pub bundle: String,
    /// From the file's name.
    pub reviewer: ReviewerId,
    /// The reply.
    pub text: String,
}

/// The bundle that replies without a bundle's name are about.
const WHOLE_CHANGE: &str = "all";

/// The replies in `folder` by name order, and the names of `.md` files that name no reviewer; a `README.md` is about the
/// folder.
pub fn loose_replies(folder: &Path) -> Result<(Vec<LooseReply>, Vec<String>), StoreError> {
    let mut names = reply_names(folder)?;
    names.sort_unstable();
    let (mut replies, mut unusable) = (Vec::new(), Vec::new());
    for name in names {
        match parse_name(&name) {
            Some((bundle, reviewer)) => {
                let text = String::from_utf8_lossy(&read(&folder.join(&name))?).into_owned();
                replies.push(LooseReply { bundle, reviewer, text });
            }
            None => unusable.push(name),
        }
    }
    Ok((replies, unusable))
}

fn reply_names(folder: &Path) -> Result<Vec<String>, StoreError> {
    let entries =
        std::fs::read_dir(folder).map_err(|source| StoreError::Read { path: folder.to_owned(), source })?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(names.filter(|name| name.strip_suffix(".md").is_some()).collect())
}

fn parse_name(name: &str) -> Option<(String, ReviewerId)> {
    let stem = name.strip_suffix(".md")?;
    if stem.eq_ignore_ascii_case("readme") {
        return None;
    }
    let (bundle, reviewer) = stem.split_once("__").unwrap_or((WHOLE_CHANGE, stem));
    Some((bundle.to_owned(), ReviewerId::new(reviewer).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let check = |name: &str, expect: Option<(&str, &str)>| {
            let parsed = parse_name(name).map(|(bundle, reviewer)| (bundle, reviewer.to_string()));
            assert_eq!(parsed, expect.map(|(b, r)| (b.to_owned(), r.to_owned())), "{name}");
        };
        check("opus.md", Some(("all", "opus")));
        check("c1_validatord__kimi-k2.md", Some(("c1_validatord", "kimi-k2")));
        check("c1__two__parts.md", None);
        check(".md", None);
        check("README.md", None);
    }
}
