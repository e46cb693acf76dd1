//! Exit codes of programs that Windows has ended (NTSTATUS), or that their runtime has.

use super::{Entry, entry};

pub(super) const TABLE: &[Entry] = &[
    entry(
        0x8000_0003,
        [
            "it ran into a breakpoint or an assertion with nobody there to see it",
            "run a build without debug checks, or run it by hand",
        ],
    ),
    entry(
        0xC000_0005,
        [
            "it touched memory that is not its own and crashed",
            "this is a fault of the program: update it, and look for a crash dump in `%LOCALAPPDATA%\\CrashDumps`",
        ],
    ),
    entry(
        0xC000_0017,
        ["the system had no memory left for it", "free memory or enlarge the page file"],
    ),
    entry(
        0xC000_001D,
        [
            "it used an instruction that this processor does not have",
            "take a build for older processors",
        ],
    ),
    entry(
        0xC000_0022,
        [
            "it may not open a file that it needs to start",
            "grant its account the right to read the program's folder: `icacls`",
        ],
    ),
    entry(
        0xC000_007B,
        [
            "one of its libraries is for another kind of processor, 32 instead of 64 bit",
            "install the right edition of the program and of its runtime",
        ],
    ),
    entry(
        0xC000_0094,
        ["it divided by zero and crashed", "this is a fault of the program: update it"],
    ),
    entry(
        0xC000_00FD,
        [
            "its stack is full: a recursion without an end, most likely",
            "this is a fault of the program: update it",
        ],
    ),
    entry(
        0xC000_0135,
        [
            "a library that it needs is not there",
            "install its runtime (Visual C++ Redistributable, .NET), or put the DLL beside the program: a service has another PATH",
        ],
    ),
    entry(
        0xC000_0139,
        [
            "one of its libraries is of the wrong version",
            "install the version of the runtime that it was made for",
        ],
    ),
    entry(
        0xC000_013A,
        [
            "it was ended by Ctrl-C, or by the end of its console",
            "that is how a stop looks; when nobody stopped it, something else on its console did",
        ],
    ),
    entry(
        0xC000_0142,
        [
            "one of its libraries could not begin: too many programs share the desktop of services, or it needs one that it may not use",
            "run fewer programs with windows or consoles, or enlarge the desktop heap (`SharedSection`)",
        ],
    ),
    entry(
        0xC000_0374,
        ["it damaged its own memory and was ended", "this is a fault of the program: update it"],
    ),
    entry(
        0xC000_0409,
        [
            "it ended itself because something was badly wrong: an abort, a failed check or a damaged stack",
            "the last lines of its log say more; else look for a crash dump",
        ],
    ),
    entry(
        0xE043_4352,
        [
            "a .NET program ended with an exception that nobody caught",
            "its name stands in the last lines of the log, or in the Application log under `.NET Runtime`",
        ],
    ),
    entry(
        0xE06D_7363,
        [
            "a C++ program ended with an exception that nobody caught",
            "the last lines of its log may say which; else look for a crash dump",
        ],
    ),
];
