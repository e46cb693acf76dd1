//! Who may do what with a file or folder: the access lists of Windows.
//!
//! Other systems say with owner and mode what they have to say; there these are refused.

#[cfg(not(windows))]
#[path = "access/elsewhere.rs"]
mod imp;
#[cfg(windows)]
#[path = "access/windows.rs"]
mod imp;

use std::{io, path::Path};

use crate::paths::Right;

/// Whom an entry of an access list is about, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Security identifier, as text.
    pub who: String,
    /// Whether it allows or denies.
    pub verdict: Verdict,
    /// Which rights, as the system's bits.
    pub mask: u32,
}

/// What an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The rights are given.
    Allow,
    /// The rights are refused, whatever comes later.
    Deny,
}

/// Everybody, in access lists.
pub const EVERYBODY: &str = "S-1-1-0";
/// Everybody who has logged on.
pub const AUTHENTICATED: &str = "S-1-5-11";
/// The group of ordinary users.
pub const USERS: &str = "S-1-5-32-545";
/// Everybody who sits at the machine or is connected to its desktop.
pub const INTERACTIVE: &str = "S-1-5-4";

/// Identities that every service's process has beside its own.
const OF_EVERY_SERVICE: [&str; 5] = [EVERYBODY, AUTHENTICATED, USERS, "S-1-5-6", "S-1-5-80-0"];
/// Putting something else in the place of a file or folder, or what leads to it: deleting it or
/// what lies in it, and giving oneself that right.
const MOVING: u32 = 0x40 | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_ALL;
/// All that, creating what lies in a folder, and writing to a file.
const WRITING: u32 = MOVING | 0x2 | 0x4 | GENERIC_WRITE;
const DELETE: u32 = 0x1_0000;
const WRITE_DAC: u32 = 0x4_0000;
const WRITE_OWNER: u32 = 0x8_0000;
const GENERIC_ALL: u32 = 0x1000_0000;
const GENERIC_WRITE: u32 = 0x4000_0000;
/// Reading data and attributes, and executing.
const READING: u32 = 0x0012_00a9;
/// All that and writing and deleting.
const MODIFYING: u32 = 0x0013_01bf;
/// All that, and saying who may do what: `WRITE_DAC`.
const SHARING: u32 = MODIFYING | 0x0004_0000;
/// Everything, ownership included: `FILE_ALL_ACCESS`.
#[cfg(windows)]
pub(crate) const EVERYTHING: u32 = 0x001f_01ff;
/// Looking who may do what: `READ_CONTROL`.
#[cfg(windows)]
pub(crate) const LOOKING: u32 = 0x0002_0000;

/// Returns the entries of a file's or folder's access list that count for itself.
pub fn entries(path: &Path) -> io::Result<Vec<Entry>> {
    imp::entries(path)
}

/// Returns the entries of a link's own access list, not of what it leads to.
#[cfg(windows)]
pub(crate) fn entries_of_link(link: &Path) -> io::Result<Vec<Entry>> {
    imp::entries_of_link(link)
}

/// Gives a file the list of another one, unless all of that is inherited from the folder.
#[cfg(windows)]
pub(crate) fn share(path: &Path, other: &Path) -> io::Result<()> {
    imp::share(path, other)
}

/// Lets somebody in, and into whatever lies below, beside those who may enter already.
pub fn grant(path: &Path, who: &str, right: Right) -> io::Result<()> {
    imp::grant(path, who, mask_of(right))
}

/// Takes from somebody what it was given on a file or folder itself; what it has from a folder
/// above stays.
pub fn revoke(path: &Path, who: &str) -> io::Result<()> {
    imp::revoke(path, who)
}

/// Returns whether the service with these identities has a right, by one of them or as every
/// service.
pub fn service_may(entries: &[Entry], identities: &[String], right: Right) -> bool {
    let is_its =
        |who: &str| identities.iter().any(|own| own == who) || OF_EVERY_SERVICE.contains(&who);
    let mut missing = mask_of(right);
    for entry in entries.iter().filter(|entry| is_its(&entry.who)) {
        match entry.verdict {
            Verdict::Allow => missing &= !entry.mask,
            Verdict::Deny if entry.mask & missing != 0 => return false,
            Verdict::Deny => {}
        }
    }
    missing == 0
}

/// Returns which of the groups that hold every user may change a file or what lies in a folder, if
/// any. Denials are not counted: what is refused to some is not refused to all.
pub fn who_writes(entries: &[Entry]) -> Option<&'static str> {
    who_may(entries, WRITING)
}

