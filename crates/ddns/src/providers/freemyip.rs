//! freemyip.com: a GET with a token, no reading.

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
    name: "freemyip",
    aliases: &[],
    title: "freemyip.com",
    title_zh: "freemyip.com",
    documents: "https://freemyip.com/help",
    parameters: &[
        Parameter {
            help: "the token of the domain, from the page that made it",
            help_zh: "创建域名时页面上显示的 token",
            ..TOKEN
        },
        ENDPOINT,
    ],
    extras: &[],
    reading: Reading::Impossible,
    floors: Floors::DYNDNS,
    limits: Limits::ONE_EACH,
    open,
};

const DIALECT: Dialect = Dialect {
    whom: "freemyip.com",
    endpoint: "https://freemyip.com",
    path: "/update",
    query: |change, address, token| Ok(query(change, address, token)),
    understand: |response, _| understand(response),
};

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    open_as(&DIALECT, parameters)
}

fn query(change: &Change, address: IpAddr, token: &str) -> String {
    let (name, address) = (change.record.name.as_str(), address.to_string());
    let pairs = [("token", token), ("domain", name), ("myip", &address), ("verbose", "yes")];
    answer::query(&pairs)
}

/// `OK` and what follows it, or `ERROR`: for a wrong token and for a wrong domain alike.
fn understand(response: &Response) -> Result<Written, Failure> {
    answer::check_status(response)?;
    let text = response.text();
    let word = text.split_whitespace().next().unwrap_or_default();
    match word {
        "OK" if text.to_ascii_lowercase().contains("not changed") => {
            Ok(Written { change: Changed::No, code: word.to_owned() })
        }
        "OK" => Ok(Written { change: Changed::Yes, code: word.to_owned() }),
        "ERROR" => {
            let words = "freemyip.com refuses: the token is wrong, or the domain is not its own";
            Err(Failure::new(Class::Parked, "ERROR", words))
        }
        _ => Err(answer::unknown(response)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        providers::dyndns2::tests::{V4, V6, change, opened, written},
        wire::script::Expected,
    };

    #[test]
    fn the_address_is_named_for_either_family() {
        let provider = opened("freemyip", json!({"token": "hunter2"}));
        for address in [V4, V6] {
            let query = format!("token=hunter2&domain=h.freemyip.com&myip={address}&verbose=yes");
            let expected = Expected::get(&format!("https://freemyip.com/update?{query}"));
            let change = change("h.freemyip.com", address, &[]);
            written(&*provider, &change, (expected, "OK")).unwrap();
        }
    }

    fn understood(status: u16, body: &str) -> Result<Changed, Class> {
        let response = Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
        understand(&response).map(|written| written.change).map_err(|failure| failure.class)
    }

    #[test]
    fn every_answer_has_its_meaning() {
        assert_eq!(understood(200, "OK\nIP 81.2.69.142 updated"), Ok(Changed::Yes));
        assert_eq!(understood(200, "OK\nIP 81.2.69.142 not changed"), Ok(Changed::No));
        assert_eq!(understood(200, "OK\nNot changed."), Ok(Changed::No));
        assert_eq!(understood(200, "ERROR"), Err(Class::Parked));
        assert_eq!(understood(200, "<html>"), Err(Class::Transient));
        assert_eq!(understood(503, "OK"), Err(Class::Transient));
        assert_eq!(understood(429, ""), Err(Class::RateLimited));
    }
}
