//! The moment of the boot, without later corrections of the clock.
//!
//! A random value in a volatile registry key would say the same, but not to everybody: below the
//! machine's keys few accounts may write, and a service account's own hive goes when its last
//! keeper does, though programs run on. They would be taken for those of another boot and started
//! twice.

use std::{io, ptr::null_mut};

use windows_sys::Wdk::System::SystemInformation::{
    NtQuerySystemInformation, SystemTimeOfDayInformation,
};

/// The start of `SYSTEM_TIMEOFDAY_INFORMATION`.
#[repr(C)]
#[derive(Default)]
struct TimeOfDay {
    boot_time: i64,
    current_time: i64,
    time_zone_bias: i64,
    time_zone: [u32; 2],
    boot_time_bias: i64,
    sleep_time_bias: i64,
}

#[expect(unsafe_code, reason = "NtQuerySystemInformation")]
pub(super) fn identity() -> io::Result<String> {
    let mut time = TimeOfDay::default();
    let size = u32::try_from(size_of::<TimeOfDay>()).unwrap_or_default();
    let to = (&raw mut time).cast();
    // SAFETY: `to` is valid for writes of `size` bytes, plain integers.
    let status =
        unsafe { NtQuerySystemInformation(SystemTimeOfDayInformation, to, size, null_mut()) };
    if status < 0 {
        return Err(io::Error::other(format!("the time of the boot is unknown: {status:#x}")));
    }
    Ok(format!("boot-{:x}", time.boot_time - time.boot_time_bias))
}
