//! The instance itself: its contract, its next version, its end.

use axum::{
    Extension,
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use mainstay_api::{
    config::Role,
    control::{CommandAnswer, UpgradeAnswer, UpgradeRequest},
};
use utoipa_axum::routes;

use super::{By, Calls, contract, examples, input::Told, operation, put};
use crate::calls::Call;

pub(super) fn routes() -> operation::Routes {
    operation::Routes::new()
        .routes(operation::operation(Role::Viewer, routes!(describe)))
        .routes(operation::operation(Role::Admin, routes!(shut_down)))
        .routes(operation::operation(Role::Admin, routes!(upgrade)))
}

/// This contract
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    tag = "instance",
    responses((status = 200, description = "An OpenAPI document.", body = serde_json::Value))
)]
async fn describe() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], contract::TEXT).into_response()
}

/// Stop all units, then the instance
#[utoipa::path(
    post,
    path = "/v1/shutdown",
    tag = "instance",
    responses((status = 200, description = "It has begun.",
        body = CommandAnswer, example = json!(examples::commanded())))
)]
async fn shut_down(State(calls): Calls, Extension(asker): By) -> Response {
    put(&calls, |reply| Call::ShutDown(asker, reply)).await
}

/// Let keeper and agent become another binary; programs notice nothing
#[utoipa::path(
    post,
    path = "/v1/upgrade",
    tag = "instance",
    request_body(content = UpgradeRequest, example = json!(examples::upgrade())),
    responses(
        (status = 200, description = "The keeper is another one; the agent follows within a second.",
            body = UpgradeAnswer, example = json!(examples::upgraded())),
        (status = 409, description = "The keeper refuses the binary, or another upgrade is under way.",
            body = mainstay_api::control::Problem, content_type = "application/problem+json"),
    )
)]
async fn upgrade(
    State(calls): Calls,
    Extension(asker): By,
    Told(request): Told<UpgradeRequest>,
) -> Response {
    put(&calls, |reply| Call::Upgrade(asker, request, reply)).await
}
