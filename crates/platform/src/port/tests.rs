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

#[test]
#[cfg(windows)]
fn hundreds_of_idle_things_wake_nobody_and_each_is_heard() {
    /// More than one call of the system waits for.
    const THINGS: usize = 200;
    let mut port = Port::new().unwrap();
    let pipes: Vec<_> = (0..THINGS).map(|_| crate::pipe::pipe().unwrap()).collect();
    let (readers, mut writers): (Vec<_>, Vec<_>) = pipes.into_iter().unzip();
    let watch = |(number, reader)| port.watch_once(reader, super::Token(number)).unwrap();
    let readers: Vec<_> = (0_u64..).zip(readers).map(watch).collect();
    for reader in &readers {
        reader.arm().unwrap();
    }
    // What some of them say while they are armed has been heard by now.
    assert!(port.wait(Some(Duration::from_millis(50))).unwrap().is_empty());
    port.sleeps = 0;
    assert!(port.wait(Some(Duration::from_millis(300))).unwrap().is_empty());
    assert_eq!(port.sleeps, 1, "somebody was woken for nothing");
    for number in [THINGS - 1, 0, THINGS / 2] {
        let writer = writers[number].as_descriptor().try_clone_to_owned().unwrap();
        std::io::Write::write_all(&mut std::fs::File::from(writer), b"news").unwrap();
        let ready = port.wait(Some(DEADLINE)).unwrap();
        let tokens: Vec<_> = ready.iter().map(|ready| ready.token.0).collect();
        assert_eq!(tokens, [number as u64]);
    }
    writers.pop();
    let last = readers.last().unwrap();
    let file = std::fs::File::create(std::env::temp_dir().join("mainstay-port-ends")).unwrap();
    last.move_to(&file, 0, 4, crate::pipe::Way::Copy).unwrap();
    last.arm().unwrap();
    assert_eq!(port.wait(Some(DEADLINE)).unwrap().len(), 1, "the end is no news");
}
