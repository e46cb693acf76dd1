//! `ChangeServiceConfig2W`: one structure for each setting.

use std::{
    io,
    ptr::{from_ref, null_mut},
    time::Duration,
};

use windows_sys::Win32::System::Services::{
    ChangeServiceConfig2W, SC_ACTION, SC_ACTION_NONE, SC_ACTION_REBOOT, SC_ACTION_RESTART,
    SC_ACTION_RUN_COMMAND, SC_HANDLE, SERVICE_CONFIG, SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
    SERVICE_CONFIG_DESCRIPTION, SERVICE_CONFIG_FAILURE_ACTIONS,
    SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, SERVICE_CONFIG_PRESHUTDOWN_INFO,
    SERVICE_CONFIG_SERVICE_SID_INFO, SERVICE_DELAYED_AUTO_START_INFO, SERVICE_DESCRIPTIONW,
    SERVICE_FAILURE_ACTIONS_FLAG, SERVICE_FAILURE_ACTIONSW, SERVICE_PRESHUTDOWN_INFO,
    SERVICE_SID_INFO, SERVICE_SID_TYPE_UNRESTRICTED,
};

use super::{
    super::{Recovery, RecoveryAction, Setting, Start},
    rights,
};
use crate::windows::{succeed, wide};

/// Whoever is logged on at the machine, and whatever is logged on as a service.
const OTHERS: [&str; 2] = ["S-1-5-4", "S-1-5-6"];

pub(super) fn set(service: SC_HANDLE, setting: &Setting) -> io::Result<()> {
    match setting {
        Setting::Description(text) => describe(service, text),
        Setting::Recovery(recovery) => recover(service, recovery),
        Setting::RecoverAfterFailure(wanted) => {
            let flag = SERVICE_FAILURE_ACTIONS_FLAG {
                fFailureActionsOnNonCrashFailures: i32::from(*wanted),
            };
            change(service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &flag)
        }
        Setting::PreshutdownTimeout(timeout) => {
            let info = SERVICE_PRESHUTDOWN_INFO { dwPreshutdownTimeout: millis(*timeout) };
            change(service, SERVICE_CONFIG_PRESHUTDOWN_INFO, &info)
        }
        Setting::OwnIdentity => {
            let info = SERVICE_SID_INFO { dwServiceSidType: SERVICE_SID_TYPE_UNRESTRICTED };
            change(service, SERVICE_CONFIG_SERVICE_SID_INFO, &info)
        }
        Setting::MayStart(who) => rights::grant(service, who, super::STARTING),
        Setting::MayNotStart(who) => rights::revoke(service, who),
        Setting::OthersLook => OTHERS.iter().try_for_each(|who| rights::narrow(service, who)),
    }
}

/// Says whether an automatic start comes a while after boot; other starts have no such thing.
pub(super) fn set_delayed(service: SC_HANDLE, start: Start) -> io::Result<()> {
    let delayed = match start {
        Start::Automatic => 0,
        Start::Delayed => 1,
        Start::Demand | Start::Disabled => return Ok(()),
    };
    let info = SERVICE_DELAYED_AUTO_START_INFO { fDelayedAutostart: delayed };
    change(service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &info)
}

fn describe(service: SC_HANDLE, text: &str) -> io::Result<()> {
    let mut text = wide(text);
    let description = SERVICE_DESCRIPTIONW { lpDescription: text.as_mut_ptr() };
    change(service, SERVICE_CONFIG_DESCRIPTION, &description)
}

fn recover(service: SC_HANDLE, recovery: &Recovery) -> io::Result<()> {
    let mut actions: Vec<SC_ACTION> = recovery.actions.iter().map(action).collect();
    let mut command = recovery.command.as_ref().map(wide);
    let info = SERVICE_FAILURE_ACTIONSW {
        dwResetPeriod: u32::try_from(recovery.reset_after.as_secs()).unwrap_or(u32::MAX),
        lpRebootMsg: null_mut(),
        lpCommand: command.as_mut().map_or(null_mut(), Vec::as_mut_ptr),
        cActions: u32::try_from(actions.len()).unwrap_or_default(),
        lpsaActions: actions.as_mut_ptr(),
    };
    change(service, SERVICE_CONFIG_FAILURE_ACTIONS, &info)
}

fn action((what, after): &(RecoveryAction, Duration)) -> SC_ACTION {
    let kind = match what {
        RecoveryAction::None => SC_ACTION_NONE,
        RecoveryAction::Restart => SC_ACTION_RESTART,
        RecoveryAction::Run => SC_ACTION_RUN_COMMAND,
        RecoveryAction::Reboot => SC_ACTION_REBOOT,
    };
    SC_ACTION { Type: kind, Delay: millis(*after) }
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

/// `info` is the structure that belongs to `level`; what it points to lives until the call returns.
#[expect(unsafe_code, reason = "ChangeServiceConfig2W")]
fn change<T>(service: SC_HANDLE, level: SERVICE_CONFIG, info: &T) -> io::Result<()> {
    // SAFETY: as promised by the callers above, one line each.
    succeed(unsafe { ChangeServiceConfig2W(service, level, from_ref(info).cast()) })
}
