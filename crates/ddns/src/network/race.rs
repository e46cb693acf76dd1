//! Tries several things, the next one when one has failed or takes long, and takes the first that
//! succeeds.

use std::time::Duration;

use tokio::{task::JoinSet, time};

use crate::wire::Later;

/// Something that is tried; why not is told in words.
pub(super) type Try<T> = Later<'static, Result<T, String>>;

/// Begins one attempt after the other and returns what the first one has found that succeeds.
///
/// The second is begun when the first has failed, or is not done after `patience`; so it goes on,
/// after `stagger` each. What is not needed any more is dropped.
pub(super) async fn race<T: Send + 'static>(
    attempts: Vec<Try<T>>,
    patience: Duration,
    stagger: Duration,
) -> Result<T, Vec<String>> {
    let mut runners = JoinSet::new();
    let mut failures = Vec::new();
    let mut pause = Duration::ZERO;
    let mut waiting = attempts.into_iter().enumerate();
    while waiting.len() > 0 || !runners.is_empty() {
        let ended = match waiting.len() {
            0 => runners.join_next().await,
            _ => time::timeout(pause, runners.join_next()).await.unwrap_or_default(),
        };
        match ended {
            Some(Ok(Ok(found))) => return Ok(found),
            Some(Ok(Err(why))) => failures.push(why),
            Some(Err(_)) => failures.push("it broke off".to_owned()),
            None => {}
        }
        if let Some((place, next)) = waiting.next() {
            runners.spawn(next);
            pause = if place == 0 { patience } else { stagger };
        }
    }
    Err(failures)
}

#[cfg(test)]
mod tests {
    use std::future;

    use tokio::{runtime::Builder, time::Instant};

    use super::*;

    const STEP: Duration = Duration::from_secs(10);

    #[test]
    fn the_next_is_tried_when_one_fails_or_takes_long() {
        check(vec![fails("a"), finds("b", 0)], Ok("b"), 0);
        check(vec![never(), fails("b"), finds("c", 0)], Ok("c"), 10);
        check(vec![never(), never(), finds("c", 0)], Ok("c"), 11);
        check(vec![finds("a", 15), finds("b", 30)], Ok("a"), 15);
        check(vec![finds("a", 15), finds("b", 3)], Ok("b"), 13);
        check(vec![fails("a"), fails("b")], Err(vec!["a", "b"]), 0);
        check(vec![], Err(vec![]), 0);
    }

    /// In a pretended time that runs when nobody has anything to do.
    fn check(
        attempts: Vec<Try<&'static str>>,
        expected: Result<&'static str, Vec<&str>>,
        seconds: u64,
    ) {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let begun = Instant::now();
            let ended = race(attempts, STEP, STEP / 10).await;
            let expected = expected.map_err(|all| all.into_iter().map(str::to_owned).collect());
            assert_eq!((ended, begun.elapsed().as_secs()), (expected, seconds));
        });
    }

    fn fails(why: &'static str) -> Try<&'static str> {
        Box::pin(future::ready(Err(why.to_owned())))
    }

    fn finds(what: &'static str, seconds: u64) -> Try<&'static str> {
        Box::pin(async move {
            let at = Instant::now() + Duration::from_secs(seconds);
            time::sleep_until(at).await;
            Ok(what)
        })
    }

    fn never() -> Try<&'static str> {
        Box::pin(future::pending())
    }
}
