//! Framing: a length, then JSON. Buffers are kept, so that a busy connection does not allocate, but
//! no longer than [`BUFFER_BYTES_KEPT`]: a thousand starts must not cost memory for ever.

use std::io;

use serde::{Serialize, de::DeserializeOwned};

/// The longest frame either side accepts.
pub const FRAME_BYTES_MAX: usize = 1024 * 1024;
/// What a connection that has nothing to say keeps of each of its buffers.
pub const BUFFER_BYTES_KEPT: usize = 16 * 1024;
const LENGTH_BYTES: usize = 4;

/// A frame that breaks the protocol; the connection cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Longer than [`FRAME_BYTES_MAX`].
    #[error("a frame of {length} bytes is over the limit of {FRAME_BYTES_MAX}")]
    TooLong {
        /// The announced length.
        length: usize,
    },
    /// Not the JSON we expect.
    #[error("cannot understand a frame")]
    Malformed(#[from] serde_json::Error),
}

/// Appends `message` as one frame.
///
/// On error the buffer is as it was.
pub fn encode<T: Serialize>(message: &T, buffer: &mut Vec<u8>) -> Result<(), FrameError> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; LENGTH_BYTES]);
    let written = serde_json::to_writer(&mut *buffer, message);
    let length = buffer.len() - start - LENGTH_BYTES;
    if let Err(source) = written {
        buffer.truncate(start);
        return Err(source.into());
    }
    if length > FRAME_BYTES_MAX {
        buffer.truncate(start);
        return Err(FrameError::TooLong { length });
    }
    let prefix = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    if let Some(slot) = buffer.get_mut(start..start + LENGTH_BYTES) {
        slot.copy_from_slice(&prefix);
    }
    Ok(())
}

/// Returns how many bytes a message takes in a frame.
pub fn encoded_len<T: Serialize>(message: &T) -> usize {
    let mut counted = Counted(0);
    // Counting cannot fail; what cannot be written at all fails in `encode`.
    drop(serde_json::to_writer(&mut counted, message));
    counted.0
}

/// Counts what is written.
struct Counted(usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Cuts a stream of bytes into frames.
#[derive(Debug, Default)]
pub struct Framer {
    bytes: Vec<u8>,
    taken: usize,
}

impl Framer {
    /// Adds bytes as they came from the connection.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        if self.bytes.is_empty() {
            self.bytes.shrink_to(BUFFER_BYTES_KEPT);
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Returns the bytes of which no frame was made yet.
    pub fn rest(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    /// Returns the next whole frame, if there is one.
    #[expect(clippy::should_implement_trait, reason = "each call chooses its own type")]
    pub fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let Some((prefix, rest)) = self.rest().split_first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*prefix) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(FrameError::TooLong { length });
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        let message = serde_json::from_slice(body)?;
        self.taken += LENGTH_BYTES + length;
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keeper::{Request, RequestFrame};

    #[test]
    fn frames_survive_any_cut() {
        let first = RequestFrame { id: 1, request: Request::List };
        let second = RequestFrame { id: 2, request: Request::Forget(vec!["web@2".into()]) };
        let mut stream = Vec::new();
        encode(&first, &mut stream).unwrap();
        encode(&second, &mut stream).unwrap();
        for cut in 0..=stream.len() {
            let mut framer = Framer::default();
            let mut seen: Vec<RequestFrame> = Vec::new();
            for part in [&stream[..cut], &stream[cut..]] {
                framer.feed(part);
                while let Some(frame) = framer.next().unwrap() {
                    seen.push(frame);
                }
            }
            assert_eq!(seen, [first.clone(), second.clone()], "cut at {cut}");
        }
    }

    #[test]
    fn a_long_frame_does_not_cost_memory_for_ever() {
        let long = RequestFrame { id: 1, request: Request::Forget(vec!["x".repeat(100_000)]) };
        let short = RequestFrame { id: 2, request: Request::List };
        let mut framer = Framer::default();
        for frame in [&long, &short] {
            let mut stream = Vec::new();
            encode(frame, &mut stream).unwrap();
            framer.feed(&stream);
            assert_eq!(framer.next::<RequestFrame>().unwrap().as_ref(), Some(frame));
        }
        assert!(framer.bytes.capacity() <= BUFFER_BYTES_KEPT, "{}", framer.bytes.capacity());
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_on_both_sides() {
        let huge =
            RequestFrame { id: 1, request: Request::Forget(vec!["x".repeat(FRAME_BYTES_MAX)]) };
        let mut buffer = vec![7];
        assert!(matches!(encode(&huge, &mut buffer), Err(FrameError::TooLong { .. })));
        assert_eq!(buffer, [7]);

        let mut framer = Framer::default();
        framer.feed(&u32::MAX.to_le_bytes());
        assert!(matches!(framer.next::<RequestFrame>(), Err(FrameError::TooLong { .. })));
    }
}
