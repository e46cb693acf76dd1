//! JSON Schema (2020-12) of the configuration file, made of the catalogue.
//!
//! It never refuses what the parser takes; of what the parser refuses it refuses what a schema can
//! say: unknown keys, types, words, bounds of numbers, forms of texts, what must be there and what
//! excludes each other.

use serde_json::{Map, Value, json};

use super::{Effect, Form, Key, Part, ROOT, Shape, Usual, parts};
use crate::config::duration::{duration_pattern, size_pattern};

/// The schema of a kind's own configuration, which its crate makes.
#[derive(Debug, Clone)]
pub struct Extension {
    /// The name of the kind.
    pub kind: &'static str,
    /// The table of a service that stands for the kind and its configuration, if it has one.
    pub table: Option<&'static str>,
    /// What `config` must be.
    pub schema: Value,
}

/// Returns the schema of `mainstay.toml`, in English.
pub fn schema(extensions: &[Extension]) -> Value {
    let mut definitions: Map<String, Value> =
        parts().into_iter().skip(1).map(|part| (name_of(part), object(part))).collect();
    for extension in extensions {
        definitions.insert(format!("kind-{}", extension.kind), extension.schema.clone());
        extend(&mut definitions, extension);
    }
    let mut root = object(&ROOT);
    add(&mut root, "$schema", json!("https://json-schema.org/draft/2020-12/schema"));
    add(&mut root, "title", json!("mainstay.toml"));
    add(&mut root, "$defs", Value::Object(definitions));
    root
}

/// Says where the configuration of a kind stands.
fn extend(definitions: &mut Map<String, Value>, extension: &Extension) {
    let Some(service) = definitions.get_mut(super::SERVICE.path) else { return };
    let reference = json!(format!("#/$defs/kind-{}", extension.kind));
    if let Some(table) = extension.table.and_then(|name| service["properties"].get_mut(name)) {
        add(table, "$ref", reference.clone());
    }
    let is_it =
        json!({ "properties": { "kind": { "const": extension.kind } }, "required": ["kind"] });
    let then = json!({ "properties": { "config": { "$ref": reference } } });
    let rule = json!({ "if": is_it, "then": then });
    match service.get_mut("allOf") {
        Some(Value::Array(rules)) => rules.push(rule),
        Some(_) | None => add(service, "allOf", json!([rule])),
    }
}

fn name_of(part: &Part) -> String {
    part.path.to_owned()
}

fn add(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(object) = object {
        object.insert(key.to_owned(), value);
    }
}

fn object(part: &'static Part) -> Value {
    let properties: Map<String, Value> =
        part.keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let mut object = json!({
        "type": "object",
        "description": part.about.en,
        "properties": properties,
        "additionalProperties": false,
    });
    if !part.needs.is_empty() {
        add(&mut object, "required", json!(part.needs));
    }
    if !part.one_of.is_empty() {
        let each = |name: &&str| json!({ "required": [name] });
        add(&mut object, "oneOf", part.one_of.iter().map(each).collect());
    }
    object
}

fn property(key: &'static Key) -> Value {
    let mut property = of_shape(&key.shape);
    add(&mut property, "description", json!(told(key)));
    if let Usual::Value(text) = key.usual {
        add(&mut property, "default", value_of(text));
    }
    add(&mut property, "examples", json!([value_of(key.example)]));
    property
}

/// Returns what an editor shows of a key.
fn told(key: &Key) -> String {
    let usual = match key.usual {
        Usual::Depends(words) => format!("\n\nDefault: {}.", words.en),
        Usual::Value(_) | Usual::Nothing => String::new(),
    };
    let effect = match key.effect {
        Effect::Live => "\n\nA change takes effect at once.",
        Effect::NextRun => "\n\nA change takes effect with the next run.",
        Effect::Restart => "\n\nA change restarts what runs.",
        Effect::OfKeys => "",
    };
    format!("{}{usual}{effect}", key.about.en)
}

fn of_shape(shape: &'static Shape) -> Value {
    match shape {
        Shape::Text(Form::Like(pattern)) => json!({ "type": "string", "pattern": pattern }),
        Shape::Text(Form::Path) => json!({ "type": "string", "minLength": 1 }),
        Shape::Text(Form::Plain | Form::Regex | Form::Line) => json!({ "type": "string" }),
        Shape::Scalar => json!({ "type": ["string", "integer", "boolean"] }),
        Shape::Duration(..) => json!({ "type": "string", "pattern": duration_pattern() }),
        Shape::Size => json!({ "type": "string", "pattern": size_pattern() }),
        Shape::Integer(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::True => json!({ "const": true }),
        Shape::Words(words) => json!({ "type": "string", "enum": words }),
        Shape::List(inner) => json!({ "type": "array", "items": of_shape(inner) }),
        Shape::Map(inner) => json!({ "type": "object", "additionalProperties": of_shape(inner) }),
        Shape::Table(part) => json!({ "$ref": reference(part) }),
        Shape::Named(part) => json!({
            "type": "object",
            "propertyNames": { "pattern": super::checks::NAME },
            "additionalProperties": { "$ref": reference(part) },
        }),
        Shape::Either(all) => json!({ "anyOf": all.iter().map(of_shape).collect::<Vec<_>>() }),
        Shape::Open => json!({ "type": "object" }),
    }
}

fn reference(part: &Part) -> String {
    format!("#/$defs/{}", name_of(part))
}

/// Returns a value of the catalogue, which is TOML, as JSON.
fn value_of(text: &str) -> Value {
    let value: Option<toml::Value> = text.parse().ok();
    value.and_then(|value| serde_json::to_value(value).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_and_default_of_the_catalogue_becomes_json() {
        for key in parts().into_iter().flat_map(|part| part.keys) {
            assert!(!value_of(key.example).is_null(), "{}", key.name);
            if let Usual::Value(text) = key.usual {
                assert!(!value_of(text).is_null(), "{}", key.name);
            }
        }
    }

    #[test]
    fn every_part_is_closed_and_every_reference_leads_to_one() {
        let schema = schema(&[]);
        let text = schema.to_string();
        for part in parts().into_iter().skip(1) {
            let definition = &schema["$defs"][part.path];
            assert_eq!(definition["additionalProperties"], json!(false), "{}", part.path);
            assert!(text.contains(&reference(part)), "{}", part.path);
        }
    }

    #[test]
    fn a_kind_brings_the_schema_of_its_configuration() {
        let extension =
            Extension { kind: "ddns", table: Some("ddns"), schema: json!({ "type": "object" }) };
        let schema = schema(&[extension]);
        let service = &schema["$defs"]["services.NAME"];
        assert_eq!(service["properties"]["ddns"]["$ref"], json!("#/$defs/kind-ddns"));
        assert_eq!(
            service["allOf"][0]["then"]["properties"]["config"]["$ref"],
            json!("#/$defs/kind-ddns")
        );
        assert_eq!(schema["$defs"]["kind-ddns"], json!({ "type": "object" }));
    }
}
