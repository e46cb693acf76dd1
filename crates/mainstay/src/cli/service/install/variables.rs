//! Variables of a program from a file: a command line is seen by others, and kept in logs.

use std::path::Path;

use crate::{
    cli::add::{Variable, parse_variable},
    errors::CliError,
};

/// Reads `NAME=VALUE` from each line; empty ones and those that begin with `#` say nothing.
pub(super) fn read(file: &Path) -> Result<Vec<Variable>, CliError> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| CliError::refused(format!("cannot read `{shown}`: {error}"), ""))?;
    parse(&text).map_err(|(number, why)| CliError::refused(format!("{shown}:{number}: {why}"), ""))
}

/// The number of a line, and what is wrong with it.
type Mistake = (usize, &'static str);

fn parse(text: &str) -> Result<Vec<Variable>, Mistake> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim_start()));
    let said = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    // A mistake is told by its line's number: the line itself may be a secret.
    said.map(|(number, line)| parse_variable(line).map_err(|why| (number, why))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_variable_and_a_mistake_is_told_by_its_number() {
        let expected = [("TOKEN", "a b=c"), ("EMPTY", "")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(parse("\u{feff}# mine\r\nTOKEN=a b=c\r\n\n  EMPTY=\n").unwrap(), expected);
        assert_eq!(parse("A=1\nsecret").unwrap_err().0, 2);
        assert_eq!(parse("").unwrap(), []);
    }
}
