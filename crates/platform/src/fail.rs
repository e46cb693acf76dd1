//! Instants at which a test wants this process dead.
//!
//! Built with the feature `fail`, a process that was told of a folder, by [`look_in`] or by
//! `MAINSTAY_FAIL_DIR` in its environment, kills itself, as `kill -9` would, when it comes to a
//! point of whose name there is a file in that folder; the file is removed first, so that one file
//! is one death. Without the feature nothing is left of a point.
//!
//! And a test may pretend that its binary is the next version of itself: [`raise`].

/// Whether there are points at all.
pub const IS_ON: bool = cfg!(feature = "fail");

/// Says that the process has come to a point.
#[cfg(not(feature = "fail"))]
pub const fn point(_name: &str) {}

/// Returns whether a test wants something else to go wrong here, once.
#[cfg(not(feature = "fail"))]
pub const fn is_wanted(_name: &str) -> bool {
    false
}

/// Says that the process has come to a point at which a test may want a bug of ours: a panic.
#[cfg(not(feature = "fail"))]
pub const fn bug(_name: &str) {}

/// Says where the files are.
#[cfg(not(feature = "fail"))]
pub fn look_in(_folder: std::path::PathBuf) {}

/// Lets this process pretend to be of the next version of every format.
#[cfg(not(feature = "fail"))]
pub const fn raise() {}

/// Returns how much newer than it is this process pretends to be.
#[cfg(not(feature = "fail"))]
pub const fn raised() -> u32 {
    0
}

#[cfg(feature = "fail")]
pub use wanted::{bug, is_wanted, look_in, point, raise, raised};

#[cfg(feature = "fail")]
mod wanted {
    use std::{
        path::PathBuf,
        sync::{
            OnceLock,
            atomic::{AtomicU32, Ordering},
        },
    };

    use crate::process::{Process, SignalKind};

    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();

    static RAISED: AtomicU32 = AtomicU32::new(0);

    /// Lets this process pretend to be of the next version of every format.
    pub fn raise() {
        RAISED.store(1, Ordering::SeqCst);
    }

    /// Returns how much newer than it is this process pretends to be.
    pub fn raised() -> u32 {
        RAISED.load(Ordering::SeqCst)
    }

    /// Says where the files are; only the first word counts.
    pub fn look_in(folder: PathBuf) {
        drop(FOLDER.set(Some(folder)));
    }

    /// Says that the process has come to a point.
    pub fn point(name: &str) {
        if is_wanted(name) {
            die();
        }
    }

    /// Says that the process has come to a point at which a test may want a bug of ours: a panic.
    pub fn bug(name: &str) {
        assert!(!is_wanted(name), "a test wanted a bug at `{name}`");
    }

    /// Returns whether a test wants something else to go wrong here, once.
    pub fn is_wanted(name: &str) -> bool {
        let folder =
            FOLDER.get_or_init(|| std::env::var_os("MAINSTAY_FAIL_DIR").map(PathBuf::from));
        folder.as_ref().is_some_and(|folder| std::fs::remove_file(folder.join(name)).is_ok())
    }

    fn die() -> ! {
        if let Ok(Some(me)) = Process::open_pid(std::process::id()) {
            // Whether it worked is seen by whoever reads the next line: nobody, if it did.
            drop(me.signal(SignalKind::Kill));
        }
        std::process::abort()
    }
}
