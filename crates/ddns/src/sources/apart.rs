//! Work that may stand still, on a thread of its own, one at a time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Where such work is done: what has not come to its end keeps the next one out, so that there is
/// never more than one thread that stands still.
#[derive(Debug, Default)]
pub(super) struct Apart {
    is_busy: Arc<AtomicBool>,
}

/// Takes the mark away when the work is over, however it ends.
struct Mark(Arc<AtomicBool>);

impl Drop for Mark {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Apart {
    /// Does some work and waits for it so long; says why there is nothing otherwise.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        within: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, String> {
        if self.is_busy.swap(true, Ordering::AcqRel) {
            return Err("the last attempt has not come to its end yet".to_owned());
        }
        let mark = Mark(Arc::clone(&self.is_busy));
        let working = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(mark);
            done
        });
        match tokio::time::timeout(within, working).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(_)) => Err("it broke off".to_owned()),
            Err(_) => Err(format!("it did not come to its end within {}s", within.as_secs())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn what_stands_still_keeps_the_next_one_out_until_it_moves() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let apart = Apart::default();
        let (release, held) = mpsc::channel::<()>();
        runtime.block_on(async {
            let late = apart.run(Duration::ZERO, move || held.recv()).await.unwrap_err();
            assert!(late.contains("within 0s"), "{late}");
            let kept_out = apart.run(Duration::from_mins(1), || 1).await.unwrap_err();
            assert!(kept_out.contains("has not come to its end"), "{kept_out}");
            drop(release);
            while apart.run(Duration::from_mins(1), || 1).await != Ok(1) {
                tokio::task::yield_now().await;
            }
        });
    }
}
