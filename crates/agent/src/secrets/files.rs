//! Values as files: a folder of the unit's own in the runtime folder, which only its owner enters,
//! with files that nobody writes any more.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, DirEntry},
    io::{self, Write as _},
};

use mainstay_platform::paths;
use mainstay_storage::{instance::Instance, secrets::Secret};

/// A file that is not whole yet; no secret is called so.
const UNFINISHED: &str = ".new";

/// Gives a unit these files and no others: each is the old or the new one at any instant.
pub(super) fn write(
    instance: &Instance,
    unit: &str,
    files: &BTreeMap<String, Secret>,
) -> io::Result<()> {
    paths::create_private(&instance.secret_files())?;
    let folder = instance.secret_files_of(unit);
    paths::create_private(&folder)?;
    for (name, value) in files {
        let unfinished = folder.join(UNFINISHED);
        unless_missing(fs::remove_file(&unfinished))?;
        paths::create_new_sealed_file(&unfinished)?.write_all(value.reveal())?;
        fs::rename(&unfinished, folder.join(name))?;
    }
    let is_wanted =
        |entry: &DirEntry| entry.file_name().to_str().is_some_and(|name| files.contains_key(name));
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        if !is_wanted(&entry) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Takes a unit's files away.
pub(super) fn remove(instance: &Instance, unit: &str) -> io::Result<()> {
    unless_missing(fs::remove_dir_all(instance.secret_files_of(unit)))
}

/// Takes the files of all other units away.
pub(super) fn keep_only(instance: &Instance, units: &BTreeSet<String>) -> io::Result<()> {
    let folder = match fs::read_dir(instance.secret_files()) {
        Ok(folder) => folder,
        Err(error) => return unless_missing(Err(error)),
    };
    for entry in folder {
        let entry = entry?;
        if !entry.file_name().to_str().is_some_and(|name| units.contains(name)) {
            unless_missing(fs::remove_dir_all(entry.path()))?;
        }
    }
    Ok(())
}

fn unless_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_has_the_files_it_was_given_last_and_no_others() {
        let base = std::env::temp_dir().join(format!("mainstay-given-{}", std::process::id()));
        drop(fs::remove_dir_all(&base));
        let instance = Instance::new(base.clone(), base.join("state"));
        let secret = |text: &str| Secret::new(text.as_bytes().to_vec());
        let given = |files: &[(&str, &str)]| {
            let files = files.iter().map(|(name, text)| ((*name).to_owned(), secret(text)));
            write(&instance, "web@2", &files.collect()).unwrap();
            let folder = instance.secret_files_of("web@2");
            let mut found: Vec<(String, String)> = fs::read_dir(&folder)
                .unwrap()
                .map(|entry| entry.unwrap())
                .map(|entry| {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    (name, fs::read_to_string(entry.path()).unwrap())
                })
                .collect();
            found.sort();
            found.iter().map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>()
        };
        assert_eq!(given(&[("a", "1"), ("b", "2")]), ["a=1", "b=2"]);
        assert_eq!(given(&[("b", "3"), ("c", "4")]), ["b=3", "c=4"]);
        keep_only(&instance, &BTreeSet::from(["web@2".to_owned()])).unwrap();
        assert!(instance.secret_files_of("web@2").exists());
        keep_only(&instance, &BTreeSet::from(["web".to_owned()])).unwrap();
        assert!(!instance.secret_files_of("web@2").exists());
        remove(&instance, "web@2").unwrap();
        fs::remove_dir_all(base).unwrap();
    }
}
