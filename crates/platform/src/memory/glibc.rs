//! `mallopt` and `malloc_trim`.

/// What is larger than this goes back to the system as soon as it is freed.
const LARGE_BYTES: libc::c_int = 128 * 1024;

#[expect(unsafe_code, reason = "mallopt has no safe wrapper")]
pub(super) fn be_thrifty() {
    // One arena: each further one keeps what its threads have freed. Setting a threshold also keeps
    // it from growing with the largest buffer that was ever freed.
    let options = [
        (libc::M_ARENA_MAX, 1),
        (libc::M_MMAP_THRESHOLD, LARGE_BYTES),
        (libc::M_TRIM_THRESHOLD, LARGE_BYTES),
    ];
    for (option, value) in options {
        // SAFETY: no memory is involved; a refusal leaves everything as it was.
        unsafe { libc::mallopt(option, value) };
    }
}

#[expect(unsafe_code, reason = "malloc_trim has no safe wrapper")]
pub(super) fn give_back() {
    // SAFETY: only pages that nobody has allocated are given back; it takes the allocator's locks.
    unsafe { libc::malloc_trim(0) };
}
