//! Secrets: names go out, values only come in, as the body of a request.

use axum::{
    Extension, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    response::Response,
    routing::{get, post},
};
use mainstay_api::config::SECRET_BYTES_MAX;
use mainstay_storage::secrets::Secret;
use tokio::sync::mpsc;

use super::{By, Calls, put};
use crate::calls::Call;

/// What all of them begin with.
pub(super) const PATH: &str = "/v1/secrets";

pub(super) fn routes() -> Router<mpsc::Sender<Call>> {
    let one = post(set).delete(remove).layer(DefaultBodyLimit::max(SECRET_BYTES_MAX));
    Router::new().route(PATH, get(list)).route(&[PATH, "/{name}"].concat(), one)
}

async fn list(State(calls): Calls) -> Response {
    put(&calls, Call::Secrets).await
}

async fn set(
    State(calls): Calls,
    Extension(asker): By,
    Path(name): Path<String>,
    body: Bytes,
) -> Response {
    let value = Secret::new(body.to_vec());
    put(&calls, |reply| Call::SetSecret(asker, name, value, reply)).await
}

async fn remove(State(calls): Calls, Extension(asker): By, Path(name): Path<String>) -> Response {
    put(&calls, |reply| Call::RemoveSecret(asker, name, reply)).await
}
