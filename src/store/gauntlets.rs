//! Gauntlets on disk: `gauntlet.json` and `gauntlet.md` in a run's folder, and a line each in `gauntlets.jsonl` beside the runs.
//!
//! A gauntlet without a review has a folder all the same, which is no run: it holds no `run.json`.

use std::path::Path;

use super::{
    RunDir, Store, StoreError, append_line, create_folder, keep_out_of_git, lines, read, to_json, write,
};
use crate::gauntlet::{
    document::{GauntletDocument, Line},
    markdown,
};

/// What each gauntlet came to, a line each.
const LINES: &str = "gauntlets.jsonl";
const DOCUMENT: &str = "gauntlet.json";
const PAGE: &str = "gauntlet.md";

/// What the gauntlets before came to.
#[derive(Debug, Default)]
pub struct Gauntlets {
    /// In the order they were carried out.
    pub lines: Vec<Line>,
    /// Lines that are none, in words.
    pub unusable: Vec<String>,
}

impl Store {
    /// The folder of the run `id`, made where it is not there.
    pub fn create_review(&self, id: &str) -> Result<RunDir, StoreError> {
        let run = self.run(id);
        create_folder(&run.review)?;
        keep_out_of_git(&self.reviews)?;
        Ok(run)
    }

    /// What the gauntlets here came to.
    pub fn gauntlets(&self) -> Result<Gauntlets, StoreError> {
        let path = self.reviews.join(LINES);
        let mut found = Gauntlets::default();
        for (at, line) in lines(&path)?.iter().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            match serde_json::from_str(line) {
                Ok(line) => found.lines.push(line),
                Err(error) => found.unusable.push(format!("{} line {}: {error}", path.display(), at + 1)),
            }
        }
        Ok(found)
    }

    /// Appends what a gauntlet came to.
    pub fn append_gauntlet(&self, line: &Line) -> Result<(), StoreError> {
        create_folder(&self.reviews)?;
        let path = self.reviews.join(LINES);
        append_line(&path, &to_json(&path, line)?)
    }

    /// The gauntlet without a review that `name` means: its id, a prefix of it that fits nothing else, or a path to its folder.
    pub fn find_gauntlet(&self, name: &str) -> Option<RunDir> {
        let alone = |folder: &Path| folder.join(DOCUMENT).is_file() && !folder.join("run.json").is_file();
        if alone(Path::new(name)) {
            return Some(self.run_at(Path::new(name)));
        }
        let entries = std::fs::read_dir(&self.reviews).into_iter().flatten().flatten();
        let ids = entries.filter(|entry| alone(&entry.path()));
        let ids = ids.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let fitting: Vec<String> = ids.filter(|id| !name.is_empty() && id.starts_with(name)).collect();
        let fits_run = self.run_ids().iter().any(|id| id.starts_with(name));
        match fitting.as_slice() {
            [only] if only == name || !fits_run => Some(self.run(only)),
            _ => None,
        }
    }
}

impl RunDir {
    /// Writes what a gauntlet came to, for machines and for people.
    pub fn write_gauntlet(&self, document: &GauntletDocument) -> Result<(), StoreError> {
        self.write_output(DOCUMENT, &document.render())?;
        self.write_output(PAGE, &markdown::render(document))
    }

    /// Writes the report of a comparison to `file`, from the run's folder.
    pub fn write_parity(&self, file: &str, text: &str) -> Result<(), StoreError> {
        let path = self.review.join(file);
        path.parent().map_or(Ok(()), create_folder)?;
        write(&path, text.as_bytes())
    }

    /// What the gauntlet came to whose review the run is; `None` where it is of none.
    pub fn gauntlet(&self) -> Result<Option<GauntletDocument>, StoreError> {
        let path = self.review.join(DOCUMENT);
        if !path.is_file() {
            return Ok(None);
        }
        let damaged =
            |error: serde_json::Error| StoreError::Damaged { path: path.clone(), reason: error.to_string() };
        serde_json::from_slice(&read(&path)?).map(Some).map_err(damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauntlet_without_a_review_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), ["cache", "bundles", "reviews"].map(Path::new));
        for id in ["20260101-a", "20260102-b"] {
            store.create_review(id).unwrap().write_output(DOCUMENT, "{}").unwrap();
        }
        store.create_review("20260103-c").unwrap();
        let check = |name: &str, expect: Option<&str>| {
            assert_eq!(store.find_gauntlet(name).map(|run| run.id).as_deref(), expect, "{name}");
        };
        check("20260102", Some("20260102-b"));
        check("202601", None);
        check("20260103", None);
        check("", None);
        check(&folder.path().join("reviews/20260101-a").to_string_lossy(), Some("20260101-a"));
        assert!(matches!(
            store.find_gauntlet("20260101").unwrap().gauntlet(),
            Err(StoreError::Damaged { .. })
        ));
        assert!(matches!(store.create_review("20260103-c").unwrap().gauntlet(), Ok(None)));
    }

    #[test]
    fn a_line_that_does_not_read_costs_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), ["cache", "bundles", "reviews"].map(Path::new));
        assert!(store.gauntlets().unwrap().lines.is_empty());
        store.create_review("a").unwrap();
        let line = "{\"schema\":\"scrum.gauntlet-summary/1\",\"run\":\"a\",\"started_at\":\"2026-01-02T03:04:05Z\",\
                    \"file\":\"gauntlet.toml\",\"head\":null,\"assessment\":\"ship\",\"smoke\":null,\"review\":null,\
                    \"parity\":null,\"engagement\":[]}";
        std::fs::write(folder.path().join("reviews").join(LINES), format!("<<<<<<< ours\n{line}\n")).unwrap();
        let read = store.gauntlets().unwrap();
        store.append_gauntlet(&read.lines[0]).unwrap();
        let again = store.gauntlets().unwrap();
        assert_eq!((read.lines.len(), again.lines.len(), again.unusable.len()), (1, 2, 1));
        assert_eq!(again.lines[0], again.lines[1]);
    }
}
