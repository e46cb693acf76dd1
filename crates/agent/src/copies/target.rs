//! The file of the user's own: appended to, and given another name where that is asked for.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    ops::Range,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use mainstay_platform::{filesystem, paths};
use mainstay_storage::segment;

use super::bookmark::Place;

/// So many files may have been set aside within one millisecond.
const ASIDE_MAX: u32 = 100;

/// An open file.
#[derive(Debug)]
pub(super) struct Target {
    path: PathBuf,
    file: File,
    identity: [u64; 2],
    length: u64,
    /// What has arrived after the bookmark was set, by somebody who has died since.
    arrived: Range<u64>,
}

impl Target {
    /// Opens or creates the file, into which an append was begun at a place.
    pub(super) fn open(path: &Path, begun: Option<Place>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = paths::open_exposed_log(options.read(true).append(true), path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let (identity, length) = (filesystem::identity(&file)?, metadata.len());
        let begun = begun.filter(|place| identity == place.file && length > place.length);
        let arrived = begun.map_or(0..0, |place| place.length..length);
        Ok(Self { path: path.to_owned(), file, identity, length, arrived })
    }

    /// Looks what has become of it; returns whether it still has its name.
    pub(super) fn look(&mut self) -> io::Result<bool> {
        let standing = filesystem::standing(&self.file)?;
        self.length = standing.length;
        Ok(standing.has_name && filesystem::is_at(&self.file, &self.path)?)
    }

    /// Returns the place of the next bytes, which come from a run, in this file.
    pub(super) const fn place(&self, run: u64) -> Place {
        Place::NOWHERE.to(self.identity, self.length, run)
    }

    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// Returns whether a line could begin behind its last byte.
    pub(super) fn ends_with_line(&self) -> io::Result<bool> {
        segment::ends_with_line(&self.file, self.length)
    }

    /// Returns how many of these bytes, which are to come next, have arrived already.
    pub(super) fn has_already(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = usize::try_from(self.arrived.end - self.arrived.start).unwrap_or(usize::MAX);
        let Some(next) = bytes.get(..left.min(bytes.len())).filter(|next| !next.is_empty()) else {
            return Ok(0);
        };
        let mut there = vec![0; next.len()];
        self.file.seek(SeekFrom::Start(self.arrived.start))?;
        self.file.read_exact(&mut there)?;
        if there != next {
            // Somebody else writes to the file, too.
            self.arrived = 0..0;
            return Ok(0);
        }
        self.arrived.start += u64::try_from(next.len()).unwrap_or_default();
        Ok(next.len())
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.length += u64::try_from(bytes.len()).unwrap_or_default();
        Ok(())
    }

    /// Gives the file a name with the time in it, which makes room for a new one.
    pub(super) fn set_aside(&self) -> io::Result<()> {
        let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%S.%3f").to_string();
        let free = (1..ASIDE_MAX).map(|number| aside(&self.path, &stamp, number));
        let name = free.into_iter().find(|path| !path.exists());
        fs::rename(&self.path, name.ok_or(io::ErrorKind::AlreadyExists)?)
    }
}

/// Returns `web-20260131T080000.000.log` for `web.log`.
fn aside(path: &Path, stamp: &str, number: u32) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let again = if number > 1 { format!("-{number}") } else { String::new() };
    let end = path.extension().map(|end| format!(".{}", end.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{stamp}{again}{end}"))
}
