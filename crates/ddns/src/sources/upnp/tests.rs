//! A router that is a test: SSDP on the loopback, the rest over a network of functions.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use super::*;
use crate::{
    fake_wire::FakeWire,
    sources::{
        SharedWire,
        udp::tests::{run, server},
    },
};

const IP: &str = "urn:schemas-upnp-org:service:WANIPConnection:1";
const PPP: &str = "urn:schemas-upnp-org:service:WANPPPConnection:1";

fn description() -> String {
    let service = |kind: &str, url: &str| {
        format!(
            "<service><serviceType>{kind}</serviceType><serviceId>x</serviceId>\
            <controlURL>{url}</controlURL></service>"
        )
    };
    format!(
        "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device>\
        <deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><deviceList>\
        <device><serviceList>{}{}</serviceList></device></deviceList></device></root>",
        service(PPP, "/ppp"),
        service(IP, "/ip"),
    )
}

fn answer(inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">\
        <s:Body>{inner}</s:Body></s:Envelope>"
    )
}

fn outer(address: &str) -> String {
    answer(&format!(
        "<u:GetExternalIPAddressResponse xmlns:u=\"{IP}\"><NewExternalIPAddress>{address}\
        </NewExternalIPAddress></u:GetExternalIPAddressResponse>"
    ))
}

fn fault() -> String {
    answer(
        "<s:Fault><faultcode>s:Client</faultcode><detail><UPnPError><errorCode>501</errorCode>\
        <errorDescription>Action Failed</errorDescription></UPnPError></detail></s:Fault>",
    )
}

fn response(status: u16, body: &str) -> Response {
    Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
}

/// Looks among devices that answer a search with these locations, in a network of this function.
async fn look(
    locations: &'static [&'static str],
    router: Option<Ipv4Addr>,
    http: impl Fn(&Request) -> Response + Send + Sync + 'static,
) -> Vec<Vote> {
    let ssdp = server(move |asked| {
        let asked = String::from_utf8(asked.to_vec()).unwrap();
        assert!(asked.starts_with("M-SEARCH * HTTP/1.1\r\n"), "{asked}");
        let answer = |location: &&str| {
            format!("HTTP/1.1 200 OK\r\nST: x\r\nLOCATION: {location}\r\n\r\n").into_bytes()
        };
        locations.iter().map(answer).collect()
    });
    let whom: Vec<SocketAddr> = vec![ssdp.await];
    // Whoever knows the router waits for nobody else.
    let wait = if router.is_some() { Duration::from_mins(1) } else { Duration::from_millis(400) };
    let search = Some(Search { whom, local: None, router, waits: [wait; 2] });
    let wire = FakeWire::of_http(move |request| Ok(http(&request)));
    let around = Around { wire: SharedWire::new(Arc::new(wire)), bind: None };
    Upnp { around, search }.look(Family::V4).await
}

const ROUTER: Option<Ipv4Addr> = Some(Ipv4Addr::LOCALHOST);
const OWN: &[&str] = &["http://127.0.0.1:5000/root.xml"];

#[test]
fn the_first_service_with_an_address_tells_it() {
    run(async {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let votes = look(OWN, ROUTER, move |request| {
            assert_eq!((request.way, request.family), (Way::Direct, Some(Family::V4)));
            let action = request.headers.iter().find(|(name, _)| name == "soapaction");
            let action = action.map(|(_, value)| value.clone()).unwrap_or_default();
            seen.lock().unwrap().push((request.url.clone(), action));
            match request.url.as_str() {
                "http://127.0.0.1:5000/root.xml" => response(200, &description()),
                "http://127.0.0.1:5000/ppp" => response(500, &fault()),
                "http://127.0.0.1:5000/ip" => response(200, &outer("81.2.69.142")),
                _ => response(404, ""),
            }
        });
        let votes = votes.await;
        assert_eq!(votes[0].voter, "upnp 127.0.0.1");
        assert_eq!(votes[0].answer, Ok(vec!["81.2.69.142".parse().unwrap()]));
        let asked = asked.lock().unwrap().clone();
        assert_eq!(asked.len(), 3, "{asked:?}");
        assert_eq!(asked[2].1, format!("\"{IP}#GetExternalIPAddress\""));
    });
}

