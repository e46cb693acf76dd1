//! Nobody ends a program with its parent here, and an environment is never renewed.

pub(super) const fn ends_with_somebody() -> bool {
    false
}

pub(super) const fn path_of_now() -> String {
    String::new()
}
