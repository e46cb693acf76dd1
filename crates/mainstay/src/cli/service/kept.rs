//! A configuration that stands where a new one goes makes way, but is kept.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use mainstay_storage::atomic;

use crate::print;

/// So many configurations of earlier times are told apart.
const FORMER_MAX: u32 = 1000;

/// Writes a configuration; says where the one is that was there.
pub(in crate::cli) fn configure(file: &Path, text: &str) -> io::Result<()> {
    if let Some(aside) = set_aside(file, text)? {
        print::talk(&format!("the configuration of an earlier time is in {}", aside.display()));
    }
    atomic::replace(file, text.as_bytes(), |path| File::create(path))
}

/// Renames what is there, unless it says the same; nothing that is kept is overwritten.
fn set_aside(file: &Path, text: &str) -> io::Result<Option<PathBuf>> {
    match fs::read(file) {
        Ok(found) if found == text.as_bytes() => return Ok(None),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    let aside = free(file);
    fs::rename(file, &aside)?;
    Ok(Some(aside))
}

fn free(file: &Path) -> PathBuf {
    let numbered = |number: u32| {
        let number = if number == 1 { String::new() } else { format!("-{number}") };
        file.with_extension(format!("toml.former{number}"))
    };
    (1..FORMER_MAX)
        .map(numbered)
        .find(|path| !path.exists())
        .unwrap_or_else(|| numbered(FORMER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_somebody_has_written_is_lost() {
        let folder = std::env::temp_dir().join(format!("mainstay-kept-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("mainstay.toml");
        for text in ["one", "one", "two", "three"] {
            configure(&file, text).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
        let former = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(former("mainstay.toml.former"), "one");
        assert_eq!(former("mainstay.toml.former-2"), "two");
        fs::remove_dir_all(folder).unwrap();
    }
}
