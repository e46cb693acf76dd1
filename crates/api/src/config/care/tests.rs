//! What people type about readiness, checks and hooks, and what they are told.

use mainstay_core::{
    ServiceName,
    check::{CheckAction, CheckId, CheckRole},
};

use std::path::Path;

use super::super::difference::keys as keys_that_differ;
use super::*;
use crate::config::{ServiceConfig, SourceText, parse};

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn readiness_is_read_with_its_defaults() {
    let ready = |line: &str| read(&format!("ready = {line}")).ready;
    assert_eq!(read("").ready, ReadyConfig::default());
    let notice = Ready { by: ReadyBy::Notice, timeout: seconds(90) };
    assert_eq!(ready("'notify'").policy, notice);
    assert_eq!(ready("{ notify = true, timeout = '5s' }").policy.timeout, seconds(5));
    assert_eq!(ready("{ delay = '3s' }").policy.by, ReadyBy::Delay(seconds(3)));
    let probed = |line: &str, every_ms, timeout| {
        let policy = ready(line).policy;
        let every = Duration::from_millis(every_ms);
        assert_eq!(policy.by, ReadyBy::Probe { every, timeout: seconds(timeout) }, "{line}");
    };
    probed("{ http = 'http://localhost/' }", 1000, 2);
    probed("{ tcp = 80 }", 200, 2);
    probed("{ file = 'f' }", 200, 2);
    probed("{ exec = 'pg_isready' }", 1000, 10);
    probed("{ log = 'listening', timeout = '7s' }", 200, 7);
    probed("{ tcp = 80, every = '50ms', probe-timeout = '9s' }", 50, 9);
    assert_eq!(ready("{ tcp = 80 }").look, Some(Look::Tcp(Address::here(80))));
    let log = Pattern::new("^listening").unwrap();
    assert!(log.is_found_in("listening on 80") && !log.is_found_in("not listening"));
    assert_eq!(ready("{ log = '^listening' }").look, Some(Look::Log(log)));
}

#[test]
fn a_run_may_take_as_long_as_its_startup_checks_need_for_their_say() {
    let timeout = |lines: &str| read(lines).ready.policy.timeout;
    let startup = |more: &str| format!("checks = [{{ tcp = 80, role = 'startup'{more} }}]");
    assert_eq!(timeout(&startup("")), seconds(30 * 10 + 15 + 2));
    assert_eq!(
        timeout(&startup(", failures = 2")),
        seconds(90),
        "but never shorter than the usual"
    );
    let patient = startup(", failures = 2, delay = '5m', every = '20s', timeout = '4s'");
    assert_eq!(timeout(&patient), seconds(300 + 42 + 4));
    assert_eq!(timeout(&format!("ready = 'notify'\n{patient}")), seconds(346));
    assert_eq!(timeout(&format!("ready = {{ tcp = 80 }}\n{patient}")), seconds(346));
    assert_eq!(timeout("checks = [{ tcp = 80, failures = 1000 }]"), seconds(90));
    let endless = startup(", failures = 1000, every = '366d'");
    assert_eq!(timeout(&endless), seconds(366 * 24 * 3600));
    let written = read(&format!("ready = {{ timeout = '5s' }}\n{patient}")).ready;
    assert_eq!(written.policy, Ready { by: ReadyBy::Started, timeout: seconds(5) });
}

