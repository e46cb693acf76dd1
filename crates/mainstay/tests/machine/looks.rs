//! Real programs that are looked at: over HTTP and TCP, at their logs, files and memory.

use std::fs;

use mainstay_platform::process::SignalKind;

use crate::{
    processes::{self, free_port, wait_until},
    sandbox::Sandbox,
};

#[test]
fn a_server_is_ready_when_it_answers_and_is_replaced_when_it_hangs() {
    let port = free_port();
    let config = format!(
        "[services.web]\n\
         command = \"python3 -m http.server --bind 127.0.0.1 {port}\"\n\
         ready = {{ http = \"http://localhost:{port}/\", body = \"Directory listing\", every = \"100ms\" }}\n\
         restart = {{ delay = \"10ms\" }}\n\
         stop = {{ timeout = \"200ms\" }}\n\
         [[services.web.checks]]\n\
         http = \"http://127.0.0.1:{port}/\"\n\
         every = \"200ms\"\n\
         timeout = \"500ms\"\n\
         failures = 2\n"
    );
    let sandbox = Sandbox::up_with(&config);
    let first = sandbox.wait_for("web", |unit| unit.state == "running");
    kill_agent(&sandbox);
    let after = sandbox.wait_for("web", |unit| unit.state == "running");
    assert_eq!((after.run, after.pid), (first.run, first.pid), "it goes on under the next agent");
    processes::signal(first.pid.unwrap(), SignalKind::Stop);
    let next = sandbox.wait_for("web", |unit| unit.run > first.run && unit.state == "running");
    assert_eq!(next.restarts, 1);
    let told = sandbox.get(&["events", "-n", "1000"]);
    assert!(told.contains("`web` is unhealthy: `http` has failed 2 times in a row"), "{told}");
}

#[test]
fn a_server_over_tls_is_asked_with_the_certificate_it_has_signed_by_itself() {
    let port = free_port();
    let script = format!(
        "import http.server, ssl\n\
         web = http.server.HTTPServer(('127.0.0.1', {port}), http.server.SimpleHTTPRequestHandler)\n\
         tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n\
         tls.load_cert_chain('own.pem', 'own.key')\n\
         web.socket = tls.wrap_socket(web.socket, server_side=True)\n\
         web.serve_forever()\n"
    );
    let config = format!(
        "[services.web]\n\
         command = \"python3 web.py\"\n\
         ready = {{ http = \"https://localhost:{port}/\", ca-file = \"own.pem\", body = \"Directory listing\", every = \"100ms\" }}\n\
         [[services.web.checks]]\n\
         http = \"https://127.0.0.1:{port}/\"\n\
         ca-file = \"own.pem\"\n\
         server-name = \"localhost\"\n\
         every = \"200ms\"\n\
         failures = 2\n\
         [[services.web.checks]]\n\
         name = \"stranger\"\n\
         http = \"https://localhost:{port}/\"\n\
         every = \"200ms\"\n\
         action = \"mark\"\n\
         failures = 1\n"
    );
    let mut sandbox = Sandbox::new(&config);
    fs::write(sandbox.path("web.py"), script).unwrap();
    sign(&sandbox);
    sandbox.up();
    let first = sandbox.wait_for("web", |unit| unit.state == "running");
    let told = || sandbox.get(&["events", "-n", "1000"]);
    wait_until("a stranger is not believed", || {
        told().contains("it has probably signed by itself")
    });
    // Nobody is to look at the old server with the new certificate.
    sandbox.get(&["stop", "web"]);
    sign(&sandbox);
    sandbox.get(&["start", "web"]);
    let next = sandbox.wait_for("web", |unit| unit.run > first.run && unit.state == "running");
    assert_eq!(next.run, first.run + 1, "{}", told());
    assert!(!told().contains("`http` has failed"), "{}", told());
}

#[test]
fn a_program_is_ready_when_its_log_its_port_or_its_file_says_so() {
    let port = free_port();
    let waits = "while [ ! -e go ]; do sleep 0.05; done";
    let config = format!(
        "[services.log]\n\
         shell = \"echo starting; {waits}; echo now listening on 80; exec sleep 1000\"\n\
         ready = {{ log = \"listening on [0-9]+$\" }}\n\
         [services.split]\n\
         shell = \"{waits}; echo now listening on 80 >&2; exec sleep 1000\"\n\
         logs = {{ streams = \"split\" }}\n\
         ready = {{ log = \"listening on [0-9]+$\" }}\n\
         [services.port]\n\
         shell = \"{waits}; exec python3 -m http.server --bind 127.0.0.1 {port}\"\n\
         ready = {{ tcp = {port} }}\n\
         [services.file]\n\
         shell = \"{waits}; touch there; exec sleep 1000\"\n\
         ready = {{ file = \"there\" }}\n"
    );
    let sandbox = Sandbox::up_with(&config);
    let all = ["log", "split", "port", "file"];
    for name in all {
        sandbox.wait_for(name, |unit| unit.pid.is_some());
    }
    wait_until("it has begun to write", || sandbox.get(&["logs", "log"]).contains("starting"));
    kill_agent(&sandbox);
    for name in all {
        assert_eq!(sandbox.unit(name).state, "starting", "{name}");
    }
    sandbox.wait_for("port", |unit| unit.since_seconds > 1);
    let why = sandbox.get(&["why", "port"]);
    assert!(!why.contains("The system has not answered"), "{why}");
    fs::write(sandbox.path("go"), "").unwrap();
    for name in all {
        let unit = sandbox.wait_for(name, |unit| unit.state == "running");
        assert_eq!((unit.run, unit.restarts), (1, 0), "{name}");
    }
}

