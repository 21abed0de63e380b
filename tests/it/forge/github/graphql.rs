//! GitHub's GraphQL, as far as it is asked: [`Schema`]. A request must fit the published schema, and the answer has what was asked for
//! and no more.

use std::collections::BTreeMap;

use graphql_parser::{
    parse_query, parse_schema,
    query::{self, OperationDefinition, Selection, SelectionSet},
    schema::{self, InputValue, Type, TypeDefinition},
};
use serde_json::{Map, Value, json};

use super::super::{Answer, Discussion, OURS, Pull, Request};

/// Largest page that the server gives.
const LARGEST_PAGE: usize = 100;

/// The published schema, cut down by `openapi/reduce_graphql.py`.
pub(super) struct Schema {
    types: BTreeMap<String, TypeDefinition<'static, String>>,
}

/// An operation of a document.
struct Operation {
    root: &'static str,
    variables: Vec<query::VariableDefinition<'static, String>>,
    selection: SelectionSet<'static, String>,
}

/// Whether a request names a mutation.
pub(super) fn is_change(body: &Value) -> bool {
    operation(body).is_ok_and(|operation| operation.root == "Mutation")
}

impl Schema {
    pub(super) fn read(text: &'static str) -> Self {
        let document = parse_schema::<String>(text).unwrap().into_static();
        let types = document.definitions.into_iter().filter_map(|definition| match definition {
            schema::Definition::TypeDefinition(kind) => Some((name_of(&kind).to_owned(), kind)),
            _ => None,
        });
        Self { types: types.collect() }
    }

    pub(super) fn answer(&self, pull: &mut Pull, request: &Request) -> Result<Answer, String> {
        if request.headers.get("authorization").is_none() {
            return Err("GraphQL is not for the public".to_owned());
        }
        let operation = operation(&request.body)?;
        let variables = &request.body["variables"];
        check_variables(&operation.variables, variables)?;
        self.check(operation.root, &operation.selection, &operation.variables)?;
        let whole = match operation.root {
            "Query" => read(pull, &operation.selection, variables),
            _ => change(pull, &operation.selection, variables)?,
        };
        Ok(match whole {
            Ok(whole) => Answer::of(200, json!({"data": project(&whole, &operation.selection)})),
            Err((kind, message)) => Answer::of(
                200,
                json!({"data": empty(&operation.selection), "errors": [{"type": kind, "message": message}]}),
            ),
        })
    }

