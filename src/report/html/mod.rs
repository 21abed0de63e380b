//! Shows a tally as a page to look at: one file that needs nothing else.
//!
//! All markup is in `templates/`, filled by minijinja, which escapes whatever is put in; Rust makes values only. [`frame`] is what the
//! pages of the daemon share with the report.

pub mod frame;

use minijinja::{Environment, UndefinedBehavior, syntax::SyntaxConfig};

/// The templates that reports and the daemon's pages share, by name.
const TEMPLATES: [(&str, &str); 2] = [
    ("frame.html", include_str!("templates/frame.html")),
    ("macros.html", include_str!("templates/macros.html")),
];

/// Our templates: `frame.html` to extend and `macros.html` to import. Whoever has further pages adds its own; those whose name ends in
/// `.html` escape whatever is put into them. A name that a page is not given is an error.
///
/// Parses all templates: make it once.
pub fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("only delimiters can be wrong, and they are the usual ones"));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, text) in TEMPLATES {
        environment.add_template(name, text).expect("embedded templates parse: tests render each");
    }
    environment
}
