//! Behind a gateway that gives one answer to all who ask the same, a review says where it needs one of its own.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{KEY, finding, good, model, review, scene};
use crate::{
    mock::{Act, Asked, Mock, ending},
    sandbox::Sandbox,
};

/// `model` for each question since `before`, those that want an answer of their own with `, own`; in order of names.
fn asked_since(mock: &Mock, before: usize) -> Vec<String> {
    let told = |asked: &Asked| {
        let model = asked.body["model"].as_str().unwrap_or_default();
        let own = asked.headers.get("x-scrum-coalesce").map(|value| value == "off");
        format!("{model}{}", if own == Some(true) { ", own" } else { "" })
    };
    let mut told: Vec<String> =
        mock.asked().iter().skip(before).filter(|asked| asked.method == "POST").map(told).collect();
    told.sort();
    told
}

fn resume(sandbox: &Sandbox) {
    let printed = sandbox.scrum_with(&["review", "--resume", "latest"], &[("MOCK_KEY", KEY)]);
    assert_eq!(printed.status, 0, "{printed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seats_of_one_model_get_two_answers() {
    let mock = good().await;
    let warm = format!("{}temperature = 0.7\n", model("opus-warm", "claude-opus-4-7", &mock));
    let panel = [
        model("opus", "claude-opus-4-7", &mock),
        model("opus-again", "claude-opus-4-7", &mock),
        warm,
        model("gpt", "gpt-5", &mock),
    ];
    let sandbox = scene(&["alpha", "beta"], &panel);
    let printed = review(&sandbox, &[]);
    assert_eq!(printed.status, 0, "{printed:?}");
    let one_bundle = ["claude-opus-4-7", "claude-opus-4-7, own", "claude-opus-4-7, own", "gpt-5"];
    let mut expect = [one_bundle, one_bundle].concat();
    expect.sort_unstable();
    assert_eq!(asked_since(&mock, 0), expect);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_further_attempt_is_not_given_what_the_first_one_got() {
    let broken = AtomicBool::new(true);
    let mock = Mock::start(move |asked| {
        let act = if broken.swap(false, Ordering::SeqCst) {
            Act::Page { status: 503, headers: Vec::new(), body: String::new() }
        } else {
            finding(&asked)
        };
        std::future::ready(act)
    })
    .await;
    let sandbox = scene(&["alpha"], &[model("gpt", "gpt-5", &mock)]);
    let printed = review(&sandbox, &[]);
    assert_eq!(printed.status, 0, "{printed:?}");
    assert_eq!(asked_since(&mock, 0), ["gpt-5", "gpt-5, own"]);
}

/// The reply is whole as far as a gateway can see, and no review; the run that goes on sends the same words again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resumed_run_is_not_given_the_reply_that_was_no_review() {
    let empty = AtomicBool::new(true);
    let mock = Mock::start(move |asked| {
        let act = if empty.swap(false, Ordering::SeqCst) {
            Act::Stream(vec![ending("stop")])
        } else {
            finding(&asked)
        };
        std::future::ready(act)
    })
    .await;
    let sandbox = scene(&["alpha"], &[model("gpt", "gpt-5", &mock)]);
    let printed = review(&sandbox, &[]);
    assert_eq!(printed.status, 3, "{printed:?}");
    assert_eq!(asked_since(&mock, 0), ["gpt-5"]);
    resume(&sandbox);
    assert_eq!(asked_since(&mock, 1), ["gpt-5, own"]);
    assert_eq!(mock.asked()[0].body, mock.asked()[1].body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stand_in_that_has_a_seat_gives_two_answers() {
    let mock = good().await;
    let gone = model("far", "claude-opus-4-7", &mock).replace(&mock.url, &super::nowhere_url());
    let panel = [format!("{gone}fallback = [\"near\"]\n"), model("near", "claude-opus-4-7", &mock)];
    let sandbox = scene(&["alpha"], &panel);
    let printed = review(&sandbox, &[]);
    assert_eq!(printed.status, 0, "{printed:?}");
    assert_eq!(asked_since(&mock, 0), ["claude-opus-4-7, own"; 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_tried_answers_now() {
    let mock = Mock::always(|| Act::Reply("ready".to_owned())).await;
    let sandbox = scene(&["alpha"], &[model("gpt", "gpt-5", &mock)]);
    let printed = sandbox.scrum_with(&["doctor", "--probe"], &[("MOCK_KEY", KEY)]);
    assert_eq!(printed.status, 0, "{printed:?}");
    assert_eq!(asked_since(&mock, 0), ["gpt-5, own"]);
}
