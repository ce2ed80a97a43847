"""Failures that every closed object has: what can be wrong with the form of an array."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.codec import Value, decode, encode
from zegel_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zegel_tools.vectors.case import CaseList, Fields

Change = dict[int, "Value"]
"""Other values of fields, by their place."""


def changed_object(encoded: bytes, change: Change) -> bytes:
    """Returns a closed object with other values in some of its fields."""
    fields = decode(encoded)
    if not isinstance(fields, list):
        raise TypeError("a closed object is a list")
    return encode([change.get(place, value) for place, value in enumerate(fields)])


def add_form_failures(
    cases: CaseList,
    name: str,
    door: str,
    given: Fields,
    encoded: bytes,
    put: Callable[[bytes], Fields],
    changes: Mapping[str, Change],
    *,
    has_version: bool = True,
) -> None:
    """Adds the failures of one closed object's form.

    Args:
        cases: Where to add them.
        name: Of the object.
        door: The door that decodes it.
        given: A valid input.
        encoded: The valid object inside it.
        put: Gives the fields of the input that hold another object, signed or sealed anew where it must be.
        changes: Failures of single fields, all `ENCODING`.
        has_version: Whether the first field is the version.
    """
    fields = decode(encoded)
    if not isinstance(fields, list):
        raise TypeError("a closed object is a list")
    pairs: dict[str, Value] = {str(place): value for place, value in enumerate(fields)}
    forms = {
        "a field too many": encode([*fields, 0]),
        "a field too few": encode(fields[:-1]),
        "bytes after it": encoded + b"\0",
        "cut off": encoded[:-1],
        "a map instead of a list": encode(pairs),
        "a list with a longer head than needed": _with_long_head(encoded, len(fields)),
        "nothing at all": b"",
    }
    for form, changed in forms.items():
        cases.bad(f"{name}: {form}", door, given, ErrorCode.ENCODING, **put(changed))
    for form, change in changes.items():
        cases.bad(f"{name}: {form}", door, given, ErrorCode.ENCODING, **put(changed_object(encoded, change)))
    if has_version:
        two = encode([2, *fields[1:]])
        cases.bad(f"{name}: version 2", door, given, ErrorCode.VERSION, **put(two))
        cases.bad(f"{name}: version 2 in another form", door, given, ErrorCode.VERSION, **put(encode([2, "new"])))
        long_version = bytes([*encoded[: _head_bytes(len(fields))], 0xCC, 1]) + encoded[_head_bytes(len(fields)) + 1 :]
        cases.bad(f"{name}: version 1 in two bytes", door, given, ErrorCode.ENCODING, **put(long_version))


_FIX_LIST_MOST = 15


def _head_bytes(count: int) -> int:
    return 1 if count <= _FIX_LIST_MOST else 3


def _with_long_head(encoded: bytes, count: int) -> bytes:
    if count <= _FIX_LIST_MOST:
        return b"\xdc" + count.to_bytes(2, "big") + encoded[1:]
    return b"\xdd" + count.to_bytes(4, "big") + encoded[3:]
