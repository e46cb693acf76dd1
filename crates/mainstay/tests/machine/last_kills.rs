//! A keeper that is told to take everything down takes down what has left its program's group too.

use mainstay_api::keeper::{
    Framer, Hello, Leftover, PROTOCOL, Report, ReportFrame, Request, RequestFrame, encode,
};
use mainstay_platform::{
    door::{Connection, Received},
    port::{Port, Token, Watched},
};

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

/// Neither part of it ends when it is asked to, and the second one has left the group.
const STUBBORN: &str = r#"
[services.stubborn]
shell = """
trap '' TERM
setsid sh -c 'trap "" TERM; while :; do sleep 0.1; done' &
while :; do sleep 0.1; done
"""
"#;

fn ask(connection: &Watched<Connection>, id: u64, request: Request) {
    let mut bytes = Vec::new();
    encode(&RequestFrame { id, request }, &mut bytes).unwrap();
    assert_eq!(connection.send(&bytes, &[]).unwrap(), bytes.len());
}

/// Returns when the keeper has said hello, or is gone.
fn listen(connection: &Watched<Connection>, port: &mut Port) {
    let mut framer = Framer::default();
    loop {
        let (mut bytes, mut handles) = (Vec::new(), Vec::new());
        match connection.receive(&mut bytes, &mut handles).unwrap() {
            Received::Bytes(_) => framer.feed(&bytes),
            Received::Closed => return,
            Received::Empty => {
                port.wait(None).unwrap();
            }
        }
        while let Some(frame) = framer.next::<ReportFrame>().unwrap() {
            if matches!(frame.report, Report::Welcome(_)) {
                return;
            }
        }
    }
}

#[test]
fn a_keeper_that_kills_everything_leaves_nobody_behind() {
    let sandbox = Sandbox::up_with(STUBBORN);
    sandbox.wait_for_all();
    let leaders = || {
        let copies = sandbox.copies_of("stubborn").into_iter();
        copies.filter(|pid| processes::leads_group(*pid)).count()
    };
    wait_until("both have begun", || leaders() == 2);
    let keeper = sandbox.status().keeper.pid;

    // An agent without patience.
    let mut port = Port::new().unwrap();
    let connection = Connection::open(&sandbox.runtime().join("keeper.sock")).unwrap();
    let connection = port.watch(connection, Token(1)).unwrap();
    let (protocol, pid) = (PROTOCOL, std::process::id());
    ask(&connection, 1, Request::Hello(Hello { protocol, version: "test".to_owned(), pid }));
    listen(&connection, &mut port);
    // Nobody owes it an answer, or it would take us for one that hangs.
    ask(&connection, 2, Request::Next { at_us: None, handled: u64::MAX });
    ask(&connection, 3, Request::Shutdown { programs: Leftover::Kill });
    wait_until("the keeper ends", || !processes::is_alive(keeper));
    // Neither ends by itself; who is killed is seen for a moment longer.
    wait_until("nobody is left", || sandbox.copies_of("stubborn").is_empty());
}
