//! `POST /v1/chat/completions`: [`chat`].

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Extension, Request, State},
    response::Response,
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use tokio::time::timeout_at;

use super::{
    Gateway, Room, Upstream,
    outline::Outline,
    passing::{alone, deadline, for_provider, shared, too_late},
    upstream::Outgoing,
};
use crate::{
    coalesce,
    provider::relay::Problem,
    serve::{
        arrival::arrived,
        callers::Caller,
        metrics::{Asked, Coalesced},
        peers::Way,
        tenants::guess,
    },
};

/// Where it is asked.
pub(super) const ROUTE: &str = "/v1/chat/completions";

/// Answers a chat request, with others who ask the same.
pub(in crate::serve) async fn chat(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    let mut asked = gateway.metrics.asked(ROUTE, arrived(&request));
    let response = gateway.chat(&caller, request, &mut asked).await.unwrap_or_else(Problem::into_response);
    asked.answer(response).map(Body::new)
}

impl Gateway {
    async fn chat(&self, caller: &Caller, request: Request, asked: &mut Asked) -> Result<Response, Problem> {
        let (parts, body) = request.into_parts();
        let deadline = deadline(&parts.headers, self.settings.answer);
        let (body, room) = timeout_at(deadline, self.whole(body)).await.map_err(|_| too_late())??;
        let told = body.clone();
        let (upstream, body, guess) = self.route(body)?;
        let admission = self.tenants.admit(&caller.tenant, guess)?;
        let outgoing = Outgoing { body, headers: for_provider(&parts.headers), _room: room };
        let flight = asked.flight(&upstream.name, &caller.tenant);
        let key = self.key(caller, "POST /v1/chat/completions", &parts.headers, &upstream, &outgoing.body);
        let way = key.as_ref().ok().and_then(|key| self.peers.way(key, &parts.headers, ROUTE, &told));
        drop(told);
        // Slices of the connection's read buffer, which a new one would take the place of.
        drop(parts);
        match key {
            Ok(key) => {
                // Whoever does not make the call has its tokens back here, and lets go of its request.
                let (role, reader) = self.flights.ask(key, move || async move {
                    match Way::followed(way).await {
                        Some(answer) => Ok(answer),
                        None => upstream.call(outgoing, admission, flight).await,
                    }
                });
                asked.decided(role.into(), &caller.tenant);
                Ok(shared(role, reader, deadline).await)
            }
            Err(reason) => {
                self.flights.skip(reason);
                asked.decided(Coalesced::Skipped(reason), &caller.tenant);
                // Boxed: every request's future would have room for it.
                let call = Box::pin(upstream.call(outgoing, admission, flight));
                let answer = timeout_at(deadline, call).await.map_err(|_| too_late())?;
                let answer =
                    answer.map_err(|torn| Problem::new(StatusCode::BAD_GATEWAY, torn.to_string()))?;
                Ok(alone(answer))
            }
        }
    }

    /// All of a request.
    pub(in crate::serve) async fn whole(&self, body: Body) -> Result<(Bytes, Room), Problem> {
        self.intake.whole(body).await
    }

    /// Who answers, what is sent there, and about how many tokens that takes. What cannot be read goes to the only provider there
    /// is, which says what is wrong with it.
    fn route(&self, body: Bytes) -> Result<(Arc<Upstream>, Bytes, u64), Problem> {
        if self.routes.iter().next().is_none() {
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no model is configured");
            return Err(problem.code("no_models"));
        }
        let Some(outline) = Outline::of(&body) else {
            let problem = || Problem::new(StatusCode::BAD_REQUEST, "the request is no JSON object");
            let only = self.routes.only().ok_or_else(problem)?;
            let guess = guess(&body, None);
            return Ok((Arc::clone(only), body, guess));
        };
        let Some(model) = outline.model.as_deref() else {
            let problem = Problem::new(StatusCode::BAD_REQUEST, "the request names no model");
            return Err(problem.about("model"));
        };
        let upstream = self.routes.find(model).ok_or_else(|| self.no_such(model))?;
        let guess = guess(&body, outline.max_tokens);
        Ok((Arc::clone(upstream), outline.with_model(&body, &upstream.reviewer.model), guess))
    }

    pub(super) fn no_such(&self, model: &str) -> Problem {
        let known = self.routes.names().join(", ");
        let message = format!("no model {model:?} is configured here; there are {known}");
        Problem::new(StatusCode::NOT_FOUND, message).code("model_not_found").about("model")
    }

    /// What makes the request the same as others, or why it is answered alone.
    pub(in crate::serve) fn key(
        &self,
        caller: &Caller,
        route: &str,
        headers: &HeaderMap,
        upstream: &Upstream,
        body: &Bytes,
    ) -> Result<coalesce::Key, coalesce::Skip> {
        let request = coalesce::Request {
            credential: caller.credential(),
            tenant: &caller.tenant,
            provider: upstream.reviewer.id.as_str(),
            route,
            headers,
            body,
        };
        request.key(self.switches)
    }
}
