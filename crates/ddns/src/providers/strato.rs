//! Strato: dyndns2 with both families in `myip`; whoever updates often is told `abuse`.

use std::time::Duration;

use crate::provider::{
    ENDPOINT, Entry, Floors, Limits, ParameterError, Parameters, Provider, Reading,
};

use super::dyndns2::{Addresses, Dialect, PASSWORD, USER, open_basic};

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "strato",
    aliases: &[],
    title: "STRATO",
    title_zh: "STRATO",
    documents: "https://www.strato.de/faq/",
    parameters: &[USER, PASSWORD, ENDPOINT],
    extras: &[],
    reading: Reading::Impossible,
    floors: Floors {
        write: Duration::from_mins(10),
        rate_limited: Duration::from_mins(30),
        refresh: None,
        ..Floors::DYNDNS
    },
    limits: Limits::ONE_EACH,
    open,
};

const DIALECT: Dialect = Dialect {
    whom: "STRATO",
    endpoint: "https://dyndns.strato.com",
    path: "/nic/update",
    fixed: &[],
    addresses: Addresses::Together,
    statuses: &[],
};

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    open_basic(DIALECT, parameters)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::providers::dyndns2::tests::check_preset;

    #[test]
    fn both_families_are_told_at_once() {
        let url = "https://dyndns.strato.com/nic/update?hostname=home.example.org";
        let told = ("myip=81.2.69.142,2a02:b18::7", "myip=81.2.69.142,2a02:b18::7");
        check_preset(
            ("strato", json!({"user": "me", "password": "secret"})),
            (url, told),
            "Basic bWU6c2VjcmV0",
        );
    }
}
