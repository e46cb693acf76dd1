//! OVH `DynHost`: dyndns2 for single names of a zone, with a user for updates alone.

use crate::provider::{
    ENDPOINT, Entry, Floors, Limits, ParameterError, Parameters, Provider, Reading,
};

use super::dyndns2::{Addresses, Dialect, PASSWORD, USER, open_basic};

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "ovh-dynhost",
    aliases: &["dynhost"],
    title: "OVH DynHost",
    title_zh: "OVH DynHost",
    documents: "https://help.ovhcloud.com/csm/en-dns-dynhost",
    parameters: &[USER, PASSWORD, ENDPOINT],
    extras: &[],
    reading: Reading::Impossible,
    floors: Floors { refresh: None, ..Floors::DYNDNS },
    limits: Limits::ONE_EACH,
    open,
};

const DIALECT: Dialect = Dialect {
    whom: "OVH DynHost",
    endpoint: "https://www.ovh.com",
    path: "/nic/update",
    fixed: &[("system", "dyndns")],
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
    fn one_family_is_told_at_a_time() {
        let url = "https://www.ovh.com/nic/update?system=dyndns&hostname=home.example.org";
        let told = ("myip=81.2.69.142", "myip=2a02:b18::7");
        check_preset(
            ("ovh-dynhost", json!({"user": "me", "password": "secret"})),
            (url, told),
            "Basic bWU6c2VjcmV0",
        );
    }
}
