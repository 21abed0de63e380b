//! Anthropic's Messages API, asked for a stream: [`ask`].
//!
//! The instructions are marked for the provider's prompt cache: they are the same for every bundle of a run. No tool
//! is offered and no thinking asked for.

mod wire;

use eventsource_stream::{EventStreamError, Eventsource};
use futures_util::StreamExt;
use reqwest::Body;

use super::endpoint::{Address, Exchange, Manner, Refusal, Reply, Trouble, gather};
use crate::prompt::Prompt;
use wire::{Event, Request};
pub(super) use wire::{Stop, Tokens, Usage};

/// The version of the API that is spoken here, the only one since 2023.
pub(super) const VERSION: &str = "2023-06-01";
/// Most tokens of a reply where nobody says otherwise, since the API insists on a number: what every model on offer
/// allows, because newer ones think before they answer and that counts too.
pub(super) const DEFAULT_LIMIT: u32 = 32_000;

/// Makes one request and reads its answer.
pub(super) async fn ask(
    exchange: Exchange,
    address: &Address,
    manner: &Manner,
    prompt: &Prompt,
) -> Result<Reply, Refusal> {
    let body = Request::new(&exchange.door.model, manner, prompt).to_json();
    let request = exchange
        .http
        .post(address.of("/messages"))
        .headers(address.headers.clone())
        .header("anthropic-version", VERSION)
        .header("content-type", "application/json")
        .body(Body::from(body))
        .build();
    let request = request.map_err(|error| exchange.door.lost(&error))?;
    let door = &exchange.door;
    let response = exchange.clone().run(request).await?;
    let mut tokens = Tokens::default();
    let events = response.bytes_stream().eventsource().map(move |event| match event {
        Ok(event) => serde_json::from_str(&event.data)
            .map(|event: Event| event.said(&mut tokens))
            .map_err(|_| Trouble::Unreadable),
        Err(EventStreamError::Transport(error)) => Err(Trouble::Lost(door.lost(&error))),
        Err(error) => Err(Trouble::Lost(door.torn(&error.to_string()))),
    });
    gather(Box::pin(events), &exchange).await
}
