//! Programs that tests let us run: this very binary, told by a variable what to be.

use std::{
    env,
    io::{self, Write as _},
    time::{Duration, Instant},
};

use mainstay_platform::port::Notices;

/// Says what this process is.
pub(crate) const VARIABLE: &str = "MAINSTAY_TEST_ROLE";
/// What it says once it hears Ctrl-C.
pub(crate) const READY: &str = "all ears";
/// So long lives a program that nobody ends.
const LIFE: Duration = Duration::from_mins(2);

/// Returns the command of a program that hears Ctrl-C and goes on.
pub(crate) fn stubborn() -> Vec<String> {
    let own = env::current_exe().unwrap().display().to_string();
    let name = "roles::ctrl_c_is_heard_and_does_not_end_a_program_that_goes_on";
    [&own, "--exact", name, "--nocapture"].map(ToOwned::to_owned).to_vec()
}

#[test]
fn ctrl_c_is_heard_and_does_not_end_a_program_that_goes_on() {
    let notices = Notices::new().unwrap();
    assert!(!notices.take().end_asked, "nobody has asked yet");
    if env::var_os(VARIABLE).is_none() {
        return;
    }
    writeln!(io::stdout(), "{READY}").unwrap();
    let until = Instant::now() + LIFE;
    while Instant::now() < until {
        std::thread::park_timeout(Duration::from_millis(100));
    }
}
