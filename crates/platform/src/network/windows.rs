//! `NotifyUnicastIpAddressChange` and `NotifyRouteChange2`: the system calls on a thread of its own.
//!
//! Wine 8 takes both registrations and never calls.

use std::{
    ffi::c_void,
    io,
    ptr::{from_ref, null_mut},
    sync::Arc,
};

use tokio::sync::Notify;
use windows_sys::Win32::{
    Foundation::{HANDLE, NO_ERROR},
    NetworkManagement::IpHelper::{
        CancelMibChangeNotify2, MIB_IPFORWARD_ROW2, MIB_NOTIFICATION_TYPE,
        MIB_UNICASTIPADDRESS_ROW, NotifyRouteChange2, NotifyUnicastIpAddressChange,
    },
    Networking::WinSock::AF_UNSPEC,
};

use super::outside;

#[derive(Debug)]
pub(super) struct Watch {
    /// Are dropped first, each of which waits for calls that are under way.
    _registrations: [Registration; 2],
    stirred: Arc<Notify>,
}

pub(super) fn begin() -> io::Result<Watch> {
    let stirred = Arc::new(Notify::new());
    let registrations = [of_addresses(&stirred)?, of_routes(&stirred)?];
    Ok(Watch { _registrations: registrations, stirred })
}

impl Watch {
    pub(super) async fn stirred(&self) -> io::Result<()> {
        self.stirred.notified().await;
        Ok(())
    }

    /// A change that comes while the former ones are looked at is looked at once more.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "others have to read")]
    pub(super) fn drain(&self) -> io::Result<()> {
        Ok(())
    }
}

#[expect(clippy::unnecessary_wraps, reason = "tables of other systems may be refused")]
pub(super) fn is_up() -> io::Result<bool> {
    Ok(outside::is_reachable())
}

/// A promise of the system to call.
#[derive(Debug)]
struct Registration {
    handle: HANDLE,
    /// What the system calls with; it lives as long as the registration.
    _stirred: Arc<Notify>,
}

impl Registration {
    fn of(result: u32, handle: HANDLE, stirred: &Arc<Notify>) -> io::Result<Self> {
        if result != NO_ERROR {
            return Err(io::Error::from_raw_os_error(result.cast_signed()));
        }
        Ok(Self { handle, _stirred: stirred.clone() })
    }
}

impl Drop for Registration {
    #[expect(unsafe_code, reason = "CancelMibChangeNotify2")]
    fn drop(&mut self) {
        // SAFETY: the handle is one of these registrations, and ended once.
        unsafe { CancelMibChangeNotify2(self.handle) };
    }
}

#[expect(unsafe_code, reason = "NotifyUnicastIpAddressChange")]
fn of_addresses(stirred: &Arc<Notify>) -> io::Result<Registration> {
    let (mut handle, context) = (null_mut(), from_ref(&**stirred).cast());
    let call = Some(address_changed as unsafe extern "system" fn(_, _, _));
    // SAFETY: the context outlives the registration, which holds a share of it; the function takes
    // it as what it is; `handle` is valid for writes.
    let result =
        unsafe { NotifyUnicastIpAddressChange(AF_UNSPEC, call, context, false, &raw mut handle) };
    Registration::of(result, handle, stirred)
}

#[expect(unsafe_code, reason = "NotifyRouteChange2")]
fn of_routes(stirred: &Arc<Notify>) -> io::Result<Registration> {
    let (mut handle, context) = (null_mut(), from_ref(&**stirred).cast());
    let call = Some(route_changed as unsafe extern "system" fn(_, _, _));
    // SAFETY: as above.
    let result = unsafe { NotifyRouteChange2(AF_UNSPEC, call, context, false, &raw mut handle) };
    Registration::of(result, handle, stirred)
}

#[expect(unsafe_code, reason = "called by the system")]
unsafe extern "system" fn address_changed(
    context: *const c_void,
    _row: *const MIB_UNICASTIPADDRESS_ROW,
    _kind: MIB_NOTIFICATION_TYPE,
) {
    // SAFETY: the system hands back what it was registered with.
    unsafe { stir(context) };
}

#[expect(unsafe_code, reason = "called by the system")]
unsafe extern "system" fn route_changed(
    context: *const c_void,
    _row: *const MIB_IPFORWARD_ROW2,
    _kind: MIB_NOTIFICATION_TYPE,
) {
    // SAFETY: the system hands back what it was registered with.
    unsafe { stir(context) };
}

/// The context must be the [`Notify`] of a registration that has not ended.
#[expect(unsafe_code, reason = "what the system hands back")]
unsafe fn stir(context: *const c_void) {
    // SAFETY: as promised.
    let stirred = unsafe { context.cast::<Notify>().as_ref() };
    if let Some(stirred) = stirred {
        stirred.notify_one();
    }
}
