//! What is learned from servers that refuse something, or spend all their output on reasoning.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use scrum::{
    provider::{Answer, AskError, Draft, End, Sample},
    reviewer::{Access, Reviewer},
};
use serde_json::{Value, json};

use crate::{
    mock::{Act, Asked, Mock, ending, event, json_page},
    provider::{open, open_ai, question, reviewer},
};

/// A server that decides by the number of the request.
async fn server(decide: fn(usize, &Asked) -> Act) -> Mock {
    Mock::start(move |asked| std::future::ready(decide(asked.number, &asked))).await
}

fn with_limit(limit: Option<u32>, access: Access) -> Reviewer {
    Reviewer { max_output_tokens: limit, temperature: Some(0.5), ..reviewer("opus", access) }
}

/// Asks the same provider `times` times; each result with the number of requests it took.
pub(super) async fn ask_times(reviewer: &Reviewer, times: usize) -> Vec<(Result<Answer, AskError>, u32)> {
    let provider = open(reviewer);
    let mut results = Vec::new();
    for _ in 0..times {
        let draft = Arc::new(Draft::new());
        let result = provider.ask(&question("c1_core"), Sample::Any, &draft).await;
        results.push((result, 1 + draft.further_requests()));
    }
    results
}

fn refusal(message: &str) -> Act {
    json_page(400, &json!({"error": {"message": message, "type": "invalid_request_error"}}))
}

/// Everything went into reasoning.
fn only_thoughts(finish: &str) -> Act {
    let thought = json!({"choices": [{"delta": {"reasoning_content": "hm"}}]});
    Act::Stream(vec![format!("data: {thought}\n\n").into_bytes(), ending(finish)])
}

#[tokio::test]
async fn a_refused_parameter_is_left_out_for_the_rest_of_the_run() {
    let mock = server(|_, asked| match (&asked.body["temperature"], &asked.body["stream_options"]) {
        (Value::Null, Value::Null) => Act::Reply("ok".to_owned()),
        (Value::Null, _) => refusal("Unrecognized request argument supplied: stream_options"),
        _ => refusal("'temperature' does not support 0.5 with this model"),
    })
    .await;
    let results = ask_times(&with_limit(None, open_ai(&mock.url)), 2).await;
    let remark = Some("asked without temperature, which the model does not take".to_owned());
    let answer = Answer {
        text: "ok".to_owned(),
        tokens_in: Some(7),
        tokens_out: Some(3),
        remark,
        ..Answer::default()
    };
    assert_eq!(results, [(Ok(answer.clone()), 3), (Ok(answer), 1)]);
}

#[tokio::test]
async fn instructions_move_into_the_question_where_the_system_may_not_speak() {
    let mock = server(|_, asked| match asked.body["messages"][0]["role"].as_str() {
        Some("system") => {
            json_page(500, &json!({"error": {"message": "Jinja Exception: System role not supported"}}))
        }
        _ => Act::Reply("ok".to_owned()),
    })
    .await;
    let results = ask_times(&with_limit(None, open_ai(&mock.url)), 1).await;
    assert!(results[0].0.is_ok(), "{results:?}");
    let messages = json!([{"role": "user", "content": "Review this.\n\ndiff"}]);
    assert_eq!(mock.asked()[1].body["messages"], messages);
}

#[tokio::test]
async fn what_cannot_be_left_out_is_an_error_after_one_request() {
    let mock = server(|_, _| refusal("messages: temperature of the room")).await;
    let results = ask_times(&reviewer("opus", open_ai(&mock.url)), 1).await;
    assert!(matches!(results[..], [(Err(AskError::Permanent { .. }), 1)]), "{results:?}");
}

