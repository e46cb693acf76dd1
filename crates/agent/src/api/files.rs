//! The configuration files: shown, compared with what runs, changed.

use axum::{
    Extension,
    extract::{DefaultBodyLimit, State},
    response::Response,
};
use mainstay_api::{
    config::Role,
    control::{
        CommandAnswer, DiffAnswer, DiffRequest, EditKeys, Files, Problem, ReplaceFile, ServiceText,
    },
};
use serde::Deserialize;
use utoipa_axum::routes;

use super::{
    By, Calls, examples,
    input::{Name, Parameters, Told},
    operation, put,
};
use crate::calls::Call;

/// A file has a mebibyte at most, and each of its bytes takes six at most as JSON.
const BODY_BYTES_MAX: usize = 2 * 6 * 1024 * 1024;

pub(super) fn routes() -> operation::Routes {
    operation::Routes::new()
        .routes(operation::operation(Role::Admin, routes!(files)))
        .routes(operation::operation(Role::Admin, routes!(replace)))
        .routes(operation::operation(Role::Admin, routes!(diff)))
        .routes(operation::operation(Role::Admin, routes!(source)))
        .routes(operation::operation(Role::Admin, routes!(edit)))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

/// The configuration files, and what they hold
#[utoipa::path(
    get,
    path = "/v1/files",
    tag = "files",
    responses(
        (status = 200, description = "All of them, the main file first.",
            body = Files, example = json!(examples::files())),
        (status = 409, description = "The files are refused: a mistake in them.",
            body = Problem, content_type = "application/problem+json"),
    )
)]
async fn files(State(calls): Calls) -> Response {
    put(&calls, Call::Files).await
}

/// Put another text into a configuration file, and apply it
///
/// The text is checked together with the other files first; what cannot be applied is not written.
/// With `former`, a file that somebody else has changed meanwhile stays as it is.
#[utoipa::path(
    put,
    path = "/v1/files",
    tag = "files",
    request_body(content = ReplaceFile, example = json!(examples::replace_file())),
    responses(
        (status = 200, description = "What has changed, and what the units do.",
            body = CommandAnswer, example = json!(examples::applied())),
        (status = 404, description = "It is no file of the configuration.",
            body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The file has changed meanwhile, or the files are refused: a mistake in them, or no service at all.",
            body = Problem, content_type = "application/problem+json"),
    )
)]
async fn replace(
    State(calls): Calls,
    Extension(asker): By,
    Told(file): Told<ReplaceFile>,
) -> Response {
    put(&calls, |reply| Call::Replace(asker, file, reply)).await
}

/// What would change if the files were applied now
///
/// With a text, it is meant in the place of the main file.
#[utoipa::path(
    post,
    path = "/v1/diff",
    tag = "files",
    request_body(content = DiffRequest, example = json!(examples::diff_request())),
    responses(
        (status = 200, description = "Whom it touches, by which keys, and when each takes effect.",
            body = DiffAnswer, example = json!(examples::diff())),
        (status = 409, description = "The files are refused: a mistake in them.",
            body = Problem, content_type = "application/problem+json"),
    )
)]
async fn diff(State(calls): Calls, Told(request): Told<DiffRequest>) -> Response {
    put(&calls, |reply| Call::Diff(request, reply)).await
}

/// What may be asked of a service's text.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct SourceParameters {
    /// A key, of which only the value is told; those of tables have dots.
    #[param(required = false, nullable = false, example = "restart.delay")]
    key: Option<String>,
}

/// What stands in the files of a service
#[utoipa::path(
    get,
    path = "/v1/services/{name}",
    tag = "files",
    params(
        ("name" = String, Path, description = "The service.", example = "web"),
        SourceParameters,
    ),
    responses(
        (status = 200, description = "Its tables, or the value of a key.",
            body = ServiceText, example = json!(examples::service_text())),
        (status = 409, description = "The files are refused: a mistake in them.",
            body = Problem, content_type = "application/problem+json"),
    )
)]
async fn source(
    State(calls): Calls,
    Name(name): Name,
    Parameters(more): Parameters<SourceParameters>,
) -> Response {
    put(&calls, |reply| Call::Source(name, more.key, reply)).await
}

/// Set keys of a service, or take them out, and apply that
///
/// Comments and the order of the file stay. What cannot be applied is not written.
#[utoipa::path(
    patch,
    path = "/v1/services/{name}",
    tag = "files",
    params(("name" = String, Path, description = "The service.", example = "web")),
    request_body(content = EditKeys, example = json!(examples::edit_keys())),
    responses(
        (status = 200, description = "What has changed, and what the units do.",
            body = CommandAnswer, example = json!(examples::applied())),
        (status = 409, description = "There is no such service, or the file has changed meanwhile.",
            body = Problem, content_type = "application/problem+json"),
    )
)]
async fn edit(
    State(calls): Calls,
    Extension(asker): By,
    Name(name): Name,
    Told(keys): Told<EditKeys>,
) -> Response {
    put(&calls, |reply| Call::EditKeys(asker, name, keys, reply)).await
}
