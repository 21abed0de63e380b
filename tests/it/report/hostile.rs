//! Text that tries to be more than text: it must stay readable and act on nothing.

use proptest::prelude::*;
use scrum::{
    coverage::State,
    finding::Severity,
    report::{json, markdown, markdown::escape, table},
    tally::{
        Agreement, RejectedText, Tally,
        gate::{Gate, GateResult, Override},
    },
};
use unicode_width::UnicodeWidthStr;

use super::sample;

const EVIL: &str = "\u{1b}[2J\u{9b}31m</details><script>x</script>\n## Approved\n\n[click](https://evil.example) \
                    @octocat fixes #12 GH-7 !9 www.evil.example `code @me` **bold** \u{202e}gpj.exe | a `` b\r\n- x";

/// A tally whose every foreign text is evil.
pub(crate) fn tally() -> Tally {
    tally_of(EVIL)
}

pub(super) fn tally_of(evil: &str) -> Tally {
    let mut tally = sample::tally();
    let members = tally.issues.iter_mut().flat_map(|issue| &mut issue.members).chain(&mut tally.unplaced);
    for member in members {
        let finding = &mut member.anchored.finding;
        for text in [
            &mut finding.what,
            &mut finding.why,
            &mut finding.fix,
            &mut finding.severity_word,
            &mut finding.where_text,
        ] {
            evil.clone_into(text);
        }
    }
    for issue in &mut tally.issues {
        evil.clone_into(&mut issue.path);
        issue.symbol = Some(evil.to_owned());
    }
    tally.excluded[0].path = evil.into();
    tally.bundles[0].files[0].path = evil.into();
    tally.coverage[3].outcome.reason = Some(evil.to_owned());
    evil.clone_into(&mut tally.rejects[0].text);
    evil.clone_into(&mut tally.rejects[0].reason);
    evil.clone_into(&mut tally.range.spec);
    sample::judged(tally, evil)
}

/// A gate whose texts are evil.
pub(crate) fn gate() -> Gate {
    Gate {
        result: GateResult::Fail,
        policy: EVIL.into(),
        reasons: vec![EVIL.into()],
        issues: Vec::new(),
        unread: vec![EVIL.into()],
        overruled: Some(Override {
            at: jiff::Timestamp::UNIX_EPOCH,
            by: EVIL.into(),
            why: EVIL.into(),
            run: String::new(),
            base: None,
            head: None,
            policy: EVIL.into(),
            result: GateResult::Fail,
            reasons: vec![EVIL.into()],
            issues: Some(vec![EVIL.into()]),
        }),
    }
}

#[track_caller]
fn check(input: &str, expect: &str) {
    assert_eq!(escape::text(input), expect);
}

#[test]
fn prose_is_escaped() {
    check("plain words, 200. And 3.5 - snake_case", "plain words, 200. And 3.5 - snake_case");
    check("<b>&amp;</b>", "&lt;b&gt;&amp;&#8203;amp;&lt;/b&gt;");
    check("*a* _b_ [c](d) ~~e~~", "\\*a\\* \\_b\\_ \\[c\\](d) \\~&#8203;\\~&#8203;e\\~&#8203;\\~&#8203;");
    check("@me a@b.c", "@&#8203;me a@&#8203;b.c");
    check("#1 o/r#2 GH-3 !4 a != b", "\\#&#8203;1 o/r\\#&#8203;2 GH-&#8203;3 !&#8203;4 a !&#8203;= b");
    check("https://x www.x mailto:x", "https:&#8203;//x www&#8203;.x mailto:&#8203;x");
    check("$x$", "<span>&#36;</span>x<span>&#36;</span>");
    check("two\n## lines", "two \\#&#8203;\\#&#8203; lines");
}

#[test]
fn code_spans_survive_and_cannot_be_broken_out_of() {
    check("call `a_b(*p)` here", "call `a_b(*p)` here");
    check("`` `a` ``", "\\`\\` `a` \\`\\`");
    check("one ` alone", "one \\` alone");
    assert_eq!(escape::code("a`b"), "``a`b``");
    assert_eq!(escape::code("`a"), "`` `a ``");
    assert_eq!(escape::fence(&["```".into(), "x".into()], ""), "````text\n```\nx\n````\n");
}

#[test]
fn code_blocks_stay_blocks() {
    let rich = |text: &str| escape::rich(text, "  ");
    assert_eq!(rich("plain\nwords"), "plain words\n");
    assert_eq!(
        rich("before\n```rust\n# x\n```\nafter @me"),
        "before\n\n  ```text\n  # x\n  ```\n\n  <br>after @&#8203;me\n"
    );
    assert_eq!(rich("```\nnever closed </details>"), "\n\n  ```text\n  never closed </details>\n  ```\n");
    assert_eq!(rich("a ```inline``` b"), "a `inline` b\n");
}

