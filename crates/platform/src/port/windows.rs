//! Events, process handles and pipes, looked at in turn.
//!
//! Anonymous pipes cannot be waited for on Windows; while one is armed, all are looked at every
//! [`LOOK_EVERY`]. Without pipes a wait sleeps until something happens.

#![expect(
    clippy::unnecessary_wraps,
    reason = "the contract is that of systems where this can fail"
)]

use std::{
    collections::BTreeMap,
    io,
    ops::{Deref, DerefMut},
    os::windows::io::RawHandle,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use windows_sys::{
    Win32::System::{Console::SetConsoleCtrlHandler, Threading::WaitForMultipleObjects},
    core::BOOL,
};

use super::{Noticed, Ready, Token, WantWrite};
use crate::{
    clock,
    windows::{Event, Initially, is_signalled, succeed},
};

/// How often armed pipes are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// `MAXIMUM_WAIT_OBJECTS`; things beyond it are looked at instead.
const HANDLES_AT_ONCE: usize = 64;

/// How to see that a thing is ready.
#[derive(Debug, Clone, Copy)]
pub enum Sight {
    /// It is signalled.
    Signalled(RawHandle),
    /// A pipe has bytes, or nobody writes to it any more.
    Pipe(RawHandle),
}

/// Something that a port can watch.
pub trait Watchable {
    /// Returns how to see that it can be read, or has ended.
    fn reading(&self) -> io::Result<Sight>;

    /// Returns how to see that it can take more.
    fn writing(&self) -> Option<Sight> {
        None
    }
}

impl<T: Watchable> Watchable for Arc<T> {
    fn reading(&self) -> io::Result<Sight> {
        T::reading(self)
    }

    fn writing(&self) -> Option<Sight> {
        T::writing(self)
    }
}

/// How often a thing is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Always,
    Once,
}

#[derive(Debug)]
struct Registration {
    token: Token,
    reading: Sight,
    writing: Option<Sight>,
    wants_write: bool,
    is_armed: bool,
    asked: Asked,
}

// SAFETY: the handles in it are numbers, which are valid in every thread.
#[expect(unsafe_code, reason = "raw handles are not Send")]
unsafe impl Send for Registration {}

#[derive(Debug, Default)]
struct Registry {
    things: Mutex<BTreeMap<u64, Registration>>,
    next: AtomicU64,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Registration>> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for many things at once.
#[derive(Debug)]
pub struct Port {
    registry: Arc<Registry>,
    wake: Arc<Event>,
    ready: Vec<Ready>,
}

/// Ends a wait from any thread.
#[derive(Debug, Clone)]
pub struct Waker(Arc<Event>);

/// A thing whose registration ends before it is closed.
#[derive(Debug)]
pub struct Watched<T: Watchable> {
    registry: Arc<Registry>,
    number: u64,
    thing: Option<T>,
}

impl Port {
    /// Returns a port that watches nothing yet.
    pub fn new() -> io::Result<Self> {
        let wake = Arc::new(Event::new(Initially::Reset));
        Ok(Self { registry: Arc::default(), wake, ready: Vec::new() })
    }

    /// Returns what ends a wait from another thread.
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.wake))
    }

    /// Reports the thing's events under `token` until the result is dropped.
    pub fn watch<T: Watchable>(&self, thing: T, token: Token) -> io::Result<Watched<T>> {
        self.register(thing, token, Asked::Always)
    }

    /// Like [`watch`](Self::watch), but each event must be asked for with [`Watched::arm`].
    pub fn watch_once<T: Watchable>(&self, thing: T, token: Token) -> io::Result<Watched<T>> {
        self.register(thing, token, Asked::Once)
    }

    fn register<T: Watchable>(
        &self,
        thing: T,
        token: Token,
        asked: Asked,
    ) -> io::Result<Watched<T>> {
        let registration = Registration {
            token,
            reading: thing.reading()?,
            writing: thing.writing(),
            wants_write: false,
            is_armed: asked == Asked::Always,
            asked,
        };
        let number = self.registry.next.fetch_add(1, Ordering::Relaxed);
        self.registry.lock().insert(number, registration);
        Ok(Watched { registry: Arc::clone(&self.registry), number, thing: Some(thing) })
    }

    /// Waits for events, a wake-up or the end of `timeout`; the result lives until the next call.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<&[Ready]> {
        let until = timeout.map(|timeout| clock::monotonic() + timeout);
        loop {
            self.look();
            let is_woken = self.wake.take();
            let now = clock::monotonic();
            if is_woken || !self.ready.is_empty() || until.is_some_and(|until| now >= until) {
                return Ok(&self.ready);
            }
            self.sleep(until.map(|until| until.saturating_sub(now)));
        }
    }

    fn look(&mut self) {
        self.ready.clear();
        for thing in self.registry.lock().values_mut().filter(|thing| thing.is_armed) {
            let is_readable = is_ready(thing.reading);
            let is_writable = thing.wants_write && thing.writing.is_some_and(is_ready);
            if is_readable || is_writable {
                thing.is_armed = thing.asked == Asked::Always;
                self.ready.push(Ready { token: thing.token, is_readable, is_writable });
            }
        }
    }

    /// Sleeps until something may have become ready.
    #[expect(unsafe_code, reason = "WaitForMultipleObjects")]
    fn sleep(&self, longest: Option<Duration>) {
        let mut handles = vec![self.wake.raw()];
        let mut must_look = false;
        for thing in self.registry.lock().values().filter(|thing| thing.is_armed) {
            let writing = thing.writing.filter(|_| thing.wants_write);
            for sight in [Some(thing.reading), writing].into_iter().flatten() {
                match sight {
                    Sight::Signalled(handle) if handles.len() < HANDLES_AT_ONCE => {
                        handles.push(handle);
                    }
                    Sight::Signalled(_) | Sight::Pipe(_) => must_look = true,
                }
            }
        }
        let longest =
            if must_look { Some(longest.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)) } else { longest };
        // Never 0 for a rest below a millisecond: the clock would be asked in a busy loop.
        let millis = longest.map_or(u32::MAX, |longest| {
            u32::try_from(longest.as_millis() + 1).unwrap_or(u32::MAX - 1)
        });
        let count = u32::try_from(handles.len()).unwrap_or(1);
        // SAFETY: `handles` holds `count` handles; one that is no more makes the call return at
        // once.
        unsafe { WaitForMultipleObjects(count, handles.as_ptr(), 0, millis) };
    }
}

