//! Variables that programs begin with.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    ffi::OsString,
    io,
    os::windows::io::{AsRawHandle as _, RawHandle},
    ptr::null_mut,
};

use windows_sys::Win32::{
    Globalization::{CSTR_EQUAL, CompareStringOrdinal},
    Security::{TOKEN_DUPLICATE, TOKEN_QUERY},
    System::{
        Environment::{CreateEnvironmentBlock, DestroyEnvironmentBlock},
        Threading::OpenProcessToken,
    },
};

use crate::{
    desk::{self, Manner},
    windows::{own, own_process, succeed, text_at, wide},
};

/// Returns the environment of this process, as `NAME=value`.
pub fn own_environment() -> Vec<Vec<u8>> {
    let joined = |(name, value): (OsString, OsString)| {
        format!("{}={}", name.to_string_lossy(), value.to_string_lossy()).into_bytes()
    };
    std::env::vars_os().map(joined).collect()
}

/// Returns whether two names mean the same variable: here `Path` is `PATH`.
#[expect(unsafe_code, reason = "CompareStringOrdinal")]
pub fn is_same_variable(one: &str, other: &str) -> bool {
    let (one, other) = (wide(one), wide(other));
    // SAFETY: both texts end with NUL, which -1 says; 1 asks to overlook case.
    unsafe { CompareStringOrdinal(one.as_ptr(), -1, other.as_ptr(), -1, 1) == CSTR_EQUAL }
}

/// What programs inherit: our own environment.
///
/// A service has that of the service control manager, which is as old as the boot: there, what
/// machine and user have set meanwhile is asked for at each start and wins.
#[derive(Debug)]
pub struct BaseEnvironment {
    own: Vec<Vec<u8>>,
    is_stale: bool,
}

impl BaseEnvironment {
    /// Takes note of our own environment.
    #[expect(clippy::new_without_default, reason = "it depends on the process")]
    pub fn new() -> Self {
        Self { own: own_environment(), is_stale: desk::manner() == Manner::Manager }
    }

    /// Returns what a program that starts now inherits.
    pub fn variables(&self) -> Cow<'_, [Vec<u8>]> {
        if !self.is_stale {
            return Cow::Borrowed(&self.own);
        }
        match fresh() {
            Ok(fresh) => Cow::Owned(overlaid(&self.own, fresh)),
            Err(_) => Cow::Borrowed(&self.own),
        }
    }
}

/// Returns all variables, each once; what is set later wins.
fn overlaid(own: &[Vec<u8>], fresh: Vec<String>) -> Vec<Vec<u8>> {
    let own = own.iter().map(|variable| String::from_utf8_lossy(variable).into_owned());
    let name_of = |variable: &str| {
        // Hidden variables such as `=C:` begin with the sign.
        let end = variable.char_indices().skip(1).find(|(_, letter)| *letter == '=');
        end.and_then(|(at, _)| variable.get(..at)).unwrap_or(variable).to_uppercase()
    };
    let all: BTreeMap<String, String> =
        own.chain(fresh).map(|variable| (name_of(&variable), variable)).collect();
    all.into_values().map(String::into_bytes).collect()
}

/// Returns what the registry says for machine and user at this moment.
#[expect(unsafe_code, reason = "OpenProcessToken, CreateEnvironmentBlock, DestroyEnvironmentBlock")]
pub(crate) fn fresh() -> io::Result<Vec<String>> {
    let mut token: RawHandle = null_mut();
    let access = TOKEN_QUERY | TOKEN_DUPLICATE;
    // SAFETY: `token` is valid for writes.
    succeed(unsafe { OpenProcessToken(own_process(), access, &raw mut token) })?;
    // SAFETY: the call made a new handle.
    let token = unsafe { own(token) }?;
    let mut block = null_mut();
    // SAFETY: `block` is valid for writes; 0 asks for nothing of our own.
    succeed(unsafe { CreateEnvironmentBlock(&raw mut block, token.as_raw_handle(), 0) })?;
    let mut variables = Vec::new();
    let mut at: *const u16 = block.cast_const().cast();
    loop {
        // SAFETY: the block is a row of texts that end with NUL, the last of which is empty.
        let variable = unsafe { text_at(at) };
        if variable.is_empty() {
            break;
        }
        // SAFETY: the next text begins behind the NUL of this one.
        at = unsafe { at.add(variable.encode_utf16().count() + 1) };
        variables.push(variable);
    }
    // SAFETY: the call above made the block, and nobody uses it any more.
    unsafe { DestroyEnvironmentBlock(block) };
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_registry_says_now_wins_and_the_rest_stays() {
        let own = ["Path=old", "MINE=1", "=C:=C:\\here"].map(|text| text.as_bytes().to_vec());
        let all = overlaid(&own, vec!["PATH=new".to_owned(), "MORE=2".to_owned()]);
        let all: Vec<_> = all.into_iter().map(|one| String::from_utf8(one).unwrap()).collect();
        assert_eq!(all, ["=C:=C:\\here", "MINE=1", "MORE=2", "PATH=new"]);
    }

    #[test]
    fn a_variable_that_was_set_meanwhile_is_there() {
        let name = format!("MAINSTAY_FRESH_{}", std::process::id());
        let reg = |words: &[&str]| {
            let done = std::process::Command::new("reg").args(words).output().unwrap();
            assert!(done.status.success(), "{done:?}");
        };
        reg(&["add", r"HKCU\Environment", "/v", &name, "/d", "new", "/f"]);
        let found = fresh().unwrap();
        reg(&["delete", r"HKCU\Environment", "/v", &name, "/f"]);
        assert!(found.contains(&format!("{name}=new")), "{found:?}");
        assert!(std::env::var(name).is_err(), "our own environment is older");
    }
}
