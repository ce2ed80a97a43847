"""The page of all messages for people: `docs/api.gen.md`."""

from __future__ import annotations

import inspect
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, get_args

import msgspec

from zegel_protocol import messages
from zegel_tools.schema.objects import list_messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zegel_protocol.codec import Closed

PATH: Final = "docs/api.gen.md"
_INTRODUCTION: Final = """# Messages

Generated from `zegel_protocol/messages/`. How they are used together: [sync](../protocol/spec/sync.md); exact types
and limits: `protocol/schema/messages.schema.gen.json`. A message is a MessagePack array: its name, then the fields in
this order.
"""


def page_text() -> str:
    """The whole page."""
    parts = [_INTRODUCTION]
    shown: set[str] = set()
    for title, union in (
        ("Requests of strangers: `POST /v1/open`", messages.OpenRequest),
        ("Requests of a session: `POST /v1/call` and frames", messages.Request),
        ("Answers", messages.Answer),
        ("Events", messages.Event),
    ):
        parts.append(f"## {title}\n")
        for kind in get_args(union):
            shown.add(kind.__name__)
            parts.append(_describe(kind))
    parts.append("## Parts and frames\n")
    parts.extend(_describe(kind) for name, kind in list_messages().items() if name not in shown)
    return "\n".join(parts)


def _describe(kind: type[Closed]) -> str:
    tag = kind.__struct_config__.tag
    lines = [f"### {kind.__name__}" + (f": `{tag}`" if tag else ""), "", inspect.cleandoc(kind.__doc__ or ""), ""]
    fields = list(_fields(kind))
    if fields:
        lines += ["| field | type |", "| --- | --- |", *fields, ""]
    return "\n".join(lines)


def _fields(kind: type[Closed]) -> Iterator[str]:
    for field in msgspec.structs.fields(kind):
        yield f"| `{field.name}` | {_type_text(field.type)} |"


def _type_text(kind: Any) -> str:  # noqa: ANN401 - an annotation may be anything
    base = get_args(kind)[0] if hasattr(kind, "__metadata__") else kind
    limits = [_limits(meta) for meta in getattr(kind, "__metadata__", ())]
    note = ", ".join(limit for limit in limits if limit)
    text = _base_text(base)
    return f"{text} ({note})" if note else text


def _base_text(kind: Any) -> str:  # noqa: ANN401 - an annotation may be anything
    if isinstance(kind, UnionType):
        return " or ".join(_base_text(part) for part in get_args(kind))
    arguments = get_args(kind)
    if arguments:
        return "list of " + _type_text(arguments[0])
    if kind is type(None):
        return "nothing"
    return str(getattr(kind, "__name__", kind))


def _limits(meta: object) -> str:
    if not isinstance(meta, msgspec.Meta):
        return ""
    if meta.min_length is not None and meta.min_length == meta.max_length:
        return f"{meta.max_length:,}"
    if meta.max_length is not None:
        return f"at most {meta.max_length:,}"
    return ""
