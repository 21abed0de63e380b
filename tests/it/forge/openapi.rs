//! A published `OpenAPI` description, cut down by `openapi/reduce.py`, and whether a request fits it: [`Description`].
//!
//! Stricter than the documents: a member of a body and a parameter of a query must be named there, since none of them forbids others.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::Request;

/// One document.
pub(crate) struct Description(Value);

/// What a request is by the document.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Its path with names in braces.
    pub(crate) route: String,
    /// What stands in their places, decoded.
    pub(crate) parts: BTreeMap<String, String>,
}

impl Description {
    pub(crate) fn read(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap())
    }

    /// Which operation `request` is, or what about it does not fit.
    pub(crate) fn check(&self, request: &Request) -> Result<Operation, String> {
        let method = request.method.as_str().to_lowercase();
        let paths = self.0["paths"].as_object().unwrap();
        // A path without braces goes before one with them.
        let fitting =
            paths.iter().filter_map(|(route, item)| Some((route, item, parts(route, &request.path)?)));
        let (route, item, parts) =
            fitting.min_by_key(|(_, _, parts)| parts.len()).ok_or("no such path in the description")?;
        let operation = item.get(&method).ok_or("no such method of this path in the description")?;
        self.check_parameters(operation, request, &parts)?;
        self.check_body(operation, request)?;
        Ok(Operation { route: route.clone(), parts })
    }

    fn check_parameters(
        &self,
        operation: &Value,
        request: &Request,
        parts: &BTreeMap<String, String>,
    ) -> Result<(), String> {
        let parameters: Vec<&Value> =
            operation["parameters"].as_array().into_iter().flatten().map(|one| self.resolved(one)).collect();
        let named = |place: &str, name: &str| {
            parameters.iter().find(|one| one["in"] == place && one["name"] == name).copied()
        };
        for (name, value) in parts {
            let parameter = named("path", name).ok_or(format!("path parameter {name} is not described"))?;
            self.check_text(&parameter["schema"], name, value)?;
        }
        for (name, value) in &request.query {
            let parameter = named("query", name).ok_or(format!("query parameter {name} is not described"))?;
            self.check_text(&parameter["schema"], name, value)?;
        }
        let missing = parameters.iter().find(|one| {
            let is_given = request.query.iter().any(|(name, _)| one["name"] == *name);
            one["in"] == "query" && one["required"] == true && !is_given
        });
        missing.map_or(Ok(()), |one| Err(format!("query parameter {} is missing", one["name"])))
    }

    fn check_body(&self, operation: &Value, request: &Request) -> Result<(), String> {
        let described = self.resolved(&operation["requestBody"]);
        if request.body.is_null() {
            let is_required = described["required"] == true;
            return if is_required { Err("the body is missing".to_owned()) } else { Ok(()) };
        }
        let schema = described["content"].get("application/json").ok_or("it takes no JSON body")?;
        let kind = request.headers.get("content-type").and_then(|value| value.to_str().ok());
        if kind != Some("application/json") {
            return Err(format!("the body's content-type is {kind:?}"));
        }
        self.check_value(&schema["schema"], &request.body)
    }

    /// A parameter is text on its way; a number must look like one.
    fn check_text(&self, schema: &Value, name: &str, text: &str) -> Result<(), String> {
        let value = serde_json::from_str(text).ok().filter(Value::is_number);
        let fits = |value: &Value| self.check_value(schema, value);
        let outcome = value.map_or(Err(String::new()), |value| fits(&value)).or_else(|_| fits(&json!(text)));
        outcome.map_err(|error| format!("{name}: {error}"))
    }

    fn check_value(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let mut whole = closed(schema);
        whole["components"] = closed(&self.0["components"]);
        let validator = jsonschema::draft4::new(&whole).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{} at {:?}", error, error.instance_path().to_string()))
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.0.pointer(reference.trim_start_matches('#')).unwrap(),
            None => value,
        }
    }
}

