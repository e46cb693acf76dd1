//! What programs say of themselves by `sd_notify(3)`: shells, Python and C, as others wrote them.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use mainstay_platform::{datagram, process::SignalKind};

use crate::{
    processes::{self, kill, wait_until},
    sandbox::{BINARY, Sandbox},
};

/// Says that it is ready once somebody has made the file `go`.
const LATE: &str = r#"
[services.web]
shell = "until [ -e go ]; do sleep 0.02; done; systemd-notify --ready --status='serving three'; exec sleep 1000"
ready = "notify"
"#;

/// Sends each word to the socket, as one message with lines for `|`.
const SEND: &str = r#"
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(os.environ["NOTIFY_SOCKET"])
def send(text): s.send(text.replace("|", "\n").encode())
"#;

/// Returns an instance with one service in Python, which is ready when it says so.
pub(crate) fn python(script: &str, more: &str) -> Sandbox {
    let sandbox = Sandbox::new(&format!(
        "[services.web]\ncommand = [\"python3\", \"-u\", \"web.py\"]\nready = \"notify\"\n{more}\n"
    ));
    fs::write(sandbox.path("web.py"), format!("{SEND}{script}")).unwrap();
    sandbox
}

pub(crate) fn up(mut sandbox: Sandbox) -> Sandbox {
    sandbox.up();
    sandbox
}

pub(crate) fn socket_of(sandbox: &Sandbox, unit: &str) -> PathBuf {
    sandbox.runtime().join("notify").join(format!("{unit}.sock"))
}

fn events(sandbox: &Sandbox, event: &str) -> usize {
    sandbox.get(&["events", "--json"]).matches(&format!("\"event\":\"{event}\"")).count()
}

#[test]
fn a_unit_runs_once_systemd_notify_says_that_it_is_ready() {
    let sandbox = Sandbox::up_with(LATE);
    let unit = sandbox.wait_for("web", |unit| unit.pid.is_some());
    assert_eq!(unit.state, "starting");
    fs::write(sandbox.path("go"), "").unwrap();
    let unit = sandbox.wait_for("web", |unit| unit.state == "running");
    assert_eq!(unit.status_text.as_deref(), Some("serving three"));
    assert!(sandbox.get(&["status"]).contains("says of itself: serving three"));
    assert!(sandbox.get(&["show", "web"]).contains("says       serving three"));
}

#[test]
fn whoever_is_gone_at_once_is_believed() {
    let sandbox = Sandbox::up_with(
        "[services.web]\n\
         shell = \"systemd-notify --no-block READY=1; exec sleep 1000\"\n\
         ready = \"notify\"\n",
    );
    sandbox.wait_for("web", |unit| unit.state == "running");
    assert_eq!(events(&sandbox, "NotificationRefused"), 0);
}

#[test]
fn a_stranger_is_not_heard() {
    let sandbox = Sandbox::up_with(LATE);
    sandbox.wait_for("web", |unit| unit.pid.is_some());
    let socket = socket_of(&sandbox, "web").display().to_string();
    for _ in 0..50 {
        datagram::send(&socket, b"READY=1\nSTATUS=lies", &[]).unwrap();
    }
    wait_until("it is told", || events(&sandbox, "NotificationRefused") > 0);
    fs::write(sandbox.path("go"), "").unwrap();
    let unit = sandbox.wait_for("web", |unit| unit.state == "running");
    assert_eq!(unit.status_text.as_deref(), Some("serving three"));
    assert_eq!(events(&sandbox, "NotificationRefused"), 1, "once, however many there are");
}

#[test]
fn only_the_main_process_is_heard_where_nobody_else_may_speak() {
    let script = "import subprocess, time\n\
        child = 'import socket,os; s=socket.socket(1,2); s.sendto(b\"STATUS=child\", os.environ[\"NOTIFY_SOCKET\"])'\n\
        subprocess.run([sys.executable, '-c', child])\n\
        send('READY=1')\n\
        time.sleep(1000)\n";
    let sandbox = up(python(script, "notify = { access = \"main\" }"));
    let unit = sandbox.wait_for("web", |unit| unit.state == "running");
    assert_eq!(unit.status_text, None);
    assert_eq!(events(&sandbox, "NotificationRefused"), 1);
}

