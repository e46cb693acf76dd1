//! The units that a command is about, and what their agent knows of them.

use clap::Args as ClapArgs;
use mainstay_api::control::{Status, UnitDetail};

use crate::{client::escaped, errors::CliError, names};

/// One unit or several, and how they are shown.
#[derive(Debug, ClapArgs)]
pub(super) struct Subject {
    /// The unit, or a service; `*` and `?` match
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

    /// Asks the agent of an instance for everything about the units: one at least.
    pub(super) async fn ask(&self, instance: Option<&str>) -> Result<Vec<UnitDetail>, CliError> {
        let name = std::slice::from_ref(&self.name);
        let (mut client, names) = super::connect_for(instance, name).await?;
        let status: Status = client.get("/v1/status").await?;
        let mut details = Vec::new();
        for unit in names::meant(&names, &status.units)? {
            details.push(client.get(&format!("/v1/units/{}", escaped(&unit.unit))).await?);
        }
        Ok(details)
    }
}
