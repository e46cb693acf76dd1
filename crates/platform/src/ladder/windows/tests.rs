//! Programs that hear nothing but one rung, and helpers that find it.

use std::{
    ffi::c_void,
    fs::File,
    io::Write as _,
    ptr::{null, null_mut},
};

use windows_sys::Win32::{
    Foundation::HWND,
    System::Console::SetConsoleCtrlHandler,
    UI::WindowsAndMessaging::{
        CreateWindowExW, DispatchMessageW, GetMessageW, IsWindow, MSG, PM_NOREMOVE, PeekMessageW,
        WS_OVERLAPPEDWINDOW,
    },
};

use super::*;
use crate::{
    clock,
    ladder::{Whom, climb_by, outcomes},
    pipe::{Moved, Way, pipe},
    port::{Port, Token},
    process::{Ended, SignalKind, carrying},
    spawn::{Output, Program, own_environment, spawn},
    windows::wide,
};

const SOON: Duration = Duration::from_secs(30);
/// Set for the copy of this test binary that plays a program.
const ROLE: &str = "MAINSTAY_TEST_RUNG";

#[test]
fn a_console_program_follows_ctrl_c() {
    let (program, helper) = climb("listens", 1);
    assert_eq!(outcomes(&helper), [(Rung::Interrupt, Outcome::Ended)]);
    assert_ne!(ended(&program), Ended::Code(137));
}

#[test]
fn a_program_with_a_window_follows_wm_close() {
    let (program, helper) = climb("window", 2);
    let expected = [(Rung::Interrupt, Outcome::Ignored), (Rung::Close, Outcome::Ended)];
    assert_eq!(outcomes(&helper), expected);
    assert_eq!(ended(&program), Ended::Code(50));
}

#[test]
fn a_program_with_a_message_loop_follows_wm_quit() {
    let (program, helper) = climb("queue", 3);
    let expected = [
        (Rung::Interrupt, Outcome::Ignored),
        (Rung::Close, Outcome::Nobody),
        (Rung::Quit, Outcome::Ended),
    ];
    assert_eq!(outcomes(&helper), expected);
    assert_eq!(ended(&program), Ended::Code(60));
}

#[test]
fn a_program_that_ignores_everything_is_left_to_its_deadline() {
    let (program, helper) = climb("deaf", 3);
    let told = outcomes(&helper);
    assert_eq!(told.first(), Some(&(Rung::Interrupt, Outcome::Ignored)));
    assert!(told.iter().all(|(_, outcome)| *outcome != Outcome::Ended), "{told:?}");
    assert!(!program.has_ended());
    program.signal_group(SignalKind::Kill).unwrap();
    assert_eq!(ended(&program), Ended::Code(137));
}

#[test]
fn what_is_left_of_a_job_is_asked_without_its_program() {
    let (program, _, label) = start("parent");
    program.signal(SignalKind::Kill).unwrap();
    let left = carrying(&label).unwrap();
    let [child] = left.as_slice() else { panic!("{left:?}") };
    let helper = ask(&Whom { job: &label, main: 0 }, Rung::Interrupt);
    assert_eq!(outcomes(&helper), [(Rung::Interrupt, Outcome::Ended)]);
    assert!(child.has_ended());
}

/// Returns a window that nobody sees.
#[expect(unsafe_code, reason = "the system's call")]
fn window() -> HWND {
    let (class, style, no) = (wide("STATIC"), WS_OVERLAPPEDWINDOW, null_mut::<c_void>());
    let class = class.as_ptr();
    // SAFETY: the class is the system's own.
    let window = unsafe { CreateWindowExW(0, class, class, style, 0, 0, 9, 9, no, no, no, null()) };
    assert!(!window.is_null(), "{:?}", io::Error::last_os_error());
    window
}

