//! Our own program, where services may rely on it: copied to a folder of the machine, because a
//! service must not run from somebody's downloads, and the account of a service could not read it
//! there.
//!
//! One that runs cannot be overwritten, but it can be renamed: whatever runs goes on, and services
//! started from now on run the new one, under the path that firewalls and scanners know. Between
//! two renames nothing has the name; the new one is whole by then, and whoever does it again ends
//! it, with what has made way as the former one. Former ones stay until an upgrade has come to its
//! end: one that does not serve goes back to them.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use mainstay_platform::{daemon, paths};

/// What our program is called there.
const NAME: &str = "mainstay.exe";
/// What stands behind its name when it has made way, before its version.
const FORMER: &str = ".old-";
/// So many former programs of one version may still run.
const FORMER_MAX: u32 = 100;
/// What stands there for one that did not serve.
const REFUSED: &str = "refused";

/// A program in its place, and the one that has made way for it.
#[derive(Debug)]
pub(in crate::cli) struct Placed {
    pub(in crate::cli) target: PathBuf,
    pub(in crate::cli) former: Option<PathBuf>,
    pub(in crate::cli) found: Found,
}

/// What had the place before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Found {
    /// The same program.
    Same,
    /// Another one.
    Other,
    /// None: there never was one, or a replacement was cut short.
    Nothing,
}

/// Returns our program's place for the whole machine, with this very program in it.
pub(in crate::cli) fn install() -> io::Result<PathBuf> {
    replace_by(&daemon::own_program()?).map(|placed| placed.target)
}

/// Puts a program into the place of ours.
pub(in crate::cli) fn replace_by(program: &Path) -> io::Result<Placed> {
    let folder = paths::program_base()?;
    fs::create_dir_all(&folder)?;
    place(program, &folder.join(NAME), version_of)
}

/// Deletes former programs that do not run any more; returns whether any is left. Only for whoever
/// does not go back to them any more.
pub(in crate::cli) fn sweep() -> io::Result<Swept> {
    paths::program_base().map(|folder| sweep_in(&folder))
}

fn sweep_in(folder: &Path) -> Swept {
    let formers = formers(folder);
    let left = formers.iter().filter(|former| fs::remove_file(former).is_err()).count();
    if left == 0 { Swept::All } else { Swept::NotAll }
}

/// Whether a former program is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Swept {
    All,
    /// Somebody runs it.
    NotAll,
}

fn formers(folder: &Path) -> Vec<PathBuf> {
    let begin = [NAME, FORMER].concat();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let formers = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&begin));
    formers.map(|entry| entry.path()).collect()
}

/// Returns what had the place last, where a replacement was cut short.
fn last_former(target: &Path) -> Option<PathBuf> {
    let refused = [NAME, FORMER, REFUSED].concat();
    let is_refused = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&refused))
    };
    let since = |path: &PathBuf| {
        let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
        modified.unwrap_or(SystemTime::UNIX_EPOCH)
    };
    let formers = formers(target.parent()?);
    formers.into_iter().filter(|path| !is_refused(path)).max_by_key(since)
}

fn version_of(program: &Path) -> String {
    mainstay_keeper::version_of(program).unwrap_or_else(|_| "unknown".to_owned())
}

fn place(own: &Path, target: &Path, version_of: fn(&Path) -> String) -> io::Result<Placed> {
    let target = target.to_owned();
    if is_same(own, &target)? {
        return Ok(Placed { target, former: None, found: Found::Same });
    }
    let fresh = target.with_extension("exe.new");
    copy(own, &fresh)?;
    let placed = if target.exists() {
        let former = former(&target, &version_of(&target));
        fs::rename(&target, &former)?;
        Placed { target, former: Some(former), found: Found::Other }
    } else {
        let former = last_former(&target);
        Placed { target, former, found: Found::Nothing }
    };
    match fs::rename(&fresh, &placed.target) {
        Ok(()) => Ok(placed),
        Err(error) => {
            placed.give_back()?;
            Err(error)
        }
    }
}

/// Copies what is in a file, and nothing that belongs to the file itself: neither that it may only
/// be read, nor that it comes from the Internet.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut fresh = File::create_new(to)?;
    io::copy(&mut File::open(from)?, &mut fresh)?;
    fresh.sync_all()
}

impl Placed {
    /// Puts the former program back, when there was one; the new one is a former one from now on.
    ///
    /// At no outcome is there no program at all.
    pub(in crate::cli) fn undo(self) -> io::Result<()> {
        let Some(former_one) = &self.former else { return Ok(()) };
        if !former_one.try_exists()? {
            let text = format!("`{}` is not there any more", former_one.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, text));
        }
        let refused = former(&self.target, REFUSED);
        fs::rename(&self.target, &refused)?;
        self.give_back().inspect_err(|_| {
            // Why the former one could not come back says more.
            drop(fs::rename(&refused, &self.target));
        })
    }

    fn give_back(&self) -> io::Result<()> {
        self.former.as_ref().map_or(Ok(()), |former| fs::rename(former, &self.target))
    }
}

