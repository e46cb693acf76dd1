//! Our own program, where services may rely on it: copied to a folder of the machine, because a
//! service must not run from somebody's downloads, and the account of a service could not read it
//! there.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use mainstay_platform::{daemon, paths};

/// What our program is called there.
const NAME: &str = "mainstay.exe";

/// So many former programs may still run.
const FORMER_MAX: u32 = 100;

/// Returns our program's place for the whole machine, with this very program in it.
///
/// One that runs cannot be overwritten, but it can be renamed: whatever runs goes on, and services
/// started from now on run the new one, under the path that firewalls and scanners know.
pub(in crate::cli) fn install() -> io::Result<PathBuf> {
    let folder = paths::program_base()?;
    fs::create_dir_all(&folder)?;
    place(&daemon::own_program()?, &folder.join(NAME))
}

fn place(own: &Path, target: &Path) -> io::Result<PathBuf> {
    if is_same(own, target)? {
        return Ok(target.to_owned());
    }
    let fresh = target.with_extension("exe.new");
    fs::copy(own, &fresh)?;
    File::options().write(true).open(&fresh)?.sync_all()?;
    if target.exists() {
        fs::rename(target, former(target))?;
    }
    fs::rename(&fresh, target)?;
    Ok(target.to_owned())
}

/// Returns a name that nobody has: the file of a former upgrade may still run.
fn former(target: &Path) -> PathBuf {
    let numbered = |number: u32| target.with_extension(format!("exe.old-{number}"));
    let free =
        (1..FORMER_MAX).map(numbered).find(|path| fs::remove_file(path).is_ok() || !path.exists());
    free.unwrap_or_else(|| numbered(0))
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

    #[test]
    fn a_former_program_makes_way_and_an_equal_one_stays() {
        let folder = std::env::temp_dir().join(format!("mainstay-own-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (own, target) = (folder.join("download.exe"), folder.join(NAME));
        let own_is = |text: &str| {
            let mut file = File::create(&own).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        for (text, former) in [("one", 0), ("one", 0), ("two", 1), ("three", 1)] {
            own_is(text);
            assert_eq!(place(&own, &target).unwrap(), target);
            assert_eq!(fs::read_to_string(&target).unwrap(), text);
            let old = fs::read_dir(&folder)
                .unwrap()
                .filter(|entry| entry.as_ref().unwrap().path().to_string_lossy().contains(".old-"));
            assert_eq!(old.count(), former, "{text}");
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
