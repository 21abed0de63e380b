//! What a reviewer's tokens cost: [`PriceList`] knows by the entry, the `[[price]]` lists and how it is asked.
//!
//! `prices.toml` is the lowest layer of these lists. A price nobody knows stays unknown: it is never taken for nothing.

use jiff::civil::Date;

use super::{ConfigError, file};
use crate::{
    cost::Price,
    reviewer::{Access, Reviewer, host, is_loopback},
};

/// What tokens of models cost, the entries that count for more first.
#[derive(Debug, Clone, Default)]
pub struct PriceList(Vec<file::ListedPrice>);

impl PriceList {
    /// Checks amounts and names.
    pub(super) fn new(list: Vec<file::ListedPrice>) -> Result<Self, ConfigError> {
        for entry in &list {
            let name = entry.models.first().ok_or(ConfigError::PriceOfNothing)?;
            if !entry.amounts().is_possible() {
                return Err(ConfigError::Price { model: name.clone() });
            }
        }
        Ok(Self(list))
    }

    /// The price of `reviewer`: its `own`, else that of the first entry that fits; nothing for what answers on this machine.
    pub(super) fn of(&self, reviewer: &Reviewer, own: Option<file::Price>) -> Option<Price> {
        if let Some(own) = own {
            return Some(own.at(None));
        }
        match &reviewer.access {
            Access::OpenAi { base_url, api_key_env } | Access::Anthropic { base_url, api_key_env } => {
                let listed = self.0.iter().find(|entry| entry.fits(&reviewer.model, base_url));
                let is_own = api_key_env.is_none() && is_loopback(base_url);
                listed.map(file::ListedPrice::price).or_else(|| is_own.then_some(Price::FREE))
            }
            // What a program sends, and on whose account, only it can tell.
            Access::Command(program) => runs_models_here(&program.argv).then_some(Price::FREE),
            Access::Sarif(_) | Access::Replay { .. } | Access::Builtin(_) => Some(Price::FREE),
        }
    }
}

impl file::Price {
    /// Whether every amount is one.
    pub(super) fn is_possible(self) -> bool {
        let Self { input, output, cached_input, cache_write } = self;
        [Some(input), Some(output), cached_input, cache_write]
            .into_iter()
            .flatten()
            .all(|usd| usd.is_finite() && usd >= 0.0)
    }

    fn at(self, as_of: Option<Date>) -> Price {
        let Self { input, output, cached_input, cache_write } = self;
        Price { input, output, cached_input, cache_write, as_of }
    }
}

impl file::ListedPrice {
    fn amounts(&self) -> file::Price {
        let Self { input, output, cached_input, cache_write, .. } = *self;
        file::Price { input, output, cached_input, cache_write }
    }

    fn price(&self) -> Price {
        let date = self.as_of.and_then(|moment| moment.date);
        let date = date.and_then(|date| {
            Date::new(
                i16::try_from(date.year).ok()?,
                i8::try_from(date.month).ok()?,
                i8::try_from(date.day).ok()?,
            )
            .ok()
        });
        self.amounts().at(date)
    }

    fn fits(&self, model: &str, base_url: &str) -> bool {
        let host = host(base_url);
        let host = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
        let is_at = |known: &String| {
            let rest = host.strip_suffix(known.as_str());
            rest.is_some_and(|above| above.is_empty() || above.ends_with('.'))
        };
        let at_host = self.hosts.is_empty() || self.hosts.iter().any(is_at);
        let model = plain(model.rsplit('/').next().unwrap_or(model));
        at_host && self.models.iter().any(|known| is_named(&plain(known), &model))
    }
}

fn plain(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace('.', "-")
}

/// Whether `model` is the one `known`, a date or `latest` behind it or not.
fn is_named(known: &str, model: &str) -> bool {
    if let Some(start) = known.strip_suffix('*') {
        return model.starts_with(start);
    }
    let Some(rest) = model.strip_prefix(known) else { return false };
    rest.is_empty() || rest == "-latest" || rest.strip_prefix('-').is_some_and(is_date)
}

