//! Edits by commands: what a person would find in the file afterwards.

use crate::sandbox::Sandbox;

const WEB: &str = "[services.web]\ncommand = [\"sleep\", \"3600\"]\n";

#[test]
fn an_edited_file_keeps_its_owner_and_mode() {
    let sandbox = Sandbox::up_with(WEB);
    let is_root = sandbox.shell("id -u") == "0\n";
    if is_root {
        sandbox.shell("chown 65534:65534 mainstay.toml");
    }
    sandbox.shell("chmod 640 mainstay.toml");
    let before = sandbox.shell("stat -c %u:%g:%a mainstay.toml");
    assert!(!is_root || before == "65534:65534:640\n", "{before}");
    sandbox.get(&["add", "api", "--", "sleep", "3600"]);
    assert_eq!(sandbox.shell("stat -c %u:%g:%a mainstay.toml"), before);
    assert!(sandbox.read("mainstay.toml").contains("[services.api]"));
}
