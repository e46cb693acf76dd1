//! What a run finds in its environment, read on a thread of its own.

use std::{collections::BTreeMap, time::Duration};

use axum::{Extension, extract::State, response::Response};
use mainstay_api::{config::Role, control::UnitEnvironment};
use mainstay_platform::kin;
use tokio::{sync::mpsc, time::timeout};
use utoipa_axum::routes;

use super::{By, Calls, ask, examples, input::Name, operation, respond};
use crate::calls::{Asker, Call, Refused};

/// How long the system may take to say what a process was started with.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn routes() -> operation::Routes {
    operation::Routes::new().routes(operation::operation(Role::Operator, routes!(environment)))
}

/// What a unit's program finds in its environment
///
/// With where each variable comes from; what is, or may be, a secret has no value. An operator sees
/// it of those services that its entry in `[[access]]` names.
#[utoipa::path(
    get,
    path = "/v1/units/{name}/environment",
    tag = "state",
    params(("name" = String, Path, description = "The unit, such as `web` or `web@2`.", example = "web")),
    responses((status = 200, description = "All variables, by name.",
        body = UnitEnvironment, example = json!(examples::environment())))
)]
async fn environment(State(calls): Calls, Extension(asker): By, Name(name): Name) -> Response {
    respond(find(&calls, &asker, name).await)
}

async fn find(
    calls: &mpsc::Sender<Call>,
    asker: &Asker,
    name: String,
) -> Result<UnitEnvironment, Refused> {
    asker.rights.demand_unit(&asker.user, &name)?;
    let setting = ask(calls, |reply| Call::Setting(name, reply)).await?;
    let pid = setting.pid;
    let looking = tokio::task::spawn_blocking(move || pid.map(found).unwrap_or_default());
    // Where the system does not answer, it is said what the next run gets.
    let found = timeout(PATIENCE, looking).await.ok().and_then(Result::ok).unwrap_or_default();
    // The agent's is the keeper's, from which programs inherit.
    let base = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into(), value.to_string_lossy().into()));
    Ok(setting.tell(&found, &base.collect()))
}

fn found(pid: u32) -> BTreeMap<String, String> {
    let variables = kin::variables_of(pid).unwrap_or_default();
    let pair = |variable: &Vec<u8>| {
        let text = String::from_utf8_lossy(variable);
        text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    variables.iter().filter_map(pair).collect()
}
