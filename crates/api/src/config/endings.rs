//! How a file is written beside what it says: the ends of its lines and its byte order mark, which an
//! edit keeps.
//!
//! Whoever edits sees LF and no mark. Lines that stay are taken from the file as they were, those
//! that change get the end of the line in whose place they are, and new ones that of the first line.
//! An end in a string is part of its value: it goes with the string, behind a stand-in.

use super::{EditError, strings};

/// Some editors of Windows begin a text with it.
const MARK: &str = "\u{feff}";

/// Letters that stand for no character, one of which a text has not.
const NONE: std::ops::RangeInclusive<char> = '\u{fdd0}'..='\u{fdef}';

/// Edits a text that has LF at the ends of its lines, and no mark; returns it as it was written.
pub(super) fn keeping(
    text: &str,
    edit: impl Fn(&str) -> Result<String, EditError>,
) -> Result<String, EditError> {
    let body = text.strip_prefix(MARK);
    let mark = if body.is_some() { MARK } else { "" };
    let body = body.unwrap_or(text);
    let mut shown = Shown::of(body, None);
    let mut edited = edit(&shown.text())?;
    if shown.has_values() {
        // What is new may hold such letters as well.
        let is_free = |letter: &char| !body.contains(*letter) && !edited.contains(*letter);
        let stand_in = NONE.clone().find(is_free).unwrap_or('\u{fdd0}');
        shown = Shown::of(body, Some(stand_in));
        edited = edit(&shown.text())?;
    }
    Ok(format!("{mark}{}", shown.written(&edited)))
}

/// A text as whoever edits it sees it, and the ends of its lines as they are.
struct Shown<'t> {
    lines: Vec<(String, &'t str)>,
    /// Whether a line ends in a string with CRLF.
    has_values: bool,
    /// Stands before such an end.
    stand_in: Option<char>,
}

impl<'t> Shown<'t> {
    fn of(text: &'t str, stand_in: Option<char>) -> Self {
        let mut has_values = false;
        let lines = text.split_inclusive('\n').zip(strings::ends(text)).map(|(line, is_value)| {
            let (line, end) = parted(line);
            let is_hidden = is_value && end == "\r\n";
            has_values |= is_hidden;
            (line.chars().chain(stand_in.filter(|_| is_hidden)).collect(), end)
        });
        let lines = lines.collect();
        Self { lines, has_values, stand_in }
    }

    const fn has_values(&self) -> bool {
        self.has_values
    }

    fn text(&self) -> String {
        let end = |end: &str| if end.is_empty() { "" } else { "\n" };
        self.lines.iter().flat_map(|(line, is)| [line.as_str(), end(is)]).collect()
    }

    /// Returns what has become of the text, with ends like those that it had.
    fn written(&self, edited: &str) -> String {
        let fresh: Vec<&str> = edited.split_inclusive('\n').map(|line| parted(line).0).collect();
        let ends = strings::ends(edited);
        let places = self.places(&fresh);
        let mut text = String::with_capacity(edited.len());
        for (at, ((line, is_value), place)) in fresh.iter().zip(ends).zip(places).enumerate() {
            let stand_in = self.stand_in.filter(|_| is_value);
            let whole = stand_in.and_then(|stand_in| line.strip_suffix(stand_in));
            text.push_str(whole.unwrap_or(line));
            text.push_str(match (whole, is_value) {
                (Some(_), _) => "\r\n",
                (None, true) => "\n",
                (None, false) if at + 1 == fresh.len() => self.last(),
                (None, false) => self.end_at(place),
            });
        }
        text
    }

    /// Returns for each line of an edited text in whose place it is, if in any.
    fn places(&self, fresh: &[&str]) -> Vec<Option<usize>> {
        let is_same = |(former, fresh): &(&(String, &str), &&str)| former.0 == **fresh;
        let (before, after) = (self.lines.len(), fresh.len());
        let head = self.lines.iter().zip(fresh).take_while(is_same).count();
        let left = before.min(after).saturating_sub(head);
        let backwards = self.lines.iter().rev().zip(fresh.iter().rev());
        let tail = backwards.take(left).take_while(is_same).count();
        let place = |at: usize| match after.saturating_sub(at) {
            rest if rest <= tail => before.checked_sub(rest),
            _ => Some(at).filter(|at| *at < before.saturating_sub(tail)),
        };
        (0..after).map(place).collect()
    }

    /// Returns what a line ends with that is not the last one.
    fn end_at(&self, place: Option<usize>) -> &'t str {
        let own = place.and_then(|place| self.lines.get(place));
        let ends = own.into_iter().chain(self.lines.first()).map(|(_, end)| *end);
        ends.into_iter().find(|end| !end.is_empty()).unwrap_or("\n")
    }

    /// Returns what the last line ends with, which may be nothing.
    fn last(&self) -> &'t str {
        self.lines.last().map_or("\n", |(_, end)| *end)
    }
}

