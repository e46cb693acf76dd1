//! Whether somebody else could change what we are about to run.
//!
//! Trusted are this process' own user and the administrator. On Unix owner and mode say who may
//! write; on Windows the access list is asked for the groups that hold every user.

#[cfg(unix)]
#[path = "trust/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "trust/windows.rs"]
mod imp;

use std::{
    fmt, fs, io,
    path::{Component, Path, PathBuf},
};

/// A file or folder that somebody else may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weakness {
    /// Which.
    pub path: PathBuf,
    /// Who may, in words.
    pub who: String,
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} may change `{}`", self.who, self.path.display())
    }
}

/// Links that lead to links: as many as Linux follows.
const LINKS_MAX: usize = 40;

/// Returns what lets somebody else put another program in the place of this one: the file itself,
/// its folder, a folder that leads to it, or a link on the way to either; nothing when all is well.
///
/// Then the path may be used as it stands: nobody else can make it lead elsewhere.
pub fn weakness(program: &Path) -> io::Result<Option<Weakness>> {
    let found = |path: &Path, who: String| Some(Weakness { path: path.to_owned(), who });
    let mut way = Way::to(program)?;
    while let Some(name) = way.next_name() {
        if let Some(who) = imp::who_moves(&way.here)? {
            return Ok(found(&way.here, who));
        }
        let path = way.here.join(name);
        if !fs::symlink_metadata(&path)?.is_symlink() {
            way.here = path;
        } else if let Some(who) = imp::who_turns(&path)? {
            return Ok(found(&path, who));
        } else {
            way.follow(&fs::read_link(&path)?)?;
        }
    }
    for path in [way.here.as_path(), way.here.parent().unwrap_or(&way.here)] {
        if let Some(who) = imp::who_writes(path)? {
            return Ok(found(path, who));
        }
    }
    Ok(None)
}

/// The way to a file, name by name, as the system goes it.
#[derive(Debug)]
struct Way {
    /// How far it was gone: a path without links.
    here: PathBuf,
    /// What is ahead, the next one last.
    ahead: Vec<PathBuf>,
    links: usize,
}

impl Way {
    fn to(path: &Path) -> io::Result<Self> {
        let mut way = Self { here: PathBuf::new(), ahead: Vec::new(), links: 0 };
        way.go_on(&std::path::absolute(path)?);
        Ok(way)
    }

    fn go_on(&mut self, path: &Path) {
        let parts = path.components().rev();
        self.ahead.extend(parts.map(|part| PathBuf::from(part.as_os_str())));
    }

    /// Goes up to the next name, which is not looked at yet; nothing at the end of the way.
    fn next_name(&mut self) -> Option<PathBuf> {
        while let Some(part) = self.ahead.pop() {
            match part.components().next() {
                Some(Component::Normal(_)) => return Some(part),
                Some(Component::ParentDir) => drop(self.here.pop()),
                Some(Component::Prefix(_) | Component::RootDir) => self.here.push(part),
                Some(Component::CurDir) | None => {}
            }
        }
        None
    }

    fn follow(&mut self, target: &Path) -> io::Result<()> {
        self.links += 1;
        if self.links > LINKS_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "its links lead in a circle"));
        }
        if target.has_root() {
            // A root without a drive is that of this drive.
            let whole = self.here.join(target);
            self.here.clear();
            self.go_on(&whole);
        } else {
            self.go_on(target);
        }
        Ok(())
    }
}
