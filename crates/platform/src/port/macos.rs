//! kqueue.
//!
//! A [`Process`](crate::process::Process) and [`Notices`] are queues themselves, which can be read
//! when something has happened, so that everything a port watches is a descriptor.

use std::{
    io,
    mem::MaybeUninit,
    ops::{Deref, DerefMut},
    os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd},
    sync::Arc,
    time::Duration,
};

use rustix::{
    event::kqueue::{Event, EventFilter, EventFlags},
    io::Errno,
    process::Signal,
};

use super::{Noticed, Ready, Token, WantWrite};
use crate::macos::{add_trigger, change, queue, trigger, wait};

const EVENTS_AT_ONCE: usize = 64;

/// Waits for many things at once.
#[derive(Debug)]
pub struct Port {
    queue: Arc<OwnedFd>,
    ready: Vec<Ready>,
}

/// Ends a wait from any thread.
#[derive(Debug, Clone)]
pub struct Waker(Arc<OwnedFd>);

/// A thing whose registration ends before it is closed.
#[derive(Debug)]
pub struct Watched<T: AsFd> {
    queue: Arc<OwnedFd>,
    token: Token,
    thing: Option<T>,
}

impl Port {
    /// Returns a port that watches nothing yet.
    pub fn new() -> io::Result<Self> {
        let queue = queue()?;
        add_trigger(&queue, EventFlags::CLEAR)?;
        Ok(Self { queue: Arc::new(queue), ready: Vec::with_capacity(EVENTS_AT_ONCE) })
    }

    /// Returns what ends a wait from another thread.
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.queue))
    }

    /// Reports the thing's events under `token` until the result is dropped.
    pub fn watch<T: AsFd>(&self, thing: T, token: Token) -> io::Result<Watched<T>> {
        let watched = self.watch_once(thing, token)?;
        watched.change(EventFilter::Read, EventFlags::ADD)?;
        Ok(watched)
    }

    /// Like [`watch`](Self::watch), but each event must be asked for with [`Watched::arm`].
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the contract is that of systems where this can fail"
    )]
    pub fn watch_once<T: AsFd>(&self, thing: T, token: Token) -> io::Result<Watched<T>> {
        Ok(Watched { queue: Arc::clone(&self.queue), token, thing: Some(thing) })
    }

    /// Waits for events, a wake-up or the end of `timeout`; the result lives until the next call.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<&[Ready]> {
        self.ready.clear();
        let mut room = [const { MaybeUninit::<Event>::uninit() }; EVENTS_AT_ONCE];
        match wait(&self.queue, &mut room, timeout) {
            Ok((events, _)) => self.ready.extend(events.iter().filter_map(ready)),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        Ok(&self.ready)
    }
}

/// Returns nothing for a wake-up.
impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.queue.as_fd()
    }
}

impl std::os::fd::AsRawFd for Port {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        std::os::fd::AsRawFd::as_raw_fd(&*self.queue)
    }
}

fn ready(event: &Event) -> Option<Ready> {
    let filter = event.filter();
    let is_writable = matches!(filter, EventFilter::Write(_));
    let is_readable = matches!(filter, EventFilter::Read(_));
    let token = Token(u64::try_from(event.udata().addr()).unwrap_or(u64::MAX));
    (is_readable || is_writable).then_some(Ready { token, is_readable, is_writable })
}

impl Waker {
    /// Ends the current or the next wait.
    pub fn wake(&self) {
        // Cannot fail: the registration was made with the queue and lives as long.
        let _ = trigger(&self.0);
    }
}

impl<T: AsFd> Watched<T> {
    /// Asks for one more event of a thing watched with [`Port::watch_once`].
    pub fn arm(&self) -> io::Result<()> {
        self.change(EventFilter::Read, EventFlags::ADD | EventFlags::ONESHOT)
    }

    /// Says whether to report when the thing can take more.
    pub fn want_write(&self, want: WantWrite) -> io::Result<()> {
        match want {
            WantWrite::Yes => self.change(EventFilter::Write, EventFlags::ADD),
            WantWrite::No => {
                // It may not have been asked for.
                drop(self.change(EventFilter::Write, EventFlags::DELETE));
                Ok(())
            }
        }
    }

    fn change(&self, filter: fn(i32) -> EventFilter, flags: EventFlags) -> io::Result<()> {
        let Some(thing) = &self.thing else { return Ok(()) };
        let filter = filter(thing.as_fd().as_raw_fd());
        Ok(change(&self.queue, filter, flags, self.token.0)?)
    }

    /// Ends the registration and returns the thing.
    pub fn release(mut self) -> Option<T> {
        self.forget();
        self.thing.take()
    }

    fn forget(&self) {
        for filter in [EventFilter::Read, EventFilter::Write] {
            // What is not registered, because its one event has come, is refused.
            drop(self.change(filter, EventFlags::DELETE));
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

/// Reports that we were asked to end; the ends of children are seen by their own queues.
///
/// SIGCHLD is not listened to: a child that another thread has just started cannot be told from an
/// orphan here, and no orphan ever becomes our child.
#[derive(Debug)]
pub struct Notices(OwnedFd);

impl Notices {
    /// Turns SIGTERM and SIGINT, which no longer end this process, into events.
    #[expect(unsafe_code, reason = "signal dispositions have no safe wrapper")]
    pub fn new() -> io::Result<Self> {
        let queue = queue()?;
        for signal in [Signal::TERM, Signal::INT] {
            change(&queue, EventFilter::Signal { signal, times: 0 }, EventFlags::ADD, 0)?;
            // SAFETY: no handler is installed; a queue sees signals that are ignored.
            unsafe { libc::signal(signal.as_raw(), libc::SIG_IGN) };
        }
        Ok(Self(queue))
    }

    /// Takes note of all events so far and returns what they were.
    pub fn take(&self) -> Noticed {
        let mut room = [const { MaybeUninit::<Event>::uninit() }; EVENTS_AT_ONCE];
        let events = wait(&self.0, &mut room, Some(Duration::ZERO));
        let end_asked = events.is_ok_and(|(events, _)| !events.is_empty());
        Noticed { child_ended: false, end_asked }
    }
}

impl AsFd for Notices {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Asks whoever has [`Notices`] in this process to end, as Ctrl-C does.
pub fn ask_to_end() -> io::Result<()> {
    use rustix::process::{getpid, kill_process};
    Ok(kill_process(getpid(), Signal::TERM)?)
}
