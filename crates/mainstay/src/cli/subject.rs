//! The units that a command is about, and what their agent knows of them.

use clap::Args as ClapArgs;
use mainstay_api::control::{Status, UnitDetail};

use crate::{
    client::{Client, escaped},
    errors::CliError,
    instance::Located,
    meant::{self, Meant},
    names,
};

/// One unit or several, and how they are shown.
#[derive(Debug, ClapArgs)]
pub(super) struct Subject {
    /// The unit, a service, or a group such as `@web`; `*` and `?` match
    #[arg(value_name = "NAME")]
    name: String,

    /// Print JSON, an object a unit
    #[arg(long)]
    pub(super) json: bool,
}

impl Subject {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Asks the agent of an instance for everything about the units, one at least; returns the
    /// instance as well.
    pub(super) async fn ask_there(
        &self,
        instance: Option<&str>,
    ) -> Result<(Located, Vec<UnitDetail>), CliError> {
        let (located, names) = self.locate(instance).await?;
        let mut client = Client::connect(&located).await?;
        let status: Status = client.get("/v1/status").await?;
        let mut details = Vec::new();
        let names = names::expanded(&names, &status.groups)?;
        for unit in names::meant(&names, &status.units)? {
            details.push(client.get(&format!("/v1/units/{}", escaped(&unit.unit))).await?);
        }
        Ok((located, details))
    }

    /// Returns the instance, which need not run, and what the name means there.
    pub(super) async fn locate(&self, instance: Option<&str>) -> Result<Meant, CliError> {
        meant::by(instance, std::slice::from_ref(&self.name)).await
    }
}
