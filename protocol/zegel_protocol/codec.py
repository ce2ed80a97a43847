"""Canonical MessagePack: one value, one byte string; everything else is refused.

Two doors. Free values (payloads, contexts of derivations) go through `encode` and `decode`, which accept only the
shortest form of each type, string keys in strict byte order, no floats and no extensions. Closed objects are msgspec
Structs encoded as arrays; `ObjectCodec` decodes them, encodes again and compares.

Spec: ``protocol/spec/encoding.md``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Generic, TypeVar, cast, dataclass_transform

import msgspec

from zegel_protocol.errors import ErrorCode, ObjectError, UsageError
from zegel_protocol.ids import MAX_INTEGER

type_ = type
Value = bool | int | str | bytes | list["Value"] | dict[str, "Value"] | None
"""What a payload may hold: null, booleans, whole numbers, text, bytes, lists, maps with text keys."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a decoder accepts; checked before anything is allocated.

    Attributes:
        length_bytes: Longest encoding.
        depth: Deepest nesting of lists and maps.
        count: Most values of any kind, keys included.
    """

    length_bytes: int = 1 << 20
    depth: int = 16
    count: int = 65_536


DEFAULT_LIMITS = Limits()


def encode(value: Value) -> bytes:
    """Encodes a free value in canonical form.

    Raises:
        UsageError: a float, a number beyond +-(2^53 - 1), a lone surrogate, a key that is not text.
    """
    _check(value, DEFAULT_LIMITS.depth)
    return msgspec.msgpack.encode(value, order="deterministic")


def _check(value: object, depth: int) -> None:
    if value is None or isinstance(value, bool | bytes):
        return
    if isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise UsageError("a number beyond 2^53 - 1 cannot be encoded")
        return
    if isinstance(value, str):
        _check_text(value)
        return
    if depth == 0:
        raise UsageError("lists and maps are nested too deep")
    if isinstance(value, list | tuple):
        for item in cast("list[object]", value):
            _check(item, depth - 1)
        return
    if isinstance(value, dict):
        for name, item in cast("dict[object, object]", value).items():
            if not isinstance(name, str):
                raise UsageError("the keys of a map are text")
            _check_text(name)
            _check(item, depth - 1)
        return
    raise UsageError(f"a value of type {type_(value).__name__} cannot be encoded")


def _check_text(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UsageError("text with a lone surrogate cannot be encoded") from None


def decode(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Value:
    """Decodes a free value, accepting exactly what `encode` writes.

    Raises:
        ObjectError: `TOO_LARGE` beyond the limits, `ENCODING` for everything that is not canonical.
    """
    if len(data) > limits.length_bytes:
        raise ObjectError(ErrorCode.TOO_LARGE, "the encoding is longer than allowed")
    if len(data) <= min(limits.count, _SHORT_BYTES):
        try:
            plain = _DECODER.decode(data)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            plain = _NOTHING
        if _is_plain(plain, limits.depth) and _ENCODER.encode(plain) == data:
            return cast("Value", plain)
        # Something is wrong with it: the reader says what.
    reader = _Reader(data, limits)
    value = reader.value(limits.depth)
    if reader.at != len(data):
        raise ObjectError(ErrorCode.ENCODING, "bytes follow the value")
    return value


_SHORT_BYTES = 8192
"""What is this short cannot hold more values than are allowed, whatever it says: the fast way is safe."""
_DECODER: msgspec.msgpack.Decoder[object] = msgspec.msgpack.Decoder()
_ENCODER = msgspec.msgpack.Encoder(order="deterministic")
_NOTHING = object()


def _is_plain(value: object, depth: int) -> bool:
    """Whether a value is of the types that may be, nested no deeper than allowed."""
    kind = type_(value)
    if kind is str or kind is bytes or kind is bool or value is None:
        return True
    if kind is int:
        return -MAX_INTEGER <= cast("int", value) <= MAX_INTEGER
    if depth and kind is dict:
        found = cast("dict[object, object]", value)
        return all(type_(name) is str for name in found) and all(_is_plain(item, depth - 1) for item in found.values())
    return depth > 0 and kind is list and all(_is_plain(item, depth - 1) for item in cast("list[object]", value))


class _Reader:
    """Reads one value after the other; every shorter form that exists is demanded."""

    __slots__ = ("at", "data", "left")

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.data = data
        self.at = 0
        self.left = limits.count

    def take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.data):
            raise ObjectError(ErrorCode.ENCODING, "the encoding ends too early")
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def number(self, size: int, least: int) -> int:
        value = int.from_bytes(self.take(size), "big")
        if value < least:
            raise ObjectError(ErrorCode.ENCODING, "a shorter form exists")
        return value

    def value(self, depth: int) -> Value:  # noqa: PLR0911, PLR0912, C901 - one branch per form of MessagePack
        self.left -= 1
        if self.left < 0:
            raise ObjectError(ErrorCode.TOO_LARGE, "more values than allowed")
        head = self.take(1)[0]
        if head < 0x80:
            return head
        if head >= 0xE0:
            return head - 0x100
        if head < 0x90:
            return self.map(head & 0x0F, depth)
        if head < 0xA0:
            return self.list(head & 0x0F, depth)
        if head < 0xC0:
            return self.text(head & 0x1F)
        match head:
            case 0xC0:
                return None
            case 0xC2:
                return False
            case 0xC3:
                return True
            case 0xC4:
                return self.take(self.number(1, 0))
            case 0xC5:
                return self.take(self.number(2, 0x100))
            case 0xC6:
                return self.take(self.number(4, 0x10000))
            case 0xCC:
                return self.number(1, 0x80)
            case 0xCD:
                return self.number(2, 0x100)
            case 0xCE:
                return self.number(4, 0x10000)
            case 0xCF:
                return self.ranged(self.number(8, 0x1_0000_0000))
            case 0xD0:
                return self.negative("b", 1, -0x20)
            case 0xD1:
                return self.negative(">h", 2, -0x80)
            case 0xD2:
                return self.negative(">i", 4, -0x8000)
            case 0xD3:
                return self.ranged(self.negative(">q", 8, -0x8000_0000))
            case 0xD9:
                return self.text(self.number(1, 0x20))
            case 0xDA:
                return self.text(self.number(2, 0x100))
            case 0xDB:
                return self.text(self.number(4, 0x10000))
            case 0xDC:
                return self.list(self.number(2, 0x10), depth)
            case 0xDD:
                return self.list(self.number(4, 0x10000), depth)
            case 0xDE:
                return self.map(self.number(2, 0x10), depth)
            case 0xDF:
                return self.map(self.number(4, 0x10000), depth)
            case _:
                raise ObjectError(ErrorCode.ENCODING, "a type that is not allowed")

    def negative(self, form: str, size: int, below: int) -> int:
        value = int(struct.unpack(form, self.take(size))[0])
        if value >= below:
            raise ObjectError(ErrorCode.ENCODING, "a shorter form exists")
        return value

    def ranged(self, value: int) -> int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise ObjectError(ErrorCode.ENCODING, "a number beyond 2^53 - 1")
        return value

    def text(self, size: int) -> str:
        try:
            return self.take(size).decode()
        except UnicodeDecodeError:
            raise ObjectError(ErrorCode.ENCODING, "text that is not UTF-8") from None

    def name(self) -> str:
        head = self.data[self.at : self.at + 1]
        if not (head and (0xA0 <= head[0] < 0xC0 or 0xD9 <= head[0] <= 0xDB)):
            raise ObjectError(ErrorCode.ENCODING, "a key that is not text")
        return cast("str", self.value(0))

    def room(self, count: int, depth: int) -> None:
        if depth == 0:
            raise ObjectError(ErrorCode.TOO_LARGE, "nested deeper than allowed")
        if count > self.left:
            raise ObjectError(ErrorCode.TOO_LARGE, "more values than allowed")

    def list(self, count: int, depth: int) -> Value:
        self.room(count, depth)
        return [self.value(depth - 1) for _ in range(count)]

    def map(self, count: int, depth: int) -> Value:
        self.room(2 * count, depth)
        found: dict[str, Value] = {}
        last: bytes | None = None
        for _ in range(count):
            name = self.name()
            raw = name.encode()
            if last is not None and raw <= last:
                raise ObjectError(ErrorCode.ENCODING, "keys out of order" if raw != last else "a key stands twice")
            last = raw
            found[name] = self.value(depth - 1)
        return found


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class _ClosedMeta(msgspec.StructMeta):
    """Tells type checkers what msgspec does: subclasses of `Closed` are frozen without saying so again."""


class Closed(msgspec.Struct, metaclass=_ClosedMeta, array_like=True, frozen=True, forbid_unknown_fields=True):
    """A closed object: an array of its fields in declared order, nothing more and nothing less."""


_encoder = msgspec.msgpack.Encoder()


def encode_object(value: msgspec.Struct) -> bytes:
    """Encodes a closed object; numbers in shortest form, fields in declared order."""
    return _encoder.encode(value)


Leading = tuple[tuple[frozenset[int], ErrorCode], ...]
"""What the first fields of an object may be, in order, and the code for what they may not be."""

VERSION_1: Leading = ((frozenset({1}), ErrorCode.VERSION),)
"""For objects whose first field is the version, and whose only version is 1."""


class ObjectCodec(Generic[T]):
    """Decodes one type of closed object and refuses every encoding but the one `encode_object` writes."""

    __slots__ = ("_decoder", "_leading", "_max_bytes", "_name")

    def __init__(self, type: type[T], max_bytes: int, leading: Leading = ()) -> None:  # noqa: A002 - the word of msgspec
        """Fixes what is accepted.

        Args:
            type: A subclass of `Closed`.
            max_bytes: Longest encoding.
            leading: Judged before the rest, so that an object of a newer version is told as that, whatever its form.
        """
        self._decoder = msgspec.msgpack.Decoder(type)
        self._leading = leading
        self._max_bytes = max_bytes
        self._name = getattr(type, "__name__", "object")

    def decode(self, data: bytes) -> T:
        """Decodes and compares.

        Raises:
            ObjectError: `TOO_LARGE`, the code of a leading field, `ENCODING`.
        """
        if len(data) > self._max_bytes:
            raise ObjectError(ErrorCode.TOO_LARGE, f"{self._name}: longer than allowed")
        if self._leading:
            self._check_leading(data)
        try:
            value = self._decoder.decode(data)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            # msgspec's own message may quote what was sent, so it is not passed on.
            raise ObjectError(ErrorCode.ENCODING, f"{self._name}: not the form that is fixed for it") from None
        if _encoder.encode(value) != data:
            raise ObjectError(ErrorCode.ENCODING, f"{self._name}: not in canonical form")
        return value

    def _check_leading(self, data: bytes) -> None:
        start = _list_head_bytes(data)
        if start and all(byte in allowed for byte, (allowed, _) in zip(data[start:], self._leading, strict=False)):
            return  # numbers below 128 are their own encoding
        reader = _Reader(data[start : start + 9 * len(self._leading)], DEFAULT_LIMITS)
        for allowed, code in self._leading if start else ():
            try:
                found = reader.value(0)
            except ObjectError:
                return  # unreadable: the decoder says so
            if isinstance(found, bool) or not isinstance(found, int):
                return  # another form: the decoder says so
            if found not in allowed:
                raise ObjectError(code, f"{self._name}: nothing that this version of the protocol knows")


def _list_head_bytes(data: bytes) -> int:
    """How many bytes announce a list; 0 when the data does not begin with one."""
    head = data[0] if data else 0
    if 0x90 <= head < 0xA0:
        return 1
    return {0xDC: 3, 0xDD: 5}.get(head, 0)