#[test]
fn what_was_said_outlives_agents_and_keepers() {
    let script = "import time\n\
        send('STATUS=serving|X_MAINSTAY_FACT=url=http://x/?a=b|X_MAINSTAY_EVENT=moved=it is elsewhere|ERRNO=2|READY=1')\n\
        time.sleep(1000)\n";
    let sandbox = up(python(script, ""));
    let said = |sandbox: &Sandbox| {
        let unit = sandbox.wait_for("web", |unit| unit.state == "running");
        (unit.status_text, unit.error_text, unit.facts, unit.run)
    };
    let before = said(&sandbox);
    assert_eq!(before.0.as_deref(), Some("serving"));
    assert_eq!(before.1.as_deref(), Some("No such file or directory (os error 2)"));
    assert_eq!(before.2.get("url").map(String::as_str), Some("http://x/?a=b"));
    assert_eq!(events(&sandbox, "UnitSaid"), 1);
    for _ in 0..3 {
        let agent = sandbox.status().agent.pid;
        kill(agent);
        wait_until("another agent answers", || {
            sandbox.ask(&["status"]).code == 0 && sandbox.status().agent.pid != agent
        });
        assert_eq!(said(&sandbox), before);
    }
    kill(sandbox.status().keeper.pid);
    wait_until("another keeper is there", || sandbox.ask(&["status"]).code == 0);
    assert_eq!(said(&sandbox), before);
    kill(sandbox.status().agent.pid);
    wait_until("another agent answers", || sandbox.ask(&["status"]).code == 0);
    assert_eq!(said(&sandbox), before);
    assert_eq!(events(&sandbox, "UnitSaid"), 1);
}

#[test]
fn what_is_said_while_there_is_no_agent_is_heard_by_the_next() {
    let mut sandbox = Sandbox::up_with(LATE);
    sandbox.wait_for("web", |unit| unit.pid.is_some());
    let agent = sandbox.status().agent.pid;
    processes::signal(agent, SignalKind::Stop);
    fs::write(sandbox.path("go"), "").unwrap();
    // `systemd-notify` has sent its message, and waits for the barrier.
    let says = |pid: &u32| {
        fs::read_to_string(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.contains("--ready\0"))
    };
    wait_until("it is said", || sandbox.copies_of("web").iter().any(says));
    kill(agent);
    let unit = sandbox.wait_for("web", |unit| unit.state == "running");
    assert_eq!((unit.run, unit.status_text.as_deref()), (1, Some("serving three")));
    assert_eq!(sandbox.down(), Some(0));
}

#[cfg(feature = "fail")]
#[test]
fn an_agent_that_dies_before_it_takes_a_message_loses_nothing() {
    let script = "import time\n\
        for n in range(1, 4):\n\
        \x20   send('STATUS=%d|X_MAINSTAY_FACT=n%d=1' % (n, n))\n\
        \x20   while not os.path.exists('go%d' % n): time.sleep(0.01)\n\
        send('READY=1')\n\
        time.sleep(1000)\n";
    let mut sandbox = python(script, "");
    let folder = sandbox.start_fallible(&["agent.notice"]);
    for number in 1..4 {
        wait_until("it dies there", || !folder.join("agent.notice").exists());
        wait_until("the instance answers", || sandbox.ask(&["status"]).code == 0);
        let status = number.to_string();
        let unit = sandbox.wait_for("web", |unit| unit.status_text.as_ref() == Some(&status));
        assert_eq!((unit.state.as_str(), unit.facts.len()), ("starting", number));
        fs::write(folder.join("agent.notice"), "").unwrap();
        fs::write(sandbox.path(&format!("go{number}")), "").unwrap();
    }
    let unit = sandbox.wait_for("web", |unit| unit.state == "running");
    assert_eq!((unit.run, unit.facts.len()), (1, 3));
}

#[test]
fn what_a_former_run_said_is_not_taken_for_the_next_one() {
    // The first run ends while nobody listens; what it said waits in the socket.
    let script = "import time\n\
        if os.environ['MAINSTAY_RUN'] == '1':\n\
        \x20   open('asked', 'w')\n\
        \x20   while not os.path.exists('go'): time.sleep(0.01)\n\
        \x20   send('READY=1|STATUS=of the first')\n\
        \x20   sys.exit(1)\n\
        time.sleep(1000)\n";
    let sandbox = up(python(script, "restart = { delay = \"0s\" }"));
    wait_until("it runs", || sandbox.path("asked").exists());
    let agent = sandbox.status().agent.pid;
    processes::signal(agent, SignalKind::Stop);
    let pid = sandbox.copies_of("web")[0];
    fs::write(sandbox.path("go"), "").unwrap();
    wait_until("it has ended", || !processes::is_alive(pid));
    processes::signal(agent, SignalKind::Continue);
    let unit = sandbox.wait_for("web", |unit| unit.run == 2 && unit.pid.is_some());
    assert_eq!((unit.state.as_str(), unit.status_text), ("starting", None));
    let later = sandbox.unit("web");
    assert_eq!((later.state.as_str(), later.status_text), ("starting", None));
}

