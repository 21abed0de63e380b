//! Specs, and what is wrong with them.
