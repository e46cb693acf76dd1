//! Frames between keeper and agent: any bytes are understood or refused, and what is understood is
//! the same after it was written again.
//!
//! The first byte says what the rest is: a stream of bytes as it came, cut into pieces, or the JSON
//! of one frame.

use std::fmt::Debug;

use mainstay_api::keeper::{
    FRAME_BYTES_MAX, Framer, ReportFrame, RequestFrame, encode, encoded_len,
};
use serde::{Serialize, de::DeserializeOwned};

/// Reads frames of both directions.
pub(crate) fn run(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let body;
    let stream = if kind.is_multiple_of(2) {
        rest
    } else {
        let length = u32::try_from(rest.len()).unwrap_or(u32::MAX).to_le_bytes();
        body = [&length, rest].concat();
        &body
    };
    let step = usize::from(*kind / 2).max(1);
    check::<RequestFrame>(stream, step);
    check::<ReportFrame>(stream, step);
}

fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(stream: &[u8], step: usize) {
    let whole: Vec<T> = read(&[stream]);
    assert_eq!(
        whole,
        read::<T>(&stream.chunks(step).collect::<Vec<_>>()),
        "however the stream is cut"
    );
    for frame in &whole {
        let mut buffer = Vec::new();
        if encode(frame, &mut buffer).is_err() {
            assert!(encoded_len(frame) > FRAME_BYTES_MAX);
            continue;
        }
        assert_eq!(buffer.len(), encoded_len(frame) + 4);
        assert_eq!(read::<T>(&[buffer.as_slice()]), std::slice::from_ref(frame), "{buffer:?}");
    }
}

/// Returns the frames up to the first that cannot be understood.
fn read<T: DeserializeOwned>(pieces: &[&[u8]]) -> Vec<T> {
    let (mut framer, mut seen) = (Framer::default(), Vec::new());
    for piece in pieces {
        framer.feed(piece);
        loop {
            match framer.next() {
                Ok(Some(frame)) => seen.push(frame),
                Ok(None) => break,
                Err(_) => return seen,
            }
        }
    }
    seen
}
