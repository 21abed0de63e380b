//! Programs that never outlive who started them.
