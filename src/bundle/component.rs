//! Says which component a file belongs to; [`assign`] makes [`Owners`].
//!
//! Declared components come first, then package roots, then top-level folders. It reads no manifest: package
//! roots are given.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{DeclaredComponent, SplitError, SplitRules, globs::Globs};
use crate::change::{FilePatch, RepoPath};

/// Longest inferred name, in bytes.
const LONGEST_NAME: usize = 48;
/// Most folder names that are joined to make a name unique; beyond it a number is added.
const MOST_FOLDERS: usize = 4;

/// A named part of the repository that the change touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Component {
    /// Safe as part of a file name, unique in the change.
    pub(super) name: String,
    /// Where its files lie; `None` for one from `scrum.toml`, whose files may lie anywhere.
    folder: Option<Vec<u8>>,
}

impl Component {
    /// Whether it is from `scrum.toml`.
    pub(super) fn is_declared(&self) -> bool {
        self.folder.is_none()
    }

    /// Where `files`, all of the component, lie.
    pub(super) fn home(&self, files: &[FilePatch]) -> Vec<u8> {
        self.folder.clone().unwrap_or_else(|| common_place(files).to_vec())
    }

    /// What to call `files`, a part of the component at `home`: `src-git` when all of them lie in that one folder or
    /// file, and the component's own name when they share no folder below `home` or the name would get long.
    pub(super) fn name_of_part(&self, home: &[u8], files: &[FilePatch]) -> String {
        let below = common_place(files).strip_prefix(home).unwrap_or_default();
        let below = below.strip_prefix(b"/").unwrap_or(below);
        if below.is_empty() || self.name.len() + 1 + below.len() > LONGEST_NAME {
            return self.name.clone();
        }
        format!("{}-{}", self.name, safe_name(below))
    }
}

/// The only file, or the deepest folder that all of `files` lie in.
fn common_place(files: &[FilePatch]) -> &[u8] {
    let Some((first, rest)) = files.split_first() else { return &[] };
    if rest.iter().all(|file| file.path == first.path) {
        return first.path.as_bytes();
    }
    let holds = |folder: &[u8]| {
        let inside =
            |path: &RepoPath| path.as_bytes().strip_prefix(folder).is_some_and(|at| at.starts_with(b"/"));
        rest.iter().all(|file| inside(&file.path))
    };
    let mut folder = first.path.parent();
    while !folder.is_empty() && !holds(folder) {
        folder = &folder[..folder.iter().rposition(|byte| *byte == b'/').unwrap_or(0)];
    }
    folder
}

/// A component as it would be inferred for a whole repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inferred {
    /// As its bundles would be called.
    pub name: String,
    /// Package root or top-level folder, without trailing `/`.
    pub folder: Vec<u8>,
    /// Files in it that are in no other component.
    pub files: usize,
}

/// The components of a repository with these `files` and `package_roots`, in path order; files at the root are in none.
pub fn inferred(files: &[RepoPath], package_roots: &[RepoPath]) -> Vec<Inferred> {
    let roots: HashSet<&[u8]> = package_roots.iter().map(RepoPath::as_bytes).collect();
    let mut counts: BTreeMap<&[u8], usize> = BTreeMap::new();
    for file in files {
        *counts.entry(folder_of(file, &roots)).or_default() += 1;
    }
    counts.remove(&b""[..]);
    let folders: Vec<&[u8]> = counts.keys().copied().collect();
    let names = folder_names(&folders, HashSet::new());
    let inferred = names.into_iter().zip(counts);
    inferred.map(|(name, (folder, files))| Inferred { name, folder: folder.to_vec(), files }).collect()
}

/// The components of a change and which file is whose.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Owners {
    /// All components that own a file.
    pub(super) components: Vec<Component>,
    /// For each file an index into `components`.
    pub(super) of_file: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    /// Index of a declared component.
    Declared(usize),
    /// Package root or top-level folder; empty for the repository's root.
    Folder(&'a [u8]),
}

/// Gives each of `files`, which are in path order, its component.
pub(super) fn assign<'f>(files: &'f [FilePatch], rules: &SplitRules) -> Result<Owners, SplitError> {
    let declared = Globs::grouped(rules.declared.iter().map(|component| &component.paths))?;
    let roots: HashSet<&[u8]> = rules.package_roots.iter().map(RepoPath::as_bytes).collect();
    let key_of = |file: &'f FilePatch| match declared.first(&file.path) {
        Some(index) => Key::Declared(index),
        None => Key::Folder(folder_of(&file.path, &roots)),
    };
    let keys = files.iter().map(key_of).collect();
    Ok(named(&keep_replaced_together(files, keys), &rules.declared))
}

