//! deSEC (`update.dedyn.io`): dyndns2 with a token.
//!
//! A family that is not told is deleted: `preserve` keeps it.

use crate::provider::{
    ENDPOINT, Entry, Floors, Limits, Nature, Need, Parameter, ParameterError, Parameters, Provider,
    Reading,
};

use super::dyndns2::{Addresses, Dialect, Identity, open_as};

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "desec",
    aliases: &["dedyn"],
    title: "deSEC (dedyn.io)",
    title_zh: "deSEC（dedyn.io）",
    documents: "https://desec.readthedocs.io/en/latest/dyndns/update-api.html",
    parameters: &[
        Parameter {
            key: "token",
            need: Need::Required,
            nature: Nature::Secret,
            help: "a token of the account; not the password of the website",
            help_zh: "账户的 token；不是网站登录密码",
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
    whom: "deSEC",
    endpoint: "https://update.dedyn.io",
    path: "/",
    fixed: &[],
    addresses: Addresses::Apart { ipv4: "myipv4", ipv6: "myipv6", keep: Some("preserve") },
    statuses: &[(401, "badauth"), (404, "nohost")],
};

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    let token = parameters.secret("token")?;
    open_as(DIALECT, Identity::Scheme("Token", token), parameters)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::providers::dyndns2::tests::check_preset;

    #[test]
    fn the_other_family_is_preserved() {
        let url = "https://update.dedyn.io/?hostname=home.example.org";
        let told = ("myipv4=81.2.69.142&myipv6=preserve", "myipv4=preserve&myipv6=2a02:b18::7");
        check_preset(("desec", json!({"token": "secret"})), (url, told), "Token secret");
    }
}
