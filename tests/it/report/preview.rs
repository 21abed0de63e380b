//! What `scrum bundle` and `--dry-run` show.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::civil::{Date, date};
use scrum::{
    bundle::{Guard, Split},
    cost::Price,
    estimate::Forecast,
    report::preview::{self, Preview, Prospect},
    reviewer::{Reviewer, ReviewerId},
    route::Routes,
    tally::Tally,
};
use serde_json::{Value, json};

use super::{sample, shown};

static NOBODY: BTreeMap<ReviewerId, (Reviewer, String)> = BTreeMap::new();

fn split() -> Split {
    let tally = sample::tally();
    Split { bundles: tally.bundles, excluded: tally.excluded }
}

/// The sample's reviewers, opus with a price, and what two questions would take.
fn panel() -> (Vec<Reviewer>, Vec<Forecast>) {
    let mut reviewers = sample::reviewers();
    let as_of = Some(date(2026, 11, 9));
    reviewers[0].price = Some(Price { input: 5.0, output: 25.0, as_of, ..Price::FREE });
    let forecasts = reviewers.iter().map(|reviewer| Forecast::new(reviewer, &[12_000, 900], 0));
    let forecasts = forecasts.collect();
    (reviewers, forecasts)
}

fn prospect((reviewers, forecasts): &(Vec<Reviewer>, Vec<Forecast>), today: Date) -> Prospect<'_> {
    Prospect { reviewers, in_place: &NOBODY, forecasts, today }
}

/// A preview without masks and routes.
fn of<'a>(tally: &'a Tally, split: &'a Split, panel: Option<Prospect<'a>>) -> Preview<'a> {
    static EVERYBODY: LazyLock<Routes> = LazyLock::new(Routes::default);
    Preview { range: &tally.range, split, masks: &[], panel, routes: &EVERYBODY }
}

#[test]
fn preview_tells_what_would_be_sent() {
    let (tally, mut split, panel) = (sample::tally(), split(), panel());
    split.bundles[1].guard = Guard::Oversize;
    let panel = Some(prospect(&panel, date(2026, 11, 21)));
    let preview = of(&tally, &split, panel);
    insta::assert_snapshot!(shown(&preview::render(&preview, 80, false)), @"
    bundle         size     tokens  files  lines
    c1 validatord  46 KB    ~15k    1      +960 −0
    c2 web         3.4 KB   ~1,083  1      +67 −0
                   too big

    Files not shown to reviewers (2)
      1 lockfile: Cargo.lock
      1 binary file: web/logo.png

    main...HEAD: 2 bundles, 50 KB, about 16,543 tokens
    would ask opus: claude-opus-4-7, lineage anthropic, at openrouter.ai; about
      17,673 tokens in, $0.09 to $0.12
    would ask sonnet: claude-sonnet-4-6, lineage anthropic, from saved replies
    would ask kimi: moonshotai/kimi-k2-0905, lineage moonshot, at openrouter.ai;
      about 12,900 tokens in, price not known
    would ask history: history, lineage history, on this machine
    4 requests, about 30,573 tokens in and 320 to 2,720 out, $0.09 to $0.12 and what
      is not known; nothing was sent
    by list prices of 2026-11-09; a model that reasons at length costs more
    1 bundle too large to send
    ");
}

#[test]
fn preview_without_a_panel_names_nobody() {
    let (tally, split) = (sample::tally(), split());
    let preview = of(&tally, &split, None);
    insta::assert_snapshot!(shown(&preview::render(&preview, 80, false)), @"
    bundle         size    tokens  files  lines
    c1 validatord  46 KB   ~15k    1      +960 −0
    c2 web         3.4 KB  ~1,083  1      +67 −0

    Files not shown to reviewers (2)
      1 lockfile: Cargo.lock
      1 binary file: web/logo.png

    main...HEAD: 2 bundles, 50 KB, about 16,543 tokens
    ");
    let nothing = Split::default();
    let preview = of(&tally, &nothing, None);
    insta::assert_snapshot!(shown(&preview::render(&preview, 80, false)), @"main...HEAD: nothing to review, 0 changed files left out");
}

#[test]
fn preview_as_json() {
    let (tally, split, panel) = (sample::tally(), split(), panel());
    let panel = Some(prospect(&panel, date(2026, 11, 21)));
    let preview = of(&tally, &split, panel);
    let document: Value = serde_json::from_str(&preview::render_json(&preview)).unwrap();
    assert_eq!(document["schema"], "scrum.preview/1");
    assert_eq!((&document["requests"], &document["estimated_tokens"]), (&json!(4), &json!(30_573)));
    assert_eq!(document["bundles"][1]["added"], 67);
    assert_eq!(document["excluded"][0]["reason"], "lockfile");
    assert_eq!(
        (&document["cost_is_known"], &document["prices_as_of"]),
        (&json!(false), &json!("2026-11-09"))
    );
    let opus = json!({
        "reviewer": "opus", "requests": 2, "cached": 0, "tokens_in": 17_673, "tokens_out": [160, 1_360],
        "cost_usd": [0.092_365, 0.122_365],
    });
    assert_eq!((&document["forecast"][0], &document["forecast"][2]["cost_usd"]), (&opus, &Value::Null));
}

#[test]
fn what_is_cached_is_free_and_old_prices_are_said_to_be_old() {
    let (tally, split, (mut reviewers, mut forecasts)) = (sample::tally(), split(), panel());
    let mut check = |change: &dyn Fn(&mut [Reviewer], &mut [Forecast]), today: Date, expect: &str| {
        change(&mut reviewers, &mut forecasts);
        let panel = Some(Prospect { reviewers: &reviewers, in_place: &NOBODY, forecasts: &forecasts, today });
        let text = preview::render(&of(&tally, &split, panel), 200, false);
        let closing: Vec<&str> =
            text.lines().skip_while(|line| !line.starts_with("would ask opus")).collect();
        let [opus, _, kimi, _, rest @ ..] = closing.as_slice() else { panic!("{text}") };
        let behind = |line: &str| line.split_once("; ").unwrap_or_default().1.to_owned();
        assert_eq!([&[behind(opus).as_str(), behind(kimi).as_str()], rest].concat().join("\n"), expect);
    };
    check(
        &|_, _| {},
        date(2027, 6, 1),
        "about 17,673 tokens in, $0.09 to $0.12\nabout 12,900 tokens in, price not known\n\
         4 requests, about 30,573 tokens in and 320 to 2,720 out, $0.09 to $0.12 and what is not known; nothing was sent\n\
         by list prices of 2026-11-09, 204 days old: check them, or set `price`; a model that reasons at length costs more",
    );
    check(
        &|reviewers, forecasts| {
            forecasts[0] = Forecast::new(&reviewers[0], &[900], 1);
            reviewers[2].price = Some(Price::FREE);
            forecasts[2] = Forecast::new(&reviewers[2], &[900], 1);
        },
        date(2026, 11, 21),
        "about 1,233 tokens in, up to $0.02, 1 of 2 answers in the cache\n\
         about 900 tokens in, no cost, 1 of 2 answers in the cache\n\
         2 requests, about 2,133 tokens in and 160 to 1,360 out, up to $0.02; nothing was sent\n\
         by list prices of 2026-11-09; a model that reasons at length costs more",
    );
    check(
        &|reviewers, forecasts| {
            forecasts[0] = Forecast::new(&reviewers[0], &[], 2);
            forecasts[2] = Forecast::new(&reviewers[2], &[], 2);
        },
        date(2026, 11, 21),
        "2 of 2 answers in the cache\n2 of 2 answers in the cache\n0 requests; nothing was sent",
    );
}
