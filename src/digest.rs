//! Content hashes: [`sha256`] as text, [`sha256_bytes`].

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// SHA-256 over `parts`, one after the other, in lower-case hexadecimal. Parts are not told apart.
pub fn sha256(parts: &[&[u8]]) -> String {
    sha256_bytes(parts).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The same as bytes.
pub fn sha256_bytes(parts: &[&[u8]]) -> [u8; 32] {
    parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize().into()
}
