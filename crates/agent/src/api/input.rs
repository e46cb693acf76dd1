//! What requests bring: names in paths, parameters, bodies. What makes no sense is refused with a
//! problem, never with words of a library alone.

use std::time::Duration;

use axum::{
    RequestPartsExt as _,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{StatusCode, header, request::Parts},
    response::Response,
};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::problem::refused;
use crate::calls::{Refused, RefusedKind};

/// A larger body is refused, where a route says nothing else.
pub(super) const BODY_BYTES_MAX: usize = 1024 * 1024;
/// So long a body may take to come.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// What stands for `{name}` in a path.
pub(super) struct Name(pub(super) String);

/// What stands behind `?`.
pub(super) struct Parameters<T>(pub(super) T);

/// A body that is JSON.
pub(super) struct Told<T>(pub(super) T);

/// A body as it is.
pub(super) struct Raw(pub(super) Bytes);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        let path = parts.extract::<Path<String>>().await;
        path.map(|Path(name)| Self(name)).map_err(|error| {
            let hint = "bytes that stand as `%` and two digits are UTF-8";
            bad(format!("cannot read the path: {}", error.body_text()), hint)
        })
    }
}

impl<T: DeserializeOwned + 'static, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        let query = parts.extract::<Query<T>>().await;
        query.map(|Query(asked)| Self(asked)).map_err(|error| {
            let hint = "`GET /v1/openapi.json` says what each parameter is";
            bad(format!("cannot read the parameters: {}", error.body_text()), hint)
        })
    }
}

impl<T: DeserializeOwned + 'static, S: Send + Sync> FromRequest<S> for Told<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        if !is_json(&request) {
            let hint = "send `Content-Type: application/json`";
            let what = "the body of this request is JSON";
            return Err(refused(Refused::new(RefusedKind::Strange, what, hint)));
        }
        let Raw(body) = Raw::from_request(request, state).await?;
        let hint = "`GET /v1/openapi.json` says what the body of each request is";
        if body.trim_ascii_start().first() == Some(&b'[') {
            // A list would be read as the values of an object, one after the other.
            return Err(bad("the body of this request is a JSON object".to_owned(), hint));
        }
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|error| bad(format!("cannot read the body: {error}"), hint))
    }
}

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let Ok(body) = timeout(BODY_WITHIN, Bytes::from_request(request, state)).await else {
            let hint = "send all of it within ten seconds";
            let what = "the body has not come in time";
            return Err(refused(Refused::new(RefusedKind::Late, what, hint)));
        };
        body.map(Self).map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                let hint = "docs/reference/api.md has the limits";
                refused(Refused::new(RefusedKind::Large, "the body is too large", hint))
            }
            _ => bad(format!("cannot read the body: {}", error.body_text()), ""),
        })
    }
}

fn bad(what: String, hint: &str) -> Response {
    refused(Refused::new(RefusedKind::Bad, what, hint))
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}
