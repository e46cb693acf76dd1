//! Reading a table key by key: every mistake is noted with its place, and reading goes on.

use std::{borrow::Cow, collections::BTreeMap, ops::Range, time::Duration};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Diagnostic,
    catalogue::{LONGEST, Part, Shape},
    parse_duration, parse_size,
};

/// A suggestion may differ from what was typed by so many edits.
const EDITS_MAX: usize = 2;

/// A text that is being read, with the mistakes found so far.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    pub(super) found: Vec<Diagnostic>,
}

impl Reading<'_> {
    pub(super) fn wrong(&mut self, span: Range<usize>, code: &str, message: String, help: &str) {
        let one = Diagnostic::at(self.file, self.text, span, code, message);
        self.found.push(one.help(help));
    }
}

/// One table whose keys are asked for; what nobody asked for is unknown.
#[derive(Debug)]
pub(super) struct Fields<'t, 'i> {
    table: &'t DeTable<'i>,
    /// What the table is, for messages: `service web`.
    what: String,
    /// What the catalogue knows of it.
    part: &'static Part,
    asked: Vec<&'static str>,
}

type Value<'i> = Spanned<DeValue<'i>>;

impl<'t, 'i> Fields<'t, 'i> {
    pub(super) fn new(
        table: &'t DeTable<'i>,
        what: impl Into<String>,
        part: &'static Part,
    ) -> Self {
        Self { table, what: what.into(), part, asked: Vec::new() }
    }

    /// Returns whether a key may be there at all.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.part.key(key).is_some()
    }

    /// Notes that it has been said already that a key has no place here.
    pub(super) fn refuse(&mut self, key: &'static str) {
        self.asked.push(key);
    }

    /// Returns what the catalogue says that a key takes.
    fn shape(&self, key: &str) -> Option<&'static Shape> {
        let known = self.part.key(key);
        debug_assert!(known.is_some(), "`{key}` of `{}` is not in the catalogue", self.part.path);
        known.map(|key| &key.shape)
    }

    /// Returns the value of a key.
    pub(super) fn value(&mut self, key: &'static str) -> Option<&'t Value<'i>> {
        self.shape(key);
        #[cfg(test)]
        super::catalogue::asked::note(self.part, key);
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// Returns whether there is a key that the part does not know, and that this one is near to.
    pub(super) fn has_like(&self, key: &str) -> bool {
        let mut names = self.table.keys().map(|name| name.get_ref().as_ref());
        names.any(|name: &str| !self.knows(name) && suggestion(name, &[key]).is_some())
    }

    pub(super) fn text(&mut self, key: &'static str, r: &mut Reading<'_>) -> Option<String> {
        let value = self.value(key)?;
        let DeValue::String(text) = value.get_ref() else {
            return mistyped(r, value, key, "a text", value.get_ref());
        };
        Some(text.to_string())
    }

    /// Returns a whole number that is neither too small nor too large.
    pub(super) fn number(&mut self, key: &'static str, r: &mut Reading<'_>) -> Option<u32> {
        let value = self.value(key)?;
        let range = self.shape(key).and_then(Shape::integers);
        debug_assert!(range.is_some(), "the catalogue has no bounds of `{key}`");
        let range = range.unwrap_or(0..=u32::MAX);
        let DeValue::Integer(number) = value.get_ref() else {
            return mistyped(r, value, key, "a whole number", value.get_ref());
        };
        let read = u32::from_str_radix(number.as_str(), number.radix()).ok();
        let read = read.filter(|number| range.contains(number));
        if read.is_none() {
            let message = format!("`{key}` must be between {} and {}", range.start(), range.end());
            r.wrong(value.span(), "out-of-range", message, "");
        }
        read
    }

    pub(super) fn flag(&mut self, key: &'static str, r: &mut Reading<'_>) -> Option<bool> {
        let value = self.value(key)?;
        let DeValue::Boolean(flag) = value.get_ref() else {
            return mistyped(r, value, key, "true or false", value.get_ref());
        };
        Some(*flag)
    }

    /// Returns a duration that is neither too short nor too long.
    pub(super) fn duration(&mut self, key: &'static str, r: &mut Reading<'_>) -> Option<Duration> {
        let expected = ("a duration as text, such as \"5s\"", "bad-duration");
        let range = self.shape(key).and_then(Shape::durations);
        debug_assert!(range.is_some(), "the catalogue has no bounds of `{key}`");
        let range = range.unwrap_or(Duration::ZERO..=LONGEST);
        let read = if *range.end() > LONGEST { parse_duration } else { bounded_duration };
        let duration = self.measured(key, r, expected, read)?;
        let (message, help) = if duration < *range.start() {
            (format!("`{key}` is shorter than {:?}", range.start()), "give it longer")
        } else if duration > *range.end() {
            (format!("`{key}` is longer than {:?}", range.end()), "give it less")
        } else {
            return Some(duration);
        };
        r.wrong(self.value(key)?.span(), "out-of-range", message, help);
        None
    }

    pub(super) fn size(&mut self, key: &'static str, r: &mut Reading<'_>) -> Option<u64> {
        self.measured(key, r, ("a size as text, such as \"10MiB\"", "bad-size"), parse_size)
    }

    pub(super) fn measured<T>(
        &mut self,
        key: &'static str,
        r: &mut Reading<'_>,
        (expected, code): (&str, &str),
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.value(key)?;
        let DeValue::String(text) = value.get_ref() else {
            return mistyped(r, value, key, expected, value.get_ref());
        };
        read(text).map_err(|message| r.wrong(value.span(), code, message, "")).ok()
    }

    /// Returns a list of texts.
    pub(super) fn texts(&mut self, key: &'static str, r: &mut Reading<'_>) -> Option<Vec<Placed>> {
        let value = self.value(key)?;
        let DeValue::Array(array) = value.get_ref() else {
            return mistyped(r, value, key, "a list of texts", value.get_ref());
        };
        let mut texts = Vec::new();
        for item in array {
            if let DeValue::String(text) = item.get_ref() {
                texts.push(Placed { text: text.to_string(), span: item.span() });
            } else {
                let _: Option<()> = mistyped(r, item, key, "texts only", item.get_ref());
            }
        }
        Some(texts)
    }

    /// Returns a table of texts.
    pub(super) fn map(
        &mut self,
        key: &'static str,
        r: &mut Reading<'_>,
    ) -> Option<BTreeMap<String, Placed>> {
        let table = self.table(key, r)?;
        let mut map = BTreeMap::new();
        for (name, value) in table {
            let text = match value.get_ref() {
                DeValue::String(text) => text.to_string(),
                DeValue::Integer(number) => number.as_str().to_owned(),
                DeValue::Boolean(flag) => flag.to_string(),
                DeValue::Float(_)
                | DeValue::Datetime(_)
                | DeValue::Array(_)
                | DeValue::Table(_) => {
                    let found = value.get_ref();
                    let _: Option<()> = mistyped(r, value, name.get_ref(), "a text", found);
                    continue;
                }
            };
            map.insert(name.get_ref().to_string(), Placed { text, span: value.span() });
        }
        Some(map)
    }

    /// Returns a table.
    pub(super) fn table(
        &mut self,
        key: &'static str,
        r: &mut Reading<'_>,
    ) -> Option<&'t DeTable<'i>> {
        let value = self.value(key)?;
        let DeValue::Table(table) = value.get_ref() else {
            return mistyped(r, value, key, "a table", value.get_ref());
        };
        Some(table)
    }

    /// Returns one of several words.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
        r: &mut Reading<'_>,
    ) -> Option<T> {
        let span = self.value(key)?.span();
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        debug_assert_eq!(self.shape(key).and_then(Shape::words), Some(&*names), "`{key}`");
        let text = self.text(key, r)?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*meaning);
        }
        let help = suggestion(&text, &names).map_or_else(
            || format!("there is {}", listed(&names)),
            |name| format!("did you mean `{name}`?"),
        );
        r.wrong(span, "unknown-word", format!("`{key}` cannot be `{text}`"), &help);
        None
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(self, later: &[&str], r: &mut Reading<'_>) {
        for (name, _) in self.table {
            let key = name.get_ref().as_ref();
            if self.asked.contains(&key) {
                continue;
            }
            if later.contains(&key) {
                let message = format!("`{key}` is not supported by this version");
                r.wrong(name.span(), "not-supported", message, "remove it for now");
                continue;
            }
            let help = suggestion(key, &self.asked).map_or_else(
                || format!("{} has {}", self.what, listed(&self.asked)),
                |name| format!("did you mean `{name}`?"),
            );
            r.wrong(
                name.span(),
                "unknown-key",
                format!("unknown key `{key}` in {}", self.what),
                &help,
            );
        }
    }
}

