//! The bytes of one segment, be it plain or compressed.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

use super::reader::length;
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

    /// Returns up to so many bytes; less only at its end, or before what is damaged.
    pub(super) fn read_at(&mut self, offset: u64, bytes_max: u64) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain(file) => read_at(file, offset, bytes_max),
            Self::Compressed(frames) => frames.read_at(offset, bytes_max),
        }
    }

    /// The same, with zeros for bytes that are damaged: less only at its end.
    pub(super) fn read_filled(&mut self, offset: u64, bytes_max: u64) -> io::Result<Vec<u8>> {
        let end = offset.saturating_add(bytes_max).min(self.length()?);
        let (mut filled, mut at) = (Vec::new(), offset);
        while at < end {
            match self.read_at(at, end - at) {
                Ok(bytes) if bytes.is_empty() => break,
                Ok(bytes) => filled.extend(bytes),
                Err(error) if is_damage(&error) => {
                    let hole = self.behind_damage(at).min(end) - offset;
                    filled.resize(usize::try_from(hole).unwrap_or(usize::MAX), 0);
                }
                Err(error) => return Err(error),
            }
            at = offset.saturating_add(length(&filled));
        }
        Ok(filled)
    }

    /// Returns where something begins again that may be read, behind a place that is damaged.
    pub(super) fn behind_damage(&self, offset: u64) -> u64 {
        match self {
            Self::Plain(_) => offset,
            Self::Compressed(frames) => frames.end_of_frame(offset),
        }
    }
}

/// Returns whether somebody has changed what was compressed.
pub(super) fn is_damage(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidData
}

/// Returns up to so many bytes of a file; less only at its end.
pub(super) fn read_at(mut file: &File, offset: u64, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset))?;
    file.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}
