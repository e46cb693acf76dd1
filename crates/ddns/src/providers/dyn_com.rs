//! Dyn (`members.dyndns.org`): the original; an update of one family deletes the other one.

use crate::provider::{
    ENDPOINT, Entry, Floors, Limits, ParameterError, Parameters, Provider, Reading,
};

use super::dyndns2::{Addresses, Dialect, PASSWORD, USER, open_basic};

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "dyn",
    aliases: &["dyndns-org"],
    title: "Dyn (DynDNS Pro)",
    title_zh: "Dyn（DynDNS Pro）",
    documents: "https://help.dyn.com/remote-access-api/",
    parameters: &[USER, PASSWORD, ENDPOINT],
    extras: &[],
    reading: Reading::Impossible,
    floors: Floors::DYNDNS,
    limits: Limits::ONE_EACH,
    open,
};

const DIALECT: Dialect = Dialect {
    whom: "Dyn",
    endpoint: "https://members.dyndns.org",
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
    fn both_families_are_told_at_once_as_one_alone_deletes_the_other() {
        let url = "https://members.dyndns.org/nic/update?hostname=home.example.org";
        let told = ("myip=81.2.69.142,2a02:b18::7", "myip=81.2.69.142,2a02:b18::7");
        check_preset(
            ("dyn", json!({"user": "me", "password": "secret"})),
            (url, told),
            "Basic bWU6c2VjcmV0",
        );
    }
}
