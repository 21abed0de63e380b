//! Packs tiny components together, so that a reviewer is not asked about every small folder by itself.
//!
//! [`pack`] joins whole components only; it never cuts one.

use super::{Piece, total_bytes};

/// Joins `tiny` components in the order of their names into as few bundles of at most `limit` bytes as that order
/// allows. A bundle of several is named after its first: `docs-and-2-more`.
pub(super) fn pack(mut tiny: Vec<Piece>, limit: usize) -> Vec<Piece> {
    tiny.sort_by(|a, b| a.name.cmp(&b.name));
    let mut packs: Vec<Vec<Piece>> = Vec::new();
    let mut filled = 0;
    for piece in tiny {
        let bytes = total_bytes(&piece.files);
        match packs.last_mut() {
            Some(pack) if filled + bytes <= limit => {
                filled += bytes;
                pack.push(piece);
            }
            _ => {
                filled = bytes;
                packs.push(vec![piece]);
            }
        }
    }
    packs.into_iter().filter_map(join).collect()
}

fn join(pack: Vec<Piece>) -> Option<Piece> {
    let more = pack.len() - 1;
    let mut pieces = pack.into_iter();
    let mut joined = pieces.next()?;
    if more > 0 {
        joined.files.extend(pieces.flat_map(|piece| piece.files));
        joined.files.sort_by(|a, b| super::order(a).cmp(&super::order(b)));
        joined = Piece::whole(format!("{}-and-{more}-more", joined.name), joined.files);
    }
    Some(joined)
}
