//! `pthread_set_qos_class_self_np`.

use std::io;

#[expect(unsafe_code, reason = "pthread_set_qos_class_self_np")]
pub(super) fn give_way() -> io::Result<()> {
    let class = libc::qos_class_t::QOS_CLASS_BACKGROUND;
    // SAFETY: no memory is involved; it is about the calling thread.
    let outcome = unsafe { libc::pthread_set_qos_class_self_np(class, 0) };
    if outcome == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(outcome)) }
}