#[test]
fn checks_are_read_with_their_defaults() {
    let text = "checks = [{ http = 'http://localhost/' }, { tcp = '[::1]:80', role = 'readiness' },
        { http = 'http://localhost/', role = 'startup', name = 'http-2' },
        { http = 'http://localhost/', action = { run = 'heal me', timeout = '5s' } },
        { heartbeat = true, every = '1m', action = 'stop' }, { memory = '512MiB' },
        { exec = ['look'], failures = 1, successes = 2, delay = '1s', timeout = '100ms' },
        { file = 'alive', max-age = '2m' }]";
    let care = read(text);
    let told: Vec<_> = care.checks.iter().map(|check| &check.policy).collect();
    let names: Vec<_> = told.iter().map(|policy| policy.name.as_str()).collect();
    let expected = ["http", "tcp", "http-2", "http-3", "heartbeat", "memory", "exec", "file"];
    assert_eq!(names, expected);
    assert_eq!(
        (told[0].every, told[0].timeout, told[0].delay),
        (seconds(10), seconds(2), seconds(0))
    );
    let verdict = |place: usize| (told[place].role, told[place].action, told[place].failures);
    assert_eq!(verdict(0), (CheckRole::Liveness, CheckAction::Restart, 3));
    assert_eq!(verdict(1), (CheckRole::Readiness, CheckAction::Mark, 3));
    assert_eq!(verdict(2), (CheckRole::Startup, CheckAction::Restart, 30));
    assert_eq!(verdict(3), (CheckRole::Liveness, CheckAction::Run, 3));
    assert_eq!((verdict(4).1, told[4].about), (CheckAction::Stop, About::Heartbeat));
    assert_eq!((&care.checks[5].look, told[5].about), (&Look::Memory(512 << 20), About::Memory));
    assert_eq!((told[6].failures, told[6].successes, told[6].delay), (1, 2, seconds(1)));
    assert_eq!(told[6].timeout, Duration::from_millis(100));
    let path = Path::new("/srv").join("alive").display().to_string();
    let file = FileLook { path, max_age: Some(seconds(120)) };
    assert_eq!(care.checks[7].look, Look::File(file));
    let heal = ["heal", "me"].map(str::to_owned).to_vec();
    let own = HookConfig { command: heal, timeout: seconds(5) };
    assert_eq!(care.hooks, BTreeMap::from([(Hook::OfCheck(CheckId::of("http-3")), own)]));
    let decided = care.core();
    assert_eq!(
        (decided.checks.len(), decided.hooks[&Hook::OfCheck(CheckId::of("http-3"))].timeout),
        (8, seconds(5))
    );
}

#[test]
fn an_http_check_says_which_answers_are_good() {
    let http = |line: &str| {
        let care = read(&format!("checks = [{{ http = 'http://h:1/', {line} }}]"));
        let Look::Http(http) = care.checks[0].look.clone() else { panic!("{care:?}") };
        http
    };
    let usual = http("");
    assert!(usual.statuses.contains(204) && usual.statuses.contains(301));
    assert!(!usual.statuses.contains(404) && usual.method == Method::Get);
    assert!(http("status = 404").statuses.contains(404));
    let list = http("status = [200, '4xx']").statuses;
    assert!(list.contains(200) && list.contains(418) && !list.contains(201));
    let full = http("method = 'POST', body = 'o+k', headers = { Host = 'x', X-A = 1 }");
    assert_eq!((full.method, full.body.unwrap().as_str()), (Method::Post, "o+k"));
    let headers = [("Host", "x"), ("X-A", "1")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(full.headers, headers);
}

#[test]
fn hooks_and_reload_are_read() {
    let care = read(
        "hooks = { before-start = ['./migrate', 'up'], after-exit = './tell.sh now', \
         on-failure = { command = 'tell', timeout = '5s' } }\nreload = { command = 'again' }",
    );
    let (before, after) = (&care.hooks[&Hook::BeforeStart], &care.hooks[&Hook::AfterExit]);
    assert_eq!(
        (&*before.command, before.timeout),
        (&["./migrate", "up"].map(str::to_owned)[..], seconds(3600)),
        "a database may take its time"
    );
    assert_eq!((&*after.command[0], after.timeout), ("./tell.sh", seconds(30)));
    assert_eq!(care.hooks[&Hook::OnFailure].timeout, seconds(5));
    assert_eq!(care.reload, Some(ReloadConfig::Command));
    assert_eq!(care.hooks[&Hook::Reload].command, ["again"]);
    assert_eq!(care.core().reload, Some(ReloadBy::Command));
    let reload = |line: &str| read(&format!("reload = {line}")).reload;
    assert_eq!(reload("{ signal = 'USR2' }"), Some(ReloadConfig::Signal(SignalName::User2)));
    assert_eq!(reload("'notify'"), Some(ReloadConfig::Notify(SignalName::Hangup)));
    let answered = reload("{ signal = 'USR1', notify = true }");
    assert_eq!(answered, Some(ReloadConfig::Notify(SignalName::User1)));
}

#[test]
fn a_socket_is_made_for_whoever_waits_for_notifications() {
    let has = |line: &str, expected: bool| assert_eq!(read(line).has_socket(), expected, "{line}");
    has("", false);
    has("ready = { tcp = 80 }", false);
    has("ready = 'notify'", true);
    has("watchdog = '30s'", true);
    has("notify = {}", true);
    has("notify = { access = 'none' }", false);
    has("notify = { store = 64 }", true);
    has("reload = 'notify'", true);
    has("reload = { signal = 'HUP' }", false);
    has("checks = [{ heartbeat = true }]", true);
}

#[test]
fn a_program_is_asked_to_say_that_it_is_alive_as_often_as_the_least_patient_wants_it() {
    let every = |line: &str| read(line).alive_every();
    assert_eq!(every("ready = 'notify'"), None);
    assert_eq!(every("watchdog = '30s'"), Some(seconds(30)));
    assert_eq!(
        every("checks = [{ heartbeat = true }, { tcp = 80, every = '1s' }]"),
        Some(seconds(10))
    );
    let both = "watchdog = '30s'\nchecks = [{ heartbeat = true, every = '40s' },
        { heartbeat = true, every = '20s' }]";
    assert_eq!(every(both), Some(seconds(20)));
}

