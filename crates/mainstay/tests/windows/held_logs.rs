//! A log that somebody holds and shares with nobody, as a backup or a scanner does.

use mainstay_platform::lock;

use crate::{
    installed::Installed,
    roles::{BYE, READY, Role},
    sandbox::{Sandbox, wait_for},
};

#[test]
fn a_log_that_somebody_shares_with_nobody_is_told_and_goes_on_when_it_is_free() {
    let name = "mainstay-held-log";
    let service = Installed::playing(name, Role::Polite, &[]);
    let sandbox = Sandbox::of_service(name);
    wait_for("it hears", || sandbox.get(&["logs"]).contains(READY).then_some(()));
    assert_eq!(service.ask(&["service", "stop"]).code, 0);

    let live = crate::folders::of_service(name).join("state").join("logs").join(name);
    let live = live.join(format!("{name}.log"));
    let held = lock::open_alone(&live).unwrap();
    assert_eq!(service.ask(&["service", "start"]).code, 0);
    let unit = sandbox.wait_for(name, "running");
    wait_for("it is told", || sandbox.get(&["events"]).contains("cannot be written").then_some(()));
    drop(held);
    wait_for("what it said meanwhile is in the log", || {
        let text = sandbox.get(&["logs", "--run", &unit.run.to_string()]);
        text.contains(READY).then_some(())
    });
    assert_eq!(sandbox.unit(name).pid, unit.pid, "the program has noticed nothing");
    assert_eq!(service.ask(&["service", "stop"]).code, 0);
    assert_eq!(sandbox.get(&["logs"]).matches(BYE).count(), 2);
    service.remove();
}
