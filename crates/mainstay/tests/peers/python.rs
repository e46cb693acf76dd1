//! The Python that `cargo xtask prepare` has set up: the official clients and moto stand in it.

use std::{fs, path::PathBuf, process::Command};

/// What the environment has to hold.
const LIST: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../xtask/data/peers.txt"));
/// A complete environment holds the list it was made from.
const FINISHED: &str = "peers.txt";

/// Returns the environment for this checkout's list.
fn environment() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let own = set("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = own.or_else(|| Some(PathBuf::from(set("HOME")?).join(".cache"))).unwrap();
    let made = fs::read_dir(cache.join("mainstay-peers")).into_iter().flatten().flatten();
    let holds_list =
        |path: &PathBuf| fs::read_to_string(path.join(FINISHED)).is_ok_and(|list| list == LIST);
    made.map(|entry| entry.path())
        .find(holds_list)
        .expect("`cargo xtask prepare` installs the peers of `xtask/data/peers.txt`")
}

/// Returns where a program of the environment lies.
pub(crate) fn program(name: &str) -> String {
    environment().join("bin").join(name).display().to_string()
}

/// Returns a script of this folder, to be run without a trace in the folder.
pub(crate) fn script(name: &str) -> Command {
    let mut command = Command::new(program("python3"));
    command.arg("-B").arg(format!("{}/tests/peers/{name}", env!("CARGO_MANIFEST_DIR")));
    command
}
