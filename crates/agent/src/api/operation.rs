//! What all operations have in common: the role that each needs, the parameters it knows, and what
//! the contract says of both. One source for the check and for the documents.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use mainstay_api::config::Role;
use tokio::sync::mpsc;
use utoipa::openapi::{
    Content, Ref, RefOr, ResponseBuilder,
    extensions::Extensions,
    path::{Operation, ParameterIn, PathItem},
};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::problem;
use crate::calls::{Asker, Call, Refused, RefusedKind};

/// Several operations, and what the contract says of them.
pub(super) type Routes = OpenApiRouter<mpsc::Sender<Call>>;

/// One operation, as `routes!` makes it of a function.
type Route = UtoipaMethodRouter<mpsc::Sender<Call>>;

/// Where the contract has the role of an operation.
pub(super) const ROLE: &str = "x-role";

/// Who comes in.
#[derive(Debug)]
struct Entrance {
    role: Role,
    /// The names of the parameters behind `?`.
    known: Vec<String>,
}

/// Makes an operation one that needs a role, and writes into the contract what follows.
pub(super) fn operation(role: Role, (schemas, mut paths, routes): Route) -> Route {
    let mut known = Vec::new();
    for item in paths.paths.values_mut() {
        for operation in operations_of(item) {
            known.extend(parameters(operation, &ParameterIn::Query));
            describe(operation, role);
        }
    }
    let entrance = Arc::new(Entrance { role, known });
    (schemas, paths, routes.route_layer(middleware::from_fn_with_state(entrance, enter)))
}

/// Returns the operations of a path.
fn operations_of(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

fn parameters(operation: &Operation, place: &ParameterIn) -> Vec<String> {
    let all = operation.parameters.iter().flatten();
    let own = all.filter_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.parameter_in == *place => Some(parameter.name.clone()),
        RefOr::T(_) | RefOr::Ref(_) => None,
    });
    own.collect()
}

/// Says which role an operation needs, and how it may be refused.
fn describe(operation: &mut Operation, role: Role) {
    let role = Extensions::from_iter([(ROLE, role.word())]);
    operation.extensions.get_or_insert_default().merge(role);
    let mut kinds = vec![
        RefusedKind::Bad,
        RefusedKind::Stranger,
        RefusedKind::Headers,
        RefusedKind::Often,
        RefusedKind::Failed,
    ];
    if !parameters(operation, &ParameterIn::Path).is_empty() {
        kinds.push(RefusedKind::Missing);
    }
    if operation.request_body.is_some() {
        kinds.extend([RefusedKind::Late, RefusedKind::Large, RefusedKind::Strange]);
    }
    for kind in kinds {
        let status = kind.status().as_u16().to_string();
        operation.responses.responses.entry(status).or_insert_with(|| problem_of(kind).into());
    }
}

fn problem_of(kind: RefusedKind) -> utoipa::openapi::Response {
    let answer = ResponseBuilder::new().description(kind.meaning());
    if kind == RefusedKind::Headers {
        return answer.build();
    }
    let body = Content::new(Some(Ref::from_schema_name("Problem")));
    answer.content(problem::MEDIA_TYPE, body).build()
}

/// Refuses whoever has not the role that an operation needs, and names of parameters that it does
/// not know, before its body is read. What an operator may operate is for the loop to say, which
/// knows the units.
async fn enter(
    State(entrance): State<Arc<Entrance>>,
    Extension(asker): Extension<Asker>,
    request: Request,
    next: Next,
) -> Response {
    let allowed = asker.rights.demand(&asker.user, entrance.role);
    match allowed.and_then(|()| entrance.check_names(request.uri().query().unwrap_or_default())) {
        Ok(()) => next.run(request).await,
        Err(reason) => problem::refused(reason),
    }
}

impl Entrance {
    fn check_names(&self, query: &str) -> Result<(), Refused> {
        let mut names = query.split('&').filter_map(|pair| pair.split('=').next());
        let is_unknown = |name: &&str| !name.is_empty() && self.known.iter().all(|one| one != name);
        let Some(name) = names.find(is_unknown) else { return Ok(()) };
        let known = self.known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
        let hint = match known.join(", ") {
            known if known.is_empty() => "this takes none".to_owned(),
            known => format!("this takes {known}"),
        };
        Err(Refused::new(RefusedKind::Bad, format!("there is no parameter `{name}`"), hint))
    }
}
