//! Content hashes as text: [`sha256`].

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// SHA-256 over `parts`, one after the other, in lower-case hexadecimal. Parts are not told apart.
pub fn sha256(parts: &[&[u8]]) -> String {
    let digest = parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize();
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
