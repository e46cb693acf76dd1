//! Our own program, where services may rely on it: copied to a folder of the machine, because a
//! service must not run from somebody's downloads, and the account of a service could not read it
//! there.
//!
//! One that runs cannot be overwritten, but it can be renamed: whatever runs goes on, and services
//! started from now on run the new one, under the path that firewalls and scanners know. The new one
//! takes the name in one step where the system lets it. Where it does not, nothing has the name
//! between two renames; whoever was cut short there is put right by the next command of an
//! administrator.
//!
//! Former ones stay until an upgrade has come to its end: one that does not serve goes back to them.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use mainstay_platform::{daemon, paths};

use crate::print;

/// What our program is called there.
const NAME: &str = "mainstay.exe";
/// What stands behind its name when it has made way, before its version.
const FORMER: &str = ".old-";
/// So many former programs of one version may still run.
const FORMER_MAX: u32 = 100;
/// What stands there for one that did not serve.
const REFUSED: &str = "refused";
/// What stands there for a further name of the former program.
const ASIDE: &str = "aside";

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

/// Returns our program's place for the whole machine, with this very program in it, or a later one
/// that is there already: services that run it do not become an earlier one by the way.
pub(in crate::cli) fn install() -> io::Result<PathBuf> {
    let target = paths::program_base()?.join(NAME);
    let own = daemon::own_program()?;
    if target.exists() && !is_same(&own, &target)? {
        let installed = version_of(&target);
        if is_later(&installed, env!("CARGO_PKG_VERSION")) {
            print::talk(&format!(
                "{} is of version {installed} and stays; `mainstay upgrade {}` goes back",
                target.display(),
                own.display()
            ));
            return Ok(target);
        }
    }
    replace_by(&own).map(|placed| placed.target)
}

/// Returns whether a version comes after another one; one that is no row of numbers does not.
fn is_later(one: &str, other: &str) -> bool {
    let numbers = |text: &str| -> Option<Vec<u64>> {
        let text = text.split(['-', '+', ' ']).next().unwrap_or_default();
        text.split('.').map(|part| part.parse().ok()).collect()
    };
    numbers(one).zip(numbers(other)).is_some_and(|(one, other)| one > other)
}

/// Returns whether no program has the name: whoever wanted to run one could not.
pub(in crate::cli) fn is_missing() -> bool {
    paths::program_base().is_ok_and(|folder| !folder.join(NAME).exists())
}

/// Puts the program back that has made way, where whoever replaced it was killed before the new one
/// had its name.
pub(in crate::cli) fn repair() {
    let Ok(folder) = paths::program_base() else { return };
    if let Some(former) = repaired(&folder) {
        print::talk(&format!("warning: {} had no name any more", former.display()));
    }
}

fn repaired(folder: &Path) -> Option<PathBuf> {
    let target = folder.join(NAME);
    if target.exists() {
        return None;
    }
    let last = last_former(folder)?;
    fs::rename(&last, target).ok().map(|()| last)
}

fn formers(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let begin = [NAME, FORMER].concat();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_former =
        move |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(&begin);
    entries.filter(is_former).map(|entry| entry.path())
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
    if !folder.join(NAME).exists() {
        return Swept::NotAll;
    }
    let left = formers(folder).filter(|former| fs::remove_file(former).is_err()).count();
    if left == 0 { Swept::All } else { Swept::NotAll }
}

/// Whether a former program is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Swept {
    All,
    /// Somebody runs it.
    NotAll,
}

/// Returns what had the name last, and served.
fn last_former(folder: &Path) -> Option<PathBuf> {
    let refused = [NAME, FORMER, REFUSED].concat();
    let is_refused = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&refused))
    };
    let made = |path: &PathBuf| fs::metadata(path).and_then(|found| found.modified()).ok();
    formers(folder).filter(|path| !is_refused(path)).max_by_key(made)
}

fn version_of(program: &Path) -> String {
    mainstay_keeper::version_of(program).unwrap_or_else(|_| "unknown".to_owned())
}

fn place(own: &Path, target: &Path, version_of: fn(&Path) -> String) -> io::Result<Placed> {
    let target = target.to_owned();
    if is_same(own, &target)? {
        return Ok(Placed { target, former: None, found: Found::Same });
    }
    // Two may do so at once.
    let fresh = target.with_extension(format!("exe.new-{}", std::process::id()));
    copy(own, &fresh)?;
    let former = target.exists().then(|| other_name(&target, &version_of(&target)));
    let found = if former.is_some() { Found::Other } else { Found::Nothing };
    let placed = Placed { target, former, found };
    placed.take_name(&fresh).inspect_err(|_| drop(fs::remove_file(&fresh)))?;
    Ok(placed)
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
    /// Gives the name to a new program. The former one gets a second name first, so that there is
    /// always one under the first; only where a running program does not let itself be replaced
    /// that has to be done in two steps.
    fn take_name(&self, fresh: &Path) -> io::Result<()> {
        let Some(former) = &self.former else { return fs::rename(fresh, &self.target) };
        if fs::hard_link(&self.target, former).is_err() {
            fs::rename(&self.target, former)?;
        } else if fs::rename(fresh, &self.target).is_ok() {
            return Ok(());
        } else {
            // Of a program that runs not even a second name can be deleted.
            fs::rename(&self.target, other_name(&self.target, ASIDE))?;
        }
        fs::rename(fresh, &self.target).or_else(|error| {
            self.give_back()?;
            Err(error)
        })
    }

    /// Puts the former program back, when there was one; the new one is a former one from now on.
    ///
    /// At no outcome is there no program at all.
    pub(in crate::cli) fn undo(self) -> io::Result<()> {
        let Some(former) = &self.former else { return Ok(()) };
        if !former.try_exists()? {
            let text = format!("`{}` is not there any more", former.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, text));
        }
        let refused = other_name(&self.target, REFUSED);
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
fn other_name(target: &Path, version: &str) -> PathBuf {
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
            // Under a name of its own: not every system lets go of what may only be read.
            let own = ground.write(&format!("download-{text}.exe"), text);
            let mut permissions = fs::metadata(&own).unwrap().permissions();
            permissions.set_readonly(true);
            fs::set_permissions(&own, permissions).unwrap();
            place(&own, &ground.0.join(NAME), |_| "1".to_owned()).unwrap();
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
        assert!(repaired(&ground.0).is_some());
        let placed = ground.place("1.1").unwrap();
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
    fn a_program_without_its_name_gets_it_back_and_is_not_swept_away() {
        let ground = Ground::new("nameless");
        ground.place("1.0").unwrap();
        assert_eq!(repaired(&ground.0), None);
        let former = ground.0.join("mainstay.exe.old-1.0");
        fs::rename(ground.0.join(NAME), &former).unwrap();
        sweep_in(&ground.0);
        assert_eq!(repaired(&ground.0), Some(former));
        assert_eq!(ground.installed(), "1.0");
    }

    #[test]
    fn a_later_version_is_known_by_its_numbers() {
        let check = |one: &str, other: &str, expected: bool| {
            assert_eq!(is_later(one, other), expected, "{one} {other}");
        };
        check("0.2.0", "0.1.9", true);
        check("0.10.0", "0.9.0", true);
        check("0.1.0", "0.1.0", false);
        check("0.1.0", "0.2.0", false);
        check("unknown", "0.1.0", false);
        check("1.0.0 (abc)", "0.9.0", true);
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