    /// Whether the type has these fields, with these arguments.
    fn check(
        &self,
        kind: &str,
        selection: &SelectionSet<'static, String>,
        variables: &[query::VariableDefinition<'static, String>],
    ) -> Result<(), String> {
        let fields = self.fields(kind).ok_or(format!("type {kind} has no fields"))?;
        for item in &selection.items {
            let Selection::Field(asked) = item else { return Err("the mock reads no fragments".to_owned()) };
            if asked.name == "__typename" {
                continue;
            }
            let field = fields.iter().find(|field| field.name == asked.name);
            let field = field.ok_or(format!("type {kind} has no field {}", asked.name))?;
            self.check_arguments(&field.arguments, &asked.arguments, variables)?;
            let inner = named(&field.field_type);
            match (self.fields(inner), asked.selection_set.items.is_empty()) {
                (Some(_), false) => self.check(inner, &asked.selection_set, variables)?,
                (None, true) => {}
                _ => return Err(format!("{kind}.{} is asked for with the wrong depth", asked.name)),
            }
        }
        Ok(())
    }

    fn check_arguments(
        &self,
        taken: &[InputValue<'static, String>],
        given: &[(String, query::Value<'static, String>)],
        variables: &[query::VariableDefinition<'static, String>],
    ) -> Result<(), String> {
        if let Some(missing) =
            taken.iter().find(|one| is_needed(one) && given.iter().all(|(name, _)| *name != one.name))
        {
            return Err(format!("argument {} is missing", missing.name));
        }
        for (name, value) in given {
            let argument =
                taken.iter().find(|one| one.name == *name).ok_or(format!("there is no argument {name}"))?;
            self.check_argument(argument, value, variables)?;
        }
        Ok(())
    }

    fn check_argument(
        &self,
        argument: &InputValue<'static, String>,
        value: &query::Value<'static, String>,
        variables: &[query::VariableDefinition<'static, String>],
    ) -> Result<(), String> {
        let kind = named(&argument.value_type);
        let is_right = match value {
            query::Value::Variable(name) => {
                let declared = variables.iter().find(|one| one.name == *name);
                declared.is_some_and(|one| {
                    named(&one.var_type) == kind
                        && (is_optional(&argument.value_type) || !is_optional(&one.var_type))
                })
            }
            query::Value::Int(number) if kind == "Int" => {
                let number = number.as_i64().unwrap_or_default();
                !["first", "last"].contains(&argument.name.as_str())
                    || (1..=LARGEST_PAGE).contains(&usize::try_from(number).unwrap_or_default())
            }
            query::Value::Object(members) => {
                let Some(TypeDefinition::InputObject(input)) = self.types.get(kind) else {
                    return Err(format!("argument {} takes no object", argument.name));
                };
                let members: Vec<_> =
                    members.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
                return self.check_arguments(&input.fields, &members, variables);
            }
            _ => false,
        };
        if is_right { Ok(()) } else { Err(format!("argument {} is {value}", argument.name)) }
    }

    fn fields(&self, kind: &str) -> Option<&[schema::Field<'static, String>]> {
        match self.types.get(kind)? {
            TypeDefinition::Object(object) => Some(&object.fields),
            TypeDefinition::Interface(interface) => Some(&interface.fields),
            _ => None,
        }
    }
}

fn operation(body: &Value) -> Result<Operation, String> {
    let text = body["query"].as_str().ok_or("there is no query")?;
    let document = parse_query::<String>(text).map_err(|error| error.to_string())?.into_static();
    let wanted = body["operationName"].as_str();
    let operations = document.definitions.into_iter().filter_map(|definition| match definition {
        query::Definition::Operation(OperationDefinition::Query(one)) => Some((
            one.name,
            Operation { root: "Query", variables: one.variable_definitions, selection: one.selection_set },
        )),
        query::Definition::Operation(OperationDefinition::Mutation(one)) => Some((
            one.name,
            Operation { root: "Mutation", variables: one.variable_definitions, selection: one.selection_set },
        )),
        _ => None,
    });
    let found = operations.into_iter().find(|(name, _)| name.as_deref() == wanted);
    found.map(|(_, operation)| operation).ok_or(format!("there is no operation {wanted:?}"))
}

fn check_variables(
    declared: &[query::VariableDefinition<'static, String>],
    given: &Value,
) -> Result<(), String> {
    let given = given.as_object().ok_or("variables are no object")?;
    if let Some(name) = given.keys().find(|name| declared.iter().all(|one| one.name != **name)) {
        return Err(format!("variable {name} is not declared"));
    }
    declared.iter().try_for_each(|one| {
        let value = given.get(&one.name).unwrap_or(&Value::Null);
        if fits(value, &one.var_type) { Ok(()) } else { Err(format!("variable {} is {value}", one.name)) }
    })
}

type Whole = Result<Value, (&'static str, String)>;

fn read(pull: &Pull, selection: &SelectionSet<'static, String>, variables: &Value) -> Whole {
    if is_asked(selection, "viewer") {
        return Ok(json!({"viewer": {"databaseId": super::account(OURS), "login": OURS}}));
    }
    let project = format!("{}/{}", text(&variables["owner"]), text(&variables["name"]));
    // Renames are followed.
    if project != pull.project && Some(&project) != pull.former_project.as_ref() {
        return Err(("NOT_FOUND", format!("Could not resolve to a Repository with the name '{project}'.")));
    }
    if variables["number"] != pull.number {
        return Err((
            "NOT_FOUND",
            format!("Could not resolve to a PullRequest with the number of {}.", variables["number"]),
        ));
    }
    let begin = variables["after"].as_str().and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let page: Vec<&Discussion> = pull.threads.iter().skip(begin).take(LARGEST_PAGE).collect();
    let end = begin + page.len();
    Ok(json!({"repository": {"pullRequest": {"reviewThreads": {
        "pageInfo": {"hasNextPage": end < pull.threads.len(), "endCursor": end.to_string()},
        "nodes": page.into_iter().map(thread_form).collect::<Vec<_>>(),
    }}}}))
}

fn change(
    pull: &mut Pull,
    selection: &SelectionSet<'static, String>,
    variables: &Value,
) -> Result<Whole, String> {
    if !is_asked(selection, "resolveReviewThread") {
        return Err("the mock does not do this mutation".to_owned());
    }
    let id = text(&variables["thread"]).strip_prefix("PRRT_").and_then(|id| id.parse().ok());
    let id: u64 = id.ok_or("an id of the wrong kind")?;
    let may_resolve = pull.writers.contains(OURS);
    let Some(thread) = pull.thread(id) else {
        return Ok(Err((
            "NOT_FOUND",
            format!("Could not resolve to a node with the global id of 'PRRT_{id}'"),
        )));
    };
    if thread.comments.iter().any(|said| said.author != OURS) {
        return Err(format!("thread {id} has words of others"));
    }
    if !may_resolve {
        return Ok(Err(("FORBIDDEN", "Resource not accessible by integration".to_owned())));
    }
    thread.is_resolved = true;
    Ok(Ok(json!({"resolveReviewThread": {"thread": thread_form(thread)}})))
}

fn thread_form(thread: &Discussion) -> Value {
    let comments = thread.comments.iter().map(|said| {
        // An app's login has no mark here.
        let (kind, login) = match said.author.strip_suffix("[bot]") {
            Some(login) => ("Bot", login),
            None => ("User", said.author.as_str()),
        };
        json!({
            "id": format!("PRRC_{}", said.id), "fullDatabaseId": said.id.to_string(), "body": said.body, "createdAt": said.at,
            "viewerDidAuthor": said.author == OURS, "author": {"__typename": kind, "login": login},
        })
    });
    json!({
        "id": format!("PRRT_{}", thread.id), "isResolved": thread.is_resolved, "isOutdated": thread.is_outdated,
        "comments": {
            "pageInfo": {"hasNextPage": thread.comments.len() > LARGEST_PAGE, "endCursor": LARGEST_PAGE.to_string()},
            "nodes": comments.take(LARGEST_PAGE).collect::<Vec<_>>(),
        },
    })
}

/// What stands beside errors.
fn empty(selection: &SelectionSet<'static, String>) -> Value {
    let fields = selection.items.iter().filter_map(|item| match item {
        Selection::Field(field) => Some((field.name.clone(), Value::Null)),
        _ => None,
    });
    fields.collect::<Map<_, _>>().into()
}

/// Of `value` what is asked for.
fn project(value: &Value, selection: &SelectionSet<'static, String>) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| project(item, selection)).collect(),
        Value::Object(members) if !selection.items.is_empty() => {
            let asked = selection.items.iter().filter_map(|item| match item {
                Selection::Field(field) => Some(field),
                _ => None,
            });
            let kept: Map<String, Value> = asked
                .filter_map(|field| {
                    Some((field.name.clone(), project(members.get(&field.name)?, &field.selection_set)))
                })
                .collect();
            Value::Object(kept)
        }
        other => other.clone(),
    }
}

fn is_asked(selection: &SelectionSet<'static, String>, name: &str) -> bool {
    selection.items.iter().any(|item| matches!(item, Selection::Field(field) if field.name == name))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn name_of<'a>(kind: &'a TypeDefinition<'static, String>) -> &'a str {
    match kind {
        TypeDefinition::Scalar(one) => &one.name,
        TypeDefinition::Object(one) => &one.name,
        TypeDefinition::Interface(one) => &one.name,
        TypeDefinition::Union(one) => &one.name,
        TypeDefinition::Enum(one) => &one.name,
        TypeDefinition::InputObject(one) => &one.name,
    }
}

fn named<'a>(kind: &'a Type<'static, String>) -> &'a str {
    match kind {
        Type::NamedType(name) => name,
        Type::ListType(inner) | Type::NonNullType(inner) => named(inner),
    }
}

fn is_optional(kind: &Type<'static, String>) -> bool {
    !matches!(kind, Type::NonNullType(_))
}

fn is_needed(argument: &InputValue<'static, String>) -> bool {
    !is_optional(&argument.value_type) && argument.default_value.is_none()
}

/// Whether a variable's value is of the type; those in use are plain.
fn fits(value: &Value, kind: &Type<'static, String>) -> bool {
    match kind {
        Type::NonNullType(inner) => !value.is_null() && fits(value, inner),
        _ if value.is_null() => true,
        Type::NamedType(name) => match name.as_str() {
            "Int" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            "String" | "ID" => value.is_string(),
            _ => false,
        },
        Type::ListType(_) => false,
    }
}

#[test]
fn what_the_schema_does_not_have_is_found() {
    let schema = Schema::read(include_str!("../openapi/github.graphql"));
    let check = |query: &str, variables: Value, expect: &str| {
        let operation = operation(&json!({"query": query})).unwrap();
        let outcome = check_variables(&operation.variables, &variables)
            .and_then(|()| schema.check(operation.root, &operation.selection, &operation.variables));
        assert_eq!(outcome.err().as_deref().unwrap_or("fits"), expect, "{query}");
    };
    check("query { viewer { databaseId } }", json!({}), "fits");
    check("query { viewer { email } }", json!({}), "type User has no field email");
    check("query { viewer }", json!({}), "Query.viewer is asked for with the wrong depth");
    check(
        "query { viewer { databaseId { a } } }",
        json!({}),
        "User.databaseId is asked for with the wrong depth",
    );
    let repository = |arguments: &str| {
        format!(
            "query($a: String!, $n: Int) {{ repository({arguments}) {{ pullRequest(number: 1) {{ reviewThreads(first: 9) {{ nodes {{ id }} }} }} }} }}"
        )
    };
    check(&repository("owner: $a, name: $a"), json!({"a": "x"}), "fits");
    check(&repository("owner: $a, name: $a"), json!({}), "variable a is null");
    check(&repository("owner: $a, name: $a"), json!({"a": 3}), "variable a is 3");
    check(&repository("owner: $a, name: $a"), json!({"a": "x", "b": 1}), "variable b is not declared");
    check(&repository("owner: $a"), json!({"a": "x"}), "argument name is missing");
    check(&repository("owner: $a, name: $n"), json!({"a": "x"}), "argument name is $n");
    check(&repository("owner: $a, name: $a, sort: 1"), json!({"a": "x"}), "there is no argument sort");
    let resolve = |input: &str| {
        format!("mutation($t: ID!) {{ resolveReviewThread(input: {input}) {{ thread {{ id }} }} }}")
    };
    check(&resolve("{threadId: $t}"), json!({"t": "x"}), "fits");
    check(&resolve("{thread: $t}"), json!({"t": "x"}), "argument threadId is missing");
}
