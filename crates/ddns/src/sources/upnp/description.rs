//! What a router says of itself: an XML document with its services (`UPnP` Device Architecture 1.1,
//! section 2).

use std::net::Ipv4Addr;

use roxmltree::{Document, Node, ParsingOptions};

use super::search::Device;

/// The services that know the outer address.
const KINDS: [&str; 3] = [
    "urn:schemas-upnp-org:service:WANIPConnection:2",
    "urn:schemas-upnp-org:service:WANIPConnection:1",
    "urn:schemas-upnp-org:service:WANPPPConnection:1",
];
/// The most services that are asked.
const SERVICES_MAX: usize = 4;
/// The most that is read of a document.
const NODES_MAX: u32 = 8192;

/// A service that knows the outer address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Service {
    /// What it is.
    pub(super) kind: &'static str,
    /// Where it is asked.
    pub(super) url: String,
}

/// Reads a document of a stranger: no DTD, no more nodes than a router has.
pub(super) fn document(text: &str) -> Result<Document<'_>, String> {
    let options = ParsingOptions { nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    Document::parse_with_options(text, options)
        .map_err(|error| format!("it answers no XML: {error}"))
}

/// Returns the services of a description that know the outer address and are asked at the same
/// host.
pub(super) fn services(text: &str, device: &Device) -> Result<Vec<Service>, String> {
    let document = document(text)?;
    let base = child(document.root_element(), "URLBase").filter(|base| !base.is_empty());
    let base = base.unwrap_or(&device.location);
    let services = document.descendants().filter(|node| node.has_tag_name_of("service"));
    let services = services.filter_map(|node| {
        let kind = child(node, "serviceType")?;
        let kind = KINDS.into_iter().find(|known| *known == kind)?;
        let url = resolved(base, child(node, "controlURL")?)?;
        (host_of(&url) == Some(device.address)).then_some(Service { kind, url })
    });
    Ok(services.take(SERVICES_MAX).collect())
}

/// Elements by their names alone: routers are careless with namespaces.
trait Named {
    fn has_tag_name_of(&self, name: &str) -> bool;
}

impl Named for Node<'_, '_> {
    fn has_tag_name_of(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

/// Returns the text of the first child of this name.
fn child<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let found = node.children().find(|child| child.has_tag_name_of(name))?;
    Some(found.text().unwrap_or_default().trim())
}

/// Returns the text of the first element of this name anywhere.
pub(super) fn anywhere<'a>(document: &'a Document<'_>, name: &str) -> Option<&'a str> {
    let found = document.descendants().find(|node| node.has_tag_name_of(name))?;
    Some(found.text().unwrap_or_default().trim())
}

/// Returns the address in a URL of the kind `http://1.2.3.4:5000/path`; nothing for any other.
pub(super) fn host_of(url: &str) -> Option<Ipv4Addr> {
    let authority = split(url)?.0;
    let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
    port.parse::<u16>().ok()?;
    host.parse().ok()
}

/// Splits a URL into authority and path.
fn split(url: &str) -> Option<(&str, &str)> {
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("HTTP://"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    rest.split_at_checked(end)
}

/// Resolves a reference as RFC 3986, section 5.2 does, as far as routers write such: a whole URL, a
/// path, or what stands in place of the last part of the path.
fn resolved(base: &str, reference: &str) -> Option<String> {
    if reference.contains("://") {
        return Some(reference.to_owned());
    }
    let (authority, path) = split(base)?;
    if reference.starts_with('/') {
        return Some(format!("http://{authority}{reference}"));
    }
    let path = path.split(['?', '#']).next()?;
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    Some(format!("http://{authority}{folder}/{reference}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> Device {
        let location = "http://192.168.1.1:5000/igd/root.xml".to_owned();
        Device { address: Ipv4Addr::new(192, 168, 1, 1), location }
    }

    #[test]
    fn references_are_resolved() {
        let check = |base, reference, expected| {
            assert_eq!(resolved(base, reference).as_deref(), Some(expected));
        };
        let base = "http://192.168.1.1:5000/igd/root.xml?x=/y";
        check(base, "/ctl", "http://192.168.1.1:5000/ctl");
        check(base, "ctl", "http://192.168.1.1:5000/igd/ctl");
        check(base, "http://192.168.1.1:80/ctl", "http://192.168.1.1:80/ctl");
        check("http://192.168.1.1", "ctl", "http://192.168.1.1/ctl");
        assert_eq!(resolved("ftp://192.168.1.1", "ctl"), None);
    }

    #[test]
    fn a_host_is_an_address_and_nothing_else() {
        let check = |url, expected: Option<[u8; 4]>| {
            assert_eq!(host_of(url), expected.map(Ipv4Addr::from), "{url}");
        };
        check("http://192.168.1.1:5000/x", Some([192, 168, 1, 1]));
        check("http://192.168.1.1", Some([192, 168, 1, 1]));
        check("http://192.168.1.1?x", Some([192, 168, 1, 1]));
        check("http://192.168.1.1:99999/x", None);
        check("http://192.168.1.1@evil.test/x", None);
        check("http://evil.test#192.168.1.1/x", None);
        check("http://192.168.1.1\r\nx/", None);
        check("https://192.168.1.1/x", None);
        check("", None);
    }

    #[test]
    fn services_of_strangers_and_of_other_hosts_are_left_out() {
        let service = |kind: &str, url: &str| {
            format!(
                "<service><serviceType>{kind}</serviceType><controlURL>{url}</controlURL></service>"
            )
        };
        let told = |base: &str, inner: &[String]| {
            let text = format!("<root>{base}<device>{}</device></root>", inner.concat());
            let found = services(&text, &device()).unwrap();
            found.into_iter().map(|service| service.url).collect::<Vec<_>>()
        };
        let inner = [
            service("urn:schemas-upnp-org:service:Layer3Forwarding:1", "/other"),
            service(KINDS[1], "http://6.6.6.6/ctl"),
            service(KINDS[2], "/ppp"),
            service(KINDS[0], "ip"),
        ];
        let expected = ["http://192.168.1.1:5000/ppp", "http://192.168.1.1:5000/igd/ip"];
        assert_eq!(told("", &inner), expected);
        assert_eq!(told("<URLBase></URLBase>", &inner), expected);
        let other = told("<URLBase>http://192.168.1.1:49152/</URLBase>", &inner);
        assert_eq!(other, ["http://192.168.1.1:49152/ppp", "http://192.168.1.1:49152/ip"]);
        assert!(told("<URLBase>http://6.6.6.6/</URLBase>", &inner).is_empty());
        let many: Vec<String> = (0..50).map(|_| service(KINDS[0], "/ip")).collect();
        assert_eq!(told("", &many).len(), SERVICES_MAX);
    }

    #[test]
    fn a_hostile_document_is_refused() {
        let check = |text: &str| {
            let told = services(text, &device()).unwrap_err();
            assert!(told.starts_with("it answers no XML: "), "{told}");
        };
        check("<html><br></html>");
        check(r#"<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><root>&b;</root>"#);
        check(&format!("<root>{}</root>", "<a/>".repeat(9_000)));
        check(&"<a>".repeat(20_000));
        check(&format!("{}{}", "<a>".repeat(9_000), "</a>".repeat(9_000)));
    }
}
