//! What a program gets to see of our environment: [`Surroundings::of`] takes the few variables every program needs and
//! those its reviewer names, nothing else.
//!
//! Everything is held as a secret, since nobody can tell which value is one. [`Variables::without_keys`] takes out of
//! a text what surely is.

use std::{collections::BTreeMap, sync::Arc};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    reviewer::Invocation,
    secret::{self, Keys},
};

/// Variables every program gets: where it finds programs, its user's files, a language, a terminal, a folder for
/// temporary files, the proxy and the certificates of this machine. A `*` at the end stands for any rest.
const PASSED_ON: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TERM",
    "TMPDIR",
    "XDG_*",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NIX_SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
];

/// Parts of the names of variables that hold keys.
const SECRET_NAMES: &[&str] = &["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"];

/// Our own environment, of which each program sees its part.
#[derive(Debug, Clone, Default)]
pub struct Surroundings(Arc<BTreeMap<String, SecretString>>);

impl FromIterator<(String, SecretString)> for Surroundings {
    fn from_iter<I: IntoIterator<Item = (String, SecretString)>>(variables: I) -> Self {
        Self(Arc::new(variables.into_iter().collect()))
    }
}

impl Surroundings {
    /// The whole environment of `invocation`'s program; what its `env` says counts most.
    pub(super) fn of(&self, invocation: &Invocation) -> Variables {
        let key = invocation.api_key_env.as_deref();
        let wanted = |name: &str| {
            let named = invocation.pass_env.iter().map(String::as_str).chain(key);
            PASSED_ON.iter().copied().chain(named).any(|pattern| fits(pattern, name))
        };
        let is_named = |name: &str| invocation.pass_env.iter().any(|pattern| fits(pattern, name));
        let given = |(name, value): (&String, &SecretString)| {
            let whole = is_named(name) || !name.to_ascii_lowercase().ends_with("_proxy");
            (name.clone(), if whole { value.clone() } else { without_user(value) })
        };
        let passed = self.0.iter().filter(|(name, _)| wanted(name));
        let mut all: BTreeMap<_, _> = passed.map(given).collect();
        let set = invocation.env.iter();
        all.extend(set.map(|(name, value)| (name.clone(), SecretString::from(value.as_str()))));
        Variables { keys: keys(&all, key), all }
    }
}

/// A proxy's address without the name and password that may stand before its host.
fn without_user(address: &SecretString) -> SecretString {
    let address = address.expose_secret();
    let start = address.find("://").map_or(0, |at| at + 3);
    // A password may hold what ends an address when somebody forgot to encode it.
    let user = address[start..].rfind('@').map(|at| start + at + 1);
    let rest = user.map_or(&address[start..], |host| &address[host..]);
    SecretString::from(format!("{}{rest}", &address[..start]))
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

/// The values that must not be shown. One that only its variable's name tells of is not too short for it.
fn keys(variables: &BTreeMap<String, SecretString>, key: Option<&str>) -> Keys {
    let is_key = |name: &str, value: &str| {
        let by_name = SECRET_NAMES.iter().any(|part| name.to_ascii_uppercase().contains(part));
        if key == Some(name) { !value.is_empty() } else { by_name && value.len() >= secret::SHORTEST }
    };
    let keys = Keys::default();
    for (name, value) in variables {
        let value = value.expose_secret().trim();
        if is_key(name, value) {
            keys.add(&SecretString::from(value));
        }
    }
    keys
}

/// The environment of one program.
#[derive(Debug, Clone)]
pub(super) struct Variables {
    all: BTreeMap<String, SecretString>,
    keys: Keys,
}

impl Variables {
    /// Names and values, for the program alone.
    pub(super) fn exposed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all.iter().map(|(name, value)| (name.as_str(), value.expose_secret()))
    }

    /// `text` with each key in it replaced by `[key]`.
    pub(super) fn without_keys(&self, text: String) -> String {
        self.keys.conceal(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pass_env: &[&str]) -> Variables {
        let ours = [
            ("PATH", "/bin"),
            ("LC_ALL", "C"),
            ("LC", "no"),
            ("GITHUB_TOKEN", "ghp-not-for-you"),
            ("TOOL_KEY", "k-1"),
            ("TOOL_KEY_OLD", "k-1-long-and-old"),
            ("TOOL_REGION", "eu-west-1"),
            ("MONKEY", "ape"),
        ];
        let ours = ours.map(|(name, value)| (name.to_owned(), SecretString::from(value)));
        Surroundings::from_iter(ours).of(&Invocation {
            env: BTreeMap::from([("LC_ALL".to_owned(), "C.UTF-8".to_owned())]),
            api_key_env: Some("TOOL_KEY".to_owned()),
            pass_env: pass_env.iter().map(|name| (*name).to_owned()).collect(),
            ..Invocation::default()
        })
    }

    #[test]
    fn a_program_sees_what_it_needs_and_what_is_named() {
        let check = |pass_env: &[&str], expect: &[&str]| {
            let variables = variables(pass_env);
            let shown: Vec<_> = variables.exposed().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(shown, expect, "{pass_env:?}");
        };
        check(&[], &["LC_ALL=C.UTF-8", "PATH=/bin", "TOOL_KEY=k-1"]);
        check(
            &["TOOL_REGION", "NOT_SET"],
            &["LC_ALL=C.UTF-8", "PATH=/bin", "TOOL_KEY=k-1", "TOOL_REGION=eu-west-1"],
        );
        check(
            &["TOOL_*"],
            &[
                "LC_ALL=C.UTF-8",
                "PATH=/bin",
                "TOOL_KEY=k-1",
                "TOOL_KEY_OLD=k-1-long-and-old",
                "TOOL_REGION=eu-west-1",
            ],
        );
        assert_eq!(variables(&["*"]).exposed().count(), 8);
    }

    #[test]
    fn a_proxy_is_passed_on_without_its_password() {
        let check = |value: &str, pass_env: &[&str], expect: &str| {
            let ours = [("HTTPS_PROXY", value), ("http_proxy", value)];
            let ours = ours.map(|(name, value)| (name.to_owned(), SecretString::from(value)));
            let invocation = Invocation {
                pass_env: pass_env.iter().map(|name| (*name).to_owned()).collect(),
                ..Invocation::default()
            };
            let variables = Surroundings::from_iter(ours).of(&invocation);
            assert_eq!(
                variables.exposed().collect::<Vec<_>>(),
                [("HTTPS_PROXY", expect), ("http_proxy", expect)]
            );
        };
        check("http://proxy.example:3128/", &[], "http://proxy.example:3128/");
        check("http://ada:s3cret@proxy.example:3128", &[], "http://proxy.example:3128");
        check("ada:s3cret@proxy.example:3128", &[], "proxy.example:3128");
        check("socks5h://ada:s3/cr@et@[::1]:1080/x", &[], "socks5h://[::1]:1080/x");
        check("http://ada@proxy.example", &[], "http://proxy.example");
        let whole = "http://ada:s3cret@proxy.example:3128";
        check(whole, &["HTTPS_*", "http_proxy"], whole);
        check("", &[], "");
    }

    #[test]
    fn keys_are_taken_out_of_texts_and_words_are_not() {
        let check = |text: &str, expect: &str| {
            assert_eq!(variables(&["*"]).without_keys(text.to_owned()), expect);
        };
        check("k-1 is wrong", "[key] is wrong");
        check("was k-1-long-and-old", "was [key]");
        check("an ape in eu-west-1 has ghp-not-for-you", "an ape in eu-west-1 has [key]");
        assert!(!format!("{:?}", variables(&["*"])).contains("ghp"));
    }
}
