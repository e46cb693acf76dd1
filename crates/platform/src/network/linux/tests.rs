//! Changes of all sorts, in a network of the tests' own.

use std::time::Duration;

use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

use super::super::Watch;
use crate::{
    addresses::{self, State},
    namespace::{PATIENCE, apart, cable, ip, many},
};

/// So long nothing has come when nothing is on its way.
const QUIET_FOR: Duration = Duration::from_millis(300);

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Hears of whatever is still on its way.
async fn calm(watch: &mut Watch) {
    while let Ok(changed) = timeout(QUIET_FOR, watch.changed()).await {
        changed.unwrap();
    }
}

/// Does each of these things, and hears of each.
fn check(before: &str, changes: &[&str]) {
    apart(|| {
        cable("one", "two");
        ip(before);
        runtime().block_on(async {
            let mut watch = Watch::begin().unwrap();
            for change in changes {
                calm(&mut watch).await;
                ip(change);
                let told = timeout(PATIENCE, watch.changed()).await;
                told.unwrap_or_else(|_| panic!("not told of: {change}")).unwrap();
            }
        });
    });
}

#[test]
fn every_change_of_an_address_is_told() {
    check(
        "addr add 192.0.2.1/24 dev one",
        &[
            "addr add 192.0.2.7/24 dev one",
            "addr del 192.0.2.7/24 dev one",
            "addr add 2001:db8:1::7/64 dev one nodad",
            "addr change 2001:db8:1::7/64 dev one nodad preferred_lft 0 valid_lft 3600",
            "addr change 2001:db8:1::7/64 dev one nodad preferred_lft 600 valid_lft 3600",
            "addr del 2001:db8:1::7/64 dev one",
            "addr add 2001:db8:2::7/64 dev one nodad",
            "link set one down",
        ],
    );
}

/// Nobody does anything at that moment: the address was given so long and no longer.
#[test]
fn an_address_that_is_deprecated_with_time_is_told() {
    let is_deprecated = || {
        let mut all = addresses::list().unwrap().into_iter();
        all.any(|it| it.address.is_ipv6() && it.state == State::Deprecated)
    };
    apart(|| {
        cable("one", "two");
        ip("addr add 2001:db8:1::7/64 dev one nodad preferred_lft 5 valid_lft 3600");
        runtime().block_on(async {
            let mut watch = Watch::begin().unwrap();
            while !is_deprecated() {
                timeout(PATIENCE, watch.changed()).await.unwrap().unwrap();
            }
        });
    });
}

#[test]
fn a_route_that_comes_and_one_that_goes_are_told() {
    check(
        "addr add 192.0.2.7/24 dev one
           addr add 2001:db8:1::7/64 dev one nodad",
        &[
            "route add default via 192.0.2.1",
            "route change default via 192.0.2.2",
            "route del default via 192.0.2.2",
            "route add default via 2001:db8:1::1 dev one",
            "route del default via 2001:db8:1::1 dev one",
        ],
    );
}

/// The kernel drops what nobody has read in time, and says so.
#[test]
fn a_crowd_that_is_too_large_to_be_kept_is_a_change_and_the_next_one_is_another() {
    apart(|| {
        cable("one", "two");
        runtime().block_on(async {
            let mut watch = Watch::begin().unwrap();
            ip(&many("add"));
            for change in ["addr add 192.0.2.7/24 dev one", "addr del 192.0.2.7/24 dev one"] {
                timeout(PATIENCE, watch.changed()).await.unwrap().unwrap();
                calm(&mut watch).await;
                ip(change);
            }
            timeout(PATIENCE, watch.changed()).await.unwrap().unwrap();
        });
    });
}
