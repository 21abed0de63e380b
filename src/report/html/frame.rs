//! What every page of ours shares: its [`Frame`] of style, script and content security policy around `frame.html`.
//!
//! A page is one file: nothing is loaded from anywhere, and the policy lets nothing run but the very style and script that
//! stand in it. What is in the page is the page's own matter.

use base64::{Engine, engine::general_purpose::STANDARD};
use minijinja::{Value, context};
use sha2::{Digest, Sha256};

/// The style that all pages have.
const BASE: &str = include_str!("frame.css");

/// Where a page is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// From disk: it never asks for anything.
    File,
    /// From the daemon: its script may ask the daemon, and nobody may show it inside of another page.
    Daemon,
}

/// A page's style and script, and the policy that allows them and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    style: String,
    script: String,
    place: Place,
}

impl Frame {
    /// The base style with `styles` behind it, and `scripts` one after the other.
    pub fn new(place: Place, styles: &[&str], scripts: &[&str]) -> Self {
        let style = [&[BASE], styles].concat().join("\n");
        Self { style, script: scripts.join("\n"), place }
    }

    /// The content security policy, for a header of HTTP or, of a file, for its `<meta>`.
    pub fn policy(&self) -> String {
        let (style, script) = (hash(&self.style), hash(&self.script));
        let own = format!(
            "default-src 'none'; style-src '{style}'; script-src '{script}'; img-src data:; base-uri 'none'"
        );
        match self.place {
            // A `<meta>` cannot say who may show the page.
            Place::File => own + "; form-action 'none'",
            Place::Daemon => own + "; connect-src 'self'; form-action 'self'; frame-ancestors 'none'",
        }
    }

    /// What `frame.html` needs, as the template's `frame`. A page of the daemon has its policy in the header alone.
    pub fn value(&self) -> Value {
        let policy = match self.place {
            Place::File => Value::from(self.policy()),
            Place::Daemon => Value::from(()),
        };
        let [style, script] = [&self.style, &self.script].map(|text| Value::from_safe_string(text.clone()));
        context! { policy, style, script }
    }
}

/// As a policy names what stands between `<script>` and `</script>`.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::html;

    fn page(place: Place, text: &str) -> (String, String) {
        let mut environment = html::environment();
        let template = "{% extends 'frame.html' %}{% block main %}{{ text }}{% endblock %}";
        environment.add_template("page.html", template).unwrap();
        let frame = Frame::new(place, &["p{}"], &["1;"]);
        let values = context! { frame => frame.value(), text };
        (environment.get_template("page.html").unwrap().render(values).unwrap(), frame.policy())
    }

    fn between<'a>(text: &'a str, open: &str, close: &str) -> &'a str {
        text.split_once(open).unwrap().1.split_once(close).unwrap().0
    }

    #[test]
    fn a_page_allows_its_own_style_and_script_only() {
        let (file, policy) = page(Place::File, "");
        assert!(policy.contains(&hash(between(&file, "<style>", "</style>"))), "{policy}");
        assert!(policy.contains(&hash(between(&file, "<script>", "</script>"))), "{policy}");
        let written = between(&file, "Content-Security-Policy\" content=\"", "\">");
        assert_eq!(written.replace("&#x27;", "'").replace("&#x2f;", "/"), policy);
    }

    #[test]
    fn what_is_put_in_is_no_markup() {
        let (page, policy) = page(Place::Daemon, "</script><img src=x onerror=alert(1)>");
        assert!(
            page.contains("&lt;img") && !page.contains("<img") && !page.contains("Content-Security-Policy")
        );
        assert!(
            policy.ends_with("connect-src 'self'; form-action 'self'; frame-ancestors 'none'"),
            "{policy}"
        );
    }
}
