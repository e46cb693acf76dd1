//! How a program was asked to end where there are no signals, told as an event.

use mainstay_api::{
    control::Facts,
    keeper::{Climb, Climbed, RungName, RungOutcome},
};

use crate::{
    beside::RunOf,
    daemon::Agent,
    events::{Happening, Level},
};

impl Agent {
    pub(crate) fn climbed(&mut self, climbed: &Climbed) {
        self.events.tell(told_of(climbed));
    }
}

/// Returns what is told; the number of a hook is none of a run.
fn told_of(Climbed { unit, run, rungs }: &Climbed) -> Happening {
    let words = words(rungs);
    let told = |text| Happening::of_instance(Level::Info, "StopAsked", text);
    match RunOf::parse(unit) {
        Some(RunOf::Beside(name)) => {
            let facts =
                Facts { hook: Some(name.part.to_string()), number: Some(*run), ..Facts::default() };
            let text = format!("`{unit}` {run} was asked to end: {words}");
            Happening { unit: Some(name.unit), facts, ..told(text) }
        }
        whom => {
            let unit_name = whom.map(|of| of.unit().clone());
            let text = format!("run {run} of `{unit}` was asked to end: {words}");
            Happening { unit: unit_name, run: Some(*run), ..told(text) }
        }
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

    #[test]
    fn a_hook_that_is_asked_to_end_is_told_as_one_of_its_unit() {
        let told = |unit: &str| {
            let happening = told_of(&Climbed { unit: unit.to_owned(), run: 12, rungs: Vec::new() });
            let Happening { unit, run, facts, .. } = happening;
            (unit.map(|unit| unit.to_string()), run, facts.hook, facts.number)
        };
        let web = Some("web".to_owned());
        assert_eq!(told("web"), (web.clone(), Some(12), None, None));
        let hook = Some("after-exit".to_owned());
        assert_eq!(told("web:after-exit"), (web, None, hook, Some(12)));
    }
}
