//! What a service that is taken over gets beside our command line: what brings a keeper that has
//! crashed back to its programs. It is noted, so that it can be taken back.

use std::{fs, path::PathBuf};

use mainstay_platform::scm::{self, Recovery, Service, Setting};

use super::replace::write;
use crate::{
    cli::service::{recovery, shutdown},
    place::Place,
    print,
};

/// Words of the note.
const RECOVERY: &str = "recovery";
const START_RIGHT: &str = "start-right";

/// Adds what is missing. What cannot be added is told: the service runs without it.
pub(super) fn add(service: &Service, place: &Place, text: &str) {
    // An identity of its own and time before a shutdown harm no other wrapper, and stay.
    let mut wanted = vec![(None, Setting::OwnIdentity), (None, shutdown::setting_for(text))];
    let may_start = scm::identity_of(&place.name).map(Setting::MayStart);
    wanted.extend(may_start.ok().map(|setting| (Some(START_RIGHT), setting)));
    // Actions that somebody has chosen stay; NSSM and others leave them empty.
    let is_without = service.recovery().is_ok_and(|recovery| recovery.actions.is_empty());
    if is_without {
        wanted.push((Some(RECOVERY), Setting::Recovery(recovery::usual())));
    }
    let mut added = Vec::new();
    for (word, setting) in wanted {
        match service.set(&setting) {
            Ok(()) => added.extend(word),
            Err(error) => warn(&format!("{} could not be set: {error}", setting.name())),
        }
    }
    if let Err(error) = write(&note_of(place), added.join("\n").as_bytes()) {
        warn(&format!("what was added to the service could not be noted: {error}"));
    }
}

/// Takes back what was added, and nothing else.
pub(super) fn take_back(service: &Service, place: &Place) {
    let note = note_of(place);
    // Whoever was taken over without a note has nothing to give back.
    let noted = fs::read_to_string(&note).unwrap_or_default();
    let identity = scm::identity_of(&place.name).ok();
    for setting in noted.lines().filter_map(|word| former(word, identity.as_deref())) {
        if let Err(error) = service.set(&setting) {
            warn(&format!("{} could not be taken back: {error}", setting.name()));
        }
    }
    drop(fs::remove_file(note));
}

/// Returns what undoes a word of the note.
fn former(word: &str, identity: Option<&str>) -> Option<Setting> {
    match word {
        RECOVERY => Some(Setting::Recovery(Recovery::default())),
        START_RIGHT => Some(Setting::MayNotStart(identity?.to_owned())),
        _ => None,
    }
}

fn note_of(place: &Place) -> PathBuf {
    place.folder().join("added-settings")
}

fn warn(text: &str) {
    print::talk(&format!("warning: {text}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_undone_and_nothing_else() {
        let own = Some("S-1-5-80-1");
        assert_eq!(former(RECOVERY, own), Some(Setting::Recovery(Recovery::default())));
        assert_eq!(former(START_RIGHT, own), Some(Setting::MayNotStart("S-1-5-80-1".to_owned())));
        assert_eq!(former("", own), None);
        assert_eq!(former(START_RIGHT, None), None);
    }
}
