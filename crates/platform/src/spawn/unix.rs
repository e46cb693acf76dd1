//! What every Unix system asks for before a program can be started.

use std::{
    borrow::Cow,
    ffi::{CString, OsString},
    fs::OpenOptions,
    io,
    os::{fd::OwnedFd, unix::ffi::OsStringExt as _},
    path::PathBuf,
};

use super::{Program, search};

/// Returns the environment of this process, as `NAME=value`.
pub fn own_environment() -> Vec<Vec<u8>> {
    let joined = |(name, value): (OsString, OsString)| {
        let mut variable = name.into_vec();
        variable.push(b'=');
        variable.extend(value.into_vec());
        variable
    };
    std::env::vars_os().map(joined).collect()
}

/// Returns whether two names mean the same variable.
pub fn is_same_variable(one: &str, other: &str) -> bool {
    one == other
}

/// What programs inherit: our own environment.
#[derive(Debug)]
pub struct BaseEnvironment(Vec<Vec<u8>>);

impl BaseEnvironment {
    /// Takes note of our own environment.
    #[expect(clippy::new_without_default, reason = "it depends on the process")]
    pub fn new() -> Self {
        Self(own_environment())
    }

    /// Returns what a program that starts now inherits.
    pub fn variables(&self) -> Cow<'_, [Vec<u8>]> {
        Cow::Borrowed(&self.0)
    }
}

/// Returns the image that a start would execute.
pub(super) fn image_of(program: &Program<'_>) -> io::Result<PathBuf> {
    let image = search::find(program)?;
    std::path::absolute(OsString::from_vec(image.into_bytes()))
}

pub(super) fn open_null() -> io::Result<OwnedFd> {
    let file = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    Ok(file.into())
}

/// All that a new program is told, as texts that end with NUL; the pointers live as long as it.
pub(super) struct Texts {
    pub(super) image: CString,
    pub(super) directory: Option<CString>,
    pub(super) arguments: Vec<*const libc::c_char>,
    pub(super) environment: Vec<*const libc::c_char>,
    _owned: [Vec<CString>; 2],
}

impl Texts {
    /// Fails with the text that holds a NUL byte, or with the name of such a variable: nobody is
    /// to see what it holds.
    pub(super) fn new(
        program: &Program<'_>,
        environment: &[Vec<u8>],
        image: CString,
    ) -> Result<Self, String> {
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let text = |bytes: Vec<u8>| CString::new(bytes).map_err(|error| shown(&error.into_vec()));
        let variable = |bytes: &Vec<u8>| {
            let name = bytes.split(|byte| *byte == b'=').next().unwrap_or_default();
            CString::new(bytes.as_slice()).map_err(|_| shown(name))
        };
        let arguments: Result<Vec<_>, _> =
            program.command.iter().map(|word| text(word.clone().into_bytes())).collect();
        let environment: Result<Vec<_>, _> = environment.iter().map(variable).collect();
        let directory =
            program.directory.clone().map(|path| text(path.into_os_string().into_vec()));
        let owned = [arguments?, environment?];
        let [arguments, environment] = owned.each_ref().map(|texts| pointers(texts));
        let directory = directory.transpose()?;
        Ok(Self { image, directory, arguments, environment, _owned: owned })
    }
}

fn pointers(texts: &[CString]) -> Vec<*const libc::c_char> {
    texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
}
