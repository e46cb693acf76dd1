//! Which of our providers is meant by another client's name for it, and which of its parameters by
//! another client's credentials.

use serde_json::{Map, Value};

use crate::{
    provider::{Entry, Nature, Need, Parameter},
    providers,
};

/// Names of the same service.
const SAME: &[&[&str]] = &[
    &["alidns", "aliyun"],
    &["dnspod", "dnspod.cn"],
    &["tencentcloud", "tencent", "tencent-cloud"],
    &["huaweicloud", "huawei", "huaweidns", "huawei-cloud"],
    &["volcengine", "trafficroute"],
    &["baiducloud", "baidu", "baidu-cloud"],
    &["dyn", "dyndns", "dyndns.org", "members.dyndns.org", "dyn.com"],
    &["noip", "no-ip", "no-ip.com", "noip.com", "dynupdate.no-ip.com"],
    &["ovh-dynhost", "ovh", "ovh.com", "www.ovh.com", "dynhost"],
    &["he", "he.net", "henet", "dns.he.net", "dyn.dns.he.net"],
    &["selfhost", "selfhost.de", "carol.selfhost.de"],
    &["strato", "strato.de", "strato.com", "dyndns.strato.com"],
    &["desec", "desec.io", "dedyn.io", "update.dedyn.io"],
    &["duckdns", "duckdns.org", "www.duckdns.org"],
    &["freemyip", "freemyip.com"],
    &["dynv6", "dynv6.com"],
    &["dynu", "dynu.com", "api.dynu.com"],
    &["cloudflare", "cloudflare.com"],
    &["namecheap", "namecheap.com"],
    &["dnsomatic", "dnsomatic.com", "updates.dnsomatic.com"],
    &["digitalocean", "digital-ocean"],
    &["gandi", "gandi.net"],
    &["porkbun", "porkbun.com"],
    &["godaddy", "godaddy.com"],
    &["hetznercloud", "hetzner-cloud"],
    &["route53", "aws"],
    &["namecom", "name.com", "name-com", "name_com"],
    &["infomaniak", "infomaniak.com"],
    &["inwx", "inwx.com"],
    &["ipv64", "ipv64.net"],
    &["variomedia", "variomedia.de"],
    &["freedns", "freedns.afraid.org", "afraid"],
    &["zoneedit", "zoneedit1", "zoneedit.com", "dynamic.zoneedit.com"],
    &["easydns", "easydns.com"],
    &["loopia", "loopia.com"],
];

/// A field of other clients, and what we may call it.
type Field = (&'static str, &'static [&'static str]);

/// Fields of other clients and what we call them, best first.
const FIELDS: &[Field] = &[
    ("username", &["user", "login"]),
    ("user", &["username", "login"]),
    ("login", &["user", "username"]),
    ("email", &["user"]),
    ("password", &["key", "token"]),
    ("token", &["api-token", "password", "key", "api-key"]),
    ("key", &["api-key", "token"]),
    ("api-key", &["key", "token"]),
    ("apikey", &["api-key", "key", "token"]),
    ("api-token", &["token"]),
    ("client-key", &["password"]),
    ("personal-access-token", &["token"]),
    ("secretapikey", &["secret-api-key", "secret-key", "secret"]),
    ("secret-api-key", &["secret-key", "secret"]),
    ("access-key", &["access-key-id", "key"]),
    ("access-secret", &["access-key-secret", "secret"]),
    ("secret-key", &["secret-access-key", "secret"]),
    ("secret", &["access-key-secret", "secret-key", "password"]),
];

/// Parameters of ours, and the names of fields that belong to none.
pub(super) type Given = (Map<String, Value>, Vec<String>);

/// Another client's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Credentials {
    /// Who, and how that is proved, whatever the provider calls it.
    Pair {
        /// Who; may be missing.
        id: Option<String>,
        /// How it is proved; may be missing.
        secret: Option<String>,
    },
    /// Fields with names.
    Named(Vec<(String, String)>),
}

/// Returns our provider for another client's name of it.
pub(super) fn ours(theirs: &str) -> Option<&'static Entry> {
    let theirs = theirs.trim().to_ascii_lowercase();
    let group = SAME.iter().find(|group| group.contains(&theirs.as_str()));
    let mut names = group.copied().unwrap_or_default().iter().copied().chain([theirs.as_str()]);
    names.find_map(providers::find)
}

