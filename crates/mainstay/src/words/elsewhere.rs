//! Texts that come from elsewhere or are single words: what clap says by itself, and the states of
//! units. They stand here so that the tables have them; tests compare them with the real ones.

use crate::words;

pub(super) const STATES: [&str; 9] = words::known([
    "stopped",
    "waiting",
    "starting",
    "running",
    "paused",
    "stopping",
    "backoff",
    "failed",
    "completed",
]);

/// What stands between texts, behind them and around them; `list, ` between the items of a list.
pub(super) const SIGNS: [&str; 13] = words::signs([
    "; ", ". ", ": ", ", ", ".", ":", "…", "?", " (", ")", "list, ", " or ", " and ",
]);

/// Where a service of Windows is, in the words of its manager.
pub(super) const MANAGER: [&str; 7] = words::known([
    "STOPPED",
    "START_PENDING",
    "STOP_PENDING",
    "RUNNING",
    "CONTINUE_PENDING",
    "PAUSE_PENDING",
    "PAUSED",
]);

/// What checks think of a unit.
pub(super) const VERDICTS: [&str; 3] = words::labels(["good", "bad", "open"]);

/// Units of time, as programs write them behind a number.
pub(super) const SPANS: [&str; 8] = words::labels(["ns", "µs", "ms", "s", "min", "m", "h", "d"]);

/// Sentences that are put together from single words, and what is one word alone.
pub(super) const SENTENCES: [&str; 4] = words::known([
    "Program",
    "`{unit}` has completed: {why}",
    "`{unit}` has failed: {why}",
    "`{unit}` is {state}: {why}",
]);

/// What a process may take, as Linux calls it.
pub(super) const LIMITS: [&str; 17] = words::labels([
    "cpu time",
    "file size",
    "data size",
    "stack size",
    "core file size",
    "resident set",
    "processes",
    "open files",
    "locked memory",
    "address space",
    "file locks",
    "pending signals",
    "msgqueue size",
    "nice priority",
    "realtime priority",
    "realtime timeout",
    "unlimited",
]);

pub(super) const CLAP: [&str; 45] = words::known([
    "Usage",
    "Commands",
    "Arguments",
    "Options",
    "Possible values",
    "error",
    "warning",
    "note",
    "hint",
    "tip",
    "Print help",
    "Print help (see a summary with '-h')",
    "Print help (see more with '--help')",
    "Print this message or the help of the given subcommand(s)",
    "Print version",
    "default: {value}",
    "possible values: {values}",
    "aliases: {values}",
    "subcommands: {values}",
    "For more information, try '{option}'",
    "unexpected argument '{argument}' found",
    "unexpected argument found",
    "unrecognized subcommand '{command}'",
    "a similar subcommand exists: '{command}'",
    "some similar subcommands exist: {commands}",
    "a similar argument exists: '{argument}'",
    "some similar arguments exist: {arguments}",
    "a similar value exists: '{value}'",
    "some similar values exist: {values}",
    "to pass '{argument}' as a value, use '{usage}'",
    "'{command} {argument}' exists",
    "invalid value '{value}' for '{argument}'",
    "invalid value '{value}' for '{argument}': {error}",
    "a value is required for '{argument}' but none was supplied",
    "the argument '{argument}' cannot be used with '{other}'",
    "the argument '{argument}' cannot be used with",
    "the argument '{argument}' cannot be used with one or more of the other specified arguments",
    "the argument '{argument}' cannot be used multiple times",
    "the following required arguments were not provided",
    "'{command}' requires a subcommand but one was not provided",
    "unexpected value '{value}' for '{argument}' found; no more were expected",
    "{expected} values required by '{argument}'; only {given} was provided",
    "{expected} values required for '{argument}' but {given} were provided",
    "equal sign is needed when assigning values to '{argument}'",
    "invalid UTF-8 was detected in one or more arguments",
]);

/// What is put together from pieces, or stands within another text.
pub(super) const PIECES: [&str; 14] = words::known([
    "`{unit}` is {state}: {why}",
    "its program was started, and is not ready yet: {why}",
    "cannot fetch `{what}`: {why}",
    "`mainstay secret set {name}` sets it",
    "`reset` tries again",
    "service `{name}` requires `{other}`",
    "service `{name}` requires `{other}`, which is not defined",
    "`{name}` requires `{other}`",
    "`{name}` requires `{other}` ({place})",
    "no hook `{name}` of these units has written anything",
    "no check `{name}` of these units has written anything",
    "applied",
    "it has one label",
    "write the whole name, such as `home.example.org`",
]);

/// What systems say most.
pub(super) const SYSTEM: [&str; 12] = words::known([
    "No such file or directory",
    "Permission denied",
    "Operation not permitted",
    "Is a directory",
    "Not a directory",
    "File exists",
    "Exec format error",
    "Connection refused",
    "Address already in use",
    "No space left on device",
    "Read-only file system",
    "Too many open files",
]);
