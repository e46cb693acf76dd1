//! The manager's database, by way of `advapi32`.

#[path = "windows/answers.rs"]
mod answers;
#[path = "windows/identity.rs"]
mod identity;
#[path = "windows/rights.rs"]
mod rights;
#[path = "windows/settings.rs"]
mod settings;

use std::{
    io,
    ptr::{null, null_mut},
    time::Duration,
};

use windows_sys::Win32::System::Services::{
    ChangeServiceConfigW, CloseServiceHandle, ControlService, CreateServiceW, DeleteService,
    OpenSCManagerW, OpenServiceW, SC_HANDLE, SC_MANAGER_CONNECT, SC_MANAGER_CREATE_SERVICE,
    SC_MANAGER_ENUMERATE_SERVICE, SERVICE_ALL_ACCESS, SERVICE_AUTO_START,
    SERVICE_CONTROL_INTERROGATE, SERVICE_CONTROL_PARAMCHANGE, SERVICE_CONTROL_STOP,
    SERVICE_DEMAND_START, SERVICE_DISABLED, SERVICE_ERROR_NORMAL, SERVICE_INTERROGATE,
    SERVICE_NO_CHANGE, SERVICE_PAUSE_CONTINUE, SERVICE_QUERY_CONFIG, SERVICE_QUERY_STATUS,
    SERVICE_START, SERVICE_START_TYPE, SERVICE_STATUS, SERVICE_STOP, SERVICE_USER_DEFINED_CONTROL,
    SERVICE_WIN32_OWN_PROCESS, StartServiceW,
};

use super::{Change, Control, Intent, Listed, Purpose, Record, Recovery, Setting, Start, Status};
use crate::windows::{account, succeed, wide};

pub use identity::identity_of;

/// Rights that every look at a service needs.
const LOOKING: u32 = SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG | SERVICE_INTERROGATE;
/// Rights to start it, and to see what came of it.
const STARTING: u32 = SERVICE_START | SERVICE_QUERY_STATUS;
/// Rights to start it, stop it and talk to it.
const CONTROLLING: u32 =
    SERVICE_START | SERVICE_STOP | SERVICE_PAUSE_CONTINUE | SERVICE_USER_DEFINED_CONTROL;

/// Returns whether this process may change the database: an administrator's is asked for consent.
pub fn is_elevated() -> io::Result<bool> {
    account::is_elevated()
}

/// Returns the words as a command line that programs split again into the same ones.
pub fn quoted(words: &[String]) -> String {
    crate::spawn::command_line(words)
}

/// A handle of the manager's, which is not a handle of the kernel's.
#[derive(Debug)]
struct Handle(SC_HANDLE);

// SAFETY: the manager's handles are valid in every thread, and their calls lock for themselves.
#[expect(unsafe_code, reason = "raw handles are not Send")]
unsafe impl Send for Handle {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "raw handles are not Sync")]
unsafe impl Sync for Handle {}

impl Handle {
    fn new(handle: SC_HANDLE) -> io::Result<Self> {
        if handle.is_null() { Err(io::Error::last_os_error()) } else { Ok(Self(handle)) }
    }
}

impl Drop for Handle {
    #[expect(unsafe_code, reason = "CloseServiceHandle")]
    fn drop(&mut self) {
        // SAFETY: the handle is ours and open.
        unsafe { CloseServiceHandle(self.0) };
    }
}

/// The database of services.
#[derive(Debug)]
pub struct Database(Handle);

/// An open service. As long as somebody has it open it cannot vanish.
#[derive(Debug)]
pub struct Service(Handle);

impl Database {
    /// Opens the database of this machine.
    #[expect(unsafe_code, reason = "OpenSCManagerW")]
    pub fn open(purpose: Purpose) -> io::Result<Self> {
        let looking = SC_MANAGER_CONNECT | SC_MANAGER_ENUMERATE_SERVICE;
        let access = match purpose {
            Purpose::Call => SC_MANAGER_CONNECT,
            Purpose::Look => looking,
            Purpose::Create => looking | SC_MANAGER_CREATE_SERVICE,
        };
        // SAFETY: null asks for this machine and its active database.
        Ok(Self(Handle::new(unsafe { OpenSCManagerW(null(), null(), access) })?))
    }

