//! Whether a message comes from whom it says: [`Secret`] holds what its platform and this daemon share.
//!
//! Everything is compared in a time that says nothing about the secret.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::pull::Platform;

/// How far the clocks of a platform and of this machine may be apart, in seconds.
const MOST_APART: u64 = 300;
/// What a signing token of GitLab begins with; its key follows in base64.
const SIGNING_TOKEN: &str = "whsec_";

/// What a platform and this daemon share.
#[derive(Debug, Clone)]
pub(super) struct Secret(SecretString);

/// Why a message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unproven {
    /// Nothing proves it.
    #[error("the message is not signed: give the webhook the secret that this daemon has for it")]
    Missing,
    /// Something else does.
    #[error("the signature is not right: the secret here and that of the webhook differ")]
    Wrong,
    /// It was signed at another time.
    #[error("the message was signed more than {MOST_APART} s before or after the time that it is here")]
    Late,
}

impl Secret {
    pub(super) fn new(secret: SecretString) -> Self {
        Self(secret)
    }

    /// Whether `platform` has sent `body` with these headers; `now` in seconds since 1970.
    pub(super) fn check(
        &self,
        platform: Platform,
        headers: &HeaderMap,
        body: &[u8],
        now: i64,
    ) -> Result<(), Unproven> {
        match platform {
            Platform::GitHub => self.check_hex(header(headers, &["x-hub-signature-256"]), body),
            Platform::Gitea => {
                let names = ["x-forgejo-signature", "x-gitea-signature", "x-hub-signature-256"];
                self.check_hex(header(headers, &names), body)
            }
            Platform::GitLab => match header(headers, &["webhook-signature"]) {
                Some(signatures) => self.check_signed(headers, signatures, body, now),
                None => self.check_token(header(headers, &["x-gitlab-token"])),
            },
        }
    }

    /// A signature over the body, in hexadecimal.
    fn check_hex(&self, signature: Option<&str>, body: &[u8]) -> Result<(), Unproven> {
        let signature = signature.ok_or(Unproven::Missing)?;
        let signature = signature.strip_prefix("sha256=").unwrap_or(signature);
        let signature = from_hex(signature).ok_or(Unproven::Wrong)?;
        let mac = mac(self.0.expose_secret().as_bytes()).chain_update(body);
        mac.verify_slice(&signature).map_err(|_| Unproven::Wrong)
    }

    /// The secret itself. Both sides are hashed with it, so that where they differ first cannot be timed.
    fn check_token(&self, token: Option<&str>) -> Result<(), Unproven> {
        let token = token.ok_or(Unproven::Missing)?;
        let own = self.0.expose_secret().as_bytes();
        let sent = mac(own).chain_update(token).finalize().into_bytes();
        mac(own).chain_update(own).verify_slice(&sent).map_err(|_| Unproven::Wrong)
    }

    /// The form of Standard Webhooks: a signature over an id, a time and the body.
    fn check_signed(
        &self,
        headers: &HeaderMap,
        signatures: &str,
        body: &[u8],
        now: i64,
    ) -> Result<(), Unproven> {
        let id = header(headers, &["webhook-id"]).ok_or(Unproven::Missing)?;
        let at = header(headers, &["webhook-timestamp"]).ok_or(Unproven::Missing)?;
        let key = self.signing_key();
        let signed = mac(&key).chain_update(id).chain_update(".").chain_update(at).chain_update(".");
        let signed = signed.chain_update(body);
        let is_right = |one: &str| {
            let signature = one.strip_prefix("v1,").and_then(|one| BASE64_STANDARD.decode(one).ok());
            signature.is_some_and(|signature| signed.clone().verify_slice(&signature).is_ok())
        };
        if !signatures.split(' ').any(is_right) {
            return Err(Unproven::Wrong);
        }
        let at: i64 = at.parse().map_err(|_| Unproven::Wrong)?;
        if now.abs_diff(at) > MOST_APART { Err(Unproven::Late) } else { Ok(()) }
    }

    fn signing_key(&self) -> Vec<u8> {
        let secret = self.0.expose_secret();
        let key = secret.strip_prefix(SIGNING_TOKEN).and_then(|key| BASE64_STANDARD.decode(key).ok());
        key.unwrap_or_else(|| secret.as_bytes().to_vec())
    }
}

/// The first of these headers that is there.
fn header<'a>(headers: &'a HeaderMap, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| headers.get(*name)?.to_str().ok()).map(str::trim)
}

