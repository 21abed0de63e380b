//! Single attempts at the providers that speak HTTP or read files.

use std::{path::PathBuf, sync::Arc, time::Duration};

use scrum::{
    bundle::{Bundle, Guard},
    config::env::Environment,
    prompt::Prompt,
    provider::{Answer, AskError, Draft, End, Opener, Provider, Question, Sample, Surroundings, sarif::Site},
    reviewer::{Access, Builtin, Invocation, Lineage, Reviewer, ReviewerId},
};
use secrecy::SecretString;
use serde_json::json;

use crate::mock::{Act, Asked, Mock, event, json_page};

const KEY: &str = "sk-very-secret-0123456789";

/// A reviewer with generous limits.
pub(crate) fn reviewer(id: &str, access: Access) -> Reviewer {
    Reviewer {
        timeout: Duration::from_mins(1),
        idle_timeout: Duration::from_mins(1),
        ..Reviewer::new(ReviewerId::new(id).unwrap(), access, format!("{id}-model"), Lineage::unknown())
    }
}

/// Access to a server, with a key.
pub(crate) fn open_ai(base_url: &str) -> Access {
    Access::OpenAi { base_url: base_url.to_owned(), api_key_env: Some("MOCK_KEY".to_owned()) }
}

/// A question about a bundle without files.
pub(crate) fn question(bundle: &str) -> Arc<Question> {
    let component = bundle.split_once('_').map_or(bundle, |(_, name)| name).to_owned();
    let bundle = Bundle { id: bundle.to_owned(), component, files: Vec::new(), guard: Guard::Ok };
    let prompt = Prompt { system: "Review this.".to_owned(), user: "diff".to_owned() };
    Arc::new(Question { bundle: Arc::new(bundle), prompt, nonce: Arc::from("n1") })
}

/// The environment of this test.
pub(crate) fn surroundings() -> Surroundings {
    Environment.variables().collect()
}

/// Opens `reviewer` with the test's key.
pub(crate) fn open(reviewer: &Reviewer) -> Provider {
    let builtins = |which: Builtin, question: &Question| Ok(format!("{which:?} on {}", question.bundle.id));
    Opener::new(Arc::new(builtins), Site::nowhere(), surroundings())
        .open(reviewer, Some(SecretString::from(KEY)))
        .unwrap()
}

async fn ask(reviewer: &Reviewer) -> Result<Answer, AskError> {
    open(reviewer).ask(&question("c1_core"), Sample::Any, &Arc::new(Draft::new())).await
}

async fn ask_server(act: impl Fn() -> Act + Send + Sync + 'static) -> Result<Answer, AskError> {
    let mock = Mock::always(act).await;
    ask(&reviewer("opus", open_ai(&mock.url))).await.map_err(|error| without_port(error, &mock.url))
}

/// The error with the server's address as `URL`.
fn without_port(error: AskError, url: &str) -> AskError {
    match error {
        AskError::Transient { reason, retry_after, partial } => {
            AskError::Transient { reason: reason.replace(url, "URL"), retry_after, partial }
        }
        AskError::Permanent { reason, partial } => {
            AskError::Permanent { reason: reason.replace(url, "URL"), partial }
        }
        AskError::Busy { reason, retry_after } => {
            AskError::Busy { reason: reason.replace(url, "URL"), retry_after }
        }
        AskError::Unavailable { reason, for_now, partial } => {
            AskError::Unavailable { reason: reason.replace(url, "URL"), for_now, partial }
        }
    }
}

fn answer(text: &str) -> Answer {
    Answer { text: text.to_owned(), tokens_in: Some(7), tokens_out: Some(3), ..Answer::default() }
}

fn transient(reason: &str, partial: &str) -> AskError {
    AskError::Transient { reason: reason.to_owned(), retry_after: None, partial: partial.to_owned() }
}

fn unavailable(reason: &str, partial: &str) -> AskError {
    AskError::Unavailable { reason: reason.to_owned(), for_now: false, partial: partial.to_owned() }
}

fn permanent(reason: &str, partial: &str) -> AskError {
    AskError::Permanent { reason: reason.to_owned(), partial: partial.to_owned() }
}

