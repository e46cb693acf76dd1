//! A named pipe of bytes, read with overlapped calls; its listener is a [`Door`](crate::door::Door).

use std::{
    io,
    os::windows::io::{AsRawHandle as _, OwnedHandle},
    path::Path,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use windows_sys::Win32::{
    Foundation::{ERROR_FILE_NOT_FOUND, GENERIC_READ, GENERIC_WRITE},
    System::{
        JobObjects::IsProcessInJob, Pipes::GetNamedPipeClientProcessId,
        Threading::WaitForSingleObject,
    },
};

use super::{Heard, MESSAGE_BYTES_MAX, Patience};
use crate::{
    descriptor::Descriptor,
    door::pipe_name,
    port::{Sight, Watchable},
    process::{Job, Process},
    windows::{
        Event, Initially,
        caller::{call, refuse_strangers},
        is,
        overlapped::{Overlapped, Progress},
        succeed, wide,
    },
};

/// What ends a message, and what answers it.
const END: u8 = 0;
const DEALT_WITH: u8 = 1;
const READ_BYTES: usize = 16 * 1024;
/// While nobody listens it is tried again so often.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// Somebody who notifies.
#[derive(Debug)]
pub struct Caller {
    reading: Mutex<Overlapped>,
    answer: Option<Overlapped>,
    arrived: Vec<u8>,
    is_over: bool,
    pid: u32,
    /// Held, so that its number stays its own; nothing when it was gone at once.
    process: Option<Process>,
    arrival: Event,
    answered: Event,
    pipe: OwnedHandle,
}

impl Caller {
    /// Listens to whoever has called; begins to read at once.
    pub fn new(pipe: Descriptor) -> io::Result<Self> {
        let pid = caller_of(&pipe)?;
        let process = Process::open_pid(pid).ok().flatten();
        let arrival = Event::new(Initially::Reset);
        let mut reading = Overlapped::new(&arrival);
        reading.read(&pipe, READ_BYTES);
        Ok(Self {
            reading: Mutex::new(reading),
            answer: None,
            arrived: Vec::new(),
            is_over: false,
            pid,
            process,
            arrival,
            answered: Event::new(Initially::Reset),
            pipe,
        })
    }

    /// Returns the caller's process.
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// Returns whether the caller belongs to what was started as `id`; nobody knows of one that was
    /// gone before it was let in.
    #[expect(unsafe_code, reason = "IsProcessInJob")]
    pub fn belongs_to(&self, id: &str) -> bool {
        let (Some(process), Ok(Some(job))) = (&self.process, Job::open(id)) else { return false };
        let mut is_in = 0;
        // SAFETY: both handles are open; `is_in` is valid for writes.
        let done = unsafe { IsProcessInJob(process.raw(), job.raw(), &raw mut is_in) };
        match succeed(done) {
            Ok(()) => is_in != 0,
            // Wine asks for more rights than Windows does, and lists the members all the same.
            Err(_) => job.members().is_ok_and(|members| members.contains(&self.pid)),
        }
    }

    /// Looks at what has arrived.
    pub fn hear(&mut self) -> Heard {
        self.collect();
        if self.arrived.len() > MESSAGE_BYTES_MAX {
            return Heard::Nonsense;
        }
        if let Some(end) = self.arrived.iter().position(|byte| *byte == END) {
            self.arrived.truncate(end);
            return Heard::Message(std::mem::take(&mut self.arrived));
        }
        match (self.is_over, self.arrived.is_empty()) {
            (false, _) => Heard::Nothing,
            (true, false) => Heard::Message(std::mem::take(&mut self.arrived)),
            (true, true) => Heard::Nonsense,
        }
    }

    fn collect(&mut self) {
        let Ok(reading) = self.reading.get_mut() else { return };
        while !self.is_over && self.arrived.len() <= MESSAGE_BYTES_MAX {
            match reading.progress() {
                Progress::Pending => return,
                Progress::Done(count) => {
                    self.arrived.extend_from_slice(reading.bytes(count));
                    reading.read(&self.pipe, READ_BYTES);
                }
                Progress::Failed => self.is_over = true,
            }
        }
    }

    /// Says that its message has been dealt with; whoever does not wait for that does not hear it.
    pub fn answer(&mut self) {
        let mut answer = Overlapped::new(&self.answered);
        answer.write(&self.pipe, vec![DEALT_WITH]);
        self.answer = Some(answer);
    }
}

impl Watchable for Caller {
    fn reading(&self) -> io::Result<Sight> {
        Ok(Sight(self.arrival.raw()))
    }
}

#[expect(unsafe_code, reason = "GetNamedPipeClientProcessId")]
fn caller_of(pipe: &OwnedHandle) -> io::Result<u32> {
    let mut pid = 0;
    // SAFETY: the pipe is open; `pid` is valid for writes.
    succeed(unsafe { GetNamedPipeClientProcessId(pipe.as_raw_handle(), &raw mut pid) })?;
    Ok(pid)
}

pub(super) fn name(path: &Path) -> Option<String> {
    let mut name = pipe_name(path).ok()?;
    name.pop();
    String::from_utf16(&name).ok()
}

pub(super) fn send(
    name: &str,
    message: &[u8],
    patience: Patience,
    within: Duration,
) -> io::Result<()> {
    let until = Instant::now() + within;
    loop {
        let told = tell(name, message, patience, until);
        let is_late = Instant::now() + TRY_EVERY >= until;
        match told {
            // Nobody listens, or whoever did is gone: a keeper may be on its way.
            Err(error) if is_worth_another(&error) && !is_late => thread::sleep(TRY_EVERY),
            told => return told,
        }
    }
}

fn is_worth_another(error: &io::Error) -> bool {
    is(error, ERROR_FILE_NOT_FOUND) || error.kind() == io::ErrorKind::BrokenPipe
}

fn tell(name: &str, message: &[u8], patience: Patience, until: Instant) -> io::Result<()> {
    let left = until.saturating_duration_since(Instant::now());
    let pipe = call(&wide(name), GENERIC_READ | GENERIC_WRITE, left)?;
    refuse_strangers(pipe.as_raw_handle(), "listens in its place")?;
    let (written, read) = (Event::new(Initially::Reset), Event::new(Initially::Reset));
    let mut writing = Overlapped::new(&written);
    writing.write(&pipe, [message, &[END]].concat());
    await_end(&mut writing, &written, until)?;
    if patience == Patience::None {
        return Ok(());
    }
    let mut reading = Overlapped::new(&read);
    reading.read(&pipe, 1);
    match await_end(&mut reading, &read, until)? {
        0 => Err(io::ErrorKind::BrokenPipe.into()),
        _ => Ok(()),
    }
}

/// Waits for a call; one that does not come to its end in time is taken back.
#[expect(unsafe_code, reason = "WaitForSingleObject")]
fn await_end(call: &mut Overlapped, event: &Event, until: Instant) -> io::Result<usize> {
    let left = until.saturating_duration_since(Instant::now()).as_millis();
    let left = u32::try_from(left).unwrap_or(u32::MAX - 1);
    // SAFETY: the event is ours and open.
    unsafe { WaitForSingleObject(event.raw(), left) };
    match call.progress() {
        Progress::Done(count) => Ok(count),
        Progress::Failed => Err(io::ErrorKind::BrokenPipe.into()),
        Progress::Pending => Err(io::ErrorKind::TimedOut.into()),
    }
}
