//! Tells values from what stands in for them: [`is_credential`].
//!
//! `changeme`, `${PASSWORD}`, `your-api-key`, rows of zeros and names of other variables are left as they are: they are
//! no secret, and masking them would only take something from the review.

use serde::Deserialize;

/// What a value must be like, besides its pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Like {
    /// Of a form that only a provider's tokens have.
    #[default]
    Token,
    /// Given to a variable whose name says secret.
    Secret,
    /// Given to a variable whose name says password: people choose shorter ones.
    Password,
    /// Part of an address, where it can hardly be anything else.
    Address,
}

/// Words that stand in examples, wherever in a value.
const EXAMPLES: [&str; 15] = [
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "dummy",
    "redacted",
    "masked",
    "xxxx",
    "****",
    "....",
    "your_",
    "your-",
    "yourp",
    "replace",
];

/// Passwords that guides use in addresses; they open nothing.
const COMMON: [&str; 26] = [
    "password",
    "passwd",
    "passwort",
    "pass",
    "pwd",
    "secret",
    "user",
    "username",
    "postgres",
    "postgresql",
    "mysql",
    "root",
    "admin",
    "guest",
    "test",
    "testing",
    "redis",
    "mongo",
    "rabbitmq",
    "foo",
    "bar",
    "baz",
    "token",
    "key",
    "mysecretpassword",
    "hunter2",
];

/// What a variable is about when its name ends so: not the value of a credential.
const OTHER_SUBJECTS: [&str; 62] = [
    "name",
    "names",
    "field",
    "label",
    "url",
    "uri",
    "path",
    "file",
    "filename",
    "type",
    "header",
    "prefix",
    "suffix",
    "env",
    "var",
    "variable",
    "id",
    "ids",
    "length",
    "len",
    "size",
    "count",
    "regex",
    "pattern",
    "hint",
    "placeholder",
    "policy",
    "error",
    "message",
    "msg",
    "title",
    "text",
    "help",
    "description",
    "class",
    "selector",
    "expiry",
    "expires",
    "expiration",
    "ttl",
    "scope",
    "kind",
    "param",
    "column",
    "table",
    "enabled",
    "required",
    "status",
    "version",
    "format",
    "algorithm",
    "encoding",
    "factory",
    "provider",
    "arn",
    "ref",
    "endpoint",
    "host",
    "location",
    "method",
    "icon",
    "mode",
];

/// Whether a variable of this name holds a credential, as far as its last word tells: `token` does, `token_url` and
/// `tokenType` do not.
pub(super) fn names_a_value(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name);
    let start = name.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
    let word = &name[start..];
    let is_mixed = word.bytes().any(|b| b.is_ascii_lowercase());
    let camel = word.rfind(|c: char| c.is_ascii_uppercase()).filter(|_| is_mixed).unwrap_or_default();
    let last = word[camel..].to_ascii_lowercase();
    !OTHER_SUBJECTS.contains(&last.as_str())
}

/// Whether `value` is a credential rather than an example, a reference or a word.
pub(super) fn is_credential(value: &[u8], like: Like, min_entropy: f64) -> bool {
    let text = String::from_utf8_lossy(value);
    let lower = text.to_ascii_lowercase();
    let is_example = EXAMPLES.iter().any(|word| lower.contains(word)) || is_row(value);
    if is_example || entropy(value) < min_entropy {
        return false;
    }
    match like {
        Like::Token => true,
        Like::Address => !is_reference(&text) && !COMMON.contains(&lower.as_str()),
        Like::Password => {
            let kinds = kinds_of_character(value);
            !is_reference(&text) && !is_words(&text) && kinds >= 2 && distinct(value) >= 5
        }
        Like::Secret => {
            let digits = value.iter().any(u8::is_ascii_digit);
            let random = digits || value.len() >= 20 && entropy(value) >= 4.2;
            !is_reference(&text) && !is_words(&text) && random && distinct(value) >= 6
        }
    }
}

/// Mostly a row of one character, or of consecutive ones: `00000000`, `abcdefgh`, `12345678`.
fn is_row(value: &[u8]) -> bool {
    let (mut same, mut rising) = (1, 1);
    let least = (value.len() / 2).max(6);
    for pair in value.windows(2) {
        same = if pair[0] == pair[1] { same + 1 } else { 1 };
        let next = pair[0].checked_add(1) == Some(pair[1]) || pair == b"90";
        rising = if next { rising + 1 } else { 1 };
        if same >= least || rising >= least {
            return true;
        }
    }
    distinct(value) == 1
}

