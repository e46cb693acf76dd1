//! The protocol that dyndns.org began and many speak: a GET with a name and its addresses, answered
//! by a word.
//!
//! What differs between those who speak it is a [`Dialect`]; those that are well known have a file
//! of their own with theirs.

mod codes;

use std::net::IpAddr;

use crate::{
    address::Family,
    base64,
    provider::{
        Attempt, Entry, Floors, Limits, Nature, Need, Parameter, ParameterError, Parameters,
        Provider, Reading,
    },
    record::{Change, Found, Record, Written},
    secret::Secret,
    wire::{Method, Request, Wire},
};

use super::answer;

/// What is known of services that nobody has a preset for.
pub(super) const ENTRY: Entry = Entry {
    name: "dyndns2",
    aliases: &["dyndns"],
    title: "dyndns2, any service",
    title_zh: "任意 dyndns2 兼容服务",
    documents: "https://help.dyn.com/remote-access-api/",
    parameters: &[
        Parameter {
            key: "url",
            need: Need::Required,
            nature: Nature::Plain,
            help: "where updates go, such as `https://dyndns.example.org/nic/update`",
            help_zh: "更新地址，例如 `https://dyndns.example.org/nic/update`",
        },
        Parameter { need: Need::Optional, ..USER },
        Parameter { need: Need::Optional, ..PASSWORD },
        Parameter {
            key: "ipv6",
            need: Need::Optional,
            nature: Nature::Plain,
            help: "how an IPv6 address is told: `together` with the other one in `myip` (usual), \
                   `alone` in `myip`, or `myipv6` in a parameter of that name",
            help_zh: "IPv6 地址的传递方式：`together` 与 IPv4 一起放在 `myip`（默认）、\
                      `alone` 单独放在 `myip`、`myipv6` 使用同名参数",
        },
    ],
    extras: &[],
    reading: Reading::Impossible,
    floors: Floors::DYNDNS,
    limits: Limits::ONE_EACH,
    open,
};

/// Who we are there.
pub(super) const USER: Parameter = Parameter {
    key: "user",
    need: Need::Required,
    nature: Nature::Plain,
    help: "the name of the account, or of the key for updates",
    help_zh: "账户名，或更新专用密钥的用户名",
};

/// How we prove it.
pub(super) const PASSWORD: Parameter = Parameter {
    key: "password",
    need: Need::Required,
    nature: Nature::Secret,
    help: "the password for updates; where there is one of its own, not the account's",
    help_zh: "更新用的密码；如果有专用密码，请不要填账户密码",
};

/// What differs between those who speak the protocol.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    /// Who it is, for people.
    pub(super) whom: &'static str,
    /// Where it is.
    pub(super) endpoint: &'static str,
    /// Where updates go there.
    pub(super) path: &'static str,
    /// What every request has besides.
    pub(super) fixed: &'static [(&'static str, &'static str)],
    /// How addresses are told.
    pub(super) addresses: Addresses,
    /// What a status means, as a word of the protocol, where the body does not tell.
    pub(super) statuses: &'static [(u16, &'static str)],
}

/// How addresses are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addresses {
    /// In `myip`, one family at a time: the other one stays as it is.
    Alone,
    /// In `myip`, both families with a comma: what is not told is deleted.
    Together,
    /// In a parameter for each family, and what leaves the other one as it is.
    Apart {
        /// For IPv4.
        ipv4: &'static str,
        /// For IPv6.
        ipv6: &'static str,
        /// What keeps an address; nothing where a missing parameter does.
        keep: Option<&'static str>,
    },
}

/// Who sends a request.
#[derive(Debug)]
pub(super) enum Identity {
    /// Nobody: the URL says enough.
    Nobody,
    /// A user with a password (RFC 7617).
    Basic(String, Secret),
    /// The name that is updated, with a password.
    Name(Secret),
    /// A token, in the scheme that begins with it.
    Scheme(&'static str, Secret),
}

/// An account at one who speaks the protocol.
#[derive(Debug)]
pub(super) struct Dyndns2 {
    dialect: Dialect,
    url: String,
    identity: Identity,
}

/// Opens an account with a user and a password.
pub(super) fn open_basic(
    dialect: Dialect,
    parameters: &Parameters,
) -> Result<Box<dyn Provider>, ParameterError> {
    let user = parameters.required("user")?.to_owned();
    let identity = Identity::Basic(user, parameters.secret("password")?);
    open_as(dialect, identity, parameters)
}

/// Opens an account with something else.
pub(super) fn open_as(
    dialect: Dialect,
    identity: Identity,
    parameters: &Parameters,
) -> Result<Box<dyn Provider>, ParameterError> {
    let url = format!("{}{}", parameters.endpoint(dialect.endpoint)?, dialect.path);
    Ok(Box::new(Dyndns2 { dialect, url, identity }))
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    let url = parameters.required("url")?.to_owned();
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(ParameterError::new("url", "it must begin with `https://`"));
    }
    let addresses = match parameters.text("ipv6")? {
        None | Some("together") => Addresses::Together,
        Some("alone") => Addresses::Alone,
        Some("myipv6") => Addresses::Apart { ipv4: "myip", ipv6: "myipv6", keep: None },
        Some(_) => {
            return Err(ParameterError::new("ipv6", "it must be `together`, `alone` or `myipv6`"));
        }
    };
    let identity = Identity::of_user(parameters)?;
    let dialect = Dialect {
        whom: "the service",
        endpoint: "",
        path: "",
        fixed: &[],
        addresses,
        statuses: &[],
    };
    Ok(Box::new(Dyndns2 { dialect, url, identity }))
}