    /// Makes a service with a process of its own; a name that is taken gives [`code::EXISTS`].
    ///
    /// What `first` leaves out: started on demand, as `LocalSystem`, without dependencies. The
    /// command line is the one of `first` as it is, so its program must be quoted.
    ///
    /// [`code::EXISTS`]: super::code::EXISTS
    #[expect(unsafe_code, reason = "CreateServiceW")]
    pub fn create(&self, name: &str, first: &Change) -> io::Result<Service> {
        let name = wide(name);
        let texts = Texts::of(first);
        let start = first.start.unwrap_or(Start::Demand);
        // SAFETY: all texts end with NUL, the dependencies with two, and live until the call
        // returns; null stands for what is absent.
        let handle = unsafe {
            CreateServiceW(
                self.0.0,
                name.as_ptr(),
                texts.display_name(),
                SERVICE_ALL_ACCESS,
                SERVICE_WIN32_OWN_PROCESS,
                start_type(start),
                SERVICE_ERROR_NORMAL,
                texts.command_line(),
                null(),
                null_mut(),
                texts.dependencies(),
                texts.account(),
                texts.password(),
            )
        };
        let service = Service(Handle::new(handle)?);
        service.delay(start)?;
        Ok(service)
    }

    /// Opens a service; [`code::NO_SUCH_SERVICE`] when there is none of that name.
    ///
    /// [`code::NO_SUCH_SERVICE`]: super::code::NO_SUCH_SERVICE
    #[expect(unsafe_code, reason = "OpenServiceW")]
    pub fn service(&self, name: &str, intent: Intent) -> io::Result<Service> {
        let access = match intent {
            Intent::Look => LOOKING,
            Intent::Start => STARTING,
            Intent::Control => LOOKING | CONTROLLING,
            Intent::Change => SERVICE_ALL_ACCESS,
        };
        let name = wide(name);
        // SAFETY: the name ends with NUL and lives until the call returns.
        Ok(Service(Handle::new(unsafe { OpenServiceW(self.0.0, name.as_ptr(), access) })?))
    }

    /// Lists all services that are no drivers, in the manager's order.
    pub fn list(&self) -> io::Result<Vec<Listed>> {
        answers::list(self.0.0)
    }
}

impl Service {
    /// Returns what it has said last.
    pub fn status(&self) -> io::Result<Status> {
        answers::status(self.0.0)
    }

    /// Returns what the database says of it.
    pub fn record(&self) -> io::Result<Record> {
        answers::record(self.0.0)
    }

    /// Returns its description, empty when it has none.
    pub fn description(&self) -> io::Result<String> {
        answers::description(self.0.0)
    }

    /// Returns what the system does when it fails. See [`is_lacking`](super::is_lacking).
    pub fn recovery(&self) -> io::Result<Recovery> {
        answers::recovery(self.0.0)
    }

    /// Returns whether that also follows an end with a failure code, not only a crash.
    pub fn recovers_after_failure(&self) -> io::Result<bool> {
        answers::recovers_after_failure(self.0.0)
    }

    /// Returns how long it may take to stop before the system shuts down.
    pub fn preshutdown_timeout(&self) -> io::Result<Duration> {
        answers::preshutdown_timeout(self.0.0)
    }

    /// Starts it; returns as soon as its process has been made and has called the dispatcher.
    #[expect(unsafe_code, reason = "StartServiceW")]
    pub fn start(&self, arguments: &[String]) -> io::Result<()> {
        let texts: Vec<Vec<u16>> = arguments.iter().map(wide).collect();
        let pointers: Vec<*const u16> = texts.iter().map(Vec::as_ptr).collect();
        let count = u32::try_from(pointers.len()).unwrap_or_default();
        // SAFETY: there are `count` texts, which end with NUL and live until the call returns.
        succeed(unsafe { StartServiceW(self.0.0, count, pointers.as_ptr()) })
    }

