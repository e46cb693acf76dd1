//! selfHOST.de: dyndns2 with statuses that mean something besides.

use crate::provider::{
    ENDPOINT, Entry, Floors, Limits, ParameterError, Parameters, Provider, Reading,
};

use super::dyndns2::{Addresses, Dialect, PASSWORD, USER, open_basic};

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "selfhost",
    aliases: &["selfhostde"],
    title: "selfHOST.de",
    title_zh: "selfHOST.de",
    documents: "https://selfhost.de/cgi-bin/selfhost?p=document&name=api",
    parameters: &[USER, PASSWORD, ENDPOINT],
    extras: &[],
    reading: Reading::Impossible,
    floors: Floors { refresh: None, ..Floors::DYNDNS },
    limits: Limits::ONE_EACH,
    open,
};

const DIALECT: Dialect = Dialect {
    whom: "selfHOST.de",
    endpoint: "https://carol.selfhost.de",
    path: "/nic/update",
    fixed: &[],
    addresses: Addresses::Alone,
    statuses: &[
        (204, "nochg"),
        (401, "badauth"),
        (409, "nohost"),
        (410, "!active"),
        (411, "badip"),
        (412, "badip"),
        (503, "911"),
    ],
};

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    open_basic(DIALECT, parameters)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::providers::dyndns2::tests::check_preset;

    #[test]
    fn one_family_is_told_at_a_time() {
        let url = "https://carol.selfhost.de/nic/update?hostname=home.example.org";
        let told = ("myip=81.2.69.142", "myip=2a02:b18::7");
        check_preset(
            ("selfhost", json!({"user": "me", "password": "secret"})),
            (url, told),
            "Basic bWU6c2VjcmV0",
        );
    }
}
