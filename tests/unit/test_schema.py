"""The generated schema says what the decoders do."""

from __future__ import annotations

import json

from zegel_protocol import messages
from zegel_tools.schema.json_schema import schema_text
from zegel_tools.schema.objects import list_objects


def test_each_object_is_there_with_the_names_of_its_fields() -> None:
    definitions = json.loads(schema_text())["$defs"]
    assert list_objects().keys() <= definitions.keys()
    submit = definitions["Submit"]
    assert [place["title"] for place in submit["prefixItems"]] == ["tag", "envelope"]
    assert submit["minItems"] == submit["maxItems"] == 2
    header = definitions["Header"]
    assert [place["title"] for place in header["prefixItems"]][:4] == ["version", "suite", "type", "id"]


def test_each_request_and_answer_is_in_a_frame() -> None:
    definitions = json.loads(schema_text())["$defs"]
    frame = definitions["RequestFrame"]["prefixItems"][1]["anyOf"]
    assert {"$ref": "#/$defs/Submit"} in frame
    assert len(frame) == len(messages.Request.__args__)
