#!/usr/bin/env python3
"""Cut a published GraphQL schema down to the types, fields and arguments that a document of operations uses.

    reduce_graphql.py SCHEMA OPERATIONS OUTPUT --source 'package … licence …'

Needs graphql-core. Operations that do not fit the whole schema are an error. Enumerations and inputs that are used stay whole; of other
types only the fields asked for stay, with all their arguments.
"""
import argparse
import pathlib

import graphql
from graphql.language import ast


def used_fields(schema, document):
    """The names of fields asked for, by type, and the types of variables and arguments."""
    info, fields, inputs = graphql.TypeInfo(schema), {}, set()

    class Seen(graphql.Visitor):
        def enter_field(self, node, *_):
            parent = info.get_parent_type()
            if not node.name.value.startswith("__"):
                fields.setdefault(parent.name, set()).add(node.name.value)
                for argument in info.get_field_def().args.values():
                    inputs.add(graphql.get_named_type(argument.type).name)
            named = graphql.get_named_type(info.get_type())
            if graphql.is_leaf_type(named):
                inputs.add(named.name)

    graphql.visit(document, graphql.TypeInfoVisitor(info, Seen()))
    return fields, inputs


def with_inner(schema, names):
    """The inputs by these names and those inside them, without GraphQL's own scalars."""
    kept, queue = {}, sorted(names)
    while queue:
        name = queue.pop()
        kind = schema.type_map[name]
        if name in kept or graphql.is_specified_scalar_type(kind):
            continue
        kept[name] = kind
        if graphql.is_input_object_type(kind):
            queue.extend(graphql.get_named_type(field.type).name for field in kind.fields.values())
    return kept


def reduced(node, fields):
    """A definition without prose and directives, with these fields only, or all where `fields` is `None`."""
    class Bare(graphql.Visitor):
        def enter(self, inner, *_):
            if getattr(inner, "description", None):
                inner.description = None
            if getattr(inner, "directives", None):
                inner.directives = ()
            if isinstance(inner, ast.ObjectTypeDefinitionNode):
                inner.interfaces = ()

    graphql.visit(node, Bare())
    if fields is not None:
        node.fields = tuple(field for field in node.fields if field.name.value in fields)
    return graphql.print_ast(node)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("schema", "operations", "output"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--source", required=True)
    arguments = parser.parse_args()
    # The published file names two fields twice, which nothing here uses.
    schema = graphql.build_schema(arguments.schema.read_text(encoding="utf-8"), assume_valid_sdl=True)
    document = graphql.parse(arguments.operations.read_text(encoding="utf-8"))
    errors = graphql.validate(schema, document)
    if errors:
        parser.exit(1, "\n".join(map(str, errors)) + "\n")
    fields, inputs = used_fields(schema, document)
    parts = [reduced(schema.type_map[name].ast_node, fields[name]) for name in sorted(fields)]
    parts += [reduced(kind.ast_node, None) for _, kind in sorted(with_inner(schema, inputs).items())]
    head = f"# Cut by reduce_graphql.py from {arguments.source}: only what src/forge/github/queries.graphql uses.\n\n"
    arguments.output.write_text(head + "\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
