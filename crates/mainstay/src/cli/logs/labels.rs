//! Whose a line is: a name before it, always in the same colour.

use std::fmt::Write as _;

use super::Merged;
use crate::print;

/// Names are as wide at least, so that those that come later fit most often.
const WIDTH_MIN: usize = 12;
/// A longer name moves its own lines only.
const WIDTH_MAX: usize = 32;
/// Colours that can be read on light and dark; none is red, which is for what is bad.
const COLOURS: [&str; 10] = ["36", "33", "32", "35", "34", "96", "93", "92", "95", "94"];

/// Whether lines say whose they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Labels {
    /// In so many letters.
    Shown(usize),
    Left,
}

/// Whether colours are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colours {
    Shown,
    Left,
}

impl Colours {
    pub(super) fn wanted() -> Self {
        if print::is_coloured() { Self::Shown } else { Self::Left }
    }
}

impl Labels {
    /// Lines of one unit need none.
    pub(super) fn of(merged: &Merged) -> Self {
        let mut units = merged.chains().map(|(origin, _)| origin.unit.as_str());
        let Some(first) = units.next() else { return Self::Left };
        let (mut width, mut is_alone) = (first.chars().count(), true);
        for unit in units {
            is_alone &= unit == first;
            width = width.max(unit.chars().count());
        }
        if is_alone { Self::Left } else { Self::Shown(width.clamp(WIDTH_MIN, WIDTH_MAX)) }
    }

    /// Adds the label of a line.
    pub(super) fn add(self, out: &mut String, unit: &str, colours: Colours) {
        let Self::Shown(width) = self else { return };
        let label = format!("{unit:width$} | ");
        // A string never refuses.
        let _ = match colours {
            Colours::Shown => write!(out, "{}", print::wrapped(&label, colour(unit))),
            Colours::Left => write!(out, "{label}"),
        };
    }
}

/// Returns the colour of a name, whoever else is shown.
fn colour(unit: &str) -> &'static str {
    // FNV-1a: names that differ in one letter get far from each other.
    let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = unit.bytes().fold(0x811c_9dc5, mix);
    let place = usize::try_from(hash).unwrap_or_default() % COLOURS.len();
    COLOURS.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_as_wide_as_the_longest_and_keeps_its_colour() {
        let shown = |labels: Labels, unit, colours| {
            let mut out = String::new();
            labels.add(&mut out, unit, colours);
            out
        };
        assert_eq!(shown(Labels::Shown(6), "web@2", Colours::Left), "web@2  | ");
        assert_eq!(shown(Labels::Left, "web", Colours::Shown), "");
        let web = shown(Labels::Shown(3), "web", Colours::Shown);
        assert_eq!(web, format!("\u{1b}[{}mweb | \u{1b}[0m", colour("web")));
        let names = ["web", "db", "api", "worker", "cache", "mail", "proxy", "cron"];
        let colours: std::collections::BTreeSet<_> =
            names.iter().map(|name| colour(name)).collect();
        assert!(colours.len() > 3, "{colours:?}");
    }
}
