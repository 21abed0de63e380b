//! `scrum parity`: sides that answer well and badly, specs that are wrong, and formatters over real files.

mod formatters;
mod specs;

use std::sync::Arc;

use http::Method;
use scrum::{
    config::parity::load,
    gauntlet::parity::{Compared, Report, Standing, markdown, table},
    probe::Secrets,
    run::parity::{Wanted, perform},
};
use tokio_util::sync::CancellationToken;

use crate::mock::{Act, Asked, Mock};

/// A page with this status, type and body.
fn page(status: u16, kind: &str, body: &str) -> Act {
    Act::Page { status, headers: vec![("content-type", kind.to_owned())], body: body.to_owned() }
}

fn json(status: u16, body: &serde_json::Value) -> Act {
    page(status, "application/json", &body.to_string())
}

/// What a validator says with an enum of serde's, or with flat fields.
fn validate(asked: &Asked, is_flat: bool) -> Act {
    let text = |key: &str| asked.body[key].as_str().unwrap_or_default().to_owned();
    let (kind, field, reason) = (text("kind"), text("field"), text("reason"));
    if kind.is_empty() {
        let took = if is_flat { 3 } else { 8 };
        return json(200, &serde_json::json!({"findings": [], "elapsed_ms": took}));
    }
    let body = match (is_flat, field.as_str()) {
        (true, _) => serde_json::json!({"Kind": kind.to_lowercase(), "Field": field, "Reason": reason}),
        (false, "") => serde_json::json!({kind: {"reason": reason}}),
        (false, _) => serde_json::json!({kind: {"field": field, "reason": reason}}),
    };
    json(422, &body)
}

/// Compares two servers by what `rest` says of the spec.
async fn compare(left: &Mock, right: &Mock, repeat: usize, rest: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spec.toml");
    let side = |name: &str, mock: &Mock| format!("[[side]]\nname = \"{name}\"\nurl = \"{}\"\n", mock.url);
    let text = format!(
        "name = \"validator\"\n{}\n{}{rest}",
        "ignore = [\"/elapsed_ms\"]",
        side("Rust", left) + &side("Go", right)
    );
    std::fs::write(&path, text).unwrap();
    let spec = Arc::new(load(&path).unwrap());
    let wanted = Wanted {
        repeat,
        date: "2026-11-21T08:00:00Z".to_owned(),
        record: Vec::new(),
        secrets: Secrets::default(),
    };
    perform(&spec, &wanted, &CancellationToken::new(), |_| ()).await.unwrap().report
}

fn get(names: &[&str]) -> String {
    let case = |name: &&str| format!("[[case]]\nname = \"{name}\"\npath = \"/{name}\"\n");
    names.iter().map(case).collect::<Vec<_>>().concat()
}

/// The texts with the ports of today taken out.
fn shown(text: &str, left: &Mock, right: &Mock) -> String {
    text.replace(&left.url, "http://left").replace(&right.url, "http://right")
}

