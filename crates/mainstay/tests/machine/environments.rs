//! What a run finds in its environment, and where it comes from.

use serde_json::Value;

use crate::sandbox::Sandbox;

const TWO: &str = "[services.web]\ncommand = [\"sleep\", \"1000\"]\n\
    environment = { LEVEL = \"it's info\", PASSWORD = { file = \"secret\" }, API_KEY = \"plain\" }\n\
    [services.rests]\ncommand = [\"true\"]\nstart = \"manual\"\nenvironment = { LEVEL = \"none\" }\n";

#[test]
fn an_environment_says_where_each_variable_comes_from_and_no_secret() {
    let mut sandbox = Sandbox::new(TWO);
    sandbox.shell("umask 077; printf hidden-word > secret");
    let mut up = sandbox.command(&["up"]);
    up.env("FROM_OUTSIDE", "here").env("OUTER_TOKEN", "hidden-word");
    sandbox.start_up(up);
    crate::processes::wait_until("the instance answers", || sandbox.ask(&["status"]).code == 0);
    sandbox.wait_for_pid("web");

    let shown = sandbox.get(&["env", "web"]);
    for line in [
        "# run 1 of `web` was started with",
        "configured  LEVEL=it's info",
        "file        PASSWORD=…",
        "configured  API_KEY=…",
        "inherited   FROM_OUTSIDE=here",
        "inherited   OUTER_TOKEN=…",
        "mainstay    MAINSTAY_UNIT=web",
        "mainstay    MAINSTAY_RUN=1",
    ] {
        assert!(shown.lines().any(|one| one == line), "{line}: {shown}");
    }
    assert!(!shown.contains("\nother "), "{shown}");
    let next = sandbox.get(&["env", "rests"]);
    assert!(next.starts_with("# the next run of `rests` is started with\n"), "{next}");
    assert!(next.contains("\nconfigured  LEVEL=none\n") && next.contains("MAINSTAY_RUN=1\n"));

    let exported = sandbox.get(&["env", "web", "--export"]);
    std::fs::write(sandbox.path("exported"), exported).unwrap();
    let read = sandbox
        .shell(". ./exported; printf '%s|%s|%s' \"$LEVEL\" \"$PASSWORD\" \"$MAINSTAY_UNIT\"");
    assert_eq!(read, "it's info||web");

    // The run keeps what it was given, whatever the file says by now.
    let changed = TWO.replace("PASSWORD = { file = \"secret\" }, ", "");
    std::fs::write(sandbox.file(), changed).unwrap();
    for of in ["env web", "env web --json", "env web --export", "show web", "status --json"] {
        let words: Vec<&str> = of.split(' ').collect();
        let told = sandbox.get(&words);
        assert!(!told.contains("hidden-word"), "{of}: {told}");
    }
    let json: Value = serde_json::from_str(&sandbox.get(&["env", "web", "--json"])).unwrap();
    assert_eq!((&json["of"], &json["run"]), (&"run".into(), &1.into()));
}
