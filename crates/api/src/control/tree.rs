//! What `GET /v1/tree` answers: who depends on whom, and how each is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What `GET /v1/tree` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Tree {
    /// The instance's name or the path of its configuration file.
    pub instance: String,
    /// All services, by name.
    pub services: Vec<Node>,
    /// All groups, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// `up`, `down` or `unknown`; nothing while no service asks for `@network`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
}

/// A service, and whom it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Node {
    /// Its name.
    pub service: String,
    /// Its units, by name.
    pub units: Vec<NodeUnit>,
    /// Whom it names, the strongest bonds first.
    pub links: Vec<Edge>,
}

/// How a unit is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct NodeUnit {
    /// Its name.
    pub unit: String,
    /// One word.
    pub state: String,
    /// Why, in words.
    pub why: String,
    /// Nobody may rely on it, although it runs: a readiness check is bad.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unready: bool,
}

/// One bond between two services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Edge {
    /// The key: `binds-to`, `requires`, `wants`, `after`, `part-of` or `conflicts`; a `before` is the
    /// other one's `after`.
    pub how: String,
    /// The other service, or `@network`.
    pub to: String,
}

/// Several services under one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Group {
    /// Its name, without `@`.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The services that it means.
    pub services: Vec<String>,
}
