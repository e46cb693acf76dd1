//! dynv6: a GET with a token, no reading; takes the prefix of the network as well.

use std::net::IpAddr;

use crate::{
    failure::{Class, Failure},
    provider::{
        Attempt, ENDPOINT, Entry, Floors, Limits, Nature, Need, Parameter, ParameterError,
        Parameters, Provider, Reading,
    },
    record::{Change, Changed, Found, Record, Written},
    secret::Secret,
    wire::{Method, Request, Response, Wire},
};

use super::answer;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "dynv6",
    aliases: &[],
    title: "dynv6",
    title_zh: "dynv6",
    documents: "https://dynv6.com/docs/apis",
    parameters: &[
        Parameter {
            key: "token",
            need: Need::Required,
            nature: Nature::Secret,
            help: "an HTTP token of the zone, from the page `Keys`",
            help_zh: "该 zone 的 HTTP token，在 `Keys` 页面获取",
        },
        ENDPOINT,
    ],
    extras: &[],
    reading: Reading::Impossible,
    floors: Floors { refresh: None, ..Floors::DYNDNS },
    limits: Limits::ONE_EACH,
    open,
};

#[derive(Debug)]
struct Dynv6 {
    endpoint: String,
    token: Secret,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    let endpoint = parameters.endpoint("https://dynv6.com")?;
    Ok(Box::new(Dynv6 { endpoint, token: parameters.secret("token")? }))
}

impl Provider for Dynv6 {
    fn read<'a>(&'a self, _wire: &'a dyn Wire, _record: &'a Record) -> Attempt<'a, Found> {
        Box::pin(async { Err(answer::unreadable("dynv6")) })
    }

    fn write<'a>(&'a self, wire: &'a dyn Wire, change: &'a Change) -> Attempt<'a, Written> {
        Box::pin(async move {
            let address = answer::only(&change.want)?;
            let url = format!("{}/api/update?{}", self.endpoint, self.query(change, address));
            understand(&wire.http(Request::new(Method::Get, url)).await?)
        })
    }
}

impl Dynv6 {
    fn query(&self, change: &Change, address: IpAddr) -> String {
        let text = address.to_string();
        let zone = change.record.name.as_str();
        let mut pairs = vec![("zone", zone), ("token", self.token.reveal())];
        pairs.push((if address.is_ipv4() { "ipv4" } else { "ipv6" }, &text));
        let prefix = change.prefix.filter(|_| address.is_ipv6());
        let prefix = prefix.map(|(network, length)| format!("{network}/{length}"));
        // The records below the zone are composed of it and what is kept of them there.
        pairs.extend(prefix.as_deref().map(|prefix| ("ipv6prefix", prefix)));
        answer::query(&pairs)
    }
}

/// `addresses updated` or `addresses unchanged`; statuses tell what is wrong.
fn understand(response: &Response) -> Result<Written, Failure> {
    let refused = |code: &str, words: &str| Failure::new(Class::Parked, code, words);
    match response.status {
        401 => return Err(refused("HTTP 401", "dynv6 refuses the token").of_account()),
        404 => {
            let words = "dynv6 has no such zone with this token; names below a zone are updated \
                         with its prefix alone";
            return Err(refused("HTTP 404", words));
        }
        _ => answer::check_status(response)?,
    }
    let text = response.text().trim().to_ascii_lowercase();
    let written = |change| Ok(Written { change, code: text.clone() });
    match text.as_str() {
        "addresses updated" => written(Changed::Yes),
        "addresses unchanged" => written(Changed::No),
        _ => Err(answer::unknown(response)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        failure::Reach,
        providers::dyndns2::tests::{V4, V6, change, opened, written},
        wire::script::Expected,
    };

    #[test]
    fn addresses_and_the_prefix_are_told() {
        let provider = opened("dynv6", json!({"token": "hunter2"}));
        let told = |change: &Change, query: &str, body| {
            let zone = "zone=home.dynv6.net&token=hunter2";
            let url = format!("https://dynv6.com/api/update?{zone}&{query}");
            written(&*provider, change, (Expected::get(&url), body)).unwrap().change
        };
        let prefix = Some(("2a02:b18::".parse().unwrap(), 56));
        let v4 = Change { prefix, ..change("home.dynv6.net", V4, &[]) };
        assert_eq!(told(&v4, "ipv4=81.2.69.142", "addresses updated"), Changed::Yes);
        let v6 = change("home.dynv6.net", V6, &[]);
        assert_eq!(told(&v6, "ipv6=2a02:b18::7", "addresses unchanged\n"), Changed::No);
        let v6 = Change { prefix, ..v6 };
        let query = "ipv6=2a02:b18::7&ipv6prefix=2a02:b18::/56";
        assert_eq!(told(&v6, query, "addresses updated"), Changed::Yes);
    }

    #[test]
    fn every_answer_has_its_meaning() {
        let failure = |status, body: &str| {
            let response = Response { status, headers: Vec::new(), body: body.into() };
            let failure = understand(&response).unwrap_err();
            (failure.class, failure.reach)
        };
        let token = failure(401, "invalid authentication token");
        assert_eq!(token, (Class::Parked, Reach::Account));
        assert_eq!(failure(404, "zone not found"), (Class::Parked, Reach::Binding));
        assert_eq!(failure(200, "<html>"), (Class::Transient, Reach::Binding));
        assert_eq!(failure(200, ""), (Class::Transient, Reach::Binding));
        assert_eq!(failure(500, "addresses updated").0, Class::Transient);
        assert_eq!(failure(429, "").0, Class::RateLimited);
    }
}
