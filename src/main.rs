//! The `scrum` binary: hands over to the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    scrum::cli::main()
}
