//! Tests of how a chain is told.

use super::*;

fn checked(name: &str, layer: &str, result: CheckResult, milliseconds: u64) -> Checked {
    let output = (!matches!(result, CheckResult::Skipped(_))).then(|| format!("smoke/{name}.txt"));
    Checked {
        name: name.to_owned(),
        layer: layer.to_owned(),
        result,
        took: Duration::from_millis(milliseconds),
        output,
    }
}

fn whole() -> Smoke {
    let passed = |name, layer, milliseconds| checked(name, layer, CheckResult::Passed, milliseconds);
    Smoke {
        started_at: "2026-05-02T08:59:17Z".to_owned(),
        took: Duration::from_mins(1),
        checks: vec![passed("unit", "substrate", 59_000), passed("health", "service", 12)],
        services: vec![Served {
            name: "gateway".to_owned(),
            result: ServiceResult::Stopped,
            took: Duration::from_millis(310),
            output: Some("smoke/gateway.txt".to_owned()),
        }],
        interrupted: false,
    }
}

/// With all that can go wrong, and hostile names.
fn broken() -> Smoke {
    let failed = |reason: &str| CheckResult::Failed(reason.to_owned());
    let skipped = |reason: &str| CheckResult::Skipped(reason.to_owned());
    let Smoke { mut checks, mut services, .. } = whole();
    checks.extend([
        checked("validate\u{1b}[2J|<b>", "service", failed("status 500, not 2xx: <h1>@all\u{7}</h1> | x"), 7),
        checked("replay", "service", skipped("needs validate, which failed"), 0),
        checked(
            "a very long name that goes on and on for no good reason",
            "service",
            skipped("needs validate, which failed"),
            0,
        ),
        checked("metrics", "edge", skipped("interrupted"), 0),
    ]);
    let served = |name: &str, result| Served {
        name: name.to_owned(),
        result,
        took: Duration::from_secs(30),
        output: Some(format!("smoke/{name}.txt")),
    };
    services.extend([
        served(
            "db",
            ServiceResult::NotReady(
                "it was not ready after 30 s: 127.0.0.1:5432: Connection refused".to_owned(),
            ),
        ),
        served("queue", ServiceResult::Died("killed by signal 11".to_owned())),
    ]);
    Smoke { checks, services, interrupted: true, took: Duration::from_millis(4_230), ..whole() }
}

#[test]
fn what_it_comes_to() {
    let check = |smoke: &Smoke, verdict: Verdict, headline: &str| {
        assert_eq!((smoke.verdict(), summary::headline(smoke).as_str()), (verdict, headline));
    };
    check(&whole(), Verdict::Pass, "2 / 2 pass in 60 s");
    check(
        &broken(),
        Verdict::Fail,
        "2 / 6 pass in 4.2 s · 1 failed · 3 skipped · 1 service not ready · 1 service died · interrupted",
    );
    let with =
        |result: CheckResult| Smoke { checks: vec![checked("unit", "substrate", result, 1)], ..whole() };
    check(
        &with(CheckResult::Skipped("x".to_owned())),
        Verdict::Inconclusive,
        "0 / 1 pass in 60 s · 1 skipped",
    );
    check(&with(CheckResult::Failed("x".to_owned())), Verdict::Fail, "0 / 1 pass in 60 s · 1 failed");
    check(&Smoke { interrupted: true, ..whole() }, Verdict::Inconclusive, "2 / 2 pass in 60 s · interrupted");
    let mut died = whole();
    died.services[0].result = ServiceResult::Died("exit status 1".to_owned());
    check(&died, Verdict::Fail, "2 / 2 pass in 60 s · 1 service died");
}

