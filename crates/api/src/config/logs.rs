//! Where a service's output goes: `logs = { streams = "split", path = "web.log" }`.
//!
//! Each file of the user's own gets one chain of segments: a file for both streams goes with joined
//! streams, two files go with split ones. So a configuration that names files says by that how the
//! streams are captured.

use std::{path::MAIN_SEPARATOR, time::Duration};

use toml::de::{DeTable, DeValue};

use super::{
    LogFiles, LogPath, LogsConfig, SERVICE_DEFAULTS, catalogue,
    fields::{Fields, Reading},
    parse::absolute,
    program,
};
use crate::keeper::{OnFull, Streams};

const STREAMS: &[(&str, Streams)] = &[("joined", Streams::Joined), ("split", Streams::Split)];
const ON_FULL: &[(&str, OnFull)] =
    &[("block", OnFull::Block), ("drop-oldest", OnFull::DropOldest), ("drop-new", OnFull::DropNew)];

pub(super) fn read(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> LogsConfig {
    let usual = LogsConfig {
        streams: Streams::Joined,
        max_size: SERVICE_DEFAULTS.log_size,
        every: Duration::ZERO,
        keep: SERVICE_DEFAULTS.log_keep,
        on_full: OnFull::Block,
        path: LogPath::default(),
    };
    let is_off = fields
        .value("logs")
        .is_some_and(|value| matches!(value.get_ref(), DeValue::String(text) if text == "off"));
    if is_off {
        return LogsConfig { streams: Streams::Off, ..usual };
    }
    let Some(table) = fields.table("logs", r) else { return usual };
    let mut fields = Fields::new(table, "`logs`", &catalogue::LOGS);
    let path = path(&mut fields, r);
    let config = LogsConfig {
        streams: streams(&mut fields, &path, r),
        max_size: fields.size("max-size", r).unwrap_or(usual.max_size),
        every: fields.duration("every", r).unwrap_or(usual.every),
        keep: fields.number("keep", r).unwrap_or(usual.keep),
        on_full: fields.word("on-full", ON_FULL, r).unwrap_or_default(),
        path,
    };
    fields.word("compress", &[("off", ())], r);
    fields.finish(&["keep-for", "keep-total"], r);
    config
}

/// Returns how the streams are captured: as it is said, else as the files need it.
fn streams(fields: &mut Fields<'_, '_>, path: &LogPath, r: &mut Reading<'_>) -> Streams {
    let said = fields.word("streams", STREAMS, r);
    let needed = path.files.streams();
    if let (Some(said), Some(needed)) = (said, needed)
        && said != needed
        && let Some(value) = fields.value("streams")
    {
        let (message, help) = if needed == Streams::Split {
            ("joined streams go into one file", "take `streams` out, or name one file for both")
        } else {
            ("split streams go into two files", "take `streams` out, or name two files")
        };
        r.wrong(value.span(), "streams-and-path", message.to_owned(), help);
    }
    said.or(needed).unwrap_or_default()
}

/// Reads one file for both streams, or a table of files and of when they are given other names.
fn path(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> LogPath {
    let Some(value) = fields.value("path") else { return LogPath::default() };
    if matches!(value.get_ref(), DeValue::String(_)) {
        let files = file(fields, "path", r).map_or(LogFiles::None, LogFiles::Joined);
        return LogPath { files, ..LogPath::default() };
    }
    let empty = DeTable::new();
    let table = fields.table("path", r).unwrap_or(&empty);
    let mut fields = Fields::new(table, "`path`", &catalogue::LOG_PATH);
    let files = match (file(&mut fields, "stdout", r), file(&mut fields, "stderr", r)) {
        (None, None) => LogFiles::None,
        (Some(one), Some(other)) if identity(&one) == identity(&other) => LogFiles::Joined(one),
        (stdout, stderr) => LogFiles::Split { stdout, stderr },
    };
    let path = LogPath {
        files,
        max_size: fields.size("max-size", r).unwrap_or_default(),
        at_start: fields.flag("at-start", r).unwrap_or_default(),
    };
    fields.finish(&[], r);
    path
}

/// Returns what tells files apart: Windows does not look at cases.
pub(super) fn identity(file: &str) -> String {
    if MAIN_SEPARATOR == '\\' { file.to_lowercase() } else { file.to_owned() }
}

fn file(fields: &mut Fields<'_, '_>, key: &'static str, r: &mut Reading<'_>) -> Option<String> {
    let text = fields.text(key, r)?;
    let span = fields.value(key)?.span();
    program::check_text(r, &text, &span);
    if text.is_empty() {
        r.wrong(span, "out-of-range", format!("`{key}` is empty"), "remove it, or name a file");
    }
    Some(absolute(r.file, Some(&text)))
}
