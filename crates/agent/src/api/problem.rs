//! How the API says no: one shape for every refusal.

use axum::{
    Json,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};

use crate::calls::{Refused, RefusedKind};

/// What the body of a refusal is (RFC 9457).
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// After so many seconds it may go better.
const AGAIN_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Returns the answer that says so.
pub(super) fn refused(reason: Refused) -> Response {
    let kind = reason.kind;
    let body = Json(reason.problem);
    let mut answer = (kind.status(), [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
    if matches!(kind, RefusedKind::Often | RefusedKind::Failed) {
        answer.headers_mut().insert(header::RETRY_AFTER, AGAIN_AFTER);
    }
    answer
}

/// Answers whoever asks for what is not there.
pub(super) async fn nowhere() -> Response {
    let hint = "`GET /v1/openapi.json` names every path";
    refused(Refused::new(RefusedKind::Missing, "there is nothing here", hint))
}

/// Answers whoever asks a path for what it does not do; axum adds what it does.
pub(super) async fn cannot() -> Response {
    let hint = "the header `Allow` names the methods of this path";
    refused(Refused::new(RefusedKind::Method, "this path has no such method", hint))
}
