//! A conversation in the API's form: [`translate`].
//!
//! Instructions go to the front, wherever they stood, as the API has one place for them and its maker's own door for chat
//! requests does the same. Neighbours of one role become one turn, and a tool's result is a part of the user's.

use serde_json::{Map, Value, json};

use super::Untranslatable;

/// Puts `messages` into the API's form, instructions into `system`.
pub(super) fn translate(asked: &mut Map<String, Value>) -> Result<(), Untranslatable> {
    let Some(Value::Array(messages)) = asked.shift_remove("messages") else {
        return Err(Untranslatable::new("messages", "is not a list"));
    };
    let (mut system, mut turns) = (Vec::new(), Vec::new());
    for (at, message) in messages.into_iter().enumerate() {
        let place = format!("messages[{at}]");
        let Value::Object(mut message) = message else {
            return Err(Untranslatable::new(place, "is not an object"));
        };
        let mut blocks = content(message.shift_remove("content"), &place)?;
        match message.get("role").and_then(Value::as_str) {
            Some("system" | "developer") => system.extend(marked(blocks, &message)),
            Some("user") => join(&mut turns, "user", marked(blocks, &message)),
            Some("assistant") => {
                blocks.extend(said_besides(&mut message, &place)?);
                join(&mut turns, "assistant", marked(blocks, &message));
            }
            Some("tool") => join(&mut turns, "user", vec![result(message, &blocks)]),
            _ => {
                let fault = "is system, developer, user, assistant or tool";
                return Err(Untranslatable::new(format!("{place}.role"), fault));
            }
        }
    }
    if !system.is_empty() {
        let before = asked.shift_remove("system");
        let before = before.map_or_else(|| Ok(Vec::new()), |own| content(Some(own), "system"))?;
        asked.insert("system".to_owned(), before.into_iter().chain(system).collect());
    }
    asked.insert(
        "messages".to_owned(),
        turns.into_iter().map(|turn| json!({ "role": turn.0, "content": turn.1 })).collect(),
    );
    Ok(())
}

