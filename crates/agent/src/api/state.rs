//! How everything is.

use axum::{extract::State, response::Response};
use mainstay_api::{
    config::Role,
    control::{Status, Tree, UnitDetail},
};
use utoipa_axum::routes;

use super::{Calls, examples, input::Name, operation, put};
use crate::calls::Call;

pub(super) fn routes() -> operation::Routes {
    operation::Routes::new()
        .routes(operation::operation(Role::Viewer, routes!(status)))
        .routes(operation::operation(Role::Viewer, routes!(tree)))
        .routes(operation::operation(Role::Viewer, routes!(unit)))
}

/// How all units are
#[utoipa::path(
    get,
    path = "/v1/status",
    tag = "state",
    responses((status = 200, description = "All units, groups, and who looks after them.",
        body = Status, example = json!(examples::status())))
)]
async fn status(State(calls): Calls) -> Response {
    put(&calls, Call::Status).await
}

/// Which service needs which
#[utoipa::path(
    get,
    path = "/v1/tree",
    tag = "state",
    responses((status = 200, description = "All services, and whom they name.",
        body = Tree, example = json!(examples::tree())))
)]
async fn tree(State(calls): Calls) -> Response {
    put(&calls, Call::Tree).await
}

/// Everything about one unit
#[utoipa::path(
    get,
    path = "/v1/units/{name}",
    tag = "state",
    params(("name" = String, Path, description = "The unit, such as `web` or `web@2`.", example = "web")),
    responses((status = 200, description = "The unit, its checks, its hooks and its last events.",
        body = UnitDetail, example = json!(examples::unit_detail())))
)]
async fn unit(State(calls): Calls, Name(name): Name) -> Response {
    put(&calls, |reply| Call::Unit(name, reply)).await
}
