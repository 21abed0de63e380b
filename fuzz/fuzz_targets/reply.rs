//! Any text through the reply reader; the properties are those of the test suite.
#![no_main]

#[path = "../../tests/it/reply_properties.rs"]
mod reply_properties;

libfuzzer_sys::fuzz_target!(|text: &str| reply_properties::assert_all(text));
