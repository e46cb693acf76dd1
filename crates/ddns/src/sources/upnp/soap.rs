//! The question for the outer address and its answer (`WANIPConnection:1`, section 2.4.18).

use std::net::Ipv4Addr;

use crate::{
    sources::address,
    wire::{Method, Request, Response},
};

use super::description::{Service, anywhere, document};

const ACTION: &str = "GetExternalIPAddress";

/// Returns the question to a service.
pub(super) fn request(service: &Service) -> Request {
    let kind = service.kind;
    let body = format!(
        "<?xml version=\"1.0\"?>\r\n\
        <s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
        s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\">\
        <s:Body><u:{ACTION} xmlns:u=\"{kind}\"></u:{ACTION}></s:Body></s:Envelope>\r\n"
    );
    let request = Request::new(Method::Post, &service.url)
        .header("content-type", "text/xml; charset=\"utf-8\"")
        .header("soapaction", format!("\"{kind}#{ACTION}\""));
    Request { body: body.into_bytes(), ..request }
}

/// Reads the answer.
pub(super) fn read(response: &Response) -> Result<Ipv4Addr, String> {
    let text = response.text();
    if response.status != 200 {
        return Err(refusal(response.status, &text));
    }
    let document = document(&text)?;
    let Some(found) = anywhere(&document, "NewExternalIPAddress") else {
        return Err("it answers without an address".to_owned());
    };
    match found.parse::<Ipv4Addr>() {
        Ok(address) if !address.is_unspecified() => Ok(address),
        Ok(_) => Err("the router has no outer address".to_owned()),
        Err(_) if found.is_empty() => Err("the router has no outer address".to_owned()),
        Err(_) => Err(format!("it answers no address: {}", address::shown(found))),
    }
}

/// Says a refusal by the router's own words, where it has such.
fn refusal(status: u16, text: &str) -> String {
    let Ok(document) = document(text) else { return format!("it answers HTTP {status}") };
    let code = anywhere(&document, "errorCode").unwrap_or_default();
    let words = anywhere(&document, "errorDescription").unwrap_or_default();
    match (code, words) {
        ("", "") => format!("it answers HTTP {status}"),
        (code, words) => {
            format!("the router refuses: {}", address::shown(&format!("{code} {words}")))
        }
    }
}
