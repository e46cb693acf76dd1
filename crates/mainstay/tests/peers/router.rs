//! A home network: routers with miniupnpd, and a machine behind them, each in a namespace of its own.

use std::{fs::File, process::Command, sync::Arc, thread};

use rustix::{
    fd::AsFd as _,
    thread::{LinkNameSpaceType, move_into_link_name_space},
};

use crate::{
    peer::{self, Folder, Peer},
    processes::wait_until,
};

/// The first router, as the machine behind it sees it.
pub(crate) const GATEWAY: &str = "192.168.77.1";
/// What a router without these makes no mappings in.
const TABLES: &str = "table inet filter {
    chain miniupnpd { }
    chain prerouting_miniupnpd { }
    chain postrouting_miniupnpd { }
    chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
    chain postrouting { type nat hook postrouting priority 100; jump postrouting_miniupnpd; }
}";

/// A router and a machine; both end with the value.
#[derive(Debug)]
pub(crate) struct Router {
    daemon: Peer,
    outside: Namespace,
    machine: Arc<Namespace>,
}

/// A network namespace, which lives as long as a process that does nothing in it.
#[derive(Debug)]
pub(crate) struct Namespace(Peer);

impl Namespace {
    /// Returns a network with nothing in it but loopback.
    pub(crate) fn new() -> Self {
        let mut command = peer::mortal("unshare");
        command.args(["--net", "--", "sleep", "1000"]);
        let own = network_of(std::process::id());
        let peer = Peer::start(Folder::new("namespace"), &mut command, || true).unwrap();
        wait_until("the namespace is there", || {
            network_of(peer.pid()).is_some_and(|other| Some(other) != own)
        });
        let namespace = Self(peer);
        namespace.shell("ip link set lo up");
        namespace
    }

    /// Returns the words that bring a command into the namespace.
    pub(crate) fn through(&self) -> [String; 3] {
        ["nsenter".into(), format!("--net=/proc/{}/ns/net", self.0.pid()), "--".into()]
    }

    /// Runs a line of shell that must succeed; returns what it printed.
    pub(crate) fn shell(&self, line: &str) -> String {
        let [enter, namespace, end] = self.through();
        let mut command = Command::new(enter);
        command.args([&namespace, &end, "sh", "-ec", line]);
        peer::run(&mut command).unwrap_or_else(|said| panic!("{line}: {said}"))
    }

    /// Does something on a thread that is in the namespace, as is whatever it starts.
    pub(crate) fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let network = File::open(format!("/proc/{}/ns/net", self.pid())).unwrap();
        let inside = move || {
            move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            work()
        };
        thread::scope(|scope| scope.spawn(inside).join().unwrap())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.pid()
    }
}

fn network_of(pid: u32) -> Option<std::path::PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/ns/net")).ok()
}

impl Router {
    /// Starts a router that has this address on its outer side, and a machine behind it: that is
    /// `192.168.77.2` on `eth0`.
    pub(crate) fn start(outer: &str) -> Self {
        Self::before(Arc::new(Namespace::new()), 0, outer)
    }

    /// Starts a second router for the same machine, which is `192.168.78.2` on `eth1` there.
    pub(crate) fn second(&self, outer: &str) -> Self {
        Self::before(Arc::clone(&self.machine), 1, outer)
    }

    fn before(machine: Arc<Namespace>, place: u8, outer: &str) -> Self {
        let (outside, network) = (Namespace::new(), format!("192.168.{}", 77 + place));
        outside.shell(&format!(
            "ip link add ext0 type veth peer name ext1; ip link set ext1 up
             ip addr add {outer}/24 dev ext0; ip link set ext0 up
             ip link add lan0 type veth peer name eth{place} netns {}
             ip addr add {network}.1/24 dev lan0; ip link set lan0 up
             ip route add 239.0.0.0/8 dev lan0",
            machine.pid()
        ));
        machine.shell(&format!(
            "ip addr add {network}.2/24 dev eth{place}; ip link set eth{place} up
             ip route add default via {network}.1 dev eth{place} metric 10{place}"
        ));
        let folder = Folder::new("router");
        folder.write("miniupnpd.conf", &configuration(&folder));
        let [enter, namespace, end] = outside.through();
        let mut command = peer::mortal(&enter);
        command.args([&namespace, &end, "miniupnpd", "-d", "-f", "miniupnpd.conf", "-P", "pid"]);
        let listens = || !outside.shell("ss -Hlun sport = :5351").is_empty();
        let daemon = Peer::start(folder, &mut command, listens).unwrap();
        Self { daemon, outside, machine }
    }

    /// Gives the router another address on its outer side, as a provider does.
    pub(crate) fn move_to(&self, outer: &str) {
        self.outside.shell(&format!("ip addr flush dev ext0; ip addr add {outer}/24 dev ext0"));
    }

    /// Gives the router what it makes mappings in.
    pub(crate) fn makes_mappings(&self) {
        self.outside.shell(&format!("nft '{TABLES}'"));
    }

    /// Returns how many mappings there are.
    pub(crate) fn mappings(&self) -> usize {
        self.outside.shell("nft list chain inet filter miniupnpd").matches("dport").count()
    }

    /// Returns the machine behind the router.
    pub(crate) fn machine(&self) -> &Namespace {
        &self.machine
    }

    /// Returns what the router's daemon has said.
    pub(crate) fn said(&self) -> String {
        self.daemon.said()
    }
}

fn configuration(folder: &Folder) -> String {
    format!(
        "ext_ifname=ext0\nlistening_ip=lan0\nenable_natpmp=yes\nenable_upnp=yes\n\
         secure_mode=no\nsystem_uptime=yes\nuuid=00000000-0000-0000-0000-000000000001\n\
         lease_file={}/leases\nallow 1024-65535 0.0.0.0/0 1024-65535\n\
         deny 0-65535 0.0.0.0/0 0-65535\n",
        folder.path().display()
    )
}
