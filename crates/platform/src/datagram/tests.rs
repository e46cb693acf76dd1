//! Stories of sockets of single messages.

use std::{
    io::{Read as _, Write as _},
    os::fd::AsFd as _,
    path::PathBuf,
};

use super::*;
use crate::port::Token;

/// A socket in a folder of its own.
struct Place {
    folder: PathBuf,
    address: String,
}

impl Place {
    fn new(name: &str) -> (Self, Inbox) {
        let folder = std::env::temp_dir().join(format!("ms-dg-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("web.sock");
        let inbox = Inbox::open(&path).unwrap();
        (Self { folder, address: path.display().to_string() }, inbox)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

#[test]
fn a_message_stays_until_it_is_taken() {
    let (place, inbox) = Place::new("stays");
    assert!(inbox.look(64).unwrap().is_none());
    send(&place.address, b"READY=1", &[]).unwrap();
    send(&place.address, b"STOPPING=1", &[]).unwrap();
    for _ in 0..2 {
        assert_eq!(inbox.look(64).unwrap().unwrap().bytes, b"READY=1");
    }
    let again = Inbox::from_descriptor(inbox.duplicate().unwrap()).unwrap();
    drop(inbox);
    assert_eq!(again.look(64).unwrap().unwrap().bytes, b"READY=1");
    again.take().unwrap();
    assert_eq!(again.look(64).unwrap().unwrap().bytes, b"STOPPING=1");
    again.take().unwrap();
    assert!(again.look(64).unwrap().is_none());
}

#[test]
#[cfg(target_os = "linux")]
fn the_system_says_who_has_sent_a_message() {
    let (place, inbox) = Place::new("who");
    send(&place.address, b"x", &[]).unwrap();
    let sender = inbox.look(64).unwrap().unwrap().sender.unwrap();
    assert_eq!(sender, Sender { pid: std::process::id(), is_trusted: true });
}

#[test]
fn a_long_message_is_cut_and_says_so() {
    let (place, inbox) = Place::new("long");
    send(&place.address, &[b'x'; 100], &[]).unwrap();
    let datagram = inbox.look(64).unwrap().unwrap();
    assert_eq!((datagram.bytes.len(), datagram.is_cut), (64, true));
    assert!(!inbox.look(100).unwrap().unwrap().is_cut);
}

#[test]
fn descriptors_ride_along_and_are_gone_with_the_message() {
    let (place, inbox) = Place::new("ride");
    let (mut ours, theirs) = io::pipe().unwrap();
    send(&place.address, b"FDSTORE=1", &[theirs.as_fd(), theirs.as_fd()]).unwrap();
    drop(theirs);
    let datagram = inbox.look(64).unwrap().unwrap();
    assert_eq!(datagram.riders.len(), 2);
    let mut writer = std::fs::File::from(datagram.riders.into_iter().next().unwrap());
    writer.write_all(b"through").unwrap();
    drop(writer);
    inbox.take().unwrap();
    let mut text = String::new();
    // The end comes because nobody holds the other side any more.
    ours.read_to_string(&mut text).unwrap();
    assert_eq!(text, "through");
}

#[test]
fn a_barrier_passes_once_its_message_is_taken() {
    let (place, inbox) = Place::new("barrier");
    let late = send_barrier(&place.address, b"BARRIER=1", Duration::from_millis(1)).unwrap();
    assert_eq!(late, Barrier::Late);
    inbox.take().unwrap();
    let address = place.address.clone();
    let waiting = std::thread::spawn(move || {
        send_barrier(&address, b"BARRIER=1", Duration::from_secs(10)).unwrap()
    });
    while inbox.look(64).unwrap().is_none() {
        std::thread::yield_now();
    }
    inbox.take().unwrap();
    assert_eq!(waiting.join().unwrap(), Barrier::Passed);
}

/// In a process of its own, which may have few descriptors.
#[test]
fn descriptors_for_which_there_is_no_room_leave_their_message_where_it_is() {
    const ALONE: &str = "MAINSTAY_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return riders_without_room();
    }
    let name = "descriptors_for_which_there_is_no_room_leave_their_message_where_it_is";
    let own = std::env::current_exe().unwrap();
    let mut child = std::process::Command::new(own);
    child.args(["--exact", &format!("datagram::tests::{name}")]).env(ALONE, "1");
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn riders_without_room() {
    let (place, inbox) = Place::new("room");
    let (reader, _writer) = io::pipe().unwrap();
    send(&place.address, b"FDSTORE=1", &[reader.as_fd(), reader.as_fd(), reader.as_fd()]).unwrap();
    let limit = rustix::process::Rlimit { current: Some(64), maximum: Some(64) };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).unwrap();
    let mut held: Vec<Descriptor> = std::iter::from_fn(|| inbox.duplicate().ok()).collect();
    for room in 0..3 {
        let error = inbox.look(64).unwrap_err();
        assert!(crate::shortage::is_shortage(&error), "room for {room}: {error}");
        held.pop();
    }
    let message = inbox.look(64).unwrap().unwrap();
    assert_eq!((message.riders.len(), message.are_riders_withheld), (3, false));
}

#[test]
fn only_whoever_is_asked_to_is_reported_and_again_when_asked_again() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (place, inbox) = Place::new("watched");
        let mut inboxes = Inboxes::new().unwrap();
        let watched = inboxes.watch(inbox, Token(7)).unwrap();
        send(&place.address, b"x", &[]).unwrap();
        let nothing = tokio::time::timeout(Duration::from_millis(20), inboxes.ready());
        assert!(nothing.await.is_err(), "not armed");
        for _ in 0..3 {
            watched.arm().unwrap();
            assert_eq!(inboxes.ready().await.unwrap(), [Token(7)]);
        }
    });
}

#[test]
fn nobody_else_reaches_the_socket_and_a_long_path_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let (place, _inbox) = Place::new("mode");
    let mode = std::fs::metadata(&place.address).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let long = place.folder.join("x".repeat(120));
    assert!(!fits(&long));
    Inbox::open(&long).unwrap_err();
}

/// What cannot be watched, and what has no other end, stays.
#[test]
#[cfg(target_os = "linux")]
fn the_end_of_what_came_along_is_seen_and_nothing_else_of_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut inboxes = Inboxes::new().unwrap();
        let (reader, mut writer) = io::pipe().unwrap();
        let file = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
        let mut all: Vec<Guarded> =
            [Descriptor::from(reader), file.into()].map(Guarded::new).into();
        for (guarded, token) in all.iter_mut().zip(1..) {
            inboxes.guard(guarded, Token(token));
        }
        assert_eq!([all[0].is_watched(), all[1].is_watched()], [true, false]);
        writer.write_all(b"x").unwrap();
        let nothing = tokio::time::timeout(Duration::from_millis(20), inboxes.ready());
        assert!(nothing.await.is_err(), "there is something to read, and that is all");
        drop(writer);
        assert_eq!(inboxes.ready().await.unwrap(), [Token(1)]);
        let nothing = tokio::time::timeout(Duration::from_millis(20), inboxes.ready());
        assert!(nothing.await.is_err(), "it is told once");
    });
}
