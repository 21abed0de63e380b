//! The dispatcher over a real file.
