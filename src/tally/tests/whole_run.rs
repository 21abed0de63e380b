//! From the replies of a whole run to its tally.

use super::{gate::gate, *};

const OPUS: &str = "SEVERITY: BLOCK
WHERE: src/a.rs:90
QUOTE: let n = parse(text);
WHAT: The result of parse is used without a check, so a malformed header panics the worker thread.
WHY: The added line drops the error branch that the old code had.

VERDICT: hold, a panic on input
";
const KIMI: &str = "SEVERITY: WARN
WHERE: a.rs:2-3
WHAT: A malformed header now panics the worker, because the result of parse goes unchecked.
WHY: The old code had an error branch; the added line drops it.

VERDICT: ship-with-fixes
";

/// A whole run: two bundles, three reviewers, one of them cut off.
fn run() -> Input {
    let text = "@@ -1,2 +1,3 @@ fn head(text: &str) {\n     log(text);\n+    let n = parse(text);\n     n\n";
    let hunk =
        |text: &str| Hunk { old_start: 1, old_lines: 2, new_start: 1, new_lines: 3, text: text.into() };
    let file = |path: &str| FilePatch {
        path: path.into(),
        old_path: None,
        status: FileStatus::Modified,
        content: Content::Text,
        generated: false,
        header: Vec::new(),
        hunks: vec![hunk(text)],
        size: 0,
    };
    let bundle = |id: &str, paths: &[&str]| Bundle {
        files: paths.iter().map(|path| file(path)).collect(),
        ..self::bundle(id)
    };
    let reply = |bundle: &str, by: &str, text: &str| TaskReply {
        outcome: outcome(bundle, by, State::Answered),
        text: Some(text.to_owned()),
    };
    Input {
        run: RunInfo::default(),
        range: RangeInfo::default(),
        panel: Panel { reviewers: panel().reviewers.into_iter().take(3).collect() },
        bundles: vec![bundle("c1_a", &["src/a.rs", "src/b.rs"]), bundle("c2_z", &["z.rs"])],
        excluded: Vec::new(),
        replies: vec![
            reply("c1_a", "opus", OPUS),
            reply("c1_a", "kimi", KIMI),
            reply("c1_a", "sonnet", "<html><body>502 Bad Gateway</body></html>"),
            reply("c2_z", "opus", "VERDICT: ship\n"),
            reply("c2_z", "kimi", ""),
        ],
        judgements: Judgements::default(),
        dispositions: Vec::new(),
        since: None,
    }
}

#[test]
fn a_whole_run() {
    let tally = tally(run());
    assert_eq!(shape(&tally), ["claim 2 2 src/a.rs:2-2"]);
    let issue = &tally.issues[0];
    assert_eq!((issue.severity, issue.symbol.as_deref()), (Severity::Block, Some("head")));
    let places: Vec<_> =
        issue.members.iter().map(|one| (one.anchored.anchor, one.anchored.note.as_deref())).collect();
    let expect = [
        (Anchor::Moved, Some("moved from line 90 by its quote")),
        (Anchor::Changed, Some("path read as src/a.rs")),
    ];
    assert_eq!(places, expect);
    let word = |one: &Coverage| {
        format!("{} {} {}", one.outcome.bundle, one.outcome.reviewer, one.outcome.state.word())
    };
    let states: Vec<_> = tally.coverage.iter().map(word).collect();
    assert_eq!(
        states,
        [
            "c1_a kimi answered",
            "c1_a opus answered",
            "c1_a sonnet failed",
            "c2_z kimi empty",
            "c2_z opus answered",
            "c2_z sonnet skipped",
        ]
    );
    gate(
        &tally,
        FailOn::Warn,
        2,
        "fail: 1 issue of WARN or worse; bundle c2_z was answered by 1 lineage, 2 asked for",
    );
}

#[test]
fn the_order_of_a_run_s_lists_never_matters() {
    let mut turned = run();
    turned.panel.reviewers.reverse();
    turned.bundles.reverse();
    turned.bundles.iter_mut().for_each(|bundle| bundle.files.reverse());
    turned.replies.reverse();
    assert_eq!(tally(turned), tally(run()));
}