#[test]
fn descriptors_are_kept_for_the_next_run() {
    let script = "import array, time\n\
        def hand_over(fd, name):\n\
        \x20   s.sendmsg([b'FDSTORE=1\\nFDNAME=' + name], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [fd]))])\n\
        names = os.environ.get('LISTEN_FDNAMES', '')\n\
        mine = os.environ.get('LISTEN_PID') == str(os.getpid())\n\
        print('got', names, mine, flush=True)\n\
        if not names:\n\
        \x20   for name in [b'state', b'state', b'other']:\n\
        \x20       fd = os.memfd_create('x'); os.write(fd, b'kept by ' + name); hand_over(fd, name); hand_over(fd, name)\n\
        else:\n\
        \x20   for fd in range(3, 3 + int(os.environ['LISTEN_FDS'])): print(os.pread(fd, 99, 0).decode(), flush=True)\n\
        send('READY=1')\n\
        time.sleep(1000)\n";
    let mut sandbox = up(python(script, "notify = { store = 8 }"));
    sandbox.wait_for("web", |unit| unit.state == "running");
    let log = |sandbox: &Sandbox| sandbox.read(".mainstay/logs/web/web.log");
    let restarted = |sandbox: &Sandbox, run: u64| {
        sandbox.get(&["restart", "web"]);
        sandbox.wait_for("web", |unit| unit.run == run && unit.state == "running");
    };
    let expected = "got state:state:other True\nkept by state\nkept by state\nkept by other\n";
    restarted(&sandbox, 2);
    assert_eq!(log(&sandbox), format!("got  False\n{expected}"));
    kill(sandbox.status().agent.pid);
    sandbox.wait_for("web", |unit| unit.state == "running");
    restarted(&sandbox, 3);
    kill(sandbox.status().keeper.pid);
    wait_until("another keeper is there", || sandbox.ask(&["status"]).code == 0);
    restarted(&sandbox, 4);
    assert_eq!(log(&sandbox), format!("got  False\n{expected}{expected}{expected}"));
    sandbox.get(&["stop", "web"]);
    sandbox.get(&["start", "web"]);
    sandbox.wait_for("web", |unit| unit.state == "running");
    assert!(log(&sandbox).ends_with("got  False\n"), "a stop lets go of them");
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn our_own_command_says_what_systemd_notify_says() {
    let sandbox = Sandbox::up_with(&format!(
        "[services.web]\n\
         shell = \"{BINARY} notify --ready --status='at work' X_MAINSTAY_FACT=port=80 && echo told; exec sleep 1000\"\n\
         ready = \"notify\"\n"
    ));
    let unit = sandbox.wait_for("web", |unit| unit.state == "running");
    assert_eq!(unit.status_text.as_deref(), Some("at work"));
    assert_eq!(unit.facts.get("port").map(String::as_str), Some("80"));
    wait_until("the barrier has passed", || sandbox.read(".mainstay/logs/web/web.log") == "told\n");
}

#[test]
fn a_hook_speaks_for_its_run() {
    let sandbox = Sandbox::up_with(&format!(
        "[services.web]\n\
         shell = \"{BINARY} notify --ready; exec sleep 1000\"\n\
         ready = \"notify\"\n\
         hooks = {{ before-start = \"{BINARY} notify X_EARLY=1\", after-start = \"{BINARY} notify STATUS=warm\" }}\n"
    ));
    sandbox.wait_for("web", |unit| unit.status_text.as_deref() == Some("warm"));
    assert_eq!(events(&sandbox, "NotificationRefused"), 0);
}

#[test]
fn without_a_socket_our_own_command_says_what_is_missing() {
    let sandbox = Sandbox::new("");
    let answer = sandbox.ask(&["notify", "READY=1"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("`NOTIFY_SOCKET` is not set"), "{}", answer.err);
    let answer = sandbox.ask(&["notify"]);
    assert_eq!(answer.code, 2);
}

#[test]
fn a_barrier_is_late_while_nobody_deals_with_what_was_said() {
    let sandbox = Sandbox::up_with(LATE);
    sandbox.wait_for("web", |unit| unit.pid.is_some());
    processes::signal(sandbox.status().agent.pid, SignalKind::Stop);
    let mut command = sandbox.command(&["notify", "STATUS=x"]);
    command.env("NOTIFY_SOCKET", socket_of(&sandbox, "web"));
    let answer = crate::sandbox::answer_of(&mut command);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("nobody has dealt with it"), "{}", answer.err);
}

/// As `sd-daemon.h` declares them; only the library is needed.
const PROGRAM: &str = r#"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int sd_notify(int unset, const char *state);
int sd_notifyf(int unset, const char *format, ...);
int sd_notify_barrier(int unset, uint64_t timeout);
int sd_watchdog_enabled(int unset, uint64_t *usec);
int main(void) {
    uint64_t usec = 0;
    int sent = sd_notifyf(0, "READY=1\nSTATUS=pid %d\nMAINPID=%d", getpid(), getpid());
    int passed = sd_notify_barrier(0, 60000000);
    int watched = sd_watchdog_enabled(0, &usec);
    int meant = atoi(getenv("WATCHDOG_PID")) == getpid();
    printf("%d %d %d %llu %d\n", sent, passed, watched, (unsigned long long)usec, meant);
    fflush(stdout);
    for (;;) { usleep(100000); sd_notify(0, "WATCHDOG=1"); }
}
"#;

#[test]
fn a_program_that_is_linked_to_libsystemd_is_ready_and_alive() {
    let mut sandbox = Sandbox::new(
        "[services.web]\ncommand = \"./web\"\nready = \"notify\"\nwatchdog = \"2s\"\n",
    );
    fs::write(sandbox.path("web.c"), PROGRAM).unwrap();
    sandbox.shell("cc -o web web.c -l:libsystemd.so.0");
    sandbox.up();
    let unit = sandbox.wait_for("web", |unit| unit.state == "running");
    assert_eq!(unit.status_text, unit.pid.map(|pid| format!("pid {pid}")));
    wait_until("the barrier has passed", || {
        sandbox.read(".mainstay/logs/web/web.log") == "1 1 1 2000000 1\n"
    });
    assert_eq!(events(&sandbox, "NotificationFaulty"), 0);
}

#[test]
fn what_a_service_manager_tells_mainstay_reaches_no_program() {
    let mut sandbox = Sandbox::new(
        "[services.web]\nshell = \"env | grep -c '^OF_MANAGER'; env | grep -cE '^(NOTIFY|WATCHDOG|LISTEN)_'; exec sleep 1000\"\n",
    );
    let mut command = sandbox.command(&["up"]);
    for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "OF_MANAGER"] {
        command.env(name, "1");
    }
    sandbox.start_up(command);
    wait_until("it says so", || sandbox.path(".mainstay/logs/web/web.log").exists());
    wait_until("all is said", || sandbox.read(".mainstay/logs/web/web.log") == "1\n0\n");
}

