//! The language in which the system speaks to its user.

#[cfg(not(windows))]
#[path = "language/elsewhere.rs"]
mod imp;
#[cfg(windows)]
#[path = "language/windows.rs"]
mod imp;

/// Returns the language of the user's desktop as a tag such as `zh-CN`.
///
/// Empty where the system has no say in it beyond the variables `LC_ALL`, `LC_MESSAGES` and `LANG`.
pub fn of_desktop() -> String {
    imp::of_desktop()
}
