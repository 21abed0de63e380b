//! Tests of anchoring over one small change of three files in two bundles.

mod counting;
mod properties;
mod symbols;

use super::*;
use crate::{
    bundle::Guard,
    change::{Content, FilePatch, FileStatus, Hunk},
    finding::Severity,
};

const SERVER: &str = "@@ -10,6 +10,7 @@ fn serve(listener: Listener) {
     let mut count = 0;
     loop {
-        let socket = listener.accept();
+        let socket = listener.accept()?;
+        count += 1;
         spawn(socket);
     }
 }
@@ -40,5 +41,4 @@ impl Server {
     fn stop(&mut self) {
         self.flag = true;
-        self.listener.close();
         self.count = 0;
     }
";

fn patch(path: &str, text: &str) -> FilePatch {
    FilePatch {
        path: path.into(),
        old_path: None,
        status: FileStatus::Modified,
        content: Content::Text,
        generated: false,
        header: Vec::new(),
        hunks: hunks(text),
        size: 0,
    }
}

fn hunks(text: &str) -> Vec<Hunk> {
    let starts: Vec<_> = text.match_indices("@@ -").map(|(at, _)| at).chain([text.len()]).collect();
    starts.windows(2).map(|ends| hunk(&text[ends[0]..ends[1]])).collect()
}

fn hunk(text: &str) -> Hunk {
    let head: Vec<u32> = text
        .split("@@")
        .nth(1)
        .unwrap()
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .collect();
    let [old_start, old_lines, new_start, new_lines] = head[..] else { panic!("{text}") };
    Hunk { old_start, old_lines, new_start, new_lines, text: text.as_bytes().to_vec() }
}

fn bundle(id: &str, files: Vec<FilePatch>) -> Bundle {
    Bundle { id: id.to_owned(), component: String::new(), files, guard: Guard::Ok }
}

/// The patch, renamed from `old`.
fn renamed(old: &str, file: FilePatch) -> FilePatch {
    FilePatch { old_path: Some(old.into()), status: FileStatus::Renamed, ..file }
}

#[test]
fn a_place_written_as_prompts_show_it_is_that_place() {
    let names = [
        "new\nline.py",
        "quo\"te.py",
        "'a'.py",
        "c:3:d.py",
        "x, y.py",
        "[z](u).py",
        "VERDICT: v.py",
        "b/e.py",
    ];
    let files: Vec<FilePatch> =
        names.iter().map(|name| patch(name, "@@ -1,1 +1,2 @@\n-a\n+b\n+c\n")).collect();
    let shown: Vec<String> = files.iter().map(|file| file.path.to_string()).collect();
    let change = [bundle("c1_x", files)];
    let check = |place: &str, expect: &str, lines: Option<(u32, u32)>| {
        let reply = format!("SEVERITY: WARN\nWHERE: {place}\nWHAT: it is wrong\nWHY: so\n\nVERDICT: hold\n");
        let findings = crate::reply::read(&reply, None).findings;
        let placed = anchor(findings, Some(&change[0]), &change).remove(0);
        let found = (placed.anchor, placed.path.as_deref(), placed.lines, placed.also);
        assert_eq!(
            found,
            (Anchor::Changed, Some(expect), lines.map(|(a, b)| LineRange::new(a, b)), Vec::new()),
            "{place}"
        );
    };
    for path in &shown {
        check(&format!("{path}:2"), path, Some((2, 2)));
        check(&format!("{path}:1-2"), path, Some((1, 2)));
    }
    check("`e.py:2`", "b/e.py", Some((2, 2)));
}

#[test]
fn paths_of_other_checkouts_and_times_are_read_when_one_file_fits() {
    let files = vec![
        renamed("lib/old.rs", patch("src/new.rs", "@@ -1,1 +1,1 @@\n-a\n+b\n")),
        renamed("src/lib.rs", patch("src/swapped.rs", "@@ -1,1 +1,1 @@\n-a\n+b\n")),
        patch("src/lib.rs", "@@ -1,1 +1,1 @@\n-a\n+b\n"),
        patch("web/lib.rs", "@@ -1,1 +1,1 @@\n-a\n+b\n"),
        patch("Makefile", "@@ -1,1 +1,1 @@\n-a\n+b\n"),
        patch("a/both.rs", "@@ -1,1 +1,1 @@\n-a\n+b\n"),
        patch("b/both.rs", "@@ -1,1 +1,1 @@\n-a\n+b\n"),
        patch("b/Makefile", "@@ -1,1 +1,1 @@\n-a\n+b\n"),
    ];
    let change = [bundle("c1_x", files)];
    let check = |path: &str, expect: &str| {
        let one = finding(path, Some((1, 1)), None, None);
        let placed = anchor(vec![one], Some(&change[0]), &change).remove(0);
        let path = placed.path.unwrap_or_default();
        assert_eq!(format!("{} {path}", placed.anchor.word()), expect);
    };
    check("lib/old.rs", "changed src/new.rs");
    check("old.rs", "changed src/new.rs");
    check("a/lib/old.rs", "changed src/new.rs");
    check("b/old.rs", "changed src/new.rs");
    check("a/both.rs", "changed a/both.rs");
    check("b/both.rs", "changed b/both.rs");
    check("b/b/both.rs", "changed b/both.rs");
    check("both.rs", "outside both.rs");
    check("a/Makefile", "changed Makefile");
    check("a/other.rs", "outside other.rs");
    check("b/Makefile", "changed b/Makefile");
    check("src/lib.rs", "changed src/lib.rs");
    check("lib.rs", "outside lib.rs");
    check("Src/New.rs", "changed src/new.rs");
    check("LIB.RS", "outside LIB.RS");
    check("/home/x/repo/src/new.rs", "changed src/new.rs");
    check("C:/repo/web/lib.rs", "changed web/lib.rs");
    check("/home/x/lib.rs", "nowhere ");
    check("/home/x/Makefile", "nowhere ");
    check("/home/../src/new.rs", "nowhere ");
    check("other/src/new.rs", "outside other/src/new.rs");
}

fn change() -> Vec<Bundle> {
    vec![
        bundle("c1_net", vec![patch("net/src/server.rs", SERVER)]),
        bundle(
            "c2_docs",
            vec![
                patch("docs/server.md", "@@ -1,0 +1,2 @@\n+# Server\n+It serves.\n"),
                patch("gone.rs", "@@ -1,2 +0,0 @@\n-fn gone() {\n-}\n"),
                patch("net/mod.rs", "@@ -1,1 +1,1 @@\n-old\n+new\n"),
                patch("web/mod.rs", "@@ -1,1 +1,1 @@\n-old\n+new\n"),
            ],
        ),
    ]
}

fn finding(path: &str, lines: Option<(u32, u32)>, symbol: Option<&str>, quote: Option<&str>) -> Finding {
    let lines = lines.map(|(start, end)| LineRange::new(start, end));
    Finding {
        severity: Severity::Warn,
        severity_word: String::new(),
        where_text: String::new(),
        location: Some(Location { path: path.to_owned(), lines, symbol: symbol.map(str::to_owned) }),
        also_at: Vec::new(),
        quote: quote.map(str::to_owned),
        what: String::new(),
        why: String::new(),
        fix: String::new(),
        retracted: false,
    }
}

/// `anchor path:lines symbol | code | note`, as anchored in the first bundle.
fn place(finding: Finding) -> String {
    let change = change();
    let Anchored { path, lines, symbol, anchor, note, code, .. } =
        anchor(vec![finding], Some(&change[0]), &change).remove(0);
    shown(&Place { path, lines, symbol, anchor, note, code })
}

fn text(text: Option<&String>) -> &str {
    text.map_or("-", String::as_str)
}

fn shown(placed: &Place) -> String {
    let lines = placed.lines.map_or_else(String::new, |lines| format!(":{}-{}", lines.start, lines.end));
    let (word, path, symbol) =
        (placed.anchor.word(), text(placed.path.as_ref()), text(placed.symbol.as_ref()));
    format!("{word} {path}{lines} {symbol} | {} | {}", text(placed.code.as_ref()), text(placed.note.as_ref()))
}

#[track_caller]
fn at_lines(path: &str, start: u32, end: u32, expect: &str) {
    assert_eq!(place(finding(path, Some((start, end)), None, None)), expect);
}

#[track_caller]
fn at_quote(lines: Option<(u32, u32)>, quote: &str, expect: &str) {
    assert_eq!(place(finding("net/src/server.rs", lines, None, Some(quote))), expect);
}

#[track_caller]
fn at_symbol(symbol: &str, expect: &str) {
    assert_eq!(place(finding("net/src/server.rs", None, Some(symbol), None)), expect);
}

#[test]
fn the_best_line_of_a_range_decides() {
    let file = "net/src/server.rs";
    at_lines(file, 13, 13, "changed net/src/server.rs:13-13 serve |         count += 1; | -");
    at_lines(
        file,
        10,
        14,
        "changed net/src/server.rs:10-14 serve |         let socket = listener.accept()?; | -",
    );
    at_lines(file, 10, 11, "context net/src/server.rs:10-11 serve |     let mut count = 0; | -");
    at_lines(file, 30, 35, "file net/src/server.rs:30-35 - | - | -");
    at_lines(
        file,
        1,
        u32::MAX,
        "changed net/src/server.rs:1-4294967295 serve |         let socket = listener.accept()?; | -",
    );
}

#[test]
fn lines_next_to_a_removal_are_changed() {
    let file = "net/src/server.rs";
    at_lines(file, 42, 42, "changed net/src/server.rs:42-42 stop |         self.flag = true; | -");
    at_lines(file, 43, 43, "changed net/src/server.rs:43-43 stop |         self.count = 0; | -");
    at_lines(file, 44, 44, "context net/src/server.rs:44-44 stop |     } | -");
    at_lines("gone.rs", 1, 1, "changed gone.rs:1-1 - | - | -");
}

#[test]
fn paths_are_taken_exactly_then_unprefixed_then_by_a_suffix_that_fits_once() {
    let server = "|         count += 1;";
    at_lines("b/net/src/server.rs", 13, 13, &format!("changed net/src/server.rs:13-13 serve {server} | -"));
    at_lines(
        "src/server.rs",
        13,
        13,
        &format!("changed net/src/server.rs:13-13 serve {server} | path read as net/src/server.rs"),
    );
    at_lines("net/mod.rs", 1, 1, "changed net/mod.rs:1-1 - | new | -");
    at_lines("mod.rs", 1, 1, "outside mod.rs:1-1 - | - | -");
    at_lines("erver.rs", 1, 1, "outside erver.rs:1-1 - | - | -");
    at_lines(
        "",
        13,
        13,
        &format!("changed net/src/server.rs:13-13 serve {server} | path read as net/src/server.rs"),
    );
}

#[test]
fn no_path_leads_out_of_the_repository() {
    let out = "the path leads out of the repository";
    let foreign = "the path is not relative to the repository";
    at_lines("../net/src/server.rs", 13, 13, &format!("nowhere - - | - | {out}"));
    at_lines("/docs/src/server.rs", 13, 13, &format!("nowhere - - | - | {foreign}"));
    at_lines("/etc/passwd", 1, 1, &format!("nowhere - - | - | {foreign}"));
    at_lines("C:\\x", 1, 1, &format!("nowhere - - | - | {foreign}"));
    at_lines("a\u{1b}[0m", 1, 1, "nowhere - - | - | the path holds control characters");
}

#[test]
fn a_quote_moves_a_wrong_line() {
    at_quote(
        Some((40, 40)),
        "count += 1;",
        "moved net/src/server.rs:13-13 serve |         count += 1; | moved from line 40 by its quote",
    );
    at_quote(
        Some((40, 44)),
        "        count += 1;",
        "moved net/src/server.rs:13-13 serve |         count += 1; | moved from lines 40-44 by its quote",
    );
    at_quote(
        Some((13, 13)),
        "count  +=  1;",
        "changed net/src/server.rs:13-13 serve |         count += 1; | -",
    );
    at_quote(
        Some((13, 13)),
        "    13| +        count += 1;",
        "changed net/src/server.rs:13-13 serve |         count += 1; | -",
    );
    at_quote(
        None,
        "count += 1;",
        "changed net/src/server.rs:13-13 serve |         count += 1; | placed by its quote",
    );
    at_quote(
        Some((13, 13)),
        "listener.accept()?",
        "moved net/src/server.rs:12-12 serve |         let socket = listener.accept()?; | moved from line 13 by its quote",
    );
    at_quote(
        Some((13, 13)),
        "nothing like it",
        "changed net/src/server.rs:13-13 serve |         count += 1; | its quote does not stand in the change",
    );
}

#[test]
fn of_several_places_the_nearest_counts() {
    let moved = "moved net/src/server.rs";
    at_quote(Some((40, 40)), " }", &format!("{moved}:44-44 stop |     }} | moved from line 40 by its quote"));
    at_quote(
        Some((12, 12)),
        " }",
        &format!("{moved}:15-15 serve |     }} | moved from line 12 by its quote"),
    );
    at_quote(Some((12, 12)), "}", &format!("{moved}:16-16 serve | }} | moved from line 12 by its quote"));
    at_quote(Some((15, 15)), "}", "context net/src/server.rs:15-15 serve |     } | -");
}

#[test]
fn further_places_are_checked_like_the_first() {
    let mut several = finding("net/src/server.rs", Some((12, 12)), None, None);
    let further = |path: &str, line, symbol| finding(path, line, symbol, None).location.unwrap();
    several.also_at = vec![
        further("server.rs", Some((40, 44)), None),
        further("docs/server.md", None, None),
        further("net/src/server.rs", None, Some("stop")),
        further("../x", Some((1, 1)), None),
        further("y", Some((1, 1)), None),
    ];
    let change = change();
    let placed = anchor(vec![several], Some(&change[0]), &change).remove(0);
    let told: Vec<_> = placed.also.iter().map(shown).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    changed net/src/server.rs:40-44 stop |         self.flag = true; | path read as net/src/server.rs
    file docs/server.md - | - | -
    context net/src/server.rs:41-41 stop |     fn stop(&mut self) { | -
    nowhere - - | - | the path leads out of the repository
    outside y:1-1 - | - | -
    ");
}

#[test]
fn a_quote_at_a_further_place_moves_nothing() {
    let mut several = finding("net/src/server.rs", Some((42, 42)), None, Some("count += 1;"));
    several.also_at.extend(finding("net/src/server.rs", Some((13, 13)), None, None).location);
    assert_eq!(place(several), "changed net/src/server.rs:42-42 stop |         self.flag = true; | -");
}

#[test]
fn removed_code_stands_where_it_was() {
    at_quote(
        Some((43, 43)),
        "self.listener.close();",
        "changed net/src/server.rs:43-43 stop |         self.listener.close(); | the quoted code is removed by the change",
    );
    at_quote(
        Some((20, 20)),
        "self.listener.close();",
        "moved net/src/server.rs:43-43 stop |         self.listener.close(); | moved from line 20 by its quote; the quoted code is removed by the change",
    );
}

#[test]
fn without_a_bundle_nothing_is_checked() {
    let placed = anchor(vec![finding("x.rs", Some((3, 3)), None, Some("code"))], None, &[]).remove(0);
    assert_eq!(
        (placed.anchor, placed.path.as_deref(), placed.code.as_deref()),
        (Anchor::Unchecked, Some("x.rs"), Some("code"))
    );
    let nowhere = anchor(vec![finding("", None, None, None)], None, &[]).remove(0);
    assert_eq!((nowhere.anchor, nowhere.path), (Anchor::Nowhere, None));
}

#[test]
fn numbers_at_the_end_of_the_range_and_lines_without_end_do_no_harm() {
    let long = format!("@@ -4294967295,3 +4294967294,2 @@\n-gone\n-too\n {}\n+é\n", "é".repeat(4_000));
    let change = [bundle("c1_x", vec![patch("x", &long)])];
    let placed =
        anchor(vec![finding("x", Some((u32::MAX - 1, u32::MAX)), None, None)], Some(&change[0]), &change);
    assert_eq!((placed[0].anchor, placed[0].code.as_ref().map(String::len)), (Anchor::Changed, Some(1_000)));
    let quoted = anchor(vec![finding("x", None, None, Some("éééééééééé"))], Some(&change[0]), &change);
    assert_eq!(quoted[0].code.as_ref().map(String::len), Some(1_000));
}
