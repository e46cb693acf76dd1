//! Where values come from: tools, files, variables, credentials; and tools that do not answer.

use super::*;

#[test]
fn the_recipes_of_the_reference_deliver_what_the_tools_say() {
    let name = format!("mainstay-recipes-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let path = format!("{}:/usr/bin:/bin", folder.join("bin").display());
    let config = format!(
        "[services.web]\n\
         shell = 'printf \"%s,%s,%s,%s,%s\" \"$A\" \"$B\" \"$C\" \"$D\" \"$E\" > got; exec sleep 1000'\n\
         [services.web.environment]\nPATH = '{path}'\nVAULT_ADDR = 'https://vault.example'\n\
         A = {{ command = ['vault', 'kv', 'get', '-field=password', 'secret/db'] }}\n\
         B = {{ command = 'pass show web/token' }}\n\
         C = {{ command = ['aws', 'secretsmanager', 'get-secret-value', '--secret-id', 'db', \
         '--query', 'SecretString', '--output', 'text'], timeout = '20s' }}\n\
         D = {{ env = 'OUTSIDE' }}\nE = {{ file = 'value' }}\n"
    );
    let mut sandbox = Sandbox::at(&folder, &config);
    script(&sandbox, "bin/vault", "echo \"$VAULT_ADDR $*\"; echo a warning >&2");
    script(&sandbox, "bin/pass", "echo \"$*\"");
    script(&sandbox, "bin/aws", "test \"$1\" = secretsmanager && printf '%s' \"$4\"");
    fs::write(sandbox.path("value"), "from a file\n").unwrap();
    let mut up = sandbox.command(&["up"]);
    up.env("OUTSIDE", "from outside");
    sandbox.start_up(up);
    wait_until("the instance answers", || sandbox.ask(&["status"]).code == 0);
    let expected = "https://vault.example kv get -field=password secret/db,show web/token,db,\
                    from outside,from a file";
    wait_until("the program has all", || sandbox.read("got") == expected);
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn a_tool_that_fails_is_told_without_a_word_of_its_own() {
    let config = "[services.web]\ncommand = ['sleep', '1000']\n\
                  environment = { A = { command = ['./tool', 'x'] } }\n\
                  restart = { delay = '50ms', max-delay = '50ms' }\n";
    let mut sandbox = Sandbox::new(config);
    // As a shell under `set -x` shows what it was told to keep to itself.
    script(&sandbox, "tool", &format!("set -x; test {VALUE} = x; echo user; exit 5"));
    sandbox.up();
    let kept = sandbox.runtime().join("recipes/web.stderr");
    let told = format!(
        "cannot fetch `A`: `./tool` ended with code 5; what it said on stderr is in `{}`",
        kept.display()
    );
    wait_until("it is told", || sandbox.get(&["why", "web"]).contains(&told));
    // It fails again and again, and each time it is written anew.
    wait_until("what it said is kept", || {
        let said = fs::read_to_string(&kept).unwrap_or_default();
        said.contains(&format!("test {VALUE} = x"))
    });
    assert_eq!(modes(&sandbox, &[kept.parent().unwrap()]), "700");
    let (line, mut mode) = (format!("stat -c %a {} || true", kept.display()), String::new());
    wait_until("it is there", || {
        mode = sandbox.shell(&line);
        !mode.is_empty()
    });
    assert_eq!(mode, "600\n", "the owner alone may read it");
    for question in [["why", "web"].as_slice(), &["status"], &["events", "--json"]] {
        assert!(!sandbox.get(question).contains(VALUE), "{question:?}");
    }
    let files = [".mainstay/keeper.log", ".mainstay/agent.log"].map(|file| sandbox.read(file));
    assert!(!files.concat().contains(VALUE));

    sandbox.shell("rm tool");
    let told = "cannot fetch `A`: `./tool` was not started: cannot find";
    wait_until("it is told", || sandbox.get(&["why", "web"]).contains(told));
    script(&sandbox, "tool", "echo fine");
    sandbox.wait_for_pid("web");
    assert!(!kept.exists(), "what went wrong is over");
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn what_a_tool_leaves_running_on_purpose_outlives_agents_and_later_failures() {
    let config = "[services.web]\ncommand = ['sleep', '1000']\n\
                  environment = { A = { command = ['./tool'], timeout = '20s' } }\n\
                  restart = { delay = '50ms', max-delay = '50ms' }\n";
    let mut sandbox = Sandbox::new(config);
    script(&sandbox, "tool", &leaves("helper", "echo x"));
    sandbox.up();
    sandbox.wait_for_pid("web");
    let helper: u32 = sandbox.read("helper").trim().parse().unwrap();

    // The next time it fails, with something in tow; then the agent dies over it.
    script(&sandbox, "tool", &leaves("lost", "exit 3"));
    processes::kill(sandbox.wait_for_pid("web"));
    wait_until("it has failed", || sandbox.get(&["why", "web"]).contains("ended with code 3"));
    script(&sandbox, "tool", &leaves("hung", "sleep 1000"));
    wait_until("it hangs", || !sandbox.read("hung").trim().is_empty());
    let hung: u32 = sandbox.read("hung").trim().parse().unwrap();
    script(&sandbox, "tool", "echo y");
    let former = sandbox.status().agent.pid;
    processes::kill(former);
    wait_until("another agent answers", || {
        sandbox.ask(&["status"]).code == 0 && sandbox.status().agent.pid != former
    });
    sandbox.wait_for_pid("web");
    wait_until("what was under way is ended", || !processes::is_alive(hung));
    assert!(processes::is_alive(helper), "what was done before is nobody's business");
    let recipes = sandbox.runtime().join("recipes");
    wait_until("nothing is under way", || fs::read_dir(&recipes).unwrap().count() == 0);
    processes::kill(helper);
    processes::kill(sandbox.read("lost").trim().parse().unwrap());
    assert_eq!(sandbox.down(), Some(0));
}

/// Returns a script that goes on when its helper has a session of its own.
fn leaves(helper: &str, then: &str) -> String {
    format!(
        "setsid sh -c 'echo $$ > {helper}; exec sleep 1000' >&- 2>&- &\n\
         while test ! -s {helper}; do sleep 0.01; done\n{then}"
    )
}

#[test]
fn what_does_not_answer_costs_its_own_service_alone() {
    let config = "[services.slow]\ncommand = ['sleep', '1000']\n\
                  environment = { A = { command = ['./hang'], timeout = '2s' } }\n\
                  restart = { delay = '1h', max-delay = '1h' }\n\
                  [services.other]\ncommand = ['sleep', '1000']\n\
                  environment = { A = { command = ['echo', 'x'] } }\n\
                  [services.plain]\ncommand = ['sleep', '1000']\n";
    let mut sandbox = Sandbox::new(config);
    script(&sandbox, "hang", "echo begun >> begun; setsid sleep 1000 & sleep 1000");
    sandbox.up();
    for unit in ["other", "plain"] {
        sandbox.wait_for_pid(unit);
    }
    sandbox.wait_for("slow", |unit| unit.state == "backoff");
    let told = "`./hang` took longer than 2 s; `timeout` gives it more";
    let why = sandbox.get(&["why", "slow"]);
    assert!(why.contains(told), "{why}");
    assert_eq!(sandbox.read("begun"), "begun\n");
    wait_until("nothing of it is left", || {
        let marked = |pid: &u32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.windows(19).any(|part| part == b"MAINSTAY_ID=recipe-")
        };
        !processes::of_folder(sandbox.folder()).iter().any(marked)
    });
    assert_eq!(sandbox.down(), Some(0));
    processes::expect_none(sandbox.folder());
}

#[test]
fn a_run_that_is_stopped_before_its_values_are_there_never_starts() {
    let service = "command = ['sleep', '1000']\n\
                   environment = { A = { command = ['./gate'], timeout = '20s' } }\n";
    let config = format!("[services.slow]\n{service}[services.twin]\n{service}");
    let mut sandbox = Sandbox::new(&config);
    script(&sandbox, "gate", "echo ask >> asked; while test ! -e go; do sleep 0.02; done; echo x");
    sandbox.up();
    wait_until("both are asked", || sandbox.read("asked") == "ask\nask\n");
    assert_eq!(sandbox.unit("slow").state, "starting");
    assert_eq!(sandbox.get(&["stop", "slow"]), "slow is stopped\n");
    assert_eq!(sandbox.get(&["kill", "twin"]), "twin is stopped\n");
    for unit in ["slow", "twin"] {
        assert_eq!(sandbox.unit(unit).run, 1);
        assert!(sandbox.copies_of(unit).is_empty());
    }
    fs::write(sandbox.path("go"), "").unwrap();
    sandbox.get(&["start", "slow"]);
    assert_eq!(sandbox.copies_of("slow").len(), 1);
    assert!(sandbox.copies_of("twin").is_empty());
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn credentials_of_systemd_are_read_and_one_of_them_is_the_key() {
    let config = "[services.web]\nshell = 'printf %s \"$A\" > got; exec sleep 1000'\n\
                  environment = { A = { credential = 'token' } }\n\
                  [services.db]\nshell = 'printf %s \"$B\" > got.b; exec sleep 1000'\n\
                  environment = { B = { secret = 'db' } }\n\
                  restart = { delay = '50ms', max-delay = '50ms' }\n";
    let mut sandbox = Sandbox::new(config);
    fs::create_dir(sandbox.path("credentials")).unwrap();
    fs::write(sandbox.path("credentials/token"), "from systemd\n").unwrap();
    fs::write(sandbox.path("credentials/mainstay.key"), "5a".repeat(32)).unwrap();
    let mut up = sandbox.command(&["up"]);
    up.env("CREDENTIALS_DIRECTORY", sandbox.path("credentials"));
    sandbox.start_up(up);
    wait_until("the program has it", || sandbox.read("got") == "from systemd");
    assert_eq!(set(&sandbox, "db", VALUE).code, 0);
    wait_until("the other one has its secret", || sandbox.read("got.b") == VALUE);
    assert!(sandbox.path(".mainstay/secrets.sealed").exists());
    assert!(!sandbox.path(".mainstay/secret.key").exists());
    assert_eq!(sandbox.down(), Some(0));
}
