//! Tools that a model may call, and which it must: [`translate`].

use serde_json::{Map, Value, json};

use super::Untranslatable;

/// Puts `tools`, `tool_choice` and `parallel_tool_calls` into the API's form. Tools of its own go through untouched.
pub(super) fn translate(asked: &mut Map<String, Value>) -> Result<(), Untranslatable> {
    let parallel = asked.shift_remove("parallel_tool_calls");
    let choice = asked.shift_remove("tool_choice");
    let has_tools = match asked.get_mut("tools") {
        Some(Value::Array(tools)) => {
            for (at, tool) in tools.iter_mut().enumerate() {
                *tool = in_their_form(tool.take(), at)?;
            }
            !tools.is_empty()
        }
        Some(_) => return Err(Untranslatable::new("tools", "is not a list")),
        None => false,
    };
    if !has_tools {
        asked.shift_remove("tools");
    }
    let choice = choice.map(which).transpose()?;
    let one_at_a_time = parallel == Some(json!(false));
    if let Some(choice) = settled(choice, has_tools, one_at_a_time) {
        asked.insert("tool_choice".to_owned(), choice);
    }
    Ok(())
}

fn in_their_form(tool: Value, at: usize) -> Result<Value, Untranslatable> {
    let place = || format!("tools[{at}]");
    let Value::Object(mut tool) = tool else { return Err(Untranslatable::new(place(), "is not an object")) };
    if tool.contains_key("custom") {
        return Err(Untranslatable::no_counterpart(format!("{}.custom", place())));
    }
    let Some(function) = tool.shift_remove("function") else { return Ok(Value::Object(tool)) };
    let Value::Object(mut function) = function else {
        return Err(Untranslatable::new(format!("{}.function", place()), "is not an object"));
    };
    tool.shift_remove("type");
    let schema = function.shift_remove("parameters").unwrap_or_default();
    function.retain(|_, value| !value.is_null());
    function.insert("input_schema".to_owned(), input_schema(schema));
    // A marker for the cache may stand beside the function.
    function.extend(tool);
    Ok(Value::Object(function))
}

/// A function without parameters is one of an object without members, and the API insists that it is told.
fn input_schema(parameters: Value) -> Value {
    match parameters {
        Value::Null => json!({ "type": "object", "properties": {} }),
        Value::Object(mut schema) => {
            schema.entry("type").or_insert_with(|| json!("object"));
            Value::Object(schema)
        }
        strange => strange,
    }
}

fn which(choice: Value) -> Result<Value, Untranslatable> {
    match choice.as_str() {
        Some("none") => return Ok(json!({ "type": "none" })),
        Some("auto") => return Ok(json!({ "type": "auto" })),
        Some("required") => return Ok(json!({ "type": "any" })),
        Some(_) => return Err(Untranslatable::new("tool_choice", "is none, auto, required or a function")),
        None => {}
    }
    match choice.get("type").and_then(Value::as_str) {
        Some("function") => {
            let name = choice.pointer("/function/name").cloned().unwrap_or_default();
            Ok(json!({ "type": "tool", "name": name }))
        }
        Some("allowed_tools" | "custom") => Err(Untranslatable::no_counterpart("tool_choice")),
        _ => Ok(choice),
    }
}

/// The choice as it is sent: none where there are no tools to choose from, since the API refuses that.
fn settled(choice: Option<Value>, has_tools: bool, one_at_a_time: bool) -> Option<Value> {
    let is_free = |choice: &Value| matches!(choice["type"].as_str(), Some("auto" | "none"));
    let mut choice = match choice {
        Some(choice) if has_tools || !is_free(&choice) => choice,
        None if has_tools && one_at_a_time => json!({ "type": "auto" }),
        _ => return None,
    };
    if one_at_a_time
        && choice["type"] != "none"
        && let Some(members) = choice.as_object_mut()
    {
        members.entry("disable_parallel_tool_use").or_insert(json!(true));
    }
    Some(choice)
}
