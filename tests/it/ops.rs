//! What is in ops/: that it fits the documentation and the programs that read it.

#![expect(clippy::print_stderr, reason = "who skips says so")]

use std::{collections::BTreeSet, fmt::Write, fs, path::Path, process::Command};

use serde_json::Value;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Runs `promtool`, of which nothing may be wrong; where it is missing that is said.
fn promtool(arguments: &[&str]) {
    let ran = Command::new("promtool")
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("ops/prometheus"))
        .output();
    let Ok(output) = ran else {
        assert!(std::env::var("CI").is_err(), "promtool is missing");
        eprintln!("skipped: promtool is not installed");
        return;
    };
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn alerts_sound_when_they_should() {
    promtool(&["check", "rules", "scrum.rules.yml"]);
    promtool(&["test", "rules", "scrum.rules.test.yml"]);
}

/// The words behind `key` on lines of their own.
fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    text.lines()
        .filter_map(|line| line.trim_start_matches([' ', '-', '{']).strip_prefix(key))
        .map(str::trim)
        .collect()
}

#[test]
fn each_alert_is_tested_and_has_a_section_that_says_what_to_do() {
    let (rules, tests, manual) = (
        read("ops/prometheus/scrum.rules.yml"),
        read("ops/prometheus/scrum.rules.test.yml"),
        read("docs/operate.md"),
    );
    let alerts = values(&rules, "alert:");
    assert!(alerts.len() >= 5, "{alerts:?}");
    for (alert, runbook) in alerts.iter().zip(values(&rules, "runbook:")) {
        assert_eq!(runbook, format!("docs/operate.md#{}", alert.to_lowercase()));
        assert!(manual.contains(&format!("\n### {alert}\n")), "{alert} is not in docs/operate.md");
        let sounds = format!("- alertname: {alert}\n");
        let is_silent = format!("{{alertname: {alert}, ");
        assert!(tests.contains(&sounds) && tests.contains(&is_silent), "{alert} is not tested both ways");
    }
}

/// All expressions of the dashboard.
fn expressions(dashboard: &Value) -> Vec<String> {
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

/// Prometheus reads each expression, with what Grafana puts in place of its own words.
#[test]
fn the_dashboard_asks_what_prometheus_understands() {
    let dashboard: Value = serde_json::from_str(&read("ops/grafana/scrum.json")).unwrap();
    let expressions = expressions(&dashboard);
    assert!(expressions.len() >= 20);
    let mut rules = "groups:\n- name: dashboard\n  rules:\n".to_owned();
    for (number, expression) in expressions.iter().enumerate() {
        let filled =
            expression.replace("$__rate_interval", "5m").replace("$__range", "6h").replace("$instance", ".*");
        assert!(!filled.contains('$'), "{filled}");
        writeln!(rules, "  - record: dashboard:{number}\n    expr: {}", Value::from(filled)).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dashboard.yml");
    fs::write(&file, rules).unwrap();
    promtool(&["check", "rules", file.to_str().unwrap()]);
}

/// Grafana wants ids that differ and panels that do not lie on one another.
#[test]
fn the_dashboard_is_in_order() {
    let dashboard: Value = serde_json::from_str(&read("ops/grafana/scrum.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut places = BTreeSet::new();
    for (number, panel) in (1..).zip(panels) {
        assert_eq!(panel["id"], number, "{}", panel["title"]);
        let grid = &panel["gridPos"];
        let side = |name: &str| grid[name].as_u64().unwrap();
        assert!(side("x") + side("w") <= 24, "{}", panel["title"]);
        for (x, y) in (0..side("w")).flat_map(|x| (0..side("h")).map(move |y| (x, y))) {
            assert!(places.insert((side("x") + x, side("y") + y)), "{} lies on another one", panel["title"]);
        }
        let is_row = panel["type"] == "row";
        assert!(
            is_row || panel["description"].as_str().is_some_and(|text| !text.is_empty()),
            "{}",
            panel["title"]
        );
    }
}
