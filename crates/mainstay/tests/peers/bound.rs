//! Sources of a machine with two ways out, each asked by the one that the configuration names.

use std::{net::IpAddr, time::Duration};

use mainstay_ddns::{config, trial};
use serde_json::{Value, json};

use crate::{
    coturn,
    home::is_root,
    router::{Namespace, Router},
    ways::{run, two_lines},
};

/// Asks a source from a network, and writes nothing: the provider is not there.
fn look(namespace: &Namespace, source: &Value) -> Result<Vec<IpAddr>, String> {
    let account = json!({ "provider": "powerdns", "endpoint": "http://127.0.0.1:9",
        "api-key": "k", "names": ["home.example.test"] });
    let sources = json!({ "ipv4": [source], "ipv6": [] });
    let config = json!({ "sources": sources, "accounts": { "dns": account } });
    let config = config::read(&config).unwrap();
    let trial = namespace.within(move || {
        run(trial::try_out(&config, trial::Depth::NextStep, Duration::from_secs(30))).unwrap()
    });
    trial.said[0][0].votes[0].answer.clone()
}

fn check(namespace: &Namespace, source: &str, expected: [(&str, &str); 4]) {
    for (bind, expected) in expected {
        let mut table: Value = serde_json::from_str(source).unwrap();
        if !bind.is_empty() {
            table["bind"] = json!(bind);
        }
        let told = look(namespace, &table);
        assert_eq!(told, Ok(vec![expected.parse().unwrap()]), "{table}");
    }
}

#[test]
fn a_stun_server_sees_the_line_that_is_named() {
    if !is_root() {
        return;
    }
    let (machine, world) = two_lines();
    let _coturn = coturn::within(&world, "10.9.9.9");
    let expected =
        [("", "10.1.0.2"), ("wan0", "10.1.0.2"), ("wan1", "10.1.1.2"), ("10.1.1.2", "10.1.1.2")];
    check(&machine, r#"{ "stun": "10.9.9.9:3478" }"#, expected);
}

#[test]
fn each_of_two_routers_is_asked_by_the_line_that_leads_to_it() {
    if !is_root() {
        return;
    }
    let first = Router::start("81.2.69.142");
    let second = first.second("81.2.70.7");
    let expected = [
        ("", "81.2.69.142"),
        ("eth0", "81.2.69.142"),
        ("eth1", "81.2.70.7"),
        ("192.168.78.2", "81.2.70.7"),
    ];
    for source in ["upnp", "nat-pmp", "pcp"] {
        check(first.machine(), &format!(r#"{{ "{source}": true }}"#), expected);
    }
    let told = look(first.machine(), &json!({ "nat-pmp": true, "bind": "eth7" }));
    assert_eq!(told, Err("no IPv4 default gateway is behind `eth7`".to_owned()));
    drop(second);
}

#[test]
fn a_mapping_of_pcp_tells_the_outer_address_and_is_gone_again() {
    if !is_root() {
        return;
    }
    let router = Router::start("81.2.69.142");
    let told = || look(router.machine(), &json!({ "pcp": true }));
    // Without tables it makes no mapping, and is asked by NAT-PMP.
    assert_eq!(told(), Ok(vec!["81.2.69.142".parse().unwrap()]));
    assert!(router.said().contains("PCP MAP: failed to add mapping"), "{}", router.said());
    router.makes_mappings();
    assert_eq!(told(), Ok(vec!["81.2.69.142".parse().unwrap()]));
    let added = |said: &str| said.matches("PCP MAP: added mapping").count();
    assert_eq!(added(&router.said()), 1, "{}", router.said());
    crate::processes::wait_until("the mapping is gone", || router.mappings() == 0);
}
