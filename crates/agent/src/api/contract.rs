//! The contract: an `OpenAPI` document that is made of the routes themselves.

use mainstay_api::control::Problem;
use utoipa::{OpenApi as _, openapi::OpenApi};

/// What is told to whoever asks; a test compares it with the routes.
pub(super) const TEXT: &str = include_str!("../../../../docs/reference/openapi.json");

/// What is true of all operations.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Mainstay control API",
        description = "HTTP/1.1 and JSON over a Unix socket or a named pipe. Who asks is known by \
                       the system; `x-role` is the role that an operation needs. Every refusal is \
                       a `Problem`. See docs/reference/api.md.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    components(schemas(Problem)),
    tags(
        (name = "state", description = "How everything is."),
        (name = "events", description = "What happens."),
        (name = "services", description = "Commands to units, and changes of the configuration."),
        (name = "files", description = "The configuration files."),
        (name = "secrets", description = "Names go out, values only come in."),
        (name = "instance", description = "The instance itself.")
    )
)]
struct Base;

/// Returns what is true of all operations.
pub(super) fn base() -> OpenApi {
    Base::openapi()
}

#[cfg(test)]
mod tests {
    use std::{env, fmt::Write as _, fs, io::Write as _, path::Path};

    use crate::api::{operation, routes};

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/openapi.json");
    const CHAPTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/access.md");
    /// What stands around the table in the chapter.
    const MARKS: [&str; 2] = ["<!-- operations -->\n", "<!-- end of operations -->"];

    #[test]
    fn the_document_says_what_the_routes_are() {
        let document = serde_json::to_value(routes().split_for_parts().1).unwrap();
        compare(FILE.as_ref(), &(serde_json::to_string_pretty(&document).unwrap() + "\n"));
    }

    #[test]
    fn the_chapter_says_which_role_each_operation_needs() {
        let chapter = fs::read_to_string(CHAPTER).unwrap();
        let (before, rest) = chapter.split_once(MARKS[0]).unwrap();
        let (_, after) = rest.split_once(MARKS[1]).unwrap();
        let document = serde_json::to_value(routes().split_for_parts().1).unwrap();
        let mut table =
            "| operation | viewer | operator | admin | |\n|---|---|---|---|---|\n".to_owned();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let role = operation[operation::ROLE].as_str().unwrap();
                let may = match role {
                    "viewer" => "yes | yes | yes",
                    "operator" => "– | yes | yes",
                    _ => "– | – | yes",
                };
                let summary = operation["summary"].as_str().unwrap();
                let method = method.to_uppercase();
                writeln!(table, "| `{method} {path}` | {may} | {summary} |").unwrap();
            }
        }
        compare(CHAPTER.as_ref(), &[before, MARKS[0], &table, MARKS[1], after].concat());
    }

    #[test]
    fn every_operation_is_described_with_examples_and_refusals() {
        let document = serde_json::to_value(routes().split_for_parts().1).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let name = format!("{method} {path}");
                assert!(operation["summary"].is_string(), "{name} has no summary");
                let responses = operation["responses"].as_object().unwrap();
                for status in ["400", "403", "429", "503"] {
                    assert!(responses.contains_key(status), "{name} {status}");
                }
                for (status, response) in responses {
                    assert_ne!(response["description"], "", "{name} {status}");
                }
                let answers = responses["200"]["content"].as_object().unwrap();
                let is_shown = |content: &serde_json::Value| content.get("example").is_some();
                let is_contract = path == "/v1/openapi.json";
                assert!(is_contract || answers.values().all(is_shown), "{name} shows no answer");
            }
        }
    }

    /// Compares a document with what it should be; writes that where we are told to.
    fn compare(file: &Path, expected: &str) {
        if env::var_os("MAINSTAY_BLESS").is_some() {
            fs::File::create(file).unwrap().write_all(expected.as_bytes()).unwrap();
        }
        let found = fs::read_to_string(file).unwrap_or_default();
        let remedy = "run this test again with MAINSTAY_BLESS=1, and commit what it writes";
        assert!(found == expected, "`{}` is not what the routes say: {remedy}", file.display());
    }
}
