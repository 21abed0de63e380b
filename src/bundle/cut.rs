//! Cuts one component's files into as few pieces of at most the warning size as can be had.
//!
//! [`cut`] cuts between folders rather than between files, between files rather than between hunks. It moves files and
//! hunks and copies none; only the header of a file that is cut is repeated. It does not look at what a hunk says.

use std::mem;

use crate::change::{FilePatch, RepoPath};

/// What a cut inside a file weighs; no path has so many folders.
const INSIDE_A_FILE: usize = 4096;

/// What stays together: a file, a hunk of a large file, or files that git applies only one after the other.
struct Atom {
    files: Vec<FilePatch>,
    bytes: usize,
    /// Bytes saved behind another hunk of the same file, whose header then serves both; 0 for a first hunk.
    shared: usize,
    /// What a cut before this atom weighs: the folders that it and the atom before have in common.
    seam: usize,
}

/// What some first atoms cost at best; compared from the first field on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    pieces: usize,
    seams: usize,
    /// Sum of the squares of the sizes: the smaller, the more even.
    unevenness: u128,
}

/// The pieces of `files` in path order, none over `limit` bytes where that can be had.
///
/// There are as few as possible; then the cuts lie as high in the folders as possible; then the sizes are even.
pub(super) fn cut(files: Vec<FilePatch>, limit: usize) -> Vec<Vec<FilePatch>> {
    let atoms = atoms(files, limit);
    let mut starts = best_starts(&atoms, limit).into_iter().peekable();
    let mut pieces: Vec<Vec<FilePatch>> = Vec::new();
    for (at, atom) in atoms.into_iter().enumerate() {
        let begins = starts.next_if_eq(&at).is_some();
        match pieces.last_mut() {
            Some(piece) if !begins => append(piece, atom),
            Some(_) | None => pieces.push(atom.files),
        }
    }
    for piece in &mut pieces {
        piece.sort_by(|a, b| super::order(a).cmp(&super::order(b)));
    }
    pieces
}

fn append(piece: &mut Vec<FilePatch>, atom: Atom) {
    match piece.last_mut() {
        Some(last) if atom.shared > 0 => {
            last.hunks.extend(atom.files.into_iter().flat_map(|file| file.hunks));
        }
        _ => piece.extend(atom.files),
    }
}

/// The atoms that begin a piece, the first one included, in ascending order.
fn best_starts(atoms: &[Atom], limit: usize) -> Vec<usize> {
    let mut best = vec![(Cost::default(), 0)];
    for end in 1..=atoms.len() {
        let mut choice: Option<(Cost, usize)> = None;
        let mut behind_first = 0;
        for start in (0..end).rev() {
            let atom = &atoms[start];
            let size = atom.bytes + behind_first;
            if size > limit && choice.is_some() {
                break;
            }
            behind_first += atom.bytes - atom.shared;
            let before = best[start].0;
            let cost = Cost {
                pieces: before.pieces + 1,
                seams: before.seams + atom.seam,
                unevenness: before.unevenness + (size as u128).pow(2),
            };
            if choice.is_none_or(|(cheapest, _)| cost < cheapest) {
                choice = Some((cost, start));
            }
        }
        best.extend(choice);
    }
    let mut starts = Vec::new();
    let mut end = atoms.len();
    while end > 0 {
        end = best[end].1;
        starts.push(end);
    }
    starts.reverse();
    starts
}

/// All of `files` in the order of their folders, large files hunk by hunk.
fn atoms(mut files: Vec<FilePatch>, limit: usize) -> Vec<Atom> {
    files.sort_by(|a, b| {
        parts(&a.path).cmp(parts(&b.path)).then_with(|| super::order(a).cmp(&super::order(b)))
    });
    let mut groups: Vec<Vec<FilePatch>> = Vec::new();
    for file in files {
        match groups.last_mut() {
            Some(group) if is_at_or_in(&file.path, &group[0].path) => group.push(file),
            _ => groups.push(vec![file]),
        }
    }
    let mut atoms = Vec::new();
    let mut last: Option<RepoPath> = None;
    for mut group in groups {
        let seam = last.map_or(0, |last| shared_folders(&last, &group[0].path));
        last = group.last().map(|file| file.path.clone());
        let bytes = super::total_bytes(&group);
        match group.pop() {
            Some(file) if group.is_empty() && bytes > limit => by_hunk(file, seam, &mut atoms),
            Some(file) => {
                group.push(file);
                atoms.push(Atom { files: group, bytes, shared: 0, seam });
            }
            None => {}
        }
    }
    atoms
}

fn parts(path: &RepoPath) -> impl Iterator<Item = &[u8]> {
    path.as_bytes().split(|byte| *byte == b'/')
}

/// One path twice, or a file in the place of a folder: git applies the one only after the other.
fn is_at_or_in(path: &RepoPath, place: &RepoPath) -> bool {
    let rest = path.as_bytes().strip_prefix(place.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// How many folders, counted from the root, two paths have in common.
fn shared_folders(one: &RepoPath, other: &RepoPath) -> usize {
    parts(one).zip(parts(other)).take_while(|(one, other)| one == other).count()
}

/// One atom a hunk, each with the file's header.
fn by_hunk(mut file: FilePatch, seam: usize, atoms: &mut Vec<Atom>) {
    let hunks = mem::take(&mut file.hunks);
    if hunks.is_empty() {
        let bytes = file.byte_len();
        atoms.push(Atom { files: vec![file], bytes, shared: 0, seam });
        return;
    }
    for (at, hunk) in hunks.into_iter().enumerate() {
        let (shared, seam) = if at == 0 { (0, seam) } else { (file.header.len(), INSIDE_A_FILE) };
        let part = FilePatch { hunks: vec![hunk], ..file.clone() };
        atoms.push(Atom { bytes: part.byte_len(), files: vec![part], shared, seam });
    }
}
