//! Commands to units, and changes of what is configured.

use axum::{Extension, extract::State, response::Response};
use mainstay_api::{
    config::Role,
    control::{AddService, CommandAnswer, CommandRequest},
};
use serde::Deserialize;
use utoipa_axum::routes;

use super::{
    By, Calls, examples,
    input::{Name, Parameters, Told},
    operation, put,
};
use crate::calls::{Applying, Call, Keeps};

pub(super) fn routes() -> operation::Routes {
    operation::Routes::new()
        .routes(operation::operation(Role::Operator, routes!(command)))
        .routes(operation::operation(Role::Admin, routes!(add)))
        .routes(operation::operation(Role::Admin, routes!(remove)))
        .routes(operation::operation(Role::Admin, routes!(apply)))
}

/// Ask something of units
///
/// The answer comes when the wish is kept, not when it has come true: the events that carry its
/// `trace-id` tell what follows. An operator may name those services that its entry in `[[access]]`
/// names; one that it does not refuses all of them.
#[utoipa::path(
    post,
    path = "/v1/command",
    tag = "services",
    request_body(content = CommandRequest, example = json!(examples::command())),
    responses(
        (status = 200, description = "One entry for each unit that was meant.",
            body = CommandAnswer, example = json!(examples::commanded())),
        (status = 404, description = "There is no such unit, service or group.",
            body = mainstay_api::control::Problem, content_type = "application/problem+json"),
    )
)]
async fn command(
    State(calls): Calls,
    Extension(asker): By,
    Told(request): Told<CommandRequest>,
) -> Response {
    put(&calls, |reply| Call::Command(asker, request, reply)).await
}

/// Add a service to the configuration file
#[utoipa::path(
    post,
    path = "/v1/services",
    tag = "services",
    request_body(content = AddService, example = json!(examples::add())),
    responses(
        (status = 200, description = "What has changed, and what the units do.",
            body = CommandAnswer, example = json!(examples::added())),
        (status = 409, description = "There is one of this name already, or the configuration that would follow is refused.",
            body = mainstay_api::control::Problem, content_type = "application/problem+json"),
    )
)]
async fn add(
    State(calls): Calls,
    Extension(asker): By,
    Told(service): Told<AddService>,
) -> Response {
    put(&calls, |reply| Call::Add(asker, service, reply)).await
}

/// What a removal may say besides the name.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct RemoveParameters {
    /// Whether what the service has kept goes as well: its logs and its data.
    #[param(required = false, nullable = false, example = false)]
    purge: Option<bool>,
}

/// Remove a service from the configuration file, and stop it
#[utoipa::path(
    delete,
    path = "/v1/services/{name}",
    tag = "services",
    params(
        ("name" = String, Path, description = "The service.", example = "web"),
        RemoveParameters,
    ),
    responses(
        (status = 200, description = "What has changed, and what the units do.",
            body = CommandAnswer, example = json!(examples::removed())),
        (status = 409, description = "The file has changed meanwhile, or the configuration that would follow is refused.",
            body = mainstay_api::control::Problem, content_type = "application/problem+json"),
    )
)]
async fn remove(
    State(calls): Calls,
    Extension(asker): By,
    Name(name): Name,
    Parameters(more): Parameters<RemoveParameters>,
) -> Response {
    let keeps = if more.purge == Some(true) { Keeps::Nothing } else { Keeps::Everything };
    put(&calls, |reply| Call::Remove(asker, name, keeps, reply)).await
}

/// What may be said with it.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(parameter_in = Query, rename_all = "kebab-case")]
struct ApplyParameters {
    /// Whether services are stopped and forgotten that no file has any more.
    #[param(required = false, nullable = false, example = false)]
    prune: Option<bool>,
    /// Whether files may be applied that hold no service at all, though there are some.
    #[param(required = false, nullable = false, example = false)]
    allow_empty: Option<bool>,
}

/// Read the configuration files, and apply what has changed
///
/// A mistake in them changes nothing.
#[utoipa::path(
    post,
    path = "/v1/apply",
    tag = "services",
    params(ApplyParameters),
    responses(
        (status = 200, description = "What has changed, and what the units do.",
            body = CommandAnswer, example = json!(examples::applied())),
        (status = 409, description = "The files are refused: a mistake in them, or no service at all.",
            body = mainstay_api::control::Problem, content_type = "application/problem+json"),
    )
)]
async fn apply(
    State(calls): Calls,
    Extension(asker): By,
    Parameters(more): Parameters<ApplyParameters>,
) -> Response {
    let wanted =
        Applying { prune: more.prune == Some(true), allow_empty: more.allow_empty == Some(true) };
    put(&calls, |reply| Call::Apply(asker, wanted, reply)).await
}
