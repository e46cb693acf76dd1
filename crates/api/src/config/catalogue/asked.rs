//! Which keys the parser asks for.

use std::{cell::RefCell, collections::BTreeSet};

use super::Part;

/// A part, and one of its keys.
type Asked = (&'static str, &'static str);

thread_local! {
    static ASKED: RefCell<BTreeSet<Asked>> = const { RefCell::new(BTreeSet::new()) };
}

/// Notes that a key was asked for.
pub(in crate::config) fn note(part: &'static Part, key: &'static str) {
    ASKED.with_borrow_mut(|asked| asked.insert((part.path, key)));
}

/// Returns all that this test has asked for.
pub(super) fn all() -> BTreeSet<Asked> {
    ASKED.with_borrow(Clone::clone)
}
