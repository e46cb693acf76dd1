//! Signals as orders, and the notify protocol of systemd (`sd_notify(3)`).

use std::{
    env,
    ffi::OsString,
    io,
    os::unix::{ffi::OsStrExt as _, net::UnixDatagram},
    thread,
};

use super::{Body, Desk, Manner, Order, Post, Report, Stage};

/// Who listens for what a service says of itself.
const SOCKET: &str = "NOTIFY_SOCKET";
/// The process that systemd has started, in its environment and its descendants'.
const STARTED: &str = "SYSTEMD_EXEC_PID";

/// Takes reports.
#[derive(Debug)]
pub(super) struct Reporter {
    socket: Option<(UnixDatagram, OsString)>,
}

impl Reporter {
    fn new(manner: Manner) -> io::Result<Self> {
        let address = env::var_os(SOCKET).filter(|_| manner == Manner::Systemd);
        let socket = address.map(|address| Ok::<_, io::Error>((UnixDatagram::unbound()?, address)));
        Ok(Self { socket: socket.transpose()? })
    }

    /// systemd does not say who has asked; its units are looked at as those of a boot.
    pub(super) const fn was_asked_for(&self) -> bool {
        self.socket.is_none()
    }

    pub(super) fn report(&self, report: &Report) -> io::Result<()> {
        let Some((socket, address)) = &self.socket else { return Ok(()) };
        let text = text_of(report);
        let bytes = address.as_bytes();
        match bytes.strip_prefix(b"@") {
            Some(name) => send_abstract(socket, text.as_bytes(), name),
            None => socket.send_to(text.as_bytes(), address).map(|_| ()),
        }
    }
}

#[cfg(target_os = "linux")]
fn send_abstract(socket: &UnixDatagram, text: &[u8], name: &[u8]) -> io::Result<()> {
    use std::os::{linux::net::SocketAddrExt as _, unix::net::SocketAddr};
    socket.send_to_addr(text, &SocketAddr::from_abstract_name(name)?).map(|_| ())
}

#[cfg(not(target_os = "linux"))]
fn send_abstract(_: &UnixDatagram, _: &[u8], _: &[u8]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

fn text_of(report: &Report) -> String {
    let more_time = || {
        let micros = report.wait_hint.as_micros();
        if micros == 0 { String::new() } else { format!("\nEXTEND_TIMEOUT_USEC={micros}") }
    };
    match report.stage {
        Stage::Starting => format!("STATUS=starting{}", more_time()),
        Stage::Running => "READY=1\nSTATUS=running".to_owned(),
        Stage::Reloading => {
            let micros = crate::clock::monotonic().as_micros();
            format!("RELOADING=1\nMONOTONIC_USEC={micros}\nSTATUS=reloading")
        }
        Stage::Stopping | Stage::Leaving => format!("STOPPING=1\nSTATUS=stopping{}", more_time()),
        Stage::Ended(_) => "STATUS=ended".to_owned(),
    }
}

pub(super) fn manner() -> Manner {
    let own = std::process::id().to_string();
    let is_started = env::var(STARTED).is_ok_and(|pid| pid == own);
    if is_started || env::var_os(SOCKET).is_some() { Manner::Systemd } else { Manner::Console }
}

pub(super) fn serve(manner: Manner, _name: &str, post: Post, body: Body) -> io::Result<()> {
    let signals = Signals::block()?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        while let Some(order) = signals.next() {
            post(order);
        }
    })?;
    body(Desk { reporter: Reporter::new(manner)?, arguments: Vec::new() });
    Ok(())
}

/// The signals that are orders, taken out of the ordinary way.
struct Signals(libc::sigset_t);

impl Signals {
    /// Blocks them in this thread and all that it starts.
    #[expect(unsafe_code, reason = "signal masks have no safe wrapper")]
    fn block() -> io::Result<Self> {
        let mut set = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: `set` is valid for writes.
        unsafe { libc::sigemptyset(set.as_mut_ptr()) };
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
            // SAFETY: `set` was initialised by sigemptyset.
            unsafe { libc::sigaddset(set.as_mut_ptr(), signal) };
        }
        // SAFETY: as above.
        let set = unsafe { set.assume_init() };
        // SAFETY: the set is initialised; the old mask is not asked for.
        let failed =
            unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
        if failed == 0 { Ok(Self(set)) } else { Err(io::Error::from_raw_os_error(failed)) }
    }

    /// Waits for the next order; none when the system cannot wait.
    #[expect(unsafe_code, reason = "sigwait")]
    fn next(&self) -> Option<Order> {
        let mut signal = 0;
        // SAFETY: the set is initialised; `signal` is valid for writes.
        let failed = unsafe { libc::sigwait(&raw const self.0, &raw mut signal) };
        match signal {
            _ if failed != 0 => None,
            libc::SIGHUP => Some(Order::Reload),
            _ => Some(Order::Stop),
        }
    }
}
