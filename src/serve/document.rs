//! The daemon's `OpenAPI` 3.1 document: [`document`]. What stands in it is said where the operations are.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::operation::{self, Content, Method, Operation, Parameter};
use crate::{VERSION, job::wire::Told};

/// Where schemas are in it.
const SCHEMAS: &str = "/components/schemas";

/// An answer that is none.
#[derive(Serialize, JsonSchema)]
struct Refusal {
    error: Complaint,
}

/// What is wrong.
#[derive(Serialize, JsonSchema)]
struct Complaint {
    /// For people.
    message: String,
    /// The kind of error, by status.
    #[serde(rename = "type")]
    kind: String,
    /// The key or parameter it is about.
    param: Option<String>,
    /// For programs, such as `queue_full`.
    code: Option<String>,
}

/// The document, indented, with a final newline.
pub fn document() -> String {
    let mut text = serde_json::to_string_pretty(&value()).unwrap_or_default();
    text.push('\n');
    text
}

fn value() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = SCHEMAS.into();
    settings.meta_schema = None;
    let mut schemas = settings.into_generator();
    let mut paths = Map::new();
    for operation in operation::ALL {
        let path = operation.path.replace("{*", "{");
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[method(operation.method)] = described(operation, &mut schemas);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "scrum serve",
            "version": VERSION,
            "summary": "Models asked once for all who ask the same, conversations about reviews, and reviews as jobs",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        // The last one: where callers have no keys.
        "security": [{ "bearer": [] }, { "key": [] }, { "login": [] }, {}],
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer" },
                "key": { "type": "apiKey", "in": "header", "name": "x-api-key" },
                "login": { "type": "http", "scheme": "basic", "description": "The key as password, under any name" },
            },
        },
    })
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Delete => "delete",
    }
}

fn described(operation: &Operation, schemas: &mut SchemaGenerator) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": parameters(operation),
        "responses": responses(operation, schemas),
    });
    if let Some(body) = operation.body {
        described["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": body(schemas) } } });
    }
    if operation.is_open {
        described["security"] = json!([]);
    }
    described
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let pieces = operation.path.split('/').filter_map(|piece| piece.strip_prefix('{')?.strip_suffix('}'));
    let in_path = pieces.map(|name| {
        let name = name.trim_start_matches('*');
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
    });
    let said = operation.parameters.iter().map(|parameter| {
        let Parameter { name, place, kind, description } = parameter;
        json!({ "name": name, "in": place, "description": description, "schema": { "type": kind } })
    });
    let tenant = (!operation.is_open).then(|| {
        let description = "For whom it is asked, where the caller's key does not say";
        json!({ "name": "x-org-id", "in": "header", "description": description, "schema": { "type": "string", "maxLength": 128 } })
    });
    in_path.chain(said).chain(tenant).collect()
}

fn responses(operation: &Operation, schemas: &mut SchemaGenerator) -> Value {
    let refusal = schemas.subschema_for::<Refusal>();
    let mut responses = json!({});
    for (status, description, content) in operation.answers {
        responses[status.to_string()] =
            json!({ "description": description, "content": answer(*content, schemas) });
    }
    let keys =
        [(401, "A key is needed"), (403, "The key is for another tenant, or a web page of elsewhere asks")];
    let usual = keys.into_iter().filter(|_| !operation.is_open);
    // The operation's own words come last, and count.
    for (status, description) in usual.chain(operation.refusals.iter().copied()) {
        responses[status.to_string()] =
            json!({ "description": description, "content": { "application/json": { "schema": refusal } } });
    }
    responses["default"] = json!({ "description": "Something else went wrong", "content": { "application/json": { "schema": refusal } } });
    responses
}

fn answer(content: Content, schemas: &mut SchemaGenerator) -> Value {
    let text = json!({ "schema": { "type": "string" } });
    let object = json!({ "schema": { "type": "object" } });
    match content {
        Content::Json(schema) => json!({ "application/json": { "schema": schema(schemas) } }),
        Content::JsonOrEvents => json!({ "application/json": object, "text/event-stream": text }),
        Content::Events => {
            // Named in words only: the form knows no place for the schema of an event.
            schemas.subschema_for::<Told<'_>>();
            json!({ "text/event-stream": text })
        }
        Content::Text => json!({ "text/plain": text }),
        Content::Page => json!({ "text/html": text }),
        Content::File => json!({ "application/json": {}, "text/plain": text }),
    }
}