fn join(turns: &mut Vec<(&'static str, Vec<Value>)>, role: &'static str, blocks: Vec<Value>) {
    match turns.last_mut() {
        Some((last, earlier)) if *last == role => earlier.extend(blocks),
        _ if blocks.is_empty() => {}
        _ => turns.push((role, blocks)),
    }
}

/// `blocks`, with a marker for the cache that stands on the message on its last block.
fn marked(mut blocks: Vec<Value>, message: &Map<String, Value>) -> Vec<Value> {
    let marker = message.get("cache_control");
    if let (Some(marker), Some(Value::Object(block))) = (marker, blocks.last_mut()) {
        block.entry("cache_control").or_insert_with(|| marker.clone());
    }
    blocks
}

/// The content of a message as blocks. Empty texts, which the API refuses, are left out.
fn content(content: Option<Value>, place: &str) -> Result<Vec<Value>, Untranslatable> {
    let blocks = match content.unwrap_or_default() {
        Value::Null => Vec::new(),
        Value::String(text) => vec![json!({ "type": "text", "text": text })],
        Value::Array(parts) => {
            let parts = parts.into_iter().enumerate();
            let blocks = parts.map(|(at, part)| block(part, &format!("{place}.content[{at}]")));
            blocks.collect::<Result<_, _>>()?
        }
        _ => {
            return Err(Untranslatable::new(
                format!("{place}.content"),
                "is neither a text nor a list of parts",
            ));
        }
    };
    let is_empty = |block: &Value| block["type"] == "text" && block["text"] == "";
    Ok(blocks.into_iter().filter(|block| !is_empty(block)).collect())
}

/// A part of a message. Blocks of the API's own go through untouched.
fn block(part: Value, place: &str) -> Result<Value, Untranslatable> {
    let Value::Object(mut part) = part else { return Err(Untranslatable::new(place, "is not an object")) };
    let Some(kind) = part.get("type").and_then(Value::as_str).map(str::to_owned) else {
        return Err(Untranslatable::new(format!("{place}.type"), "is missing"));
    };
    if part.shift_remove("prompt_cache_breakpoint").is_some() {
        part.entry("cache_control").or_insert_with(|| json!({ "type": "ephemeral" }));
    }
    let (kind, name, value) = match kind.as_str() {
        "refusal" => ("text", "text", part.shift_remove("refusal").unwrap_or_default()),
        "image_url" => {
            let url = part.shift_remove("image_url").unwrap_or_default();
            ("image", "source", image(&url["url"], &format!("{place}.image_url.url"))?)
        }
        "file" => {
            let file = part.shift_remove("file").unwrap_or_default();
            if let Some(name) = file.get("filename") {
                part.entry("title").or_insert_with(|| name.clone());
            }
            ("document", "source", data(&file["file_data"], &format!("{place}.file.file_data"))?)
        }
        "input_audio" => return Err(Untranslatable::no_counterpart(place)),
        _ => return Ok(Value::Object(part)),
    };
    part.insert("type".to_owned(), json!(kind));
    part.insert(name.to_owned(), value);
    Ok(Value::Object(part))
}

fn image(url: &Value, place: &str) -> Result<Value, Untranslatable> {
    let text = url.as_str().unwrap_or_default();
    if text.starts_with("https://") || text.starts_with("http://") {
        Ok(json!({ "type": "url", "url": text }))
    } else {
        data(url, place)
    }
}

/// The source that a `data:` URL (RFC 2397) holds.
fn data(url: &Value, place: &str) -> Result<Value, Untranslatable> {
    let parts =
        url.as_str().and_then(|url| url.strip_prefix("data:")).and_then(|rest| rest.split_once(";base64,"));
    let Some((media, data)) = parts else {
        return Err(Untranslatable::new(
            place,
            "is not a data URL in base64, nor, of an image, a web address",
        ));
    };
    let media = media.split_once(';').map_or(media, |(media, _)| media);
    Ok(json!({ "type": "base64", "media_type": media, "data": data }))
}

/// What an assistant said besides its content: a refusal, calls of tools. The rest of such a message is notes that a server
/// put beside its answer and that a client sends back as it came, reasoning among them.
fn said_besides(message: &mut Map<String, Value>, place: &str) -> Result<Vec<Value>, Untranslatable> {
    for name in ["audio", "function_call"] {
        if message.get(name).is_some_and(|value| !value.is_null()) {
            return Err(Untranslatable::no_counterpart(format!("{place}.{name}")));
        }
    }
    let refusal = message.get("refusal").and_then(Value::as_str).filter(|refusal| !refusal.is_empty());
    let refusal = refusal.map(|text| Ok(json!({ "type": "text", "text": text })));
    let calls = match message.shift_remove("tool_calls") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(calls)) => calls,
        Some(_) => return Err(Untranslatable::new(format!("{place}.tool_calls"), "is not a list")),
    };
    let calls = calls.iter().enumerate().map(|(at, made)| call(made, &format!("{place}.tool_calls[{at}]")));
    refusal.into_iter().chain(calls).collect()
}

fn call(made: &Value, place: &str) -> Result<Value, Untranslatable> {
    let function = &made["function"];
    if !function.is_object() {
        return Err(Untranslatable::no_counterpart(place));
    }
    let arguments = function["arguments"].as_str().unwrap_or_default();
    let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
    let input: Map<String, Value> = serde_json::from_str(arguments)
        .map_err(|_| Untranslatable::new(format!("{place}.function.arguments"), "is not a JSON object"))?;
    Ok(json!({ "type": "tool_use", "id": id(&made["id"]), "name": function["name"], "input": input }))
}

/// What a tool gave. Members such as `is_error` go through.
fn result(mut message: Map<String, Value>, blocks: &[Value]) -> Value {
    message.shift_remove("role");
    message.shift_remove("name");
    let call = message.shift_remove("tool_call_id").unwrap_or_default();
    let mut result = json!({ "type": "tool_result", "tool_use_id": id(&call), "content": blocks });
    if let Some(members) = result.as_object_mut() {
        members.extend(message);
    }
    result
}

/// A call's id in the letters that the API takes. Other models, which may have begun the conversation, use more.
fn id(id: &Value) -> Value {
    let is_fine = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    match id.as_str() {
        Some(id) => json!(id.replace(|letter| !is_fine(letter), "_")),
        None => id.clone(),
    }
}
