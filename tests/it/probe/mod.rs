//! What a gauntlet asks of programs, well-behaved and not.

mod command;
pub(crate) mod service;

use std::path::Path;

use scrum::{gauntlet::program::Program, probe::output::Output};

/// `script` as a program of `sh` in `folder`.
pub(crate) fn shell(script: &str, folder: &Path) -> Program {
    Program {
        argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
        folder: folder.to_owned(),
        env: [("GREETING".to_owned(), "hello".to_owned())].into(),
        pass_env: Vec::new(),
    }
}

fn output(text: &str) -> Output {
    Output { head: text.into(), ..Output::default() }
}
