//! Networks of a test's own, on a thread of its own.

use std::{
    io::{self, Write as _},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::thread::{UnshareFlags, unshare_unsafe};

use crate::addresses;

/// What has not come by then does not come.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Runs a story on a machine without a network; skips it where nobody may make one.
///
/// Programs that the story starts are there too.
pub(crate) fn apart(story: impl FnOnce() + Send) {
    let on_its_own = || {
        if leave().is_ok() {
            story();
        }
    };
    std::thread::scope(|scope| scope.spawn(on_its_own).join().unwrap());
}

#[expect(unsafe_code, reason = "unshare")]
fn leave() -> io::Result<()> {
    // SAFETY: only the network of this thread changes; its descriptors stay those of the process.
    Ok(unsafe { unshare_unsafe(UnshareFlags::NEWNET) }?)
}

/// Has `ip` follow these lines, one after the other.
pub(crate) fn ip(lines: &str) {
    let mut command = Command::new("ip");
    command.args(["-batch", "-"]).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{lines}");
}

/// Lays a cable with two ends, and waits until they have noticed; neither has an address.
pub(crate) fn cable(one: &str, other: &str) {
    ip(&format!(
        "link add {one} type veth peer name {other}
        link set {one} addrgenmode none
        link set {other} addrgenmode none
        link set {one} up
        link set {other} up"
    ));
    let is_up =
        |name| addresses::interfaces().unwrap().iter().any(|it| it.name == name && it.is_up);
    wait_until("the cable is there", || is_up(one) && is_up(other));
}

/// Returns lines that do something with a thousand addresses of the end `one`.
pub(crate) fn many(what: &str) -> String {
    let line = |it: u32| format!("addr {what} 10.{}.{}.1/32 dev one", it / 250, it % 250);
    (0..1000).map(line).collect::<Vec<_>>().join("\n")
}

/// Waits until something is so.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::park_timeout(LOOK_EVERY);
    }
}
