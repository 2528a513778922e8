"""Holds a server's openapi.json against what OpenAPI wants, and its answers against openapi.json.

    openapi.py URL [NAME=VALUE...]      NAME is PATH?ARGUMENT, as /api/v1/uses?space=test-space

Every path is asked for, with the arguments given for it, and each answer of JSON must have all that
its schema has and nothing else. Prints what is wrong, a line each, and how many paths were asked.
"""
import copy
import json
import re
import sys
import urllib.parse
import urllib.request

import jsonschema

# What a document of OpenAPI 3.1 has (its own schema is at spec.openapis.org), as far as ours goes.
SHAPE = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["openapi", "info", "paths", "components"],
    "properties": {
        "openapi": {"const": "3.1.0"},
        "info": {"type": "object", "required": ["title", "version"]},
        "servers": {"type": "array", "items": {"type": "object", "required": ["url"]}},
        "security": {"type": "array", "items": {"type": "object"}},
        "paths": {"type": "object", "patternProperties": {"^/": {"$ref": "#/$defs/path"}}, "additionalProperties": False},
        "components": {
            "type": "object",
            "properties": {
                "schemas": {"type": "object", "propertyNames": {"pattern": "^[a-zA-Z0-9._-]+$"}},
                "responses": {"type": "object", "additionalProperties": {"$ref": "#/$defs/response"}},
                "securitySchemes": {"type": "object", "additionalProperties": {"required": ["type", "scheme"]}},
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
    "$defs": {
        "path": {"type": "object", "required": ["get"], "properties": {"get": {"$ref": "#/$defs/operation"}}, "additionalProperties": False},
        "operation": {
            "type": "object",
            "required": ["operationId", "summary", "parameters", "responses"],
            "properties": {
                "operationId": {"type": "string", "pattern": "^[a-z_]+$"},
                "summary": {"type": "string"},
                "security": {"type": "array"},
                "parameters": {"type": "array", "items": {"$ref": "#/$defs/parameter"}},
                "responses": {"type": "object", "required": ["200"], "additionalProperties": {"anyOf": [{"$ref": "#/$defs/response"}, {"required": ["$ref"]}]}},
            },
            "additionalProperties": False,
        },
        "parameter": {
            "type": "object",
            "required": ["name", "in", "required", "schema"],
            "properties": {"name": {"type": "string"}, "in": {"enum": ["query", "path"]}, "required": {"type": "boolean"},
                           "description": {"type": "string"}, "schema": {"type": "object"}},
            "if": {"properties": {"in": {"const": "path"}}},
            "then": {"properties": {"required": {"const": True}}},
            "additionalProperties": False,
        },
        "response": {"type": "object", "required": ["description", "content"],
                     "properties": {"description": {"type": "string"}, "content": {"type": "object", "propertyNames": {"pattern": "/"}}},
                     "additionalProperties": False},
    },
}

TIMES = jsonschema.FormatChecker()


@TIMES.checks("date-time")
def is_time(value):
    return not isinstance(value, str) or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", value) is not None


def errors_of(schema, value, what):
    validator = jsonschema.Draft202012Validator(schema, format_checker=TIMES)
    for error in validator.iter_errors(value):
        yield f"{what}: {error.json_path}: {error.message[:200]}"


def closed(document):
    """The document, whose schemas let no other keys be than those they have."""
    document = copy.deepcopy(document)
    for schema in document["components"]["schemas"].values():
        schema["additionalProperties"] = False
    return document


def check_document(document):
    yield from errors_of(SHAPE, document, "openapi.json")
    for name, schema in document["components"]["schemas"].items():
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            yield f"schema {name}: {error.message}"
    for path, item in document["paths"].items():
        named = re.findall(r"{(\w+)}", path)
        declared = [each["name"] for each in item["get"]["parameters"] if each["in"] == "path"]
        if named != declared:
            yield f"{path}: has {named}, and declares {declared}"


def read(url, accept="*/*"):
    request = urllib.request.Request(url, headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.headers["Content-Type"], response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read()


def check_path(base, document, path, given):
    """Asks for a path, and validates what comes."""
    operation = document["paths"][path]["get"]
    values = {each["name"]: given.get(f"{path}?{each['name']}") for each in operation["parameters"]}
    asked = path
    for name in re.findall(r"{(\w+)}", path):
        asked = asked.replace("{%s}" % name, urllib.parse.quote(values.pop(name) or "", safe=""))
    query = urllib.parse.urlencode({name: value for name, value in values.items() if value is not None})
    status, kind, body = read(base + asked + ("?" + query if query else ""))
    content = operation["responses"]["200"]["content"]
    if status != 200:
        yield f"{path}: {status} {body[:200]}"
    elif kind not in content and "*/*" not in content:
        yield f"{path}: Content-Type {kind} is none of {list(content)}"
    elif kind.startswith("application/json"):
        schema = dict(content[kind]["schema"], components=document["components"])
        yield from errors_of(schema, json.loads(body), path)


def check_refusal(base, document):
    """A refusal is an Error, and every argument that is not declared is refused."""
    error = {"$ref": "#/components/schemas/Error", "components": document["components"]}
    for path, item in document["paths"].items():
        if not path.startswith("/api/") or "{" in path:
            continue
        status, kind, body = read(f"{base}{path}?no_such_argument=1")
        if status != 400 or not kind.startswith("application/json"):
            yield f"{path}: an unknown argument gets {status} {kind}"
        else:
            yield from errors_of(error, json.loads(body), path)


def main():
    base, given = sys.argv[1], dict(pair.split("=", 1) for pair in sys.argv[2:])
    document = json.loads(read(base + "/api/v1/openapi.json")[2])
    problems = list(check_document(document))
    document = closed(document)
    for path in document["paths"]:
        problems += check_path(base, document, path, given)
    problems += check_refusal(base, document)
    print("\n".join(problems + [f"{len(document['paths'])} paths"]))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
