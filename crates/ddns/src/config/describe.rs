//! What the kind says of itself: `mainstay kind ddns --describe`, with a JSON Schema of the
//! configuration that is made of the same tables that it is read by.

use serde_json::{Map, Value, json};

use crate::{
    facts,
    provider::{Entry, Nature, Need, Parameter},
    providers,
};

use super::{
    accounts::MIN_INTERVAL,
    names::NAME_KEYS,
    network::NETWORK_KEYS,
    read::{ALLOW, EVERY, RESOLVERS, SETTLE},
    sources::KINDS,
};

/// Returns the object that `docs/spec/kind.md` asks for.
pub fn describe() -> Value {
    json!({
        "name": "ddns",
        "version": env!("CARGO_PKG_VERSION"),
        "protocol": 1,
        "summary": "keeps names in the DNS on a moving address",
        "config-schema": schema(),
        "facts": facts::described(),
    })
}

fn schema() -> Value {
    let allowed = json!({ "enum": ALLOW.iter().map(|(word, _)| *word).collect::<Vec<_>>() });
    let accounts: Vec<Value> = providers::ALL.iter().map(|entry| account(entry)).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "required": ["accounts"],
        "properties": {
            "every": duration("how often sources are asked when nothing has happened", EVERY.as_secs()),
            "settle": duration("how long the network must have been quiet after a change", SETTLE.as_secs()),
            "resolvers": {
                "description": "DNS servers that are asked when the system's own do not answer",
                "type": "array", "items": { "type": "string" }, "default": RESOLVERS,
            },
            "allow": {
                "description": "what may be published although it reaches nobody from outside",
                "anyOf": one_or_more(&allowed)["anyOf"],
            },
            "sources": { "$ref": "#/$defs/sources" },
            "accounts": {
                "description": "the accounts, each with the names that it keeps",
                "type": "object", "minProperties": 1,
                "additionalProperties": { "oneOf": accounts },
            },
        },
        "$defs": { "sources": sources(), "source": { "oneOf": KINDS.iter().map(source).collect::<Vec<_>>() } },
    })
}

fn duration(what: &str, seconds: u64) -> Value {
    json!({ "description": what, "type": "string", "default": format!("{seconds}s") })
}

fn sources() -> Value {
    let list = json!({ "type": "array", "items": { "$ref": "#/$defs/source" } });
    json!({
        "description": "where addresses come from, each tried when those before it are not believed",
        "type": "object", "additionalProperties": false,
        "properties": { "ipv4": list, "ipv6": list },
    })
}

fn source(kind: &super::SourceKind) -> Value {
    let mut properties = Map::new();
    properties.insert(kind.name.to_owned(), json!({ "description": kind.help }));
    properties.insert("agree".to_owned(), json!({ "type": "integer", "minimum": 1 }));
    properties.extend(kind.options.iter().map(|option| ((*option).to_owned(), json!({}))));
    json!({
        "type": "object", "additionalProperties": false,
        "required": [kind.name], "properties": properties,
    })
}

fn account(entry: &Entry) -> Value {
    let names: Vec<&str> = [entry.name].into_iter().chain(entry.aliases.iter().copied()).collect();
    let mut properties = Map::new();
    properties.insert("provider".to_owned(), json!({ "enum": names }));
    properties.insert("names".to_owned(), one_or_more(&name(entry)));
    properties.insert("sources".to_owned(), json!({ "$ref": "#/$defs/sources" }));
    let floor = entry.floors.write.as_secs();
    let between = duration("how long it is at least between two writes of one record", floor);
    properties.insert(MIN_INTERVAL.to_owned(), between);
    let network = NETWORK_KEYS
        .iter()
        .map(|(key, what)| ((*key).to_owned(), json!({ "description": what, "type": "string" })));
    properties.extend(network);
    properties.extend(entry.parameters.iter().map(parameter));
    let required = required(entry.parameters);
    let required: Vec<&str> = ["provider", "names"].into_iter().chain(required).collect();
    json!({
        "title": entry.title, "type": "object", "additionalProperties": false,
        "required": required, "properties": properties,
    })
}

fn name(entry: &Entry) -> Value {
    let mut properties: Map<String, Value> = NAME_KEYS
        .iter()
        .map(|(key, what)| ((*key).to_owned(), json!({ "description": what })))
        .collect();
    properties.insert("sources".to_owned(), json!({ "$ref": "#/$defs/sources" }));
    properties.extend(entry.extras.iter().map(parameter));
    let required: Vec<&str> = ["name"].into_iter().chain(required(entry.extras)).collect();
    let table = json!({
        "type": "object", "additionalProperties": false,
        "required": required, "properties": properties,
    });
    json!({ "oneOf": [{ "type": "string" }, table] })
}

fn one_or_more(item: &Value) -> Value {
    json!({ "anyOf": [item, { "type": "array", "minItems": 1, "items": item }] })
}

fn parameter(one: &Parameter) -> (String, Value) {
    let schema = match one.nature {
        Nature::Plain => json!({ "description": one.help }),
        Nature::Secret => json!({ "description": one.help, "type": "string", "writeOnly": true }),
        Nature::SecretTable => json!({
            "description": one.help, "type": "object", "writeOnly": true,
            "additionalProperties": { "type": "string" },
        }),
    };
    (one.key.to_owned(), schema)
}

fn required(parameters: &[Parameter]) -> impl Iterator<Item = &'static str> {
    parameters.iter().filter(|one| one.need == Need::Required).map(|one| one.key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_what_a_kind_owes() {
        let told = describe();
        assert_eq!((&told["name"], &told["protocol"]), (&json!("ddns"), &json!(1)));
        let schema = &told["config-schema"];
        assert_eq!(schema["additionalProperties"], json!(false));
        let accounts = &schema["properties"]["accounts"]["additionalProperties"]["oneOf"];
        assert_eq!(accounts.as_array().unwrap().len(), providers::ALL.len());
        assert_eq!(told["facts"]["writes"]["type"], json!("counter"));
    }

    #[test]
    fn every_parameter_of_every_provider_is_in_the_schema() {
        for entry in providers::ALL {
            let schema = account(entry);
            for one in entry.parameters {
                let property = &schema["properties"][one.key];
                assert_eq!(property["description"], json!(one.help), "{}", entry.name);
                assert_eq!(property["writeOnly"] == json!(true), one.nature != Nature::Plain);
            }
        }
    }
}
