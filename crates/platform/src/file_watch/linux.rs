//! inotify.

use std::{
    ffi::OsStr,
    io,
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::Path,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::inotify::{self, CreateFlags, Reader, WatchFlags},
    io::Errno,
};

use super::Stir;
use crate::{clock, filesystem};

/// Room for a name of the greatest length, and for many of usual ones.
const EVENTS_BYTES: usize = 4096;

#[derive(Debug)]
pub(super) struct FileWatch(OwnedFd);

pub(super) fn tells_all_of(folder: &Path) -> bool {
    filesystem::of(folder).is_ok_and(|found| !found.is_remote)
}

impl FileWatch {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?))
    }

    pub(super) fn folder(&mut self, folder: &Path) -> io::Result<()> {
        let names = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF;
        inotify::add_watch(&self.0, folder, names | WatchFlags::ONLYDIR)?;
        Ok(())
    }

    pub(super) fn file(&mut self, file: &Path) -> io::Result<()> {
        // A file that cannot be read may become one that can.
        let contents = WatchFlags::MODIFY | WatchFlags::CLOSE_WRITE | WatchFlags::ATTRIB;
        inotify::add_watch(&self.0, file, contents)?;
        Ok(())
    }

    pub(super) fn wait(
        &mut self,
        within: Option<Duration>,
        matters: &dyn Fn(&OsStr) -> bool,
    ) -> io::Result<Stir> {
        let until = within.map(|within| clock::monotonic().saturating_add(within));
        loop {
            let left = until.map(|until| until.saturating_sub(clock::monotonic()));
            if left == Some(Duration::ZERO) {
                return Ok(Stir::TimeUp);
            }
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], left.as_ref()) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) if self.read(matters)? => return Ok(Stir::Changed),
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Takes what has been told; returns whether any of it matters. What has no name is about what
    /// is watched itself, or says that something was lost.
    fn read(&self, matters: &dyn Fn(&OsStr) -> bool) -> io::Result<bool> {
        let mut room = [MaybeUninit::uninit(); EVENTS_BYTES];
        let mut reader = Reader::new(&self.0, &mut room);
        let mut is_any = false;
        loop {
            match reader.next() {
                Ok(event) => {
                    let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
                    is_any |= name.is_none_or(matters);
                }
                Err(Errno::AGAIN) => return Ok(is_any),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
