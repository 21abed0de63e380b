//! The `scrum` binary: hands over to the command line.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// For the gateway, whose kept answers lie among short-lived buffers: glibc's allocator leaves more room unused between them.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    scrum::cli::main()
}
