//! Shows [`Scores`](crate::eval::Scores): as tables for terminals and documents, as `scrum.eval/1`, and as a picture.
//!
//! Pure functions from scores to text; the names in them come from labels and replies and pass through `foreign` or an escape.

pub mod json;
pub mod plot;
mod sections;
pub mod text;
mod wire;
