"""Valid messages of every type on the wire, made from their definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import inspect

if TYPE_CHECKING:
    import random


def draw_messages(union: object, draw: random.Random, each: int) -> list[bytes]:
    """Encodes `each` messages of every type in a union of Structs."""
    types = getattr(union, "__args__", (union,))
    return [msgspec.msgpack.encode(draw_value(inspect.type_info(kind), draw)) for kind in types for _ in range(each)]


def draw_value(kind: inspect.Type, draw: random.Random) -> object:
    """Draws a value of a type, within what its annotations allow; a Struct as the array that it is encoded as.

    Raises:
        TypeError: A type that no message uses so far.
    """
    match kind:
        case inspect.StructType():
            tag = [] if kind.tag is None else [kind.tag]
            return tag + [draw_value(field.type, draw) for field in kind.fields]
        case inspect.UnionType():
            return draw_value(draw.choice(kind.types), draw)
        case inspect.VarTupleType():
            most = 3 if kind.max_length is None else min(3, kind.max_length)
            return [draw_value(kind.item_type, draw) for _ in range(draw.randint(kind.min_length or 0, most))]
        case inspect.IntType():
            return draw.choice((kind.ge or 0, 1, 1_780_000_000_000, kind.le if kind.le is not None else 1))
        case inspect.BytesType():
            least = kind.min_length or 0
            most = least + 40 if kind.max_length is None else min(kind.max_length, least + 40)
            return draw.randbytes(draw.randint(least, most))
        case inspect.StrType():
            return draw.choice(("", "anna", "Zoë") if not kind.min_length else ("anna", "Zoë"))
        case inspect.BoolType():
            return draw.random() < 0.5
        case inspect.NoneType():
            return None
        case inspect.EnumType():
            return draw.choice([member.value for member in kind.cls])
        case _:
            raise TypeError(f"no samples for {kind}")