/// The folder that gives `file` its inferred component; empty for the repository's root.
fn folder_of<'a>(file: &'a RepoPath, roots: &HashSet<&[u8]>) -> &'a [u8] {
    let folder = file.parent();
    let slashes: Vec<usize> = (0..folder.len()).filter(|at| folder[*at] == b'/').collect();
    let deepest =
        slashes.iter().copied().chain([folder.len()]).rev().find(|end| roots.contains(&folder[..*end]));
    let top = slashes.first().copied().unwrap_or(folder.len());
    &folder[..deepest.unwrap_or(top)]
}

/// A link or file that became a folder goes with what is in the folder now: git applies the one only after the
/// other.
fn keep_replaced_together<'a>(files: &[FilePatch], mut keys: Vec<Key<'a>>) -> Vec<Key<'a>> {
    for at in 0..files.len() {
        let inside = [files[at].path.as_bytes(), b"/"].concat();
        let first = files.partition_point(|file| file.path.as_bytes() < inside.as_slice());
        for other in first..files.len() {
            if !files[other].path.as_bytes().starts_with(&inside) {
                break;
            }
            keys[other] = keys[at];
        }
    }
    keys
}

fn named(keys: &[Key<'_>], declared: &[DeclaredComponent]) -> Owners {
    let mut index_of: BTreeMap<Key<'_>, usize> = keys.iter().map(|key| (*key, 0)).collect();
    let mut taken = HashSet::new();
    let mut components = Vec::new();
    let mut folders = Vec::new();
    for (index, (key, slot)) in index_of.iter_mut().enumerate() {
        *slot = index;
        match key {
            Key::Declared(which) => {
                let name = free_name(declared_name(&declared[*which].name), &taken);
                taken.insert(name.clone());
                components.push(Component { name, folder: None });
            }
            Key::Folder(folder) => folders.push(*folder),
        }
    }
    let inferred = folder_names(&folders, taken).into_iter().zip(folders);
    components.extend(inferred.map(|(name, folder)| Component { name, folder: Some(folder.to_vec()) }));
    let of_file = keys.iter().map(|key| index_of[key]).collect();
    Owners { components, of_file }
}

/// Names for `folders` that are unique among themselves and not in `taken`.
fn folder_names(folders: &[&[u8]], mut taken: HashSet<String>) -> Vec<String> {
    if folders.contains(&&b""[..]) {
        taken.insert("root".to_owned());
    }
    let mut depths = vec![1; folders.len()];
    for _ in 1..MOST_FOLDERS {
        let names = names_at(folders, &depths);
        let mut uses = HashMap::new();
        for name in &names {
            *uses.entry(name.as_str()).or_insert(0) += 1;
        }
        for (name, depth) in names.iter().zip(&mut depths) {
            *depth += usize::from(uses[name.as_str()] > 1 || taken.contains(name));
        }
    }
    let unique = |(folder, name): (&&[u8], String)| {
        if folder.is_empty() {
            return "root".to_owned();
        }
        let name = free_name(name, &taken);
        taken.insert(name.clone());
        name
    };
    folders.iter().zip(names_at(folders, &depths)).map(unique).collect()
}

fn names_at(folders: &[&[u8]], depths: &[usize]) -> Vec<String> {
    let name = |(folder, depth): (&&[u8], &usize)| {
        let from = folder.iter().rposition({
            let mut left = *depth;
            move |byte| {
                left -= usize::from(*byte == b'/');
                left == 0
            }
        });
        safe_name(&folder[from.map_or(0, |at| at + 1)..])
    };
    folders.iter().zip(depths).map(name).collect()
}

/// `name`, or `name-2`, `name-3` … where it is taken.
fn free_name(name: String, taken: &HashSet<String>) -> String {
    if !taken.contains(&name) {
        return name;
    }
    let numbered = (2_u32..).map(|number| format!("{name}-{number}"));
    numbered.into_iter().find(|other| !taken.contains(other)).unwrap_or(name)
}

fn declared_name(name: &str) -> String {
    let plain = name.bytes().all(is_plain) && !name.contains("__");
    let ends = name.starts_with(['.', '_']) || name.ends_with('_');
    if plain && !ends && (1..=100).contains(&name.len()) {
        name.to_owned()
    } else {
        safe_name(name.as_bytes())
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

/// `text` as a part of a file name: ASCII letters, digits, `.`, `_`, `-`, never two of a sign in a row, none at
/// the ends.
pub(super) fn safe_name(text: &[u8]) -> String {
    let signs = ['.', '_', '-'];
    let mut out = String::new();
    for byte in text {
        let c = if is_plain(*byte) { char::from(*byte) } else { '-' };
        if !(signs.contains(&c) && out.ends_with(c)) {
            out.push(c);
        }
    }
    let name = out.trim_matches(signs);
    let name = name[..name.len().min(LONGEST_NAME)].trim_matches(signs);
    if name.is_empty() { "component".to_owned() } else { name.to_owned() }
}
