//! What a project gets from npm: [`node_tool_below`] looks into `node_modules` and `package.json`, in the folders where `npx` would be started.
#![expect(clippy::disallowed_methods, reason = "this is the edge that looks what a project has")]

use std::path::{Path, PathBuf};

use crate::survey::NodeTool;

/// How far the project at `root` has the tool `name`: in its own folder or, where that has no `package.json`, in one right below.
pub fn node_tool_below(root: &Path, name: &str) -> Option<NodeTool> {
    let found: Vec<NodeTool> = folders(root).iter().filter_map(|folder| node_tool_in(folder, name)).collect();
    let installed = found.iter().find(|tool| **tool == NodeTool::Installed);
    installed.or(found.first()).copied()
}

/// Outermost folders with a `package.json`, not deeper than one below `root`.
fn folders(root: &Path) -> Vec<PathBuf> {
    if root.join(MANIFEST).is_file() {
        return vec![root.to_owned()];
    }
    let below = std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    below.filter(|folder| folder.join(MANIFEST).is_file()).collect()
}

const MANIFEST: &str = "package.json";

fn node_tool_in(folder: &Path, name: &str) -> Option<NodeTool> {
    if folder.join("node_modules/.bin").join(name).exists() {
        return Some(NodeTool::Installed);
    }
    let manifest = std::fs::read(folder.join(MANIFEST)).ok()?;
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
    let needs = |key: &str| {
        let packages = manifest.get(key).and_then(serde_json::Value::as_object);
        packages.is_some_and(|packages| packages.keys().any(|package| has_tool(package, name)))
    };
    ["dependencies", "devDependencies", "optionalDependencies"]
        .into_iter()
        .any(needs)
        .then_some(NodeTool::Declared)
}

/// Whether the package is that of the tool: `eslint`, or `@biomejs/biome`.
fn has_tool(package: &str, name: &str) -> bool {
    package == name
        || package
            .strip_prefix('@')
            .and_then(|scoped| scoped.split_once('/'))
            .is_some_and(|(scope, last)| last == name && scope.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_really_there_decides() {
        let check = |files: &[(&str, &str)], expect: Option<NodeTool>| {
            let root = tempfile::tempdir().unwrap();
            for (path, text) in files {
                let path = root.path().join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
            assert_eq!(node_tool_below(root.path(), "biome"), expect, "{files:?}");
        };
        let (bare, needs) = ("{}", "{\"devDependencies\": {\"@biomejs/biome\": \"^2\"}}");
        check(&[], None);
        check(&[("package.json", bare)], None);
        check(&[("package.json", "no JSON")], None);
        check(&[("package.json", "{\"dependencies\": {\"@types/biome\": \"1\"}}")], None);
        check(&[("package.json", needs)], Some(NodeTool::Declared));
        check(&[("package.json", bare), ("node_modules/.bin/biome", "")], Some(NodeTool::Installed));
        check(&[("web/package.json", needs), ("api/package.json", bare)], Some(NodeTool::Declared));
        check(&[("package.json", bare), ("web/package.json", needs)], None);
    }
}
