//! What holds of any findings about a change.

use proptest::prelude::*;

use super::*;

fn any_place() -> impl Strategy<Value = Finding> {
    let paths = prop::sample::select(vec![
        "net/src/server.rs",
        "server.rs",
        "b/gone.rs",
        "mod.rs",
        "../x",
        "/x",
        "",
        "docs/server.md",
        "new.rs",
    ]);
    let quotes = prop::sample::select(vec![
        "}",
        "count += 1;",
        "spawn(socket)",
        "-}",
        "zzz",
        " ",
        "let",
        "self.listener.close();",
    ]);
    let symbols = prop::sample::select(vec!["stop", "Server::serve", "gone", "Ω"]);
    let claims = prop::sample::select(vec![
        "",
        "`self.listener.close()` is gone",
        "`count` and `spawn`",
        "`let socket = listener.accept();`",
    ]);
    let lines = prop::option::of((1..60_u32, 0..4_u32));
    let also = prop::collection::vec((1..60_u32, 0..4_u32), 0..3);
    (paths, lines, prop::option::of(symbols), prop::option::of(quotes), claims, also).prop_map(
        |(path, lines, symbol, quote, what, also)| {
            let range = |(start, more): (u32, u32)| (start, start + more);
            let place = |lines| finding("net/src/server.rs", Some(range(lines)), None, None).location;
            Finding {
                what: what.to_owned(),
                also_at: also.into_iter().filter_map(place).collect(),
                ..finding(path, lines.map(range), symbol, quote)
            }
        },
    )
}

/// Whether the change shows `code` in a hunk of `path` that has new-side lines of `lines`.
fn shows(change: &[Bundle], path: &str, lines: LineRange, code: Option<&str>) -> bool {
    let files = change.iter().flat_map(|bundle| &bundle.files);
    let mut hunks = files.filter(|file| file.path.to_string() == path).flat_map(|file| &file.hunks);
    hunks.any(|hunk| {
        let start = hunk.new_start.max(1);
        let end = (hunk.new_start + hunk.new_lines).saturating_sub(1).max(start);
        let holds =
            |code: &str| hunk.lines().any(|line| String::from_utf8_lossy(line.text).trim_end() == code);
        LineRange::new(start, end).overlaps(lines) && code.is_none_or(holds)
    })
}

proptest! {
    #[test]
    fn nothing_is_dropped_and_an_anchored_line_is_in_the_change(findings in prop::collection::vec(any_place(), 0..8)) {
        let change = change();
        let placed = anchor(findings.clone(), Some(&change[0]), &change);
        let kept: Vec<_> = placed.iter().map(|one| one.finding.clone()).collect();
        prop_assert_eq!(kept, findings);
        for one in placed {
            prop_assert_eq!(one.also.len(), one.finding.also_at.len());
            let first = Place { path: one.path, lines: one.lines, symbol: one.symbol, anchor: one.anchor, note: one.note, code: one.code };
            for place in [first].iter().chain(&one.also) {
                let anchored = matches!(place.anchor, Anchor::Changed | Anchor::Context | Anchor::Moved);
                let (path, code) = (text(place.path.as_ref()), place.code.as_deref());
                prop_assert!(!anchored || shows(&change, path, place.lines.unwrap(), code), "{place:?}");
                prop_assert!(place.anchor != Anchor::Moved || place.note.is_some() && code.is_some());
            }
        }
    }

    #[test]
    fn the_order_of_findings_does_not_matter(findings in prop::collection::vec(any_place(), 0..8)) {
        let change = change();
        let turned: Vec<_> = findings.iter().rev().cloned().collect();
        let mut placed = anchor(turned, Some(&change[0]), &change);
        placed.reverse();
        prop_assert_eq!(placed, anchor(findings, Some(&change[0]), &change));
    }
}
