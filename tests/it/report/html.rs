//! The report as a page: what is in it, that text cannot become markup, and that it stays small.

use insta::assert_snapshot;
use proptest::prelude::*;
use scrum::{
    bundle::{ExcludeReason, Excluded},
    coverage::{State, Timing},
    disposition::Decision,
    finding::{Anchor, Severity},
    pull::{Address, Platform, Reviewed},
    report::html,
    reviewer::{Lineage, Panel},
    tally::{
        Agreement, Tally,
        since::{Became, Carried, Earlier, Last, Scope, Since, Whereabouts},
    },
};

use super::{hostile, sample};

/// One start or end of an element, or text between two of them.
enum Piece<'a> {
    Tag(&'a str),
    Text(&'a str),
}

/// The page in pieces. No attribute of ours holds a `>`, and foreign ones are escaped: else this would come apart.
fn pieces(page: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    for part in page.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("every tag has an end");
        pieces.push(Piece::Tag(tag));
        pieces.push(Piece::Text(text));
    }
    pieces
}

/// The names of all tags in order, with what attributes they have.
fn tags(page: &str) -> Vec<String> {
    let name = |tag: &str| {
        let attributes = tag.split('"').step_by(2).collect::<Vec<_>>().join("\"");
        attributes.split(" class=").next().unwrap_or_default().to_owned()
    };
    let tags = pieces(page).into_iter().filter_map(|piece| match piece {
        Piece::Tag(tag) => Some(name(tag)),
        Piece::Text(_) => None,
    });
    tags.collect()
}

/// What `open` begins, up to `close`, as plain text; each element that `row` begins on a line.
fn text_of(page: &str, open: &str, close: &str, row: &str) -> String {
    let Some((_, rest)) = page.split_once(open) else { return String::new() };
    let part = rest.split_once(close).map_or(rest, |(part, _)| part);
    let mut out = String::new();
    for piece in pieces(part) {
        match piece {
            Piece::Tag(tag) if tag.starts_with(row) => out.push('\n'),
            Piece::Tag(tag)
                if ["td", "th", "dt", "dd"].contains(&tag.split(' ').next().unwrap_or_default()) =>
            {
                out.push_str(" | ");
            }
            Piece::Tag(_) => {}
            Piece::Text(text) => out.push_str(&text.replace('\n', " ")),
        }
    }
    let lines = out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
        .replace("&#x2f;", "/")
        .replace("&#x27;", "'")
}

/// The headings of the page, each on a line behind its rank.
fn outline(page: &str) -> String {
    let mut out = String::new();
    let mut rank = None;
    for piece in pieces(page) {
        match piece {
            Piece::Tag(tag) => match tag.split([' ', '>']).next().unwrap_or_default() {
                "h1" | "h2" | "h3" => rank = tag.as_bytes().get(1).map(|digit| usize::from(digit - b'0')),
                "/h1" | "/h2" | "/h3" => {
                    rank = None;
                    out.push('\n');
                }
                _ => {}
            },
            Piece::Text(text) if rank.is_some() => {
                if out.ends_with('\n') || out.is_empty() {
                    out += &"#".repeat(rank.unwrap_or_default());
                    out.push(' ');
                }
                out += &text.replace("&#x2f;", "/");
            }
            Piece::Text(_) => {}
        }
    }
    out
}

fn matrix(page: &str) -> String {
    text_of(page, "<table class=\"matrix\">", "</table>", "tr")
}

fn grid(page: &str) -> String {
    text_of(page, "<table class=\"grid\">", "</table>", "tr")
}

fn page(tally: &Tally) -> String {
    html::render(tally, &sample::failed())
}

