//! Runs that were made elsewhere: [`Store::adopt`] copies them in, and never over one that is there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{Store, StoreError, create_folder, lines};

/// Folders of a run that are copied: deeper ones are none of ours.
const DEEPEST: usize = 4;

impl Store {
    /// The JSON document in `file`, where there is one.
    pub fn document(&self, file: &Path) -> Option<Value> {
        serde_json::from_slice(&fs::read(file).ok()?).ok()
    }

    /// Copies the runs below `from`, where `bundles` and `reviews` are. One that is here already stays as it is.
    pub fn adopt(&self, from: &Path) -> Result<(), StoreError> {
        let reviews = from.join("reviews");
        let told = lines(&reviews.join("findings.jsonl")).unwrap_or_default();
        for entry in fs::read_dir(&reviews).into_iter().flatten().flatten() {
            let Some(id) = entry.file_name().to_str().filter(|id| is_run_id(id)).map(str::to_owned) else {
                continue;
            };
            let makes_run =
                ["run.json", "gauntlet.json"].iter().any(|name| entry.path().join(name).is_file());
            if !makes_run || self.reviews.join(&id).exists() {
                continue;
            }
            self.keep_out_of_git()?;
            // A run is there when its `run.json` is, so its diffs come first.
            place(&from.join("bundles").join(&id), &self.bundles, &id)?;
            if place(&entry.path(), &self.reviews, &id)? {
                let own = |line: &&String| is_about(line, &id);
                told.iter().filter(own).try_for_each(|line| self.append_finding_line(line))?;
            }
        }
        Ok(())
    }
}

/// Digits, letters and `-`, as ids of runs are.
fn is_run_id(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_about(line: &str, run: &str) -> bool {
    serde_json::from_str::<Value>(line).is_ok_and(|line| line["run"] == run)
}

/// Copies the folder `from` to `name` in `to`, whole or not at all. False where something is there already.
fn place(from: &Path, to: &Path, name: &str) -> Result<bool, StoreError> {
    let target = to.join(name);
    if !from.is_dir() || target.exists() {
        return Ok(false);
    }
    create_folder(to)?;
    let in_words = |source| StoreError::Write { path: target.clone(), source };
    let copy = tempfile::Builder::new().prefix(".scrum-").tempdir_in(to).map_err(in_words)?;
    let copied: PathBuf = copy.path().join(name);
    copy_folder(from, &copied, 1).map_err(in_words)?;
    // It fails where somebody else was faster.
    Ok(fs::rename(&copied, &target).is_ok())
}

/// Copies files and folders, and no links.
fn copy_folder(from: &Path, to: &Path, depth: usize) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, to) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() && depth < DEEPEST {
            copy_folder(&entry.path(), &to, depth + 1)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn text(path: &Path) -> Option<String> {
        fs::read_to_string(path).ok()
    }

    #[test]
    fn a_run_is_taken_in_once_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (from, own) = (folder.path().join("from"), folder.path().join("own"));
        put(&from.join("bundles/20260101-1-ab/c1_core.diff"), "diff");
        put(&from.join("reviews/20260101-1-ab/run.json"), "{}");
        put(&from.join("reviews/20260101-1-ab/replies/c1_core__opus.md"), "fine");
        put(&from.join("reviews/20260102-1-cd/run.json"), "theirs");
        put(&from.join("reviews/20260103-1-ef/notes.txt"), "no run");
        put(&from.join("reviews/.hidden/run.json"), "{}");
        let lines = "{\"run\":\"20260101-1-ab\"}\n{\"run\":\"20260102-1-cd\"}\nno line\n";
        put(&from.join("reviews/findings.jsonl"), lines);
        put(&own.join("reviews/20260102-1-cd/run.json"), "ours");
        let store = Store::new(&own, [Path::new("cache"), Path::new("bundles"), Path::new("reviews")]);
        for _ in 0..2 {
            store.adopt(&from).unwrap();
            assert_eq!(text(&own.join("bundles/20260101-1-ab/c1_core.diff")).as_deref(), Some("diff"));
            let reply = own.join("reviews/20260101-1-ab/replies/c1_core__opus.md");
            assert_eq!(text(&reply).as_deref(), Some("fine"));
            assert_eq!(text(&own.join("reviews/20260102-1-cd/run.json")).as_deref(), Some("ours"));
            let told = text(&own.join("reviews/findings.jsonl"));
            assert_eq!(told.as_deref(), Some("{\"run\":\"20260101-1-ab\"}\n"));
        }
        let mut names: Vec<_> =
            fs::read_dir(own.join("reviews")).unwrap().flatten().map(|e| e.file_name()).collect();
        names.sort();
        assert_eq!(names, ["20260101-1-ab", "20260102-1-cd", "findings.jsonl"]);
    }
}
