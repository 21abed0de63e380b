//! Whether a quote stands in what was shown: [`in_code`], [`in_claims`].
//!
//! Blanks do not matter. A quote must say something: a brace proves nothing.

use crate::anchor::squeeze;

/// A quote this short (in characters other than blanks) must be a whole line.
const SHORTEST_PART: usize = 8;

/// Whether `quote` is a line of the numbered `code`, or a telling part of one. Headers are no code.
pub(super) fn in_code(quote: &str, code: &str) -> bool {
    let quotes =
        [squeeze(quote), squeeze(without_gutter(quote).unwrap_or(quote)), squeeze(without_sign(quote))];
    let rows = code.lines().filter_map(without_gutter).map(|row| (squeeze(row), squeeze(without_sign(row))));
    let says_something = |quote: &&String| quote.chars().any(char::is_alphanumeric);
    let quotes: Vec<&String> = quotes.iter().filter(says_something).collect();
    rows.into_iter().any(|(signed, line)| {
        quotes
            .iter()
            .any(|quote| **quote == line || **quote == signed || is_long(quote) && line.contains(*quote))
    })
}

/// Whether `quote` is a telling part of one of `claims`.
pub(super) fn in_claims(quote: &str, claims: &[String]) -> bool {
    let quote = squeeze(quote);
    is_long(&quote) && claims.iter().any(|claim| squeeze(claim).contains(&quote))
}

fn is_long(squeezed: &str) -> bool {
    squeezed.chars().filter(|c| c.is_alphanumeric()).nth(SHORTEST_PART - 1).is_some()
}

/// What stands behind the line number column; `None` without one.
fn without_gutter(row: &str) -> Option<&str> {
    let (gutter, line) = row.split_once("| ")?;
    gutter.chars().all(|c| c == ' ' || c.is_ascii_digit()).then_some(line)
}

fn without_sign(line: &str) -> &str {
    line.strip_prefix(['+', '-', ' ']).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "@@ -1,3 +1,4 @@ fn division(a: u32)\n     1|  fn share(a: u32, b: u32) {\n      | -    a / b\n     2| +    if b == 0 {\n     3| +        return;\n     4|  }\n";

    #[test]
    fn lines_and_telling_parts_are_found() {
        let check = |quote: &str, expect: bool| assert_eq!(in_code(quote, CODE), expect, "{quote:?}");
        for stands in
            ["if b == 0 {", "  if b==0 {", "+    if b == 0 {", "     2| +    if b == 0 {", "return;", "a / b"]
        {
            check(stands, true);
        }
        check("fn share(a: u32", true);
        for not in ["}", "", "b ==", "return", "2|", "if b != 0 {", "fn division(a: u32)", "|"] {
            check(not, false);
        }
    }

    #[test]
    fn claims_are_quoted_in_telling_parts() {
        let claims = ["What: The socket leaks on\nevery early return.".to_owned()];
        let check = |quote: &str, expect: bool| assert_eq!(in_claims(quote, &claims), expect, "{quote:?}");
        check("socket leaks on every early return", true);
        check("leaks", false);
        check("the socket is closed", false);
    }
}
