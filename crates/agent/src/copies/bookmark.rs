//! Where a copy is: from where in the segments the next bytes come, and to where in the file they
//! go. It is written before they do, so that a successor sees what has become of them.

use std::{io, path::Path};

use mainstay_platform::{boot, paths};
use mainstay_storage::{
    read::{self, Cursor},
    segment::ChainFiles,
    slots::{SlotFile, SlotIndex, SlotsError},
};
use serde::{Deserialize, Serialize};

/// Slots are dropped at each boot; bookmarks are not.
const EVERY_BOOT: &str = "every-boot";

/// Where the next bytes come from and go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    segment: u64,
    offset: u64,
    /// The file's length before them.
    pub(super) length: u64,
    /// Which file it was.
    pub(super) file: [u64; 2],
    /// The run that wrote the last bytes in the file; 0 when there are none.
    pub(super) run: u64,
}

impl Place {
    /// Where nothing is.
    pub(super) const NOWHERE: Self =
        Self { segment: 0, offset: 0, length: 0, file: [0, 0], run: 0 };

    pub(super) const fn cursor(&self) -> Cursor {
        Cursor { segment: self.segment, offset: self.offset }
    }

    /// Returns the end of a file whose last bytes come from a run, for bytes from the same place of
    /// the segments.
    pub(super) const fn to(self, file: [u64; 2], length: u64, run: u64) -> Self {
        Self { length, file, run, ..self }
    }

    /// Returns the same place of the file, for bytes from another place of the segments.
    pub(super) const fn from(self, cursor: Cursor) -> Self {
        Self { segment: cursor.segment, offset: cursor.offset, ..self }
    }
}

/// A place as it is written down.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    place: Place,
    /// When it was written.
    #[serde(default)]
    boot: String,
}

/// A place that outlives the agent.
#[derive(Debug)]
pub(super) struct Bookmark {
    slots: SlotFile,
    slot: SlotIndex,
    place: Place,
    boot: String,
}

impl Bookmark {
    /// Reads where a copy is; one that is new, or damaged, is where its chain ends.
    pub(super) fn open(path: &Path, chain: &ChainFiles) -> io::Result<Self> {
        let mut slots =
            SlotFile::open(paths::open_private_file(path)?, EVERY_BOOT).map_err(told)?;
        let boot = boot::identity()?;
        let found = slots.records().map_err(told)?.into_iter().next();
        let known = found.and_then(|found| {
            Some((found.index, serde_json::from_slice::<Record>(&found.payload).ok()?))
        });
        let Some((slot, record)) = known else {
            slots.clear().map_err(told)?;
            let place = Place::NOWHERE.from(read::end(chain)?);
            let slot = slots.add(&payload(place, &boot)?).map_err(told)?;
            return Ok(Self { slots, slot, place, boot });
        };
        let mut place = record.place;
        if record.boot != boot {
            place = place.from(not_behind(place.cursor(), read::end(chain)?));
        }
        Ok(Self { slots, slot, place, boot })
    }

    /// Returns where it is.
    pub(super) const fn place(&self) -> Place {
        self.place
    }

    /// Moves it.
    pub(super) fn set(&mut self, place: Place) -> io::Result<()> {
        if self.place == place {
            return Ok(());
        }
        self.slots.put(self.slot, &payload(place, &self.boot)?).map_err(told)?;
        self.place = place;
        Ok(())
    }
}

fn payload(place: Place, boot: &str) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(&Record { place, boot: boot.to_owned() })?)
}

/// A log that lost its end with the power goes on behind what is left of it, all of which has
/// arrived; one that somebody has emptied begins anew, which only whoever lives through it tells
/// from that.
fn not_behind(cursor: Cursor, end: Cursor) -> Cursor {
    if (end.segment, end.offset) < (cursor.segment, cursor.offset) { end } else { cursor }
}

#[cfg(test)]
impl Bookmark {
    /// Writes it down as it was before the machine was started.
    pub(super) fn leave_to_the_next_boot(mut self) {
        self.boot = "a former one".to_owned();
        let payload = payload(self.place, &self.boot).unwrap();
        self.slots.put(self.slot, &payload).unwrap();
    }
}

fn told(error: SlotsError) -> io::Error {
    match error {
        SlotsError::Io(error) => error,
        error @ (SlotsError::TooLong { .. }
        | SlotsError::OtherVersion { .. }
        | SlotsError::TooMany) => io::Error::other(error),
    }
}
