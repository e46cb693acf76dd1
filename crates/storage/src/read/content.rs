//! The bytes of one segment, be it plain or compressed.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

use crate::frames::Frames;

/// An open segment.
#[derive(Debug)]
pub(super) enum Content {
    /// It is the live one, or was closed not long ago.
    Plain(File),
    /// A frame of it is decoded at a time.
    Compressed(Frames),
}

impl Content {
    /// Returns how many bytes it has.
    pub(super) fn length(&self) -> io::Result<u64> {
        match self {
            Self::Plain(file) => Ok(file.metadata()?.len()),
            Self::Compressed(frames) => Ok(frames.length()),
        }
    }

    /// Returns up to so many bytes; less only at its end.
    pub(super) fn read_at(&mut self, offset: u64, bytes_max: u64) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain(file) => read_at(file, offset, bytes_max),
            Self::Compressed(frames) => frames.read_at(offset, bytes_max),
        }
    }
}

/// Returns up to so many bytes of a file; less only at its end.
pub(super) fn read_at(mut file: &File, offset: u64, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset))?;
    file.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}
