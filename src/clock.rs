//! The clock and the dice of the process: [`now`], [`nonce`], [`identifier`], [`uuid()`] and [`key`].
//!
//! Everything else takes the time and the nonce as arguments, so that it can be run again with the same result.

use jiff::Timestamp;

/// The present moment.
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Sixteen hexadecimal digits nobody can foresee, so that a diff cannot contain the fence it is shown in.
pub fn nonce() -> Result<String, getrandom::Error> {
    let bytes = getrandom::u64()?;
    Ok(format!("{bytes:016x}"))
}

/// Thirty-two hexadecimal digits nobody can guess: the name of something that only those may find who were told it.
pub fn identifier() -> Result<String, getrandom::Error> {
    Ok(nonce()? + &nonce()?)
}

/// The name of a new job, and of a node while it runs: later ones sort behind earlier ones.
pub fn uuid() -> String {
    uuid::Uuid::now_v7().hyphenated().to_string()
}

/// Thirty-two bytes nobody can foresee, for a key.
pub fn key() -> Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