/// Returns a name that nobody has: the file of a former upgrade may still run.
fn former(target: &Path, version: &str) -> PathBuf {
    let numbered = |number: u32| {
        let number = if number == 1 { String::new() } else { format!("-{number}") };
        target.with_extension(format!("exe{FORMER}{version}{number}"))
    };
    let free =
        (1..FORMER_MAX).map(numbered).find(|path| fs::remove_file(path).is_ok() || !path.exists());
    free.unwrap_or_else(|| numbered(FORMER_MAX))
}

fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    match fs::metadata(other) {
        Ok(metadata) if metadata.len() == fs::metadata(one)?.len() => {
            Ok(fs::read(one)? == fs::read(other)?)
        }
        Ok(_) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// A folder with a program in it, whose text is also its version.
    struct Ground(PathBuf);

    impl Ground {
        fn new(name: &str) -> Self {
            let folder =
                std::env::temp_dir().join(format!("mainstay-own-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.join(name);
            File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
            path
        }

        fn place(&self, text: &str) -> io::Result<Placed> {
            let own = self.write("download.exe", text);
            place(&own, &self.0.join(NAME), |program| fs::read_to_string(program).unwrap())
        }

        fn installed(&self) -> String {
            fs::read_to_string(self.0.join(NAME)).unwrap()
        }

        fn formers(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut formers: Vec<String> = names.filter(|name| name.contains(FORMER)).collect();
            formers.sort();
            formers
        }
    }

    impl Drop for Ground {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn a_former_program_makes_way_and_an_equal_one_stays() {
        let ground = Ground::new("way");
        let former = |text: &str| {
            let placed = ground.place(text).unwrap();
            assert_eq!(ground.installed(), text);
            placed.former.map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        };
        assert_eq!(former("1.0"), None);
        assert_eq!(former("1.0"), None);
        assert_eq!(former("1.1").as_deref(), Some("mainstay.exe.old-1.0"));
        assert_eq!(former("1.2").as_deref(), Some("mainstay.exe.old-1.1"));
        assert_eq!(ground.formers(), ["mainstay.exe.old-1.0", "mainstay.exe.old-1.1"]);
        assert_eq!(sweep_in(&ground.0), Swept::All);
        assert!(ground.formers().is_empty());
        assert_eq!(ground.installed(), "1.2");
    }

    #[test]
    fn a_program_that_may_only_be_read_can_be_placed_again_and_again() {
        let ground = Ground::new("read");
        for text in ["1.0", "1.1", "1.2"] {
            // What was cut short is in the way.
            ground.write("mainstay.exe.new", "1.");
            let own = ground.write("download.exe", text);
            let mut permissions = fs::metadata(&own).unwrap().permissions();
            permissions.set_readonly(true);
            fs::set_permissions(&own, permissions).unwrap();
            place(&own, &ground.0.join(NAME), |_| "1".to_owned()).unwrap();
            fs::remove_file(&own).unwrap();
            assert_eq!(ground.installed(), text);
            let placed = fs::metadata(ground.0.join(NAME)).unwrap();
            assert!(!placed.permissions().readonly());
        }
    }

    #[test]
    fn what_was_cut_short_between_two_renames_is_ended_by_the_next_one() {
        let ground = Ground::new("short");
        ground.place("1.0").unwrap();
        fs::rename(ground.0.join(NAME), ground.0.join("mainstay.exe.old-1.0")).unwrap();
        let placed = ground.place("1.1").unwrap();
        assert_eq!(placed.found, Found::Nothing);
        assert_eq!(ground.installed(), "1.1");
        // It can still be taken back.
        placed.undo().unwrap();
        assert_eq!(ground.installed(), "1.0");
    }

    #[test]
    fn there_is_a_program_even_when_the_former_one_cannot_come_back() {
        let ground = Ground::new("lost");
        ground.place("1.0").unwrap();
        let placed = ground.place("2.0").unwrap();
        fs::remove_file(ground.0.join("mainstay.exe.old-1.0")).unwrap();
        let error = placed.undo().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert_eq!(ground.installed(), "2.0");
    }

    #[test]
    fn a_program_that_does_not_do_gives_its_place_back() {
        let ground = Ground::new("back");
        ground.place("1.0").unwrap();
        ground.place("2.0").unwrap().undo().unwrap();
        assert_eq!(ground.installed(), "1.0");
        assert_eq!(ground.formers(), ["mainstay.exe.old-refused"]);
        // There is nothing before the first one.
        let first = Ground::new("first");
        first.place("1.0").unwrap().undo().unwrap();
        assert_eq!(first.installed(), "1.0");
    }
}
