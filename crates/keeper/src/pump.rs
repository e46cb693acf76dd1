//! Threads that move bytes from pipes into segments, one for each storage.
//!
//! ```text
//!            armed ──event──► reading ──short read──► resting ─≤ 1 ms─► reading
//!              ▲                 │  ▲                                     │
//!              │ empty           │  └── half a pipe or more: at once ◄────┤
//!              └─────────────────┴────────────────── empty ◄──────────────┘
//! ```
//!
//! A source rests while another one has not ended its line, and while the disk is full. Nothing
//! here is lost by a kill: one system call takes bytes out of a pipe *and* puts them into the
//! file, and everything else is found again from the files themselves.

mod chain;
mod leave;
mod pace;
mod source;
mod span;
mod thread;

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    time::Duration,
};

use mainstay_api::keeper::{Drained, Logs, Pressure, Rotated, RunRef};
use mainstay_platform::{
    clock,
    filesystem::FileSystem,
    pipe::{PipeReader, Way},
    port::{Port, Waker},
};
use mainstay_storage::index;

use crate::note::Notes;

use leave::Leave;

/// So many storages have a pump of their own; the others share the last.
const PUMPS_MAX: usize = 8;

/// How long pumps may take to park: whoever takes longer waits for a disk that may never answer.
const PARK_WITHIN: Duration = Duration::from_secs(2);

/// Which of a program's streams a pipe carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    /// Both.
    Joined,
    /// stdout alone.
    Output,
    /// stderr alone.
    Error,
}

/// A pipe that nobody reads yet.
#[derive(Debug, Clone)]
pub(crate) struct FreshPipe {
    pub(crate) run: RunRef,
    pub(crate) channel: Channel,
    pub(crate) pipe: Arc<PipeReader>,
    pub(crate) logs: Arc<Logs>,
}

/// What a pump is told.
#[derive(Debug)]
pub(crate) enum PumpOrder {
    /// Read this pipe from now on.
    Attach(Box<FreshPipe>),
    /// The run has ended: say when what waits now is in the file.
    Drain(RunRef),
    /// Close the unit's live segments.
    Rotate(String),
    /// Close the unit's files.
    Forget(String),
}

/// What a pump says.
#[derive(Debug)]
pub(crate) enum PumpNote {
    /// What waited at the exit is in the file.
    Drained(Drained),
    /// A segment was closed.
    Rotated(Rotated),
    /// Something is not as it should be.
    Pressure(Pressure),
    /// Nobody holds the other end of this pipe any more, or it lingered for too long.
    Closed { run: RunRef, channel: Channel },
}

/// All pumps.
#[derive(Debug)]
pub(crate) struct Pumps {
    notes: Notes,
    /// Stands for this boot in an index.
    boot: u64,
    by_device: BTreeMap<PumpKey, PumpHandle>,
}

/// Names a pump: the storage that it writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PumpKey(u64);

#[derive(Debug)]
struct PumpHandle {
    orders: Sender<PumpOrder>,
    waker: Waker,
    leave: Arc<Leave>,
    /// Disconnected when the thread is over.
    ended: Receiver<()>,
}

/// A pump that waits for its disk.
#[derive(Debug, thiserror::Error)]
#[error("a log cannot be written at the moment: its disk does not answer")]
pub(crate) struct StuckPump;

impl Pumps {
    /// Returns no pump yet; `boot` is the identity of this boot.
    pub(crate) fn new(notes: Notes, boot: &str) -> Self {
        Self { notes, boot: index::boot_mark(boot), by_device: BTreeMap::new() }
    }

    /// Hands a pipe to the pump of the storage that its segments lie on, and says which that is.
    pub(crate) fn attach(&mut self, fresh: FreshPipe, storage: FileSystem) -> io::Result<PumpKey> {
        let pump = self.pump_for(storage)?;
        self.tell(pump, PumpOrder::Attach(Box::new(fresh)));
        Ok(pump)
    }

    /// Asks to be told when what waits in the run's pipes is in the file.
    pub(crate) fn drain(&self, run: RunRef, pump: Option<PumpKey>) {
        if let Some(pump) = pump {
            self.tell(pump, PumpOrder::Drain(run));
        }
    }

    /// Closes the unit's live segments.
    pub(crate) fn rotate(&self, unit: &str) {
        for pump in self.by_device.keys() {
            self.tell(*pump, PumpOrder::Rotate(unit.to_owned()));
        }
    }

    /// Closes the files of a unit that is no more.
    pub(crate) fn forget(&self, unit: &str) {
        for pump in self.by_device.keys() {
            self.tell(*pump, PumpOrder::Forget(unit.to_owned()));
        }
    }

    /// Ends all pumps; their pipes stay open with whoever else holds them.
    ///
    /// One that waits for its disk goes on when the disk does; it fails then.
    ///
    /// Whoever calls waits, for microseconds where disks answer and for [`PARK_WITHIN`] at most.
    /// Nothing is lost by that: before an exec nothing could be started meanwhile, since its pipe
    /// would have no pump, and at the keeper's end no program is left or no one is asked.
    pub(crate) fn park(&mut self) -> Result<(), StuckPump> {
        for pump in self.by_device.values() {
            pump.leave.ask();
            pump.waker.wake();
        }
        let until = clock::monotonic() + PARK_WITHIN;
        let mut is_stuck = false;
        self.by_device.retain(|_, pump| {
            let left = until.saturating_sub(clock::monotonic());
            let is_over = pump.ended.recv_timeout(left) == Err(RecvTimeoutError::Disconnected);
            is_stuck |= !is_over;
            !is_over && pump.leave.revoke()
        });
        if is_stuck { Err(StuckPump) } else { Ok(()) }
    }

    /// Returns whether the pump was not parked.
    pub(crate) fn has(&self, pump: PumpKey) -> bool {
        self.by_device.contains_key(&pump)
    }

    fn tell(&self, pump: PumpKey, order: PumpOrder) {
        let Some(pump) = self.by_device.get(&pump) else { return };
        if pump.orders.send(order).is_ok() {
            pump.waker.wake();
        }
    }

    /// Returns the key of the pump for a storage, after starting it where there is none yet.
    fn pump_for(&mut self, storage: FileSystem) -> io::Result<PumpKey> {
        let key = PumpKey(storage.device);
        if self.by_device.contains_key(&key) {
            return Ok(key);
        }
        if self.by_device.len() >= PUMPS_MAX
            && let Some((last, _)) = self.by_device.last_key_value()
        {
            return Ok(*last);
        }
        let port = Port::new()?;
        let waker = port.waker();
        // Without a bound: a disk that stalls must not stall the control thread. What waits for it
        // is two orders for each run whose pipes are open, and no more runs start than files may be
        // open; besides what an agent asks for, which is one for each unit that it forgets.
        let (orders, inbox) = mpsc::channel();
        let way = if storage.is_remote { Way::Copy } else { Way::Splice };
        let means = chain::Means { way, boot: self.boot };
        let leave = Arc::new(Leave::default());
        let inbox = thread::Inbox { orders: inbox, leave: Arc::clone(&leave) };
        let pump = thread::PumpThread::new(port, inbox, self.notes.clone(), means)?;
        let (sender, ended) = mpsc::channel();
        let name = format!("pump-{}", self.by_device.len());
        std::thread::Builder::new().name(name).spawn(move || {
            pump.run();
            drop(sender);
        })?;
        self.by_device.insert(key, PumpHandle { orders, waker, leave, ended });
        Ok(key)
    }
}

#[cfg(test)]
mod tests;