#[test]
fn on_a_terminal() {
    insta::assert_snapshot!(table::render(&whole(), ".scrum/reviews/r1", 80, false), @"
    Check   Layer      Result  Time
    unit    substrate  passed  59 s
    health  service    passed  12 ms

    Layer      Checks      Time
    substrate  1 / 1 pass  59 s
    service    1 / 1 pass  12 ms

    Smoke: 2 / 2 pass in 60 s
    ");
    let text = table::render(&broken(), ".scrum/reviews/20261121-172318910-d68d8e", 60, false);
    assert!(text.lines().all(|line| crate::report::layout::width_of(line) <= 60), "{text}");
    insta::assert_snapshot!(text, @"
    Check                          Layer      Result   Time
    unit                           substrate  passed   59 s
    health                         service    passed   12 ms
    validate␛[2J|<b>               service    failed   7 ms
    replay                         service    skipped
    a very long name that goes on  service    skipped
    and on for no good reason
    metrics                        edge       skipped

    not ready  service db: it was not ready after 30 s:
      127.0.0.1:5432: Connection refused
      output: .scrum/reviews/20261121-172318910-d68d8e/smoke/
      db.txt
    died  service queue: killed by signal 11
      output: .scrum/reviews/20261121-172318910-d68d8e/smoke/
      queue.txt
    failed  validate␛[2J|<b>: status 500, not 2xx:
      <h1>@all␇</h1> | x
      output: .scrum/reviews/20261121-172318910-d68d8e/smoke/
      validate␛[2J|<b>.txt
    skipped  replay and a very long name that goes on and on for
      no good reason: needs validate, which failed
    skipped  metrics: interrupted

    Layer      Checks      Time
    substrate  1 / 1 pass  59 s
    service    1 / 4 pass  19 ms  1 failed, 2 skipped
    edge       0 / 1 pass         1 skipped

    Smoke: 2 / 6 pass in 4.2 s · 1 failed · 3 skipped · 1
    service not ready · 1 service died · interrupted
    ");
    let plain: String = anstream::adapter::strip_str(&table::render(&broken(), "r", 60, true)).collect();
    assert_eq!(plain, table::render(&broken(), "r", 60, false));
}

#[test]
fn in_a_document() {
    insta::assert_snapshot!(markdown::render(&whole()), @"
    # Smoke: 2 / 2 pass in 60 s

    Date: 2026-05-02T08:59:17Z

    | Layer | Checks | Time | |
    |---|---|--:|---|
    | substrate | 1 / 1 pass | 59 s |  |
    | service | 1 / 1 pass | 12 ms |  |

    <details><summary>All checks</summary>

    | Check | Layer | Result | Time |
    |---|---|---|--:|
    | unit | substrate | passed | 59 s |
    | health | service | passed | 12 ms |

    </details>
    ");
    insta::assert_snapshot!(markdown::section(&broken()), @r"
    ## Smoke

    **2 / 6 pass in 4.2 s · 1 failed · 3 skipped · 1 service not ready · 1 service died · interrupted**

    | Layer | Checks | Time | |
    |---|---|--:|---|
    | substrate | 1 / 1 pass | 59 s |  |
    | service | 1 / 4 pass | 19 ms | 1 failed, 2 skipped |
    | edge | 0 / 1 pass |  | 1 skipped |

    - **not ready** service db: it was not ready after 30 s: 127.0.0.1:&#8203;5432: Connection refused (`smoke/db.txt`)
    - **died** service queue: killed by signal 11 (`smoke/queue.txt`)
    - **failed** validate␛\[2J\|&lt;b&gt;: status 500, not 2xx: &lt;h1&gt;@&#8203;all␇&lt;/h1&gt; \| x (`smoke/validate␛[2J|<b>.txt`)
    - **skipped** replay and a very long name that goes on and on for no good reason: needs validate, which failed
    - **skipped** metrics: interrupted

    <details><summary>All checks</summary>

    | Check | Layer | Result | Time |
    |---|---|---|--:|
    | unit | substrate | passed | 59 s |
    | health | service | passed | 12 ms |
    | validate␛\[2J\|&lt;b&gt; | service | failed | 7 ms |
    | replay | service | skipped |  |
    | a very long name that goes on and on for no good reason | service | skipped |  |
    | metrics | edge | skipped |  |

    </details>
    ");
}

#[test]
fn for_build_servers() {
    insta::assert_snapshot!(junit::render(&broken()), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="scrum smoke" tests="9" failures="1" errors="2">
      <testsuite name="services" tests="3" failures="0" errors="2" skipped="0" timestamp="2026-05-02T08:59:17Z">
        <testcase classname="scrum.service" name="gateway" time="0.310">
          <system-out>output: smoke/gateway.txt</system-out>
        </testcase>
        <testcase classname="scrum.service" name="db" time="30.000">
          <error type="not-ready" message="it was not ready after 30 s: 127.0.0.1:5432: Connection refused"/>
          <system-out>output: smoke/db.txt</system-out>
        </testcase>
        <testcase classname="scrum.service" name="queue" time="30.000">
          <error type="died" message="killed by signal 11"/>
          <system-out>output: smoke/queue.txt</system-out>
        </testcase>
      </testsuite>
      <testsuite name="substrate" tests="1" failures="0" errors="0" skipped="0" timestamp="2026-05-02T08:59:17Z">
        <testcase classname="scrum.smoke" name="unit" time="59.000">
          <system-out>output: smoke/unit.txt</system-out>
        </testcase>
      </testsuite>
      <testsuite name="service" tests="4" failures="1" errors="0" skipped="2" timestamp="2026-05-02T08:59:17Z">
        <testcase classname="scrum.smoke" name="health" time="0.012">
          <system-out>output: smoke/health.txt</system-out>
        </testcase>
        <testcase classname="scrum.smoke" name="validate␛[2J|&lt;b&gt;" time="0.007">
          <failure type="failed" message="status 500, not 2xx: &lt;h1&gt;@all␇&lt;/h1&gt; | x">status 500, not 2xx: &lt;h1&gt;@all␇&lt;/h1&gt; | x</failure>
          <system-out>output: smoke/validate␛[2J|&lt;b&gt;.txt</system-out>
        </testcase>
        <testcase classname="scrum.smoke" name="replay" time="0.000">
          <skipped message="needs validate, which failed"/>
        </testcase>
        <testcase classname="scrum.smoke" name="a very long name that goes on and on for no good reason" time="0.000">
          <skipped message="needs validate, which failed"/>
        </testcase>
      </testsuite>
      <testsuite name="edge" tests="1" failures="0" errors="0" skipped="1" timestamp="2026-05-02T08:59:17Z">
        <testcase classname="scrum.smoke" name="metrics" time="0.000">
          <skipped message="interrupted"/>
        </testcase>
      </testsuite>
    </testsuites>
    "#);
}
