//! Members of groups that `[[access]]` lets in: another user, with nothing opened by mistake.

use crate::{
    processes::{self, wait_until},
    sandbox::{Answer, Sandbox},
};

const NOBODY: &str = "65534";
/// Groups that no system has; the kernel knows them by their numbers.
const OPERATORS: &str = "42420";
const VIEWERS: &str = "42421";
const OTHERS: &str = "42422";

const SERVICES: &str = "[services.web-1]\ncommand = [\"sleep\", \"1000\"]\n\
                        [services.db]\ncommand = [\"sleep\", \"1000\"]\n";

#[test]
fn groups_do_what_their_role_allows_and_nothing_else() {
    let Some(mut sandbox) = with_access() else { return };
    let runtime = sandbox.runtime().display().to_string();
    let mut as_member = |group: &str, command: &[&str]| {
        become_member(&mut sandbox, group);
        let answer = sandbox.ask(&[&["--instance", &runtime], command].concat());
        sandbox.through(&[]);
        answer
    };
    let refused = |answer: &Answer, why: &str| {
        assert_eq!(answer.code, 1, "{answer:?}");
        assert!(answer.err.contains(why), "{answer:?}");
    };

    let seen = as_member(VIEWERS, &["status"]);
    assert!(seen.code == 0 && seen.out.contains("web-1"), "{seen:?}");
    let stop = as_member(VIEWERS, &["stop", "web-1"]);
    refused(&stop, "is `viewer` here, and this needs the role `operator`");

    assert_eq!(as_member(OPERATORS, &["stop", "web-1"]).code, 0);
    refused(&as_member(OPERATORS, &["stop", "db"]), "needs the role `operator` for `db`");
    refused(&as_member(OPERATORS, &["kill", "*"]), "needs the role `operator` for `db`");
    refused(&as_member(OPERATORS, &["remove", "db"]), "this needs the role `admin`");

    refused(&as_member(OPERATORS, &["secret", "list"]), "this needs the role `admin`");
    refused(&as_member(VIEWERS, &["secret", "remove", "db"]), "this needs the role `admin`");

    let stranger = as_member(OTHERS, &["status"]);
    assert_ne!(stranger.code, 0, "{stranger:?}");
    assert!(!stranger.out.contains("web-1"), "{stranger:?}");

    assert_eq!(sandbox.unit("web-1").state, "stopped");
    assert_eq!(sandbox.unit("db").state, "running");
    let events = sandbox.get(&["events"]);
    assert!(events.contains(&format!("user {NOBODY} asks to stop web-1")), "{events}");
    end(sandbox);
}

#[test]
fn whoever_is_let_in_no_more_finds_the_door_closed() {
    let Some(mut sandbox) = with_access() else { return };
    let runtime = sandbox.runtime().display().to_string();
    std::fs::write(sandbox.file(), SERVICES).unwrap();
    sandbox.start_up(sandbox.command(&["up"]));
    become_member(&mut sandbox, OPERATORS);
    wait_until("an operator is one no more", || {
        sandbox.ask(&["--instance", &runtime, "stop", "web-1"]).code != 0
    });
    sandbox.through(&[]);
    end(sandbox);
}

#[test]
fn a_group_that_does_not_exist_is_told_and_stops_nothing() {
    let config = format!("{SERVICES}[[access]]\ngroup = \"no-such-group\"\nrole = \"viewer\"\n");
    let mut sandbox = Sandbox::up_with(&config);
    let expected = "there is no group `no-such-group` on this system";
    wait_until("it is told", || sandbox.get(&["events"]).contains(expected));
    sandbox.wait_for_all();
    assert_eq!(sandbox.down(), Some(0));
}

/// Returns an instance that lets groups in; nothing where we cannot become somebody else.
#[expect(clippy::print_stderr, reason = "a story that is not shown says so")]
fn with_access() -> Option<Sandbox> {
    let config = format!(
        "{SERVICES}[[access]]\ngroup = \"{OPERATORS}\"\nrole = \"operator\"\n\
         services = \"web-*\"\n[[access]]\ngroup = \"{VIEWERS}\"\nrole = \"viewer\"\n"
    );
    let mut sandbox = Sandbox::up_with(&config);
    if sandbox.shell("id -u") != "0\n" {
        eprintln!("not shown here: only the administrator becomes somebody else");
        return None;
    }
    sandbox.wait_for_all();
    // Groups are looked up on a thread of their own.
    let runtime = sandbox.runtime().display().to_string();
    become_member(&mut sandbox, VIEWERS);
    wait_until("a viewer is let in", || sandbox.ask(&["--instance", &runtime, "status"]).code == 0);
    sandbox.through(&[]);
    Some(sandbox)
}

fn become_member(sandbox: &mut Sandbox, group: &str) {
    let own = format!("XDG_RUNTIME_DIR={}", sandbox.path("theirs").display());
    let who = ["--reuid", NOBODY, "--regid", NOBODY, "--groups", group];
    let line: Vec<&str> = ["setpriv"].into_iter().chain(who).chain(["env", &own]).collect();
    sandbox.through(&line);
}

fn end(mut sandbox: Sandbox) {
    assert_eq!(sandbox.down(), Some(0));
    processes::expect_none(sandbox.folder());
}
