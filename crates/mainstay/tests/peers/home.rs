//! A client in a network of its own: addresses that come and go, a boot without a network, routers.

use std::{process::Command, time::Duration};

use mainstay_platform::clock;
use serde_json::{Value, json};

use crate::{
    bind9::{KEY, SECRET, Within, ZONE},
    client::Client,
    coturn::Coturn,
    dns::Kind,
    fake::Fake,
    peer,
    processes::wait_until,
    router::{Namespace, Router},
};

const NAME: &str = "home.example.test";
const A: &str = "ns/home.example.test/A";
const AAAA: &str = "ns/home.example.test/AAAA";
const SERVER: ([u8; 4], u16) = ([127, 0, 0, 1], 5300);
/// Nobody polls in the time of a test.
const NEVER: &str = "1h";

/// Returns whether networks can be made; in the gate somebody has to be able to.
pub(crate) fn is_root() -> bool {
    let is_root = peer::run(Command::new("id").arg("-u")).unwrap() == "0\n";
    assert!(is_root || std::env::var_os("MAINSTAY_GATE").is_none(), "networks are made by root");
    is_root
}

fn config(server: &str, sources: &Value) -> Value {
    let account = json!({ "provider": "rfc2136", "server": server, "zone": ZONE, "key-name": KEY,
        "key": SECRET, "names": [{ "name": NAME, "verify": false }] });
    json!({ "every": NEVER, "settle": "500ms", "sources": sources, "accounts": { "ns": account } })
}

/// Returns a network with a cable `eth0` that has an address.
fn network() -> Namespace {
    let namespace = Namespace::new();
    namespace.shell(
        "ip link add eth0 type veth peer name eth1; ip link set eth0 up; ip link set eth1 up
         ip addr add 81.2.69.142/24 dev eth0; ip route add default via 81.2.69.1",
    );
    namespace
}

#[test]
fn a_change_of_the_network_is_published_within_three_seconds() {
    if !is_root() {
        return;
    }
    let namespace = network();
    let bind = Within::start(&namespace, SERVER.into());
    let interface = json!([{ "interface": "eth0" }]);
    let config =
        config(&bind.address.to_string(), &json!({ "ipv4": interface, "ipv6": interface }));
    let client = Client::start_through(&namespace.through(), &config);
    client.wait_for_published(A, "81.2.69.142");
    assert_eq!(client.record(AAAA)["state"], "unaddressed");

    let mut place = 6;
    // Other tenants of the machine may slow one change down, but not all of them.
    wait_until("a change is published within three seconds", || {
        place += 1;
        let (address, began) = (format!("2a02:c7d:1::{place:x}"), clock::monotonic());
        namespace.shell(&format!(
            "ip -6 addr flush dev eth0 scope global; ip -6 addr add {address}/64 dev eth0 nodad"
        ));
        wait_until("it is in the DNS", || bind.values(NAME, Kind::Aaaa) == [address.as_str()]);
        clock::monotonic().saturating_sub(began) < Duration::from_secs(3)
    });
    assert_eq!(bind.values(NAME, Kind::A), ["81.2.69.142"]);
}

#[test]
fn an_address_that_flaps_is_written_twice_at_most() {
    if !is_root() {
        return;
    }
    let namespace = network();
    let bind = Within::start(&namespace, SERVER.into());
    let sources = json!({ "ipv4": [{ "interface": "eth0" }], "ipv6": [] });
    let client =
        Client::start_through(&namespace.through(), &config(&bind.address.to_string(), &sources));
    client.wait_for_published(A, "81.2.69.142");
    namespace.shell(
        "for i in $(seq 1 50); do
           ip addr flush dev eth0; ip addr add 81.2.69.$i/24 dev eth0
           ip route add default via 81.2.69.254; sleep 0.06
         done",
    );
    wait_until("the last one is in the DNS", || bind.values(NAME, Kind::A) == ["81.2.69.50"]);
    let written = bind.additions() - 1;
    assert!(written <= 2, "{written} times");
}

#[test]
fn temporary_and_dying_addresses_are_left_alone() {
    if !is_root() {
        return;
    }
    let namespace = network();
    namespace.shell(
        "echo 2 > /proc/sys/net/ipv6/conf/eth0/use_tempaddr
         ip -6 addr add 2a02:c7d:1::dead/64 dev eth0 nodad valid_lft 900 preferred_lft 0
         ip -6 addr add fd00::7/64 dev eth0 nodad
         ip -6 addr add 2a02:c7d:1::7/64 dev eth0 nodad mngtmpaddr",
    );
    let temporary = || namespace.shell("ip -6 addr show dev eth0 temporary");
    wait_until("there is a temporary address", || temporary().contains("2a02:c7d:1:"));
    let bind = Within::start(&namespace, SERVER.into());
    let sources = json!({ "ipv4": [], "ipv6": [{ "interface": "eth0" }] });
    let mut config = config(&bind.address.to_string(), &sources);
    let machine = json!({ "name": "nas.example.test", "suffix": "::99", "verify": false });
    config["accounts"]["ns"]["names"].as_array_mut().unwrap().push(machine);
    let client = Client::start_through(&namespace.through(), &config);
    client.wait_for_published(AAAA, "2a02:c7d:1::7");
    client.wait_for_published("ns/nas.example.test/AAAA", "2a02:c7d:1::99");
    // The line was dialled anew: both names move.
    namespace.shell(
        "ip -6 addr del 2a02:c7d:1::7/64 dev eth0
         ip -6 addr add 2a02:c7d:2::7/64 dev eth0 nodad mngtmpaddr",
    );
    client.wait_for_published(AAAA, "2a02:c7d:2::7");
    client.wait_for_published("ns/nas.example.test/AAAA", "2a02:c7d:2::99");
    assert_eq!(bind.values("nas.example.test", Kind::Aaaa), ["2a02:c7d:2::99"]);
}

