//! What people write to scrum in a conversation, `/scrum dismiss ID why`: [`orders`] finds it.
//!
//! Only what somebody typed as a line of their own counts: nothing quoted, no code, nothing hidden in an HTML comment. Whether the author
//! may decide, and which issue is meant, is decided elsewhere.

use crate::disposition::Decision;

/// What such a line begins with.
const WORD: &str = "/scrum";
/// Characters of a reason that are kept.
const WHY_KEPT: usize = 400;

/// A decision somebody wrote down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What was decided.
    pub decision: Decision,
    /// An issue's id or its beginning; `None` where the thread says which.
    pub issue: Option<String>,
    /// The reason; may be empty.
    pub why: String,
}

/// The orders in a comment's text, in their order. `in_thread`: it stands in a thread about one issue, so an id may be left out.
pub fn orders(text: &str, in_thread: bool) -> Vec<Order> {
    let mut page = Page::default();
    text.lines().filter(|line| page.is_plain(line)).filter_map(|line| order(line, in_thread)).collect()
}

fn order(line: &str, in_thread: bool) -> Option<Order> {
    let rest = line.trim().strip_prefix(WORD)?;
    let mut words = rest.starts_with(char::is_whitespace).then(|| rest.split_whitespace())?;
    let decision = decision(words.next()?)?;
    let mut why: Vec<&str> = words.collect();
    let named = why.first().map(|word| word.trim_matches(|c: char| "`:,.".contains(c)).to_ascii_lowercase());
    let issue = named.filter(|word| is_name(word));
    if issue.is_some() {
        why.remove(0);
    } else if !in_thread {
        return None;
    }
    Some(Order { decision, issue, why: why.join(" ").chars().take(WHY_KEPT).collect() })
}

/// `dismiss` says nothing against who found it: it stays so.
fn decision(word: &str) -> Option<Decision> {
    if word.eq_ignore_ascii_case("dismiss") {
        return Some(Decision::WontFix);
    }
    Decision::ALL.into_iter().find(|one| word.eq_ignore_ascii_case(one.word()))
}

/// Whether a word is an issue's id or enough of its beginning.
fn is_name(word: &str) -> bool {
    const LEAST: usize = 6;
    let digits = word.split_once('-').map_or(word, |(digits, _)| digits);
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    // A word such as `facade` is none: of ids of twelve digits 1 in 129,000 has no decimal one.
    (LEAST..=12).contains(&digits.len())
        && digits.bytes().all(is_hex)
        && digits.bytes().any(|byte| byte.is_ascii_digit())
}

/// Follows what a text's lines are in, as Markdown has it.
#[derive(Default)]
struct Page {
    /// The fence that closes a block of code.
    fence: Option<(char, usize)>,
    is_hidden: bool,
    /// The last line was quoted; what follows without a blank line is too.
    is_quoted: bool,
}

impl Page {
    /// Whether `line` is neither quoted nor code nor hidden.
    fn is_plain(&mut self, line: &str) -> bool {
        if self.is_hidden {
            self.is_hidden = !line.contains("-->");
            return false;
        }
        let indent = line.chars().take_while(|c| *c == ' ').count();
        let text = line.trim();
        let is_code = indent >= 4 || line.starts_with('\t');
        if let Some((sign, length)) = self.fence {
            let run = text.chars().take_while(|c| *c == sign).count();
            if !is_code && run >= length && run == text.chars().count() {
                self.fence = None;
            }
            return false;
        }
        if text.is_empty() {
            self.is_quoted = false;
            return false;
        }
        self.is_quoted = self.is_quoted || text.starts_with('>');
        if let Some(sign) =
            text.chars().next().filter(|c| ['`', '~'].contains(c) && !self.is_quoted && !is_code)
        {
            let length = text.chars().take_while(|c| *c == sign).count();
            self.fence = (length >= 3).then_some((sign, length));
        }
        if let Some((_, rest)) = text.rsplit_once("<!--") {
            self.is_hidden = !rest.contains("-->");
        }
        !is_code && !self.is_quoted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, in_thread: bool, expect: &[&str]) {
        let shown = |one: &Order| {
            let issue = one.issue.as_deref().unwrap_or("this");
            format!("{issue} {}: {}", one.decision, one.why)
        };
        assert_eq!(orders(text, in_thread).iter().map(shown).collect::<Vec<_>>(), expect, "{text}");
    }

    #[test]
    fn decisions_are_read() {
        check("/scrum dismiss 3fa9c1d2e4b5 only in tests", false, &["3fa9c1d2e4b5 wontfix: only in tests"]);
        check(
            "Hello\r\n\r\n  /scrum false `3FA9C1D2`: the lock is held\r\n",
            false,
            &["3fa9c1d2 false: the lock is held"],
        );
        check("/scrum real 3fa9c1d2e4b5-2", false, &["3fa9c1d2e4b5-2 real: "]);
        check(
            "/scrum wontfix 3fa9c1 a\n/scrum undecided 4fa9c1",
            false,
            &["3fa9c1 wontfix: a", "4fa9c1 undecided: "],
        );
    }

    #[test]
    fn a_thread_says_which_issue() {
        check("/scrum dismiss the facade is tested", true, &["this wontfix: the facade is tested"]);
        check("/scrum dismiss", true, &["this wontfix: "]);
        check("/scrum dismiss 3fa9c1d2e4b5 no", true, &["3fa9c1d2e4b5 wontfix: no"]);
        check("/scrum dismiss the facade is tested", false, &[]);
        check("/scrum dismiss", false, &[]);
    }

    #[test]
    fn what_nobody_typed_does_not_count() {
        for text in [
            "> /scrum dismiss 3fa9c1d2e4b5 no",
            "> said\n/scrum dismiss 3fa9c1d2e4b5 no",
            "```\n/scrum dismiss 3fa9c1d2e4b5 no\n```",
            "~~~~ sh\n~~~\n/scrum dismiss 3fa9c1d2e4b5 no",
            "    /scrum dismiss 3fa9c1d2e4b5 no",
            "\t/scrum dismiss 3fa9c1d2e4b5 no",
            "<!-- look away\n/scrum dismiss 3fa9c1d2e4b5 no\n-->",
            "<!-- /scrum dismiss 3fa9c1d2e4b5 no -->",
            "please say /scrum dismiss 3fa9c1d2e4b5 no",
            "`/scrum dismiss 3fa9c1d2e4b5 no`",
            "- /scrum dismiss 3fa9c1d2e4b5 no",
            "/scrumdismiss 3fa9c1d2e4b5 no",
            "/scrum forget 3fa9c1d2e4b5 no",
            "/scrum",
            "/scrum dismiss ../../etc/passwd no",
        ] {
            check(text, false, &[]);
        }
        let after = "```\ncode\n```\n> quote\n\n<!-- x -->\n/scrum dismiss 3fa9c1d2e4b5 yes";
        check(after, false, &["3fa9c1d2e4b5 wontfix: yes"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_strange(text in "([ >`~\t\n/-]|/scrum|dismiss|<!--|-->|3fa9c1d2|é){0,60}") {
            orders(&text, true);
        }
    }
}
