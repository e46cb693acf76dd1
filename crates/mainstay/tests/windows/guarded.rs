//! A service whose folder somebody else may have written to does not run what stands there.

use std::path::PathBuf;

use mainstay_platform::{
    access::{self, EVERYBODY},
    paths::Right,
    scm::State,
};

use crate::installed::Installed;

/// `EX_CONFIG`.
const BAD_CONFIGURATION: u32 = 78;

#[test]
fn a_folder_that_everybody_may_change_is_not_believed() {
    let program = ["ping", "-n", "1000", "127.0.0.1"].map(ToOwned::to_owned);
    let service = Installed::new("mainstay-guarded", &["--no-start"], &program);
    let folder = PathBuf::from(r"C:\ProgramData\mainstay\services").join(service.name);
    assert!(folder.join("mainstay.toml").is_file());
    access::grant(&folder, EVERYBODY, Right::Modify).unwrap();
    let refused = service.ask(&["service", "start"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    let status = service.status();
    assert_eq!((status.state, status.own_code), (State::Stopped, BAD_CONFIGURATION));
    access::revoke(&folder, EVERYBODY).unwrap();
    service.remove();
}
