//! The store of secrets and the command line around it.

use std::io::Read as _;

use super::*;
use crate::disks::Hang;

const NOTHING: &str = "[services.web]\ncommand = ['sleep', '1000']\n";

#[test]
fn what_is_set_without_an_agent_is_there_for_the_next_one() {
    let mut sandbox = Sandbox::new(GREEDY);
    let doctor = sandbox.ask(&["doctor"]).out;
    assert!(doctor.contains("BAD  secrets: `db` is not set"), "{doctor}");
    for (name, value) in [("db", VALUE), ("key", "first"), ("key", KEY)] {
        assert_eq!(set(&sandbox, name, &format!("{value}\n")).code, 0);
    }
    let listed = sandbox.get(&["secret", "list"]);
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[0].starts_with("db   20") && lines[0].ends_with("Z  web"), "{listed}");
    assert_eq!(sandbox.read(".mainstay/.gitignore"), "*\n");
    sandbox.up();
    sandbox.wait_for_pid("web");
    wait_until("the program has both", || sandbox.read("got.file") == KEY);
    assert_eq!(sandbox.read("got.env"), VALUE);
    assert_eq!(sandbox.get(&["secret", "list"]), listed);
    assert!(sandbox.ask(&["doctor"]).out.contains("ok   secrets: 2 names"));

    let removed = sandbox.ask(&["secret", "remove", "db"]);
    assert_eq!((removed.code, removed.out.as_str()), (0, "removed: db\n"));
    assert!(removed.err.contains("web cannot be started any more"), "{removed:?}");
    let again = sandbox.ask(&["secret", "remove", "db"]);
    assert!(again.code == 1 && again.err.contains("there is no secret `db`"), "{again:?}");
    let events = sandbox.get(&["events", "-n", "1000"]);
    assert!(events.contains("removes the secret \"db\""), "{events}");
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn everything_has_its_mode_from_birth_whatever_the_umask() {
    let mut sandbox = Sandbox::new(GREEDY);
    sandbox.through(&["sh", "-c", "umask 0; exec \"$@\"", "sh"]);
    assert_eq!([set(&sandbox, "db", VALUE).code, set(&sandbox, "key", KEY).code], [0, 0]);
    sandbox.up();
    sandbox.wait_for_pid("web");
    let [state, folder] = [sandbox.path(".mainstay"), sandbox.runtime().join("secrets")];
    let kept = [state.join("secret.key"), state.join("secrets.sealed")];
    assert_eq!(modes(&sandbox, &[&kept[0], &kept[1]]), "600 600");
    let given = [folder.join("web"), folder.join("web/tls.key")];
    assert_eq!(modes(&sandbox, &[&folder, &given[0], &given[1]]), "700 700 400");
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn a_store_that_others_can_read_or_nobody_understands_is_told_with_what_helps() {
    let mut sandbox = Sandbox::up_with(NOTHING);
    assert_eq!(set(&sandbox, "db", VALUE).code, 0);
    let state = sandbox.path(".mainstay");
    let (store, key) = (state.join("secrets.sealed"), state.join("secret.key"));
    let refused = |expected: &str, hint: &str| {
        let answer = set(&sandbox, "db", "other");
        assert_eq!(answer.code, 1, "{answer:?}");
        assert!(answer.err.contains(expected) && answer.err.contains(hint), "{answer:?}");
    };

    sandbox.shell("chmod 644 .mainstay/secret.key");
    refused("its mode 0644 lets others in", "chmod 600");
    sandbox.shell("chmod 600 .mainstay/secret.key");

    let whole = fs::read(&key).unwrap();
    fs::write(&key, [7; 32]).unwrap();
    refused("was sealed with another key than", "put its key back");
    fs::write(&key, "no key").unwrap();
    refused("is no key", "put the right file back");
    fs::write(&key, &whole).unwrap();

    let sealed = fs::read(&store).unwrap();
    fs::write(&store, &sealed[..sealed.len() - 1]).unwrap();
    let doctor = sandbox.ask(&["doctor"]);
    assert!(doctor.code == 1 && doctor.out.contains("secrets.sealed` is damaged"), "{doctor:?}");
    let answer = set(&sandbox, "db", VALUE);
    assert!(answer.code == 0 && answer.err.contains("secrets.damaged-1"), "{answer:?}");
    assert_eq!(fs::read(state.join("secrets.damaged-1")).unwrap(), sealed[..sealed.len() - 1]);
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn names_and_values_have_limits_and_values_never_come_by_the_command_line() {
    let mut sandbox = Sandbox::up_with(NOTHING);
    let check = |arguments: &[&str], value: &str, code: i32, expected: &str| {
        let answer = set_with(&sandbox, arguments, value);
        assert_eq!(answer.code, code, "{answer:?}");
        assert!(answer.err.contains(expected), "{answer:?}");
    };
    check(&["a/b"], "x", 2, "cannot name a secret");
    check(&[&"a".repeat(65)], "x", 2, "cannot name a secret");
    check(&["db"], "\n", 1, "the value is empty");
    check(&["db"], &"x".repeat(65_537), 1, "more than 65536 bytes");
    check(&["db", "hunter2"], "x", 2, "unexpected argument");
    assert_eq!(set(&sandbox, &"a".repeat(64), &"x".repeat(65_536)).code, 0);
    fs::write(sandbox.path("value"), "from a file\n").unwrap();
    assert_eq!(sandbox.get(&["secret", "set", "db", "--file", "value"]), "set: db\n");
    assert_eq!(sandbox.get(&["secret", "list"]).lines().count(), 2);
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn a_value_is_typed_unseen() {
    let mut sandbox = Sandbox::new(&GREEDY.replace("'key'", "'db'"));
    let line = format!("{} secret set db", crate::sandbox::BINARY);
    let mut command = sandbox.prepare(Command::new("script"), &["-qec", &line, "/dev/null"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut shown, mut letter) = (String::new(), [0]);
    while !shown.ends_with("value of db: ") && screen.read(&mut letter).unwrap() == 1 {
        shown.push(char::from(letter[0]));
    }
    keys.write_all(format!("{VALUE}!\u{7f}\r").as_bytes()).unwrap();
    screen.read_to_string(&mut shown).unwrap();
    assert!(child.wait().unwrap().success() && shown.ends_with("set: db\r\n"), "{shown}");
    assert!(!shown.contains(VALUE), "{shown}");
    sandbox.up();
    sandbox.wait_for_pid("web");
    wait_until("the program has it", || sandbox.read("got.env") == VALUE);
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn a_store_whose_disk_does_not_answer_costs_those_who_need_it_alone() {
    let config = "[services.db]\ncommand = ['sleep', '1000']\n\
                  environment = { A = { secret = 'db' } }\n\
                  restart = { delay = '1h', max-delay = '1h' }\n\
                  [services.other]\nshell = 'test \"$A\" = x && exec sleep 1000'\n\
                  environment = { A = { command = ['echo', 'x'] } }\n";
    let mut sandbox = Sandbox::new(config);
    let credentials = sandbox.path("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::write(credentials.join("mainstay.key"), "5a".repeat(32)).unwrap();
    let mut up = sandbox.command(&["up"]);
    up.env("CREDENTIALS_DIRECTORY", &credentials);
    sandbox.start_up(up);
    wait_until("the instance answers", || sandbox.ask(&["status"]).code == 0);
    assert_eq!(set(&sandbox, "db", VALUE).code, 0);
    sandbox.get(&["restart", "db"]);
    let Some(mut hang) = Hang::at(&credentials) else { return };

    // Its key is not to be had, and who wants to change the store waits as little as who reads it.
    sandbox.get(&["restart", "db", "--no-wait"]);
    sandbox.wait_for("db", |unit| unit.state == "starting");
    sandbox.get(&["restart", "other"]);
    let answer = set(&sandbox, "db", "another");
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(answer.err.contains("secrets.sealed` lies on does not answer"), "{answer:?}");
    let unit = sandbox.wait_for("db", |unit| unit.state == "backoff");
    assert!(unit.why.contains("cannot fetch `A`: what `"), "{}", unit.why);
    assert!(unit.why.contains("secrets.sealed` lies on does not answer"), "{}", unit.why);
    sandbox.get(&["start", "db", "--no-wait"]);
    wait_until("it is not asked again", || {
        sandbox.unit("db").why.contains("lies on still does not answer; it was asked before")
    });
    sandbox.get(&["restart", "other"]);
    hang.give_up();
    drop(hang);
    wait_until("it is asked anew", || {
        sandbox.ask(&["start", "db"]).code == 0 && sandbox.unit("db").state == "running"
    });
    assert_eq!(sandbox.down(), Some(0));
}
