//! What a renderer makes of Markdown: [`live`] lists all that is more than text, read with GitHub's extensions switched on.

use std::collections::BTreeMap;

use comrak::{
    Arena, Options,
    nodes::{AstNode, NodeValue},
    parse_document,
};
use regex::Regex;

/// What is more than plain text, code and lists, and how often it is there: links, images, HTML, headings and the like, with
/// their targets. Mentions and references in prose count too.
pub(crate) fn live(markdown: &str) -> BTreeMap<String, usize> {
    let arena = Arena::new();
    let mut found = BTreeMap::new();
    let mut prose = String::new();
    for node in parse_document(&arena, markdown, &options()).descendants() {
        match kind(node, &mut prose) {
            Some(kind) => {
                prose.push('\n');
                *found.entry(kind).or_default() += 1;
            }
            None => prose.extend(ends_prose(node).then_some('\n')),
        }
    }
    for reference in references().find_iter(&prose) {
        *found.entry(format!("reference {}", reference.as_str())).or_default() += 1;
    }
    found
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    let on = &mut options.extension;
    (on.strikethrough, on.table, on.autolink, on.tasklist) = (true, true, true, true);
    (on.footnotes, on.inline_footnotes, on.alerts, on.description_lists) = (true, true, true, true);
    (on.math_dollars, on.math_code, on.multiline_block_quotes) = (true, true, true);
    on.wikilinks_title_after_pipe = true;
    options.parse.relaxed_autolinks = true;
    options
}

fn ends_prose(node: &AstNode<'_>) -> bool {
    !matches!(node.data.borrow().value, NodeValue::Text(_) | NodeValue::Strong | NodeValue::Emph)
}

/// The node in words unless it is text, code, or what text stands in; text is added to `prose`.
fn kind<'a>(node: &'a AstNode<'a>, prose: &mut String) -> Option<String> {
    match &node.data.borrow().value {
        NodeValue::Text(text) => {
            prose.push_str(text);
            None
        }
        NodeValue::Document
        | NodeValue::Paragraph
        | NodeValue::List(_)
        | NodeValue::Item(_)
        | NodeValue::TableRow(_)
        | NodeValue::TableCell
        | NodeValue::Code(_)
        | NodeValue::CodeBlock(_)
        | NodeValue::SoftBreak
        | NodeValue::LineBreak
        | NodeValue::Escaped => None,
        NodeValue::HtmlInline(html) => Some(format!("html {html}")),
        NodeValue::HtmlBlock(block) => Some(format!("html {}", block.literal.trim())),
        NodeValue::Link(link) => Some(format!("link {}", link.url)),
        NodeValue::Image(link) => Some(format!("image {}", link.url)),
        NodeValue::Heading(heading) => Some(format!("heading {}", heading.level)),
        other => {
            let name = format!("{other:?}");
            Some(name.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned())
        }
    }
}

/// Mentions, issues, requests, snippets, epics and addresses as GitHub, GitLab and Gitea find them in prose.
fn references() -> Regex {
    Regex::new(
        r"@\w|[#!&%~][0-9]|[#~]\w|\b(?i:gh)-[0-9]|\b[A-Z]+-[0-9]|://|(?i:\bwww\.|mailto:)\w|:[a-z0-9_+-]+:",
    )
    .unwrap()
}

#[test]
fn a_renderer_finds_what_is_live() {
    let check = |markdown: &str, expect: &[&str]| {
        assert_eq!(live(markdown).into_keys().collect::<Vec<_>>(), expect, "{markdown}");
    };
    check("plain *words* `@code` https", &["Emph"]);
    check("https://x.example", &["link https://x.example", "reference ://"]);
    check("![a](b) [c](javascript:d)", &["image b", "link javascript:d"]);
    check("<b>x</b>\n\n<!-- y -->", &["html <!-- y -->", "html </b>", "html <b>"]);
    check("@me fixes #12", &["reference #1", "reference @m"]);
    check("a[^1]\n\n[^1]: b", &["FootnoteDefinition", "FootnoteReference"]);
    check("> [!NOTE]\n> x", &["Alert"]);
    check("$x$", &["Math"]);
}
