//! Exit codes by which shells tell what became of a program: 128 and the number of a signal, and
//! two for one that was not run.

use super::{Entry, entry};

const FAULT: &str = "this is a fault of the program: update it, and look for a core file";
const ASKED: &str = "that is how a stop looks; when nobody stopped it, somebody else did";

pub(super) const TABLE: &[Entry] = &[
    entry(
        126,
        [
            "a shell found the program and may not run it",
            "make it executable: `chmod +x`; a script needs a first line such as `#!/bin/sh`",
        ],
    ),
    entry(
        127,
        [
            "a shell did not find the program",
            "write its whole path: a service may have another PATH than your terminal",
        ],
    ),
    entry(129, ["signal 1 (HUP) ended it: its terminal went", ASKED]),
    entry(130, ["signal 2 (INT) ended it, as Ctrl-C does", ASKED]),
    entry(131, ["signal 3 (QUIT) ended it", ASKED]),
    entry(
        132,
        ["signal 4 (ILL) ended it: an instruction that this processor does not have", FAULT],
    ),
    entry(
        134,
        [
            "signal 6 (ABRT) ended it: it gave up by itself, or did not answer its watchdog",
            "the last lines of its log say more",
        ],
    ),
    entry(135, ["signal 7 (BUS) ended it: memory that is not there", FAULT]),
    entry(136, ["signal 8 (FPE) ended it: a division by zero, most likely", FAULT]),
    entry(
        137,
        [
            "signal 9 (KILL) ended it: by hand, because it did not leave in time, or because memory was short",
            "`mainstay why NAME` tells whether it was a stop; the kernel's log tells of memory",
        ],
    ),
    entry(139, ["signal 11 (SEGV) ended it: it touched memory that is not its own", FAULT]),
    entry(
        141,
        [
            "signal 13 (PIPE) ended it: nobody read what it wrote any more",
            "look at what it writes to",
        ],
    ),
    entry(143, ["signal 15 (TERM) ended it, as a stop does", ASKED]),
];
