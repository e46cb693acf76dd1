//! Namecheap's dynamic DNS: a GET with a password for each domain, IPv4 alone, answered in XML.
//!
//! The status is 200 even for errors, and the XML says that it is UTF-16 but is not: only
//! `ErrCount` tells.

use crate::{
    failure::{Class, Failure},
    name::Fqdn,
    provider::{
        Attempt, ENDPOINT, Entry, Floors, Limits, Nature, Need, Parameter, ParameterError,
        Parameters, Provider, Reading,
    },
    record::{Change, Changed, Found, Record, Written},
    secret::Secret,
    wire::{Method, Request, Response, Wire},
};

use super::answer;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "namecheap",
    aliases: &[],
    title: "Namecheap (dynamic DNS)",
    title_zh: "Namecheap（动态 DNS）",
    documents: "https://www.namecheap.com/support/knowledgebase/article.aspx/29/11/",
    parameters: &[
        Parameter {
            key: "domain",
            need: Need::Required,
            nature: Nature::Plain,
            help: "the domain that the password belongs to, such as `example.org`",
            help_zh: "密码所属的域名，例如 `example.org`",
        },
        Parameter {
            key: "password",
            need: Need::Required,
            nature: Nature::Secret,
            help: "the domain's password for dynamic DNS (Advanced DNS), not the account's",
            help_zh: "该域名的动态 DNS 密码（Advanced DNS 页面），不是账户密码",
        },
        ENDPOINT,
    ],
    extras: &[],
    reading: Reading::Impossible,
    floors: Floors { refresh: None, ..Floors::DYNDNS },
    limits: Limits { ipv6: false, ..Limits::ONE_EACH },
    open,
};

#[derive(Debug)]
struct Namecheap {
    endpoint: String,
    domain: Fqdn,
    password: Secret,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    let endpoint = parameters.endpoint("https://dynamicdns.park-your-domain.com")?;
    let domain = Fqdn::parse(parameters.required("domain")?)
        .map_err(|error| ParameterError::new("domain", format!("it is no domain: {error}")))?;
    Ok(Box::new(Namecheap { endpoint, domain, password: parameters.secret("password")? }))
}

impl Provider for Namecheap {
    fn read<'a>(&'a self, _wire: &'a dyn Wire, _record: &'a Record) -> Attempt<'a, Found> {
        Box::pin(async { Err(answer::unreadable("Namecheap")) })
    }

    fn write<'a>(&'a self, wire: &'a dyn Wire, change: &'a Change) -> Attempt<'a, Written> {
        Box::pin(async move {
            let address = answer::only(&change.want)?;
            let (name, domain) = (&change.record.name, &self.domain);
            let host = name.relative_to(domain).ok_or_else(|| {
                let words = format!("`{name}` is not in the account's domain `{domain}`");
                Failure::new(Class::Parked, "other-domain", words)
            })?;
            let query = answer::query(&[
                ("host", host),
                ("domain", domain.as_str()),
                ("password", self.password.reveal()),
                ("ip", &address.to_string()),
            ]);
            let url = format!("{}/update?{query}", self.endpoint);
            understand(&wire.http(Request::new(Method::Get, url)).await?)
        })
    }
}

fn understand(response: &Response) -> Result<Written, Failure> {
    answer::check_status(response)?;
    let text = response.text();
    match element(&text, "ErrCount") {
        Some("0") if element(&text, "Done") == Some("true") => {
            Ok(Written { change: Changed::Yes, code: "Done".to_owned() })
        }
        Some("0") | None => Err(answer::unknown(response)),
        Some(_) => Err(refused(&text)),
    }
}

fn refused(text: &str) -> Failure {
    let why = element(text, "Err1").unwrap_or("it does not say why");
    let code = element(text, "ResponseNumber").unwrap_or("ErrCount");
    let words = format!("Namecheap refuses: {}", why.chars().take(120).collect::<String>());
    let why = why.to_ascii_lowercase();
    let failure = |class| Failure::new(class, code, words);
    if why.contains("password") {
        return failure(Class::Parked).of_account();
    }
    let is_ours = ["not found", "not active", "invalid", "validation", "not exist"];
    if is_ours.iter().any(|part| why.contains(part)) {
        return failure(Class::Parked);
    }
    failure(Class::Transient)
}

/// Returns the text of the first element of a name that has no attributes.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    Some(inner.trim())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        failure::Reach,
        providers::dyndns2::tests::{V4, change, opened, written},
        wire::script::{Expected, Script, run},
    };

    const DONE: &str = "<?xml version=\"1.0\" encoding=\"utf-16\"?><interface-response>\
        <Command>SETDNSHOST</Command><Language>eng</Language><IP>81.2.69.142</IP>\
        <ErrCount>0</ErrCount><errors /><ResponseCount>0</ResponseCount><responses />\
        <Done>true</Done><debug><![CDATA[]]></debug></interface-response>";

    fn account() -> Box<dyn Provider> {
        opened("namecheap", json!({"domain": "Example.org.", "password": "hunter2"}))
    }

    #[test]
    fn the_host_is_what_stands_before_the_domain() {
        let check = |name: &str, host: &str| {
            let base = "https://dynamicdns.park-your-domain.com/update";
            let query = format!("host={host}&domain=example.org&password=hunter2&ip={V4}");
            let expected = Expected::get(&format!("{base}?{query}"));
            let result = written(&*account(), &change(name, V4, &[]), (expected, DONE));
            assert_eq!(result.unwrap().change, Changed::Yes);
        };
        check("home.example.org", "home");
        check("example.org", "@");
        check("*.example.org", "*");
    }

    #[test]
    fn a_name_of_another_domain_is_parked_without_a_request() {
        let change = change("home.example.com", V4, &[]);
        let failure = run(account().write(&Script::new(), &change)).unwrap_err();
        assert_eq!(failure.class, Class::Parked);
    }

    #[test]
    fn every_answer_has_its_meaning() {
        let failure = |status, body: &str| {
            let response = Response { status, headers: Vec::new(), body: body.into() };
            let failure = understand(&response).unwrap_err();
            (failure.class, failure.reach, failure.code)
        };
        let error = |why: &str| {
            let body = format!(
                "<interface-response><ErrCount>1</ErrCount><errors><Err1>{why}</Err1></errors>\
                 <responses><ResponseNumber>316153</ResponseNumber></responses>\
                 <Done>true</Done></interface-response>"
            );
            failure(200, &body)
        };
        let code = || "316153".to_owned();
        assert_eq!(error("Passwords do not match"), (Class::Parked, Reach::Account, code()));
        assert_eq!(error("Domain name not found"), (Class::Parked, Reach::Binding, code()));
        assert_eq!(error("No Records updated. A record not Found;").0, Class::Parked);
        assert_eq!(error("The database is busy").0, Class::Transient);
        assert_eq!(failure(200, "<interface-response/>").2, "unknown-answer");
        assert_eq!(failure(200, "<ErrCount>0</ErrCount><Done>false</Done>").0, Class::Transient);
        assert_eq!(failure(200, "").0, Class::Transient);
        assert_eq!(failure(503, DONE).0, Class::Transient);
    }
}