#[test]
fn a_program_is_told_how_often_the_least_patient_wants_to_hear_of_it() {
    let sandbox = Sandbox::up_with(
        "[services.web]\ncommand = [\"sh\", \"-c\", \"echo $WATCHDOG_USEC; exec sleep 1000\"]\n\
         watchdog = \"1h\"\nchecks = [{ heartbeat = true, every = \"30m\" }]\n",
    );
    wait_until("it has said what it was told", || {
        sandbox.read(".mainstay/logs/web/web.log") == "1800000000\n"
    });
}

#[test]
fn a_program_that_hangs_under_its_own_watchdog_is_started_anew() {
    let script = "import time\n\
        hangs = os.environ['MAINSTAY_RUN'] == '1'\n\
        send('WATCHDOG_USEC=%d|READY=1' % (300000 if hangs else 30000000))\n\
        if hangs: time.sleep(1000)\n\
        while True: send('WATCHDOG=1'); time.sleep(0.1)\n";
    let sandbox = up(python(script, "watchdog = \"1h\"\nrestart = { delay = \"0s\" }"));
    let unit = sandbox.wait_for("web", |unit| unit.run > 1 && unit.state == "running");
    assert_eq!((unit.run, unit.restarts), (2, 1), "{unit:?}");
    assert!(sandbox.get(&["events", "--json"]).contains("alive"));
    assert_eq!(events(&sandbox, "WatchdogStruck"), 1);
}

