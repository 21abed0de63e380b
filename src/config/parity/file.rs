//! The form of a parity spec: [`File`] mirrors it key by key, [`CaseEntry`] a case wherever it is written.

use std::{
    collections::BTreeMap,
    fmt,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor, value::SeqAccessDeserializer},
};
use serde_json::value::RawValue;

use super::files;
use crate::{
    config::service::{ServiceEntry, timeout},
    gauntlet::parity::Case,
};

/// A whole spec.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    pub(super) name: Option<String>,
    pub(super) concurrency: Option<NonZeroUsize>,
    pub(super) ignore: Vec<String>,
    pub(super) mask: Vec<String>,
    pub(super) sort: Vec<String>,
    pub(super) tolerance: TolerancesEntry,
    pub(super) replace: Vec<ReplaceEntry>,
    pub(super) compare_headers: Vec<String>,
    pub(super) service: Vec<ServiceEntry>,
    pub(super) side: Vec<SideEntry>,
    pub(super) case: Vec<CaseEntry<toml::Value>>,
    #[serde(deserialize_with = "one_or_several")]
    pub(super) cases: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SideEntry {
    pub(super) name: String,
    pub(super) url: Option<String>,
    pub(super) command: Option<Vec<String>>,
    pub(super) answers: Option<PathBuf>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) timeout_secs: Option<u64>,
    pub(super) folder: Option<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) pass_env: Vec<String>,
    pub(super) files: Vec<String>,
}

impl SideEntry {
    /// A key that says nothing about such a side, and the one that it needs.
    pub(super) fn misplaced(&self) -> Option<(&'static str, &'static str)> {
        let of_commands = [
            ("folder", self.folder.is_some()),
            ("env", !self.env.is_empty()),
            ("pass_env", !self.pass_env.is_empty()),
            ("files", !self.files.is_empty()),
        ];
        let of_commands = of_commands.into_iter().filter(|_| self.command.is_none());
        let given = of_commands.filter(|(_, is_given)| *is_given).map(|(key, _)| (key, "command"));
        let headers = (self.url.is_none() && !self.headers.is_empty()).then_some(("headers", "url"));
        given.chain(headers).next()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplaceEntry {
    pub(super) pattern: String,
    pub(super) with: String,
}

/// `tolerance = 1e-9`, or `[[tolerance]]`.
#[derive(Debug)]
pub(super) enum TolerancesEntry {
    One(f64),
    Several(Vec<ToleranceEntry>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToleranceEntry {
    pub(super) pointer: Option<String>,
    pub(super) absolute: Option<f64>,
    pub(super) relative: Option<f64>,
}

impl Default for TolerancesEntry {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl<'de> Deserialize<'de> for TolerancesEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = TolerancesEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or tables `[[tolerance]]`")
            }

            fn visit_f64<E>(self, far: f64) -> Result<Self::Value, E> {
                Ok(TolerancesEntry::One(far))
            }

            #[expect(clippy::cast_precision_loss, reason = "nobody tolerates that much exactly")]
            fn visit_i64<E>(self, far: i64) -> Result<Self::Value, E> {
                Ok(TolerancesEntry::One(far as f64))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(TolerancesEntry::Several)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Either;
    impl<'de> Visitor<'de> for Either {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a file in quotes, or a list of them")
        }

        fn visit_str<E>(self, one: &str) -> Result<Self::Value, E> {
            Ok(vec![one.to_owned()])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(list))
        }
    }
    deserializer.deserialize_any(Either)
}

/// A case as TOML or JSON has it; `J` is what stands for its `json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseEntry<J> {
    pub(super) name: String,
    method: Option<String>,
    #[serde(default)]
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    json: Option<J>,
    body: Option<String>,
    body_file: Option<PathBuf>,
    body_files: Option<Vec<String>>,
    timeout_secs: Option<u64>,
    #[serde(default)]
    allow_empty: bool,
}

/// What `json` of a case may be.
pub(super) trait JsonText {
    /// As JSON.
    fn json_text(&self) -> Result<String, String>;
}

impl JsonText for Box<RawValue> {
    fn json_text(&self) -> Result<String, String> {
        Ok(self.get().to_owned())
    }
}

impl JsonText for toml::Value {
    fn json_text(&self) -> Result<String, String> {
        Ok(json_of(self)?.to_string())
    }
}

fn json_of(value: &toml::Value) -> Result<serde_json::Value, String> {
    Ok(match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => serde_json::Number::from_f64(*number)
            .ok_or_else(|| format!("json: {number} is no number that JSON has"))?
            .into(),
        toml::Value::Boolean(value) => (*value).into(),
        toml::Value::Datetime(time) => return Err(format!("json: put the date in quotes: \"{time}\"")),
        toml::Value::Array(items) => items.iter().map(json_of).collect::<Result<Vec<_>, _>>()?.into(),
        toml::Value::Table(members) => {
            let member = |(key, value): (&String, &toml::Value)| Ok((key.clone(), json_of(value)?));
            serde_json::Value::Object(members.iter().map(member).collect::<Result<_, String>>()?)
        }
    })
}

impl<J: JsonText> CaseEntry<J> {
    /// The case, or with `body_files` one for each file.
    pub(super) fn into_cases(self, folder: &Path) -> Result<Vec<Case>, String> {
        if self.name.trim().is_empty() {
            return Err("needs a `name`".to_owned());
        }
        if !(self.path.is_empty() || self.path.starts_with(['/', '?'])) {
            return Err(format!("path {:?} must begin with `/`", self.path));
        }
        let json = self.json.as_ref().map(JsonText::json_text).transpose()?;
        let is_json = json.is_some();
        let bodies = match (json, self.body, self.body_file, self.body_files) {
            (None, None, None, None) => vec![(self.name, None)],
            (Some(text), None, None, None) | (None, Some(text), None, None) => {
                vec![(self.name, Some(text.into_bytes()))]
            }
            (None, None, Some(file), None) => vec![(self.name, Some(files::content(&folder.join(file))?))],
            (None, None, None, Some(patterns)) => {
                let mut bodies = Vec::new();
                for file in patterns
                    .iter()
                    .map(|pattern| files::matching(folder, pattern))
                    .collect::<Result<Vec<_>, _>>()?
                    .concat()
                {
                    let content = files::content(&folder.join(&file))?;
                    bodies.push((format!("{}/{}", self.name, files::name(&file)), Some(content)));
                }
                bodies
            }
            _ => return Err("has more than one of `json`, `body`, `body_file` and `body_files`".to_owned()),
        };
        let mut headers: Vec<(String, String)> =
            self.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        if is_json && !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let timeout = self.timeout_secs.map(timeout).transpose()?;
        let (method, path, allow_empty) = (self.method, self.path, self.allow_empty);
        let case = |(name, body): (String, Option<Vec<u8>>)| {
            let usual = if body.is_some() { "POST" } else { "GET" };
            let method = method.as_deref().unwrap_or(usual).to_ascii_uppercase();
            Case { name, method, path: path.clone(), headers: headers.clone(), body, timeout, allow_empty }
        };
        Ok(bodies.into_iter().map(case).collect())
    }
}
