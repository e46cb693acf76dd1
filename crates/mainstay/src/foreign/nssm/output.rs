//! What NSSM does with a program's output: files, and when they are given other names.

use super::Values;
use crate::foreign::{
    Equivalent, Remarks,
    equivalent::{Log, OwnFiles},
};

pub(super) fn translate(values: &Values<'_>, equivalent: &mut Equivalent, remarks: &mut Remarks) {
    if let Some(path) = values.text("AppStdin") {
        remarks.missing(("AppStdin", &path), "programs read nothing here: stdin is empty");
    }
    equivalent.own_files = files(values, equivalent.directory.as_deref(), remarks);
    let OwnFiles { stdout, stderr, .. } = &equivalent.own_files;
    if stdout != stderr {
        equivalent.log = Log::Split;
    }
    if values.is_on("AppRotateFiles") {
        rotation(values, equivalent, remarks);
    }
    if values.is_on("AppRotateOnline") {
        remarks.better(("AppRotateOnline", "1"), "always, without a pause of the program");
    }
    if let Some(delay) = values.number("AppRotateDelay").filter(|delay| *delay > 0) {
        remarks
            .better(("AppRotateDelay", &delay.to_string()), "nothing is copied, so nothing waits");
    }
    if values.is_on("AppTimestampLog") {
        let why = "every line's time is known: `mainstay logs --since 10m`";
        remarks.better(("AppTimestampLog", "1"), why);
    }
}

fn files(values: &Values<'_>, directory: Option<&str>, remarks: &mut Remarks) -> OwnFiles {
    let [stdout, stderr] = ["AppStdout", "AppStderr"].map(|name| {
        let path = values.text(name)?;
        let why = "`logs.path`, whole lines; `mainstay logs` has all of them, too";
        remarks.better((name, &path), why);
        details(values, name, remarks);
        Some(absolute(directory, &path))
    });
    OwnFiles { stdout, stderr, ..OwnFiles::default() }
}

fn details(values: &Values<'_>, name: &str, remarks: &mut Remarks) {
    for detail in ["ShareMode", "CreationDisposition", "FlagsAndAttributes"] {
        let full = format!("{name}{detail}");
        if let Some(number) = values.number(&full) {
            let why = "lines are appended, and the file may be read and deleted at any time";
            remarks.better((&full, &number.to_string()), why);
        }
    }
    let full = format!("{name}CopyAndTruncate");
    if values.is_on(&full) {
        remarks.better((&full, "1"), "a file that is held grows on, and is renamed later");
    }
}

/// NSSM's paths begin at the program's folder, ours at the configuration's.
fn absolute(directory: Option<&str>, path: &str) -> String {
    let is_absolute = path.starts_with(['\\', '/']) || path.chars().nth(1) == Some(':');
    match directory {
        Some(directory) if !is_absolute => {
            [directory.trim_end_matches(['\\', '/']), "\\", path].concat()
        }
        Some(_) | None => path.to_owned(),
    }
}

fn rotation(values: &Values<'_>, equivalent: &mut Equivalent, remarks: &mut Remarks) {
    let [low, high] = ["AppRotateBytes", "AppRotateBytesHigh"].map(|name| values.number(name));
    let bytes = u64::from(high.unwrap_or_default()) << 32 | u64::from(low.unwrap_or_default());
    let has_files = equivalent.own_files != OwnFiles::default();
    if bytes == 0 {
        equivalent.own_files.at_start = has_files;
        remarks.same(("AppRotateFiles", "1"), "`logs.path.at-start`");
    } else {
        let why = "as soon as the file is full, at a line end, without a start of the program";
        remarks.better(("AppRotateFiles", "1"), why);
        let key = if has_files { "`logs.path.max-size`" } else { "`logs.max-size`" };
        remarks.same(("AppRotateBytes", &bytes.to_string()), key);
        let size =
            if has_files { &mut equivalent.own_files.size } else { &mut equivalent.log_size };
        *size = Some(bytes);
    }
    if let Some(seconds) = values.number("AppRotateSeconds").filter(|seconds| *seconds > 0) {
        let why = "rotation by age is not supported by this version";
        remarks.missing(("AppRotateSeconds", &seconds.to_string()), why);
    }
}
