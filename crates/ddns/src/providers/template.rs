//! Any service with an HTTP request of its own: written in the configuration, filled in here.
//!
//! ```toml
//! provider = "template"
//! method   = "PUT"
//! url      = "https://api.example.org/zones/{{zone}}/{{sub}}/{{type}}"
//! headers  = { authorization = "Bearer {{secret:token}}" }
//! body     = '{ "content": "{{ip}}", "ttl": {{ttl}} }'
//! secrets  = { token = { secret = "example-token" } }
//! zone     = "example.org"
//! ok-json  = { "/success" = true }
//! ```

mod pattern;
mod success;

use std::{collections::BTreeMap, net::IpAddr};

use serde_json::{Map, Value};

use crate::{
    failure::{Class, Failure},
    name::Fqdn,
    provider::{
        Attempt, Entry, Floors, Limits, Nature, Need, Parameter, ParameterError, Parameters,
        Provider, Reading,
    },
    record::{Change, Found, Record, Written},
    secret::Secret,
    wire::{Method, Request, Wire},
};

use super::{
    answer,
    dyndns2::{Identity, PASSWORD, USER},
};
use pattern::{Encoding, Pattern, Values, Variable};
use success::Success;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "template",
    aliases: &["custom", "webhook", "callback"],
    title: "Any service, by a request of one's own",
    title_zh: "自定义 HTTP 请求（Webhook）",
    documents: "docs/reference/ddns-providers.md#template",
    parameters: &[
        Parameter {
            need: Need::Required,
            ..optional(
                "url",
                "where the request goes; `{{ip}}`, `{{fqdn}}` and the like are filled in, encoded",
                "请求地址；`{{ip}}`、`{{fqdn}}` 等占位符会被编码后填入",
            )
        },
        optional(
            "method",
            "`GET`, `POST`, `PUT`, `PATCH` or `DELETE`; usually `POST` with a body, else `GET`",
            "`GET`、`POST`、`PUT`、`PATCH` 或 `DELETE`；有请求体时默认 `POST`，否则 `GET`",
        ),
        optional("headers", "a table of headers, filled in", "请求头表，可含占位符"),
        optional("body", "the body, filled in", "请求体，可含占位符"),
        optional(
            "body-format",
            "how values stand in the body: `json`, `form` or `text`; usually as the body looks",
            "请求体中值的编码方式：`json`、`form` 或 `text`；默认按内容判断",
        ),
        Parameter { need: Need::Optional, ..USER },
        Parameter { need: Need::Optional, ..PASSWORD },
        Parameter {
            nature: Nature::SecretTable,
            ..optional(
                "secrets",
                "credentials by name, for `{{secret:NAME}}`",
                "按名称列出的密钥，供 `{{secret:NAME}}` 使用",
            )
        },
        optional(
            "zone",
            "the zone, for `{{zone}}` and `{{sub}}`",
            "zone，供 `{{zone}}` 与 `{{sub}}` 使用",
        ),
        optional(
            "ok-status",
            "the statuses of success, such as `[200, 204]`; usually 200 to 299",
            "表示成功的状态码，例如 `[200, 204]`；默认 200–299",
        ),
        optional(
            "ok",
            "a regular expression that a body of success has",
            "成功时响应体须匹配的正则表达式",
        ),
        optional(
            "ok-json",
            "JSON pointers and what they lead to in a body of success: `{ \"/code\" = 0 }`",
            "成功时 JSON 指针及其值，例如 `{ \"/code\" = 0 }`",
        ),
        optional(
            "unchanged",
            "a regular expression of a body that says that it was so already",
            "表示“无变化”的响应体正则表达式",
        ),
        optional(
            "park",
            "a regular expression of a body after which only you can help, such as a wrong token",
            "表示必须人工处理（例如 token 错误）的响应体正则表达式",
        ),
    ],
    extras: &[],
    reading: Reading::Impossible,
    floors: Floors::DYNDNS,
    limits: Limits { ttl: Some((1, 604_800)), ..Limits::ONE_EACH },
    open,
};

/// The time to live that is told where the configuration names none.
const TTL: u32 = 300;

const fn optional(key: &'static str, help: &'static str, help_zh: &'static str) -> Parameter {
    Parameter { key, need: Need::Optional, nature: Nature::Plain, help, help_zh }
}

#[derive(Debug)]
struct Template {
    method: Method,
    url: Pattern,
    headers: Vec<(String, Pattern)>,
    body: Option<(Pattern, Encoding)>,
    identity: Identity,
    secrets: BTreeMap<String, Secret>,
    zone: Option<Fqdn>,
    success: Success,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    let secrets = parameters.secret_table("secrets");
    let parse = |key: &str, text: &str| Pattern::parse(key, text, &secrets);
    let url = parse("url", checked_url(parameters.required("url")?)?)?;
    let body = match parameters.text("body")? {
        Some(text) => Some((parse("body", text)?, encoding(parameters, text)?)),
        None => None,
    };
    let mut headers = Vec::new();
    for (name, value) in table(parameters, "headers")? {
        headers.push(header(&name, &value, parse)?);
    }
    let zone = parameters.text("zone")?.map(Fqdn::parse).transpose();
    let zone = zone.map_err(|error| ParameterError::new("zone", format!("it is none: {error}")))?;
    let method = method(parameters.text("method")?, body.is_some())?;
    let success = Success::open(parameters)?;
    let identity = Identity::of_user(parameters)?;
    if headers.iter().any(|(name, _)| name == "authorization") && identity.is_somebody() {
        let why = "it has an `authorization`, but so has `user`";
        return Err(ParameterError::new("headers", why));
    }
    let template = Template { method, url, headers, body, identity, secrets, zone, success };
    template.check_zone()?;
    Ok(Box::new(template))
}

