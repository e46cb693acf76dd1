//! Another user of the machine, for whom somebody has opened every folder and socket by mistake.

use crate::{processes, sandbox::Sandbox};

const NOBODY: &str = "65534";

#[test]
fn whoever_is_neither_owner_nor_administrator_is_known_by_the_kernel_and_refused() {
    let mut sandbox = Sandbox::up_with("[services.web]\ncommand = [\"sleep\", \"1000\"]\n");
    if sandbox.shell("id -u") != "0\n" {
        eprintln!("not shown here: only the administrator becomes somebody else");
        return;
    }
    let web = sandbox.wait_for_pid("web");
    let runtime = sandbox.runtime().display().to_string();
    sandbox.shell(&format!("chmod 0755 . run run/mainstay {runtime}; chmod 0666 {runtime}/*.sock"));
    // Our own client trusts no runtime folder of somebody else; theirs leads to ours.
    sandbox.shell(&format!(
        "mkdir -p -m 0700 theirs/mainstay; ln -s {runtime} theirs/mainstay/; \
         chown -R -h {NOBODY}:{NOBODY} theirs; chmod 0700 theirs theirs/mainstay"
    ));
    let theirs = format!("XDG_RUNTIME_DIR={}", sandbox.path("theirs").display());
    let who = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "env", &theirs];
    sandbox.through(&who);
    for command in [["kill", "*"], ["stop", "web"], ["remove", "web"]] {
        let answer = sandbox.ask(&command);
        assert_eq!(answer.code, 1, "{answer:?}");
        assert!(answer.err.contains(NOBODY), "the kernel says who calls: {answer:?}");
    }
    sandbox.through(&[]);
    sandbox.shell("chmod 0700 run/mainstay");
    assert_eq!(sandbox.wait_for_pid("web"), web);
    assert_eq!(sandbox.down(), Some(0));
    processes::expect_none(sandbox.folder());
}