/// Returns a line and what it ends with.
fn parted(line: &str) -> (&str, &str) {
    let text = line.strip_suffix("\r\n").or_else(|| line.strip_suffix('\n')).unwrap_or(line);
    line.split_at(text.len())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{NewService, add, append, excerpt, get, remove, set, unset},
        *,
    };

    const TEXT: &str = "# what I run\n[services.web] # the site\ncommand = [\n  \"web\", # as built\n]\ndirectory = '''\n/srv\n'''\n\n# data\n[services.db]\ncommand = [\"db\"]\n";

    /// The same text as four editors write it.
    fn hands(text: &str) -> [String; 4] {
        let dos = text.replace('\n', "\r\n");
        let bare = dos.strip_suffix("\r\n").unwrap().to_owned();
        [text.to_owned(), format!("{MARK}{text}"), format!("{MARK}{dos}"), bare]
    }

    /// Each of them has the edit in their own hand.
    fn check(edit: impl Fn(&str) -> Result<String, EditError>) {
        let expected = hands(&edit(TEXT).unwrap());
        for (text, expected) in hands(TEXT).iter().zip(expected) {
            assert_eq!(edit(text).unwrap(), expected);
        }
    }

    #[test]
    fn an_edit_keeps_the_ends_of_lines_and_the_mark() {
        let command = vec!["api".to_owned()];
        let new = NewService { command, ..NewService::default() };
        check(|text| add(text, "api", &new));
        check(|text| append(text, "dns", "[services.dns.ddns]\nevery = \"5m\"\n"));
        check(|text| remove(text, "db"));
        check(|text| remove(text, "web"));
        check(|text| set(text, "db", "command", "[\"db\", \"-v\"]"));
        check(|text| set(text, "web", "stop.timeout", "3s"));
        check(|text| set(text, "web", "command", "[\"web\"]"));
        check(|text| set(text, "db", "command", "[\n  \"db\",\n  \"-v\",\n]"));
        check(|text| unset(text, "web", "directory"));
        check(|text| unset(text, "db", "nothing"));
    }

    #[test]
    fn what_is_read_is_the_same_whoever_has_written_it() {
        for text in hands(TEXT) {
            assert_eq!(get(&text, "web", "command").unwrap(), get(TEXT, "web", "command").unwrap());
            assert_eq!(excerpt(&text, "db").unwrap(), excerpt(TEXT, "db").unwrap());
        }
    }

    #[test]
    fn a_text_of_several_lines_is_the_same_value_in_every_hand() {
        for text in hands(TEXT) {
            let written = set(&text, "web", "environment.MOTD", "one\ntwo\r\nthree").unwrap();
            let table: toml::Table = written.parse().unwrap();
            let web = &table["services"]["web"];
            assert_eq!(web["environment"]["MOTD"].as_str(), Some("one\ntwo\r\nthree"), "{written}");
            let directory = text.parse::<toml::Table>().unwrap();
            assert_eq!(web["directory"], directory["services"]["web"]["directory"], "{written}");
            let typed = "\"\"\"\n/srv\nc\"\"\"";
            let written = set(&text, "web", "directory", typed).unwrap();
            let table: toml::Table = written.parse().unwrap();
            let directory = table["services"]["web"]["directory"].as_str();
            assert_eq!(directory, Some("/srv\nc"), "{written}");
        }
    }

    #[test]
    fn lines_that_end_in_different_ways_stay_as_they_are() {
        let text = "[services.web]\r\ncommand = [\"web\"]\nstart = \"auto\"\r\n# mine\n";
        let changed = set(text, "web", "command", "[\"api\"]").unwrap();
        assert_eq!(changed, text.replace("web\"", "api\""));
        assert_eq!(set(&changed, "web", "command", "[\"web\"]").unwrap(), text);
        let longer = set(text, "web", "ready", "{ tcp = 80 }").unwrap();
        assert_eq!(longer, text.replace("# mine", "ready = { tcp = 80 }\r\n# mine"));
    }

    #[test]
    fn a_file_without_a_line_gets_whole_ones() {
        let new = NewService { command: vec!["true".to_owned()], ..NewService::default() };
        let whole = "[services.one]\ncommand = [\"true\"]\n";
        assert_eq!(add("", "one", &new).unwrap(), whole);
        assert_eq!(add(MARK, "one", &new).unwrap(), format!("{MARK}{whole}"));
    }
}
