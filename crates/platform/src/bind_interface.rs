//! Sockets that send by one interface, whatever the routes say.
//!
//! What differs:
//!
//! * Linux (`SO_BINDTODEVICE`): nothing that comes by another interface is received either. Before
//!   5.7 only root may ask for it.
//! * macOS (`IP_BOUND_IF`, `IPV6_BOUND_IF`): the same, and everybody may.
//! * Windows (`IP_UNICAST_IF`, `IPV6_UNICAST_IF`): what comes is received by whichever interface;
//!   whoever is to listen at one alone binds to its address as well.
//!
//! An interface that comes anew under its old name is another one: a socket stays with the former.

#[cfg(target_os = "linux")]
#[path = "bind_interface/linux.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "bind_interface/macos.rs"]
mod imp;
#[cfg(windows)]
#[path = "bind_interface/windows.rs"]
mod imp;

use std::io;
#[cfg(unix)]
pub use std::os::fd::AsFd as AsSocket;
#[cfg(windows)]
pub use std::os::windows::io::AsSocket;

use thiserror::Error;

use crate::addresses::{self, Interface};

/// Why a socket does not use an interface.
#[derive(Debug, Error)]
pub enum BindInterfaceError {
    /// Nothing has this name.
    #[error("cannot use interface `{name}`: there is none of that name")]
    NoSuchInterface {
        /// The name.
        name: String,
    },
    /// The system refuses.
    #[error("cannot use interface `{name}`")]
    NotBound {
        /// The name.
        name: String,
        /// Why.
        source: io::Error,
    },
}

/// Has a socket use the interface of this name, before it is connected or bound.
///
/// Takes sockets of the standard library and of tokio, for either family, and every name that
/// [`Interface::is_called`] knows.
pub fn bind(socket: &impl AsSocket, name: &str) -> Result<(), BindInterfaceError> {
    let not_bound = |source| BindInterfaceError::NotBound { name: name.into(), source };
    let all = addresses::interfaces().map_err(not_bound)?;
    let Some(interface) = all.into_iter().find(|it| it.is_called(name)) else {
        return Err(BindInterfaceError::NoSuchInterface { name: name.into() });
    };
    bind_to(socket, &interface).map_err(not_bound)
}

/// Has a socket use this interface, before it is connected or bound.
pub fn bind_to(socket: &impl AsSocket, interface: &Interface) -> io::Result<()> {
    imp::bind(socket, interface)
}

#[cfg(test)]
mod tests {
    use std::{
        net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
        time::Duration,
    };

    use super::*;

    /// What is sent to oneself goes by the interface that leads nowhere else.
    #[test]
    fn a_socket_of_either_family_uses_the_interface_that_it_is_told() {
        for address in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
            let Ok(receiver) = UdpSocket::bind((address, 0)) else { continue };
            receiver.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
            let sender = UdpSocket::bind((address, 0)).unwrap();
            let bound = bind_to(&sender, &loopback());
            // Wine 8 hands the number to a Linux that takes it in the other order.
            assert!(bound.is_ok() || is_wine() && address.is_ipv6(), "{address}: {bound:?}");
            sender.send_to(b"word", receiver.local_addr().unwrap()).unwrap();
            let mut word = [0; 8];
            let (size, from) = receiver.recv_from(&mut word).unwrap();
            assert_eq!((&word[..size], from), (&b"word"[..], sender.local_addr().unwrap()));
        }
    }

    #[test]
    fn an_interface_is_found_by_its_name_and_one_that_there_is_not_is_named() {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        bind(&socket, &loopback().name).unwrap();
        let error = bind(&socket, "no such interface").unwrap_err();
        let said = "cannot use interface `no such interface`: there is none of that name";
        assert_eq!(error.to_string(), said);
    }

    fn is_wine() -> bool {
        std::env::var_os("MAINSTAY_WINE").is_some()
    }

    fn loopback() -> Interface {
        addresses::interfaces().unwrap().into_iter().find(|it| it.is_loopback).unwrap()
    }
}
