//! Tells how much of one file's content is in another: [`Fingerprint`].
//!
//! It measures as git does: content is cut after each newline and at the latest after 64 bytes, and equal pieces
//! are counted in bytes, wherever they stand. Only hashes of the pieces are kept, never the content.

/// Longest piece in bytes.
const LONGEST_PIECE: usize = 64;
/// Git looks for a NUL in this many first bytes to tell binary files.
const BINARY_PROBE: usize = 8000;

/// A score of this many means that all content is the same.
pub(super) const MOST: u64 = 60_000;
/// Two files are a rename from here on: half of the content is the same.
pub(super) const LEAST: u64 = MOST / 2;

/// What a file's content is made of.
pub(super) struct Fingerprint {
    size: u64,
    /// Hash of each piece and its bytes in the file, by ascending hash, each hash once.
    pieces: Vec<(u32, u32)>,
}

impl Fingerprint {
    /// Takes the fingerprint of a file's content.
    pub(super) fn new(content: &[u8]) -> Self {
        let is_text = !content[..content.len().min(BINARY_PROBE)].contains(&0);
        let mut pieces = Vec::with_capacity(content.len() / 32);
        let mut rest = content;
        while !rest.is_empty() {
            let piece = &rest[..rest.len().min(LONGEST_PIECE)];
            let end = piece.iter().position(|byte| *byte == b'\n').map_or(piece.len(), |at| at + 1);
            pieces.push(hashed(&piece[..end], is_text));
            rest = &rest[end..];
        }
        pieces.sort_unstable();
        pieces.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 += later.1;
            }
            same
        });
        pieces.shrink_to_fit();
        Self { size: content.len() as u64, pieces }
    }

    /// How similar the two are, from 0 to [`MOST`].
    pub(super) fn score(&self, other: &Self) -> u64 {
        self.shared_bytes(other) * MOST / self.size.max(other.size).max(1)
    }

    fn shared_bytes(&self, other: &Self) -> u64 {
        let (mut left, mut right) = (&self.pieces[..], &other.pieces[..]);
        let mut shared = 0;
        while let ([(one, one_bytes), left_rest @ ..], [(two, two_bytes), right_rest @ ..]) = (left, right) {
            if one == two {
                shared += u64::from(*one_bytes.min(two_bytes));
            }
            if one <= two {
                left = left_rest;
            }
            if two <= one {
                right = right_rest;
            }
        }
        shared
    }
}

/// Whether files of these sizes can reach [`LEAST`] at all.
pub(super) fn sizes_allow(one: u64, other: u64) -> bool {
    let (small, large) = (one.min(other), one.max(other));
    large * (MOST - LEAST) >= (large - small) * MOST
}

/// Hash and length of a piece. In text, `\r\n` counts as `\n`.
fn hashed(piece: &[u8], is_text: bool) -> (u32, u32) {
    let (line, end) = match piece.strip_suffix(b"\n") {
        Some(line) => (if is_text { line.strip_suffix(b"\r").unwrap_or(line) } else { line }, &b"\n"[..]),
        None => (piece, &b""[..]),
    };
    let mut hash = 0_u64;
    for part in line.chunks(8).chain([end]) {
        let mut word = [0; 8];
        word[..part.len()].copy_from_slice(part);
        hash = (hash.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    let folded = (hash >> 32) ^ hash;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the low half is the hash; a piece has 64 bytes at most"
    )]
    (folded as u32, (line.len() + end.len()) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: &[u8], other: &[u8], percent: u64) {
        let (one, other) = (Fingerprint::new(one), Fingerprint::new(other));
        assert_eq!(one.score(&other) * 100 / MOST, percent);
        assert_eq!(one.score(&other), other.score(&one));
    }

    #[test]
    fn lines_count_by_their_bytes_wherever_they_stand() {
        check(b"a\nb\nc\nd\n", b"d\nc\nb\na\n", 100);
        check(b"a\nb\nc\nd\n", b"a\nb\nx\ny\n", 50);
        check(b"a\na\na\na\n", b"a\nx\n", 25);
        check(b"same", b"same", 100);
        check(b"", b"", 0);
        check(b"", b"x", 0);
    }

    #[test]
    fn line_ends_matter_in_binary_files_only() {
        check(b"a\r\nb\r\n", b"a\nb\n", 66);
        check(b"\0a\r\n", b"\0a\n", 0);
    }

    #[test]
    fn long_lines_are_cut_after_64_bytes() {
        let long = [b'x'; 128];
        check(&long, &long[..64], 50);
        check(&[&long[..64], b"tail\n"].concat(), &[&long[..64], b"end!\n"].concat(), 92);
    }

    #[test]
    fn sizes_rule_out_what_cannot_be_half_the_same() {
        assert!(sizes_allow(100, 200));
        assert!(!sizes_allow(100, 201));
        assert!(sizes_allow(0, 0));
        assert!(!sizes_allow(0, 1));
    }
}
