//! Logs in files of the user's own (`logs.path`): each line is there once, whoever dies.

use std::fs;

use crate::{
    disks::Disk,
    processes::{kill, wait_until, whole_lines},
    sandbox::Sandbox,
};

/// Counts to this in a few seconds.
const LINES: usize = 400_000;
const DEATHS: usize = 12;

#[test]
fn each_line_is_there_once_whoever_is_killed_while_it_is_copied() {
    let mut sandbox = Sandbox::up_with(&format!(
        "[services.count]\n\
         shell = \"i=0; while [ $i -lt {LINES} ]; do seq $i $((i+999)); i=$((i+1000)); sleep 0.005; done; exec sleep 1000\"\n\
         logs = {{ max-size = \"200KiB\", keep = 0, path = \"count.log\" }}\n"
    ));
    let program = sandbox.wait_for_pid("count");
    for death in 0..DEATHS {
        let copied = sandbox.read("count.log").len();
        wait_until("the copy goes on", || {
            sandbox.read("count.log").len() > copied || is_all(&sandbox)
        });
        let status = sandbox.status();
        match death % 4 {
            0 | 1 => kill(status.agent.pid),
            2 => kill(status.keeper.pid),
            _ => {
                sandbox.kill_both();
                sandbox.up();
            }
        }
        assert_eq!(sandbox.wait_for_pid("count"), program);
    }
    wait_until("everything is copied", || is_all(&sandbox));
    let numbers: Vec<String> = (0..LINES).map(|number| number.to_string()).collect();
    let expected = numbers.join("\n") + "\n";
    assert!(sandbox.read("count.log") == expected, "a line is missing, torn or there twice");
    let own = sandbox.get(&["logs", "count", "--raw", "-n", "all"]);
    assert!(own == expected, "its own log is complete, too");
}

#[test]
fn streams_go_into_files_of_their_own_and_last_words_with_them() {
    let mut sandbox = Sandbox::up_with(
        "[services.talk]\n\
         shell = \"trap 'echo bye; echo gone >&2; exit 0' TERM; echo out; echo err >&2; while :; do sleep 0.02; done\"\n\
         logs = { path = { stdout = \"out.log\", stderr = \"err.log\", at-start = true } }\n",
    );
    wait_until("both are copied", || {
        [sandbox.read("out.log"), sandbox.read("err.log")] == ["out\n", "err\n"]
    });
    assert_eq!(sandbox.down(), Some(0));
    assert_eq!(sandbox.read("out.log"), "out\nbye\n");
    assert!(sandbox.read("err.log").ends_with("gone\n"));
    sandbox.up();
    wait_until("the next run has files of its own", || sandbox.read("out.log") == "out\n");
    let entries = fs::read_dir(sandbox.folder()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let former = names.filter(|name| name.starts_with("out-")).collect::<Vec<_>>();
    assert_eq!(former.len(), 1, "{former:?}");
    assert_eq!(sandbox.read(&former[0]), "out\nbye\n");
}

#[test]
fn a_link_in_the_place_of_the_file_is_not_followed() {
    let mut sandbox = Sandbox::new(
        "[services.talk]\nshell = \"echo said; exec sleep 1000\"\nlogs = { path = \"talk.log\" }\n",
    );
    sandbox.shell("touch victim && ln -s victim talk.log");
    sandbox.up();
    sandbox.wait_for("talk", |unit| unit.pressure.is_some());
    let what = sandbox.unit("talk").pressure.unwrap();
    assert!(what.contains("it is a link; name the file that it leads to"), "{what}");
    assert_eq!(sandbox.read("victim"), "");
    sandbox.shell("rm talk.log");
    wait_until("it gets the lines after all", || sandbox.read("talk.log") == "said\n");
    assert_eq!(sandbox.read("victim"), "");
}

#[test]
fn a_file_that_cannot_be_written_hinders_neither_the_program_nor_its_log() {
    let sandbox = Sandbox::up_with(
        "[services.count]\n\
         shell = \"n=0; while sleep 0.02; do n=$((n+1)); echo \\\"line $n\\\"; done\"\n\
         logs = { path = \"missing/count.log\" }\n",
    );
    sandbox.wait_for("count", |unit| unit.pressure.is_some());
    let unit = sandbox.unit("count");
    let what = unit.pressure.unwrap();
    assert!(what.contains("count.log` does not get the lines of `count`: "), "{what}");
    assert!(what.ends_with("; its own log goes on"), "{what}");
    assert_eq!(unit.state, "running");
    wait_until("its own log goes on", || sandbox.get(&["logs", "count"]).contains("line 10"));
    sandbox.shell("mkdir missing");
    wait_until("nothing is missing", || {
        sandbox.read("missing/count.log").starts_with("line 1\nline 2\n")
    });
    sandbox.wait_for("count", |unit| unit.pressure.is_none());
    let events = sandbox.get(&["events"]);
    assert_eq!(events.matches("does not get the lines").count(), 1, "{events}");
    assert_eq!(events.matches("gets the lines of `count` again").count(), 1, "{events}");
}

#[test]
fn a_full_disk_holds_the_file_up_and_neither_the_program_nor_its_log() {
    let mut sandbox = Sandbox::new(
        "[services.count]\n\
         shell = \"n=0; while sleep 0.02; do n=$((n+1)); echo \\\"line $n\\\"; done\"\n\
         logs = { path = \"disk/count.log\" }\n",
    );
    let Some(disk) = Disk::of_size(&sandbox.path("disk"), 1024) else { return };
    disk.fill_but(0);
    sandbox.up();
    let full = sandbox.wait_for("count", |unit| unit.pressure.is_some()).pressure.unwrap();
    assert!(full.contains("No space left"), "{full}");
    wait_until("its own log goes on", || sandbox.get(&["logs", "count"]).contains("line 20"));
    disk.make_room();
    sandbox.wait_for("count", |unit| unit.pressure.is_none());
    wait_until("nothing is missing", || sandbox.read("disk/count.log").lines().count() > 20);
    for (line, number) in whole_lines(&sandbox.read("disk/count.log")).lines().zip(1..) {
        assert_eq!(line, format!("line {number}"));
    }
    assert_eq!(sandbox.down(), Some(0));
}

#[cfg(feature = "fail")]
#[test]
fn an_agent_that_dies_in_the_middle_of_a_copy_leaves_the_rest_to_the_next_one() {
    let mut sandbox = Sandbox::new(
        "[services.count]\n\
         shell = \"n=0; while sleep 0.01; do n=$((n+1)); echo $n; done\"\n\
         logs = { path = \"count.log\" }\n",
    );
    let folder = sandbox.start_fallible(&[]);
    for point in ["agent.copy.noted", "agent.copy.appended"].repeat(3) {
        fs::write(folder.join(point), "").unwrap();
        wait_until("it dies there", || !folder.join(point).exists());
        let copied = sandbox.read("count.log").lines().count();
        wait_until("the copy goes on", || sandbox.read("count.log").lines().count() > copied + 5);
    }
    for (line, number) in whole_lines(&sandbox.read("count.log")).lines().zip(1..) {
        assert_eq!(line, number.to_string());
    }
}

fn is_all(sandbox: &Sandbox) -> bool {
    sandbox.read("count.log").ends_with(&format!("{}\n", LINES - 1))
}
