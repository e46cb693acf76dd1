//! How a program was asked to end where there are no signals, told as an event.

use mainstay_api::keeper::{Climb, Climbed, RungName, RungOutcome};
use mainstay_core::UnitName;

use crate::{
    daemon::Agent,
    events::{Happening, Level},
};

impl Agent {
    pub(crate) fn climbed(&mut self, climbed: &Climbed) {
        let Climbed { unit, run, rungs } = climbed;
        let message = format!("run {run} of `{unit}` was asked to end: {}", words(rungs));
        let happening = Happening::of_instance(Level::Info, "StopAsked", message);
        let unit = UnitName::parse(unit).ok();
        self.events.tell(Happening { unit, run: Some(*run), ..happening });
    }
}

fn words(rungs: &[Climb]) -> String {
    let words: Vec<&str> = rungs.iter().copied().map(word).collect();
    words.join(", ")
}

const fn word(climb: Climb) -> &'static str {
    match (climb.rung, climb.outcome) {
        (RungName::Interrupt, RungOutcome::Ended) => "Ctrl-C ended it",
        (RungName::Interrupt, RungOutcome::Ignored) => "Ctrl-C was ignored",
        (RungName::Interrupt, RungOutcome::Nobody) => "it has no console",
        (RungName::Interrupt, RungOutcome::Refused) => "Ctrl-C was refused",
        (RungName::Close, RungOutcome::Ended) => "WM_CLOSE ended it",
        (RungName::Close, RungOutcome::Ignored) => "WM_CLOSE was ignored",
        (RungName::Close, RungOutcome::Nobody) => "it has no window",
        (RungName::Close, RungOutcome::Refused) => "WM_CLOSE was refused",
        (RungName::Quit, RungOutcome::Ended) => "WM_QUIT ended it",
        (RungName::Quit, RungOutcome::Ignored) => "WM_QUIT was ignored",
        (RungName::Quit, RungOutcome::Nobody) => "it has no message loop",
        (RungName::Quit, RungOutcome::Refused) => "WM_QUIT was refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rung_is_told_with_what_came_of_it() {
        let climb = |rung, outcome| Climb { rung, outcome };
        let rungs = [
            climb(RungName::Interrupt, RungOutcome::Ignored),
            climb(RungName::Close, RungOutcome::Nobody),
            climb(RungName::Quit, RungOutcome::Ended),
        ];
        assert_eq!(words(&rungs), "Ctrl-C was ignored, it has no window, WM_QUIT ended it");
    }
}
