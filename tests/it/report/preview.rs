//! What `scrum bundle` and `--dry-run` show.

use scrum::{
    bundle::{Guard, Split},
    report::preview,
    route::Routes,
};
use serde_json::Value;

use super::{sample, shown};

fn split() -> Split {
    let tally = sample::tally();
    Split { bundles: tally.bundles, excluded: tally.excluded }
}

#[test]
fn preview_tells_what_would_be_sent() {
    let (tally, mut split) = (sample::tally(), split());
    split.bundles[1].guard = Guard::Oversize;
    let preview = preview::Preview {
        range: &tally.range,
        split: &split,
        masks: &[],
        panel: Some(&sample::reviewers()),
        routes: &Routes::default(),
    };
    insta::assert_snapshot!(shown(&preview::render(&preview, 80, false)), @r"
    bundle         size     tokens  files  lines
    c1 validatord  46 KB    ~12k    1      +960 −0
    c2 web         3.4 KB   ~855    1      +67 −0
                   too big

    Files not shown to reviewers (2)
      1 lockfile: Cargo.lock
      1 binary file: web/logo.png

    main...HEAD: 2 bundles, 50 KB, about 12,411 tokens
    would ask opus: claude-opus-4-7, lineage anthropic, at openrouter.ai
    would ask sonnet: claude-sonnet-4-6, lineage anthropic, from saved replies
    would ask kimi: moonshotai/kimi-k2-0905, lineage moonshot, at openrouter.ai
    would ask history: history, lineage history, on this machine
    4 requests, about 24,822 tokens of diff in all; nothing was sent
    1 bundle too large to send
    ");
}

#[test]
fn preview_without_a_panel_names_nobody() {
    let (tally, split) = (sample::tally(), split());
    let preview = preview::Preview {
        range: &tally.range,
        split: &split,
        masks: &[],
        panel: None,
        routes: &Routes::default(),
    };
    insta::assert_snapshot!(shown(&preview::render(&preview, 80, false)), @r"
    bundle         size    tokens  files  lines
    c1 validatord  46 KB   ~12k    1      +960 −0
    c2 web         3.4 KB  ~855    1      +67 −0

    Files not shown to reviewers (2)
      1 lockfile: Cargo.lock
      1 binary file: web/logo.png

    main...HEAD: 2 bundles, 50 KB, about 12,411 tokens
    ");
    let nothing = Split::default();
    let preview = preview::Preview {
        range: &tally.range,
        split: &nothing,
        masks: &[],
        panel: None,
        routes: &Routes::default(),
    };
    insta::assert_snapshot!(shown(&preview::render(&preview, 80, false)), @"main...HEAD: nothing to review, 0 changed files left out");
}

#[test]
fn preview_as_json() {
    let (tally, split) = (sample::tally(), split());
    let preview = preview::Preview {
        range: &tally.range,
        split: &split,
        masks: &[],
        panel: Some(&sample::reviewers()),
        routes: &Routes::default(),
    };
    let document: Value = serde_json::from_str(&preview::render_json(&preview)).unwrap();
    assert_eq!(document["schema"], "scrum.preview/1");
    assert_eq!(document["requests"], 4);
    assert_eq!(document["estimated_tokens"], 24_822);
    assert_eq!(document["bundles"][1]["estimated_tokens"], 855);
    assert_eq!(document["bundles"][1]["added"], 67);
    assert_eq!(document["excluded"][0]["reason"], "lockfile");
}