#[test]
fn a_program_whose_clock_stops_is_replaced_by_one_that_lives() {
    let script = "import time\nsend('READY=1')\nwhile True: send('WATCHDOG=1'); time.sleep(0.2)\n";
    let more = "watchdog = \"1s\"\nrestart = { delay = \"0s\" }\nstop = { timeout = \"300ms\" }";
    let mut sandbox = up(python(script, more));
    let former = sandbox.wait_for("web", |unit| unit.state == "running");
    processes::signal(former.pid.unwrap(), SignalKind::Stop);
    let unit = sandbox.wait_for("web", |unit| unit.run > 1 && unit.state == "running");
    assert_eq!((unit.run, unit.restarts), (2, 1), "{unit:?}");
    assert!(!processes::is_alive(former.pid.unwrap()));
    let exit = unit.last_exit.unwrap();
    assert_eq!((exit.run, exit.code), (1, None), "ended by a signal: {exit:?}");
    let why = sandbox.get(&["why", "web"]);
    assert!(why.contains("it was stopping: it has not said for"), "{why}");
    assert_eq!(events(&sandbox, "WatchdogStruck"), 1);
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn another_process_becomes_the_main_one_and_what_comes_after_is_heard_of_it() {
    // The parent ends, as daemons do, once its child is the main process.
    let script = "import subprocess, time\n\
        if len(sys.argv) > 1:\n\
        \x20   send('STATUS=child|READY=1'); time.sleep(1000)\n\
        child = subprocess.Popen(['setsid', sys.executable, '-u', 'web.py', 'child'])\n\
        send('MAINPID=%d' % child.pid)\n\
        r, w = os.pipe()\n\
        import array, select\n\
        s.sendmsg([b'BARRIER=1'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [w]))])\n\
        os.close(w); select.select([r], [], []); os._exit(0)\n";
    let mut sandbox = up(python(script, "notify = { access = \"main\" }"));
    let unit = sandbox.wait_for("web", |unit| unit.state == "running");
    assert_eq!((unit.run, unit.status_text.as_deref()), (1, Some("child")));
    let pid = unit.pid.unwrap();
    let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    assert!(line.ends_with("child\0"), "{line}");
    let events = sandbox.get(&["events", "--json"]);
    let running = events.lines().find(|line| line.contains("\"state\":\"running\"")).unwrap();
    assert!(running.contains(&format!("\"pid\":{pid}")), "{running}");
    kill(sandbox.status().agent.pid);
    assert_eq!(sandbox.wait_for("web", |unit| unit.state == "running").pid, Some(pid));
    processes::signal(pid, SignalKind::Kill);
    sandbox.wait_for("web", |unit| unit.run == 2);
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn a_program_that_floods_delays_nobody() {
    let sandbox = Sandbox::new(
        "[services.flood]\ncommand = [\"python3\", \"flood.py\"]\nready = \"notify\"\n\
         [services.crash]\nshell = \"sleep 0.02; exit 1\"\nrestart = { delay = \"0s\", limit = 0 }\n",
    );
    let script = "send('READY=1')\nwhile True: s.send(b'STATUS=%d|WATCHDOG=1')\n";
    fs::write(sandbox.path("flood.py"), format!("{SEND}{script}")).unwrap();
    let sandbox = up(sandbox);
    sandbox.wait_for("flood", |unit| unit.state == "running");
    let (begun, before) = (Instant::now(), sandbox.unit("crash").run);
    let agent = sandbox.status().agent.pid;
    let used = processes::time_used_by(agent);
    wait_until("it was started again a hundred times", || sandbox.unit("crash").run > before + 100);
    let took = begun.elapsed();
    let used = processes::time_used_by(agent).saturating_sub(used);
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert!(used * 2 < took, "the agent worked {used:?} of {took:?}");
    assert_eq!(sandbox.unit("flood").run, 1);
}

#[test]
fn a_socket_is_its_users_alone_and_goes_with_its_unit() {
    let mut sandbox = Sandbox::up_with(LATE);
    sandbox.wait_for("web", |unit| unit.pid.is_some());
    let socket = socket_of(&sandbox, "web");
    let line = format!("stat -c %a {0} $(dirname {0})", socket.display());
    assert_eq!(sandbox.shell(&line), "600\n700\n");
    sandbox.get(&["remove", "web"]);
    wait_until("the socket is gone", || !socket.exists());
    assert_eq!(sandbox.down(), Some(0));
}