#[test]
fn what_is_looked_at_changes_without_a_restart() {
    let plain = service("");
    let same = |line: &str| {
        let other = service(line);
        assert_eq!(other.spec_hash(), plain.spec_hash(), "{line}");
        assert_eq!(other.given_hash(), plain.given_hash(), "{line}");
        assert_ne!(other.care, plain.care, "{line}");
    };
    same("ready = { tcp = 80 }");
    same("checks = [{ tcp = 80 }]");
    same("hooks = { before-start = 'x' }");
    same("reload = { signal = 'HUP' }");
    let hash = |line: &str| service(line).spec_hash();
    let listened = hash("notify = {}");
    assert_ne!(listened, plain.spec_hash(), "a program is told of the socket at its start");
    assert_eq!(listened, hash("ready = 'notify'"));
    assert_eq!(listened, hash("notify = { access = 'main' }"));
    assert_ne!(listened, hash("watchdog = '30s'"), "and how often to say that it is alive");
    let stop = "watchdog = { every = '30s', action = 'stop' }";
    assert_eq!(hash("watchdog = '30s'"), hash(stop));
    let beats =
        |every: &str| hash(&format!("checks = [{{ heartbeat = true, every = '{every}' }}]"));
    assert_ne!(listened, beats("10s"), "a check on heartbeats wants to hear it, too");
    assert_eq!(beats("30s"), hash("watchdog = '30s'"), "it makes no difference who wants it");
    let store = service("notify = { store = 3 }");
    assert_eq!(store.spec_hash(), listened);
    assert_ne!(store.given_hash(), plain.given_hash());
}

#[test]
fn keys_that_differ_are_named() {
    let check = |before: &str, after: &str, expected: &[&str]| {
        let keys = keys_that_differ(&service(before), &service(after));
        let told: Vec<&str> = keys.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(told, expected, "{before} | {after}");
    };
    check("", "", &[]);
    check("", "ready = 'notify'\nwatchdog = '3s'\nnotify = {}", &["ready", "watchdog", "notify"]);
    check("checks = [{ tcp = 80 }]", "checks = [{ tcp = 81 }]", &["checks"]);
    let own =
        |command: &str| format!("checks = [{{ tcp = 80, action = {{ run = '{command}' }} }}]");
    check(&own("a"), &own("b"), &["checks"]);
    check("hooks = { after-exit = 'a' }", "hooks = { after-exit = 'b' }", &["hooks"]);
    check("reload = { command = 'a' }", "reload = { command = 'b' }", &["reload"]);
}

