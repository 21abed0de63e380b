//! Tests of the running of a chain.
