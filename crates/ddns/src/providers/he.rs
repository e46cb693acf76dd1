//! Hurricane Electric (dns.he.net): dyndns2.
//!
//! The user is the name itself, and each record has a key of its own.

use crate::provider::{
    ENDPOINT, Entry, Floors, Limits, Nature, Need, Parameter, ParameterError, Parameters, Provider,
    Reading,
};

use super::dyndns2::{Addresses, Dialect, Identity, open_as};

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "he",
    aliases: &["hurricane-electric", "dns.he.net"],
    title: "Hurricane Electric DNS",
    title_zh: "Hurricane Electric DNS",
    documents: "https://dns.he.net/docs.html",
    parameters: &[
        Parameter {
            key: "key",
            need: Need::Required,
            nature: Nature::Secret,
            help: "the key for dynamic updates that the records were given; the same one for all",
            help_zh: "为该记录设置的动态更新密钥；此账户中的所有名称须使用相同密钥",
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
    whom: "Hurricane Electric DNS",
    endpoint: "https://dyn.dns.he.net",
    path: "/nic/update",
    fixed: &[],
    addresses: Addresses::Alone,
    statuses: &[],
};

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    let key = parameters.secret("key")?;
    open_as(DIALECT, Identity::Name(key), parameters)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::providers::dyndns2::tests::check_preset;

    #[test]
    fn the_name_itself_is_the_user() {
        let url = "https://dyn.dns.he.net/nic/update?hostname=home.example.org";
        let told = ("myip=81.2.69.142", "myip=2a02:b18::7");
        check_preset(
            ("he", json!({"key": "secret"})),
            (url, told),
            "Basic aG9tZS5leGFtcGxlLm9yZzpzZWNyZXQ=",
        );
    }
}
