//! When a program is ready and whether it is well, over HTTP and TCP and by its file and log.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicUsize, Ordering},
    },
    thread,
};

use crate::{
    foreground::Up,
    sandbox::{Sandbox, wait_for},
};

const ALL: [&str; 4] = ["page", "port", "line", "file"];

/// Says its line once there is a file.
const LINE: &str = "@echo off\r\n\
                    :again\r\n\
                    if exist there goto ready\r\n\
                    ping -n 1 127.0.0.1 >nul\r\n\
                    goto again\r\n\
                    :ready\r\n\
                    echo now listening on 80\r\n\
                    ping -n 1000 127.0.0.1 >nul\r\n";

fn config(page: u16, port: u16) -> String {
    let waits = "command = ['cmd', '/c', 'ping -n 1000 127.0.0.1']\nstop = { timeout = '2s' }";
    format!(
        "[services.page]\n{waits}\n\
         restart = {{ delay = '10ms' }}\n\
         ready = {{ http = 'http://localhost:{page}/ready', body = 'open', every = '100ms' }}\n\
         [[services.page.checks]]\n\
         http = 'http://127.0.0.1:{page}/health'\n\
         every = '200ms'\n\
         failures = 2\n\
         [services.port]\n{waits}\n\
         ready = {{ tcp = {port} }}\n\
         [services.line]\n\
         command = ['cmd', '/c', 'line.bat']\n\
         stop = {{ timeout = '2s' }}\n\
         ready = {{ log = 'listening on [0-9]+$' }}\n\
         [services.file]\n{waits}\n\
         ready = {{ file = 'there' }}\n"
    )
}

#[test]
fn a_program_is_ready_when_it_answers_and_is_replaced_when_it_answers_no_more() {
    let page = Page::open(503);
    let port = free_port();
    let sandbox = Sandbox::new(&config(page.port, port));
    fs::write(sandbox.folder().join("line.bat"), LINE).unwrap();
    let up = Up::start(&sandbox);
    page.wait_for_a_look();
    sandbox.kill_agent_and(|| ());
    page.wait_for_a_look();
    for name in ALL {
        assert_eq!(sandbox.unit(name).state, "starting", "{name}");
    }

    page.answer(200);
    let _door = TcpListener::bind(("127.0.0.1", port)).unwrap();
    fs::write(sandbox.folder().join("there"), "").unwrap();
    for name in ALL {
        let unit = sandbox.wait_for(name, "running");
        assert_eq!((unit.run, unit.restarts), (1, 0), "{name}");
    }

    page.answer(500);
    wait_for("another run", || (sandbox.unit("page").run == 2).then_some(()));
    page.answer(200);
    assert_eq!(sandbox.wait_for("page", "running").restarts, 1);
    let told = sandbox.get(&["events", "-n", "1000"]);
    assert!(told.contains("`page` is unhealthy: `http` has failed 2 times in a row"), "{told}");
    up.end();
}

/// A server that answers as it is told, to the end of the tests.
struct Page {
    port: u16,
    code: Arc<AtomicU16>,
    looks: Arc<AtomicUsize>,
}

impl Page {
    fn open(code: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let page = Self { port, code: Arc::new(code.into()), looks: Arc::default() };
        let (code, looks) = (Arc::clone(&page.code), Arc::clone(&page.looks));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Whoever is killed while it asks gets no answer.
                drop(answer(stream, code.load(Ordering::SeqCst)));
                looks.fetch_add(1, Ordering::SeqCst);
            }
        });
        page
    }

    fn answer(&self, code: u16) {
        self.code.store(code, Ordering::SeqCst);
    }

    fn wait_for_a_look(&self) {
        let before = self.looks.load(Ordering::SeqCst);
        wait_for("it is looked at", || (self.looks.load(Ordering::SeqCst) > before).then_some(()));
    }
}

fn answer(mut stream: TcpStream, code: u16) -> std::io::Result<()> {
    let mut asked = [0; 4096];
    let _length = stream.read(&mut asked)?;
    let head = "Content-Length: 8\r\nConnection: close\r\n\r\n";
    stream.write_all(format!("HTTP/1.1 {code} So\r\n{head}it: open").as_bytes())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
