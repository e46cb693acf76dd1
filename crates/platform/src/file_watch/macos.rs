//! kqueue: a descriptor for everything that is watched. A folder does not tell which of its names
//! has changed.

use std::{
    ffi::OsStr,
    io,
    mem::MaybeUninit,
    os::fd::{AsRawFd as _, OwnedFd},
    path::Path,
    time::Duration,
};

use rustix::{
    event::kqueue::{Event, EventFilter, EventFlags, VnodeEvents},
    fs::{Mode, OFlags, open},
    io::Errno,
};

use super::Stir;
use crate::{
    clock, filesystem,
    macos::{change, queue, wait},
};

/// `O_EVTONLY` of `fcntl.h`: a descriptor for events alone, which keeps no disk from being removed.
const EVENTS_ONLY: OFlags = OFlags::from_bits_retain(0x8000);

#[derive(Debug)]
pub(super) struct FileWatch {
    queue: OwnedFd,
    watched: Vec<OwnedFd>,
}

pub(super) fn tells_all_of(folder: &Path) -> bool {
    filesystem::of(folder).is_ok_and(|found| !found.is_remote)
}

impl FileWatch {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { queue: queue()?, watched: Vec::new() })
    }

    pub(super) fn folder(&mut self, folder: &Path) -> io::Result<()> {
        self.watch(folder, OFlags::DIRECTORY)
    }

    pub(super) fn file(&mut self, file: &Path) -> io::Result<()> {
        self.watch(file, OFlags::NONBLOCK)
    }

    fn watch(&mut self, path: &Path, how: OFlags) -> io::Result<()> {
        let opened = open(path, EVENTS_ONLY | OFlags::CLOEXEC | how, Mode::empty())?;
        let flags = VnodeEvents::WRITE
            | VnodeEvents::EXTEND
            | VnodeEvents::ATTRIBUTES
            | VnodeEvents::DELETE
            | VnodeEvents::RENAME
            | VnodeEvents::REVOKE;
        let filter = EventFilter::Vnode { vnode: opened.as_raw_fd(), flags };
        // It lives as long as the queue.
        change(&self.queue, filter, EventFlags::ADD | EventFlags::CLEAR, 0)?;
        self.watched.push(opened);
        Ok(())
    }

    pub(super) fn wait(
        &mut self,
        within: Option<Duration>,
        _matters: &dyn Fn(&OsStr) -> bool,
    ) -> io::Result<Stir> {
        let until = within.map(|within| clock::monotonic().saturating_add(within));
        loop {
            let left = until.map(|until| until.saturating_sub(clock::monotonic()));
            let mut room = [const { MaybeUninit::<Event>::uninit() }; 1];
            match wait(&self.queue, &mut room, left) {
                Ok((events, _)) if !events.is_empty() => return Ok(Stir::Changed),
                Ok(_) if left == Some(Duration::ZERO) => return Ok(Stir::TimeUp),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
