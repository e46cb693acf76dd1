//! What a run finds in its environment, and where each variable comes from.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What `GET /v1/units/NAME/environment` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnitEnvironment {
    /// The unit.
    pub unit: String,
    /// The number of its current or last run.
    pub run: u64,
    /// Whose environment it is.
    pub of: EnvironmentOf,
    /// All variables, by name.
    pub variables: Vec<EnvironmentVariable>,
}

/// Whose environment is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EnvironmentOf {
    /// That with which the program of the run was started.
    Run,
    /// That of the next run: there is none, or the system does not tell.
    Next,
}

/// One variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnvironmentVariable {
    /// Its name.
    pub name: String,
    /// Its value; nothing where it is, or may be, a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Where it comes from.
    pub origin: VariableOrigin,
    /// From what a configured value is fetched: `secret`, `env`, `file`, `command` or `credential`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// Where a variable comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VariableOrigin {
    /// The environment of Mainstay itself.
    Inherited,
    /// The configuration of its service.
    Configured,
    /// Mainstay sets it for every program, or for those that ask for it.
    Mainstay,
    /// Neither: a former configuration, or what the program was started by, such as its shell.
    Other,
}
