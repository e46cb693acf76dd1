//! Hearing that the machine woke up from a suspend.

#[cfg(target_os = "linux")]
#[path = "wake/linux.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "wake/macos.rs"]
mod imp;
#[cfg(windows)]
#[path = "wake/windows.rs"]
mod imp;

use std::io;

/// Tells when the machine wakes up.
///
/// Linux says so with every change of the time of day; whether the machine was suspended meanwhile,
/// two clocks tell. Windows says it itself. macOS: unsupported.
#[derive(Debug)]
pub struct Wakes(imp::Wakes);

impl Wakes {
    /// Begins to listen. Must be called inside a runtime.
    pub fn watch() -> io::Result<Self> {
        imp::Wakes::watch().map(Self)
    }

    /// Waits until the machine has woken up; nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> io::Result<()> {
        self.0.next().await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn a_machine_that_stays_awake_is_not_told_of() {
        match Wakes::watch() {
            Ok(mut wakes) => {
                let waiting = tokio::time::timeout(Duration::from_millis(50), wakes.next());
                waiting.await.unwrap_err();
            }
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::Unsupported),
        }
    }
}
