//! Whom the names on a command line mean: units of an instance, or a service of the operating
//! system, which is an instance of its own and needs no other words.

use std::time::Duration;

use mainstay_api::control::Status;

use crate::{
    client::Client,
    errors::CliError,
    instance::{self, Located},
    names,
    place::{self, Place},
};

/// How long an agent may take to say whether it has a unit of that name.
const PATIENCE: Duration = Duration::from_secs(2);

/// An instance, and the names of units in it.
pub(crate) type Meant = (Located, Vec<String>);

/// Returns the instance that is named, or the one that knows the names: whoever stands in a
/// project means its units, everybody else the service of that name.
pub(crate) async fn by(said: Option<&str>, names: &[String]) -> Result<Meant, CliError> {
    let chosen = || Ok((instance::choose(said)?, names.to_vec()));
    let (None, [name]) = (instance::said(said), names) else { return chosen() };
    let Some(place) = installed(name) else { return chosen() };
    match instance::choose(None) {
        Ok(located) if has_unit(&located, names).await => Ok((located, names.to_vec())),
        Ok(_) | Err(_) => Ok((place.located(), vec![place.unit()])),
    }
}

/// Returns the place of an installed service.
fn installed(name: &str) -> Option<Place> {
    let place = Place::of(name).ok().filter(|_| place::name_fault(name).is_none())?;
    instance::is_there(&place.located()).then_some(place)
}

async fn has_unit(located: &Located, names: &[String]) -> bool {
    let asking = async {
        let mut client = Client::connect(located).await?;
        let status: Status = client.get("/v1/status").await?;
        names::meant(names, &status.units).map(|units| !units.is_empty())
    };
    matches!(tokio::time::timeout(PATIENCE, asking).await, Ok(Ok(true)))
}
