//! dynv6: a GET with a token, no reading; takes the prefix of the network as well.

use std::net::IpAddr;

use crate::{
    failure::{Class, Failure},
    provider::{
        ENDPOINT, Entry, Floors, Limits, Parameter, ParameterError, Parameters, Provider, Reading,
    },
    record::{Change, Changed, Written},
    wire::Response,
};

use super::{
    answer,
    token::{Dialect, TOKEN, open_as},
};

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "dynv6",
    aliases: &[],
    title: "dynv6",
    title_zh: "dynv6",
    documents: "https://dynv6.com/docs/apis",
    parameters: &[
        Parameter {
            help: "an HTTP token of the zone, from the page `Keys`",
            help_zh: "该 zone 的 HTTP token，在 `Keys` 页面获取",
            ..TOKEN
        },
        ENDPOINT,
    ],
    extras: &[],
    reading: Reading::Impossible,
    floors: Floors { refresh: None, ..Floors::DYNDNS },
    limits: Limits::ONE_EACH,
    open,
};

const DIALECT: Dialect = Dialect {
    whom: "dynv6",
    endpoint: "https://dynv6.com",
    path: "/api/update",
    query: |change, address, token| Ok(query(change, address, token)),
    understand: |response, _| understand(response),
};

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    open_as(&DIALECT, parameters)
}

fn query(change: &Change, address: IpAddr, token: &str) -> String {
    let text = address.to_string();
    let mut pairs = vec![("zone", change.record.name.as_str()), ("token", token)];
    pairs.push((if address.is_ipv4() { "ipv4" } else { "ipv6" }, &text));
    let prefix = change.prefix.filter(|_| address.is_ipv6());
    let prefix = prefix.map(|(network, length)| format!("{network}/{length}"));
    // The records below the zone are composed of it and what is kept of them there.
    pairs.extend(prefix.as_deref().map(|prefix| ("ipv6prefix", prefix)));
    answer::query(&pairs)
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
