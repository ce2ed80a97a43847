"""Mutations of valid inputs: of the bytes as such, and of the values that MessagePack bytes stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

MAX_BYTES = 1 << 17
"""Longer results are cut: what is long without end is another limit's business, and slow."""

_LENGTHS = (b"\xc6\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff")
_HEADS = (
    *(bytes((head,)) for head in range(0xC0, 0xE0)),
    b"\x90",
    b"\x80",
    b"\xa0",
    b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xd3\x80\0\0\0\0\0\0\0",
    b"\xa2\xed\xa0",  # half of a surrogate
    *_LENGTHS,
)
_VALUES: tuple[object, ...] = (
    None, True, False, 0, 1, -1, 127, 128, 255, 256, 1 << 32, (1 << 53) - 1, 1 << 53, (1 << 64) - 1, -(1 << 63), 0.5,
    "", "\0", "é", "x" * 40, b"", b"\0", bytes(16), bytes(32), bytes(64), (), ((),), {"": None},
)  # fmt: skip


class Mutator:
    """Draws mutations from a seeded generator, so that a run can be repeated."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._on_bytes: tuple[Callable[[bytes, bytes], bytes], ...] = (
            self._flip,
            self._put,
            self._cut,
            self._drop,
            self._repeat,
            self._splice,
        )

    def mutate(self, valid: bytes, other: bytes) -> bytes:
        """Changes a valid input; `other` is one to take pieces from."""
        found = self._change_value(valid) if self._draw.random() < 0.4 else None
        if found is None or self._draw.random() < 0.1:
            found = valid if found is None else found
            for _ in range(self._draw.choice((1, 1, 1, 2, 4))):
                found = self._draw.choice(self._on_bytes)(found, other)
        return found[:MAX_BYTES]

    def mutate_text(self, valid: str, other: str) -> str:
        """Changes a valid text, and keeps it a text."""
        changed = self.mutate(valid.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
        return changed.decode("utf-8", "replace")

    # --- of bytes ---

    def _at(self, data: bytes) -> int:
        return self._draw.randrange(len(data) + 1)

    def _flip(self, data: bytes, _: bytes) -> bytes:
        if not data:
            return data
        changed = bytearray(data)
        changed[self._draw.randrange(len(data))] ^= 1 << self._draw.randrange(8)
        return bytes(changed)

    def _put(self, data: bytes, _: bytes) -> bytes:
        at = self._at(data)
        piece = self._draw.choice(_HEADS)
        return data[:at] + piece + data[at + self._draw.choice((0, 1, len(piece))) :]

    def _cut(self, data: bytes, _: bytes) -> bytes:
        return data[: self._at(data)]

    def _drop(self, data: bytes, _: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + data[at + self._draw.choice((1, 2, 16, 32)) :]

    def _repeat(self, data: bytes, _: bytes) -> bytes:
        at = self._at(data)
        piece = data[at : at + self._draw.choice((1, 2, 16, 32, 64))]
        return data[:at] + piece * self._draw.choice((1, 1, 2, 100)) + data[at:]

    def _splice(self, data: bytes, other: bytes) -> bytes:
        return data[: self._at(data)] + other[self._at(other) :]

    # --- of values ---

    def _change_value(self, data: bytes) -> bytes | None:
        """Changes one value inside and encodes the whole again; None where the bytes are no MessagePack of ours."""
        try:
            value = cast("object", msgspec.msgpack.decode(data))
            return msgspec.msgpack.encode(self._change(value), order="deterministic")
        except (msgspec.DecodeError, UnicodeDecodeError, OverflowError, RecursionError):
            return None

    def _change(self, value: object) -> object:
        if isinstance(value, list) and value and self._draw.random() < 0.9:
            items = list(cast("list[object]", value))
            at = self._draw.randrange(len(items))
            match self._draw.randrange(12):
                case 0:
                    del items[at]
                case 1:
                    items.insert(at, items[self._draw.randrange(len(items))])
                case 2:
                    other = self._draw.randrange(len(items))
                    items[at], items[other] = items[other], items[at]
                case _:
                    items[at] = self._change(items[at])
            return items
        if isinstance(value, dict) and value and self._draw.random() < 0.9:
            pairs = dict(cast("dict[object, object]", value))
            name = self._draw.choice(list(pairs))
            match self._draw.randrange(8):
                case 0:
                    del pairs[name]
                case 1:
                    pairs[self._draw.choice(("kind", "", "zz", "\0"))] = pairs[name]
                case _:
                    pairs[name] = self._change(pairs[name])
            return pairs
        if isinstance(value, bytes) and value and self._draw.random() < 0.6:
            inner = self._change_value(value) if self._draw.random() < 0.7 else None
            return inner if inner is not None else self._flip(value, b"")
        if isinstance(value, int) and not isinstance(value, bool) and self._draw.random() < 0.5:
            return value + self._draw.choice((-1, 1, 2))
        if isinstance(value, str) and self._draw.random() < 0.5:
            return self._draw.choice((value + "x", value[:-1], value.upper()))
        return self._draw.choice(_VALUES)
