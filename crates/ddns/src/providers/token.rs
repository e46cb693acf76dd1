//! Services that are told of an address by one GET with a token in its query, and tell nothing of
//! what they have.
//!
//! What differs is a [`Dialect`]: what they call the name and the address, and what they answer.

use std::net::IpAddr;

use crate::{
    failure::Failure,
    provider::{Attempt, Nature, Need, Parameter, ParameterError, Parameters, Provider},
    record::{Change, Found, Record, Written},
    secret::Secret,
    wire::{Method, Request, Response, Wire},
};

use super::answer;

/// Who may update names; each service says in its own words where to find it.
pub(super) const TOKEN: Parameter =
    Parameter { key: "token", need: Need::Required, nature: Nature::Secret, help: "", help_zh: "" };

/// Writes the query of a request, with the token in its place.
type Query = fn(&Change, IpAddr, &str) -> Result<String, Failure>;
/// Reads an answer.
type Understand = fn(&Response, IpAddr) -> Result<Written, Failure>;

/// What differs between services.
#[derive(Debug)]
pub(super) struct Dialect {
    /// Who it is, for people.
    pub(super) whom: &'static str,
    /// Where it is.
    pub(super) endpoint: &'static str,
    /// Where updates go there.
    pub(super) path: &'static str,
    /// Returns the query that tells of a change to one address, with a token.
    pub(super) query: Query,
    /// Reads the answer to an update to one address.
    pub(super) understand: Understand,
}

/// An account at such a service.
#[derive(Debug)]
struct Account {
    dialect: &'static Dialect,
    url: String,
    token: Secret,
}

/// Opens an account.
pub(super) fn open_as(
    dialect: &'static Dialect,
    parameters: &Parameters,
) -> Result<Box<dyn Provider>, ParameterError> {
    let url = format!("{}{}", parameters.endpoint(dialect.endpoint)?, dialect.path);
    Ok(Box::new(Account { dialect, url, token: parameters.secret("token")? }))
}

impl Provider for Account {
    fn read<'a>(&'a self, _wire: &'a dyn Wire, _record: &'a Record) -> Attempt<'a, Found> {
        Box::pin(async { Err(answer::unreadable(self.dialect.whom)) })
    }

    fn write<'a>(&'a self, wire: &'a dyn Wire, change: &'a Change) -> Attempt<'a, Written> {
        Box::pin(async move {
            let address = answer::only(&change.want)?;
            let query = (self.dialect.query)(change, address, self.token.reveal())?;
            let request = Request::new(Method::Get, format!("{}?{query}", self.url));
            (self.dialect.understand)(&wire.http(request).await?, address)
        })
    }
}