#[test]
fn the_command_of_a_check_that_is_taken_away_ends_with_it() {
    let service = "[services.web]\ncommand = \"sleep 1000\"\n";
    let check = |name: &str| {
        format!(
            "[[services.web.checks]]\nname = \"{name}\"\nexec = [\"sh\", \"-c\", \"echo $$ > {name}; exec sleep 1000\"]\n\
             every = \"100ms\"\ntimeout = \"1h\"\n"
        )
    };
    let mut sandbox = Sandbox::up_with(&format!("{service}{}{}", check("a"), check("b")));
    let pid_of = |sandbox: &Sandbox, name: &str| {
        wait_until("its command is there", || sandbox.read(name).ends_with('\n'));
        sandbox.read(name).trim().parse::<u32>().unwrap()
    };
    let a = pid_of(&sandbox, "a");
    fs::write(sandbox.file(), format!("{service}{}", check("b"))).unwrap();
    sandbox.start_up(sandbox.command(&["up"]));
    wait_until("its command ends", || !processes::is_alive(a));
    wait_until("the other one is looked at", || processes::is_alive(pid_of(&sandbox, "b")));
    assert_eq!(sandbox.unit("web").state, "running");
}

#[test]
fn the_memory_of_whoever_became_the_main_process_is_judged() {
    let script = "import os, socket, subprocess, sys, time\n\
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n\
        s.connect(os.environ['NOTIFY_SOCKET'])\n\
        if len(sys.argv) > 1:\n\
        \x20   s.send(b'READY=1')\n\
        \x20   while not os.path.exists('grow'): time.sleep(0.05)\n\
        \x20   last = bytearray(96 << 20); time.sleep(1000)\n\
        child = subprocess.Popen([sys.executable, 'web.py', 'child'])\n\
        s.send(b'MAINPID=%d' % child.pid)\n\
        while not os.path.exists('leave'): time.sleep(0.05)\n\
        os._exit(0)\n";
    let config = "[services.web]\n\
         command = \"python3 web.py\"\n\
         ready = \"notify\"\n\
         restart = { delay = \"1h\" }\n\
         [[services.web.checks]]\n\
         memory = \"64MiB\"\n\
         every = \"100ms\"\n\
         failures = 1\n";
    let mut sandbox = Sandbox::new(config);
    fs::write(sandbox.path("web.py"), script).unwrap();
    sandbox.up();
    let first = sandbox.wait_for("web", |unit| unit.pid.is_some()).pid;
    sandbox.wait_for("web", |unit| unit.state == "running" && unit.pid != first);
    fs::write(sandbox.path("leave"), "").unwrap();
    wait_until("the first process is gone", || !processes::is_alive(first.unwrap()));
    fs::write(sandbox.path("grow"), "").unwrap();
    sandbox.wait_for("web", |unit| unit.state == "backoff");
    let told = sandbox.get(&["events", "-n", "1000"]);
    assert!(told.contains("MiB of memory, more than 64 MiB"), "{told}");
    assert!(!told.contains("CheckUnknown"), "{told}");
}

#[test]
fn a_program_that_takes_too_much_memory_is_told_of_and_replaced() {
    let script = "import time, os\nlast = bytearray(1)\nwhile not os.path.exists('grow'): time.sleep(0.05)\nlast = bytearray(96 << 20)\ntime.sleep(1000)\n";
    let config = "[services.web]\n\
         command = \"python3 grows.py\"\n\
         restart = { delay = \"1h\" }\n\
         hooks = { on-memory = \"touch told\" }\n\
         [[services.web.checks]]\n\
         memory = \"64MiB\"\n\
         every = \"100ms\"\n\
         failures = 1\n";
    let mut sandbox = Sandbox::new(config);
    fs::write(sandbox.path("grows.py"), script).unwrap();
    sandbox.up();
    let unit = sandbox.wait_for("web", |unit| unit.state == "running");
    assert!(unit.unhealthy.is_empty(), "{unit:?}");
    fs::write(sandbox.path("grow"), "").unwrap();
    sandbox.wait_for("web", |unit| unit.state == "backoff");
    wait_until("its hook has run", || sandbox.path("told").exists());
    let told = sandbox.get(&["events", "-n", "1000"]);
    assert!(told.contains("MiB of memory, more than 64 MiB"), "{told}");
}

/// Makes a key and a certificate as people do who have no authority.
fn sign(sandbox: &Sandbox) {
    let said = sandbox.shell(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
         -keyout own.key -out own.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost",
    );
    assert!(sandbox.path("own.pem").exists(), "{said}");
}

fn kill_agent(sandbox: &Sandbox) {
    let former = sandbox.status().agent.pid;
    processes::kill(former);
    wait_until("another agent answers", || {
        sandbox.ask(&["status"]).code == 0 && sandbox.status().agent.pid != former
    });
}