#[test]
fn markdown_stays_ours() {
    let text = markdown::render(&tally(), &gate());
    let calm = markdown::render(&sample::judged(sample::tally(), "calm"), &sample::failed());
    for tag in ["<details>", "</details>", "<summary>", "<sub>"] {
        assert_eq!(
            outside_code(&text).matches(tag).count(),
            outside_code(&calm).matches(tag).count(),
            "{tag}"
        );
    }
    let headings = |text: &str| text.lines().filter(|line| line.starts_with('#')).count();
    assert_eq!(headings(&text), headings(&calm));
    let prose = outside_code(&text).replace("\\]", "");
    for live in ["<script", "](http", "@octocat", "#12", "GH-7", "www.evil", "https://", "**bold"] {
        assert!(!prose.contains(live), "{live} in {prose}");
    }
    assert!(prose.contains("click") && prose.contains("octocat"), "still readable: {prose}");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
}

/// The text without fenced blocks and code spans of one or more backticks.
fn outside_code(text: &str) -> String {
    let mut out = String::new();
    let mut fence: Option<String> = None;
    for line in text.lines() {
        let bare = line.trim_start();
        match &fence {
            Some(ticks) if bare == ticks => fence = None,
            Some(_) => {}
            None if bare.starts_with("```") && bare.ends_with("text") => {
                fence = Some(bare.trim_end_matches("text").to_owned());
            }
            None => out += &(without_spans(line) + "\n"),
        }
    }
    out
}

fn without_spans(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        let escaped = rest[..at].ends_with('\\');
        let run = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        let ticks = &rest[at..at + run];
        let body = &rest[at + run..];
        out += &rest[..at];
        let close = if escaped { None } else { closing(body, ticks) };
        rest = close.map_or(body, |end| &body[end..]);
    }
    out + rest
}

/// End of the first run of exactly `ticks`.
fn closing(body: &str, ticks: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = body[from..].find('`').map(|at| at + from) {
        let run = body[at..].len() - body[at..].trim_start_matches('`').len();
        if run == ticks.len() {
            return Some(at + run);
        }
        from = at + run;
    }
    None
}

#[test]
fn terminals_see_marks_instead_of_escapes() {
    let text = table::render(&tally(), &gate(), 80, false);
    assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    assert!(text.contains("␛[2J\\x9b31m"), "{text}");
}

#[test]
fn json_keeps_the_text_and_hides_the_control_characters() {
    let text = json::render(&tally(), &gate());
    assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["rejects"][0]["text"], EVIL);
}

#[track_caller]
fn fits(text: &str, width: usize) {
    for line in text.lines() {
        assert!(line.width() <= width, "{} > {width}: {line:?}", line.width());
    }
}

#[test]
fn tables_fit_their_width() {
    for width in [1, 40, 71, 72, 80, 99, 100, 120, 200, 1_000] {
        fits(&table::render(&sample::tally(), &sample::failed(), width, false), width.max(40));
        fits(&table::render(&tally(), &gate(), width, false), width.max(40));
    }
    let wide = "漢字とかな".repeat(40) + &"x".repeat(300) + "👩‍👩‍👧❤️🇩🇪".repeat(30).as_str();
    for width in [40, 80, 120] {
        fits(&table::render(&tally_of(&wide), &sample::failed(), width, false), width);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_fits_and_acts_on_nothing(text in any::<String>(), width in 1usize..160) {
        let mut tally = tally_of(&text);
        tally.issues[1].disposition = Some(sample::decided(&text));
        let shown = table::render(&tally, &sample::failed(), width, false);
        fits(&shown, width.max(40));
        prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n'));
        let markdown = markdown::render(&tally, &sample::failed());
        prop_assert_eq!(markdown.lines().filter(|line| line.starts_with("##")).count(), 4);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&json::render(&tally, &sample::failed())).is_ok());
    }
}

#[test]
fn many_issues_and_reviewers_stay_in_bounds() {
    let mut tally = sample::tally();
    let one = sample::member("opus", "c1_validatord", Severity::Warn, "a.rs:1", "something");
    tally
        .issues
        .extend((0..500).map(|n| sample::issue(&format!("i-{n}"), Agreement::Single, vec![one.clone()])));
    let reject = RejectedText {
        bundle: "c2_web".into(),
        reviewer: sample::id("kimi"),
        text: "x".into(),
        reason: "y".into(),
    };
    tally.rejects.extend(std::iter::repeat_n(reject, 50));
    tally.coverage.iter_mut().for_each(|task| task.outcome.state = State::Skipped);
    let text = table::render(&tally, &sample::off(), 80, false);
    fits(&text, 80);
    assert!(text.contains("and 48 more"), "{text}");
    assert!(text.contains("! opus was not asked about all 2 bundles"), "{text}");
}
