//! What `GetAdaptersAddresses` tells of each adapter that is up.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use super::PORT;
use crate::windows::adapters::{Adapter, Adapters, Wanted};

pub(super) fn list() -> io::Result<Vec<SocketAddr>> {
    let adapters = Adapters::look(Wanted::Resolvers)?;
    let mut up: Vec<_> = adapters.iter().filter(|it| it.interface().is_up).collect();
    up.sort_by_key(|adapter| adapter.metrics().into_iter().min());
    let mut all = Vec::new();
    for mut server in up.into_iter().flat_map(Adapter::resolvers) {
        server.set_port(PORT);
        if !is_made_up(server.ip()) && !all.contains(&server) {
            all.push(server);
        }
    }
    Ok(all)
}

/// An adapter without servers is told to have `fec0:0:0:ffff::1` to `::3`, where nobody is.
fn is_made_up(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(it) if it.segments().starts_with(&[0xfec0, 0, 0, 0xffff]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_the_system_has_made_up_are_left_out() {
        for (address, expected) in [
            ("fec0:0:0:ffff::1", true),
            ("fec0:0:0:ffff::3", true),
            ("fe80::1", false),
            ("2001:db8::53", false),
            ("192.0.2.53", false),
        ] {
            assert_eq!(is_made_up(address.parse().unwrap()), expected, "{address}");
        }
    }
}