/// Something that another place fills in, or a path, an address, a pattern.
fn is_reference(text: &str) -> bool {
    let begins = [
        "$", "%", "{", "<", "[", "*", "&", "!", "|", ">", "@{", "#{", "/", "./", "../", "~/", "\\", "^", "(",
    ];
    let holds = [
        "${", "$(", "{{", "#{", "{}", "%s", "%d", "%v", "://", "[a-z", "[^", "(?", "\\d", "\\w", "::", "->",
        "()", "=>", "…",
    ];
    let lower = text.to_ascii_lowercase();
    let looked_up = [
        "env.", "env[", "environ", "getenv", "secrets.", "vault:", "process.", "config.", "os.", "self.",
        "this.", "var.", "std::", "arn:", "ssm:", "ref+", "op:",
    ];
    begins.iter().any(|mark| text.starts_with(mark))
        || holds.iter().any(|mark| text.contains(mark))
        || looked_up.iter().any(|mark| lower.starts_with(mark))
        || is_variable(text)
        || text.contains('{') && text.contains('}')
        || text.ends_with('(')
        || text.contains('(') && text.ends_with(')')
}

/// `DB_PASSWORD`, the name of a variable.
fn is_variable(text: &str) -> bool {
    text.contains('_')
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && text.split('_').filter(|part| part.bytes().all(|b| b.is_ascii_uppercase())).count() >= 2
}

/// Words, perhaps with a number behind them, parted as in names: `access-token`, `auth.token.expired`, `X-Api-Key`,
/// `userPassword`.
fn is_words(text: &str) -> bool {
    let parts: Vec<&str> =
        text.split(|c: char| "-_. /:,;#@".contains(c)).filter(|part| !part.is_empty()).collect();
    let word = |part: &&str| {
        let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = part.len() - letters.len();
        let plain = letters.bytes().all(|b| b.is_ascii_alphabetic());
        plain && digits <= if parts.len() > 1 { 3 } else { 0 } && is_readable(letters)
            || letters.is_empty() && digits <= 4
    };
    parts.iter().all(word)
}

/// Whether letters change case as words do, not at random: at most one capital in three.
fn is_readable(letters: &str) -> bool {
    let capitals = letters.bytes().filter(u8::is_ascii_uppercase).count();
    capitals == letters.len() || capitals * 3 <= letters.len() + 2
}

fn kinds_of_character(value: &[u8]) -> usize {
    let kinds: [fn(&u8) -> bool; 4] =
        [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit, |byte| {
            !byte.is_ascii_alphanumeric()
        }];
    kinds.iter().filter(|kind| value.iter().any(**kind)).count()
}

fn distinct(value: &[u8]) -> usize {
    let mut seen = [false; 256];
    for byte in value {
        seen[usize::from(*byte)] = true;
    }
    seen.iter().filter(|seen| **seen).count()
}

/// Whether a value is so much a value that the same text elsewhere is the same one.
pub(super) fn is_telling(value: &[u8]) -> bool {
    value.len() >= 8 && kinds_of_character(value) >= 2 && distinct(value) >= 6
}

/// Shannon entropy in bits a byte.
pub(super) fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value {
        counts[usize::from(*byte)] += 1;
    }
    let total = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX));
    let bits = |count: &u32| {
        let share = f64::from(*count) / total;
        share * share.log2()
    };
    -counts.iter().filter(|count| **count > 0).map(bits).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_for_a_value_is_left_alone() {
        let check = |value: &str, like: Like, expect: bool| {
            assert_eq!(is_credential(value.as_bytes(), like, 0.0), expect, "{value}");
        };
        for stand_in in [
            "changeme",
            "${DB_PASSWORD}",
            "{{ password }}",
            "your-api-key-here",
            "DB_PASSWORD",
            "access-token-2",
            "auth.token.expired",
            "process.env.TOKEN",
            "%(password)s",
            "X-Api-Key",
            "userPassword",
            "0000000000",
            "xxxxxxxxxxxx1",
            "os.environ",
            "/run/secrets/db1",
            "https://a.b/c1",
            "<password1>",
            "abcdefghij1",
            "$PASSWORD1",
            "getpass()",
            "aws4-hmac-sha256",
        ] {
            check(stand_in, Like::Password, false);
            check(stand_in, Like::Secret, false);
        }
        for value in ["hT7#kq9Lz!2v", "s3cr3t-Pa55", "Winter2024!", "p4ssw0rd!"] {
            check(value, Like::Password, true);
        }
        check("9f8a7c6b5d4e3f2a1b0c", Like::Secret, true);
        check("sunshine", Like::Address, true);
        check("postgres", Like::Address, false);
    }

    #[test]
    fn a_name_says_what_its_value_is() {
        let check = |name: &str, expect: bool| assert_eq!(names_a_value(name.as_bytes()), expect, "{name}");
        for credential in
            ["password", "DB_PASSWORD", "accessToken", "spring.datasource.password", "SECRET_KEY_BASE"]
        {
            check(credential, true);
        }
        for other in
            ["token_url", "tokenType", "PASSWORD_FIELD", "secretName", "auth.token.header", "password_hint"]
        {
            check(other, false);
        }
    }
}