#[test]
fn mistakes_of_readiness_are_named_with_place_and_remedy() {
    check("ready = 'notfy'", "4:9 `ready` cannot be `notfy`; did you mean `notify`?");
    check(
        "ready = 5",
        "4:9 `ready` must be \"notify\" or a table, such as { tcp = 8080 }, not a whole number",
    );
    check(
        "ready = { tcp = 80, log = 'x' }",
        "4:27 `tcp` and `log` exclude each other; remove one of them",
    );
    check(
        "ready = { tcp = 80, status = 200 }",
        "4:30 `status` goes with `http`, not with `tcp`; remove it",
    );
    check("ready = { notify = false }", "4:20 `notify` can only be true; remove it");
    check(
        "ready = { notify = true, every = '1s' }",
        "4:34 `every` goes with what is looked at, not with `notify`; remove it",
    );
    check(
        "ready = { delay = '90s' }",
        "4:19 `delay` is not less than the time-out, 90s; give a longer `timeout`, too",
    );
    check(
        "ready = { tcp = 80, every = '0s' }",
        "4:29 `every` is shorter than 10ms; give it longer",
    );
    check("ready = { tcp = 0 }", "4:17 `tcp` must be between 1 and 65535");
    check(
        "ready = { tcp = 'db' }",
        "4:17 `db` names no port; write a port such as 5432, or `127.0.0.1:5432`, `[::1]:5432`",
    );
    check(
        "logs = 'off'\nready = { log = 'x' }",
        "5:17 there is no log to look at: `logs` is \"off\"; remove `logs`, or look at something else",
    );
    check(
        "type = 'task'\nready = { tcp = 80 }",
        "5:9 a task is ready when it has ended well, and not while it runs; remove `ready`, or `type = \"task\"`",
    );
    check(
        "ready = { log = 'a(b' }",
        "4:17 `a(b` is no regular expression: found open group without closing ')'",
    );
    check("ready = { exec = '' }", "4:18 `exec` is empty");
    check("ready = { file = '' }", "4:18 `file` is empty; name a file");
    check(
        "ready = { http = 'ws://h/' }",
        "4:18 `ws://h/` cannot be asked: a URL begins with `http://` or `https://`",
    );
    check(
        "ready = { htpp = 'x', tcp = 1 }",
        "4:11 unknown key `htpp` in `ready`; did you mean `http`?",
    );
}

#[test]
fn a_time_out_limits_what_a_run_has_to_reach_by_itself() {
    let kinds = "`http`, `tcp`, `log`, `file`, `exec`, `notify`, `delay`";
    check(
        "ready = { timeout = '5s', every = '1s' }",
        &format!("4:9 `ready` waits for nothing; add one of {kinds}"),
    );
    check(
        "ready = { timeout = '5s' }\nchecks = [{ tcp = 80, role = 'readiness' }]",
        &format!(
            "4:9 `timeout` limits nothing: a readiness check ends no run; write `role = \"startup\"` for `tcp`, or add one of {kinds}"
        ),
    );
    check(
        "ready = { timeout = '5s', every = '1s' }\nchecks = [{ tcp = 80, role = 'startup' }]",
        "4:35 `every` goes with what is looked at, not with `timeout`; remove it",
    );
}

#[test]
fn a_task_is_ready_when_it_has_ended_well_whatever_its_checks_say() {
    for role in ["startup", "readiness"] {
        check(
            &format!("type = 'task'\nchecks = [{{ tcp = 80, role = '{role}' }}]"),
            "5:30 a task is ready when it has ended well, and not while it runs; remove `role`: the check looks at whether it lives; or `type = \"task\"`",
        );
    }
    let task = read("type = 'task'\nchecks = [{ tcp = 80, role = 'liveness' }]");
    assert_eq!(task.checks[0].policy.role, CheckRole::Liveness);
}

