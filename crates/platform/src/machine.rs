//! Limits of the machine that people should know before they meet them.

/// Returns how many pipes of full size an ordinary user may have; nothing where there is no limit.
pub fn pipes_of_full_size() -> Option<u64> {
    const PAGES_A_PIPE: u64 = 16;
    let text = std::fs::read_to_string("/proc/sys/fs/pipe-user-pages-soft").ok()?;
    let pages: u64 = text.trim().parse().ok()?;
    (pages > 0).then_some(pages / PAGES_A_PIPE)
}