#[test]
fn zone_server_and_visibility_are_found_though_the_systems_resolvers_are_dead() {
    if !is_root() {
        return;
    }
    // Nothing is reached from here but what is here.
    let namespace = Namespace::new();
    let _bind = Within::start(&namespace, ([127, 0, 0, 1], 53).into());
    let account = json!({ "provider": "rfc2136", "key-name": KEY, "key": SECRET,
        "names": [{ "name": NAME, "families": ["ipv4"] }] });
    let sources = json!({ "ipv4": [{ "static": "81.2.69.142" }], "ipv6": [] });
    let config = json!({ "every": NEVER, "resolvers": ["127.0.0.1"], "sources": sources,
        "accounts": { "ns": account } });
    let client = Client::start_through(&namespace.through(), &config);
    client.wait_for_published(A, "81.2.69.142");
    client.wait_for(A, |record| !record["visible-since"].is_null());
}

#[test]
fn a_boot_without_a_network_is_over_when_the_network_is_there() {
    if !is_root() {
        return;
    }
    let (home, outside) = (Namespace::new(), Namespace::new());
    outside.shell(&format!(
        "ip link add eth1 type veth peer name eth0 netns {}
         ip addr add 81.2.69.1/24 dev eth1; ip link set eth1 up",
        home.pid()
    ));
    let bind = Within::start(&outside, ([81, 2, 69, 1], 5300).into());
    let sources = json!({ "ipv4": [{ "static": "81.2.69.142" }], "ipv6": [] });
    let client = Client::start_through(&home.through(), &config("81.2.69.1:5300", &sources));
    let patience = |record: &Value| record["next-ms"].as_u64().unwrap_or_default();
    let record =
        client.wait_for(A, |record| record["state"] == "backing-off" && patience(record) >= 4_000);
    assert_ne!(record["failed"]["transient"], 0, "{record}");
    let began = clock::monotonic();
    home.shell("ip addr add 81.2.69.142/24 dev eth0; ip link set eth0 up");
    client.wait_for_published(A, "81.2.69.142");
    let took = clock::monotonic().saturating_sub(began);
    assert!(took < Duration::from_millis(patience(&record)), "{took:?} of {record}");
    assert_eq!(bind.values(NAME, Kind::A), ["81.2.69.142"]);
}

#[test]
fn a_router_is_asked_and_a_second_one_before_it_is_noticed() {
    if !is_root() {
        return;
    }
    let router = Router::start("81.2.69.142");
    let home = router.machine();
    let bind = Within::start(home, SERVER.into());
    let check = |sources: Value| {
        let sources = json!({ "ipv4": sources, "ipv6": [] });
        let mut config = config(&bind.address.to_string(), &sources);
        config["every"] = json!("1s");
        Client::start_through(&home.through(), &config)
    };
    drop(check(json!([{ "nat-pmp": true }])).wait_for_published(A, "81.2.69.142"));
    router.move_to("81.2.69.143");
    let client = check(json!([{ "upnp": true }]));
    client.wait_for_published(A, "81.2.69.143");
    router.move_to("10.20.30.40");
    wait_until("the trouble is told", || !client.status()["addresses"][0]["trouble"].is_null());
    assert_eq!(bind.values(NAME, Kind::A), ["81.2.69.143"], "what was published stays");
}

#[test]
fn a_private_address_outside_is_double_nat_and_is_not_published() {
    let fake = Fake::start();
    let sources = json!({ "ipv4": [{ "nat-pmp": fake.url("natpmp") }], "ipv6": [] });
    let account = json!({ "provider": "duckdns", "endpoint": fake.url("duckdns"),
        "token": "duckdns-token", "names": [{ "name": "home.duckdns.org", "verify": false }] });
    let config = json!({ "every": "1s", "settle": "100ms", "sources": sources, "accounts": { "duck": account } });
    let client = Client::start(&config);
    let trouble =
        || client.status()["addresses"][0]["trouble"].as_str().unwrap_or_default().to_owned();
    wait_until("the trouble is told", || !trouble().is_empty());
    assert!(trouble().contains("10.20.30.40, which is private"), "{}", trouble());
    assert!(trouble().contains("double NAT"), "{}", trouble());
    assert_eq!(fake.log("duckdns"), [Value::Null; 0]);
    fake.set(&json!({ "address": { "router": "81.2.69.142" } }));
    client.wait_for_published("duck/home.duckdns.org/A", "81.2.69.142");
}

#[test]
fn a_stun_server_is_believed_only_when_its_answer_reaches_anybody() {
    let (fake, coturn) = (Fake::start(), Coturn::start());
    let account = json!({ "provider": "duckdns", "endpoint": fake.url("duckdns"),
        "token": "duckdns-token", "names": [{ "name": "home.duckdns.org", "verify": false }] });
    let sources = json!({ "ipv4": [{ "stun": coturn.address.to_string() }], "ipv6": [] });
    let mut config = json!({ "every": "1s", "settle": "100ms", "sources": sources,
        "accounts": { "duck": account } });
    let client = Client::start(&config);
    let trouble =
        || client.status()["addresses"][0]["trouble"].as_str().unwrap_or_default().to_owned();
    wait_until("the trouble is told", || !trouble().is_empty());
    assert_eq!(fake.log("duckdns"), [Value::Null; 0], "{}", trouble());
    drop(client);
    config["allow"] = json!("loopback");
    let client = Client::start(&config);
    client.wait_for_published("duck/home.duckdns.org/A", "127.0.0.1");
}
