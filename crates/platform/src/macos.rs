//! Kernel event queues, which several macOS bodies use.

use std::{io, os::fd::OwnedFd, ptr::without_provenance_mut, time::Duration};

use rustix::{
    buffer::Buffer,
    event::kqueue::{Event, EventFilter, EventFlags, UserDefinedFlags, UserFlags, kevent, kqueue},
    io::{FdFlags, fcntl_setfd},
};

/// Returns an empty queue that is closed on exec.
pub(crate) fn queue() -> io::Result<OwnedFd> {
    let queue = kqueue()?;
    fcntl_setfd(&queue, FdFlags::CLOEXEC)?;
    Ok(queue)
}

/// Adds, changes or ends a registration, whose events carry `token`.
#[expect(unsafe_code, reason = "kevent")]
pub(crate) fn change(
    queue: &OwnedFd,
    filter: EventFilter,
    flags: EventFlags,
    token: u64,
) -> rustix::io::Result<()> {
    // Pointers are as wide as tokens on every Mac.
    let mark = without_provenance_mut(usize::try_from(token).unwrap_or(usize::MAX));
    let event = Event::new(filter, flags, mark);
    let none: &mut [Event] = &mut [];
    // SAFETY: the system forgets a registration when its descriptor is closed, and whoever makes
    // one ends it before.
    unsafe { kevent(queue, &[event], none, Some(Duration::ZERO)) }.map(drop)
}

/// Waits for events; without a time-out for as long as it takes.
#[expect(unsafe_code, reason = "kevent")]
pub(crate) fn wait<Room: Buffer<Event>>(
    queue: &OwnedFd,
    room: Room,
    timeout: Option<Duration>,
) -> rustix::io::Result<Room::Output> {
    // SAFETY: nothing is registered here.
    unsafe { kevent(queue, &[], room, timeout) }
}

/// Makes a registration of the queue's own, which [`trigger`] sets off.
pub(crate) fn add_trigger(queue: &OwnedFd, flags: EventFlags) -> rustix::io::Result<()> {
    change(queue, user(UserFlags::empty()), flags | EventFlags::ADD, 0)
}

/// Sets the queue's own registration off.
pub(crate) fn trigger(queue: &OwnedFd) -> rustix::io::Result<()> {
    change(queue, user(UserFlags::TRIGGER), EventFlags::empty(), 0)
}

fn user(flags: UserFlags) -> EventFilter {
    EventFilter::User { ident: 0, flags, user_flags: UserDefinedFlags::new(0) }
}
