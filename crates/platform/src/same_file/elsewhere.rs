//! Nobody tells.

use crate::descriptor::Descriptor;

pub(super) const fn are_same(_one: &Descriptor, _other: &Descriptor) -> bool {
    false
}