/// `20260416`, `2025-08-07`, `0905`: a version such as `2` is none.
fn is_date(text: &str) -> bool {
    let first = text.split('-').next().unwrap_or_default();
    first.len() >= 4 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// Programs that load a model themselves.
fn runs_models_here(argv: &[String]) -> bool {
    let program = argv.first().map(String::as_str).unwrap_or_default();
    ["ollama", "llama-cli", "llamafile"].contains(&program.rsplit('/').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::tests::load,
        reviewer::{Invocation, Lineage, ReviewerId},
    };

    /// `input/output` in dollars per million, and when that was looked up.
    fn shown(price: Option<Price>) -> String {
        price.map_or("unknown".to_owned(), |price| {
            let of = price.as_of.map_or_else(String::new, |date| format!(" of {date}"));
            format!("{}/{}{of}", price.input, price.output)
        })
    }

    fn endpoint(base_url: &str, key: Option<&str>, model: &str) -> String {
        let key = key.map(|name| format!("api_key_env = \"{name}\"\n")).unwrap_or_default();
        let text = format!(
            "[[reviewer]]\nid = \"x\"\nprovider = \"openai\"\nmodel = \"{model}\"\nbase_url = \"{base_url}\"\n{key}"
        );
        shown(load(&text).unwrap().reviewers.last().unwrap().price)
    }

    #[test]
    fn models_and_addresses() {
        let check = |base_url: &str, key: Option<&str>, model: &str, expect: &str| {
            assert_eq!(endpoint(base_url, key, model), expect, "{model} at {base_url}");
        };
        let (openai, openrouter, key) =
            ("https://api.openai.com/v1", "https://openrouter.ai/api/v1", Some("K"));
        check(openai, key, "gpt-5", "1.25/10 of 2026-11-09");
        check(openai, key, "gpt-5-2025-08-07", "1.25/10 of 2026-11-09");
        check(openai, key, "gpt-5-mini", "0.25/2 of 2026-11-09");
        check(openai, key, "gpt-5.2", "1.75/14 of 2026-11-09");
        check(openai, key, "gpt-5.9", "unknown");
        check(openrouter, key, "anthropic/claude-opus-4.7", "5/25 of 2026-11-09");
        check(openrouter, key, "anthropic/claude-opus-4.7:free", "unknown");
        check(openrouter, key, "deepseek/deepseek-v4-pro", "unknown");
        check("https://api.deepseek.com/v1", key, "deepseek-v4-pro", "1.32/3.96 of 2026-11-09");
        check("https://api.deepseek.com.evil.example", key, "deepseek-v4-pro", "unknown");
        check("https://notapi.deepseek.com", key, "deepseek-v4-pro", "unknown");
        check("http://127.0.0.1:8080/v1", None, "deepseek-v4-pro", "0/0");
        check("http://[::1]:8080/v1", None, "x", "0/0");
        check("http://localhost:11434/v1", None, "qwen3", "0/0");
        // A proxy on this machine: somebody pays.
        check("http://127.0.0.1:4000", key, "some-alias", "unknown");
        check("http://127.0.0.1:4000", None, "claude-opus-4-7", "5/25 of 2026-11-09");
        check("https://gpu.example.org/v1", None, "qwen3", "unknown");
    }

    #[test]
    fn ones_own_prices_come_first() {
        let check = |text: &str, expect: &str| {
            let entry = "\n[[reviewer]]\nid = \"x\"\npreset = \"openai\"\nmodel = \"gpt-5-mini\"\n";
            let config = load(&format!("{text}{entry}")).unwrap();
            assert_eq!(shown(config.reviewers.last().unwrap().price), expect);
        };
        check("", "0.25/2 of 2026-11-09");
        check(
            "[[price]]\nmodels = [\"gpt-5-*\"]\ninput = 1\noutput = 2\nas_of = 2027-01-02\n",
            "1/2 of 2027-01-02",
        );
        check("[[price]]\nmodels = [\"gpt-5-*\"]\nhosts = [\"openai.com\"]\ninput = 1\noutput = 2\n", "1/2");
        check(
            "[[price]]\nmodels = [\"gpt-5-*\"]\nhosts = [\"example.com\"]\ninput = 1\noutput = 2\n",
            "0.25/2 of 2026-11-09",
        );
        let own = "[[reviewer]]\nid = \"x\"\npreset = \"openai\"\nmodel = \"gpt-5\"\nprice = { input = 3, output = 4 }\n";
        assert_eq!(shown(load(own).unwrap().reviewers.last().unwrap().price), "3/4");
    }

    #[test]
    fn programs_tell_or_nobody_knows() {
        let price = |argv: &[&str]| {
            let argv = argv.iter().map(|&word| word.to_owned()).collect();
            let access = Access::Command(Invocation { argv, ..Invocation::default() });
            let id = ReviewerId::new("x").unwrap();
            let reviewer = Reviewer::new(id, access, "claude-opus-5".to_owned(), Lineage::unknown());
            shown(PriceList::default().of(&reviewer, None))
        };
        assert_eq!(price(&["claude", "-p"]), "unknown");
        assert_eq!(price(&["/usr/bin/ollama", "run", "qwen3"]), "0/0");
    }

    #[test]
    fn the_list_is_dated_has_sources_and_names_no_model_twice() {
        let text = include_str!("prices.toml");
        let list = toml::from_str::<file::File>(text).unwrap().price;
        assert!(list.len() > 50);
        let mut seen = std::collections::BTreeSet::new();
        for entry in &list {
            assert!(entry.price().as_of.is_some(), "{:?} has no date", entry.models);
            assert!(
                entry.source.as_ref().is_some_and(|url| url.starts_with("https://")),
                "{:?}",
                entry.models
            );
            let price = entry.price();
            assert!(price.input <= price.output, "{:?}", entry.models);
            assert!(price.cached_input.is_none_or(|cached| cached < price.input), "{:?}", entry.models);
            entry.models.iter().for_each(|model| assert!(seen.insert(model.clone()), "{model} twice"));
        }
    }

    #[test]
    fn impossible_prices() {
        let check = |text: &str, expect: &str| assert_eq!(load(text).unwrap_err().to_string(), expect);
        check(
            "[[price]]\nmodels = []\ninput = 1\noutput = 2\n",
            "price.models is empty: a price is that of some model",
        );
        check(
            "[[price]]\nmodels = [\"m\"]\ninput = nan\noutput = 2\n",
            "price of \"m\": must be 0 or more US dollars per million tokens",
        );
    }
}