#[tokio::test]
async fn an_output_limit_spent_on_reasoning_is_raised_once() {
    let check = async |decide: fn(usize, &Asked) -> Act,
                       limit: Option<u32>,
                       expect: Answer,
                       requests: u32,
                       limits: &[Value]| {
        let mock = server(decide).await;
        let results = ask_times(&with_limit(limit, open_ai(&mock.url)), 1).await;
        assert_eq!(results, [(Ok(expect), requests)]);
        let sent: Vec<Value> = mock.asked().iter().map(|asked| asked.body["max_tokens"].clone()).collect();
        assert_eq!(sent, limits);
    };
    let twice = |text: &str, end: End, remark: &str| Answer {
        text: text.to_owned(),
        end,
        tokens_in: Some(14),
        tokens_out: Some(6),
        remark: Some(remark.to_owned()),
        ..Answer::default()
    };
    let cut = |tokens: u32| {
        let words = format!("length: all {tokens} tokens went into reasoning, none were left for an answer");
        End::Cut(words)
    };
    let raised = |to: u32| format!("output limit raised to {to} tokens, a smaller one went into reasoning");
    let then_good = |number: usize, _: &Asked| match number {
        0 => only_thoughts("length"),
        _ => Act::Reply("ok".to_owned()),
    };
    check(then_good, Some(100), twice("ok", End::Stop, &raised(400)), 2, &[json!(100), json!(400)]).await;
    check(then_good, None, twice("ok", End::Stop, &raised(12)), 2, &[Value::Null, json!(12)]).await;
    let never = |_: usize, _: &Asked| only_thoughts("length");
    check(never, Some(100), twice("", cut(3), &raised(400)), 2, &[json!(100), json!(400)]).await;
    let refused = |number: usize, _: &Asked| match number {
        0 => only_thoughts("length"),
        _ => refusal("max_tokens is too large: 400. This model supports at most 128 completion tokens."),
    };
    let once = Answer {
        end: cut(3),
        tokens_in: Some(7),
        tokens_out: Some(3),
        remark: Some("a larger output limit was refused: HTTP 400 Bad Request: max_tokens is too large: 400. This model supports at most 128 completion tokens.".to_owned()),
        ..Answer::default()
    };
    check(refused, Some(100), once, 2, &[json!(100), json!(400)]).await;
}

#[tokio::test]
async fn a_raised_limit_stays_for_the_run() {
    let mock = server(|_, asked| match asked.body["max_tokens"].as_u64() {
        Some(100) => only_thoughts("length"),
        _ => Act::Reply("ok".to_owned()),
    })
    .await;
    let results = ask_times(&with_limit(Some(100), open_ai(&mock.url)), 2).await;
    assert_eq!(results.iter().map(|(_, requests)| *requests).collect::<Vec<_>>(), [2, 1]);
}

/// A longer question may leave no room for the raised limit.
#[tokio::test]
async fn a_raised_limit_that_is_refused_later_is_taken_back() {
    let mock = server(|number, asked| match (number, asked.body["max_tokens"].as_u64()) {
        (0, _) => only_thoughts("length"),
        (2, Some(400)) => refusal("This model's maximum context length is 500 tokens."),
        _ => Act::Reply("ok".to_owned()),
    })
    .await;
    let results = ask_times(&with_limit(Some(100), open_ai(&mock.url)), 3).await;
    let texts: Vec<_> = results.iter().map(|(result, requests)| (result.is_ok(), *requests)).collect();
    assert_eq!(texts, [(true, 2), (true, 2), (true, 1)]);
    let limits: Vec<Value> = mock.asked().iter().map(|asked| asked.body["max_tokens"].clone()).collect();
    assert_eq!(limits, [100, 400, 400, 100, 100].map(Value::from));
}

#[tokio::test]
async fn ends_in_clear_words() {
    let check = async |finish: &'static str, text: &'static str, expect: Result<End, &str>| {
        let mock = Mock::always(move || Act::Stream(vec![event(text), ending(finish)])).await;
        let result = ask_times(&reviewer("opus", open_ai(&mock.url)), 1).await.remove(0).0;
        let result =
            result.map(|answer| answer.end).map_err(|error| error.to_string().replace(&mock.url, "URL"));
        assert_eq!(result, expect.map_err(str::to_owned), "{finish}");
    };
    let cut = |words: &str| Ok(End::Cut(words.to_owned()));
    check("stop", "a", Ok(End::Stop)).await;
    check("length", "a", cut("length")).await;
    check("content_filter", "a", cut("content_filter: the provider's content filter stopped it")).await;
    check("content_filter", "", Err("URL: the provider's content filter withheld the reply")).await;
    check("tool_calls", "", cut("tool_calls: it asked for a tool, and there is none")).await;
    check("error", "a", Err("URL broke off the reply: error")).await;
    check("bored", "a", cut("bored")).await;
}

#[tokio::test]
async fn requests_under_way_learn_together() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let mock = Mock::start(move |asked| {
        let refused = !asked.body["temperature"].is_null();
        counted.fetch_add(usize::from(refused), Ordering::SeqCst);
        std::future::ready(if refused {
            refusal("temperature is unsupported")
        } else {
            Act::Reply("ok".to_owned())
        })
    })
    .await;
    let provider = open(&with_limit(None, open_ai(&mock.url)));
    let one = || async {
        provider.ask(&question("c1_core"), Sample::Any, &Arc::new(Draft::new())).await.unwrap().remark
    };
    let remarks = futures_util::future::join_all((0..8).map(|_| one())).await;
    assert_eq!(remarks, vec![Some("asked without temperature, which the model does not take".to_owned()); 8]);
    assert_eq!(mock.asked().len(), 8 + count.load(Ordering::SeqCst));
}
