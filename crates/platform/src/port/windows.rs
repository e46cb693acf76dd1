//! Events, process handles and pipes, each with a wait of its own in the system's thread pool.
//!
//! ```text
//!                 signalled           looked at, ready
//!  begun (pool) ───────────► noted ──────────────────► reported
//!    ▲                         │ not ready                │ once: until it is armed again
//!    └─────────────────────────┴──────────────────────────┘ always: looked at in the next wait
//! ```
//!
//! Nothing is looked at that has not been signalled: ten thousand idle things cost nothing.

#![expect(
    clippy::unnecessary_wraps,
    reason = "the contract is that of systems where this can fail"
)]

#[path = "windows/signals.rs"]
mod signals;

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

use windows_sys::{Win32::System::Console::SetConsoleCtrlHandler, core::BOOL};

use self::signals::{Signals, Wait};
use super::{Noticed, Ready, Token, WantWrite};
use crate::{
    clock,
    windows::{
        Event, Initially,
        console::{self, Meaning},
        is_signalled, succeed,
    },
};

/// What is signalled, and stays so, while a thing is ready.
#[derive(Debug, Clone, Copy)]
pub struct Sight(pub(crate) RawHandle);

/// Something that a port can watch.
pub trait Watchable {
    /// Returns how to see that it can be read, or has ended.
    fn reading(&self) -> io::Result<Sight>;

    /// Returns how to see that it can take more.
    fn writing(&self) -> Option<Sight> {
        None
    }

    /// Makes it say when it is ready the next time.
    fn arm(&self) {}
}

impl<T: Watchable> Watchable for Arc<T> {
    fn reading(&self) -> io::Result<Sight> {
        T::reading(self)
    }

    fn writing(&self) -> Option<Sight> {
        T::writing(self)
    }

    fn arm(&self) {
        T::arm(self);
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
    reading: Wait,
    writing: Option<Wait>,
    wants_write: bool,
    is_armed: bool,
    asked: Asked,
}

impl Registration {
    /// Returns what is ready; begins to wait again when nothing is.
    fn look(&mut self) -> Option<Ready> {
        if !self.is_armed {
            return None;
        }
        let writing = self.writing.as_ref().filter(|_| self.wants_write);
        let is_readable = is_signalled(self.reading.handle());
        let is_writable = writing.is_some_and(|wait| is_signalled(wait.handle()));
        if is_readable || is_writable {
            self.is_armed = self.asked == Asked::Always;
            return Some(Ready { token: self.token, is_readable, is_writable });
        }
        self.reading.begin();
        if let Some(wait) = writing {
            wait.begin();
        }
        None
    }
}

#[derive(Debug)]
struct Registry {
    things: Mutex<BTreeMap<u64, Registration>>,
    next: AtomicU64,
    signals: Arc<Signals>,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Registration>> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a registration, once no callback of it runs any more.
    fn remove(&self, number: u64) {
        let removed = self.lock().remove(&number);
        drop(removed);
    }
}

/// Waits for many things at once.
#[derive(Debug)]
pub struct Port {
    registry: Arc<Registry>,
    ready: Vec<Ready>,
    /// What was ready last time, and may still be.
    hot: Vec<u64>,
    /// How often it has slept.
    #[cfg(test)]
    pub(super) sleeps: usize,
}

/// Ends a wait from any thread.
#[derive(Debug, Clone)]
pub struct Waker(Arc<Signals>);

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
        let signals = Arc::new(Signals::new());
        let (things, next) = (Mutex::default(), AtomicU64::new(0));
        Ok(Self {
            registry: Arc::new(Registry { things, next, signals }),
            ready: Vec::new(),
            hot: Vec::new(),
            #[cfg(test)]
            sleeps: 0,
        })
    }

    /// Returns what ends a wait from another thread.
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.registry.signals))
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
        let number = self.registry.next.fetch_add(1, Ordering::Relaxed);
        let wait = |Sight(handle)| Wait::new(handle, number, &self.registry.signals);
        let registration = Registration {
            token,
            reading: wait(thing.reading()?)?,
            writing: thing.writing().map(wait).transpose()?,
            wants_write: false,
            is_armed: asked == Asked::Always,
            asked,
        };
        if asked == Asked::Always {
            registration.reading.begin();
        }
        self.registry.lock().insert(number, registration);
        Ok(Watched { registry: Arc::clone(&self.registry), number, thing: Some(thing) })
    }

    /// Waits for events, a wake-up or the end of `timeout`; the result lives until the next call.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<&[Ready]> {
        let until = timeout.map(|timeout| clock::monotonic() + timeout);
        self.ready.clear();
        loop {
            let is_woken = self.look();
            let now = clock::monotonic();
            if is_woken || !self.ready.is_empty() || until.is_some_and(|until| now >= until) {
                return Ok(&self.ready);
            }
            #[cfg(test)]
            {
                self.sleeps += 1;
            }
            self.registry.signals.sleep(until.map(|until| until.saturating_sub(now)));
        }
    }

    /// Looks at what was signalled or was ready last time; returns whether somebody woke us.
    fn look(&mut self) -> bool {
        let mut seen = self.registry.signals.take();
        seen.numbers.extend(self.hot.drain(..));
        let mut things = self.registry.lock();
        for number in seen.numbers {
            let Some(thing) = things.get_mut(&number) else { continue };
            if let Some(ready) = thing.look() {
                self.ready.push(ready);
                if thing.asked == Asked::Always {
                    self.hot.push(number);
                }
            }
        }
        seen.is_woken
    }
}

impl Waker {
    /// Ends the current or the next wait.
    pub fn wake(&self) {
        self.0.wake();
    }
}

impl<T: Watchable> Watched<T> {
    /// Asks for one more event of a thing watched with [`Port::watch_once`].
    pub fn arm(&self) -> io::Result<()> {
        T::arm(self);
        self.change(|thing| {
            thing.is_armed = true;
            thing.reading.begin();
        });
        Ok(())
    }

    /// Says whether to report when the thing can take more.
    pub fn want_write(&self, want: WantWrite) -> io::Result<()> {
        self.change(|thing| {
            thing.wants_write = want == WantWrite::Yes;
            if let Some(wait) = thing.writing.as_ref().filter(|_| thing.wants_write) {
                wait.begin();
            }
        });
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&mut Registration)) {
        if let Some(thing) = self.registry.lock().get_mut(&self.number) {
            change(thing);
        }
    }

    /// Ends the registration and returns the thing.
    pub fn release(mut self) -> Option<T> {
        self.registry.remove(self.number);
        self.thing.take()
    }
}

impl<T: Watchable> Drop for Watched<T> {
    fn drop(&mut self) {
        self.registry.remove(self.number);
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
    /// Turns Ctrl-C, the closing of the console and, outside of services, the end of the session
    /// into events.
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

/// Runs in a thread of the system's own: sets the event.
#[expect(unsafe_code, reason = "the type of a console handler")]
unsafe extern "system" fn on_control(event: u32) -> BOOL {
    let meaning = console::meaning_of(event);
    if meaning == Meaning::Nothing {
        return 0;
    }
    if let Some(asked) = END_ASKED.get() {
        asked.set();
    }
    if meaning == Meaning::Pressed {
        console::stay();
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
        Ok(Sight(self.0.raw()))
    }
}
