"""Says of each document, as TOML, whether the schema takes it: with jsonschema and Python's own TOML."""

import json
import sys
import tomllib

import jsonschema

asked = json.load(sys.stdin)
jsonschema.Draft202012Validator.check_schema(asked["schema"])
validator = jsonschema.Draft202012Validator(asked["schema"])


def why(text):
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return f"no TOML: {error}"
    return next((error.message[:300] for error in validator.iter_errors(document)), None)


json.dump([why(text) for text in asked["documents"]], sys.stdout)
