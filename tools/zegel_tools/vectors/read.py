"""Reads the inputs of cases: fields of JSON by their types."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from zegel_protocol.account import KdfParameters

if TYPE_CHECKING:
    from zegel_protocol.codec import Value
    from zegel_tools.vectors.case import Fields, Json


def hex_of(given: Fields, name: str) -> bytes:
    """A field that holds bytes."""
    return bytes.fromhex(text_of(given, name))


def text_of(given: Fields, name: str) -> str:
    """A field that holds text."""
    value = given[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is not text")
    return value


def number_of(given: Fields, name: str) -> int:
    """A field that holds a whole number."""
    value = given[name]
    if not isinstance(value, int):
        raise TypeError(f"{name} is not a number")
    return value


def fields_of(given: Fields, name: str) -> Fields:
    """A field that holds fields."""
    value = given[name]
    if not isinstance(value, dict):
        raise TypeError(f"{name} does not hold fields")
    return value


def list_of(given: Fields, name: str) -> list[Json]:
    """A field that holds a list."""
    value = given[name]
    if not isinstance(value, list):
        raise TypeError(f"{name} is not a list")
    return value


def hexes_of(given: Fields, name: str) -> list[bytes]:
    """A field that holds a list of bytes."""
    return [bytes.fromhex(cast("str", item)) for item in list_of(given, name)]


def kdf_of(given: Fields, name: str) -> KdfParameters:
    """A field that holds parameters of Argon2id: [memory in KiB, passes, parallelism]."""
    memory_kib, passes, parallelism = cast("list[int]", list_of(given, name))
    return KdfParameters(memory_kib, passes, parallelism)


def from_value(value: Value) -> Json:
    """Shows a free value as JSON: bytes as ``{"bytes": hex}``, a map as ``{"map": [[name, value], ...]}``."""
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, dict):
        return {"map": [[name, from_value(item)] for name, item in value.items()]}
    if isinstance(value, list):
        return [from_value(item) for item in value]
    return value


def to_value(shown: Json) -> Value:
    """Reads what `from_value` wrote."""
    if isinstance(shown, dict):
        if "bytes" in shown:
            return bytes.fromhex(text_of(shown, "bytes"))
        return {cast("str", pair[0]): to_value(pair[1]) for pair in cast("list[list[Json]]", list_of(shown, "map"))}
    if isinstance(shown, list):
        return [to_value(item) for item in shown]
    return shown
