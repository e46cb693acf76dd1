//! What programs say and hand over right before they end, and who gets it.

use std::{
    fs, io,
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

#[cfg(feature = "fail")]
use mainstay_api::control::{Status, Unit};
use mainstay_platform::{
    datagram::{self, Barrier},
    process::SignalKind,
};

use crate::{
    notifications::{python, socket_of, up},
    processes::{self, wait_until},
    sandbox::Sandbox,
};

/// Listens, and hands the socket over once `leave` is called: after nine messages, so that its end
/// is known before it is heard.
const LISTENER: &str = "import array, time\n\
    l = socket.socket()\n\
    def leave(code):\n\
    \x20   for n in range(9): send('STATUS=%d' % n)\n\
    \x20   fds = array.array('i', [l.fileno()])\n\
    \x20   s.sendmsg([b'FDSTORE=1\\nFDNAME=http'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])\n\
    \x20   os._exit(code)\n\
    print('got', os.environ.get('LISTEN_FDNAMES'), flush=True)\n";

/// How long somebody may take to hear what he was told.
const PATIENCE: Duration = Duration::from_mins(1);

/// Lets something happen while the agent stands still.
fn without_the_agent(sandbox: &Sandbox, happens: impl FnOnce()) {
    let agent = sandbox.status().agent.pid;
    processes::signal(agent, SignalKind::Stop);
    happens();
    processes::signal(agent, SignalKind::Continue);
}

fn address(sandbox: &Sandbox) -> String {
    format!("127.0.0.1:{}", sandbox.read("port"))
}

fn is_refused(address: &str) -> bool {
    let soon = Duration::from_millis(100);
    let called = TcpStream::connect_timeout(&address.parse().unwrap(), soon);
    called.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

fn log(sandbox: &Sandbox) -> String {
    sandbox.read(".mainstay/logs/web/web.log")
}

#[cfg(feature = "fail")]
#[test]
fn a_socket_handed_over_right_before_an_exit_outlives_an_agent_that_dies_before_it_takes_it() {
    let script = format!(
        "{LISTENER}\
         if os.environ['MAINSTAY_RUN'] == '1':\n\
         \x20   l.bind(('127.0.0.1', 0)); l.listen(); open('port', 'w').write(str(l.getsockname()[1]))\n\
         \x20   send('READY=1')\n\
         \x20   while not os.path.exists('go'): time.sleep(0.01)\n\
         \x20   leave(1)\n\
         l = socket.socket(fileno=3)\n\
         send('READY=1')\n\
         while True: l.accept()[0].send(b'served')\n"
    );
    // The agent takes what is ready in any order: it may have heard all before it knows of the end.
    wait_until("an end is known before all is heard", || dies_over_what_a_former_run_said(&script));
}

/// Lets a run hand its socket over and end; returns whether agents have died over that.
#[cfg(feature = "fail")]
fn dies_over_what_a_former_run_said(script: &str) -> bool {
    let more = "notify = { store = 4 }\nrestart = { delay = \"0s\" }";
    let mut sandbox = python(script, more);
    let folder = sandbox.up_fallible();
    let pid = sandbox.wait_for("web", |unit| unit.state == "running").pid.unwrap();
    let points = ["agent.former-notice.before", "agent.former-notice.after"];
    for point in points {
        fs::write(folder.join(point), "").unwrap();
    }
    let keeper = sandbox.status().keeper.pid;
    without_the_agent(&sandbox, || {
        fs::write(sandbox.path("go"), "").unwrap();
        wait_until("its end is told", || processes::is_told(pid, keeper));
    });
    // Whoever asks an agent that dies is not answered.
    wait_until("the next one runs", || {
        let answer = sandbox.ask(&["status", "--json"]);
        let status = serde_json::from_str::<Status>(&answer.out);
        let is_next = |unit: &Unit| unit.run > 1 && unit.state == "running";
        status.is_ok_and(|status| status.units.iter().any(is_next))
    });
    let told = sandbox.wait_for_words("web", "got http\n");
    assert_eq!(told.matches("got http").count(), 1, "once, and not twice: {told}");
    let (mut client, mut said) = (TcpStream::connect(address(&sandbox)).unwrap(), [0; 6]);
    io::Read::read_exact(&mut client, &mut said).unwrap();
    assert_eq!(&said, b"served");
    let left = points.iter().filter(|point| folder.join(point).exists()).count();
    assert!([0, 2].contains(&left), "one of both instants was met");
    left == 0
}

#[test]
fn what_the_main_process_hands_over_last_is_kept_where_nobody_else_may_speak() {
    let script = format!(
        "{LISTENER}\
         send('READY=1')\n\
         if os.environ['MAINSTAY_RUN'] == '1':\n\
         \x20   l.bind(('127.0.0.1', 0)); l.listen()\n\
         \x20   while not os.path.exists('go'): time.sleep(0.01)\n\
         \x20   leave(1)\n\
         time.sleep(1000)\n"
    );
    let more = "notify = { access = \"main\", store = 4 }\nrestart = { delay = \"50ms\" }";
    let sandbox = up(python(&script, more));
    let pid = sandbox.wait_for("web", |unit| unit.state == "running").pid.unwrap();
    let keeper = sandbox.status().keeper.pid;
    without_the_agent(&sandbox, || {
        fs::write(sandbox.path("go"), "").unwrap();
        wait_until("its end is told", || processes::is_told(pid, keeper));
    });
    sandbox.wait_for("web", |unit| unit.state == "running" && unit.run == 2);
    assert_eq!(sandbox.wait_for_words("web", "got http\n"), "got None\ngot http\n");
}

#[test]
fn what_is_handed_over_as_a_unit_stops_is_kept_for_nobody() {
    let script = format!(
        "{LISTENER}\
         import signal\n\
         l.bind(('127.0.0.1', 0)); l.listen(); open('port', 'w').write(str(l.getsockname()[1]))\n\
         signal.signal(signal.SIGTERM, lambda *_: leave(0))\n\
         send('READY=1')\n\
         while True: time.sleep(1000)\n"
    );
    let sandbox = up(python(&script, "notify = { store = 4 }"));
    sandbox.wait_for("web", |unit| unit.state == "running");
    let address = address(&sandbox);
    TcpStream::connect(&address).unwrap();
    sandbox.get(&["stop", "web"]);
    wait_until("nobody listens there", || is_refused(&address));
    sandbox.wait_for("web", |unit| unit.status_text.as_deref() == Some("8"));
    sandbox.get(&["start", "web"]);
    sandbox.wait_for("web", |unit| unit.state == "running");
    assert_eq!(sandbox.wait_for_words("web", "None\ngot None\n"), "got None\ngot None\n");
}

#[test]
fn however_much_a_former_run_has_said_nothing_of_it_is_taken_for_the_next_one() {
    let script = "import time\n\
        if os.environ['MAINSTAY_RUN'] == '1':\n\
        \x20   open('asked', 'w')\n\
        \x20   while not os.path.exists('go'): time.sleep(0.01)\n\
        \x20   for n in range(240): send('STATUS=%d' % n)\n\
        \x20   send('READY=1')\n\
        \x20   os._exit(1)\n\
        open('second', 'w')\n\
        time.sleep(1000)\n";
    let mut sandbox = python(script, "restart = { delay = \"0s\" }");
    if sandbox.shell("id -u") != "0\n" {
        return;
    }
    // The queue of a socket is that of the network it was made in.
    let deep = "echo 512 > /proc/sys/net/unix/max_dgram_qlen; exec \"$@\"";
    sandbox.through(&["unshare", "--net", "--", "sh", "-c", deep, "sh"]);
    sandbox.up();
    sandbox.through(&["env"]);
    wait_until("it runs", || sandbox.path("asked").exists());
    let pid = sandbox.copies_of("web")[0];
    let keeper = sandbox.status().keeper.pid;
    without_the_agent(&sandbox, || {
        fs::write(sandbox.path("go"), "").unwrap();
        wait_until("its end is told", || processes::is_told(pid, keeper));
    });
    wait_until("the next one runs", || sandbox.path("second").exists());
    let socket = socket_of(&sandbox, "web").display().to_string();
    let passed = datagram::send_barrier(&socket, b"BARRIER=1", PATIENCE).unwrap();
    assert_eq!(passed, Barrier::Passed, "everything before it was heard");
    let unit = sandbox.unit("web");
    assert_eq!((unit.run, unit.state.as_str(), unit.status_text), (2, "starting", None));
}

#[test]
fn whoever_speaks_while_values_are_fetched_that_cannot_be_had_is_heard_afterwards() {
    let config = "[services.web]\ncommand = ['sleep', '1000']\nnotify = { store = 1 }\n\
                  environment = { DB = { command = ['./tool'] } }\n\
                  restart = { delay = \"1h\" }\n";
    let mut sandbox = Sandbox::new(config);
    fs::write(sandbox.path("tool"), "#!/bin/sh\nuntil [ -e go ]; do sleep 0.01; done; exit 1\n")
        .unwrap();
    sandbox.shell("chmod +x tool");
    sandbox.up();
    let path = socket_of(&sandbox, "web");
    wait_until("somebody listens", || path.exists());
    let socket = path.display().to_string();
    datagram::send(&socket, b"STATUS=early", &[]).unwrap();
    for _ in 0..20 {
        assert_eq!(sandbox.unit("web").state, "starting", "the agent has had its turn");
    }
    fs::write(sandbox.path("go"), "").unwrap();
    sandbox.wait_for("web", |unit| unit.state == "backoff");
    let begun = Instant::now();
    let passed = datagram::send_barrier(&socket, b"BARRIER=1", PATIENCE).unwrap();
    assert_eq!(passed, Barrier::Passed, "after {:?}", begun.elapsed());
}

#[test]
fn what_has_no_other_end_any_more_goes_by_itself_unless_it_is_to_stay() {
    let script = "import array, time\n\
        def hand_over(it, name, more=''):\n\
        \x20   text = 'FDSTORE=1\\nFDNAME=' + name + more\n\
        \x20   fds = array.array('i', [it.fileno()])\n\
        \x20   s.sendmsg([text.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)]); it.close()\n\
        print('got', os.environ.get('LISTEN_FDNAMES'), flush=True)\n\
        if os.environ['MAINSTAY_RUN'] == '1':\n\
        \x20   (goes, a), (stays, b) = socket.socketpair(), socket.socketpair()\n\
        \x20   hand_over(goes, 'goes'); hand_over(stays, 'stays', '\\nFDPOLL=0')\n\
        \x20   l = socket.socket(); l.bind(('127.0.0.1', 0)); l.listen(); hand_over(l, 'open')\n\
        send('READY=1')\n\
        time.sleep(1000)\n";
    let sandbox = up(python(script, "notify = { store = 4 }"));
    sandbox.wait_for("web", |unit| unit.state == "running");
    let next = || {
        let run = sandbox.unit("web").run;
        sandbox.get(&["restart", "web"]);
        let run = sandbox.wait_for("web", |unit| unit.run > run && unit.state == "running").run;
        // Each run prints a line.
        wait_until("it has printed it", || log(&sandbox).matches('\n').count() as u64 == run);
        log(&sandbox).lines().last().unwrap().to_owned()
    };
    wait_until("what has ended is gone", || next() == "got stays:open");
    processes::kill(sandbox.status().agent.pid);
    sandbox.wait_for("web", |unit| unit.state == "running");
    assert_eq!([next(), next()], ["got stays:open", "got stays:open"], "the next agent knows it");
}

#[test]
fn what_a_hook_hands_over_reaches_the_first_run_after_a_stop_as_well() {
    let hook = "import array, os, socket\n\
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n\
        s.connect(os.environ['NOTIFY_SOCKET'])\n\
        l = socket.socket(); l.bind(('127.0.0.1', 0)); l.listen()\n\
        fds = array.array('i', [l.fileno()])\n\
        s.sendmsg([b'FDSTORE=1\\nFDNAME=http'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])\n";
    let script = "import time\n\
        print('got', os.environ.get('LISTEN_FDNAMES'), flush=True)\n\
        send('READY=1')\n\
        time.sleep(1000)\n";
    let more = "notify = { store = 4 }\nhooks = { before-start = 'python3 hook.py' }";
    let sandbox = python(script, more);
    fs::write(sandbox.path("hook.py"), hook).unwrap();
    let sandbox = up(sandbox);
    sandbox.wait_for("web", |unit| unit.state == "running");
    sandbox.get(&["stop", "web"]);
    sandbox.get(&["start", "web"]);
    sandbox.wait_for("web", |unit| unit.state == "running" && unit.run == 2);
    assert_eq!(sandbox.wait_for_words("web", "http\ngot http\n"), "got http\ngot http\n");
}

#[test]
fn what_ends_while_a_start_waits_for_its_values_does_not_hold_that_up() {
    let script = "import array, time\n\
        print('got', os.environ.get('LISTEN_FDNAMES'), flush=True)\n\
        if os.environ['MAINSTAY_RUN'] == '1':\n\
        \x20   l = socket.socket(); l.bind(('127.0.0.1', 0)); l.listen()\n\
        \x20   open('port', 'w').write(str(l.getsockname()[1]))\n\
        \x20   c = l.accept()[0]; c.send(b'hello')\n\
        \x20   for it in l, c:\n\
        \x20       fds = array.array('i', [it.fileno()])\n\
        \x20       s.sendmsg([b'FDSTORE=1'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)]); it.close()\n\
        send('READY=1')\n\
        time.sleep(1000)\n";
    let more = "notify = { store = 4 }\nenvironment = { DB = { command = ['./tool'] } }";
    let sandbox = python(script, more);
    let tool = "#!/bin/sh\necho x >>asked; until [ -e go ]; do sleep 0.01; done; echo value\n";
    fs::write(sandbox.path("tool"), tool).unwrap();
    sandbox.shell("chmod +x tool; touch go");
    let sandbox = up(sandbox);
    wait_until("it listens", || sandbox.path("port").exists() && !sandbox.read("port").is_empty());
    let client = TcpStream::connect(address(&sandbox)).unwrap();
    sandbox.wait_for("web", |unit| unit.state == "running");
    fs::remove_file(sandbox.path("go")).unwrap();
    processes::kill(sandbox.wait_for_pid("web"));
    wait_until("its values are asked for", || sandbox.read("asked") == "x\nx\n");
    let keeper = sandbox.status().keeper.pid;
    let socket = server_end_of(&client);
    assert!(has_open(keeper, &socket), "{socket}");
    // What it has not read is lost with it, so that its other end knows at once.
    client.peek(&mut [0]).unwrap();
    drop(client);
    wait_until("the keeper has let it go", || !has_open(keeper, &socket));
    fs::write(sandbox.path("go"), "").unwrap();
    sandbox.wait_for("web", |unit| unit.state == "running" && unit.run == 2);
    assert_eq!(sandbox.wait_for_words("web", "got stored\n"), "got None\ngot stored\n");
}

/// Returns what descriptors of the other end of a connection lead to.
fn server_end_of(client: &TcpStream) -> String {
    let port = |address: io::Result<SocketAddr>| format!(":{:04X}", address.unwrap().port());
    let [local, remote] = [port(client.peer_addr()), port(client.local_addr())];
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let is_it = |fields: &Vec<&str>| fields[1].ends_with(&local) && fields[2].ends_with(&remote);
    let mut rows = table.lines().map(|row| row.split_whitespace().collect());
    format!("socket:[{}]", rows.find(is_it).unwrap()[9])
}

/// Returns whether a process has something open.
fn has_open(pid: u32, what: &str) -> bool {
    let all = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let mut links = all.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    links.any(|link| link.to_string_lossy() == what)
}
