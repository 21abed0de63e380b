//! Words for values of the wrong kind: [`worded`] says what stands there and what must, in the terms of who writes the file.
//!
//! The TOML reader tells in terms of its own types. What it says of other mistakes is left as it is.

/// What is wrong, and what to do about it where that can be told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wording {
    pub(super) reason: String,
    pub(super) advice: Option<String>,
}

/// `message` of the TOML reader about the value that begins at byte `at` of `text`.
pub(super) fn worded(message: &str, text: &str, at: usize) -> Wording {
    let message = message.replace('\n', " ");
    let start = text[..text.floor_char_boundary(at)].rfind('\n').map_or(0, |end| end + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let key = key_before(line, at - start);
    if let Some(field) = message.strip_prefix("missing field ") {
        return Wording { reason: format!("{field} is missing"), advice: None };
    }
    if message == "duplicate key" {
        let name = text[start..].lines().next().unwrap_or_default();
        let name = name.split('=').next().unwrap_or_default().trim();
        return Wording {
            reason: format!("`{name}` is there a second time"),
            advice: Some("keep one of them".to_owned()),
        };
    }
    if message.starts_with("unknown field `rule`, expected one of `review`") {
        let advice = "write `[[gate.rule]]` for what the gate lets through, `[[guidance.rule]]` for what reviewers are told";
        return Wording { reason: message, advice: Some(advice.to_owned()) };
    }
    let subject = key.unwrap_or("this");
    if let Some((found, words)) = variant(&message) {
        // The empty word only stands for a key that is not given.
        let words = words.replace("``, ", "");
        return Wording { reason: format!("{subject} is {found}, it must be {words}"), advice: None };
    }
    if message == "wanted string or table" {
        return Wording { reason: format!("{subject} must be a word in quotes"), advice: None };
    }
    let mismatch = message.strip_prefix("invalid type: ").or(message.strip_prefix("invalid value: "));
    let Some((found, wanted)) = mismatch.and_then(|rest| rest.rsplit_once(", expected ")) else {
        return Wording { reason: message, advice: None };
    };
    let reason = format!("{subject} is {}, it must be {}", found_words(found), wanted_words(wanted));
    Wording { reason, advice: advice(line, subject, found, wanted) }
}

/// The word that none is, and those that there are.
fn variant(message: &str) -> Option<(&str, &str)> {
    let (found, words) = message.strip_prefix("unknown variant ")?.split_once(", expected ")?;
    Some((found, words))
}

/// The key whose value begins at byte `at` of `line`, or that of the whole line.
fn key_before(line: &str, at: usize) -> Option<&str> {
    let before = line.get(..at).map(str::trim_end).and_then(|before| before.strip_suffix('='));
    let whole = line.split_once('=').map(|(key, _)| key);
    let key = before.or(whole)?.trim().rsplit(['{', ',', ' ']).next()?;
    (!key.is_empty() && !key.starts_with(['[', '#', '"'])).then_some(key)
}

/// ``string "2.5"``, ``integer `-1` ``: the value as it is written, a kind where it is long.
fn found_words(found: &str) -> String {
    match found {
        "map" => "a table".to_owned(),
        "sequence" => "a list".to_owned(),
        // ``floating point `100.5` ``, ``integer `9` as i128``, `string "2"`.
        _ => {
            let quoted = found.split_once('`').and_then(|(_, rest)| rest.split_once('`'));
            let value = quoted.map(|(value, _)| value);
            value.or(found.split_once(' ').map(|(_, value)| value)).unwrap_or(found).to_owned()
        }
    }
}

fn wanted_words(wanted: &str) -> &str {
    match wanted {
        "f64" | "f32" => "a number",
        "u64" | "usize" | "u32" => "a whole number, 0 or more",
        "a nonzero u32" => "a whole number, 1 or more",
        "i32" => "a whole number",
        "a sequence" => "a list",
        "a string" | "path string" => "text in quotes",
        "a boolean" => "true or false",
        "a TOML datetime" => "a date such as 2026-11-09, without quotes",
        _ if wanted.starts_with("struct ") || wanted == "a map" => "a table",
        other => other,
    }
}

fn advice(line: &str, key: &str, found: &str, wanted: &str) -> Option<String> {
    let written = found.strip_prefix("string ").map(|value| value.trim_matches('"'));
    let whole = found.strip_prefix("floating point `").and_then(|rest| rest.strip_suffix(".0`"));
    match (written, wanted) {
        _ if key == "min_coverage" => Some("it is in percent, from 0 to 100: `min_coverage = 80`".to_owned()),
        (_, "u64" | "usize" | "u32") if whole.is_some() => whole.map(|whole| format!("write {whole}")),
        (Some(value), "f64" | "f32" | "u64" | "usize" | "u32" | "a nonzero u32" | "i32")
            if value.parse::<f64>().is_ok() =>
        {
            Some(format!("write {value} without quotes"))
        }
        (Some("true" | "false"), "a boolean") => Some("write it without quotes".to_owned()),
        (Some(value), "a sequence") => {
            let words: Vec<String> = value.split_whitespace().map(|word| format!("\"{word}\"")).collect();
            Some(format!("write `{key} = [{}]`", words.join(", ")))
        }
        (None, "a sequence") if line.starts_with('[') => {
            Some(format!("write `[{}]`, with two brackets on each side: there may be several", line.trim()))
        }
        (Some(_), _) if wanted.starts_with("struct ") && line.trim_start().starts_with(key) => {
            Some(format!("write `[{key}]`, and its keys below it"))
        }
        (_, "struct Price") => Some("write `price = { input = 0.6, output = 2.5 }`".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file;

    /// The reason, and the advice behind ` / `.
    fn check(text: &str, expect: &str) {
        let error = toml::from_str::<file::File>(text).unwrap_err();
        let Wording { reason, advice } =
            worded(error.message(), text, error.span().map_or(0, |span| span.start));
        assert_eq!([Some(reason), advice].into_iter().flatten().collect::<Vec<_>>().join(" / "), expect);
    }

    #[test]
    fn wrong_kinds_are_told_in_the_terms_of_the_file() {
        check(
            "[review]\nmax_cost_usd = \"2.5\"\n",
            "max_cost_usd is \"2.5\", it must be a number / write 2.5 without quotes",
        );
        check("[review]\nmax_tokens = -1\n", "max_tokens is -1, it must be a whole number, 0 or more");
        let error = toml::from_str::<file::File>("[[rule]]\npaths = [\"a\"]\n").unwrap_err();
        let advice = worded(error.message(), "[[rule]]\n", 0).advice;
        assert!(advice.is_some_and(|advice| advice.starts_with("write `[[gate.rule]]`")));
        check("[tally]\nverify = \"yes\"\n", "verify is \"yes\", it must be true or false");
        check(
            "[review]\nfail_on = \"always\"\n",
            "fail_on is `always`, it must be one of `never`, `any`, `warn`, `block`, `convergent`",
        );
        check("[bundle]\ncontext = 3\n", "context must be a word in quotes");
        check("[cache]\ndir = 3\n", "dir is 3, it must be text in quotes");
        check(
            "[route]\npanel = \"offline\"\n",
            "this is a table, it must be a list / write `[[route]]`, with two brackets on each side: there may be several",
        );
        let reviewer = |rest: &str| format!("[[reviewer]]\nid = \"é\"\n{rest}\n");
        check(
            &reviewer("command = \"claude -p\""),
            "command is \"claude -p\", it must be a list / write `command = [\"claude\", \"-p\"]`",
        );
        check(
            &reviewer("tokens_per_minute = 0"),
            "tokens_per_minute is 0, it must be a whole number, 1 or more",
        );
        check(&reviewer("price = { input = 1 }"), "`output` is missing");
        check(
            &reviewer("price = 3"),
            "price is 3, it must be a table / write `price = { input = 0.6, output = 2.5 }`",
        );
        check(
            &reviewer("price = { input = 1, output = \"2\" }"),
            "output is \"2\", it must be a number / write 2 without quotes",
        );
        check(&reviewer("env = { A = 1 }"), "A is 1, it must be text in quotes");
        check(&reviewer("preset = 3"), "preset is 3, it must be text in quotes");
        check(
            "[[price]]\nmodels = [\"m\"]\ninput = 1\noutput = 2\nas_of = \"2026-01-01\"\n",
            "as_of is \"2026-01-01\", it must be a date such as 2026-11-09, without quotes",
        );
    }

    #[test]
    fn wrong_gates_are_told_with_what_to_write() {
        let percent = "it is in percent, from 0 to 100: `min_coverage = 80`";
        check(
            "[gate]\nmin_coverage = 100.5\n",
            &format!("min_coverage is 100.5, it must be a whole number, 0 or more / {percent}"),
        );
        check(
            "[gate]\nmin_coverage = \"80%\"\n",
            &format!("min_coverage is \"80%\", it must be a whole number, 0 or more / {percent}"),
        );
        check(
            "[gate]\nmin_lineages = 2.0\n",
            "min_lineages is 2.0, it must be a whole number, 0 or more / write 2",
        );
        check("[gate]\nmin_agreeing = 1.5\n", "min_agreeing is 1.5, it must be a whole number, 0 or more");
        check(
            "gate = \"block\"\n",
            "gate is \"block\", it must be a table / write `[gate]`, and its keys below it",
        );
        check("[gate]\nfail_on = \"any\"\n[gate]\n", "`[gate]` is there a second time / keep one of them");
        check(
            "[gate]\nfail_on = \"any\"\nfail_on = \"warn\"\n",
            "`fail_on` is there a second time / keep one of them",
        );
    }
}