    /// Asks it for something; returns as soon as it has taken note.
    #[expect(unsafe_code, reason = "ControlService")]
    pub fn control(&self, control: Control) -> io::Result<()> {
        let number = match control {
            Control::Stop => SERVICE_CONTROL_STOP,
            Control::Reload => SERVICE_CONTROL_PARAMCHANGE,
            Control::Interrogate => SERVICE_CONTROL_INTERROGATE,
            Control::Own(number) => number,
        };
        let mut status = SERVICE_STATUS::default();
        // SAFETY: the handle is open for it; `status` is valid for writes.
        succeed(unsafe { ControlService(self.0.0, number, &raw mut status) })
    }

    /// Changes what the database says of it; whatever runs goes on as it is.
    #[expect(unsafe_code, reason = "ChangeServiceConfigW")]
    pub fn change(&self, change: &Change) -> io::Result<()> {
        let texts = Texts::of(change);
        // SAFETY: all texts end with NUL, the dependencies with two, and live until the call
        // returns; null stands for what stays.
        let done = unsafe {
            ChangeServiceConfigW(
                self.0.0,
                SERVICE_NO_CHANGE,
                change.start.map_or(SERVICE_NO_CHANGE, start_type),
                SERVICE_NO_CHANGE,
                texts.command_line(),
                null(),
                null_mut(),
                texts.dependencies(),
                texts.account(),
                texts.password(),
                texts.display_name(),
            )
        };
        succeed(done)?;
        change.start.map_or(Ok(()), |start| self.delay(start))
    }

    /// Sets something beside the record.
    pub fn set(&self, setting: &Setting) -> io::Result<()> {
        settings::set(self.0.0, setting)
    }

    /// Says whether an automatic start is delayed; a system without delays starts at once.
    fn delay(&self, start: Start) -> io::Result<()> {
        match settings::set_delayed(self.0.0, start) {
            Err(error) if super::is_lacking(&error) => Ok(()),
            done => done,
        }
    }

    /// Removes it from the database, at the latest when nobody has it open any more.
    #[expect(unsafe_code, reason = "DeleteService")]
    pub fn delete(&self) -> io::Result<()> {
        // SAFETY: the handle is open for it.
        succeed(unsafe { DeleteService(self.0.0) })
    }
}

const fn start_type(start: Start) -> SERVICE_START_TYPE {
    match start {
        Start::Automatic | Start::Delayed => SERVICE_AUTO_START,
        Start::Demand => SERVICE_DEMAND_START,
        Start::Disabled => SERVICE_DISABLED,
    }
}

/// The texts of a change as the system takes them.
struct Texts([Option<Vec<u16>>; 5]);

impl Texts {
    fn of(change: &Change) -> Self {
        let one = |text: &Option<String>| text.as_ref().map(wide);
        Self([
            one(&change.display_name),
            one(&change.command_line),
            one(&change.account),
            one(&change.password),
            change.dependencies.as_ref().map(|names| several(names)),
        ])
    }

    fn pointer(&self, index: usize) -> *const u16 {
        self.0.get(index).and_then(Option::as_ref).map_or(null(), Vec::as_ptr)
    }

    fn display_name(&self) -> *const u16 {
        self.pointer(0)
    }

    fn command_line(&self) -> *const u16 {
        self.pointer(1)
    }

    fn account(&self) -> *const u16 {
        self.pointer(2)
    }

    fn password(&self) -> *const u16 {
        self.pointer(3)
    }

    fn dependencies(&self) -> *const u16 {
        self.pointer(4)
    }
}

/// Returns several texts as one: each ends with NUL, and the last with one more.
fn several(texts: &[String]) -> Vec<u16> {
    let mut units: Vec<u16> = texts.iter().flat_map(wide).collect();
    if units.is_empty() {
        units.push(0);
    }
    units.push(0);
    units
}

#[cfg(test)]
#[path = "windows/tests.rs"]
mod tests;
