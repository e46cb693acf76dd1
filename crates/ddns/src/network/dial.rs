//! Connects to one of several addresses, from a local address or by an interface where one is named.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use mainstay_platform::bind_interface::{self, AsSocket};
use tokio::net::{TcpSocket, TcpStream};

use super::race::{Try, race};

/// So many addresses of one name are tried.
const ADDRESSES_MAX: usize = 6;
/// The next address is tried when the one before has not answered for so long (RFC 8305).
const NEXT_AFTER: Duration = Duration::from_millis(250);
/// So many failures are told.
const TOLD_MAX: usize = 3;

/// From where something is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Binding {
    /// From an address of this machine.
    Address(IpAddr),
    /// By an interface, whatever addresses it has.
    Interface(Arc<str>),
}

impl Binding {
    /// Reads what the configuration says.
    pub(super) fn of(text: &str) -> Self {
        match text.parse() {
            Ok(address) => Self::Address(address),
            Err(_) => Self::Interface(text.into()),
        }
    }

    /// Returns the address that a socket to somewhere has to be bound to; any where it says nothing
    /// of that.
    pub(super) fn local_address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Interface(_) => None,
        }
    }

    /// Has a socket send by the interface.
    pub(super) fn apply(&self, socket: &impl AsSocket) -> io::Result<()> {
        match self {
            Self::Address(_) => Ok(()),
            Self::Interface(name) => bind_interface::bind(socket, name).map_err(io::Error::other),
        }
    }

    /// Says whether it has a say in how somebody is reached: this machine itself is reached by
    /// nothing but itself, such as a proxy that runs on it.
    pub(super) fn concerns(&self, peer: IpAddr) -> bool {
        !peer.is_loopback() || self.local_address().is_some_and(|local| local.is_loopback())
    }

    /// Says whether somebody can be reached from here at all.
    fn fits(&self, peer: IpAddr) -> bool {
        !self.concerns(peer)
            || self.local_address().is_none_or(|local| local.is_ipv4() == peer.is_ipv4())
    }
}

/// Returns the address that stands for any of a family.
pub(super) fn any_like(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// Connects to the first address that answers, both families in turn.
pub(super) async fn first(
    addresses: &[IpAddr],
    port: u16,
    binding: Option<&Binding>,
) -> Result<TcpStream, String> {
    let fits = |peer: &IpAddr| binding.is_none_or(|binding| binding.fits(*peer));
    let usable: Vec<IpAddr> = addresses.iter().copied().filter(fits).collect();
    if let (true, Some(Binding::Address(local))) = (usable.is_empty(), binding) {
        return Err(format!("nothing of its family is reached from {local}"));
    }
    let attempts = in_turn(&usable).into_iter().map(|address| {
        let peer = SocketAddr::new(address, port);
        let binding = binding.filter(|binding| binding.concerns(address)).cloned();
        let attempt: Try<TcpStream> = Box::pin(async move {
            reach(peer, binding).await.map_err(|error| format!("{address}: {error}"))
        });
        attempt
    });
    race(attempts.collect(), NEXT_AFTER, NEXT_AFTER).await.map_err(|failures| told(&failures))
}

async fn reach(peer: SocketAddr, binding: Option<Binding>) -> io::Result<TcpStream> {
    let socket = if peer.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(binding) = binding {
        binding.apply(&socket)?;
        if let Some(local) = binding.local_address() {
            socket.bind(SocketAddr::new(local, 0))?;
        }
    }
    let stream = socket.connect(peer).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Returns addresses of both families in turn, the family of the first one first: where one family
/// leads nowhere, that costs one wait.
fn in_turn(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let leads = addresses.first().is_none_or(IpAddr::is_ipv4);
    let (leading, others): (Vec<IpAddr>, Vec<IpAddr>) =
        addresses.iter().partition(|address| address.is_ipv4() == leads);
    let longest = leading.len().max(others.len());
    let pairs = (0..longest).flat_map(|place| [leading.get(place), others.get(place)]);
    pairs.flatten().copied().take(ADDRESSES_MAX).collect()
}

/// Returns failures in one line.
pub(super) fn told(failures: &[String]) -> String {
    let shown: Vec<&str> = failures.iter().take(TOLD_MAX).map(String::as_str).collect();
    match failures.len() {
        0 => "there is nobody to be asked".to_owned(),
        count if count > TOLD_MAX => {
            format!("{}; and {} more", shown.join("; "), count - TOLD_MAX)
        }
        _ => shown.join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let order = |text: &str| {
            let addresses: Vec<IpAddr> = text.split(' ').map(|it| it.parse().unwrap()).collect();
            let turns = in_turn(&addresses);
            turns.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(order("::1 ::2 1.1.1.1 1.1.1.2"), "::1 1.1.1.1 ::2 1.1.1.2");
        assert_eq!(order("1.1.1.1 ::1 ::2"), "1.1.1.1 ::1 ::2");
        assert_eq!(order("::1 ::2 ::3 ::4 ::5 ::6 ::7"), "::1 ::2 ::3 ::4 ::5 ::6");
    }

    #[test]
    fn what_runs_on_this_machine_is_reached_whatever_is_bound() {
        let wan = Binding::of("192.0.2.7");
        assert_eq!(Binding::of("eth0"), Binding::Interface("eth0".into()));
        let far: IpAddr = "198.51.100.1".parse().unwrap();
        let here: IpAddr = Ipv4Addr::LOCALHOST.into();
        assert!(wan.concerns(far) && !wan.concerns(here) && Binding::Address(here).concerns(here));
        assert!(wan.fits(far) && wan.fits(here) && !wan.fits("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn failures_are_told_in_part() {
        let all = ["a", "b", "c", "d", "e"].map(str::to_owned);
        assert_eq!(told(&all), "a; b; c; and 2 more");
        assert_eq!(told(&all[..1]), "a");
    }
}
