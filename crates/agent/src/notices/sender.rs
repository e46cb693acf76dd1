//! Whether a sender may speak for a run.

use std::io;

use mainstay_api::notify::Access;
use mainstay_core::UnitName;
use mainstay_platform::{
    datagram::Sender,
    kin::{self, Kin},
    shortage::is_shortage,
};

/// So many generations lie between a run's main process and a sender, at most.
const GENERATIONS_MAX: usize = 64;

/// For whom somebody speaks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whom<'a> {
    pub(super) unit: &'a UnitName,
    pub(super) run: u64,
    /// The folder by which its instance is known to its programs.
    pub(super) instance: &'a str,
    /// Its main process, while there is one.
    pub(super) main: Option<u32>,
    pub(super) access: Access,
}

/// Why somebody is not heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stranger {
    #[error("nobody may notify")]
    Nobody,
    #[error("process {0} is another user's")]
    User(u32),
    #[error("its sender cannot be seen from here")]
    Unseen,
    #[error("process {0} is not the main process, and `notify` lets nobody else speak")]
    NotMain(u32),
    #[error("process {0} is none of its run")]
    NotOfRun(u32),
}

/// What a process was started with, each as `NAME=value`.
type Variables = Vec<Vec<u8>>;

/// Whom a process belongs to, if it is not gone.
type Found = io::Result<Option<Kin>>;

/// How processes are looked at.
#[derive(Debug, Clone, Copy)]
struct Eyes {
    /// Nothing of one that is gone.
    kin: fn(u32) -> Found,
    variables: fn(u32) -> io::Result<Variables>,
}

const OURS: Eyes = Eyes { kin: kin_of, variables: kin::variables_of };

/// Nobody can be looked at for want of descriptors or memory; whoever is hidden from us for another
/// reason counts as gone.
fn kin_of(pid: u32) -> Found {
    match kin::of(pid) {
        Err(error) if is_shortage(&error) => Err(error),
        found => Ok(found.unwrap_or_default()),
    }
}

/// Returns why a message does not count, if it does not; an error when the system refuses to tell
/// who has sent it.
///
/// Who is gone already is believed, because a user's socket is reached by that user alone: shells
/// send by a helper that ends at once. Where the system does not say who has sent, the socket's mode
/// has to do.
pub(super) fn objection_to(sender: Option<Sender>, whom: Whom<'_>) -> io::Result<Option<Stranger>> {
    OURS.objection_to(sender, whom)
}

/// Returns whether a process that lives is one of the run.
pub(super) fn belongs(pid: u32, whom: Whom<'_>) -> io::Result<bool> {
    OURS.is_one_of(pid, whom)
}

impl Eyes {
    fn objection_to(self, sender: Option<Sender>, whom: Whom<'_>) -> io::Result<Option<Stranger>> {
        if whom.access == Access::None {
            return Ok(Some(Stranger::Nobody));
        }
        let Some(Sender { pid, is_trusted }) = sender else { return Ok(None) };
        Ok(match pid {
            _ if !is_trusted => Some(Stranger::User(pid)),
            0 => Some(Stranger::Unseen),
            _ if Some(pid) == whom.main => None,
            _ if whom.access == Access::Main => Some(Stranger::NotMain(pid)),
            _ if self.may_speak(pid, whom)? => None,
            _ => Some(Stranger::NotOfRun(pid)),
        })
    }

    fn may_speak(self, pid: u32, whom: Whom<'_>) -> io::Result<bool> {
        self.living(pid)?.map_or(Ok(true), |kin| self.is_of_run(pid, kin, whom))
    }

    fn is_one_of(self, pid: u32, whom: Whom<'_>) -> io::Result<bool> {
        if Some(pid) == whom.main {
            return Ok(true);
        }
        self.living(pid)?.map_or(Ok(false), |kin| self.is_of_run(pid, kin, whom))
    }

    fn living(self, pid: u32) -> io::Result<Option<Kin>> {
        Ok((self.kin)(pid)?.filter(|kin| !kin.has_ended))
    }

    fn is_of_run(self, pid: u32, kin: Kin, whom: Whom<'_>) -> io::Result<bool> {
        let is_in_group = Some(kin.group) == whom.main;
        Ok(is_in_group || self.carries_mark(pid, whom)? || self.descends(kin, whom)?)
    }

    /// Returns whether it was started with what the run's programs are given.
    fn carries_mark(self, pid: u32, whom: Whom<'_>) -> io::Result<bool> {
        let variables = (self.variables)(pid)?;
        let marks = [
            format!("MAINSTAY_UNIT={}", whom.unit),
            format!("MAINSTAY_RUN={}", whom.run),
            format!("MAINSTAY_INSTANCE={}", whom.instance),
        ];
        let carries = |mark: &String| variables.iter().any(|it| it == mark.as_bytes());
        Ok(marks.iter().all(carries))
    }