/// Returns the parameters of an account, and the fields that belong to none.
pub(super) fn parameters(entry: &Entry, credentials: &Credentials) -> Given {
    match credentials {
        Credentials::Pair { id, secret } => (pair(entry, id.as_deref(), secret.as_deref()), vec![]),
        Credentials::Named(fields) => named(entry, fields),
    }
}

fn pair(entry: &Entry, id: Option<&str>, secret: Option<&str>) -> Map<String, Value> {
    // Where it is says nothing of who we are there.
    let is_needed = |one: &&Parameter| one.need == Need::Required && one.key != "url";
    let needed: Vec<&Parameter> = entry.parameters.iter().filter(is_needed).collect();
    let has = |key: &str| entry.parameters.iter().any(|one| one.key == key);
    let first_secret = entry.parameters.iter().find(|one| one.nature == Nature::Secret);
    let mut given = Map::new();
    let mut give = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            given.insert(key.to_owned(), Value::from(value));
        }
    };
    match needed.as_slice() {
        // A global key has an e-mail address before it, a token has none.
        [] if id.is_some_and(|id| id.contains('@')) && has("email") && has("key") => {
            give("email", id);
            give("key", secret);
        }
        [] if id.is_some() && has("user") => {
            give("user", id);
            give(first_secret.map_or("password", |one| one.key), secret);
        }
        [] => {
            if let Some(one) = first_secret {
                give(one.key, secret.or(id));
            }
        }
        [one] => {
            if has("id") && secret.is_some() {
                give("id", id);
            }
            give(one.key, secret.or(id));
        }
        [one, other, ..] => {
            give(one.key, id);
            give(other.key, secret);
        }
    }
    given
}

fn named(entry: &Entry, fields: &[(String, String)]) -> Given {
    let (mut found, mut left) = (Map::new(), Vec::new());
    for (field, value) in fields {
        let wanted = field.to_ascii_lowercase().replace('_', "-");
        let others =
            FIELDS.iter().find(|(name, _)| *name == wanted).map_or(&[][..], |(_, ours)| ours);
        let mut keys = [wanted.as_str()].into_iter().chain(others.iter().copied());
        let is_free = |key: &&str| {
            entry.parameters.iter().any(|one| one.key == *key) && !found.contains_key(*key)
        };
        match keys.find(is_free) {
            Some(key) => {
                found.insert(key.to_owned(), Value::from(value.as_str()));
            }
            None => left.push(field.clone()),
        }
    }
    (found, left)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pair_finds_its_places_in_every_provider() {
        let check = |theirs: &str, expected: Value| {
            let (id, secret) = (Some("12345".to_owned()), Some("hunter2".to_owned()));
            let (given, left) =
                parameters(ours(theirs).unwrap(), &Credentials::Pair { id, secret });
            assert_eq!((Value::Object(given), left), (expected, Vec::new()), "{theirs}");
        };
        check("dnspod", json!({ "id": "12345", "token": "hunter2" }));
        check("cloudflare", json!({ "token": "hunter2" }));
        check("alidns", json!({ "access-key-id": "12345", "access-key-secret": "hunter2" }));
        check("tencentcloud", json!({ "secret-id": "12345", "secret-key": "hunter2" }));
        check("baiducloud", json!({ "access-key-id": "12345", "secret-access-key": "hunter2" }));
        check("godaddy", json!({ "key": "12345", "secret": "hunter2" }));
        check("porkbun", json!({ "api-key": "12345", "secret-key": "hunter2" }));
    }
}