#[test]
#[expect(unsafe_code, clippy::exit, reason = "programs that the system's calls make special")]
fn role() {
    let Ok(role) = std::env::var(ROLE) else { return };
    if role != "listens" && role != "parent" {
        // SAFETY: from here on this process ignores Ctrl-C.
        unsafe { SetConsoleCtrlHandler(None, 1) };
    }
    let mut message = MSG::default();
    let queue = &raw mut message;
    match role.as_str() {
        "window" => {
            let (window, nothing) = (window(), null_mut);
            ready();
            // SAFETY: `queue` is valid for writes.
            while unsafe { GetMessageW(queue, nothing(), 0, 0) } > 0 {
                // SAFETY: the call above filled it in.
                unsafe { DispatchMessageW(queue) };
                // SAFETY: no memory is involved.
                if unsafe { IsWindow(window) } == 0 {
                    std::process::exit(50);
                }
            }
        }
        "queue" => {
            let nothing = null_mut;
            // SAFETY: `queue` is valid for writes; the call makes the thread's queue.
            unsafe { PeekMessageW(queue, nothing(), 0, 0, PM_NOREMOVE) };
            ready();
            // SAFETY: as above.
            while unsafe { GetMessageW(queue, nothing(), 0, 0) } > 0 {}
            std::process::exit(60);
        }
        "parent" => {
            let mut command = std::process::Command::new(std::env::current_exe().unwrap());
            command.args(std::env::args().skip(1)).env(ROLE, "listens");
            command.spawn().unwrap().wait().unwrap();
        }
        _ => {
            ready();
            loop {
                thread::park();
            }
        }
    }
}

#[test]
fn helper() {
    let words: Vec<String> = std::env::args().collect();
    if let [.., job, main, rungs] = words.as_slice()
        && job.starts_with("rung-")
    {
        serve(&[job.clone(), main.clone(), rungs.clone()]);
    }
}

fn ready() {
    io::stdout().write_all(b"ready\n").unwrap();
}

/// Starts a program and climbs as many rungs as it takes.
fn climb(role: &str, rungs: usize) -> (Process, Process) {
    let (program, _reader, label) = start(role);
    let whom = Whom { job: &label, main: program.pid() };
    let helper = ask(&whom, *RUNGS.get(rungs - 1).unwrap());
    (program, helper)
}

fn ask(whom: &Whom<'_>, highest: Rung) -> Process {
    let own = std::env::current_exe().unwrap();
    let words = [&own.display().to_string(), "--exact", "ladder::imp::tests::helper", "--quiet"];
    let words = words.into_iter().map(str::to_owned).collect();
    let helper = climb_by(&own, words, *whom, highest).unwrap();
    wait(&helper);
    helper
}

fn start(role: &str) -> (Process, crate::pipe::PipeReader, String) {
    let label = format!("rung-{role}-{}", std::process::id());
    let own = std::env::current_exe().unwrap().display().to_string();
    let words = [own.as_str(), "--exact", "ladder::imp::tests::role", "--nocapture", "--quiet"];
    let mut environment = own_environment();
    environment.push(format!("{ROLE}={role}").into_bytes());
    let (reader, writer) = pipe().unwrap();
    let command = words.map(str::to_owned);
    let program =
        Program { output: Output::Pipe(&writer), ..Program::new(&label, &command, environment) };
    let process = spawn(&program).unwrap();
    let path = std::env::temp_dir().join(&label);
    let file = File::create(&path).unwrap();
    let until = clock::monotonic() + SOON;
    let mut offset = 0;
    while !std::fs::read_to_string(&path).unwrap().contains("ready") {
        assert!(clock::monotonic() < until, "{role} does not begin");
        match reader.move_to(&file, offset, 1 << 16, Way::Copy).unwrap() {
            Moved::Bytes(count) => offset += count as u64,
            Moved::Empty | Moved::Ended => thread::yield_now(),
        }
    }
    (process, reader, label)
}

fn wait(process: &Process) {
    let mut port = Port::new().unwrap();
    let second = Process::from_descriptor(process.duplicate().unwrap(), process.identity());
    let _watched = port.watch(second, Token(1)).unwrap();
    assert_eq!(port.wait(Some(SOON)).unwrap().len(), 1, "it does not end");
}

fn ended(process: &Process) -> Ended {
    wait(process);
    process.ended().unwrap().unwrap()
}
