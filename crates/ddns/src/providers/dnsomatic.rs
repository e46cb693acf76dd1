//! DNS-O-Matic: dyndns2, passed on to other services; IPv4 alone.

use crate::provider::{
    ENDPOINT, Entry, Floors, Limits, ParameterError, Parameters, Provider, Reading,
};

use super::dyndns2::{Addresses, Dialect, PASSWORD, USER, open_basic};

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "dnsomatic",
    aliases: &["dns-o-matic"],
    title: "DNS-O-Matic",
    title_zh: "DNS-O-Matic",
    documents: "https://www.dnsomatic.com/docs/api",
    parameters: &[USER, PASSWORD, ENDPOINT],
    extras: &[],
    reading: Reading::Impossible,
    floors: Floors::DYNDNS,
    limits: Limits { ipv6: false, ..Limits::ONE_EACH },
    open,
};

const DIALECT: Dialect = Dialect {
    whom: "DNS-O-Matic",
    endpoint: "https://updates.dnsomatic.com",
    path: "/nic/update",
    fixed: &[("wildcard", "NOCHG"), ("mx", "NOCHG"), ("backmx", "NOCHG")],
    addresses: Addresses::Alone,
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
    fn nothing_but_the_address_is_changed() {
        let url = "https://updates.dnsomatic.com/nic/update\
                   ?wildcard=NOCHG&mx=NOCHG&backmx=NOCHG&hostname=home.example.org";
        let told = ("myip=81.2.69.142", "myip=2a02:b18::7");
        check_preset(
            ("dnsomatic", json!({"user": "me", "password": "secret"})),
            (url, told),
            "Basic bWU6c2VjcmV0",
        );
    }
}
