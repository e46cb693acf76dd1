//! Duck DNS: a GET with a token, no reading; `KO` for whatever is wrong.

use std::net::IpAddr;

use crate::{
    failure::{Class, Failure},
    name::Fqdn,
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
    name: "duckdns",
    aliases: &[],
    title: "Duck DNS",
    title_zh: "Duck DNS",
    documents: "https://www.duckdns.org/spec.jsp",
    parameters: &[
        Parameter {
            help: "the token of the account, as the page shows it after the login",
            help_zh: "账户的 token，登录后页面上方可见",
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
    whom: "Duck DNS",
    endpoint: "https://www.duckdns.org",
    path: "/update",
    query,
    understand,
};

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    open_as(&DIALECT, parameters)
}

/// An address that is named keeps the service from taking the connection's instead, and leaves the
/// other family alone.
fn query(change: &Change, address: IpAddr, token: &str) -> Result<String, Failure> {
    let domain = label(&change.record.name)?;
    let (family, address) = (if address.is_ipv4() { "ip" } else { "ipv6" }, address.to_string());
    let pairs = [("domains", domain), ("token", token), (family, &address), ("verbose", "true")];
    Ok(answer::query(&pairs))
}

/// Returns what the service calls the domain: the label before `.duckdns.org`.
fn label(name: &Fqdn) -> Result<&str, Failure> {
    let label = name.as_str().strip_suffix(".duckdns.org");
    label.filter(|label| !label.contains('.')).ok_or_else(|| {
        let words = format!(
            "`{name}` is no domain of Duck DNS: these are `NAME.duckdns.org`, and all names below \
             have the same address"
        );
        Failure::new(Class::Parked, "no-domain", words)
    })
}

/// `OK`, the addresses, `UPDATED` or `NOCHANGE`, a line each; or `KO`.
fn understand(response: &Response, address: IpAddr) -> Result<Written, Failure> {
    answer::check_status(response)?;
    let text = response.text();
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.split_first() {
        Some((&"OK", rest)) if rest.contains(&"UPDATED") => written(rest, address, Changed::Yes),
        Some((&"OK", rest)) if rest.contains(&"NOCHANGE") => written(rest, address, Changed::No),
        Some((&"KO", _)) => {
            let words = "Duck DNS refuses: the token is wrong, or the domain is not its own";
            Err(Failure::new(Class::Parked, "KO", words))
        }
        _ => Err(answer::unknown(response)),
    }
}

fn written(told: &[&str], address: IpAddr, change: Changed) -> Result<Written, Failure> {
    if told.iter().any(|word| word.parse() == Ok(address)) {
        return Ok(Written { change, code: "OK".to_owned() });
    }
    let words = format!("Duck DNS has another address than {address} after the update");
    Err(Failure::new(Class::Transient, "other-address", words))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        providers::dyndns2::tests::{V4, V6, change, opened},
        wire::script::{Expected, Script, run},
    };

    fn written(name: &str, address: &str, query: &str, body: &str) -> Result<Changed, Failure> {
        let provider = opened("duckdns", json!({"token": "hunter2"}));
        let url = format!("https://www.duckdns.org/update?token=hunter2&verbose=true&{query}");
        let wire = Script::new().on(Expected::get(&url)).answer_text(200, body);
        let result = run(provider.write(&wire, &change(name, address, &[])));
        wire.done();
        result.map(|written| written.change)
    }

    #[test]
    fn one_family_is_told_and_the_other_one_stays() {
        let told = written(
            "home.duckdns.org",
            V4,
            "domains=home&ip=81.2.69.142",
            "OK\n81.2.69.142\n\nUPDATED",
        );
        assert_eq!(told, Ok(Changed::Yes));
        let body = "OK \r\n81.2.69.142\r\n2a02:b18:0::7\r\nNOCHANGE\r\n";
        let told = written("home.duckdns.org", V6, "domains=home&ipv6=2a02:b18::7", body);
        assert_eq!(told, Ok(Changed::No));
    }

    #[test]
    fn every_answer_has_its_meaning() {
        let failure = |status, body: &str| {
            let response = Response { status, headers: Vec::new(), body: body.into() };
            let failure = understand(&response, V4.parse().unwrap()).unwrap_err();
            (failure.class, failure.code)
        };
        assert_eq!(failure(200, "KO"), (Class::Parked, "KO".to_owned()));
        assert_eq!(failure(200, "OK\n1.1.1.1\n\nUPDATED").1, "other-address");
        assert_eq!(failure(200, "OK").1, "unknown-answer");
        assert_eq!(failure(200, "<html>").0, Class::Transient);
        assert_eq!(failure(502, "KO").0, Class::Transient);
        assert_eq!(failure(429, "").0, Class::RateLimited);
    }

    #[test]
    fn a_name_that_is_no_domain_there_is_parked_without_a_request() {
        let provider = opened("duckdns", json!({"token": "hunter2"}));
        for name in ["home.example.org", "a.home.duckdns.org"] {
            let failure = run(provider.write(&Script::new(), &change(name, V4, &[]))).unwrap_err();
            assert_eq!(failure.class, Class::Parked);
        }
    }
}