#[test]
fn parts_of_a_whole_tally() {
    let page = page(&sample::judged(sample::tally(), "calm"));
    assert_snapshot!(outline(&page), @"
    # 2 issues found by several lineages (1 BLOCK, 1 WARN), 3 by one lineage alone (2 BLOCK, 1 WARN) and 1 without a place
    ## Who was heard
    ### Not read
    ## Issues by lineage
    ## Coverage
    ## Issues
    ### validatord/src/auth.rs:42 The signature is compared with `==`, which leaks through timing how many bytes are right.
    ### web/src/components/session/SessionList.tsx:112 The subscription is not cancelled when the component goes away.
    ### validatord/src/store.rs:7 A failed write is answered with 200.
    ### web/src/components/session/SessionList.tsx:118 The list is fetched again on every key press.
    ### web/src/a.ts:7 calm
    ## Map of the change
    ## Tokens, cost and time by reviewer
    ## Time line
    ## Findings without a place in the change (1)
    ### kimi moonshot WARN
    ## Taken back (1)
    ## Texts that were not usable (1)
    ## Not shown to reviewers
    ");
    assert_snapshot!(matrix(&page), @"
    | Issue | Agreement | anthropic (2) | calm asked about claims only | history | moonshot
    | BLOCK validatord/src/auth.rs:42 The signature is compared with ==, which leaks through timing how many bytes are right. | claim 2 of 3 lineages | BLOCK 1 of 2 | not read | – | WARN
    | WARN web/src/components/session/SessionList.tsx:112 The subscription is not cancelled when the component goes away. | place 2 of 3 lineages | WARN 1 of 2 | not read | INFO | –
    | BLOCK validatord/src/store.rs:7 A failed write is answered with 200. | single 1 of 3 lineages | BLOCK 1 of 2 | not read timed out | – | –
    | WARN web/src/components/session/SessionList.tsx:118 The list is fetched again on every key press. | single 1 of 3 lineages | – | not read | – | WARN
    | BLOCK web/src/a.ts:7 calm | single 1 of 3 lineages | – | not read refuted | – | BLOCK
    ");
    assert_snapshot!(grid(&page), @"
    | Bundle | Convergent | Distinct | opus | sonnet | kimi | history
    | c1 validatord (46 KB) | 1 | 2 | hold 12,300 + 840 tokens, 8.4 s | failedHTTP 529 overloaded, after 4 attempts 12,300 + 840 tokens, 8.4 s | ship-with-fixes 12,300 + 840 tokens, 8.4 s | answered
    | c2 web (3.4 KB) | 1 | 3 | ship 12,300 + 840 tokens, 8.4 s | ship-with-fixes 12,300 + 840 tokens, 8.4 s | answered 12,300 + 840 tokens, 8.4 s | answered
    | spent | 24,600 tokens in, 1,680 out, $0.10 | 24,600 tokens in, 1,680 out, $0.10 | 24,600 tokens in, 1,680 out, $0.10 | –
    ");
    assert_snapshot!(text_of(&page, "<dl class=\"facts\">", "</dl>", "div"), @"
    | Range | main...HEAD
    | Commits | 4f1c2a9..9b0e77d
    | Run | 20261121-041812-9b0e77d
    | Started | 2026-11-21T04:18:12Z, 1 min 28 s
    | Judged | 2 of 3 questions about claims answered; opus timed out (1 ×): calm
    | scrum | 0.1.0
    ");
}

#[test]
fn lines_of_the_diff_stand_beside_what_was_found_there() {
    let page = page(&sample::tally());
    assert_snapshot!(text_of(&page, "<div class=\"code\"", "</div></td>", "tr"), @"
    | old line | new line | change | text
    | | 39 | + | let checked = verify(&amp;request.signature)?;
    | | 40 | + | let checked = verify(&amp;request.signature)?;
    | | 41 | + | let checked = verify(&amp;request.signature)?;
    | | 42 | + | let checked = verify(&amp;request.signature)?;
    | | BLOCK opus The signature is compared with `==`, which leaks through timing how many bytes are right.
    ");
}

#[test]
fn times_are_drawn_where_they_were_written_down() {
    let mut tally = sample::tally();
    assert!(!page(&tally).contains("<svg class=\"timeline\""));
    for (at, task) in (0..).zip(&mut tally.coverage) {
        task.outcome.timing = Some(Timing { asked_ms: at * 100, first_token_ms: Some(at * 100 + 40) });
    }
    let page = page(&tally);
    assert_snapshot!(text_of(&page, "<svg class=\"timeline\"", "</svg>", "title"), @"
    0 ms 2 s 4 s 6 s 8 s opus
    opus on c1 validatord: answered, asked after 200 ms, first token 40 ms later, ended after 8.6 s
    opus on c2 web: answered, asked after 600 ms, first token 40 ms later, ended after 9 s sonnet
    sonnet on c1 validatord: failed, asked after 300 ms, first token 40 ms later, ended after 8.7 s
    sonnet on c2 web: answered, asked after 700 ms, first token 40 ms later, ended after 9.1 s kimi
    kimi on c1 validatord: answered, asked after 100 ms, first token 40 ms later, ended after 8.5 s
    kimi on c2 web: answered, asked after 500 ms, first token 40 ms later, ended after 8.9 s
    ");
}

#[test]
fn without_issues_without_answers_and_without_bundles() {
    let mut clean = sample::tally();
    clean.issues.clear();
    clean.unplaced.clear();
    clean.rejects.clear();
    assert_snapshot!(outline(&page(&clean)), @"
    # Nothing found by 3 lineages, but 1 of 8 answers is missing
    ## Who was heard
    ### Not read
    ## Coverage
    ## Map of the change
    ## Tokens, cost and time by reviewer
    ## Time line
    ## Not shown to reviewers
    ");
    assert!(!page(&clean).contains("id=\"filters\""));

    let mut unheard = clean.clone();
    for task in &mut unheard.coverage {
        task.outcome.state = State::Failed;
        task.outcome.reason = Some("no such host".to_owned());
    }
    let unheard = page(&unheard);
    assert!(unheard.contains("not heard") && unheard.contains("no such host"));
    assert!(unheard.contains("class=\"file clean unread\""), "what nobody read is hatched");

    let mut loose = sample::tally();
    loose.bundles.clear();
    loose.excluded.clear();
    for member in loose.issues.iter_mut().flat_map(|issue| &mut issue.members) {
        member.anchored.anchor = Anchor::Unchecked;
    }
    let loose = page(&loose);
    assert!(loose.contains("No bundle is at hand") && !loose.contains("class=\"code\""));

    let mut nothing = clean;
    nothing.coverage.clear();
    nothing.bundles.clear();
    nothing.excluded.clear();
    nothing.panel = Panel::default();
    assert_snapshot!(outline(&page(&nothing)), @"
    # Nothing to review
    ## Who was heard
    ");
}

fn carried(severity: Severity, became: Became, disposition: bool) -> Carried {
    let issue = Earlier {
        id: format!("0123abcd{became:?}"),
        path: "src/old.rs".to_owned(),
        lines: None,
        symbol: Some("load".to_owned()),
        severity,
        agreement: Agreement::Claim,
        lineages: vec![Lineage::new("anthropic"), Lineage::new("openai")],
        what: "The handle leaks.".to_owned(),
        why: String::new(),
        code: None,
        holds: false,
        is_fixed: false,
        disposition: disposition.then(|| sample::decided("tests only")),
        decided_words: None,
        now: Whereabouts::Unknown,
    };
    Carried { issue, became }
}

#[test]
fn a_pull_request_tells_what_became_of_the_last_review() {
    let mut tally = sample::tally();
    let commit = |digit: &str| digit.repeat(40);
    tally.since = Some(Since {
        pull: Reviewed {
            address: Address {
                platform: Platform::GitHub,
                api: "https://api.github.com".to_owned(),
                project: "o/r".to_owned(),
                number: 7,
            },
            base: commit("1"),
            target: commit("1"),
            head: commit("3"),
        },
        scope: Scope::Incremental,
        fingerprint: String::new(),
        last: Some(Last {
            run: "20261120-1".to_owned(),
            started_at: "2026-11-20T00:00:00Z".to_owned(),
            base: commit("1"),
            head: commit("2"),
            fingerprint: String::new(),
            complete: true,
            issues: Vec::new(),
            dropped: 0,
        }),
        decisions: Vec::new(),
        notes: vec!["a comment of <mallory> does not count".to_owned()],
    });
    tally.earlier = vec![
        carried(Severity::Block, Became::StillOpen, false),
        carried(Severity::Warn, Became::Dismissed, true),
        carried(Severity::Info, Became::Fixed, false),
    ];
    let page = page(&tally);
    let told = outline(&page);
    let sections: Vec<&str> = told.lines().filter(|line| line.contains("last review")).collect();
    assert_snapshot!(sections.join("\n"), @"
    # 2 issues found by several lineages (1 BLOCK, 1 WARN), 2 by one lineage alone (1 BLOCK, 1 WARN), 1 issue still open (1 BLOCK) from the last review, 1 without a place and 1 dismissed by a human
    ## 1 issue still open from the last review, not reported now
    ## 1 issue of the last review dismissed by a human
    ## 1 issue fixed since the last review
    ");
    assert_snapshot!(text_of(&page, "<dl class=\"facts\">", "</dl>", "div"), @"
    | Pull request | o/r#7
    | Range | main...HEAD
    | Commits | 4f1c2a9..9b0e77d
    | Run | 20261121-041812-9b0e77d
    | Started | 2026-11-21T04:18:12Z, 1 min 28 s
    | Last review | since the last review of 2222222: 1 still open, 1 fixed and 1 dismissed
    | Scope | only what was pushed after 2222222 was reviewed
    | scrum | 0.1.0
    ");
    assert!(page.contains("A comment of &lt;mallory&gt; does not count"));
}

#[test]
fn what_a_human_dismissed_is_told_and_does_not_colour_the_map() {
    let mut tally = sample::tally();
    tally.issues[0].disposition = Some(sample::decided("tests only"));
    let decision = tally.issues[0].disposition.as_ref().map(|one| one.decision);
    let page = page(&tally);
    assert_eq!(page.contains("class=\"issue dismissed\""), decision.is_some_and(Decision::dismisses));
}

#[test]
fn hostile_text_is_only_text() {
    let mut tally = hostile::tally();
    let evil = tally.range.spec.clone();
    let file = &mut tally.bundles[0].files[0];
    let line = evil.replace('\n', " ");
    file.hunks[0].text = format!("@@ -0,0 +1,60 @@\n{}", format!("+{line}\n").repeat(60)).into_bytes();
    tally.issues[0].path = file.path.to_string();
    tally.issues[0].members[0].anchored.path = Some(file.path.to_string());
    let page = html::render(&tally, &hostile::gate());
    assert!(page.contains("<tr class=\"added hit\">"), "code is shown, too");
    let live = ["<script>x", "</details><script", "javascript:", "<a href=\"http", "src=", " on", "style="];
    let attributes: Vec<&str> = pieces(&page)
        .iter()
        .filter_map(|piece| match piece {
            Piece::Tag(tag) => Some(tag.split('"').step_by(2).collect::<Vec<_>>()),
            Piece::Text(_) => None,
        })
        .flatten()
        .collect();
    for word in live {
        assert!(!attributes.iter().any(|attribute| attribute.contains(word)), "{word}");
    }
    assert_eq!(page.matches("<script").count(), 1, "ours");
    assert!(!page.chars().any(|c| c.is_control() && c != '\n'));
    assert!(!page.contains('\u{202e}'));
    assert!(page.contains("octocat"), "still readable");
}

#[test]
fn long_and_unprintable_names_do_no_harm() {
    let mut tally = sample::tally();
    tally.excluded = vec![Excluded {
        path: "d/".repeat(2_500).as_str().into(),
        old_path: None,
        reason: ExcludeReason::Binary,
        bytes: u64::MAX,
    }];
    tally.panel.reviewers[0].model = "m\0".repeat(2_500);
    tally.panel.reviewers[0].lineage = Lineage::new(&"l".repeat(5_000));
    tally.bundles[0].files[0].path = "\"><img src=x onerror=alert(1)>".into();
    let page = page(&tally);
    assert!(!page.contains("<img") && !page.contains('\0'));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever reviewers, files and configuration say, the page has the same elements with the same attributes.
    #[test]
    fn no_text_changes_the_markup(text in "[^`\n\r]{0,40}|</[a-z]{1,8}>|\"[^`\n\r]{0,10}|[<>\"'&=/ a-z]{1,30}") {
        // What says nothing is left out, so both say something.
        let tally = |text: &str| {
            let mut tally = hostile::tally_of(&format!("x {text} y"));
            // Whether lines stand beside an issue is not what is looked at here.
            tally.bundles[0].files[0].path = "shown.rs".into();
            tally
        };
        let plain = tags(&html::render(&tally("z"), &hostile::gate()));
        prop_assert_eq!(tags(&html::render(&tally(&text), &hostile::gate())), plain);
    }
}