#[test]
fn mistakes_of_checks_are_named_with_place_and_remedy() {
    let one = |line: &str, expected: &str| check(&format!("checks = [{{ {line} }}]"), expected);
    let kinds = "`http`, `tcp`, `exec`, `file`, `heartbeat`, `memory`";
    one("every = '1s'", &format!("4:11 a check looks at nothing; add one of {kinds}"));
    one("tcp = 80, max-age = '1s'", "4:33 `max-age` goes with `file`, not with `tcp`; remove it");
    one("tcp = 80, failures = 0", "4:34 `failures` must be between 1 and 1000");
    one("tcp = 80, every = '1ms'", "4:31 `every` is shorter than 100ms; give it longer");
    one(
        "tcp = 80, role = 'live'",
        "4:30 `role` cannot be `live`; there is `liveness`, `readiness`, `startup`",
    );
    one(
        "tcp = 80, action = 'kill'",
        "4:32 `action` cannot be `kill`; there is `restart`, `stop`, `mark`",
    );
    one(
        "tcp = 80, action = {}",
        "4:32 there is no command; add `run = [\"program\", \"argument\"]`",
    );
    one(
        "tcp = 80, name = 'a b'",
        "4:30 `a b` cannot name a check; a name has letters, digits, `-`, `_` and `.` only",
    );
    one(
        "heartbeat = true, timeout = '1s'",
        "4:41 `timeout` goes with what is looked at, not with `heartbeat`; remove it",
    );
    one("memory = '10 megs'", "4:22 `10 megs` is no size; write `512KiB`, `10MiB` or `1GiB`");
    one("tcp = 80, nam = 'x'", "4:23 unknown key `nam` in a check; did you mean `name`?");
    check("checks = {}", "4:10 `checks` must be a list of tables, not a table");
    check("checks = [1]", "4:11 `checks` must be tables only, not a whole number");
    let all = "checks = [{ tcp = 1, name = 'a' }, { tcp = 2, name = 'A' }]";
    check(all, "4:36 two checks are called `A`; give each a `name` of its own");
    let many = format!("checks = [{}]", "{ tcp = 1 },".repeat(65));
    check(&many, "4:10 there are 65 checks, more than 64; look at several things with one `exec`");
}

#[test]
fn whom_a_server_has_to_be_goes_with_tls_alone() {
    let http = |line: &str| {
        let care = read(&format!("ready = {{ {line} }}"));
        let Some(Look::Http(http)) = care.ready.look.clone() else { panic!("{care:?}") };
        (http.url.to_string(), http.tls)
    };
    let (url, tls) = http("http = 'https://h'");
    assert_eq!((url.as_str(), tls), ("https://h:443/", TlsLook::default()));
    let (_, tls) = http("http = 'https://h', ca-file = 'own.pem', server-name = 'web.example'");
    let path = Path::new("/srv").join("own.pem").display().to_string();
    let server_name = Some("web.example".to_owned());
    assert_eq!(tls, TlsLook { ca_file: Some(path), server_name });
    check(
        "ready = { http = 'http://h', ca-file = 'own.pem' }",
        "4:40 `ca-file` goes with `https`, not with `http`; remove it",
    );
    check("ready = { http = 'https://h', ca-file = '' }", "4:41 \"\" names no file");
    check("ready = { http = 'https://h', server-name = 'a b' }", "4:45 `a b` cannot name a host");
    check(
        "ready = { tcp = 80, server-name = 'h' }",
        "4:35 `server-name` goes with `http`, not with `tcp`; remove it",
    );
}

#[test]
fn mistakes_of_what_is_asked_over_http_are_named_with_place_and_remedy() {
    let http = |line: &str, expected: &str| {
        check(&format!("checks = [{{ http = 'http://h/', {line} }}]"), expected);
    };
    http(
        "status = 99",
        "4:42 `status` makes no sense; write a number from 100 to 599, a class such as \"2xx\", or a list of them",
    );
    http(
        "status = []",
        "4:42 `status` is empty: no answer would be good; remove it, or name a status",
    );
    http(
        "method = 'HEAD', body = 'x'",
        "4:57 an answer to HEAD has no body; remove `body`, or ask with GET",
    );
    http("headers = { 'a b' = 'x' }", "4:53 \"a b\" cannot name a header");
    http(
        "headers = { Connection = 'x' }",
        "4:58 `Connection` is set by what asks, and cannot be set here",
    );
    http(
        "headers = { A = \"x\\ny\" }",
        "4:49 the value of `A` has something else than letters of ASCII",
    );
}

