//! Cuts one component's files into pieces of at most the warning size: by folder, then file, then hunk.
//!
//! [`cut`] moves files and hunks and copies none; only the header of a file that is cut is repeated. It does not
//! look at what a hunk says.

use std::{collections::BTreeMap, mem};

use crate::change::FilePatch;

/// What stays together: a folder, a file or a hunk.
struct Atom {
    files: Vec<FilePatch>,
    bytes: usize,
    /// Bytes saved behind another hunk of the same file, whose header then serves both; 0 for a first hunk.
    shared: usize,
}

/// The pieces of `files` in path order, none over `limit` bytes where that can be had, of about equal size.
pub(super) fn cut(files: Vec<FilePatch>, limit: usize) -> Vec<Vec<FilePatch>> {
    let mut atoms = Vec::new();
    break_up(files, 0, limit, &mut atoms);
    let cap = even_cap(&atoms, limit);
    let mut pieces: Vec<Vec<FilePatch>> = Vec::new();
    let mut filled = 0;
    for atom in atoms {
        let grown = filled + atom.bytes - atom.shared;
        match pieces.last_mut() {
            Some(piece) if grown <= cap => {
                filled = grown;
                append(piece, atom);
            }
            _ => {
                filled = atom.bytes;
                pieces.push(atom.files);
            }
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

/// The smallest cap that needs no more pieces than `limit` does.
fn even_cap(atoms: &[Atom], limit: usize) -> usize {
    let most = count(atoms, limit);
    let (mut low, mut high) = (0, limit);
    while low < high {
        let middle = low.midpoint(high);
        if count(atoms, middle) > most { low = middle + 1 } else { high = middle }
    }
    high
}

/// How many pieces of at most `cap` bytes `atoms` fill.
fn count(atoms: &[Atom], cap: usize) -> usize {
    let (mut pieces, mut filled) = (0, 0);
    for atom in atoms {
        let grown = filled + atom.bytes - atom.shared;
        if pieces > 0 && grown <= cap {
            filled = grown;
        } else {
            pieces += 1;
            filled = atom.bytes;
        }
    }
    pieces
}

/// Breaks `files`, which share the first `depth` bytes of their paths, into atoms of at most `limit` bytes.
fn break_up(mut files: Vec<FilePatch>, depth: usize, limit: usize, atoms: &mut Vec<Atom>) {
    let bytes = super::total_bytes(&files);
    if bytes <= limit {
        atoms.push(Atom { files, bytes, shared: 0 });
    } else if files.len() == 1 {
        files.drain(..).for_each(|file| by_hunk(file, atoms));
    } else if files.iter().any(|file| file.path.as_bytes().len() < depth) {
        // One path twice, or a file in the place of a folder: git applies the one only after the other.
        atoms.push(Atom { files, bytes, shared: 0 });
    } else {
        for (folder_len, group) in by_folder(files, depth) {
            break_up(group, depth + folder_len + 1, limit, atoms);
        }
    }
}

/// Groups by the next part of the path, in the order of that part; with each group the part's length.
fn by_folder(files: Vec<FilePatch>, depth: usize) -> Vec<(usize, Vec<FilePatch>)> {
    let mut groups: BTreeMap<Vec<u8>, Vec<FilePatch>> = BTreeMap::new();
    for file in files {
        let rest = file.path.as_bytes().get(depth..).unwrap_or_default();
        let part = rest.split(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
        groups.entry(part).or_default().push(file);
    }
    groups.into_iter().map(|(part, group)| (part.len(), group)).collect()
}

/// One atom a hunk, each with the file's header.
fn by_hunk(mut file: FilePatch, atoms: &mut Vec<Atom>) {
    let hunks = mem::take(&mut file.hunks);
    if hunks.is_empty() {
        let bytes = file.byte_len();
        atoms.push(Atom { files: vec![file], bytes, shared: 0 });
        return;
    }
    for (at, hunk) in hunks.into_iter().enumerate() {
        let shared = if at == 0 { 0 } else { file.header.len() };
        let part = FilePatch { hunks: vec![hunk], ..file.clone() };
        atoms.push(Atom { bytes: part.byte_len(), files: vec![part], shared });
    }
}