fn is_ready(sight: Sight) -> bool {
    match sight {
        Sight::Signalled(handle) => is_signalled(handle),
        Sight::Pipe(handle) => crate::pipe::waiting_bytes(handle).is_none_or(|bytes| bytes > 0),
    }
}

impl Waker {
    /// Ends the current or the next wait.
    pub fn wake(&self) {
        self.0.set();
    }
}

impl<T: Watchable> Watched<T> {
    /// Asks for one more event of a thing watched with [`Port::watch_once`].
    pub fn arm(&self) -> io::Result<()> {
        self.change(|thing| thing.is_armed = true);
        Ok(())
    }

    /// Says whether to report when the thing can take more.
    pub fn want_write(&self, want: WantWrite) -> io::Result<()> {
        self.change(|thing| thing.wants_write = want == WantWrite::Yes);
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&mut Registration)) {
        if let Some(thing) = self.registry.lock().get_mut(&self.number) {
            change(thing);
        }
    }

    /// Ends the registration and returns the thing.
    pub fn release(mut self) -> Option<T> {
        self.registry.lock().remove(&self.number);
        self.thing.take()
    }
}

impl<T: Watchable> Drop for Watched<T> {
    fn drop(&mut self) {
        self.registry.lock().remove(&self.number);
    }
}

impl<T: Watchable> Deref for Watched<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.thing.as_ref().expect("only `release` takes the thing, and it consumes `self`")
    }
}

impl<T: Watchable> DerefMut for Watched<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.thing.as_mut().expect("only `release` takes the thing, and it consumes `self`")
    }
}

/// Set when somebody asked this process to end by way of its console.
static END_ASKED: OnceLock<Event> = OnceLock::new();

/// Reports that we were asked to end; the end of children is seen by their handles.
#[derive(Debug)]
pub struct Notices(&'static Event);

impl Notices {
    /// Turns Ctrl-C, the closing of the console and the end of the session into events.
    #[expect(unsafe_code, reason = "SetConsoleCtrlHandler")]
    pub fn new() -> io::Result<Self> {
        let event = END_ASKED.get_or_init(|| Event::new(Initially::Reset));
        // SAFETY: the handler is a function without captures that lives for ever.
        succeed(unsafe { SetConsoleCtrlHandler(Some(on_control), 1) })?;
        Ok(Self(event))
    }

    /// Takes note of all events so far and returns what they were.
    pub fn take(&self) -> Noticed {
        Noticed { child_ended: false, end_asked: self.0.take() }
    }
}

/// Runs in a thread of the system's own: sets the event and returns.
#[expect(unsafe_code, reason = "the type of a console handler")]
unsafe extern "system" fn on_control(_event: u32) -> BOOL {
    if !crate::process::is_interrupting_others()
        && let Some(event) = END_ASKED.get()
    {
        event.set();
    }
    1
}

/// Asks whoever has [`Notices`] in this process to end, as Ctrl-C does.
pub fn ask_to_end() -> io::Result<()> {
    END_ASKED.get_or_init(|| Event::new(Initially::Reset)).set();
    Ok(())
}

impl Watchable for Notices {
    fn reading(&self) -> io::Result<Sight> {
        Ok(Sight::Signalled(self.0.raw()))
    }
}
