//! Logs that are not as they should be: told as events, and shown with the unit while it lasts.

use std::collections::BTreeMap;

use mainstay_api::keeper::{Pressure, PressureKind};
use mainstay_core::UnitName;

use crate::{
    beside::RunOf,
    daemon::Agent,
    events::{Happening, Level},
};

/// What is wrong with the logs of units at this moment.
#[derive(Debug, Default)]
pub(crate) struct Pressed {
    by_unit: BTreeMap<String, String>,
}

impl Pressed {
    /// Returns what is wrong with a unit's log, in words.
    pub(crate) fn of(&self, unit: &UnitName) -> Option<String> {
        self.by_unit.get(&unit.to_string()).cloned()
    }

    /// Forgets a unit that is no more.
    pub(crate) fn forget(&mut self, unit: &UnitName) {
        self.by_unit.remove(&unit.to_string());
    }

    /// Notes what lasts; returns whether that is news.
    fn note(&mut self, pressure: &Pressure, text: &str) -> bool {
        let Pressure { unit, kind, .. } = pressure;
        match kind {
            PressureKind::DiskFull | PressureKind::DiskFailed => {
                let former = self.by_unit.insert(unit.clone(), text.to_owned());
                former.as_deref() != Some(text)
            }
            PressureKind::DiskRoom => self.by_unit.remove(unit).is_some(),
            PressureKind::DroppedOldest
            | PressureKind::DroppedNew
            | PressureKind::LingeringClosed => true,
        }
    }
}

impl Agent {
    /// A keeper repeats to each agent what lasts; what this one knows already is no event.
    pub(crate) fn pressed(&mut self, pressure: &Pressure) {
        let (level, text) = words(pressure);
        if self.pressed.note(pressure, &text) {
            let unit = RunOf::parse(&pressure.unit).map(RunOf::into_unit);
            let event = match pressure.kind {
                PressureKind::DiskFailed => "LogFailed",
                PressureKind::DiskFull
                | PressureKind::DiskRoom
                | PressureKind::DroppedOldest
                | PressureKind::DroppedNew
                | PressureKind::LingeringClosed => "LogPressure",
            };
            let happening = Happening::of_instance(level, event, text);
            self.events.tell(Happening { unit, ..happening });
        }
    }
}

fn words(pressure: &Pressure) -> (Level, String) {
    let Pressure { unit, kind, count, message } = pressure;
    match kind {
        PressureKind::DiskFull => {
            (Level::Error, format!("the log of `{unit}` takes nothing: {message}"))
        }
        PressureKind::DiskFailed => {
            let text = format!("the log of `{unit}` cannot be written: {message}");
            (Level::Error, text + "; nothing is dropped")
        }
        PressureKind::DiskRoom => (Level::Info, format!("the log of `{unit}` takes bytes again")),
        PressureKind::DroppedOldest => {
            let text = if *count == 1 {
                format!("1 old segment of `{unit}` was deleted to make room")
            } else {
                format!("{count} old segments of `{unit}` were deleted to make room")
            };
            (Level::Warn, text)
        }
        PressureKind::DroppedNew => {
            (Level::Warn, format!("{count} bytes of `{unit}` were discarded"))
        }
        PressureKind::LingeringClosed => {
            (Level::Warn, format!("an old pipe of `{unit}` was closed: {message}"))
        }
    }
}
