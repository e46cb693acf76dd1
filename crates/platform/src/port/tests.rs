//! Wake-ups at every point of a wait.

use std::{sync::mpsc::channel, thread, time::Duration};

use super::Port;
use crate::clock;

/// What a lost wake-up costs; nothing else here waits.
const DEADLINE: Duration = Duration::from_secs(20);
/// Enough for wake-ups to fall between any two steps of a wait.
const ROUNDS: usize = 2000;

#[test]
fn no_wake_up_is_lost_whenever_it_comes() {
    let mut port = Port::new().unwrap();
    let waker = port.waker();
    let (sender, rounds) = channel();
    let other = thread::spawn(move || rounds.into_iter().for_each(|()| waker.wake()));
    for round in 0..ROUNDS {
        sender.send(()).unwrap();
        let until = clock::monotonic() + DEADLINE;
        port.wait(Some(DEADLINE)).unwrap();
        assert!(clock::monotonic() < until, "wake-up {round} was lost");
    }
    drop(sender);
    other.join().unwrap();
}
