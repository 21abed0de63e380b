//! Pages in a real browser: reports and the daemon's dashboard in Chromium, driven by `tests/browser/*.mjs`, which make the runs that they
//! look at and say what they found. Which rules there are is said there; here they are run.
//!
//! `.ci/run` installs what drives the browser into `target/browser`; elsewhere `BROWSER_MODULES` may name a folder, and `CHROMIUM` the
//! browser.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::sandbox::printed;

/// What has to be there; `None`, said aloud, where it is not and need not be.
fn installed() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = std::env::var_os("BROWSER_MODULES").map_or(here.join("target/browser"), PathBuf::from);
    let browser = std::env::var_os("CHROMIUM").map_or("/usr/bin/chromium".into(), PathBuf::from);
    let needed =
        [modules.join("node_modules/puppeteer-core"), modules.join("node_modules/axe-core"), browser];
    let missing = needed.iter().find(|path| !path.exists());
    let Some(missing) = missing else { return Some(modules) };
    let missing = format!("{} is not installed: see .ci/run", missing.display());
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{missing}");
    #[expect(clippy::print_stdout, reason = "a test that did nothing says so")]
    {
        println!("skipped: {missing}");
    }
    None
}

/// Runs a script with the built `scrum`; all its checks must hold, and there must be at least `least`.
fn holds(script: &str, least: usize) {
    let Some(modules) = installed() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(script);
    let mut command = Command::new("node");
    command.arg(script).env("SCRUM", env!("CARGO_BIN_EXE_scrum")).env("BROWSER_MODULES", modules);
    let printed = printed(&command.output().unwrap());
    let held = printed.stdout.lines().filter(|line| line.starts_with("ok ")).count();
    let broken: Vec<&str> = printed.stdout.lines().filter(|line| !line.starts_with("ok ")).collect();
    assert_eq!(printed.status, 0, "{}\n{}", broken.join("\n"), printed.stderr);
    assert!(held >= least, "{held} checks only:\n{}", printed.stdout);
}

#[test]
fn reports_are_whole_usable_and_harmless() {
    holds("report.mjs", 100);
}

#[test]
fn a_live_run_is_followed_without_loading_anything_again() {
    holds("dashboard.mjs", 90);
}
