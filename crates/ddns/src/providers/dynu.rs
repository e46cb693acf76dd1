//! Dynu: dyndns2 with `myip` and `myipv6`.
//!
//! What is missing is taken from the connection: `no` keeps it.

use crate::provider::{
    ENDPOINT, Entry, Floors, Limits, ParameterError, Parameters, Provider, Reading,
};

use super::dyndns2::{Addresses, Dialect, PASSWORD, USER, open_basic};

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "dynu",
    aliases: &[],
    title: "Dynu",
    title_zh: "Dynu",
    documents: "https://www.dynu.com/DynamicDNS/IP-Update-Protocol",
    parameters: &[USER, PASSWORD, ENDPOINT],
    extras: &[],
    reading: Reading::Impossible,
    floors: Floors::DYNDNS,
    limits: Limits::ONE_EACH,
    open,
};

const DIALECT: Dialect = Dialect {
    whom: "Dynu",
    endpoint: "https://api.dynu.com",
    path: "/nic/update",
    fixed: &[],
    addresses: Addresses::Apart { ipv4: "myip", ipv6: "myipv6", keep: Some("no") },
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
    fn the_other_family_is_never_guessed_from_the_connection() {
        let url = "https://api.dynu.com/nic/update?hostname=home.example.org";
        let told = ("myip=81.2.69.142&myipv6=no", "myip=no&myipv6=2a02:b18::7");
        check_preset(
            ("dynu", json!({"user": "me", "password": "secret"})),
            (url, told),
            "Basic bWU6c2VjcmV0",
        );
    }
}
