//! Where the tests find what belongs to a service.

use std::path::PathBuf;

/// Returns the folder of a service whose name needs no escapes.
pub(crate) fn of_service(name: &str) -> PathBuf {
    let base = std::env::var_os("ProgramData").unwrap();
    PathBuf::from(base).join("mainstay").join("services").join(name)
}
