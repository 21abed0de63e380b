//! Shows a [`Tally`](crate::tally::Tally): for terminals, pull requests and programs.
//!
//! Every function here is a pure one from values to a `String`. Nothing is printed, written or asked: `cli`
//! prints, `store` saves. The text of reviewers and diffs is foreign: it passes through [`foreign`] or
//! [`markdown::escape`] before it is shown.

pub mod bars;
pub mod checkup;
pub mod coverage;
pub mod descent;
pub mod earlier;
pub mod eval;
pub mod explain;
pub mod foreign;
pub mod formats;
pub mod html;
pub mod json;
pub mod judged;
pub mod layout;
pub mod markdown;
pub mod masks;
pub mod plot;
pub mod preview;
pub mod sizes;
pub mod starter;
pub mod stats;
pub mod summary;
pub mod table;
pub mod wire;
pub mod words;
