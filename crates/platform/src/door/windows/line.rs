//! What travels over a pipe: parcels of bytes, each with the numbers of handles that came along.
//!
//! A parcel is two little-endian `u32` (bytes, handles), the handles as `u64`, and the bytes.

use std::{
    io,
    os::windows::io::{AsRawHandle as _, OwnedHandle, RawHandle},
};

use super::Received;
use crate::{
    descriptor::{Borrowed, Descriptor},
    process::Process,
    windows::{
        Event, Inherit, Initially, duplicate_between,
        overlapped::{Overlapped, Progress},
        own, own_process,
    },
};

const READ_BYTES: usize = 64 * 1024;
/// The most bytes of one parcel.
const PARCEL_BYTES_MAX: usize = 32 * 1024;
/// The most handles of one parcel.
const HANDLES_MAX: usize = 256;
const HEAD_BYTES: usize = 8;

/// Both directions of a connection.
#[derive(Debug)]
pub(super) struct Line {
    reading: Overlapped,
    writing: Overlapped,
    arrived: Vec<u8>,
    is_closed: bool,
    read_event: Event,
    write_event: Event,
}

impl Line {
    /// Begins to read at once.
    pub(super) fn new(pipe: &OwnedHandle) -> Self {
        let (read_event, write_event) = (Event::new(Initially::Reset), Event::new(Initially::Set));
        let mut reading = Overlapped::new(&read_event);
        reading.read(pipe, READ_BYTES);
        let writing = Overlapped::new(&write_event);
        Self { reading, writing, arrived: Vec::new(), is_closed: false, read_event, write_event }
    }

    pub(super) fn read_event(&self) -> RawHandle {
        self.read_event.raw()
    }

    pub(super) fn write_event(&self) -> RawHandle {
        self.write_event.raw()
    }

    /// Appends what has arrived.
    pub(super) fn receive(
        &mut self,
        pipe: &OwnedHandle,
        bytes: &mut Vec<u8>,
        handles: &mut Vec<Descriptor>,
    ) -> io::Result<Received> {
        self.collect(pipe);
        let start = bytes.len();
        while let Some(parcel) = Parcel::take(&mut self.arrived)? {
            bytes.extend(parcel.bytes);
            handles.extend(parcel.handles);
        }
        match bytes.len() - start {
            0 if self.is_closed => Ok(Received::Closed),
            0 => Ok(Received::Empty),
            count => Ok(Received::Bytes(count)),
        }
    }

    fn collect(&mut self, pipe: &OwnedHandle) {
        while !self.is_closed {
            match self.reading.progress() {
                Progress::Pending => return,
                Progress::Done(count) => {
                    self.arrived.extend_from_slice(self.reading.bytes(count));
                    self.reading.read(pipe, READ_BYTES);
                }
                // The event stays set: whoever looks again learns that it is closed.
                Progress::Failed => self.is_closed = true,
            }
            if self.arrived.len() > READ_BYTES {
                return;
            }
        }
    }

    /// Returns whether the last parcel is on its way.
    pub(super) fn can_send(&self) -> bool {
        self.writing.progress() != Progress::Pending
    }

    /// Sends the first bytes, as many as a parcel holds, with these handles of the receiver.
    pub(super) fn send(
        &mut self,
        pipe: &OwnedHandle,
        bytes: &[u8],
        handles: &[u64],
    ) -> io::Result<usize> {
        if self.writing.progress() == Progress::Failed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let part = bytes.get(..bytes.len().min(PARCEL_BYTES_MAX)).unwrap_or_default();
        self.writing.write(pipe, pack(part, handles));
        if self.writing.progress() == Progress::Failed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(part.len())
    }
}

fn pack(bytes: &[u8], handles: &[u64]) -> Vec<u8> {
    let count = |length: usize| u32::try_from(length).unwrap_or_default().to_le_bytes();
    let mut parcel = Vec::with_capacity(HEAD_BYTES + handles.len() * 8 + bytes.len());
    parcel.extend(count(bytes.len()));
    parcel.extend(count(handles.len()));
    for handle in handles {
        parcel.extend(handle.to_le_bytes());
    }
    parcel.extend_from_slice(bytes);
    parcel
}

struct Parcel {
    bytes: Vec<u8>,
    handles: Vec<Descriptor>,
}

impl Parcel {
    /// Takes the first parcel, if all of it has arrived.
    #[expect(unsafe_code, reason = "numbers become handles")]
    fn take(arrived: &mut Vec<u8>) -> io::Result<Option<Self>> {
        let Some((head, rest)) = arrived.split_first_chunk::<HEAD_BYTES>() else {
            return Ok(None);
        };
        let [bytes, handles] = counts(*head);
        if bytes > PARCEL_BYTES_MAX || handles > HANDLES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let Some((numbers, rest)) = rest.split_at_checked(handles * 8) else { return Ok(None) };
        let Some(bytes) = rest.get(..bytes).map(<[u8]>::to_vec) else { return Ok(None) };
        let numbers = numbers.as_chunks::<8>().0.iter().map(|number| u64::from_le_bytes(*number));
        let mut owned = Vec::with_capacity(handles);
        for number in numbers {
            let raw = std::ptr::without_provenance_mut(usize::try_from(number).unwrap_or_default());
            // SAFETY: the sender, who is trusted, made this handle for us and nobody else.
            owned.push(unsafe { own(raw) }?);
        }
        arrived.drain(..HEAD_BYTES + handles * 8 + bytes.len());
        Ok(Some(Self { bytes, handles: owned }))
    }
}

fn counts(head: [u8; HEAD_BYTES]) -> [usize; 2] {
    let number = u64::from_le_bytes(head);
    let low = usize::try_from(number & 0xFFFF_FFFF).unwrap_or(usize::MAX);
    [low, usize::try_from(number >> 32).unwrap_or(usize::MAX)]
}

/// Duplicates handles into another process; returns their numbers there.
pub(super) fn hand_over(handles: &[Borrowed<'_>], to: &Process) -> io::Result<Vec<u64>> {
    let duplicate = |handle: &Borrowed<'_>| {
        let ends = [own_process(), to.raw()];
        let number = duplicate_between(ends, handle.as_raw_handle(), Inherit::No)?;
        Ok(u64::try_from(number.addr()).unwrap_or_default())
    };
    handles.iter().map(duplicate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcel_survives_any_cut() {
        let parcel = pack(b"hello", &[]);
        let mut arrived = Vec::new();
        let mut taken = Vec::new();
        for byte in parcel.repeat(2) {
            arrived.push(byte);
            if let Some(parcel) = Parcel::take(&mut arrived).unwrap() {
                taken.push(parcel.bytes);
            }
        }
        assert_eq!(taken, [b"hello", b"hello"]);
        assert!(arrived.is_empty());
    }

    #[test]
    fn a_parcel_has_an_upper_size() {
        let mut arrived = [0xFF; HEAD_BYTES].to_vec();
        assert!(Parcel::take(&mut arrived).is_err());
    }
}
