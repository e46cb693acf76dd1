//! No-IP: dyndns2 with both families in `myip`; after `911` it wants half an hour of silence.

use std::time::Duration;

use crate::provider::{
    ENDPOINT, Entry, Floors, Limits, ParameterError, Parameters, Provider, Reading,
};

use super::dyndns2::{Addresses, Dialect, PASSWORD, USER, open_basic};

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "noip",
    aliases: &["no-ip"],
    title: "No-IP",
    title_zh: "No-IP",
    documents: "https://developer.noip.com/ddns-integration/get_nic_update/",
    parameters: &[USER, PASSWORD, ENDPOINT],
    extras: &[],
    reading: Reading::Impossible,
    floors: Floors { rate_limited: Duration::from_mins(30), ..Floors::DYNDNS },
    limits: Limits::ONE_EACH,
    open,
};

const DIALECT: Dialect = Dialect {
    whom: "No-IP",
    endpoint: "https://dynupdate.no-ip.com",
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
        let url = "https://dynupdate.no-ip.com/nic/update?hostname=home.example.org";
        let told = ("myip=81.2.69.142,2a02:b18::7", "myip=81.2.69.142,2a02:b18::7");
        check_preset(
            ("noip", json!({"user": "me", "password": "secret"})),
            (url, told),
            "Basic bWU6c2VjcmV0",
        );
    }
}