/// Reads a duration of a service: a longer one than a year is a slip of the keyboard.
pub(super) fn bounded_duration(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text)?;
    if duration > LONGEST {
        return Err(format!("`{text}` is more than 366 days"));
    }
    Ok(duration)
}

/// A text and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

/// Notes that a value has the wrong type; returns nothing, for use as a last expression.
pub(super) fn mistyped<T>(
    r: &mut Reading<'_>,
    value: &Value<'_>,
    key: &str,
    expected: &str,
    found: &DeValue<'_>,
) -> Option<T> {
    let found = type_name(found);
    r.wrong(value.span(), "wrong-type", format!("`{key}` must be {expected}, not {found}"), "");
    None
}

fn type_name(value: &DeValue<'_>) -> Cow<'static, str> {
    Cow::Borrowed(match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    })
}

pub(super) fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// Returns the name that is nearest to what was typed, if it is near at all.
pub fn suggestion<'n>(typed: &str, names: &[&'n str]) -> Option<&'n str> {
    let near = names.iter().map(|name| (edits(typed, name), *name));
    near.filter(|(count, _)| *count <= EDITS_MAX).min().map(|(_, name)| name)
}

/// Counts the edits between two words: a letter more, less, another one, or two that have changed
/// places (optimal string alignment, two rows at a time).
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (mut before, mut row): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=b.len()).collect());
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at =
                |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX / 2);
            let plain = at(&row, j) + usize::from(x != y);
            let least = plain.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let changed_places =
                i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            next.push(if changed_places { least.min(at(&before, j - 1) + 1) } else { least });
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod edits_between {
    use super::*;

    #[test]
    fn letters_that_have_changed_places_are_one_slip() {
        let check = |a: &str, b: &str, count: usize| assert_eq!(edits(a, b), count, "{a} {b}");
        check("", "", 0);
        check("", "abc", 3);
        check("abc", "", 3);
        check("wbe", "web", 1);
        check("wbe", "db", 2);
        check("timout", "timeout", 1);
        check("comand", "command", 1);
        check("kitten", "sitting", 3);
        assert_eq!(suggestion("wbe", &["db", "web"]), Some("web"));
    }
}
