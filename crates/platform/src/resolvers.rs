//! The servers of names that the system asks.
//!
//! Unix: those of `/etc/resolv.conf`, in its order; a system that has resolvers of its own for some
//! names or interfaces (systemd-resolved, macOS) names there whom it asks for the rest. Windows:
//! those of every adapter that is up, the one with the smallest metric first; rules for some names
//! alone (NRPT) are left out.

#[cfg(any(unix, test))]
mod configuration;
#[cfg(unix)]
#[path = "resolvers/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "resolvers/windows.rs"]
mod imp;

use std::{io, net::SocketAddr};

/// The port of DNS.
const PORT: u16 = 53;

/// Returns the servers, those first that are asked first; none where the system has none.
pub fn list() -> io::Result<Vec<SocketAddr>> {
    imp::list()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_is_named_once_and_can_be_asked() {
        let mut all = list().unwrap();
        for it in &all {
            assert!(it.port() == PORT && !it.ip().is_unspecified(), "{it}");
        }
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count, "{all:?}");
    }
}
