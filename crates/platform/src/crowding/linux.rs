//! `/proc/pressure/cpu`; `/proc/loadavg` where the kernel was built or booted without it.

use std::{fs, time::Duration};

use super::Look;

pub(super) fn look(at: Duration) -> Option<Look> {
    if let Some(look) = fs::read_to_string("/proc/pressure/cpu").ok().and_then(|t| pressure(&t, at))
    {
        return Some(look);
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    Some(Look { at, crowded_us: 0, lately: surplus(&text, processors)? })
}

/// Reads `some avg10=1.50 avg60=… total=MICROSECONDS`.
fn pressure(text: &str, at: Duration) -> Option<Look> {
    let line = text.lines().find(|line| line.starts_with("some "))?;
    let field = |name: &str| line.split(' ').find_map(|field| field.strip_prefix(name));
    let lately = thousandths(field("avg10=")?)? / 100;
    let crowded_us = field("total=")?.parse().ok()?;
    Some(Look { at, crowded_us, lately: u16::try_from(lately.min(1000)).ok()? })
}

/// Returns what part of those that want to run is beyond the processors.
fn surplus(text: &str, processors: usize) -> Option<u16> {
    let load = thousandths(text.split(' ').next()?)?;
    let room = u64::try_from(processors).ok()? * 1000;
    u16::try_from(load.saturating_sub(room) * 1000 / load.max(1)).ok()
}

/// Reads `12.34` as 12340.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.')?;
    let part: u64 = format!("{part:0<3}").get(..3)?.parse().ok()?;
    Some(whole.parse::<u64>().ok()? * 1000 + part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pressure_is_read_as_the_kernel_writes_it() {
        let text = "some avg10=12.34 avg60=3.00 avg300=0.50 total=1500000\nfull avg10=0.00\n";
        let expected = Look { at: Duration::ZERO, crowded_us: 1_500_000, lately: 123 };
        assert_eq!(pressure(text, Duration::ZERO), Some(expected));
        assert_eq!(pressure("full avg10=0.00", Duration::ZERO), None);
    }

    #[test]
    fn a_load_within_the_processors_is_no_crowd() {
        assert_eq!(surplus("1.99 0.50 0.10 2/300 4711", 2), Some(0));
        assert_eq!(surplus("8.00 0.50 0.10 2/300 4711", 2), Some(750));
        assert_eq!(surplus("0.00 0.00 0.00 1/300 4711", 2), Some(0));
        assert_eq!(surplus("", 2), None);
    }
}
