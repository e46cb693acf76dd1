//! YAML as far as configurations of other clients use it: mappings, lists and plain values.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

use super::ImportError;

/// Deeper than this is nobody's configuration.
const DEPTH_MAX: usize = 32;

/// Reads the first document; anchors, aliases and tags are refused.
pub(super) fn read(text: &str) -> Result<Value, ImportError> {
    let mut reader = Reader { parser: Parser::new_from_str(text) };
    loop {
        match reader.next()? {
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
            Event::StreamEnd | Event::DocumentEnd => return Ok(Value::Null),
            event @ (Event::Scalar(..)
            | Event::SequenceStart(..)
            | Event::MappingStart(..)
            | Event::Alias(_)
            | Event::SequenceEnd
            | Event::MappingEnd) => return reader.value(event, DEPTH_MAX),
        }
    }
}

struct Reader<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Event<'t>, ImportError> {
        match self.parser.next_event() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(error)) => Err(refused(error.to_string())),
            None => Err(refused("it ends too early")),
        }
    }

    fn value(&mut self, event: Event<'t>, depth: usize) -> Result<Value, ImportError> {
        let depth = depth.checked_sub(1).ok_or_else(|| refused("it is too deep"))?;
        match event {
            Event::Scalar(text, style, _, None) => Ok(scalar(&text, style)),
            Event::SequenceStart(_, None) => self.list(depth),
            Event::MappingStart(_, None) => self.table(depth),
            Event::Alias(_) => Err(refused("it has aliases")),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::Scalar(..)
            | Event::SequenceStart(..)
            | Event::SequenceEnd
            | Event::MappingStart(..)
            | Event::MappingEnd => Err(refused("it has tags, or no value where one must be")),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, ImportError> {
        let mut items = Vec::new();
        loop {
            let event = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::Array(items));
            }
            items.push(self.value(event, depth)?);
        }
    }

    fn table(&mut self, depth: usize) -> Result<Value, ImportError> {
        let mut table = Map::new();
        loop {
            let key = self.next()?;
            if key == Event::MappingEnd {
                return Ok(Value::Object(table));
            }
            let Event::Scalar(key, ..) = key else { return Err(refused("a key is no text")) };
            let event = self.next()?;
            table.insert(key.into_owned(), self.value(event, depth)?);
        }
    }
}

/// Plain words of YAML 1.2's core schema; everything else is text.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::from(text);
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
    }
}

fn refused(why: impl Into<String>) -> ImportError {
    ImportError::Unreadable { what: "YAML", why: why.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_yaml_is_read() {
        let text = "a:\n  - x: 1\n    y: \"2\"\n  - [true, ~]\nb: |\n  text\nc: {d: e:f}\n";
        let expected = json!({ "a": [{ "x": 1, "y": "2" }, [true, null]], "b": "text\n", "c": { "d": "e:f" } });
        assert_eq!(read(text), Ok(expected));
        assert_eq!(read(""), Ok(Value::Null));
    }

    #[test]
    fn what_is_not_plain_is_refused() {
        for text in ["a: &x 1\nb: *x\n", "a: !tag 1\n", "a: [1", "[1]: 2\n"] {
            assert!(read(text).is_err(), "{text:?}");
        }
        let told = read(&"[".repeat(1000)).unwrap_err().to_string();
        assert!(told.starts_with("cannot read it as YAML"), "{told}");
    }
}
