//! Yes and no, as people type them.

use crate::words;

/// What was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
}

/// Reads an answer to a question whose usual answer is yes; nothing where it is neither.
pub(super) fn answer_of(typed: &str) -> Option<Answer> {
    let yes = ["", "y", "yes", words::label("y"), words::label("yes")];
    let no = ["n", "no", words::label("n"), words::label("no")];
    let typed = typed.to_lowercase();
    if yes.contains(&typed.as_str()) {
        Some(Answer::Yes)
    } else if no.contains(&typed.as_str()) {
        Some(Answer::No)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_means_yes_and_anything_else_is_asked_again() {
        assert_eq!(["", "Y", "yes"].map(answer_of), [Some(Answer::Yes); 3]);
        assert_eq!(["n", "No"].map(answer_of), [Some(Answer::No); 2]);
        assert_eq!(answer_of("perhaps"), None);
    }
}
