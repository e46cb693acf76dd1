//! `mainstay status --usage`: what units use of the machine.

use std::{cmp::Ordering, collections::BTreeMap};

use clap::ValueEnum;
use mainstay_api::control::{FilesStatus, Group, Role, Status, Unit, UnitUsage, Usages};
use mainstay_words::{padded, width as columns_of};
use serde::Serialize;

use super::right;
use crate::{
    client::{Client, escaped},
    errors::CliError,
    print, words,
};

/// By what units are sorted, the greatest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Sort {
    /// Name, the first one first
    Name,
    /// Share of a processor, then time on it
    Cpu,
    /// Memory
    Memory,
    /// Threads, then processes
    Tasks,
    /// Open descriptors
    Descriptors,
    /// What was read and written
    Io,
}

/// How wide the column of states is.
const STATE_COLUMNS: usize = 9;
/// How wide the columns of numbers are.
const CELL_COLUMNS: [usize; 8] = [6, 8, 8, 8, 6, 5, 8, 8];

/// A status with what its units use.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Used {
    instance: String,
    boot: String,
    keeper: Role,
    agent: Role,
    files: FilesStatus,
    usage_window_ms: u64,
    units: Vec<UsedUnit>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Group>,
}

#[derive(Debug, Serialize)]
struct UsedUnit {
    #[serde(flatten)]
    unit: Unit,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<UnitUsage>,
}

/// Asks what units use; all of them without a name.
pub(in crate::cli) async fn ask(
    client: &mut Client,
    names: &[String],
    window: Option<u64>,
) -> Result<Usages, CliError> {
    let names: Vec<String> = names.iter().map(|name| escaped(name)).collect();
    let window = window.map_or_else(String::new, |window| format!("&window={window}"));
    client.get(&format!("/v1/usage?names={}{window}", names.join(","))).await
}

impl Used {
    /// Puts a status and what its units use together.
    pub(super) fn new(status: Status, usages: Usages, sort: Sort) -> Self {
        let Usages { window_ms, units } = usages;
        let mut by_name: BTreeMap<String, UnitUsage> =
            units.into_iter().map(|usage| (usage.unit.clone(), usage)).collect();
        let Status { instance, boot, keeper, agent, files, units, groups } = status;
        let with_usage = |unit: Unit| UsedUnit { usage: by_name.remove(&unit.unit), unit };
        let mut units: Vec<UsedUnit> = units.into_iter().map(with_usage).collect();
        units.sort_by(|one, other| compare(one, other, sort));
        Self { instance, boot, keeper, agent, files, usage_window_ms: window_ms, units, groups }
    }

    /// Lays the units out.
    pub(super) fn table(&self) -> String {
        let title = words::label("UNIT");
        let widths = self.units.iter().map(|used| columns_of(&used.unit.unit));
        let width = widths.max().unwrap_or(0).max(columns_of(title));
        let mut text = format!("{}\n\n", self.instance);
        let state = padded(words::label("STATE"), STATE_COLUMNS);
        text.push_str(&line(&padded(title, width), &state, &headings().map(str::to_owned)));
        for UsedUnit { unit, usage } in &self.units {
            let cells = usage.as_ref().map_or_else(|| [const { String::new() }; 8], cells);
            let state = padded(&words::of(&unit.state), STATE_COLUMNS);
            let state = print::coloured(&state, &unit.state);
            text.push_str(&line(&padded(&unit.unit, width), &state, &cells));
        }
        text
    }
}

/// Returns what stands above the columns of numbers.
fn headings() -> [&'static str; 8] {
    [
        words::label("CPU%"),
        words::label("TIME"),
        words::label("MEMORY"),
        words::label("PEAK"),
        words::label("TASKS"),
        words::label("FDS"),
        words::label("READ"),
        words::label("WRITTEN"),
    ]
}

/// Returns a line of cells, numbers at the right of their columns.
fn line(name: &str, state: &str, cells: &[String; 8]) -> String {
    let cells = cells.iter().zip(CELL_COLUMNS).map(|(cell, columns)| right(cell, columns));
    let line = [name.to_owned(), state.to_owned()].into_iter().chain(cells).collect::<Vec<_>>();
    line.join("  ").trim_end().to_owned() + "\n"
}

