//! Callers and a door in one process: bytes, handles, and who is who.

use std::{
    fs::File,
    io::{Read as _, Write as _},
};

use windows_sys::Win32::Foundation::ERROR_PIPE_BUSY;

use super::*;
use crate::{
    port::{Port, Token, WantWrite},
    windows::{is, is_signalled},
};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn bytes_and_handles_arrive_at_the_other_end() {
    let (port, client, server) = connected("handles");
    let mut pipe = crate::pipe::pipe().unwrap();
    let sent = client.send(b"hello", &[pipe.1.as_descriptor()]).unwrap();
    assert_eq!(sent, 5);
    let (mut bytes, mut handles) = (Vec::new(), Vec::new());
    receive(port, &server, &mut bytes, &mut handles);
    assert_eq!(bytes, b"hello");
    let mut written = File::from(handles.pop().unwrap());
    written.write_all(b"through").unwrap();
    assert_eq!(pipe.0.waiting().unwrap(), 7);
    pipe.1 = crate::pipe::pipe().unwrap().1;
}

#[test]
fn a_caller_that_left_before_it_was_awaited_keeps_nobody_out() {
    let path = std::env::temp_dir().join(format!("door-left-{}.sock", std::process::id()));
    let door = Door::open(&path).unwrap();
    let end = door.another_end().unwrap();
    drop(Connection::open(&path).unwrap());
    let waiting = door.wait_at(end).unwrap();
    assert_eq!(waiting.call.progress(), Progress::Failed);
    assert!(is_signalled(door.called.raw()), "nobody would ask again");
    door.lock().push_back(waiting);
    assert!(door.accept().unwrap().is_none());
    let _client = Connection::open(&path).unwrap();
    assert!(door.accept().unwrap().is_some(), "the next one is let in");
}

#[test]
fn as_many_call_at_one_moment_as_there_are_ends_and_are_let_in_in_their_order() {
    let path = std::env::temp_dir().join(format!("door-burst-{}.sock", std::process::id()));
    let mut port = Port::new().unwrap();
    let door = port.watch(Door::open(&path).unwrap().with_ends(3), Token(0)).unwrap();
    for _ in 0..2 {
        let call = || File::options().read(true).write(true).open(pipe_path(&path));
        let mut callers: Vec<File> = (0..3).map(|_| call().unwrap()).collect();
        assert!(is(&call().unwrap_err(), ERROR_PIPE_BUSY), "nobody has let anybody in");
        callers
            .iter_mut()
            .zip(0..)
            .for_each(|(caller, number)| caller.write_all(&[number]).unwrap());
        for number in 0..3 {
            assert_eq!(port.wait(Some(SOON)).unwrap().len(), 1, "{number} has called");
            let mut server = File::from(door.accept_untouched().unwrap().unwrap());
            let mut said = [9];
            server.read_exact(&mut said).unwrap();
            assert_eq!(said, [number]);
        }
        assert!(door.accept().unwrap().is_none());
        assert!(port.wait(Some(Duration::ZERO)).unwrap().is_empty(), "nobody calls any more");
    }
}

#[test]
fn nobody_listens_at_a_door_that_somebody_else_has_made_and_nobody_calls_there() {
    let path = std::env::temp_dir().join(format!("door-squat-{}.sock", std::process::id()));
    let name = pipe_name(&path).unwrap();
    let Some(theirs) = crate::windows::caller::squat(&name) else { return };
    let error = Connection::open(&path).unwrap_err().to_string();
    assert_eq!(error, "somebody else (S-1-5-21-1-2-3-1001) listens in its place");
    let port = Port::new().unwrap();
    let error = port.watch(Door::open(&path).unwrap(), Token(0)).unwrap_err().to_string();
    assert_eq!(error, "somebody else (S-1-5-21-1-2-3-1001) has made its pipe first");
    drop(theirs);
    port.watch(Door::open(&path).unwrap(), Token(0)).unwrap();
}

#[test]
fn handles_go_to_whoever_was_there_when_the_first_went() {
    let (_port, client, _server) = connected("receiver");
    let first = std::ptr::from_ref(client.receiver().unwrap());
    assert_eq!(first, std::ptr::from_ref(client.receiver().unwrap()), "its handle is kept");
    assert_eq!(client.receiver().unwrap().pid(), std::process::id());
}

#[test]
fn a_peer_is_known_and_trusted() {
    let (_port, client, server) = connected("peer");
    for connection in [&client, &server] {
        let peer = connection.peer().unwrap();
        assert_eq!(peer.pid, std::process::id());
        assert!(peer.is_trusted && peer.user.starts_with("S-1-"), "{peer:?}");
    }
}

#[test]
fn more_than_a_pipe_holds_arrives_in_the_end() {
    let (mut port, client, server) = connected("much");
    let much: Vec<u8> = (0..1_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let client = port.watch(client, Token(1)).unwrap();
    client.want_write(WantWrite::Yes).unwrap();
    let server = port.watch(server, Token(2)).unwrap();
    let (mut sent, mut bytes) = (0, Vec::new());
    while bytes.len() < much.len() {
        if let Some(rest) = much.get(sent..).filter(|rest| !rest.is_empty()) {
            sent += client.send(rest, &[]).unwrap();
        } else {
            client.want_write(WantWrite::No).unwrap();
        }
        let ready = port.wait(Some(SOON)).unwrap();
        assert!(!ready.is_empty(), "nothing moves after {sent} and {}", bytes.len());
        server.receive(&mut bytes, &mut Vec::new()).unwrap();
    }
    assert!(bytes == much);
}

#[test]
fn the_end_of_a_caller_is_seen_after_its_last_words() {
    let (port, client, server) = connected("end");
    client.send(b"bye", &[]).unwrap();
    drop(client);
    let mut bytes = Vec::new();
    let port = receive(port, &server, &mut bytes, &mut Vec::new());
    assert_eq!(bytes, b"bye");
    let mut port = port;
    let server = port.watch(server, Token(2)).unwrap();
    let mut last = Received::Empty;
    while last == Received::Empty {
        assert!(!port.wait(Some(SOON)).unwrap().is_empty());
        last = server.receive(&mut bytes, &mut Vec::new()).unwrap();
    }
    assert_eq!(last, Received::Closed);
}

fn receive(
    port: Port,
    server: &Connection,
    bytes: &mut Vec<u8>,
    handles: &mut Vec<Descriptor>,
) -> Port {
    let until = crate::clock::monotonic() + SOON;
    while server.receive(bytes, handles).unwrap() == Received::Empty {
        assert!(crate::clock::monotonic() < until, "nothing arrives");
        std::thread::yield_now();
    }
    port
}

fn pipe_path(path: &Path) -> String {
    let mut name = pipe_name(path).unwrap();
    name.pop();
    String::from_utf16(&name).unwrap()
}

fn connected(name: &str) -> (Port, Connection, Connection) {
    let path = std::env::temp_dir().join(format!("door-{name}-{}.sock", std::process::id()));
    let mut port = Port::new().unwrap();
    let door = port.watch(Door::open(&path).unwrap(), Token(0)).unwrap();
    assert!(door.accept().unwrap().is_none());
    let client = Connection::open(&path).unwrap();
    assert_eq!(port.wait(Some(SOON)).unwrap().len(), 1);
    let server = door.accept().unwrap().unwrap();
    drop(door);
    (port, client, server)
}
