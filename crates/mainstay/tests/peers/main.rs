//! The built binary among those whom a service on the network meets: name servers, routers, clouds.
//!
//! What can be real is real and started here, on free ports of loopback or in network namespaces of
//! the test's own, see [`peer`]; what cannot be had is pretended by `fake.py`, whose answers the
//! clouds' own clients have to take ([`shapes`]). Every peer ends with its test.
#![cfg(machine)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests play the world outside")]
#![expect(clippy::disallowed_methods, reason = "tests play the world outside")]

#[expect(dead_code, reason = "the machine's tests look closer")]
#[path = "../machine/processes.rs"]
mod processes;

mod account;
mod bind9;
mod client;
mod clients;
mod coturn;
mod dns;
mod elders;
mod fake;
mod http;
mod knot;
mod moto;
mod peer;
mod powerdns;
mod python;
mod router;
mod site;

mod bound;
mod days;
mod gaps;
mod home;
mod kept;
mod likeness;
mod name_servers;
mod schema;
mod servers;
mod shapes;
mod tries;
mod vendors;
mod ways;
