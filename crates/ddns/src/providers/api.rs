//! REST APIs that read who asks from `Authorization`: requests, and answers in one envelope.

use serde_json::Value;

use crate::{
    provider::{ParameterError, Parameters},
    record::Changed,
    secret::Secret,
    wire::{Method, Request, Wire},
};

use super::{verdict::Envelope, zones::Outcome};

/// One account of such an API.
#[derive(Debug)]
pub(super) struct Api {
    endpoint: String,
    authorization: Secret,
    answers: Envelope,
}

impl Api {
    /// Opens one whose requests carry the parameter `token`.
    pub(super) fn by_token(
        parameters: &Parameters,
        usual: &str,
        answers: Envelope,
    ) -> Result<Self, ParameterError> {
        let authorization = format!("Bearer {}", parameters.secret("token")?.reveal());
        Self::by(Secret::from(authorization), parameters, usual, answers)
    }

    /// Opens one whose requests carry these credentials.
    pub(super) fn by(
        authorization: Secret,
        parameters: &Parameters,
        usual: &str,
        answers: Envelope,
    ) -> Result<Self, ParameterError> {
        Ok(Self { endpoint: parameters.endpoint(usual)?, authorization, answers })
    }

    /// Returns a request to a path below the endpoint.
    pub(super) fn request(&self, method: Method, path: &str) -> Request {
        Request::new(method, format!("{}{path}", self.endpoint))
            .header("authorization", self.authorization.reveal())
    }

    /// Asks for something that is there.
    pub(super) async fn ask(&self, wire: &dyn Wire, request: Request) -> Outcome<Value> {
        let response = wire.http(request).await?;
        self.answers.open(&response, wire.now())
    }

    /// Looks for something that may be missing, which these statuses say.
    pub(super) async fn look(
        &self,
        wire: &dyn Wire,
        path: &str,
        missing: &[u16],
    ) -> Outcome<Option<Value>> {
        let response = wire.http(self.request(Method::Get, path)).await?;
        if missing.contains(&response.status) {
            return Ok(None);
        }
        self.answers.open(&response, wire.now()).map(Some)
    }

    /// Changes something.
    pub(super) async fn change(&self, wire: &dyn Wire, request: Request) -> Outcome<Changed> {
        let response = wire.http(request).await?;
        self.answers.done(&response, wire.now()).map(|()| Changed::Yes)
    }
}
