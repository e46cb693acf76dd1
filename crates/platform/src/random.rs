//! Numbers that nobody else has, whatever the clocks say, and bytes that nobody guesses.

#[cfg(target_os = "linux")]
#[path = "random/linux.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "random/macos.rs"]
mod imp;
#[cfg(windows)]
#[path = "random/windows.rs"]
mod imp;

use std::{
    hash::{BuildHasher as _, RandomState},
    io,
};

/// Returns a number that was never returned before on any machine, as far as chance goes.
///
/// The keys of a hasher come from the system's own source; not for secrets.
pub fn number() -> u64 {
    RandomState::new().hash_one(0)
}

/// Returns bytes from the system's own source, good enough for keys.
pub fn secret_bytes<const COUNT: usize>() -> io::Result<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    imp::fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_number_comes_twice() {
        let numbers: BTreeSet<u64> = (0..1000).map(|_| number()).collect();
        assert_eq!(numbers.len(), 1000);
    }

    #[test]
    fn nobody_gets_the_same_bytes() {
        assert_ne!(secret_bytes::<32>().unwrap(), secret_bytes::<32>().unwrap());
        assert_ne!(secret_bytes::<32>().unwrap(), [0; 32]);
    }
}
