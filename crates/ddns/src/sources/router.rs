//! Where the router is, and by which interface it is reached.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use mainstay_platform::{
    addresses,
    gateway::{self, Gateway},
};

use crate::address::Family;

/// Addresses far away, one of each family, that nothing is ever sent to.
const FAR_V4: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1)), 9);
const FAR_V6: SocketAddr =
    SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111)), 9);

/// A router of IPv4 and our own side of the network that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Neighbour {
    /// The router.
    pub(super) router: Ipv4Addr,
    /// Our own address towards it.
    pub(super) local: Option<Ipv4Addr>,
}

/// Returns where the router listens: as configured, else at the default gateway, or at that behind
/// the interface, or the interface with the address, that we are bound to.
pub(super) async fn find(
    configured: Option<SocketAddr>,
    (family, bind): (Family, Option<&str>),
    port: u16,
) -> Result<SocketAddr, String> {
    match configured {
        Some(server) if Family::of(server.ip()) == family => Ok(server),
        Some(server) => Err(format!("`{server}` is no {family} address")),
        None => match (default_of(&gateways(bind).await?, family), bind) {
            (Some(gateway), _) => Ok(gateway.socket_address(port)),
            (None, Some(bind)) => Err(format!("no {family} default gateway is behind `{bind}`")),
            (None, None) => Err(format!("there is no {family} default gateway")),
        },
    }
}

/// Returns the default gateway of IPv4, if there is one; that of what we are bound to.
pub(super) async fn neighbour(bind: Option<&str>) -> Option<Neighbour> {
    let all = gateways(bind).await.ok()?;
    let gateway = default_of(&all, Family::V4)?;
    let IpAddr::V4(router) = gateway.address else { return None };
    let local = match gateway.own_address {
        Some(IpAddr::V4(local)) => Some(local),
        Some(IpAddr::V6(_)) | None => None,
    };
    Some(Neighbour { router, local })
}

/// Returns the name of the interface with the default route of a family: that of the gateway, or,
/// where there is none (a modem's or a tunnel's interface), the one that the system would choose.
pub(super) fn interface(family: Family) -> Result<String, String> {
    let all = gateway::list().map_err(|error| cannot(&error))?;
    if let Some(gateway) = default_of(&all, family) {
        return Ok(gateway.interface.name.clone());
    }
    // The system refuses to connect where nothing leads.
    let name = way_out(family).ok().flatten();
    name.ok_or_else(|| format!("there is no {family} default route"))
}

async fn gateways(bind: Option<&str>) -> Result<Vec<Gateway>, String> {
    let bind = bind.map(str::to_owned);
    match tokio::task::spawn_blocking(move || behind(bind.as_deref())).await {
        Ok(listed) => listed.map_err(|error| cannot(&error)),
        Err(_) => Err("looking for the default gateway broke off".to_owned()),
    }
}

/// Lists the gateways that are reached by an interface, or by that which has an address.
fn behind(bind: Option<&str>) -> io::Result<Vec<Gateway>> {
    let mut all = gateway::list()?;
    let Some(bind) = bind else { return Ok(all) };
    match bind.parse::<IpAddr>() {
        Err(_) => all.retain(|one| one.interface.is_called(bind)),
        Ok(own) => {
            let holder = addresses::list()?.into_iter().find(|one| one.address == own);
            let holder = holder.map(|one| one.interface.index);
            all.retain(|one| Some(one.interface.index) == holder);
        }
    }
    Ok(all)
}

fn cannot(error: &io::Error) -> String {
    format!("cannot tell the default gateway: {error}")
}

fn default_of(all: &[Gateway], family: Family) -> Option<&Gateway> {
    all.iter().find(|one| Family::of(one.address) == family)
}

/// Returns the interface whose address a message to far away would have. None is sent.
fn way_out(family: Family) -> io::Result<Option<String>> {
    let (any, far) = match family {
        Family::V4 => (IpAddr::from(Ipv4Addr::UNSPECIFIED), FAR_V4),
        Family::V6 => (IpAddr::from(Ipv6Addr::UNSPECIFIED), FAR_V6),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(far)?;
    let own = socket.local_addr()?.ip();
    let all = addresses::list()?;
    Ok(all.into_iter().find(|one| one.address == own).map(|one| one.interface.name))
}

#[cfg(test)]
mod tests {
    use mainstay_platform::addresses::Interface;

    use super::*;
    use crate::sources::udp::tests::run;

    fn gateway(address: &str, metric: u32) -> Gateway {
        let interface = Interface {
            index: 7,
            name: "eth0".to_owned(),
            aliases: Vec::new(),
            is_up: true,
            is_loopback: false,
            is_point_to_point: false,
        };
        Gateway { interface, address: address.parse().unwrap(), own_address: None, metric }
    }

    #[test]
    fn the_first_gateway_of_the_family_is_the_router() {
        let all = [gateway("fe80::1", 0), gateway("10.0.0.1", 1), gateway("10.0.0.2", 2)];
        let told = |family| default_of(&all, family).map(|one| one.address.to_string());
        assert_eq!(told(Family::V4).as_deref(), Some("10.0.0.1"));
        assert_eq!(told(Family::V6).as_deref(), Some("fe80::1"));
        assert_eq!(default_of(&all[..1], Family::V4), None);
    }

    #[test]
    fn a_configured_router_is_of_the_family() {
        let router = "10.0.0.1:5351".parse().unwrap();
        assert_eq!(run(find(Some(router), (Family::V4, None), 1)), Ok(router));
        let told = run(find(Some(router), (Family::V6, None), 1)).unwrap_err();
        assert_eq!(told, "`10.0.0.1:5351` is no IPv6 address");
    }

    #[test]
    fn nothing_is_behind_what_is_not_there() {
        for bind in ["no-such-0", "192.0.2.77"] {
            let told = run(find(None, (Family::V4, Some(bind)), 5351)).unwrap_err();
            assert_eq!(told, format!("no IPv4 default gateway is behind `{bind}`"));
            assert_eq!(run(neighbour(Some(bind))), None);
        }
    }

    /// Whatever this machine has: the three agree.
    #[test]
    fn the_default_gateway_is_the_same_for_everybody() {
        let found = run(find(None, (Family::V4, None), 5351));
        let near = run(neighbour(None));
        match (&found, near) {
            (Ok(server), Some(near)) => {
                assert_eq!(*server, SocketAddr::from((near.router, 5351)));
                assert!(!interface(Family::V4).unwrap().is_empty());
            }
            (Err(told), None) => assert_eq!(told, "there is no IPv4 default gateway"),
            other => panic!("{other:?}"),
        }
    }
}