#[tokio::test]
async fn a_stream_becomes_an_answer() {
    let mock = Mock::always(|| Act::Reply("VERDICT: ship, all fine".to_owned())).await;
    for url in [mock.url.clone(), format!("{}/", mock.url)] {
        assert_eq!(ask(&reviewer("opus", open_ai(&url))).await, Ok(answer("VERDICT: ship, all fine")));
    }
    let asked = &mock.asked()[1];
    assert_eq!(asked.path, "/v1/chat/completions");
    assert_eq!(asked.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(
        asked.body,
        json!({
            "model": "opus-model",
            "messages": [{"role": "system", "content": "Review this."}, {"role": "user", "content": "diff"}],
            "stream": true,
            "stream_options": {"include_usage": true},
        })
    );
}

#[tokio::test]
async fn settings_are_sent() {
    let mock = Mock::always(|| Act::Reply("ok".to_owned())).await;
    let reviewer = Reviewer {
        temperature: Some(0.5),
        max_output_tokens: Some(100),
        ..reviewer("opus", open_ai(&mock.url))
    };
    ask(&reviewer).await.unwrap();
    let body = &mock.asked()[0].body;
    assert_eq!((&body["temperature"], &body["max_tokens"]), (&json!(0.5), &json!(100)));
}

#[tokio::test]
async fn without_a_key_no_header_is_sent() {
    let mock = Mock::always(|| Act::Reply("ok".to_owned())).await;
    let reviewer = reviewer("opus", open_ai(&mock.url));
    let provider =
        Opener::new(Arc::new(|_, _: &Question| Ok(String::new())), Site::nowhere(), surroundings())
            .open(&reviewer, None)
            .unwrap();
    provider.ask(&question("c1_core"), Sample::Any, &Arc::new(Draft::new())).await.unwrap();
    assert!(!mock.asked()[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn odd_streams_are_read() {
    let pieces = |text: &str| text.as_bytes().chunks(3).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let check = async |stream: &'static str, expect: Result<Answer, AskError>| {
        assert_eq!(ask_server(move || Act::Stream(pieces(stream))).await, expect, "{stream}");
    };
    let bare = |text: &str| Answer { text: text.to_owned(), ..Answer::default() };
    check(
        "data: {\"choices\":[{\"delta\":{\"content\":\"é\"},\"finish_reason\":\"stop\"}]}\n\n",
        Ok(bare("é")),
    )
    .await;
    check(
        "\r\n\r\ndata:{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\ndata: [DONE]\r\n\r\n",
        Ok(bare("a")),
    )
    .await;
    check(
        ": hi\n\nevent: x\nid: 1\ndata: {\"choices\":[],\"usage\":null}\n\ndata: nonsense\n\n\
         data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\",\"content\":null}}]}\n\n\
         data: {\"choices\":[{\"delta\":{\"content\":\"b\"},\"finish_reason\":\"\"}]}\n\ndata: [DONE]\n\n",
        Ok(bare("b")),
    )
    .await;
    let cut = Answer { end: End::Cut("length".to_owned()), ..bare("c") };
    check("data: {\"choices\":[{\"delta\":{\"content\":\"c\"},\"finish_reason\":\"length\"}]}\n\n", Ok(cut))
        .await;
    check(
        "data: {\"choices\":[{\"delta\":{\"content\":\"\"},\"finish_reason\":\"stop\"}]}\n\n",
        Ok(bare("")),
    )
    .await;
    check(
        "data: {\"choices\":[{\"delta\":{\"content\":\"d\"}}]}\n\n",
        Err(transient("URL ended the stream before the reply was whole", "d")),
    )
    .await;
    check(
        "data: {\"a\":[}\n\ndata: x\n\ndata: [DONE]\n\n",
        Err(permanent("none of the 2 events that URL sent is a chat reply", "")),
    )
    .await;
    check(
        "data: {\"choices\":[{\"delta\":{\"content\":\"e\"}}]}\n\ndata: {\"error\":{\"code\":502,\"message\":\"up\\u001b[1mstream\"}}\n\n",
        Err(transient("the server reported an error: up␛[1mstream", "e")),
    )
    .await;
    check(
        "data: {\"choices\":[{\"delta\":{\"refusal\":\"I can't.\"},\"finish_reason\":\"stop\"}]}\n\n",
        Err(permanent("the model refused: I can't.", "")),
    )
    .await;
}

#[tokio::test]
async fn a_server_that_ignores_stream_is_read() {
    let reply = json!({
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "fine\n\ndata: x"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3},
    });
    assert_eq!(ask_server(move || json_page(200, &reply)).await, Ok(answer("fine\n\ndata: x")));
}

#[tokio::test]
async fn a_lost_connection_keeps_what_came() {
    let error = ask_server(|| Act::Cut(vec![event("half a "), event("reply")])).await.unwrap_err();
    let AskError::Transient { reason, partial, .. } = error else { panic!("{error:?}") };
    assert!(reason.starts_with("connection to URL lost: "), "{reason}");
    assert_eq!(partial, "half a reply");

    let error = ask_server(|| Act::Reset).await.unwrap_err();
    let AskError::Transient { reason, .. } = error else { panic!("{error:?}") };
    assert!(reason.starts_with("connection to URL lost: "), "{reason}");
}

#[tokio::test]
async fn nobody_listening() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = ask(&reviewer("opus", open_ai(&format!("http://{free}/v1")))).await.unwrap_err();
    let expect = format!("cannot connect to http://{free}/v1: Connection refused (os error 111)");
    let expect = AskError::Unavailable { reason: expect, for_now: true, partial: String::new() };
    assert_eq!(error, expect);
}

#[tokio::test]
async fn a_plain_server_asked_for_tls() {
    let mock = Mock::always(|| Act::Hang).await;
    let url = mock.url.replace("http:", "https:");
    let error = ask(&reviewer("opus", open_ai(&url))).await.unwrap_err();
    assert_eq!(error, unavailable(&format!("{url} does not speak TLS: try http:// in base_url"), ""));
}

async fn check_refusal(status: u16, body: &'static str, expect: AskError) {
    let act = move || Act::Page { status, headers: Vec::new(), body: body.to_owned() };
    assert_eq!(ask_server(act).await, Err(expect), "{status} {body}");
}

#[tokio::test]
async fn refusals_in_clear_words() {
    check_refusal(
        400,
        r#"{"error":{"code":400,"message":"request (9000 tokens) exceeds","type":"exceed_context_size_error","n_ctx":8192}}"#,
        permanent("the bundle is too large for the context of opus-model: a smaller `warn_bytes` in [bundle] makes smaller bundles: request (9000 tokens) exceeds", ""),
    )
    .await;
    check_refusal(
        400,
        r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","code":"context_length_exceeded"}}"#,
        permanent("the bundle is too large for the context of opus-model: a smaller `warn_bytes` in [bundle] makes smaller bundles: This model's maximum context length is 8192 tokens.", ""),
    )
    .await;
    check_refusal(
        400,
        r#"{"detail":[{"loc":["a"]}]}"#,
        permanent(r#"HTTP 400 Bad Request: [{"loc":["a"]}]"#, ""),
    )
    .await;
    check_refusal(
        401,
        r#"{"error":{"message":"Incorrect API key: sk-very-secret-0123456789."}}"#,
        unavailable(
            "HTTP 401 Unauthorized: the key in MOCK_KEY was not accepted: Incorrect API key: [key].",
            "",
        ),
    )
    .await;
    check_refusal(402, "", unavailable("the account has no quota or credit left", "")).await;
    check_refusal(
        404,
        r#"{"error":"model not found"}"#,
        unavailable("HTTP 404 Not Found: check model opus-model and base_url URL: model not found", ""),
    )
    .await;
    check_refusal(
        307,
        "",
        unavailable("URL redirects elsewhere (307): put the final address in base_url", ""),
    )
    .await;
    check_refusal(
        429,
        r#"{"error":{"code":"insufficient_quota","message":"pay"}}"#,
        unavailable("the account has no quota or credit left: pay", ""),
    )
    .await;
    check_refusal(
        500,
        "<html><title>Oops\u{7}</title>",
        transient("HTTP 500 Internal Server Error: Oops␇", ""),
    )
    .await;
    check_refusal(503, "", transient("HTTP 503 Service Unavailable", "")).await;
    check_refusal(413, "", permanent("the bundle is too large for the server: a smaller `warn_bytes` in [bundle] makes smaller bundles", "")).await;
    check_refusal(
        400,
        r#"{"error":{"code":"content_filter","message":"no"}}"#,
        permanent("the provider's content filter refused the bundle: no", ""),
    )
    .await;
}

#[tokio::test]
async fn what_is_no_reply_in_clear_words() {
    check_refusal(
        200,
        "<!doctype html><p>Welcome",
        permanent(
            "URL answered with a web page, not a model's reply: check base_url (it usually ends in /v1)",
            "",
        ),
    )
    .await;
    check_refusal(200, "", transient("URL answered with an empty body", "")).await;
    check_refusal(
        200,
        r#"{"choices":[{"mess"#,
        transient("URL ended the stream before the reply was whole", ""),
    )
    .await;
    check_refusal(200, r#"{"error":{"message":"no"}}"#, transient("the server reported an error: no", ""))
        .await;
}

#[tokio::test]
async fn a_rate_limit_says_how_long_to_wait() {
    let act =
        || Act::Page { status: 429, headers: vec![("retry-after", "7".to_owned())], body: String::new() };
    let expect = |wait: Duration| AskError::Busy {
        reason: "HTTP 429 Too Many Requests".to_owned(),
        retry_after: Some(wait),
    };
    assert_eq!(ask_server(act).await, Err(expect(Duration::from_secs(7))));
    let act = || {
        let headers = vec![("retry-after", "7".to_owned()), ("retry-after-ms", "6500".to_owned())];
        Act::Page { status: 429, headers, body: String::new() }
    };
    assert_eq!(ask_server(act).await, Err(expect(Duration::from_millis(6_500))));
}

#[tokio::test]
async fn a_reply_without_end_is_cut() {
    let piece = event(&"x".repeat(1 << 16));
    let answer = ask_server(move || Act::Stream(vec![piece.clone(); 100])).await.unwrap();
    assert_eq!((answer.text.len(), answer.end), (4 << 20, End::Cut("over 4 MiB".to_owned())));
}

#[tokio::test]
async fn an_event_without_end_is_refused() {
    let error = ask_server(|| Act::Stream(vec![vec![b'x'; 1 << 20]; 64])).await.unwrap_err();
    assert_eq!(error, permanent("URL sent too much without a readable event", ""));
}

#[tokio::test]
async fn saved_replies_are_found_by_bundle_then_by_reviewer() {
    let dir = tempfile::tempdir().unwrap();
    let seat = reviewer("opus", Access::Replay { dir: dir.path().to_owned() });
    let (own, common): (PathBuf, PathBuf) = (dir.path().join("c1_core__opus.md"), dir.path().join("opus.md"));
    let missing = format!("no saved reply: neither {} nor {} exists", own.display(), common.display());
    assert_eq!(ask(&seat).await, Err(permanent(&missing, "")));
    std::fs::write(&common, "common").unwrap();
    assert_eq!(ask(&seat).await.unwrap().text, "common");
    std::fs::write(&own, b"own \xff").unwrap();
    assert_eq!(ask(&seat).await.unwrap().text, "own \u{fffd}");
}

#[tokio::test]
async fn builtins_are_asked_in_process() {
    let answer = ask(&reviewer("rules", Access::Builtin(Builtin::Rules))).await.unwrap();
    assert_eq!(answer.text, "Rules on c1_core");
    let seat = reviewer("rules", Access::Builtin(Builtin::Rules));
    let provider = Opener::new(Arc::new(|_, _: &Question| panic!("boom")), Site::nowhere(), surroundings())
        .open(&seat, None)
        .unwrap();
    let error = provider.ask(&question("c1_core"), Sample::Any, &Arc::new(Draft::new())).await.unwrap_err();
    assert_eq!(error, permanent("the built-in reviewer failed on this bundle: please report it", ""));
}

#[test]
fn bad_settings_are_refused_before_anything_is_sent() {
    let check = |access: Access, key: &str, expect: &str| {
        let mut opener =
            Opener::new(Arc::new(|_, _: &Question| Ok(String::new())), Site::nowhere(), surroundings());
        let error = opener.open(&reviewer("opus", access), Some(SecretString::from(key))).unwrap_err();
        assert_eq!(error.to_string(), expect);
    };
    check(
        open_ai("ftp://me:pass@h/v1"),
        "",
        "reviewer opus: base_url \"ftp://h/v1\": must begin with http:// or https://",
    );
    check(
        open_ai("http://h/v1"),
        "a\nb",
        "reviewer opus: the key in MOCK_KEY holds characters that cannot be sent",
    );
    check(Access::Command(Invocation::default()), "", "reviewer opus: the command is empty");
}

#[tokio::test]
async fn only_a_sample_of_its_own_is_asked_for_by_name() {
    let check = async |sample: Sample, expect: Option<&str>| {
        let mock = Mock::always(|| Act::Page { status: 400, headers: Vec::new(), body: String::new() }).await;
        let (base_url, api_key_env) = (mock.url.clone(), Some("MOCK_KEY".to_owned()));
        for access in [open_ai(&mock.url), Access::Anthropic { base_url, api_key_env }] {
            let asking = open(&reviewer("opus", access));
            asking.ask(&question("c1_core"), sample, &Arc::new(Draft::new())).await.unwrap_err();
        }
        let told = |asked: &Asked| {
            asked.headers.get("x-scrum-coalesce").map(|value| value.to_str().unwrap().to_owned())
        };
        let expect = expect.map(str::to_owned);
        assert_eq!(mock.asked().iter().map(told).collect::<Vec<_>>(), [expect.clone(), expect], "{sample:?}");
    };
    check(Sample::Any, None).await;
    check(Sample::Own, Some("off")).await;
}
