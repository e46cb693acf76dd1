//! Whether the machine is on a network, and when that may have changed.
//!
//! On a network means: an address that is neither loopback nor link-local, and a route of the same
//! family that leads beyond what is attached. Each system says so in its own way:
//!
//! * Linux: its tables of addresses and routes; besides a default route, any route counts that
//!   somebody has set, because a plant's own network may have no other.
//! * Windows and macOS: which address it would choose to reach the outside. No packet is sent.
//!
//! A network namespace is a machine of its own here.

#[cfg(target_os = "linux")]
#[path = "network/linux.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "network/macos.rs"]
mod imp;
#[cfg(windows)]
#[path = "network/windows.rs"]
mod imp;
#[cfg(not(target_os = "linux"))]
mod outside;
#[cfg(unix)]
mod unix;

use std::{io, time::Duration};

use tokio::time::{Instant, sleep_until};

/// Changes come in crowds: an address, its route, another address. So long they are gathered.
const GATHERED_FOR: Duration = Duration::from_millis(50);

/// Hears of every change of addresses and routes, without asking for it.
#[derive(Debug)]
pub struct Watch {
    inner: imp::Watch,
    /// When the crowd of changes that has begun is looked at.
    gathered_at: Option<Instant>,
}

impl Watch {
    /// Begins to watch. Must be called inside a runtime.
    pub fn begin() -> io::Result<Self> {
        Ok(Self { inner: imp::begin()?, gathered_at: None })
    }

    /// Waits until something may have changed. Whoever gives up waiting loses nothing.
    pub async fn changed(&mut self) -> io::Result<()> {
        if self.gathered_at.is_none() {
            self.inner.stirred().await?;
        }
        let gathered_at = *self.gathered_at.get_or_insert_with(|| Instant::now() + GATHERED_FOR);
        sleep_until(gathered_at).await;
        self.gathered_at = None;
        self.inner.drain()
    }
}

/// Returns whether the machine is on a network.
pub fn is_up() -> io::Result<bool> {
    imp::is_up()
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket};

    use tokio::{
        runtime::{Builder, Runtime},
        time::timeout,
    };

    use super::*;

    #[test]
    fn a_machine_with_a_way_out_is_on_a_network() {
        // Nothing is sent to it, and nobody has this address.
        let outside = (Ipv4Addr::new(192, 0, 2, 1), 9);
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let has_way_out = socket.connect(outside).is_ok();
        let own = socket.local_addr().unwrap().ip();
        assert!(is_up().unwrap() || !has_way_out || own.is_loopback(), "{own}");
    }

    #[test]
    fn a_watch_that_has_begun_has_seen_no_change() {
        runtime().block_on(async {
            let mut watch = Watch::begin().unwrap();
            let changed = timeout(Duration::ZERO, watch.changed()).await;
            changed.unwrap_err();
        });
    }

    /// The kernel's messages come over a socket, so that another socket is as good.
    #[cfg(unix)]
    #[test]
    fn a_crowd_of_changes_is_told_once_and_not_lost_by_giving_up() {
        use std::os::unix::net::UnixDatagram;

        let (kernel, ours) = UnixDatagram::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        runtime().block_on(async {
            let mut watch =
                Watch { inner: imp::Watch::of(ours.into()).unwrap(), gathered_at: None };
            timeout(GATHERED_FOR, watch.changed()).await.unwrap_err();
            for _ in 0..3 {
                kernel.send(b"change").unwrap();
            }
            timeout(GATHERED_FOR / 10, watch.changed()).await.unwrap_err();
            timeout(100 * GATHERED_FOR, watch.changed()).await.unwrap().unwrap();
            timeout(3 * GATHERED_FOR, watch.changed()).await.unwrap_err();
        });
    }

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_all().build().unwrap()
    }
}
