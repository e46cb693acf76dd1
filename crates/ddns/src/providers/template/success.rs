//! What an answer means, as the configuration says.

use regex_lite::Regex;
use serde_json::{Map, Value};

use crate::{
    failure::{Class, Failure},
    provider::{ParameterError, Parameters},
    providers::answer,
    record::{Changed, Written},
    wire::Response,
};

/// What an answer means.
#[derive(Debug)]
pub(super) struct Success {
    statuses: Option<Vec<u16>>,
    body: Option<Regex>,
    json: Map<String, Value>,
    unchanged: Option<Regex>,
    park: Option<Regex>,
}

impl Success {
    /// Reads what the configuration says.
    pub(super) fn open(parameters: &Parameters) -> Result<Self, ParameterError> {
        let json = super::table(parameters, "ok-json")?;
        if let Some(pointer) = json.keys().find(|key| !key.is_empty() && !key.starts_with('/')) {
            let why = format!("it has `{pointer}`, which is no JSON pointer: these begin with `/`");
            return Err(ParameterError::new("ok-json", why));
        }
        Ok(Self {
            statuses: statuses(parameters.value("ok-status"))?,
            body: regex(parameters, "ok")?,
            json,
            unchanged: regex(parameters, "unchanged")?,
            park: regex(parameters, "park")?,
        })
    }

    /// Reads an answer: what parks counts first, then the status, then what the body says.
    pub(super) fn judge(&self, response: &Response) -> Result<Written, Failure> {
        let text = response.text();
        let code = format!("HTTP {}", response.status);
        if self.park.as_ref().is_some_and(|park| park.is_match(&text)) {
            let words = format!("the service answers what parks: {}", answer::snippet(response));
            return Err(Failure::new(Class::Parked, code, words));
        }
        self.check_status(response)?;
        if self.unchanged.as_ref().is_some_and(|unchanged| unchanged.is_match(&text)) {
            return Ok(Written { change: Changed::No, code });
        }
        if !self.is_told(&text) {
            return Err(answer::unknown(response).after(answer::retry_after(response)));
        }
        Ok(Written { change: Changed::Yes, code })
    }

    fn check_status(&self, response: &Response) -> Result<(), Failure> {
        let Some(statuses) = &self.statuses else { return answer::check_status(response) };
        if statuses.contains(&response.status) {
            return Ok(());
        }
        answer::check_status(response)?;
        Err(answer::unknown(response).after(answer::retry_after(response)))
    }

    /// Returns whether the body tells of success, one way or the other, where it has to.
    fn is_told(&self, text: &str) -> bool {
        if self.body.is_none() && self.json.is_empty() {
            return true;
        }
        self.body.as_ref().is_some_and(|body| body.is_match(text)) || self.is_told_in_json(text)
    }

    fn is_told_in_json(&self, text: &str) -> bool {
        let Ok(body) = serde_json::from_str::<Value>(text) else { return false };
        let leads = |(pointer, wanted): (&String, &Value)| body.pointer(pointer) == Some(wanted);
        !self.json.is_empty() && self.json.iter().all(leads)
    }
}

fn statuses(given: Option<&Value>) -> Result<Option<Vec<u16>>, ParameterError> {
    let Some(given) = given else { return Ok(None) };
    let refuse = || ParameterError::new("ok-status", "it must be a list of statuses: `[200, 204]`");
    let one = |value: &Value| {
        let status = value.as_u64().and_then(|status| u16::try_from(status).ok());
        status.filter(|status| (100..600).contains(status)).ok_or_else(refuse)
    };
    let list = given.as_array().filter(|list| !list.is_empty()).ok_or_else(refuse)?;
    list.iter().map(one).collect::<Result<Vec<u16>, _>>().map(Some)
}

fn regex(parameters: &Parameters, key: &str) -> Result<Option<Regex>, ParameterError> {
    let Some(text) = parameters.text(key)? else { return Ok(None) };
    let regex = Regex::new(text);
    regex
        .map(Some)
        .map_err(|error| ParameterError::new(key, format!("it is no regular expression: {error}")))
}
