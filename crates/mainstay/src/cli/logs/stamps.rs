//! The time before each line.

use clap::ValueEnum;
use jiff::tz::TimeZone;

use crate::when;

/// How times are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Timestamps {
    /// As `--since` reads it: 2026-01-31 08:00:00.123
    Local,
    /// As RFC 3339: 2026-01-31T07:00:00.123Z
    Utc,
    /// Not at all
    #[default]
    None,
}

/// Writes times.
#[derive(Debug)]
pub(super) struct Stamps {
    form: Timestamps,
    zone: TimeZone,
}

impl Stamps {
    pub(super) fn new(form: Timestamps) -> Self {
        let zone = if form == Timestamps::Local { TimeZone::system() } else { TimeZone::UTC };
        Self { form, zone }
    }

    /// Returns what stands before a line; blanks when nobody knows when it came.
    pub(super) fn of(&self, realtime_ns: u64) -> String {
        let (text, width) = match self.form {
            Timestamps::None => return String::new(),
            Timestamps::Local => (when::local_text(realtime_ns, &self.zone), 23),
            Timestamps::Utc => (when::utc_text(realtime_ns), 24),
        };
        let text = text.filter(|_| realtime_ns > 0).unwrap_or_default();
        format!("{text:width$} ")
    }
}
