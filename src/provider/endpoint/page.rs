//! What a server shows without being asked anything: [`page`].

use futures_util::StreamExt;

use super::{
    Protocol,
    address::{HttpClients, parse},
    door,
};
use crate::{provider::in_brief, survey::Silence};

/// The body of the page at `url`, at most `most` bytes of it, or why there is none.
pub(in crate::provider) async fn page(url: &str, most: usize) -> Result<Vec<u8>, Silence> {
    let odd = |error: &reqwest::Error| Silence::Odd(in_brief(&door::root_cause(error)));
    let parsed = parse(url, Protocol::Chat).map_err(|(_, reason)| Silence::Odd(reason))?;
    let client = HttpClients::default().for_url(&parsed).map_err(|error| odd(&error))?;
    let answer = client.get(parsed).send().await;
    let answer = answer.map_err(|error| if error.is_connect() { Silence::Nobody } else { odd(&error) })?;
    let status = answer.status();
    if !status.is_success() {
        return Err(Silence::Odd(format!("answered HTTP {}", status.as_u16())));
    }
    let mut body = Vec::new();
    let mut pieces = answer.bytes_stream();
    while let Some(piece) = pieces.next().await {
        body.extend_from_slice(&piece.map_err(|error| odd(&error))?);
        if body.len() > most {
            return Err(Silence::Odd("answered with too long a list".to_owned()));
        }
    }
    Ok(body)
}