/// Returns which of those groups may put another folder in the place of one that leads to a file,
/// if any. Everybody may create what is not there yet beside it.
pub fn who_moves(entries: &[Entry]) -> Option<&'static str> {
    who_may(entries, MOVING)
}

/// Returns who beside the named identities may write, if anybody.
pub fn stranger_who_writes<'a>(entries: &'a [Entry], known: &[String]) -> Option<&'a str> {
    let is_stranger = |entry: &&Entry| {
        entry.verdict == Verdict::Allow && entry.mask & WRITING != 0 && !known.contains(&entry.who)
    };
    entries.iter().find(is_stranger).map(|entry| entry.who.as_str())
}

fn who_may(entries: &[Entry], mask: u32) -> Option<&'static str> {
    let may = |who: &&str| {
        entries.iter().any(|entry| {
            entry.who == **who && entry.verdict == Verdict::Allow && entry.mask & mask != 0
        })
    };
    [EVERYBODY, AUTHENTICATED, USERS, INTERACTIVE].into_iter().find(may)
}

pub(crate) const fn mask_of(right: Right) -> u32 {
    match right {
        Right::Read => READING,
        Right::Modify => MODIFYING,
        Right::Share => SHARING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str = "S-1-5-80-1-2-3-4-5";

    fn own() -> [String; 1] {
        [SERVICE.to_owned()]
    }

    fn entry(who: &str, verdict: Verdict, mask: u32) -> Entry {
        Entry { who: who.to_owned(), verdict, mask }
    }

    #[test]
    fn a_right_may_come_from_several_entries_and_a_denial_comes_first() {
        let read = entry(USERS, Verdict::Allow, READING & 0xffff);
        let rest = entry(SERVICE, Verdict::Allow, 0x0012_0000);
        assert!(!service_may(std::slice::from_ref(&read), &own(), Right::Read));
        assert!(service_may(&[read.clone(), rest.clone()], &own(), Right::Read));
        let denied = entry(EVERYBODY, Verdict::Deny, 0x1);
        assert!(!service_may(&[denied.clone(), read.clone(), rest.clone()], &own(), Right::Read));
        // What was given before a denial stays given.
        assert!(service_may(&[read, rest, denied], &own(), Right::Read));
    }

    #[test]
    fn a_right_of_the_account_is_one_of_the_service() {
        let account = "S-1-5-21-1-2-3-1001";
        let read = [entry(account, Verdict::Allow, READING)];
        assert!(!service_may(&read, &own(), Right::Read));
        let both = [SERVICE.to_owned(), account.to_owned()];
        assert!(service_may(&read, &both, Right::Read));
    }

    #[test]
    fn what_others_may_is_nothing_to_a_service() {
        let other = entry("S-1-5-32-544", Verdict::Allow, u32::MAX);
        assert!(!service_may(&[other], &own(), Right::Read));
    }

    #[test]
    fn a_folder_that_every_user_may_write_to_is_found() {
        let read = entry(USERS, Verdict::Allow, READING);
        assert_eq!(who_writes(std::slice::from_ref(&read)), None);
        let modify = entry(AUTHENTICATED, Verdict::Allow, MODIFYING);
        assert_eq!(who_writes(&[read, modify]), Some(AUTHENTICATED));
        for mask in [0x2, 0x4, 0x40, DELETE, WRITE_DAC, WRITE_OWNER, GENERIC_ALL, GENERIC_WRITE] {
            let given = entry(INTERACTIVE, Verdict::Allow, mask);
            assert_eq!(who_writes(&[given]), Some(INTERACTIVE), "{mask:#x}");
        }
    }

    #[test]
    fn whoever_may_only_create_beside_a_folder_cannot_put_another_in_its_place() {
        let create = entry(AUTHENTICATED, Verdict::Allow, 0x4 | READING);
        assert_eq!(who_moves(std::slice::from_ref(&create)), None);
        let delete_child = entry(USERS, Verdict::Allow, 0x40);
        assert_eq!(who_moves(&[create, delete_child]), Some(USERS));
    }

    #[test]
    fn a_stranger_is_whoever_may_write_and_is_not_named() {
        let known = ["S-1-5-18".to_owned()];
        let list = [
            entry("S-1-5-18", Verdict::Allow, u32::MAX),
            entry(SERVICE, Verdict::Allow, READING),
            entry(USERS, Verdict::Deny, MODIFYING),
        ];
        assert_eq!(stranger_who_writes(&list, &known), None);
        let guest = [entry(SERVICE, Verdict::Allow, MODIFYING)];
        assert_eq!(stranger_who_writes(&guest, &known), Some(SERVICE));
    }
}
