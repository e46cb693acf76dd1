//! The unit that a command is about, and what its agent knows of it.

use clap::Args as ClapArgs;
use mainstay_api::control::UnitDetail;

use crate::{client::escaped, errors::CliError};

/// One unit, and how it is shown.
#[derive(Debug, ClapArgs)]
pub(super) struct Subject {
    /// The unit
    #[arg(value_name = "NAME")]
    name: String,

    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl Subject {
    /// Asks the agent of an instance for everything about the unit.
    pub(super) async fn ask(&self, instance: Option<&str>) -> Result<UnitDetail, CliError> {
        let (_, mut client) = super::connect(instance).await?;
        client.get(&format!("/v1/units/{}", escaped(&self.name))).await
    }
}
