//! An access list with one entry more, or without somebody's entries.

use std::{
    io,
    ptr::{from_ref, null_mut, with_exposed_provenance_mut},
};

use windows_sys::Win32::{
    Foundation::LocalFree,
    Security::{
        ACE_FLAGS, ACL,
        Authorization::{
            EXPLICIT_ACCESS_W, GRANT_ACCESS, REVOKE_ACCESS, SetEntriesInAclW, TRUSTEE_IS_SID,
            TRUSTEE_IS_UNKNOWN, TRUSTEE_W,
        },
    },
};

use super::{account::Identifier, check};

/// A list that the system allocated.
#[derive(Debug)]
pub(crate) struct Amended(*mut ACL);

impl Amended {
    /// Returns what a list says, and that somebody has these rights, passed on like that.
    pub(crate) fn with(
        former: *mut ACL,
        who: &Identifier,
        (access, inheritance): (u32, ACE_FLAGS),
    ) -> io::Result<Self> {
        let entry = EXPLICIT_ACCESS_W {
            grfAccessPermissions: access,
            grfAccessMode: GRANT_ACCESS,
            grfInheritance: inheritance,
            Trustee: trustee(who),
        };
        Self::of(former, &entry)
    }

    /// Returns what a list says but of somebody. What a folder above passes on is not its own, and
    /// comes back when the list is set.
    pub(crate) fn without(former: *mut ACL, who: &Identifier) -> io::Result<Self> {
        let entry = EXPLICIT_ACCESS_W {
            grfAccessMode: REVOKE_ACCESS,
            Trustee: trustee(who),
            ..EXPLICIT_ACCESS_W::default()
        };
        Self::of(former, &entry)
    }

    /// What the entry points to lives until the call returns.
    #[expect(unsafe_code, reason = "SetEntriesInAclW")]
    fn of(former: *mut ACL, entry: &EXPLICIT_ACCESS_W) -> io::Result<Self> {
        let mut amended = null_mut();
        // SAFETY: as promised; the former list lives as long; `amended` is valid for writes.
        check(unsafe { SetEntriesInAclW(1, from_ref(entry), former, &raw mut amended) })?;
        Ok(Self(amended))
    }

    pub(crate) const fn raw(&self) -> *mut ACL {
        self.0
    }
}

impl Drop for Amended {
    #[expect(unsafe_code, reason = "LocalFree")]
    fn drop(&mut self) {
        // SAFETY: the system allocated the list for us, and nobody uses it any more.
        unsafe { LocalFree(self.0.cast()) };
    }
}

fn trustee(who: &Identifier) -> TRUSTEE_W {
    TRUSTEE_W {
        TrusteeForm: TRUSTEE_IS_SID,
        TrusteeType: TRUSTEE_IS_UNKNOWN,
        ptstrName: with_exposed_provenance_mut(who.raw().expose_provenance()),
        ..TRUSTEE_W::default()
    }
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Security::NO_INHERITANCE;

    use super::*;

    #[expect(unsafe_code, reason = "the head of a list")]
    fn count(list: &Amended) -> u16 {
        // SAFETY: the list is valid while its holder lives.
        unsafe { (*list.raw()).AceCount }
    }

    #[test]
    fn whoever_was_added_can_be_taken_out_again_and_others_stay() {
        let [one, other] = ["S-1-5-80-1-2-3-4-5", "S-1-5-80-5-4-3-2-1"]
            .map(|text| Identifier::parse(text).unwrap());
        let first = Amended::with(null_mut(), &one, (1, NO_INHERITANCE)).unwrap();
        let both = Amended::with(first.raw(), &other, (1, NO_INHERITANCE)).unwrap();
        assert_eq!(count(&both), 2);
        let left = Amended::without(both.raw(), &one).unwrap();
        assert_eq!(count(&left), 1);
        assert_eq!(count(&Amended::without(left.raw(), &one).unwrap()), 1);
    }
}