/// Returns what a unit uses, in the order of the columns; `-` is what the system does not tell.
fn cells(usage: &UnitUsage) -> [String; 8] {
    fn cell<T>(value: Option<T>, text: impl Fn(T) -> String) -> String {
        value.map_or_else(|| "-".to_owned(), text)
    }
    [
        cell(usage.cpu_percent, |share| format!("{share:.1}")),
        cell(usage.cpu_ms, time),
        cell(usage.memory_bytes, size),
        cell(usage.memory_peak_bytes, size),
        cell(usage.threads, |count| count.to_string()),
        cell(usage.descriptors, |count| count.to_string()),
        cell(usage.read_bytes, size),
        cell(usage.written_bytes, size),
    ]
}

/// Puts the greatest first, and who uses nothing last; by name where there is no difference.
fn compare(one: &UsedUnit, other: &UsedUnit, sort: Sort) -> Ordering {
    let key = |used: &UsedUnit| used.usage.as_ref().map(|usage| key(usage, sort));
    let by_key = key(other).partial_cmp(&key(one)).unwrap_or(Ordering::Equal);
    by_key.then_with(|| one.unit.unit.cmp(&other.unit.unit))
}

fn key(usage: &UnitUsage, sort: Sort) -> (f64, Option<u64>) {
    match sort {
        Sort::Name => (0.0, None),
        Sort::Cpu => (usage.cpu_percent.unwrap_or(-1.0), usage.cpu_ms),
        Sort::Memory => (0.0, usage.memory_bytes),
        Sort::Tasks => (0.0, usage.threads.or(Some(usage.processes))),
        Sort::Descriptors => (0.0, usage.descriptors),
        Sort::Io => (0.0, usage.read_bytes.zip(usage.written_bytes).map(|(read, put)| read + put)),
    }
}

/// Returns a number of bytes as people say it, in units of 1,024.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut tenths = u128::from(bytes) * 10;
    let mut unit = "B";
    for larger in UNITS {
        if tenths < 10_240 {
            break;
        }
        tenths = tenths.div_ceil(1024);
        unit = larger;
    }
    if unit == "B" || tenths >= 1000 {
        return format!("{}{unit}", tenths / 10);
    }
    format!("{}.{}{unit}", tenths / 10, tenths % 10)
}

/// Returns a time on processors as people say it.
pub(in crate::cli) fn time(milliseconds: u64) -> String {
    match milliseconds / 1000 {
        0..60 => format!("{}.{:02}s", milliseconds / 1000, milliseconds % 1000 / 10),
        seconds @ 60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        seconds => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_times_are_said_shortly() {
        let check = |bytes: u64, expected: &str| assert_eq!(size(bytes), expected);
        check(0, "0B");
        check(1023, "1023B");
        check(1024, "1.0KiB");
        check(1536, "1.5KiB");
        check(200 * 1024 * 1024, "200MiB");
        check(u64::MAX, "16384PiB");
        let check = |milliseconds: u64, expected: &str| assert_eq!(time(milliseconds), expected);
        check(0, "0.00s");
        check(59_999, "59.99s");
        check(61_000, "1m01s");
        check(7_260_000, "2h01m");
    }

    #[test]
    fn the_greatest_comes_first_and_who_tells_nothing_last() {
        let usage = |unit: &str, memory: Option<u64>| UnitUsage {
            unit: unit.to_owned(),
            memory_bytes: memory,
            ..UnitUsage::default()
        };
        let (small, large, silent) = (usage("a", Some(1)), usage("b", Some(2)), usage("c", None));
        let by_memory = |usage: &UnitUsage| key(usage, Sort::Memory);
        assert!(by_memory(&large) > by_memory(&small) && by_memory(&small) > by_memory(&silent));
        let by_cpu = UnitUsage { cpu_percent: Some(0.0), ..usage("d", None) };
        assert!(key(&by_cpu, Sort::Cpu) > key(&large, Sort::Cpu));
    }
}
