//! Finds the JSON documents in a reply: [`read`].
//!
//! A document starts at the first bracket of a line. What it says is `document`'s question, how it is made strict `mend`'s.

use serde_json::Value;

use super::{document::Document, mend};

/// Bytes that may be looked at in vain, as a multiple of the reply's: bounds the work for brackets that open no document.
const VAIN_SHARE: usize = 2;

/// Takes every JSON document in `text` into `document`.
pub(super) fn read(text: &str, document: &mut Document) {
    let mut vain = VAIN_SHARE * text.len() + 1_000;
    let mut at = 0;
    while let Some(start) = next_start(&text[at..]).map(|start| at + start) {
        match mend::mended(&text[start..]) {
            Ok(mended) => {
                at = start + mended.length;
                if let Ok(value) = serde_json::from_str::<Value>(&mended.json) {
                    document.cut |= mended.cut;
                    document.take(value, start..at);
                }
            }
            Err(looked) if looked < vain => {
                vain -= looked;
                at = start + 1;
            }
            Err(_) => break,
        }
    }
}

/// Whether `text` looks like nothing but JSON, fence or not.
pub(super) fn opens(text: &str) -> bool {
    let text = text.trim_start();
    let text = text
        .strip_prefix("```")
        .map_or(text, |rest| rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).trim_start());
    text.starts_with(['{', '['])
}

/// A bracket that opens a line, or stands in it before something that only JSON has there.
fn next_start(text: &str) -> Option<usize> {
    let brackets = text.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'{' | b'['));
    let mut starts = brackets.map(|(at, _)| at).filter(|at| {
        let before = text[..*at].trim_end_matches([' ', '\t']);
        let first = before.is_empty() || before.ends_with('\n');
        let next = text[at + 1..].trim_start_matches([' ', '\t']).as_bytes();
        match next.first() {
            Some(b'"' | b'{') => true,
            Some(b'\'' | b'[' | b']' | b'}' | b'\n' | b'\r' | b'/') | None => first,
            Some(byte) => first && (byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-'),
        }
    });
    starts.next()
}
