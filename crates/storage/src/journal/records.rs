//! Reading records one after another, through whatever has become of a file. What is held at a time
//! is one record and a piece of what comes behind it, however long the file is.

use std::io::{self, Read};

use super::{MAGIC, PREFIX_BYTES, RECORD_BYTES_MAX, checksum};

/// So much is read at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// The whole records of a source, in its order.
#[derive(Debug)]
pub struct Records<R> {
    source: R,
    /// What was read and makes no record yet, behind `at`.
    bytes: Vec<u8>,
    at: usize,
    is_over: bool,
    damaged_bytes: u64,
}

impl<R: Read> Records<R> {
    pub(super) const fn new(source: R) -> Self {
        Self { source, bytes: Vec::new(), at: 0, is_over: false, damaged_bytes: 0 }
    }

    /// Returns how many bytes made no sense so far.
    pub const fn damaged_bytes(&self) -> u64 {
        self.damaged_bytes
    }

    /// Returns the payload of the next whole record; nothing at the end.
    pub fn next_record(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            self.have(PREFIX_BYTES)?;
            if let Some(count) = claimed(self.rest()) {
                self.have(PREFIX_BYTES + count)?;
            }
            if self.rest().is_empty() {
                return Ok(None);
            }
            if let Some(payload) = whole_record(self.rest()) {
                let payload = payload.to_vec();
                self.at += PREFIX_BYTES + payload.len();
                return Ok(Some(payload));
            }
            self.skip();
        }
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Reads until there are so many bytes, or the source is over.
    fn have(&mut self, count: usize) -> io::Result<()> {
        while self.rest().len() < count && !self.is_over {
            self.bytes.drain(..self.at);
            self.at = 0;
            self.is_over = self.read_piece()? == 0;
        }
        Ok(())
    }

    fn read_piece(&mut self) -> io::Result<usize> {
        let begin = self.bytes.len();
        self.bytes.resize(begin + PIECE_BYTES, 0);
        let read = loop {
            match self.source.read(self.bytes.get_mut(begin..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.bytes.truncate(begin + read.as_ref().copied().unwrap_or_default());
        read
    }

    /// Passes over what is no record, up to the next place where one may begin.
    fn skip(&mut self) {
        let rest = self.rest();
        let behind = rest.get(1..).unwrap_or_default();
        let next = behind.windows(MAGIC.len()).position(|window| window == MAGIC);
        // The beginning of a magic may be all that was read of it.
        let kept = if self.is_over { 0 } else { MAGIC.len() - 1 };
        let lost = next.map_or(rest.len().saturating_sub(kept).max(1), |at| at + 1);
        self.at += lost;
        self.damaged_bytes += u64::try_from(lost).unwrap_or_default();
    }
}

/// Returns how long the payload is of what looks like a record.
fn claimed(bytes: &[u8]) -> Option<usize> {
    let (magic, rest) = bytes.split_first_chunk::<4>()?;
    let (length, _) = rest.split_first_chunk::<4>()?;
    let count = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    (*magic == MAGIC && count <= RECORD_BYTES_MAX).then_some(count)
}

fn whole_record(bytes: &[u8]) -> Option<&[u8]> {
    let count = claimed(bytes)?;
    let length = *bytes.get(4..)?.first_chunk::<4>()?;
    let crc = *bytes.get(8..)?.first_chunk::<4>()?;
    let payload = bytes.get(PREFIX_BYTES..PREFIX_BYTES + count)?;
    (u32::from_le_bytes(crc) == checksum(length, payload)).then_some(payload)
}

#[cfg(test)]
mod tests {
    use super::{super::encode, *};

    /// Gives a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(room.len());
            self.0.read(&mut room[..count])
        }
    }

    #[test]
    fn what_is_read_does_not_depend_on_how_much_comes_at_a_time() {
        let mut bytes = b"\xF5MS".to_vec();
        for number in 0..4_usize {
            encode(&vec![b'x'; number * 500], &mut bytes).unwrap();
            bytes.extend_from_slice(b"between \xF5M\xF5");
        }
        let expected = read(Records::new(bytes.as_slice()));
        assert_eq!(expected.0, [0, 500, 1000, 1500]);
        assert_eq!(expected.1, 3 + 4 * 11);
        for count in [3, 4, 11, 13, 4096] {
            assert_eq!(read(Records::new(Slow(&bytes, count))), expected, "{count}");
        }
    }

    #[test]
    fn a_length_that_no_record_has_is_not_waited_for() {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&u32::MAX.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend(std::iter::repeat_n(0, 10 * RECORD_BYTES_MAX));
        let mut records = Records::new(bytes.as_slice());
        assert!(records.next_record().unwrap().is_none());
        assert_eq!(records.damaged_bytes(), u64::try_from(bytes.len()).unwrap());
        assert!(records.bytes.capacity() < 2 * RECORD_BYTES_MAX, "{}", records.bytes.capacity());
    }

    fn read<R: Read>(mut records: Records<R>) -> (Vec<usize>, u64) {
        let all = std::iter::from_fn(|| records.next_record().unwrap());
        let lengths = all.map(|record| record.len()).collect();
        (lengths, records.damaged_bytes())
    }
}
