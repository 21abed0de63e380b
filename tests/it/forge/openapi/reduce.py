#!/usr/bin/env python3
"""Cut a published OpenAPI description down to the operations named in a list.

What stays, unchanged: parameters, request bodies, and every component these refer to. What goes: responses,
prose (descriptions, summaries, examples, titles), vendor extensions, tags. Swagger 2.0 input is written as
OpenAPI 3.0, so that one reader serves every document.

    reduce.py INPUT OPERATIONS OUTPUT --source 'repository=… file=… commit=… licence=…'

INPUT       JSON, YAML, or a Go template of JSON (`{{…}}` inside strings is left alone)
OPERATIONS  one `METHOD /path` a line, the path exactly as in INPUT; `#` starts a comment
"""
import argparse
import json
import pathlib
import re
import sys

PROSE = {"description", "summary", "example", "examples", "title", "externalDocs", "tags"}
NAMED = {"properties", "patternProperties", "schemas", "parameters", "requestBodies", "definitions"}


def load(path):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    if path.endswith((".yaml", ".yml")):
        import yaml

        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return json.loads(text)


def operations(path):
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        line = line.split("#")[0].strip()
        if line:
            method, route = line.split()
            yield method.lower(), route


def pruned(value):
    """The value without prose and extensions; the keys of a name → schema map are names, never prose."""
    if isinstance(value, list):
        return [pruned(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, inner in value.items():
        if key in NAMED and isinstance(inner, dict):
            kept[key] = {name: pruned(schema) for name, schema in inner.items()}
        elif key in ("enum", "required", "default", "const"):
            kept[key] = inner
        elif key not in PROSE and not key.startswith("x-"):
            kept[key] = pruned(inner)
    return kept


def referenced(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            else:
                yield from referenced(inner)
    elif isinstance(value, list):
        for item in value:
            yield from referenced(item)


def from_swagger_2(document):
    """OpenAPI 3.0 wording of a Swagger 2.0 document (the parts a request needs)."""
    document = json.loads(json.dumps(document).replace('"#/definitions/', '"#/components/schemas/'))
    for item in document["paths"].values():
        for operation in item.values():
            if not isinstance(operation, dict):
                continue
            consumes = operation.get("consumes") or document.get("consumes") or ["application/json"]
            kept, form = [], {}
            for parameter in operation.get("parameters", []):
                if parameter.get("in") == "body":
                    operation["requestBody"] = {
                        "required": parameter.get("required", False),
                        "content": {consumes[0]: {"schema": parameter["schema"]}},
                    }
                elif parameter.get("in") == "formData":
                    form[parameter["name"]] = {"type": parameter["type"].replace("file", "string")}
                else:
                    outer = {key: parameter[key] for key in ("name", "in", "required") if key in parameter}
                    outer["schema"] = {
                        key: inner for key, inner in parameter.items() if key not in outer and key != "description"
                    }
                    kept.append(outer)
            if form:
                operation["requestBody"] = {"content": {"multipart/form-data": {"schema": {"type": "object", "properties": form}}}}
            operation["parameters"] = kept
    document["components"] = {"schemas": document.pop("definitions", {})}
    document["servers"] = [{"url": document.get("basePath", "/")}]
    document["openapi"] = "3.0.3"
    return document


def reduced(document, wanted, source):
    if document.get("swagger") == "2.0":
        document = from_swagger_2(document)
    paths, missing = {}, []
    for method, route in wanted:
        item = document["paths"].get(route, {})
        if method not in item:
            missing.append(f"{method.upper()} {route}")
            continue
        operation = item[method]
        keep = {"operationId": operation.get("operationId")}
        shared = item.get("parameters", [])
        if shared or operation.get("parameters"):
            keep["parameters"] = [pruned(one) for one in shared + operation.get("parameters", [])]
        if operation.get("requestBody"):
            keep["requestBody"] = pruned(operation["requestBody"])
        keep["responses"] = {status: {"description": ""} for status in operation.get("responses", {})}
        paths.setdefault(route, {})[method] = keep
    if missing:
        sys.exit("not in the input: " + ", ".join(missing))
    components, queue = {}, list(referenced(paths))
    while queue:
        reference = queue.pop()
        _, _, kind, name = reference.split("/", 3)
        if name in components.setdefault(kind, {}):
            continue
        components[kind][name] = pruned(document["components"][kind][name])
        queue.extend(referenced(components[kind][name]))
    info = document["info"]
    return {
        "openapi": document["openapi"],
        "x-source": source,
        "info": {"title": info["title"], "version": info.get("version", "")},
        "servers": document.get("servers", []),
        "paths": {route: paths[route] for route in sorted(paths)},
        "components": {kind: dict(sorted(components[kind].items())) for kind in sorted(components)},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("operations")
    parser.add_argument("output")
    parser.add_argument("--source", required=True, help="key=value pairs divided by blanks: repository file commit licence")
    arguments = parser.parse_args()
    source = dict(re.findall(r"(\w+)=(\S+)", arguments.source))
    result = reduced(load(arguments.input), list(operations(arguments.operations)), source)
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    pathlib.Path(arguments.output).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
