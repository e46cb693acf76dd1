//! Stories of the pipe, with both of its ends in one process.

use super::*;
use crate::{
    clock,
    door::Door,
    port::{Port, Token},
};

const SOON: Duration = Duration::from_secs(10);

/// A listener that hears one caller after the other.
struct Listener {
    port: Port,
    door: Door,
    name: String,
}

impl Listener {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        let (port, door) = (Port::new().unwrap(), Door::open(&path).unwrap());
        drop(door.accept_untouched().unwrap());
        Self { port, door, name: super::name(&path).unwrap() }
    }

    fn hear_one(&mut self, mut judge: impl FnMut(&mut Caller)) -> Heard {
        let until = clock::monotonic() + SOON;
        let mut caller = None;
        loop {
            assert!(clock::monotonic() < until, "nobody says anything");
            self.port.wait(Some(Duration::from_millis(1))).unwrap();
            if caller.is_none() {
                let pipe = self.door.accept_untouched().unwrap();
                let arrived = pipe.map(|pipe| Caller::new(pipe).unwrap());
                caller = arrived.map(|caller| self.port.watch(caller, Token(1)).unwrap());
            }
            let Some(caller) = &mut caller else { continue };
            match caller.hear() {
                Heard::Nothing => {}
                heard @ (Heard::Message(_) | Heard::Nonsense) => {
                    judge(caller);
                    return heard;
                }
            }
        }
    }
}

#[test]
fn a_message_is_heard_whole_and_its_sender_learns_that_it_was_dealt_with() {
    let mut listener = Listener::new("waits");
    let name = listener.name.clone();
    let sender =
        std::thread::spawn(move || send(&name, b"READY=1\nSTATUS=x", Patience::Waits, SOON));
    let heard = listener.hear_one(|caller| {
        assert_eq!(caller.pid(), std::process::id());
        assert!(!caller.belongs_to("nobody"));
        caller.answer();
    });
    assert_eq!(heard, Heard::Message(b"READY=1\nSTATUS=x".to_vec()));
    sender.join().unwrap().unwrap();
}

#[test]
fn who_does_not_wait_is_heard_as_well() {
    let mut listener = Listener::new("leaves");
    let name = listener.name.clone();
    let sender = std::thread::spawn(move || send(&name, b"READY=1", Patience::None, SOON));
    let heard = listener.hear_one(|_| {});
    assert_eq!(heard, Heard::Message(b"READY=1".to_vec()));
    sender.join().unwrap().unwrap();
}

#[test]
fn where_nobody_listens_it_is_said_in_time() {
    let name = r"\\.\pipe\mainstay-nobody-listens-here";
    send(name, b"READY=1", Patience::Waits, Duration::from_millis(50)).unwrap_err();
}