impl Provider for Dyndns2 {
    fn read<'a>(&'a self, _wire: &'a dyn Wire, _record: &'a Record) -> Attempt<'a, Found> {
        Box::pin(async { Err(answer::unreadable(self.dialect.whom)) })
    }

    fn write<'a>(&'a self, wire: &'a dyn Wire, change: &'a Change) -> Attempt<'a, Written> {
        Box::pin(async move {
            let address = answer::only(&change.want)?;
            let response = wire.http(self.request(change, address)).await?;
            codes::understand(&response, &self.dialect, address)
        })
    }
}

impl Dyndns2 {
    fn request(&self, change: &Change, address: IpAddr) -> Request {
        let name = change.record.name.as_str();
        let mut pairs: Vec<(&str, String)> = Vec::new();
        pairs.extend(self.dialect.fixed.iter().map(|(key, value)| (*key, (*value).to_owned())));
        pairs.push(("hostname", name.to_owned()));
        pairs.extend(told(self.dialect.addresses, address, &change.beside));
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(key, value)| (*key, &**value)).collect();
        let joint = if self.url.contains('?') { '&' } else { '?' };
        let url = format!("{}{joint}{}", self.url, answer::query(&pairs));
        let request = Request::new(Method::Get, url);
        match self.identity.credentials(name) {
            Some(credentials) => request.header("authorization", credentials),
            None => request,
        }
    }
}

impl Identity {
    /// Takes `user` and `password`, both or neither.
    pub(super) fn of_user(parameters: &Parameters) -> Result<Self, ParameterError> {
        match (parameters.text("user")?, parameters.optional_secret("password")) {
            (None, None) => Ok(Self::Nobody),
            (Some(user), Some(password)) => Ok(Self::Basic(user.to_owned(), password)),
            (Some(_), None) => {
                Err(ParameterError::new("password", "it is missing: `user` is there"))
            }
            (None, Some(_)) => {
                Err(ParameterError::new("user", "it is missing: `password` is there"))
            }
        }
    }

    /// Returns whether anybody is named.
    pub(super) const fn is_somebody(&self) -> bool {
        self.secret().is_some()
    }

    /// Returns what proves it.
    pub(super) const fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Nobody => None,
            Self::Basic(_, secret) | Self::Name(secret) | Self::Scheme(_, secret) => Some(secret),
        }
    }

    /// Returns what the header `Authorization` says, for a name.
    pub(super) fn credentials(&self, name: &str) -> Option<String> {
        match self {
            Self::Nobody => None,
            Self::Basic(user, password) => Some(basic(user, password)),
            Self::Name(password) => Some(basic(name, password)),
            Self::Scheme(scheme, token) => Some(format!("{scheme} {}", token.reveal())),
        }
    }
}

fn basic(user: &str, password: &Secret) -> String {
    let both = format!("{user}:{}", password.reveal());
    format!("Basic {}", base64::encode(both.as_bytes()))
}

/// Returns the parameters that tell an address.
fn told(how: Addresses, address: IpAddr, beside: &[IpAddr]) -> Vec<(&'static str, String)> {
    match how {
        Addresses::Alone => vec![("myip", address.to_string())],
        Addresses::Together => {
            // IPv4 comes first, as Dyn's own documents have it.
            let mut both: Vec<IpAddr> =
                beside.first().copied().into_iter().chain([address]).collect();
            both.sort_by_key(IpAddr::is_ipv6);
            let both: Vec<String> = both.iter().map(IpAddr::to_string).collect();
            vec![("myip", both.join(","))]
        }
        Addresses::Apart { ipv4, ipv6, keep } => {
            let (told, kept) = match Family::of(address) {
                Family::V4 => (ipv4, ipv6),
                Family::V6 => (ipv6, ipv4),
            };
            let keep = keep.map(|word| (kept, word.to_owned()));
            [(told, address.to_string())].into_iter().chain(keep).collect()
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
