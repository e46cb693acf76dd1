//! `/proc/PID/limits`: columns of a fixed width, under a line of titles.

use std::{fs, io};

use super::Limit;
use crate::dump;

/// Where the columns begin: the kernel pads names to 25 letters and values to 20.
const SOFT_AT: usize = 26;
const HARD_AT: usize = 47;
const UNIT_AT: usize = 68;
const CORES: &str = "core file size";

pub(super) fn of(pid: u32) -> io::Result<Vec<Limit>> {
    let text = fs::read_to_string(format!("/proc/{pid}/limits"))?;
    Ok(text.lines().skip(1).filter_map(read).map(passed_on).collect())
}

/// Of core files a keeper has another limit than it passes on, and so have we: ours was the same.
fn passed_on(limit: Limit) -> Limit {
    let former = dump::restored().filter(|_| limit.name == CORES);
    let soft = match former {
        Some(libc::RLIM_INFINITY) => "unlimited".to_owned(),
        Some(bytes) => format!("{bytes} bytes"),
        None => limit.soft,
    };
    Limit { soft, ..limit }
}

fn read(line: &str) -> Option<Limit> {
    let name = line.get(..SOFT_AT)?.trim().trim_start_matches("Max ").to_owned();
    let [soft, hard] =
        [line.get(SOFT_AT..HARD_AT)?, line.get(HARD_AT..)?.get(..20)?].map(str::trim);
    let unit = line.get(UNIT_AT..).unwrap_or_default().trim();
    let with_unit = |value: &str| {
        let has_unit = !unit.is_empty() && value != "unlimited" && !name.ends_with(unit);
        if has_unit { format!("{value} {unit}") } else { value.to_owned() }
    };
    Some(Limit { soft: with_unit(soft), hard: with_unit(hard), name: name.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernel_is_a_limit() {
        let check = |line: &str, name: &str, soft: &str, hard: &str| {
            let [name, soft, hard] = [name, soft, hard].map(str::to_owned);
            assert_eq!(read(line), Some(Limit { name, soft, hard }));
        };
        check(
            "Max open files            1024                 1048576              files     ",
            "open files",
            "1024",
            "1048576",
        );
        check(
            "Max core file size        0                    unlimited            bytes     ",
            "core file size",
            "0 bytes",
            "unlimited",
        );
        check(
            "Max nice priority         0                    0                    ",
            "nice priority",
            "0",
            "0",
        );
        assert_eq!(read("short"), None);
    }

    #[test]
    fn our_own_limits_are_told() {
        let all = of(std::process::id()).unwrap();
        assert!(all.iter().any(|limit| limit.name == "open files" && !limit.soft.is_empty()));
    }
}
