//! Where a service of the operating system keeps what belongs to it: an instance with a folder of
//! its own, found from its name alone. One name is the machine's instance, with any number of units.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mainstay_platform::{access, paths, scm};
use mainstay_storage::instance::Instance;

use crate::instance::Located;

/// The most characters the manager allows in a name.
const NAME_MAX: usize = 256;

/// The service that is the machine's instance.
pub(crate) const MACHINE: &str = "mainstay";

/// Returns whether a service is the machine's instance.
pub(crate) fn is_machine(name: &str) -> bool {
    is_same_name(name, MACHINE)
}

/// Returns whether both are the name of one service: the manager does not tell cases apart, not
/// even of letters beyond ASCII.
pub(crate) fn is_same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// The place of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) name: String,
    base: PathBuf,
}

impl Place {
    /// Returns the place of a service, whether it is there or not.
    pub(crate) fn of(name: &str) -> io::Result<Self> {
        Ok(Self { name: name.to_owned(), base: paths::machine_base()? })
    }

    /// Returns the place with this runtime folder, if it is one.
    pub(crate) fn of_runtime(runtime: &Path) -> Option<Self> {
        let name = unescaped(runtime.parent()?.file_name()?.to_str()?)?;
        let place = Self::of(&name).ok()?;
        (place.located().instance.runtime == runtime).then_some(place)
    }

    /// Returns its folder; that of the machine's instance has those of the others in it.
    pub(crate) fn folder(&self) -> PathBuf {
        if is_machine(&self.name) {
            self.base.clone()
        } else {
            self.of_services().join(escaped(&self.name))
        }
    }

    fn of_services(&self) -> PathBuf {
        self.base.join("services")
    }

    /// Returns the instance that lives there.
    pub(crate) fn located(&self) -> Located {
        let folder = self.folder();
        let instance = Instance::new(folder.join("run"), folder.join("state"));
        let service = Some(self.name.clone());
        Located { file: folder.join("mainstay.toml"), instance, service }
    }

    /// Returns the folder of its logs; in that of the machine's instance each unit has its own.
    pub(crate) fn logs(&self) -> PathBuf {
        let instance = self.located().instance;
        if is_machine(&self.name) { instance.logs() } else { instance.logs_of(&self.unit()) }
    }

    /// Returns what its only unit is called: the same, where that is a name for a unit.
    pub(crate) fn unit(&self) -> String {
        let is_unit = self.name.bytes().all(is_plain)
            && self.name.len() <= 64
            && self.name.starts_with(|first: char| first.is_ascii_alphanumeric());
        if is_unit { self.name.clone() } else { "main".to_owned() }
    }

    /// Deletes its configuration, logs and state; what is not there is as good.
    pub(crate) fn purge(&self) -> io::Result<()> {
        let found = |done: io::Result<()>| match done {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        };
        if !is_machine(&self.name) {
            return found(fs::remove_dir_all(self.folder()));
        }
        let Located { file, instance, .. } = self.located();
        found(fs::remove_dir_all(instance.runtime))?;
        found(fs::remove_dir_all(instance.state))?;
        found(fs::remove_file(file))?;
        // It stays when there are other services.
        drop(fs::remove_dir(&self.base));
        Ok(())
    }

    /// Creates its folders. The service may read its configuration, and write its state; whoever
    /// is no administrator may neither.
    pub(crate) fn create(&self) -> io::Result<()> {
        use paths::Right::{Modify, Read, Share};
        let identity = scm::identity_of(&self.name)?;
        let may = |right| [(identity.clone(), right)];
        paths::create_guarded(&self.base, &[])?;
        if !is_machine(&self.name) {
            paths::create_guarded(&self.of_services(), &[])?;
            paths::create_guarded(&self.folder(), &may(Read))?;
        }
        let instance = self.located().instance;
        paths::create_guarded(&instance.runtime, &may(Modify))?;
        paths::create_guarded(&instance.state, &may(Modify))?;
        // The agent lets groups of `[[access]]` read there.
        paths::create_guarded(&instance.logs(), &may(Share))
    }
}

impl Place {
    /// Refuses folders that somebody else could have put there, or changed, since they were made:
    /// what stands in the configuration is run as the service.
    pub(crate) fn check(&self) -> io::Result<()> {
        let folders = [self.base.clone(), self.of_services(), self.folder()];
        let own = if is_machine(&self.name) { 1 } else { folders.len() };
        for folder in folders.iter().take(own) {
            paths::check_guarded(folder).map_err(|error| {
                let text = format!("`{}` is not to be believed: {error}", folder.display());
                io::Error::new(error.kind(), text)
            })?;
        }
        Ok(())
    }

    /// Gives an account the rights that the service itself has in its folders.
    pub(crate) fn admit(&self, identity: &str) -> io::Result<()> {
        use paths::Right::{Modify, Read, Share};
        access::grant(&self.folder(), identity, Read)?;
        let instance = self.located().instance;
        access::grant(&instance.runtime, identity, Modify)?;
        access::grant(&instance.state, identity, Modify)?;
        access::grant(&instance.logs(), identity, Share)
    }
}

