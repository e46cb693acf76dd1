//! Limits and habits of the machine that people should know before they meet them.

#[cfg(not(windows))]
#[path = "machine/elsewhere.rs"]
mod imp;
#[cfg(windows)]
#[path = "machine/windows.rs"]
mod imp;

/// Returns how many pipes of full size an ordinary user may have; nothing where there is no limit.
pub fn pipes_of_full_size() -> Option<u64> {
    const PAGES_A_PIPE: u64 = 16;
    let text = std::fs::read_to_string("/proc/sys/fs/pipe-user-pages-soft").ok()?;
    let pages: u64 = text.trim().parse().ok()?;
    (pages > 0).then_some(pages / PAGES_A_PIPE)
}

/// Returns whether the system ends everything that this process starts as soon as somebody above it
/// ends: on Windows a job can say so, as those of many build runners and remote shells do.
pub fn ends_with_somebody() -> bool {
    imp::ends_with_somebody()
}

/// Returns the folders in which programs are looked for from now on, as far as this process, which
/// may be older than the last installation, does not look there. Always none on Unix.
pub fn folders_unknown_here() -> Vec<String> {
    let own = std::env::var("PATH").unwrap_or_default();
    lacking(&own, &imp::path_of_now())
}

fn lacking(own: &str, now: &str) -> Vec<String> {
    let plain = |folder: &str| folder.trim_end_matches('\\').to_lowercase();
    let known: Vec<String> = own.split(';').map(plain).collect();
    let folders = now.split(';').filter(|folder| !folder.is_empty());
    folders.filter(|folder| !known.contains(&plain(folder))).map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_were_added_meanwhile_are_unknown_here() {
        let own = r"C:\Windows;C:\Tools\";
        let none: [&str; 0] = [];
        assert_eq!(lacking(own, r"c:\windows\;;C:\tools"), none);
        assert_eq!(
            lacking(own, r"C:\Windows;C:\Program Files\nodejs"),
            [r"C:\Program Files\nodejs"]
        );
        assert_eq!(lacking(own, ""), none);
    }
}