/// What `path` has in the places of `route`, decoded, if it is of that form.
fn parts(route: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let (route, path): (Vec<&str>, Vec<&str>) = (route.split('/').collect(), path.split('/').collect());
    if route.len() != path.len() {
        return None;
    }
    let mut parts = BTreeMap::new();
    for (wanted, part) in route.into_iter().zip(path) {
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(_) if part.is_empty() => return None,
            Some(name) => {
                parts.insert(name.to_owned(), percent_decode_str(part).decode_utf8().ok()?.into_owned());
            }
            None if wanted == part => {}
            None => return None,
        }
    }
    Some(parts)
}

/// The schema in the words of JSON Schema, with objects that take no member but those it names.
fn closed(schema: &Value) -> Value {
    match schema {
        Value::Array(items) => items.iter().map(closed).collect(),
        Value::Object(fields) => {
            let mut fields: Map<String, Value> =
                fields.iter().map(|(key, value)| (key.clone(), closed(value))).collect();
            let is_nullable = fields.remove("nullable") == Some(json!(true));
            if let (true, Some(kind)) = (is_nullable, fields.get("type").cloned()) {
                fields.insert("type".to_owned(), json!([kind, "null"]));
            }
            if fields.get("type") == Some(&json!("object")) && fields.contains_key("properties") {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
            Value::Object(fields)
        }
        other => other.clone(),
    }
}

#[test]
fn what_is_not_described_is_found() {
    let check = |method: &str, rest: &str, body: Value, expect: Result<&str, &str>| {
        let found = fit(method, &format!("/repos/acme/shop{rest}"), body);
        let expect = expect.map(|rest| format!("/repos/{{owner}}/{{repo}}{rest}")).map_err(str::to_owned);
        assert_eq!(found, expect, "{method} {rest}");
    };
    let (there, comments) = ("/issues/5/comments", "/issues/{issue_number}/comments");
    check("GET", "/issues/5/comments?per_page=100", Value::Null, Ok(comments));
    check("POST", there, json!({"body": "b"}), Ok(comments));
    check("GET", "/issues/comments", Value::Null, Err("no such path in the description"));
    check("PUT", there, Value::Null, Err("no such method of this path in the description"));
    let word = "issue_number: \"five\" is not of type \"integer\" at \"\"";
    check("GET", "/issues/five/comments", Value::Null, Err(word));
    check("GET", "/issues/5/comments?limit=3", Value::Null, Err("query parameter limit is not described"));
    check("POST", there, Value::Null, Err("the body is missing"));
    check("POST", there, json!({"body": 3}), Err("3 is not of type \"string\" at \"/body\""));
    check("POST", there, json!({}), Err("\"body\" is a required property at \"\""));
    let unexpected = "Additional properties are not allowed ('text' was unexpected) at \"\"";
    check("POST", there, json!({"body": "b", "text": "t"}), Err(unexpected));
    check("POST", "/statuses/abc", json!({"state": "success", "target_url": null}), Ok("/statuses/{sha}"));
    let comment = json!({"event": "COMMENT", "comments": [{"path": "a", "body": "b", "row": 3}]});
    let unexpected = "Additional properties are not allowed ('row' was unexpected) at \"/comments/0\"";
    check("POST", "/pulls/5/reviews", comment, Err(unexpected));
}

/// The operation of GitHub's that such a request is, or what about it does not fit.
fn fit(method: &str, path: &str, body: Value) -> Result<String, String> {
    let url = url::Url::parse(&format!("http://h{path}")).unwrap();
    let request = Request {
        method: method.parse().unwrap(),
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers: [(http::header::CONTENT_TYPE, "application/json".parse().unwrap())].into_iter().collect(),
        body,
        url: String::new(),
    };
    let description = Description::read(include_str!("openapi/github.json"));
    description.check(&request).map(|operation| operation.route)
}
