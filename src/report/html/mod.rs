//! Shows a [`Tally`] as a page to look at: [`render`], one file that needs nothing else.
//!
//! All markup is in `templates/`, filled by minijinja, which escapes whatever is put in; Rust makes values only. [`frame`] is what the
//! pages of the daemon share with the report; one that shows a run includes `report-body.html` and gives it [`page`].

mod excerpt;
pub mod frame;
mod grid;
mod heading;
mod ink;
mod issue;
mod leftovers;
mod map;
mod matrix;
mod names;
mod prose;
mod timeline;
mod treemap;

use minijinja::{Environment, UndefinedBehavior, Value, context, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;

use crate::{
    report::summary,
    tally::{Tally, gate::Gate},
};
use frame::{Frame, Place};

/// The style of a report, to stand behind the frame's.
pub const STYLE: &str = include_str!("report.css");

/// The script of a report: filters and a filter's link. Without it everything is there and nothing can be filtered.
pub const SCRIPT: &str = include_str!("report.js");

/// The templates that reports and the daemon's pages share, by name.
const TEMPLATES: [(&str, &str); 7] = [
    ("frame.html", include_str!("templates/frame.html")),
    ("coverage.html", include_str!("templates/coverage.html")),
    ("map.html", include_str!("templates/map.html")),
    ("timeline.html", include_str!("templates/timeline.html")),
    ("issue.html", include_str!("templates/issue.html")),
    ("report-body.html", include_str!("templates/report-body.html")),
    ("report.html", include_str!("templates/report.html")),
];

/// What `report-body.html` shows.
#[derive(Serialize)]
struct Page {
    heading: heading::Heading,
    matrix: matrix::Matrix,
    choices: names::Choices,
    grid: grid::Grid,
    issues: Vec<issue::Entry>,
    map: map::Map,
    timeline: timeline::Timeline,
    leftovers: leftovers::Leftovers,
}

/// The whole report as one file.
///
/// # Panics
///
/// When a template names what no page has, which tests of each part would show.
pub fn render(tally: &Tally, gate: &Gate) -> String {
    let frame = Frame::new(Place::File, &[STYLE], &[SCRIPT]);
    let values = context! { frame => frame.value(), page => page(tally, gate) };
    let environment = environment();
    let report = environment.get_template("report.html").and_then(|template| template.render(values));
    report.expect("a report's template names only what a page has")
}

/// The same content for a page that has its own frame, as the `page` of `report-body.html`.
pub fn page(tally: &Tally, gate: &Gate) -> Value {
    let (names, sources) = (names::Names::of(tally), excerpt::Sources::of(tally));
    let heard = summary::heard(tally).len();
    let entry = |issue| issue::Entry::of(issue, &names, &sources, heard);
    Value::from(Serde(Page {
        heading: heading::Heading::of(tally, gate),
        matrix: matrix::Matrix::of(tally, &names),
        choices: names.choices(),
        grid: grid::Grid::of(tally),
        issues: summary::counted(tally).map(entry).collect(),
        map: map::Map::of(tally),
        timeline: timeline::Timeline::of(tally),
        leftovers: leftovers::Leftovers::of(tally),
    }))
}

/// Our templates: `frame.html` to extend, `report-body.html` to include. Whoever has further pages adds its
/// own; those whose name ends in `.html` escape whatever is put into them. A name that a page is not given is an error.
///
/// Parses all templates: make it once.
///
/// # Panics
///
/// When one of the embedded templates does not parse, which any test that makes it would show.
pub fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("only delimiters can be wrong, and they are the usual ones"));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, text) in TEMPLATES {
        environment.add_template(name, text).expect("embedded templates parse");
    }
    environment
}
