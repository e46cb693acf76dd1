//! Access lists.

use std::{io, path::Path};

use crate::access::{self, AUTHENTICATED, EVERYBODY, INTERACTIVE};

pub(super) fn who_writes(path: &Path) -> io::Result<Option<String>> {
    Ok(access::who_writes(&access::entries(path)?).map(words))
}

pub(super) fn who_moves(path: &Path) -> io::Result<Option<String>> {
    Ok(access::who_moves(&access::entries(path)?).map(words))
}

/// Returns who may make a link, or a junction, lead elsewhere.
pub(super) fn who_turns(link: &Path) -> io::Result<Option<String>> {
    Ok(access::who_writes(&access::entries_of_link(link)?).map(words))
}

fn words(who: &str) -> String {
    let words = match who {
        EVERYBODY => "everybody",
        AUTHENTICATED => "everybody who has logged on",
        INTERACTIVE => "everybody who sits at the machine",
        _ => "every user",
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{super::weakness, EVERYBODY};
    use crate::{access, paths::Right};

    #[test]
    fn a_program_that_everybody_may_change_is_named() {
        let folder = std::env::temp_dir().join(format!("mainstay-trust-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("program.exe");
        std::fs::File::create(&file).unwrap();
        access::grant(&file, EVERYBODY, Right::Modify).unwrap();
        let found = weakness(&file).unwrap().unwrap();
        assert_eq!(found.path, file);
        assert!(found.to_string().starts_with("everybody may change `"), "{found}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_junction_on_the_way_is_as_good_as_its_own_list() {
        let name = format!("mainstay-turned-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(folder.join("safe")).unwrap();
        std::fs::File::create(folder.join("safe").join("program.exe")).unwrap();
        let link = folder.join("link");
        // Links take a right that not everybody has, and Wine says that it made one and makes none;
        // the rest is for those who have it.
        let is_made = std::os::windows::fs::symlink_dir(folder.join("safe"), &link).is_ok();
        if is_made && std::fs::symlink_metadata(&link).is_ok_and(|it| it.is_symlink()) {
            access::entries_of_link(&link).unwrap();
            let direct = weakness(&folder.join("safe").join("program.exe")).unwrap();
            assert_eq!(weakness(&link.join("program.exe")).unwrap(), direct);
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
