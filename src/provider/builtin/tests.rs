//! The offline reviewers as a whole, and the bundles their tests are made of.

use super::*;
use crate::{
    bundle::Guard,
    change::{Content, FilePatch, FileStatus, Hunk},
};

/// A file whose one hunk, at line 1, replaces `old` by `new`.
pub(super) fn patch_of(path: &str, old: &str, new: &str) -> FilePatch {
    let mut text = format!("@@ -1,{} +1,{} @@\n", old.lines().count(), new.lines().count()).into_bytes();
    old.lines().for_each(|line| text.extend_from_slice(format!("-{line}\n").as_bytes()));
    new.lines().for_each(|line| text.extend_from_slice(format!("+{line}\n").as_bytes()));
    let count = |lines: &str| u32::try_from(lines.lines().count()).unwrap();
    let hunk = Hunk {
        old_start: u32::from(!old.is_empty()),
        old_lines: count(old),
        new_start: 1,
        new_lines: count(new),
        text,
    };
    FilePatch {
        path: path.into(),
        old_path: None,
        status: FileStatus::Modified,
        content: Content::Text,
        generated: false,
        header: Vec::new(),
        hunks: vec![hunk],
        size: 0,
    }
}

/// A bundle of one such file.
pub(super) fn bundle_of(path: &str, old: &str, new: &str) -> Bundle {
    Bundle {
        id: "c1_a".to_owned(),
        component: "a".to_owned(),
        files: vec![patch_of(path, old, new)],
        guard: Guard::Ok,
    }
}
