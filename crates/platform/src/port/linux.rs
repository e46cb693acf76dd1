//! epoll, eventfd and signalfd.

use std::{
    io,
    mem::MaybeUninit,
    ops::{Deref, DerefMut},
    os::fd::{AsFd, FromRawFd as _, OwnedFd},
    sync::Arc,
    time::Duration,
};

use rustix::{
    event::{
        EventfdFlags, Timespec,
        epoll::{self, CreateFlags, EventData, EventFlags},
        eventfd,
    },
    io::Errno,
};

use super::{Noticed, Ready, Token, WantWrite};

const EVENTS_AT_ONCE: usize = 64;
/// `sizeof(struct signalfd_siginfo)`; the signal's number comes first.
const SIGNAL_RECORD_BYTES: usize = 128;
/// Reserved for the waker's own eventfd.
const WAKE: u64 = u64::MAX;

/// Waits for many things at once.
#[derive(Debug)]
pub struct Port {
    epoll: Arc<OwnedFd>,
    wake: Arc<OwnedFd>,
    ready: Vec<Ready>,
}

/// Ends a wait from any thread.
#[derive(Debug, Clone)]
pub struct Waker(Arc<OwnedFd>);

/// A thing whose registration ends before it is closed.
#[derive(Debug)]
pub struct Watched<T: AsFd> {
    epoll: Arc<OwnedFd>,
    token: Token,
    thing: Option<T>,
}

impl Port {
    /// Returns a port that watches nothing yet.
    pub fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &wake, EventData::new_u64(WAKE), EventFlags::IN | EventFlags::ET)?;
        let ready = Vec::with_capacity(EVENTS_AT_ONCE);
        Ok(Self { epoll: Arc::new(epoll), wake: Arc::new(wake), ready })
    }

    /// Returns what ends a wait from another thread.
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.wake))
    }

    /// Reports the thing's events under `token` until the result is dropped.
    pub fn watch<T: AsFd>(&self, thing: T, token: Token) -> io::Result<Watched<T>> {
        self.register(thing, token, EventFlags::IN | EventFlags::RDHUP)
    }

    /// Like [`watch`](Self::watch), but each event must be asked for with [`Watched::arm`].
    pub fn watch_once<T: AsFd>(&self, thing: T, token: Token) -> io::Result<Watched<T>> {
        self.register(thing, token, EventFlags::ONESHOT)
    }

    fn register<T: AsFd>(
        &self,
        thing: T,
        token: Token,
        flags: EventFlags,
    ) -> io::Result<Watched<T>> {
        epoll::add(&self.epoll, &thing, EventData::new_u64(token.0), flags)?;
        Ok(Watched { epoll: Arc::clone(&self.epoll), token, thing: Some(thing) })
    }

    /// Waits for events, a wake-up or the end of `timeout`; the result lives until the next call.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<&[Ready]> {
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(timeout.subsec_nanos()),
        });
        self.ready.clear();
        let mut room = [MaybeUninit::<epoll::Event>::uninit(); EVENTS_AT_ONCE];
        match epoll::wait(&self.epoll, &mut room, timeout.as_ref()) {
            Ok((events, _)) => {
                let events = events.iter().filter(|event| event.data.u64() != WAKE);
                self.ready.extend(events.map(ready));
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        Ok(&self.ready)
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

impl std::os::fd::AsRawFd for Port {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        std::os::fd::AsRawFd::as_raw_fd(&*self.epoll)
    }
}

fn ready(event: &epoll::Event) -> Ready {
    // The fields of a packed struct are copied before use.
    let (data, flags) = (event.data, event.flags);
    Ready {
        token: Token(data.u64()),
        is_readable: flags
            .intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR | EventFlags::RDHUP),
        is_writable: flags.contains(EventFlags::OUT),
    }
}

impl Waker {
    /// Ends the current or the next wait.
    pub fn wake(&self) {
        // A full counter means that a wake-up is pending already.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}

impl<T: AsFd> Watched<T> {
    /// Asks for one more event of a thing watched with [`Port::watch_once`].
    pub fn arm(&self) -> io::Result<()> {
        self.change(EventFlags::IN | EventFlags::ONESHOT)
    }

    /// Says whether to report when the thing can take more.
    pub fn want_write(&self, want: WantWrite) -> io::Result<()> {
        let reading = EventFlags::IN | EventFlags::RDHUP;
        self.change(match want {
            WantWrite::Yes => reading | EventFlags::OUT,
            WantWrite::No => reading,
        })
    }

    fn change(&self, flags: EventFlags) -> io::Result<()> {
        let Some(thing) = &self.thing else { return Ok(()) };
        Ok(epoll::modify(&self.epoll, thing, EventData::new_u64(self.token.0), flags)?)
    }

    /// Ends the registration and returns the thing.
    pub fn release(mut self) -> Option<T> {
        self.forget();
        self.thing.take()
    }

    fn forget(&self) {
        if let Some(thing) = &self.thing {
            let _ = epoll::delete(&self.epoll, thing);
        }
    }
}

impl<T: AsFd> Drop for Watched<T> {
    fn drop(&mut self) {
        self.forget();
    }
}

impl<T: AsFd> Deref for Watched<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.thing.as_ref().expect("only `release` takes the thing, and it consumes `self`")
    }
}

impl<T: AsFd> DerefMut for Watched<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.thing.as_mut().expect("only `release` takes the thing, and it consumes `self`")
    }
}

/// Reports that some child has ended or that we were asked to end.
#[derive(Debug)]
pub struct Notices(OwnedFd);

impl Notices {
    /// Blocks SIGCHLD, SIGTERM and SIGINT in this and all later threads and turns them into events.
    ///
    /// Must be called before any other thread is started.
    #[expect(unsafe_code, reason = "signal masks and signalfd have no safe wrapper")]
    pub fn new() -> io::Result<Self> {
        let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: `set` is valid for writes.
        unsafe { libc::sigemptyset(set.as_mut_ptr()) };
        for signal in [libc::SIGCHLD, libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
            // SAFETY: `set` was initialised by sigemptyset.
            unsafe { libc::sigaddset(set.as_mut_ptr(), signal) };
        }
        // SAFETY: `set` is initialised; the old mask is not asked for.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut()) };
        // SAFETY: `set` is initialised; -1 asks for a new descriptor.
        let raw =
            unsafe { libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: signalfd returned a descriptor that nobody else owns.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(raw) }))
    }

    /// Takes note of all events so far and returns what they were.
    pub fn take(&self) -> Noticed {
        let mut noticed = Noticed::default();
        let mut record = [0_u8; SIGNAL_RECORD_BYTES];
        while rustix::io::read(&self.0, &mut record).is_ok_and(|bytes| bytes == record.len()) {
            let signal = record.first_chunk::<4>().map(|bytes| i32::from_ne_bytes(*bytes));
            match signal {
                Some(libc::SIGCHLD) => noticed.child_ended = true,
                Some(_) => noticed.end_asked = true,
                None => {}
            }
        }
        noticed
    }
}

impl AsFd for Notices {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Asks whoever has [`Notices`] in this process to end, as Ctrl-C does.
pub fn ask_to_end() -> io::Result<()> {
    use rustix::process::{Signal, getpid, kill_process};
    Ok(kill_process(getpid(), Signal::TERM)?)
}
