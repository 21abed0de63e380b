//! The Markdown of a hostile tally, read by a real renderer: it has the same links, HTML and headings as a calm one.

use proptest::prelude::*;
use scrum::report::markdown;

use super::{hostile, sample};
use crate::markup::live;

/// What is live in the Markdown of a tally in which every foreign text is `text`.
fn live_with(text: &str) -> std::collections::BTreeMap<String, usize> {
    let mut found = live(&markdown::render(&hostile::tally_of(text), &sample::failed()));
    // A dollar sign stands in a tag of its own, which no renderer takes for mathematics; how many there are is the text's matter.
    found.remove("html <span>");
    found.remove("html </span>");
    // So are breaks between the blocks of a text, and emphasis of our own around the severity.
    found.remove("html <br>");
    found
}

#[track_caller]
fn check(text: &str) {
    assert_eq!(live_with(text), live_with("calm"), "{text:?}");
}

const ATTACKS: [&str; 42] = [
    "[click](https://evil.example)",
    "![pixel](https://evil.example/p.png)",
    "[click][1]\n\n[1]: https://evil.example",
    "<https://evil.example>",
    "https://evil.example/a_b?c=d",
    "www.evil.example",
    "HTTP://EVIL.EXAMPLE ftp://evil.example",
    "somebody@evil.example mailto:somebody@evil.example xmpp:a@b.example/c",
    "[x](javascript:alert(1)) javascript:alert(1)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</details></details></summary><details open>",
    "\n\n</details>\n\n## Approved\n\n",
    "<!-- scrum:state=approved -->",
    "<!--\nhidden",
    "<![CDATA[ x ]]> <?php x ?> <!DOCTYPE html>",
    "&lt;b&gt; &#60;b&#62; &amp;lt;",
    "@octocat @org/team @everyone",
    "fixes #12 closes org/repo#3 GH-7 !9 ~label %milestone ^alert &4 $5",
    "JIRA-123 CVE-2021-42574",
    ":tada: :+1: :_:",
    "- [ ] task\n- [x] done",
    "[^1] ^[inline]\n\n[^1]: note",
    "> [!WARNING]\n> Approved by security",
    ">>>\nquote\n>>>",
    "| a | b |\n|---|---|\n| c | d |",
    "a | b `c | d` \\| e",
    "# heading\n\nSetext\n======\n\n---\n***\n",
    "$x$ $$y$$ $`z`$ \\(a\\) \\[b\\]",
    "```math\nx\n```",
    "```mermaid\ngraph\n```",
    "```\n</details>\n````\n## out",
    "`````\n`````\n``````",
    "one ` two `` three ``` four",
    "` [a](b) `` [c](d) `",
    "~~gone~~ ==marked== __under__ ^super^ ||spoiler||",
    "**bold** _em_ *em*",
    "\\[a\\](b) \\<b> \\`c`",
    "[[wiki]] [[a|https://evil.example]]",
    "term\n: definition",
    "\u{202e}txt.exe\u{202c} \u{200b}@me\u{feff}@you \r\n@they",
];

#[test]
fn no_attack_is_more_than_text() {
    ATTACKS.into_iter().for_each(check);
}

#[test]
fn not_even_in_pairs() {
    for (at, one) in ATTACKS.iter().enumerate() {
        for distance in [1, 17] {
            check(&format!("{one}{}", ATTACKS[(at + distance) % ATTACKS.len()]));
        }
    }
}

/// Pieces that mean something in Markdown.
const PIECES: [&str; 48] = [
    "a", "b1", " ", "  ", "    ", "\n", "\n\n", "\t", "`", "``", "```", "````", "~~~", "~", "*", "**", "_",
    "[", "]", "(", ")", "!", "<", ">", "</", "/>", "<b", "<!--", "-->", "&", "&#", ";", "\\", "|", "#", "@",
    ":", "://", "http", "www.", ".x", "$", "$$", "^", "-", "=", "+", "\"",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn nor_is_any_mixture(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24)) {
        let text = pieces.concat();
        prop_assert_eq!(live_with(&text), live_with("calm"), "{:?}", text);
    }
}
