//! Secrets: names go out, values only come in, as the body of a request.

use axum::{
    Extension,
    extract::{DefaultBodyLimit, State},
    response::Response,
};
use mainstay_api::{
    config::{Role, SECRET_BYTES_MAX},
    control::{SecretAnswer, Secrets},
};
use mainstay_storage::secrets::Secret;
use utoipa_axum::routes;

use super::{
    By, Calls, examples,
    input::{Name, Raw},
    operation, put,
};
use crate::calls::Call;

pub(super) fn routes() -> operation::Routes {
    let limit = DefaultBodyLimit::max(SECRET_BYTES_MAX);
    operation::Routes::new()
        .routes(operation::operation(Role::Admin, routes!(list)))
        .routes(operation::operation(Role::Admin, routes!(set)))
        .routes(operation::operation(Role::Admin, routes!(remove)))
        .layer(limit)
}

/// The names of all secrets
#[utoipa::path(
    get,
    path = "/v1/secrets",
    tag = "secrets",
    responses((status = 200, description = "Names, never values.",
        body = Secrets, example = json!(examples::secrets())))
)]
async fn list(State(calls): Calls) -> Response {
    put(&calls, Call::Secrets).await
}

/// Set a secret
///
/// The body is the value, byte by byte; at most 64 KiB. Whatever type it has is not looked at.
#[utoipa::path(
    post,
    path = "/v1/secrets/{name}",
    tag = "secrets",
    operation_id = "set_secret",
    params(("name" = String, Path, description = "The secret.", example = "db-password")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The value."),
    responses((status = 200, description = "It is kept; each service gets it at its next start.",
        body = SecretAnswer, example = json!(examples::secret_set())))
)]
async fn set(
    State(calls): Calls,
    Extension(asker): By,
    Name(name): Name,
    Raw(body): Raw,
) -> Response {
    let value = Secret::new(body.to_vec());
    put(&calls, |reply| Call::SetSecret(asker, name, value, reply)).await
}

/// Remove a secret
#[utoipa::path(
    delete,
    path = "/v1/secrets/{name}",
    tag = "secrets",
    operation_id = "remove_secret",
    params(("name" = String, Path, description = "The secret.", example = "db-password")),
    responses((status = 200, description = "It is gone.",
        body = SecretAnswer, example = json!(examples::secret_set())))
)]
async fn remove(State(calls): Calls, Extension(asker): By, Name(name): Name) -> Response {
    put(&calls, |reply| Call::RemoveSecret(asker, name, reply)).await
}
