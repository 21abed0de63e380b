//! Which of the daemon's variables a job's process does not get to see: [`Withheld`].
//!
//! Programs of a repository can name any variable of that process, so it holds no secret but those that its own job needs.

use std::collections::BTreeSet;

use super::ground::Ground;
use crate::{
    config::{Config, Repository, StandIn, Webhook, env, presets},
    forge::address::TOKEN_VARIABLES,
    pull::Platform,
};

/// Programs of `PostgreSQL` take passwords from these.
const POSTGRES: [&str; 2] = ["PGPASSWORD", "PGPASSFILE"];

/// Variables with secrets.
#[derive(Debug, Clone, Default)]
pub(super) struct Withheld {
    /// Nobody's but the daemon's, or that of jobs about one repository.
    reserved: BTreeSet<String>,
    /// What else the daemon's configuration names.
    known: BTreeSet<String>,
}

impl Withheld {
    /// Those of the daemon, which knows of `secrets` by its configuration.
    pub(super) fn new(repositories: &[Repository], webhook: &Webhook, secrets: &[String]) -> Self {
        let tokens = repositories.iter().filter_map(|repository| repository.token_env.as_deref());
        let signed = Platform::ALL.into_iter().filter_map(|platform| webhook.secret_env(platform));
        let own = [env::STORE, env::KEY].into_iter().chain(POSTGRES);
        let reserved = tokens.chain(signed).chain(own).map(str::to_owned).collect();
        Self { reserved, known: secrets.iter().cloned().collect() }
    }

    /// What the job on `ground` does not see.
    pub(super) fn from(&self, ground: &Ground) -> Vec<&str> {
        let Some(config) =
            Config::load(None, Some(&ground.config), env::Environment, &|_| Ok(StandIn::Disk)).ok()
        else {
            // Its process will say what is wrong, for which it needs no secret.
            return self.all().collect();
        };
        let needed = needed(&config, ground.token_env.as_deref());
        let usual = if ground.has_own_config {
            customary(&config, ground.token_env.as_deref())
        } else {
            self.known.clone()
        };
        let is_withheld = |name: &&str| {
            let is_usual = usual.contains(*name) && !self.reserved.contains(*name);
            !needed.contains(*name) && !is_usual
        };
        self.all().filter(is_withheld).collect()
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        self.reserved.union(&self.known).map(String::as_str)
    }
}

/// What the job's configuration names, and the token for its server.
fn needed(config: &Config, token: Option<&str>) -> BTreeSet<String> {
    let named = config.key_variables().chain(config.forge.token_env.as_deref()).chain(token);
    named.map(str::to_owned).collect()
}

/// What is used by custom where a configuration names nothing.
fn customary(config: &Config, token: Option<&str>) -> BTreeSet<String> {
    let keys = presets().into_iter().filter_map(|preset| preset.api_key_env);
    let keys = keys.filter(|_| !config.names_reviewers);
    let names_token = token.or(config.forge.token_env.as_deref()).is_some();
    let tokens = TOKEN_VARIABLES.into_iter().filter(|_| !names_token).map(str::to_owned);
    keys.chain(tokens).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two repositories, a webhook, and the keys of the daemon's reviewers.
    fn withheld() -> Withheld {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        Withheld {
            reserved: names(&["A_TOKEN", "B_TOKEN", "HOOK", "PGPASSWORD"]),
            known: names(&["A_TOKEN", "B_TOKEN", "HOOK", "DAEMON_KEY", "OPENAI_API_KEY", "GITHUB_TOKEN"]),
        }
    }

    fn check(text: &str, token_env: Option<&str>, has_own_config: bool, expect: &[&str]) {
        let file = tempfile::NamedTempFile::new().unwrap();
        crate::store::write(file.path(), text.as_bytes()).unwrap();
        let ground = Ground::bare(file.path(), token_env, has_own_config);
        assert_eq!(withheld().from(&ground), expect, "{text}");
    }

    #[test]
    fn a_job_sees_what_it_needs() {
        let reviewer = "[[reviewer]]\nid = \"a\"\nprovider = \"openai\"\nmodel = \"m\"\nbase_url = \"http://127.0.0.1:1/v1\"\napi_key_env = \"DAEMON_KEY\"\n";
        // The daemon's own configuration.
        check(reviewer, Some("A_TOKEN"), false, &["B_TOKEN", "HOOK", "PGPASSWORD"]);
        check(reviewer, None, false, &["A_TOKEN", "B_TOKEN", "HOOK", "PGPASSWORD"]);
        // One of its own.
        check(reviewer, None, true, &["A_TOKEN", "B_TOKEN", "HOOK", "OPENAI_API_KEY", "PGPASSWORD"]);
        check(
            reviewer,
            Some("A_TOKEN"),
            true,
            &["B_TOKEN", "GITHUB_TOKEN", "HOOK", "OPENAI_API_KEY", "PGPASSWORD"],
        );
        check("", Some("A_TOKEN"), true, &["B_TOKEN", "DAEMON_KEY", "GITHUB_TOKEN", "HOOK", "PGPASSWORD"]);
        check(
            "[forge]\ntoken_env = \"GITHUB_TOKEN\"\n",
            None,
            true,
            &["A_TOKEN", "B_TOKEN", "DAEMON_KEY", "HOOK", "PGPASSWORD"],
        );
        check(
            "nonsense",
            None,
            true,
            &["A_TOKEN", "B_TOKEN", "DAEMON_KEY", "GITHUB_TOKEN", "HOOK", "OPENAI_API_KEY", "PGPASSWORD"],
        );
    }
}
