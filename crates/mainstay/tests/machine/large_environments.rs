//! Programs with a large environment, many at a time.

use crate::sandbox::Sandbox;

#[test]
fn many_large_environments_start_and_nobody_loses_the_keeper() {
    let value = "x".repeat(30_000);
    let sandbox = Sandbox::up_with(&format!(
        "[services.big]\ncommand = [\"sleep\", \"3600\"]\ninstances = 60\nenvironment = {{ A = \"{value}\" }}\n"
    ));
    sandbox.wait_for_all();
    assert_eq!(sandbox.status().units.len(), 60);
    let events = sandbox.get(&["events", "--lines", "1000"]);
    assert!(!events.contains("keeper is lost"), "{events}");
}
