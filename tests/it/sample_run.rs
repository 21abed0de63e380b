//! The committed sample run: its tally, computed again from its replies, is the same byte for byte.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::sandbox::{Sandbox, copy};

#[test]
fn the_committed_run_is_tallied_to_the_same_bytes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let runs = committed_runs(&root.join("reviews"));
    assert!(!runs.is_empty(), "reviews/ holds no committed run");
    for run in runs {
        let sandbox = Sandbox::new();
        let id = run.file_name().unwrap();
        for folder in ["bundles", "reviews"] {
            copy(&root.join(folder).join(id), &sandbox.repo().join(folder).join(id));
        }
        let printed = sandbox.scrum(&["tally", &format!("reviews/{}", id.to_string_lossy())]);
        assert_eq!(printed.status, 0, "{printed:?}");
        for product in ["tally.json", "tally.md"] {
            let again = fs::read_to_string(sandbox.repo().join("reviews").join(id).join(product)).unwrap();
            if std::env::var_os("UPDATE_EXPECTED").is_some() {
                fs::write(run.join(product), &again).unwrap();
            }
            let committed = fs::read_to_string(run.join(product)).unwrap();
            assert!(committed == again, "{product} differs; UPDATE_EXPECTED=1 writes it down:\n{again}");
        }
    }
}

fn committed_runs(reviews: &Path) -> Vec<PathBuf> {
    let listed = std::process::Command::new("git")
        .args(["ls-files", "--", "*/run.json"])
        .current_dir(reviews)
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    listed.lines().filter_map(|path| Some(reviews.join(Path::new(path).parent()?))).collect()
}
