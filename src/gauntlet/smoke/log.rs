//! All that a check or a service printed, as it is kept in a file: [`of_check`], [`of_service`].
//!
//! It is kept as it came; only what is made of it for people has no control characters.

use super::{Action, Check, Seen};

/// What was done, and what was seen of it.
pub fn of_check(check: &Check, seen: &Seen) -> String {
    let asked = match &check.action {
        Action::Command { program, .. } => format!("$ {}", command_line(&program.argv)),
        Action::Http { request, .. } => format!("{} {}", request.method, request.url),
    };
    let came = match seen {
        Seen::Ended { how, stdout, stderr } => {
            format!("{how}\n{}{}", part("standard output", stdout), part("standard error", stderr))
        }
        Seen::Answered { status, body } => format!("status {status}\n{}", part("body", body)),
        Seen::NotDone(reason) => format!("{reason}\n"),
        Seen::TimedOut => "timed out\n".to_owned(),
        Seen::Interrupted => "interrupted\n".to_owned(),
    };
    format!("{asked}\n{came}")
}

/// What was started, and what it printed.
pub fn of_service(argv: &[String], output: &str) -> String {
    format!("$ {}\n{}", command_line(argv), part("output", output))
}

fn part(title: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("\n--- {title}\n{text}{end}")
}

/// As it would be typed into a shell.
fn command_line(argv: &[String]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    let quoted = |word: &String| {
        if !word.is_empty() && word.chars().all(is_plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    argv.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_as_they_would_be_typed() {
        let check = |argv: &[&str], expect: &str| {
            let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(command_line(&argv), expect);
        };
        check(&["cargo", "test", "--lib"], "cargo test --lib");
        check(&["sh", "-c", "echo 'a b'", ""], "sh -c 'echo '\\''a b'\\''' ''");
    }
}
