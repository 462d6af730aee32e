"""The JSON side: is the OpenAPI document one, are the schemas schemas, and do they fit the values of the vectors?"""

import json

from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

# Schema, vectors' file, and where in a vector's inputs its values are.
VALUES = [
    ("alarm-kind", "alarm", ("body", "kind")),
    ("fix", "alarm", ("body", "fix")),
    ("fix", "update", ("body", "fix")),
    ("provenance", "alarm", ("body", "provenance")),
    ("timestamp", "alarm", ("body", "made_at")),
    ("alarm-id", "alarm", ("alarm",)),
    ("card", "card", ("body",)),
    ("receipt-state", "receipt", ("state",)),
    ("receipt-detail", "receipt", ("detail",)),
    ("invite-role", "invite", ("role",)),
    ("org-id", "directory", ("org",)),
]


def check(folder, vectors):
    """Number of schemas and of values that fitted."""
    validate(json.loads((folder / "openapi.json").read_text()))
    schemas = {path.name.removesuffix(".schema.json"): json.loads(path.read_text()) for path in folder.glob("*.schema.json")}
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    fitted = 0
    for name, file, way in VALUES:
        validator = Draft202012Validator(schemas[name])
        assert not validator.is_valid("no such value") and not validator.is_valid([0.5]), f"{name} takes anything"
        for vector in json.loads((vectors / f"{file}.json").read_text()):
            value = vector["inputs"]
            for step in way:
                value = value[step]
            if value is not None:
                validator.validate(value)
                fitted += 1
    return len(schemas), fitted