    fn descends(self, kin: Kin, whom: Whom<'_>) -> io::Result<bool> {
        let mut kin = kin;
        for _ in 0..GENERATIONS_MAX {
            if Some(kin.parent) == whom.main {
                return Ok(true);
            }
            // The first process of a machine or container is everybody's.
            if kin.parent <= 1 {
                return Ok(false);
            }
            let Some(next) = (self.kin)(kin.parent)? else { return Ok(false) };
            kin = next;
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Processes by number, with parent, group and variables; the others are gone.
    type Table = &'static [(u32, u32, u32, &'static str)];

    const TABLE: Table = &[
        (100, 1, 100, ""),
        (101, 100, 100, ""),
        (102, 101, 102, ""),
        (103, 102, 103, ""),
        (200, 1, 200, "MAINSTAY_UNIT=web MAINSTAY_RUN=3 MAINSTAY_INSTANCE=/run/x"),
        (201, 1, 201, "MAINSTAY_UNIT=web MAINSTAY_RUN=2 MAINSTAY_INSTANCE=/run/x"),
        (202, 1, 202, "MAINSTAY_UNIT=web MAINSTAY_RUN=3 MAINSTAY_INSTANCE=/run/y"),
        (300, 1, 300, ""),
        (400, 400, 400, ""),
        (501, 1, 501, ""),
        (502, 500, 502, ""),
    ];

    /// The system refuses to tell of this one, and what this one was started with.
    const HIDDEN: u32 = 500;
    const SHUT: u32 = 501;

    const EYES: Eyes = Eyes {
        kin: |pid| {
            if pid == HIDDEN {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            let found = TABLE.iter().find(|it| it.0 == pid);
            Ok(found.map(|it| Kin { parent: it.1, group: it.2, has_ended: pid == 103 }))
        },
        variables: |pid| {
            if pid == SHUT {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            let found = TABLE.iter().find(|it| it.0 == pid).map_or("", |it| it.3);
            Ok(found.split(' ').map(|variable| variable.as_bytes().to_vec()).collect())
        },
    };

    fn objection(pid: u32, access: Access) -> Option<Stranger> {
        let unit = UnitName::parse("web").unwrap();
        let whom = Whom { unit: &unit, run: 3, instance: "/run/x", main: Some(100), access };
        EYES.objection_to(Some(Sender { pid, is_trusted: true }), whom).unwrap()
    }

    #[test]
    fn processes_of_the_run_are_heard_and_others_are_not() {
        let by_group = 101;
        let by_descent = 102;
        let by_mark = 200;
        for pid in [100, by_group, by_descent, by_mark] {
            assert_eq!(objection(pid, Access::All), None, "{pid}");
        }
        let of_another_run = 201;
        let of_another_instance = 202;
        let its_own_parent = 400;
        for pid in [of_another_run, of_another_instance, 300, its_own_parent] {
            assert_eq!(objection(pid, Access::All), Some(Stranger::NotOfRun(pid)), "{pid}");
        }
    }

    #[test]
    fn whoever_is_gone_is_believed() {
        let (reaped, not_yet_reaped) = (999, 103);
        assert_eq!(objection(reaped, Access::All), None);
        assert_eq!(objection(not_yet_reaped, Access::All), None);
    }

    #[test]
    fn only_the_main_process_is_heard_where_nobody_else_may_speak() {
        assert_eq!(objection(100, Access::Main), None);
        for pid in [101, 999] {
            assert_eq!(objection(pid, Access::Main), Some(Stranger::NotMain(pid)));
        }
        assert_eq!(objection(100, Access::None), Some(Stranger::Nobody));
    }

    #[test]
    fn other_users_and_whoever_cannot_be_seen_are_not_heard() {
        let unit = UnitName::parse("web").unwrap();
        let (main, access) = (Some(5), Access::All);
        let whom = Whom { unit: &unit, run: 3, instance: "/run/x", main, access };
        let objection =
            |pid, is_trusted| EYES.objection_to(Some(Sender { pid, is_trusted }), whom).unwrap();
        assert_eq!(objection(5, false), Some(Stranger::User(5)));
        assert_eq!(objection(0, true), Some(Stranger::Unseen));
        let unknown = EYES.objection_to(None, whom).unwrap();
        assert_eq!(unknown, None, "the system does not say who");
    }

    #[test]
    fn what_is_gone_cannot_become_the_main_process() {
        let unit = UnitName::parse("web").unwrap();
        let (main, access) = (Some(100), Access::All);
        let whom = Whom { unit: &unit, run: 3, instance: "/run/x", main, access };
        assert!(EYES.is_one_of(102, whom).unwrap());
        assert!(!EYES.is_one_of(999, whom).unwrap() && !EYES.is_one_of(300, whom).unwrap());
    }

    #[test]
    fn what_the_system_refuses_to_tell_is_no_fact() {
        let unit = UnitName::parse("web").unwrap();
        let (main, access) = (Some(100), Access::All);
        let whom = Whom { unit: &unit, run: 3, instance: "/run/x", main, access };
        let child_of_hidden = 502;
        for pid in [HIDDEN, SHUT, child_of_hidden] {
            EYES.objection_to(Some(Sender { pid, is_trusted: true }), whom).unwrap_err();
            EYES.is_one_of(pid, whom).unwrap_err();
        }
    }
}