fn mac(key: &[u8]) -> Hmac<Sha256> {
    // A key of any length is taken.
    <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes any key"))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| if let [high, low] = pair { Some(digit(*high)? << 4 | digit(*low)?) } else { None })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of GitHub's page on validating deliveries: for this secret and this body.
    const GITHUB_SECRET: &str = "It's a Secret to Everybody";
    const GITHUB_BODY: &[u8] = b"Hello, World!";
    const GITHUB_SIGNATURE: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    /// Of the Standard Webhooks' specification.
    const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const STANDARD_BODY: &[u8] = br#"{"test": 2432232314}"#;
    const STANDARD_AT: i64 = 1_614_265_330;
    const STANDARD: [(&str, &str); 3] = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ];

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn bodies_are_signed() {
        let secret = Secret::new(GITHUB_SECRET.into());
        let check = |platform, name: &'static str, value: &str, body: &[u8], expect| {
            let checked = secret.check(platform, &headers(&[(name, value)]), body, 0);
            assert_eq!(checked, expect, "{name}: {value}");
        };
        let (github, gitea) = (Platform::GitHub, Platform::Gitea);
        let signed = format!("sha256={GITHUB_SIGNATURE}");
        check(github, "x-hub-signature-256", &signed, GITHUB_BODY, Ok(()));
        check(gitea, "x-gitea-signature", GITHUB_SIGNATURE, GITHUB_BODY, Ok(()));
        check(gitea, "x-forgejo-signature", GITHUB_SIGNATURE, GITHUB_BODY, Ok(()));
        check(gitea, "x-hub-signature-256", &signed, GITHUB_BODY, Ok(()));
        check(github, "x-hub-signature-256", &signed, b"Hello, World", Err(Unproven::Wrong));
        check(github, "x-hub-signature-256", &signed[..70], GITHUB_BODY, Err(Unproven::Wrong));
        for wrong in ["", "sha256=", "sha256=zz", "sha1=7571", "\u{e4}"] {
            check(
                github,
                "x-hub-signature-256",
                wrong,
                GITHUB_BODY,
                if wrong == "\u{e4}" { Err(Unproven::Missing) } else { Err(Unproven::Wrong) },
            );
        }
        check(github, "x-hub-signature", "sha1=01", GITHUB_BODY, Err(Unproven::Missing));
        check(github, "x-gitea-signature", GITHUB_SIGNATURE, GITHUB_BODY, Err(Unproven::Missing));
        check(github, "x-gitlab-token", GITHUB_SECRET, GITHUB_BODY, Err(Unproven::Missing));
    }

    #[test]
    fn gitlab_sends_a_token_or_signs() {
        let check = |all: &[(&'static str, &str)], now: i64, expect| {
            let secret = Secret::new(STANDARD_SECRET.into());
            assert_eq!(secret.check(Platform::GitLab, &headers(all), STANDARD_BODY, now), expect, "{all:?}");
        };
        check(&STANDARD, STANDARD_AT, Ok(()));
        check(&STANDARD, STANDARD_AT + 300, Ok(()));
        check(&STANDARD, STANDARD_AT + 301, Err(Unproven::Late));
        check(&STANDARD, STANDARD_AT - 301, Err(Unproven::Late));
        check(&STANDARD[1..], STANDARD_AT, Err(Unproven::Missing));
        let [id, _, signature] = STANDARD;
        check(&[id, ("webhook-timestamp", "1614265331"), signature], STANDARD_AT, Err(Unproven::Wrong));
        check(&[("x-gitlab-token", STANDARD_SECRET)], 0, Ok(()));
        check(&[("x-gitlab-token", "whsec_")], 0, Err(Unproven::Wrong));
        check(&[("x-gitlab-token", "")], 0, Err(Unproven::Wrong));
        check(&[], 0, Err(Unproven::Missing));
    }

    proptest::proptest! {
        #[test]
        fn no_header_makes_it_fall(value in ".{0,80}", body: Vec<u8>) {
            let Ok(value) = http::HeaderValue::from_str(&value) else { return Ok(()) };
            let secret = Secret::new("s".into());
            for platform in Platform::ALL {
                for name in ["x-hub-signature-256", "x-gitea-signature", "webhook-signature"] {
                    let mut headers = headers(&STANDARD);
                    headers.insert(name, value.clone());
                    proptest::prop_assert!(secret.check(platform, &headers, &body, 0).is_err());
                }
            }
        }
    }
}
