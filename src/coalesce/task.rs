//! The task that makes a flight's call: [`fly`]. It belongs to no listener, so none of them can hold it up or take it along.

use std::{future::poll_fn, pin::pin, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, HeaderValue, Response};
use tokio::time::timeout;

use super::{
    flight::Pilot,
    log::{Broken, Head},
};

/// Makes `call`, writes down what comes, and lands. The call is dropped, and so cancelled, as soon as nobody listens or it is
/// older than `age`.
pub(super) async fn fly<A, S, E>(pilot: Pilot, age: Duration, stall: Duration, call: A)
where
    A: Future<Output = Result<Response<S>, E>>,
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<Broken>,
{
    let end = tokio::select! {
        biased;
        () = poll_fn(|context| pilot.log().poll_abandoned(context)) => Err(Broken::Lost),
        end = timeout(age, carry(&pilot, stall, call)) => end.unwrap_or(Err(Broken::TooOld)),
    };
    pilot.land(end);
}

/// Carries the answer from the call to the log.
async fn carry<A, S, E>(pilot: &Pilot, stall: Duration, call: A) -> Result<(), Broken>
where
    A: Future<Output = Result<Response<S>, E>>,
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<Broken>,
{
    let (parts, body) = call.await.map_err(Into::into)?.into_parts();
    pilot.log().set_head(Head { status: parts.status, headers: copied(&parts.headers) });
    let mut body = pin!(body);
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(Into::into)?;
        if !chunk.is_empty() {
            append(pilot, stall, &Bytes::copy_from_slice(&chunk)).await;
        }
    }
    Ok(())
}

/// Adds `chunk`. Without room the flight is closed to newcomers, and goes at the pace of its slowest reader; one that takes
/// nothing for as long as `stall` is cut off.
async fn append(pilot: &Pilot, stall: Duration, chunk: &Bytes) {
    let log = pilot.log();
    if log.append(chunk) {
        return;
    }
    pilot.seal();
    log.suspect_readers();
    while timeout(stall, poll_fn(|context| log.poll_append(chunk, context))).await.is_err() {
        log.cut_suspects();
        log.suspect_readers();
    }
}

/// The same headers in memory of their own: values as received are slices of the connection's read buffer, and so are chunks.
/// A log outlives its connection, and would keep every such buffer whole. All values lie in one allocation: each of its own takes
/// more than most values.
fn copied(headers: &HeaderMap) -> HeaderMap {
    let values: Vec<&[u8]> = headers.values().map(HeaderValue::as_bytes).collect();
    let mut rest = Bytes::from(values.concat());
    let mut own = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let copy = HeaderValue::from_maybe_shared(rest.split_to(value.len()));
        let mut copy = copy.unwrap_or_else(|_| value.clone());
        copy.set_sensitive(value.is_sensitive());
        own.append(name, copy);
    }
    own
}
