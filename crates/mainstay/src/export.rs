//! A file that data goes into instead of stdout: as a whole or not at all, compressed by its name.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use mainstay_agent::zstd::Encoder;
use mainstay_platform::{clock, paths};
use mainstay_storage::atomic::Draft;

use crate::{cli, errors::CliError, print};

/// What the name of a file ends with that is compressed.
const COMPRESSED: &str = "zst";
/// So much becomes one frame of zstd.
const FRAME_BYTES: usize = 1024 * 1024;
/// Between two words on how far it is.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Former {
    Kept,
    Replaced,
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct Export {
    path: PathBuf,
    former: Former,
    draft: Draft,
    encoder: Option<Encoder>,
    /// What waits for the rest of its frame.
    frame: Vec<u8>,
    /// How much was given to it.
    taken: u64,
    told: Duration,
    shown: usize,
}

impl Export {
    /// Begins a file, unless there is one that is to be kept.
    pub(crate) fn begin(path: &Path, former: Former) -> Result<Self, CliError> {
        demand_free(path, former)?;
        let is_compressed = path.extension().is_some_and(|end| end == COMPRESSED);
        let begin = || -> io::Result<Self> {
            Ok(Self {
                path: path.to_owned(),
                former,
                draft: Draft::begin(temporary(path), path, create)?,
                encoder: is_compressed.then(Encoder::new).transpose()?,
                frame: Vec::new(),
                taken: 0,
                told: clock::monotonic(),
                shown: 0,
            })
        };
        begin().map_err(|error| unwritten(path, &error))
    }

    /// Gives the file its name, and says how much is in it.
    pub(crate) fn finish(mut self) -> Result<(), CliError> {
        let written = self.end_frame();
        if self.shown > 0 {
            print::live("", self.shown);
        }
        written.map_err(|error| unwritten(&self.path, &error))?;
        demand_free(&self.path, self.former)?;
        let Self { path, draft, taken, .. } = self;
        draft.finish().map_err(|error| unwritten(&path, &error))?;
        print::talk(&format!("wrote {} into `{}`", cli::size(taken), path.display()));
        Ok(())
    }

    fn end_frame(&mut self) -> io::Result<()> {
        if let Some(encoder) = &mut self.encoder
            && !self.frame.is_empty()
        {
            self.draft.write_all(&encoder.frame(&self.frame)?)?;
            self.frame.clear();
        }
        Ok(())
    }

    /// Says how far it is, where somebody sees it.
    fn tell(&mut self) {
        let now = clock::monotonic();
        if print::is_talk_live() && now.saturating_sub(self.told) > TELL_EVERY {
            self.told = now;
            let line = format!("{} written so far", cli::size(self.taken));
            self.shown = print::live(&line, self.shown);
        }
    }
}

impl Write for Export {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.encoder.is_some() {
            self.frame.extend_from_slice(bytes);
            if self.frame.len() >= FRAME_BYTES {
                self.end_frame()?;
            }
        } else {
            self.draft.write_all(bytes)?;
        }
        self.taken = self.taken.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.tell();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns a name that nobody gives to a file of their own, and no two commands to theirs.
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.mainstay-new", std::process::id()))
}

/// Creates a file that nobody else may read, as they may not read the log. The folder may be
/// everybody's: what lies there, be it a link, is neither followed nor written into.
fn create(temporary: &Path) -> io::Result<File> {
    match paths::create_new_private_file(temporary) {
        // Somebody with our number has died with it.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(temporary)?;
            paths::create_new_private_file(temporary)
        }
        created => created,
    }
}

fn demand_free(path: &Path, former: Former) -> Result<(), CliError> {
    let Ok(found) = path.symlink_metadata() else { return Ok(()) };
    if former == Former::Replaced {
        let is_replaceable = found.is_file() || found.is_symlink();
        return if is_replaceable { Ok(()) } else { Err(no_file(path)) };
    }
    let what = format!("`{}` is there already", path.display());
    Err(CliError::refused(what, "name another file, or replace it with `--force`"))
}

/// `/dev/null` would become a file.
fn no_file(path: &Path) -> CliError {
    let what = format!("`{}` is no regular file", path.display());
    CliError::refused(what, "name another file; `--out -` is stdout")
}

fn unwritten(path: &Path, error: &io::Error) -> CliError {
    let what = format!("cannot write `{}`: {error}", path.display());
    CliError::refused(what, "name a file in a folder in which you may write, with room")
}