#[test]
fn mistakes_of_hooks_and_notifications_are_named_with_place_and_remedy() {
    check(
        "hooks = { befor-start = 'x' }",
        "4:11 unknown key `befor-start` in `hooks`; did you mean `before-start`?",
    );
    check(
        "hooks = { before-start = {} }",
        "4:26 there is no command; add `command = [\"program\", \"argument\"]`",
    );
    check(
        "hooks = { reload = 'x' }",
        "4:11 `reload` is no hook; write `reload = { command = … }` beside `hooks`; `before-reload` and `after-start` are hooks",
    );
    check(
        "hooks = { on-memory = 'x' }",
        "4:11 `on-memory` never runs: no check is on memory; add `[[services.NAME.checks]]` with `memory = \"512MiB\"`, or remove the hook",
    );
    check(
        "hooks = { before-reload = 'x' }",
        "4:11 `before-reload` never runs: without `reload` nothing is reloaded; add `reload = { signal = \"HUP\" }`, or remove the hook",
    );
    check(
        "reload = { signal = 'KILL' }",
        "4:21 `signal` cannot be `KILL`; there is `HUP`, `USR1`, `USR2`, `INT`, `QUIT`",
    );
    check("reload = {}", "4:10 `reload` names no way; add one of `signal`, `command`");
    check(
        "reload = { signal = 'HUP', timeout = '1s' }",
        "4:38 `timeout` goes with `command`, not with `signal`; remove it",
    );
    check(
        "reload = { signal = 'HUP', status = 200 }",
        "4:28 unknown key `status` in `reload`; `reload` has `signal`, `command`, `timeout`, `notify`",
    );
    check("watchdog = '1ms'", "4:12 `watchdog` is shorter than 100ms; give it longer");
    check("watchdog = {}", "4:12 `watchdog` names no time; add `every = \"30s\"`");
    check(
        "watchdog = { every = '1s', action = { run = 'x' } }",
        "4:37 a watchdog has no command of its own; name it in `hooks` as `on-unhealthy`",
    );
    check("notify = { store = 65 }", "4:20 `store` must be between 0 and 64");
    check("notify = { access = 'al' }", "4:21 `access` cannot be `al`; did you mean `all`?");
    check(
        "ready = 'notify'\nnotify = { access = 'none' }",
        "5:12 nobody may notify, and `ready` waits for a notification; write `access = \"all\"` or `\"main\"`",
    );
}

fn check(lines: &str, expected: &str) {
    let text = text_of(lines);
    let found = parse(&[SourceText { file: "/etc/x.toml", bytes: text.as_bytes() }]).unwrap_err();
    let line = |one: &crate::config::Diagnostic| {
        let help = if one.help.is_empty() { String::new() } else { format!("; {}", one.help) };
        format!("{}:{} {}{help}", one.line, one.column, one.message)
    };
    assert_eq!(found.iter().map(line).collect::<Vec<_>>(), [expected], "{text}");
}

fn read(lines: &str) -> CareConfig {
    service(lines).care
}

fn service(lines: &str) -> ServiceConfig {
    let text = text_of(lines);
    let config = parse(&[SourceText { file: "/etc/x.toml", bytes: text.as_bytes() }]);
    let config = config.unwrap_or_else(|found| panic!("{}", crate::config::render(&found)));
    config.services[&ServiceName::new("web").unwrap()].clone()
}

fn text_of(lines: &str) -> String {
    format!("[services.web]\ncommand = ['web']\ndirectory = '/srv'\n{lines}\n")
}