/// Lets pass what sends nothing unencrypted by accident, and names its host itself.
fn checked_url(text: &str) -> Result<&str, ParameterError> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else {
        return Err(ParameterError::new("url", "it must begin with `https://`"));
    };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    if host.is_empty() || host.contains("{{") || host.contains('@') {
        let why = "it must name its host itself, without a user; credentials belong into `headers`";
        return Err(ParameterError::new("url", why));
    }
    Ok(text)
}

fn method(given: Option<&str>, has_body: bool) -> Result<Method, ParameterError> {
    match given.map(str::to_ascii_uppercase).as_deref() {
        None if has_body => Ok(Method::Post),
        None | Some("GET") => Ok(Method::Get),
        Some("POST") => Ok(Method::Post),
        Some("PUT") => Ok(Method::Put),
        Some("PATCH") => Ok(Method::Patch),
        Some("DELETE") => Ok(Method::Delete),
        Some(_) => {
            let why = "it must be `GET`, `POST`, `PUT`, `PATCH` or `DELETE`";
            Err(ParameterError::new("method", why))
        }
    }
}

fn encoding(parameters: &Parameters, body: &str) -> Result<Encoding, ParameterError> {
    let looks_like_json = body.trim_start().starts_with(['{', '[', '"']);
    match parameters.text("body-format")? {
        None if looks_like_json => Ok(Encoding::Json),
        None | Some("form") => Ok(Encoding::Url),
        Some("json") => Ok(Encoding::Json),
        Some("text") => Ok(Encoding::Plain),
        Some(_) => Err(ParameterError::new("body-format", "it must be `json`, `form` or `text`")),
    }
}

fn table(parameters: &Parameters, key: &str) -> Result<Map<String, Value>, ParameterError> {
    match parameters.value(key) {
        None => Ok(Map::new()),
        Some(Value::Object(table)) => Ok(table.clone()),
        Some(_) => Err(ParameterError::new(key, "it must be a table")),
    }
}

fn header(
    name: &str,
    value: &Value,
    parse: impl Fn(&str, &str) -> Result<Pattern, ParameterError>,
) -> Result<(String, Pattern), ParameterError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(ParameterError::new(
            "headers",
            format!("it has `{name}`, which cannot be a name"),
        ));
    }
    let Some(text) = value.as_str().filter(|text| !text.chars().any(char::is_control)) else {
        return Err(ParameterError::new(
            "headers",
            format!("it has a `{name}` that is no line of text"),
        ));
    };
    Ok((name.to_ascii_lowercase(), parse("headers", text)?))
}

impl Provider for Template {
    fn read<'a>(&'a self, _wire: &'a dyn Wire, _record: &'a Record) -> Attempt<'a, Found> {
        Box::pin(async { Err(answer::unreadable("the service of a template")) })
    }

    fn write<'a>(&'a self, wire: &'a dyn Wire, change: &'a Change) -> Attempt<'a, Written> {
        Box::pin(async move {
            let address = answer::only(&change.want)?;
            let request = self.request(change, address, wire.now().as_second())?;
            let response = wire.http(request).await?;
            self.success.judge(&response)
        })
    }
}

impl Template {
    /// Makes sure that the zone is known where it is told.
    fn check_zone(&self) -> Result<(), ParameterError> {
        let patterns = [&self.url].into_iter().chain(self.body.iter().map(|(body, _)| body));
        let mut patterns = patterns.chain(self.headers.iter().map(|(_, value)| value));
        let is_told =
            |pattern: &Pattern| pattern.uses(&Variable::Zone) || pattern.uses(&Variable::Sub);
        if self.zone.is_none() && patterns.any(is_told) {
            let why = "it is missing: `{{zone}}` or `{{sub}}` is told";
            return Err(ParameterError::new("zone", why));
        }
        Ok(())
    }

    fn request(&self, change: &Change, address: IpAddr, now: i64) -> Result<Request, Failure> {
        let name = &change.record.name;
        let sub = match &self.zone {
            Some(zone) => name.relative_to(zone).ok_or_else(|| {
                let words = format!("`{name}` is not in the account's zone `{zone}`");
                Failure::new(Class::Parked, "other-zone", words)
            })?,
            None => "",
        };
        let values = Values {
            address,
            beside: change.beside.first().copied(),
            name: name.as_str(),
            sub,
            zone: self.zone.as_ref().map_or("", Fqdn::as_str),
            ttl: change.record.ttl.unwrap_or(TTL),
            prefix: change.prefix,
            now,
            secrets: &self.secrets,
        };
        let mut request = Request::new(self.method, self.url.fill(&values, Encoding::Url));
        for (key, value) in &self.headers {
            request = request.header(key, value.fill(&values, Encoding::Header));
        }
        if let Some(credentials) = self.identity.credentials(name.as_str()) {
            request = request.header("authorization", credentials);
        }
        if let Some((body, encoding)) = &self.body {
            request.body = body.fill(&values, *encoding).into_bytes();
            if !self.headers.iter().any(|(key, _)| key == "content-type") {
                request = request.header("content-type", encoding.content_type());
            }
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests;
