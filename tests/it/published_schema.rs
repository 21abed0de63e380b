//! The schemas in `schema/` are what the code writes.

use std::{fs, path::Path};

use schemars::Schema;
use scrum::{gauntlet, report};

/// `UPDATE_SCHEMA` writes the file of the documents called `name` anew.
fn check(name: &str, schema: &Schema) {
    let current = serde_json::to_string_pretty(schema).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schema/{name}.schema.json"));
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, &current).unwrap();
    }
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == current,
        "schema/{name}.schema.json is not what the code writes.\n\
         hint: UPDATE_SCHEMA=1 cargo test --test it published_schema, then look at the difference: \
         a key that is gone or renamed needs scrum.{name}/2"
    );
}

#[test]
fn of_tallies() {
    check("tally", &report::json::schema());
}

#[test]
fn of_smoke_chains() {
    check("smoke", &scrum::gauntlet::smoke::wire::schema());
}

#[test]
fn of_evaluations() {
    check("eval", &report::eval::json::schema());
}

#[test]
fn of_parity() {
    check("parity", &scrum::gauntlet::parity::wire::schema());
}

#[test]
fn of_gauntlets() {
    check("gauntlet", &gauntlet::document::schema());
}
