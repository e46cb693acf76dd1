//! Codes of the system and of its sockets.

use windows_sys::Win32::Foundation::{
    ERROR_COMMITMENT_LIMIT, ERROR_NO_SYSTEM_RESOURCES, ERROR_NOT_ENOUGH_MEMORY, ERROR_OUTOFMEMORY,
    ERROR_TOO_MANY_OPEN_FILES,
};

/// `WSAEMFILE`, `WSAENOBUFS`.
const SOCKETS: [i32; 2] = [10024, 10055];

pub(super) const CODES: &[i32] = &[
    ERROR_TOO_MANY_OPEN_FILES.cast_signed(),
    ERROR_NOT_ENOUGH_MEMORY.cast_signed(),
    ERROR_OUTOFMEMORY.cast_signed(),
    ERROR_NO_SYSTEM_RESOURCES.cast_signed(),
    ERROR_COMMITMENT_LIMIT.cast_signed(),
    SOCKETS[0],
    SOCKETS[1],
];
