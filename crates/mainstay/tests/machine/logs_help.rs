//! The help of the commands that read what was written and what happened, word by word.

use crate::sandbox::Sandbox;

/// Expects this help; spaces at the ends of lines are nobody's.
fn check(command: &str, expected: &str) {
    let help = Sandbox::new("").get(&[command, "--help"]);
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    assert_eq!(lines.join("\n") + "\n", expected);
}

const LOGS: &str = "\
Show what programs wrote

Usage: mainstay logs [OPTIONS] [NAME]...

Arguments:
  [NAME]...  Units, services, or groups such as `@web`; `*` and `?` match; all when none is named

Options:
  -f, --follow                  Go on as programs write
      --instance <NAME>         An instance's name or file; else `$MAINSTAY_INSTANCE`, else the
                                nearest
  -n, --lines <COUNT>           How many lines, or `all`; 50, or all that a time, a run or a pattern
                                asks for
      --since <TIME>            Only from this time on: `10m` ago, `2026-01-31 08:00`, `08:00`,
                                `today`, `yesterday`
      --until <TIME>            Only up to this time
  -r, --reverse                 The newest line first; 100000 lines at most
  -g, --grep <PATTERN>          Only lines that this regular expression matches
  -i, --ignore-case             Capitals do not matter to `--grep`
  -v, --invert-match            Only lines that `--grep` does not match
  -A, --after-context <COUNT>   So many lines behind each that `--grep` finds, too
  -B, --before-context <COUNT>  So many lines before each that `--grep` finds, too
  -C, --context <COUNT>         So many lines around each that `--grep` finds, too
      --run <RUN>               Only what this run wrote: a number, `last`, or `-1` for the one
                                before it
      --stream <STREAM>         Only this stream; needs `logs = { streams = \"split\" }` [possible
                                values: stdout, stderr]
      --hook <NAME>             What a hook wrote, such as `before-start`, or `action-NAME` for that
                                of a check
      --check <NAME>            What a check wrote that is a command, or `ready`
  -t, --timestamps[=<FORM>]     When each line came: `local`, `utc` or `none`; `-t` alone is `local`
      --no-prefix               Leave out the names before lines of several units
      --raw                     Print the bytes exactly as they were written, with what steers a
                                terminal
      --json                    Print JSON, one line of a log a line: time, unit, run, stream, text,
                                partial
      --no-pager                Print on the terminal, without `$MAINSTAY_PAGER`, `$PAGER` or `less`
      --lang <LANGUAGE>         The language: en or zh-CN; else `$MAINSTAY_LANG`, else the locale's
  -h, --help                    Print help

Examples:
  mainstay logs web -n 100
  mainstay logs -f
  mainstay logs web 'worker-*' @db --since 10m -t
  mainstay logs web --since yesterday --until '2026-01-31 08:00'
  mainstay logs web --grep 'error|panic' -i -C 3
  mainstay logs web --run -1                    the run before the last
  mainstay logs web --json | jq -r .text
  mainstay logs web --raw -n all > web.log
  mainstay logs web --hook before-start

Times: `10m` ago, `2026-01-31 08:00`, `08:00`, `today`, `yesterday` (local), or
`2026-01-31T08:00:00Z`.
";

#[test]
fn logs_is_told() {
    check("logs", LOGS);
}

const EVENTS: &str = "\
Show what happened, to all units or some

Usage: mainstay events [OPTIONS] [NAME]...

Arguments:
  [NAME]...  Only of these units, services, or groups such as `@web`; `*` and `?` match

Options:
      --instance <NAME>  An instance's name or file; else `$MAINSTAY_INSTANCE`, else the nearest
  -u, --unit <NAME>      The same as NAME
  -f, --follow           Go on as things happen
  -n, --lines <COUNT>    How many of the past, or `all`; 50, or all that a time asks for
      --since <TIME>     Only from this time on: `10m` ago, `2026-01-31 08:00`, `08:00`, `today`,
                         `yesterday`
      --until <TIME>     Only up to this time
      --type <TYPE>      Only of these types, such as `UnitExited,HookFailed`; `*` and `?` match
      --level <LEVEL>    Only those that matter so much at least [possible values: info, warn,
                         error]
      --trace <ID>       Only of this chain of causes, as `--json` names it
      --json             Print JSON, one event a line
      --no-pager         Print on the terminal, without `$MAINSTAY_PAGER`, `$PAGER` or `less`
      --lang <LANGUAGE>  The language: en or zh-CN; else `$MAINSTAY_LANG`, else the locale's
  -h, --help             Print help

Examples:
  mainstay events
  mainstay events web 'worker-*' -f
  mainstay events --since today --level warn
  mainstay events web --type UnitExited,HookFailed -n all
  mainstay events --trace 1899f3a1c2b4d5e6
  mainstay events --json | jq -r .message
";

#[test]
fn events_is_told() {
    check("events", EVENTS);
}
