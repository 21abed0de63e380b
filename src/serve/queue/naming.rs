//! What a job's process calls files, and what its caller does: [`Naming`]. Where this machine keeps things is nobody else's business.

use std::path::Path;

/// Beginnings of paths, and what stands in their place for a caller; those within others come first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Naming(Vec<(String, String)>);

impl Naming {
    /// Of an attempt in `folder`, where jobs have theirs in `place`, and which is configured by `config`.
    pub(super) fn new(folder: &Path, place: &Path, config: Option<&Path>) -> Self {
        let mut names = Vec::new();
        let mut name = |path: &Path, behind: &str, told: &str| {
            if let Some(path) = path.to_str() {
                names.push((format!("{path}{behind}"), told.to_owned()));
            }
        };
        let repository = folder.join("repository");
        name(&repository, "/", "");
        name(&repository, "", "the repository");
        name(&folder.join("runs"), "/", "");
        name(folder, "/", "");
        name(place, "/", "");
        if let Some((config, file)) = config.and_then(|config| Some((config, config.file_name()?.to_str()?)))
        {
            name(config, "", file);
        }
        Self(names)
    }

    /// `text` in the caller's names.
    pub(super) fn told(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (path, name)| text.replace(path, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_of_this_machine_is_told() {
        let place = Path::new("/var/lib/scrum/jobs");
        let folder = place.join("0190-node/0190-1");
        let naming = Naming::new(&folder, place, Some(Path::new("/etc/scrum/acme.toml")));
        let check = |text: &str, expect: &str| assert_eq!(naming.told(text), expect);
        let inside = |rest: &str| format!("{}/{rest}", folder.display());
        check(
            &format!("there is no file {}", inside("repository/checks/chain.toml")),
            "there is no file checks/chain.toml",
        );
        check(&format!("cannot open {}: no", inside("repository")), "cannot open the repository: no");
        check(&format!("saved in {}", inside("runs/reviews/2026")), "saved in reviews/2026");
        check(&inside("error"), "error");
        check("/var/lib/scrum/jobs/mirrors/1.git: locked", "mirrors/1.git: locked");
        check("/etc/scrum/acme.toml:3: no such key", "acme.toml:3: no such key");
        check("/srv/git/app is no repository", "/srv/git/app is no repository");
    }
}
