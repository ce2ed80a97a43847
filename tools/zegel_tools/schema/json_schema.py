"""JSON Schema (2020-12) of all messages and closed objects: `protocol/schema/messages.schema.gen.json`.

It describes the values, which travel as MessagePack: bytes are byte strings there and base64 text only here. Each
place of an array carries its field's name as `title`.
"""

from __future__ import annotations

import json
from typing import Any, Final, cast

import msgspec

from zegel_tools.schema.objects import list_objects

PATH: Final = "protocol/schema/messages.schema.gen.json"


def schema_text() -> str:
    """The whole file."""
    objects = list_objects()
    _, components = msgspec.json.schema_components(tuple(objects.values()), ref_template="#/$defs/{name}")
    definitions: dict[str, Any] = {}
    for name, schema in sorted(components.items()):
        definitions[name] = _with_names(schema, objects[name]) if name in objects else schema
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Zegel: messages and closed objects",
        "$defs": definitions,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _with_names(schema: dict[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Names the places of an array; the first of a tagged object is its tag."""
    places = cast("list[dict[str, Any]]", schema.get("prefixItems", []))
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    if len(places) == len(names) + 1:
        names.insert(0, "tag")
    if len(places) != len(names):
        raise RuntimeError(f"{kind.__name__}: the schema has other places than the object has fields")
    return {**schema, "prefixItems": [{"title": name, **place} for name, place in zip(names, places, strict=True)]}