#[test]
fn what_keeps_a_router_from_telling_is_told() {
    fn check(root: (u16, &'static str), control: (u16, String), expected: &str) {
        run(async {
            let votes =
                look(OWN, ROUTER, move |request| match request.url.ends_with("/root.xml") {
                    true if root.1.is_empty() => response(root.0, &description()),
                    true => response(root.0, root.1),
                    false => response(control.0, &control.1),
                });
            assert_eq!(votes.await[0].answer, Err(expected.to_owned()));
        });
    }
    let whole = (200, "");
    check((404, ""), (200, String::new()), "its description is not there: HTTP 404");
    check((200, "<root/>"), (200, String::new()), "it has no connection to the internet");
    check(whole, (500, fault()), "the router refuses: `501 Action Failed`");
    check(whole, (500, String::new()), "it answers HTTP 500");
    check(whole, (500, "<html/>".to_owned()), "it answers HTTP 500");
    check(whole, (200, outer("")), "the router has no outer address");
    check(whole, (200, outer("0.0.0.0")), "the router has no outer address");
    check(whole, (200, outer("wan0")), "it answers no address: `wan0`");
    check(whole, (200, answer("")), "it answers without an address");
}

#[test]
fn a_private_address_is_passed_on() {
    run(async {
        let votes = look(OWN, ROUTER, |request| match request.url.as_str() {
            "http://127.0.0.1:5000/root.xml" => response(200, &description()),
            _ => response(200, &outer("100.64.0.7")),
        });
        assert_eq!(votes.await[0].answer, Ok(vec!["100.64.0.7".parse().unwrap()]));
    });
}

#[test]
fn who_leads_to_another_host_is_not_followed() {
    run(async {
        let votes = look(&["http://192.0.2.1/root.xml"], None, |_| panic!("nobody is asked"));
        let told = votes.await.remove(0).answer.unwrap_err();
        assert!(told.starts_with("no router answers"), "{told}");
    });
}

#[test]
fn of_several_devices_each_is_a_voter_and_each_is_asked_once() {
    const TWO: &[&str] = &["http://127.0.0.1:5000/root.xml", "http://127.0.0.1:5001/root.xml"];
    run(async {
        let votes = look(TWO, None, |_| response(500, "")).await;
        assert_eq!(votes.len(), 2, "{votes:?}");
    });
}

#[test]
fn ipv6_is_nothing_that_it_tells_of() {
    run(async {
        let wire = SharedWire::new(Arc::new(FakeWire::silent()));
        let votes = Upnp::new(Around { wire, bind: None }).look(Family::V6).await;
        assert_eq!(votes[0].answer, Err("UPnP tells of IPv4 alone".to_owned()));
    });
}

/// Whatever a router says, it is read to an end.
#[test]
fn damaged_documents_are_read_to_an_end() {
    let device = Device {
        address: Ipv4Addr::LOCALHOST,
        location: "http://127.0.0.1:5000/root.xml".to_owned(),
    };
    let mut chance = crate::fake_wire::Chance::new(19);
    let (mut services, mut addresses) = (0, 0);
    for _ in 0..2_000 {
        let damaged = chance.damage(description().as_bytes());
        let told = description::services(&String::from_utf8_lossy(&damaged), &device);
        services += usize::from(told.is_ok_and(|found| !found.is_empty()));
        let body = chance.damage(outer("81.2.69.142").as_bytes());
        let answer = Response { status: 200, headers: Vec::new(), body };
        addresses += usize::from(soap::read(&answer).is_ok());
    }
    assert!(services > 10 && addresses > 10, "{services} {addresses}");
}
