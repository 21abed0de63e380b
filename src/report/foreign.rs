//! Makes foreign text harmless to look at: [`one_line`] and [`lines`].
//!
//! Control characters, terminal escapes, characters that reorder text and invisible ones become visible
//! marks. What the text says is kept; Markdown and HTML are `markdown::escape`'s concern.

use std::fmt::Write as _;

/// The text as a single line: every run of white space becomes one space, every other control or invisible
/// character a visible mark.
pub fn one_line(text: &str) -> String {
    let words: Vec<String> =
        text.split(char::is_whitespace).filter(|word| !word.is_empty()).map(marked).collect();
    words.join(" ")
}

/// The text line by line, tabs as four spaces, every other control or invisible character a visible mark.
pub fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| marked(&line.replace('\t', "    "))).collect()
}

fn marked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| mark(c, &mut out));
    out
}

fn mark(c: char, out: &mut String) {
    match c {
        '\0'..='\u{1f}' => out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')),
        '\u{7f}' => out.push('\u{2421}'),
        '\u{80}'..='\u{9f}' => {
            let _ = write!(out, "\\x{:02x}", u32::from(c));
        }
        // They only choose between the text and picture form of a sign, and upset width counting.
        '\u{fe0e}' | '\u{fe0f}' => {}
        c if is_hidden(c) => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
        c => out.push(c),
    }
}

/// Characters that are not seen, that change the order of those that are, or that XML forbids. Joiners stay: scripts and
/// emoji need them.
pub(crate) fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(input: &str, expect: &str) {
        assert_eq!(one_line(input), expect, "{input:?}");
    }

    #[test]
    fn one_line_shows_what_would_have_acted() {
        check("plain", "plain");
        check("  two\n\n lines\tand a tab ", "two lines and a tab");
        check("\u{1b}[31mred\u{1b}[0m", "␛[31mred␛[0m");
        check("bell\u{7} del\u{7f} csi\u{9b}2J", "bell␇ del␡ csi\\x9b2J");
        check("a\u{202e}b\u{2066}c\u{200b}d", "a\\u{202e}b\\u{2066}c\\u{200b}d");
        check("line\u{2028}separator", "line separator");
        check("heart ❤\u{fe0f} familie 👩\u{200d}👧", "heart ❤ familie 👩\u{200d}👧");
        check("", "");
    }

    #[test]
    fn lines_keep_their_number_and_indent() {
        assert_eq!(lines("a\n\tb\r\n\u{1b}c"), ["a", "    b", "␛c"]);
    }

    proptest! {
        #[test]
        fn nothing_that_acts_survives(text in any::<String>()) {
            let shown = one_line(&text);
            prop_assert!(!shown.chars().any(|c| c.is_control() || is_hidden(c)), "{shown:?}");
        }
    }
}