/// Six cases, five of which differ for one reason, put twice to both.
async fn of_validators(left: &Mock, right: &Mock) -> Report {
    let cases = [
        ("happy", ""),
        ("missing_fingerprint", "kind = \"Schema\", field = \"fingerprint\", reason = \"is missing\""),
        ("wrong_prefix", "kind = \"Schema\", field = \"operation\", reason = \"got `sms`\""),
        ("empty_endorsed", "kind = \"Completeness\", reason = \"must not be empty\""),
        ("overfull", "kind = \"Completeness\", reason = \"3 exceeds 2\""),
        ("phantom", "kind = \"Consistency\", reason = \"no such worker\""),
    ];
    let case = |(name, json): (&str, &str)| {
        format!("[[case]]\nname = \"{name}\"\npath = \"/validate\"\njson = {{ {json} }}\n")
    };
    compare(left, right, 2, &cases.map(case).concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tagged_enum_against_flat_fields() {
    let left = Mock::start(|asked| std::future::ready(validate(&asked, false))).await;
    let right = Mock::start(|asked| std::future::ready(validate(&asked, true))).await;
    let report = of_validators(&left, &right).await;
    assert_eq!(report.tally_line(), "1 match · 5 diff (out of 6 cases)");
    assert_eq!(report.summary(), "6 of 6 statuses match, 5 of 6 bodies differ, one cause");
    assert_eq!(report.standing(), Standing::Diverged);
    assert_eq!(left.asked().len(), 12);
    assert!(
        left.asked()
            .iter()
            .all(|asked| asked.method == Method::POST && asked.headers["accept-encoding"] == "identity")
    );
    let text = shown(&markdown(&report), &left, &right);
    insta::assert_snapshot!(text.split("### DIFF — `wrong_prefix`").next().unwrap(), @r#"
    # Parity: validator — Rust `http://left` vs Go `http://right`

    Date: 2026-11-21T08:00:00Z · Rust: `http://left` · Go: `http://right`

    The same cases to all sides. Match = same status and same body; without /elapsed_ms. Each side was asked 2 times.

    | Case | Rust status | Go status | Status match | Body match |
    |---|---|---|---|---|
    | `happy` | 200 | 200 | yes | yes |
    | `missing_fingerprint` | 422 | 422 | yes | **no** |
    | `wrong_prefix` | 422 | 422 | yes | **no** |
    | `empty_endorsed` | 422 | 422 | yes | **no** |
    | `overfull` | 422 | 422 | yes | **no** |
    | `phantom` | 422 | 422 | yes | **no** |

    **Tally:** 1 match · 5 diff (out of 6 cases)

    6 of 6 statuses match, 5 of 6 bodies differ, one cause.

    ## Causes

    1. **Same leaves, other structure: Rust sends a tagged enum, whose tag is a key; on Go the tag is the value of /Kind beside flat fields** in 5 cases: `missing_fingerprint`, `wrong_prefix`, `empty_endorsed`, `overfull` and `phantom`
       - `{"Schema":{"field":"fingerprint","reason":"is missing"}} against {"Field":"fingerprint","Kind":"schema","Reason":"is missing"}`

    ## Divergences

    ### DIFF — `missing_fingerprint`

    Rust (HTTP 422):

    ```text
    {
      "Schema": {
        "field": "fingerprint",
        "reason": "is missing"
      }
    }
    ```

    Go (HTTP 422):

    ```text
    {
      "Field": "fingerprint",
      "Kind": "schema",
      "Reason": "is missing"
    }
    ```
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal() {
    let left = Mock::start(|asked| std::future::ready(validate(&asked, false))).await;
    let right = Mock::start(|asked| std::future::ready(validate(&asked, true))).await;
    let report = of_validators(&left, &right).await;
    insta::assert_snapshot!(shown(&table(&report, 80, false), &left, &right), @r#"
    case                 Rust      Go        result
    missing_fingerprint  HTTP 422  HTTP 422  diff
    wrong_prefix         HTTP 422  HTTP 422  diff
    empty_endorsed       HTTP 422  HTTP 422  diff
    overfull             HTTP 422  HTTP 422  diff
    phantom              HTTP 422  HTTP 422  diff

    Causes (1)
    - same leaves, other structure: Rust sends a tagged enum, whose tag is a key; on
      Go the tag is the value of /Kind beside flat fields (5 cases:
      missing_fingerprint, wrong_prefix, empty_endorsed, overfull and phantom)
        {"Schema":{"field":"fingerprint","reason":"is missing"}} against
        {"Field":"fingerprint","Kind":"schema","Reason":"is missing"}

    validator: Rust http://left vs Go http://right
    1 match · 5 diff (out of 6 cases)
    6 of 6 statuses match, 5 of 6 bodies differ, one cause
    "#);
}

/// What a server with few manners does; `me` tells the two apart.
fn misbehave(asked: &Asked, me: &'static str) -> Act {
    match asked.path.trim_start_matches("/v1/") {
        "slow" if me == "right" => Act::Hang,
        "reset" => Act::Reset,
        "cut" => Act::Cut(vec![b"part".to_vec()]),
        "drip" => Act::Drip,
        "redirect" => {
            Act::Page { status: 302, headers: vec![("location", format!("/to/{me}"))], body: String::new() }
        }
        "gzip" => Act::Page {
            status: 200,
            headers: vec![("content-encoding", "gzip".to_owned())],
            body: "zzz".to_owned(),
        },
        "html" => page(502, "text/html", "<html>Bad Gateway"),
        "nothing" => page(404, "text/plain", ""),
        "escapes" => page(200, "text/plain", &format!("\u{1b}[31mred\u{1b}[0m ``` @all {me}")),
        "unstable" => page(200, "text/plain", &asked.number.to_string()),
        _ => page(200, "application/json", "{}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_manners_of_one_case_leave_the_others_intact() {
    let left = Mock::start(|asked| std::future::ready(misbehave(&asked, "left"))).await;
    let right = Mock::start(|asked| std::future::ready(misbehave(&asked, "right"))).await;
    let names = [
        "fine",
        "slow",
        "reset",
        "cut",
        "drip",
        "redirect",
        "gzip",
        "html",
        "nothing",
        "escapes",
        "unstable",
        "also-fine",
    ];
    let cases = get(&names)
        .replace("path = \"/slow\"\n", "path = \"/slow\"\ntimeout_secs = 3\n")
        .replace("path = \"/drip\"\n", "path = \"/drip\"\ntimeout_secs = 1\n");
    let report = compare(&left, &right, 2, &cases).await;
    // Behind the first bracket stand counts and numbers that are others each time.
    let line = |case: &Compared| {
        let reason = case.reason.iter().filter_map(|reason| reason.split(" (").next());
        [case.name.as_str(), case.verdict.word()].into_iter().chain(reason).collect::<Vec<_>>().join(": ")
    };
    let lines: Vec<String> = report.cases.iter().map(line).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    fine: match
    slow: error: Go: no whole answer within 3 s
    reset: empty: all sides broke off: Rust: the connection broke
    cut: empty: all sides broke off: Rust: the connection broke
    drip: empty: all sides took too long: Rust: no whole answer within 1 s
    redirect: diff
    gzip: empty: all sides gave nothing that can be read: Rust: HTTP 200, compressed as gzip although `accept-encoding: identity` was sent; Go: HTTP 200, compressed as gzip although `accept-encoding: identity` was sent
    html: empty: all sides failed with a web page
    nothing: empty: all sides answered with an empty body
    escapes: diff
    unstable: unstable: Rust answers otherwise when asked again: other text, body
    also-fine: match
    ");
    assert!(!markdown(&report).contains('\u{1b}') && !table(&report, 80, false).contains('\u{1b}'));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_no_agreement() {
    let up = Mock::always(|| page(200, "application/json", "{}")).await;
    let down = |mock: Mock| mock.url.clone();
    let address = down(Mock::always(|| Act::Hang).await);
    let gone = |text: String| text.replace(&up.url, &address);
    let report = compare(&up, &up, 1, &get(&["a"])).await;
    assert_eq!(report.standing(), Standing::Matched);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spec.toml");
    let sides =
        format!("[[side]]\nname = \"A\"\nurl = \"{0}\"\n[[side]]\nname = \"B\"\nurl = \"{0}\"\n", up.url);
    std::fs::write(&path, gone(sides) + &get(&["a", "b"])).unwrap();
    let spec = Arc::new(load(&path).unwrap());
    let wanted = Wanted { repeat: 1, date: String::new(), record: Vec::new(), secrets: Secrets::default() };
    let report = perform(&spec, &wanted, &CancellationToken::new(), |_| ()).await.unwrap().report;
    assert_eq!(report.standing(), Standing::Inconclusive);
    assert_eq!(report.tally_line(), "0 match · 0 diff · 2 empty (out of 2 cases)");
}
