//! Variables say it all.

pub(super) const fn of_desktop() -> String {
    String::new()
}