/// Returns the folders in which services are or were, each with the service's name in lower case.
/// None where there are no such places, or nobody may look.
pub(crate) fn folders_of_services() -> Vec<(String, PathBuf)> {
    let Ok(base) = paths::machine_base() else { return Vec::new() };
    let entries = fs::read_dir(base.join("services")).into_iter().flatten().flatten();
    let named =
        entries.filter_map(|entry| Some((unescaped(entry.file_name().to_str()?)?, entry.path())));
    named.collect()
}

/// Returns why a text cannot name a service of the manager.
pub(crate) fn name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("a name needs at least one character")
    } else if name.chars().count() > NAME_MAX {
        Some("a name has at most 256 characters")
    } else if name.contains(['/', '\\']) || name.chars().any(char::is_control) {
        Some("a name has no slashes and no control characters")
    } else if name.contains('"') {
        Some("a name has no quotes: the service's command line holds it")
    } else {
        None
    }
}

/// The manager does not tell cases apart, and not every character may stand in a file name.
fn escaped(name: &str) -> String {
    // A folder's name may not end with a dot, nor be `..`.
    let is_kept = |byte| is_plain(byte) && byte != b'.';
    let escape = |byte: u8| {
        if is_kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") }
    };
    let small = name.to_lowercase();
    let text: String = small.bytes().map(escape).collect();
    match small.as_bytes().first() {
        Some(first) if is_device(&text) => {
            format!("%{first:02x}{}", text.get(1..).unwrap_or_default())
        }
        // All that is in a folder would have a path that is too long for many programs.
        _ if text.len() > FOLDER_MAX => {
            let begin = text.get(..FOLDER_BEGIN).unwrap_or_default();
            format!("{begin}~{:016x}", hash(small.as_bytes()))
        }
        _ => text,
    }
}

/// The longest name of a folder, and how much of a longer one is still to be read.
const FOLDER_MAX: usize = 120;
const FOLDER_BEGIN: usize = 90;

/// Names that mean a device in every folder.
fn is_device(name: &str) -> bool {
    let numbered = |text: &str| {
        let digit = text.strip_prefix("com").or_else(|| text.strip_prefix("lpt"));
        digit.is_some_and(|digit| digit.len() == 1 && digit.bytes().all(|one| one.is_ascii_digit()))
    };
    matches!(name, "con" | "prn" | "aux" | "nul") || numbered(name)
}

/// FNV-1a: the same on every machine and in every version.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Returns a name of the service whose folder this is, in lower case.
fn unescaped(folder: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = folder.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        bytes.push(match first {
            b'%' => {
                let (digits, behind) = rest.split_at_checked(2)?;
                rest = behind;
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            plain => *plain,
        });
    }
    String::from_utf8(bytes).ok()
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_folder_of_its_own() {
        let check = |name: &str, expected: &str| {
            assert_eq!(escaped(name), expected);
            assert_eq!(unescaped(expected), Some(name.to_lowercase()));
        };
        check("Web", "web");
        check("my web.", "my%20web%2e");
        check("..", "%2e%2e");
        check("Größe", "gr%c3%b6%c3%9fe");
        check("a%20b", "a%2520b");
        check("CON", "%63on");
        check("com1", "%63om1");
        check("lpt", "lpt");
        check("com10", "com10");
    }

    #[test]
    fn a_long_name_has_a_short_folder_of_its_own() {
        let [one, other] = ["人".repeat(256), "人".repeat(255)].map(|name| escaped(&name));
        assert!(one.len() <= FOLDER_MAX && one.starts_with("%e4%ba%ba"), "{one}");
        assert_ne!(one, other);
        let whole = "x".repeat(FOLDER_MAX);
        assert_eq!(escaped(&whole), whole);
    }

    #[test]
    fn a_name_is_the_same_in_upper_and_in_lower_case() {
        assert!(is_same_name("web", "WEB"));
        assert!(is_same_name("GRÖSSE", "grösse"));
        assert!(!is_same_name("web", "web2"));
        assert!(is_machine("Mainstay"));
    }

    #[test]
    fn the_machines_instance_is_above_the_others_and_goes_without_them() {
        let base = std::env::temp_dir().join(format!("mainstay-place-{}", std::process::id()));
        let place = |name: &str| Place { name: name.to_owned(), base: base.clone() };
        assert_eq!(place("Mainstay").folder(), base);
        assert_eq!(place("web").folder(), base.join("services").join("web"));
        for folder in ["run", "state", "services/web"] {
            fs::create_dir_all(base.join(folder)).unwrap();
        }
        fs::File::create(base.join("mainstay.toml")).unwrap();
        place("mainstay").purge().unwrap();
        let left: Vec<_> =
            fs::read_dir(&base).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["services"]);
        place("web").purge().unwrap();
        place("web").purge().unwrap();
        assert!(!place("web").folder().exists());
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn a_unit_is_called_like_its_service_where_that_is_possible() {
        let unit = |name: &str| Place { name: name.to_owned(), base: PathBuf::new() }.unit();
        assert_eq!(unit("Web-1"), "Web-1");
        assert_eq!(unit("my web"), "main");
        assert_eq!(unit("_web"), "main");
    }

    #[test]
    fn what_cannot_be_a_name_is_told_why() {
        assert_eq!(name_fault("Größe 人"), None);
        assert_eq!(name_fault(""), Some("a name needs at least one character"));
        assert_eq!(name_fault("a/b"), Some("a name has no slashes and no control characters"));
        assert!(name_fault(&"x".repeat(257)).is_some());
        assert!(name_fault("a\"b").is_some());
    }
}
