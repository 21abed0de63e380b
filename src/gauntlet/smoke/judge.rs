//! Whether what was seen of a check is what it expects: [`judge`].

use super::{Action, Check, CheckResult, Seen};
use crate::{
    gauntlet::program::How,
    report::{foreign::one_line, words::shortened},
};

/// Most characters of a program's last words in a reason.
const LONGEST_WORDS: usize = 200;

/// Says whether `check` passed by what was `seen`.
pub fn judge(check: &Check, seen: &Seen) -> CheckResult {
    let missed = match (seen, &check.action) {
        (Seen::Interrupted | Seen::Ended { how: How::Interrupted, .. }, _) => {
            return CheckResult::Skipped("interrupted".to_owned());
        }
        (Seen::TimedOut | Seen::Ended { how: How::TimedOut, .. }, _) => {
            Some(format!("it took more than {} s and was ended", check.timeout.as_secs_f64()))
        }
        (Seen::NotDone(reason), _) => Some(reason.clone()),
        (Seen::Ended { how, stdout, stderr }, Action::Command { expect_status, .. }) => {
            by_status(*how, *expect_status, [stderr, stdout])
        }
        (Seen::Answered { status, body }, Action::Http { expect_status, .. }) => {
            by_answer(*status, *expect_status, body)
        }
        (Seen::Ended { .. }, Action::Http { .. }) | (Seen::Answered { .. }, Action::Command { .. }) => None,
    };
    match missed.or_else(|| by_output(check, seen)) {
        Some(reason) => CheckResult::Failed(reason),
        None => CheckResult::Passed,
    }
}

fn by_status(how: How, expected: i32, said: [&String; 2]) -> Option<String> {
    if how == How::Exited(expected) {
        return None;
    }
    let wanted = if expected == 0 { String::new() } else { format!(", not {expected}") };
    let last = said.into_iter().find_map(|text| text.lines().rfind(|line| !line.trim().is_empty()));
    let last =
        last.map_or_else(String::new, |line| format!(": {}", shortened(&one_line(line), LONGEST_WORDS)));
    Some(format!("{how}{wanted}{last}"))
}

fn by_answer(status: u16, expected: Option<u16>, body: &str) -> Option<String> {
    let is_good = expected.map_or((200..300).contains(&status), |expected| status == expected);
    if is_good {
        return None;
    }
    let wanted = expected.map_or_else(|| "2xx".to_owned(), |expected| expected.to_string());
    let said = one_line(body);
    let said = if said.is_empty() { said } else { format!(": {}", shortened(&said, LONGEST_WORDS)) };
    Some(format!("status {status}, not {wanted}{said}"))
}

fn by_output(check: &Check, seen: &Seen) -> Option<String> {
    let pattern = check.expect_output.as_ref()?;
    let (what, is_there) = match seen {
        Seen::Ended { stdout, stderr, .. } => {
            ("output", pattern.is_match(stdout) || pattern.is_match(stderr))
        }
        Seen::Answered { body, .. } => ("body", pattern.is_match(body)),
        Seen::NotDone(_) | Seen::TimedOut | Seen::Interrupted => return None,
    };
    (!is_there).then(|| format!("nothing in its {what} fits {:?}", pattern.as_str()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::gauntlet::{program::Program, smoke::Request};

    fn judged(action: Action, output: Option<&str>, seen: &Seen) -> String {
        let check = Check {
            name: "unit".to_owned(),
            layer: "substrate".to_owned(),
            action,
            timeout: Duration::from_millis(1_500),
            expect_output: output.map(|pattern| pattern.parse().unwrap()),
            needs: Vec::new(),
            parallel: false,
            on_failure: None,
        };
        let result = judge(&check, seen);
        format!("{}: {}", result.word(), result.reason().unwrap_or_default())
    }

    #[test]
    fn commands() {
        let check =
            |status: i32, output: Option<&str>, (how, stdout, stderr): (How, &str, &str), expect: &str| {
                let program =
                    Program { argv: Vec::new(), folder: "/".into(), env: [].into(), pass_env: Vec::new() };
                let seen = Seen::Ended { how, stdout: stdout.to_owned(), stderr: stderr.to_owned() };
                assert_eq!(judged(Action::Command { program, expect_status: status }, output, &seen), expect);
            };
        check(0, None, (How::Exited(0), "", ""), "passed: ");
        check(0, None, (How::Exited(1), "", ""), "failed: exit status 1");
        check(0, None, (How::Exited(1), "a\n\u{1b}b\n \n", ""), "failed: exit status 1: ␛b");
        check(0, None, (How::Exited(1), "a\n", "error: b\n"), "failed: exit status 1: error: b");
        check(0, None, (How::Killed(11), "", ""), "failed: killed by signal 11");
        check(3, None, (How::Exited(3), "", ""), "passed: ");
        check(3, None, (How::Exited(0), "fine", ""), "failed: exit status 0, not 3: fine");
        check(0, None, (How::TimedOut, "", ""), "failed: it took more than 1.5 s and was ended");
        check(0, None, (How::Interrupted, "", ""), "skipped: interrupted");
        check(0, Some("^[0-9]+ passed"), (How::Exited(0), "", "7 passed\n"), "passed: ");
        check(
            0,
            Some("o\\s*k"),
            (How::Exited(0), "ko", ""),
            "failed: nothing in its output fits \"o\\\\s*k\"",
        );
    }

    #[test]
    fn answers() {
        let check = |expected: Option<u16>, output: Option<&str>, seen: &Seen, expect: &str| {
            let request = Request {
                method: http::Method::GET,
                url: "http://127.0.0.1:1/".parse().unwrap(),
                headers: http::HeaderMap::new(),
                body: Vec::new(),
            };
            assert_eq!(judged(Action::Http { request, expect_status: expected }, output, seen), expect);
        };
        let answered = |status, body: &str| Seen::Answered { status, body: body.to_owned() };
        check(None, None, &answered(204, ""), "passed: ");
        check(None, None, &answered(302, ""), "failed: status 302, not 2xx");
        check(Some(404), None, &answered(404, "no"), "passed: ");
        check(Some(200), None, &answered(201, "\n made\nit"), "failed: status 201, not 200: made it");
        check(None, Some("\"ok\""), &answered(200, "{}"), "failed: nothing in its body fits \"\\\"ok\\\"\"");
        check(None, None, &Seen::NotDone("connection refused".to_owned()), "failed: connection refused");
        check(None, None, &Seen::TimedOut, "failed: it took more than 1.5 s and was ended");
        check(None, None, &Seen::Interrupted, "skipped: interrupted");
    }
}
