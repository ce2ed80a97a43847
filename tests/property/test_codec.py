"""Canonical encoding: what is written reads back, and nothing but what would be written is read."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zegel_protocol.codec import DEFAULT_LIMITS, Limits, Value, decode, encode
from zegel_protocol.errors import ErrorCode, ObjectError, UsageError
from zegel_protocol.ids import MAX_INTEGER

# Text of UTF-8: hypothesis leaves out lone surrogates when it is asked for characters that UTF-8 can hold.
TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
NUMBERS = st.integers(-MAX_INTEGER, MAX_INTEGER) | st.sampled_from(
    [side * (2**bits + step) for bits in (5, 7, 8, 15, 16, 31, 32) for step in (-1, 0, 1) for side in (-1, 1)]
)
LEAVES = st.none() | st.booleans() | NUMBERS | TEXT | st.binary(max_size=300)
VALUES: st.SearchStrategy[Value] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=20) | st.dictionaries(TEXT, inner, max_size=20), max_leaves=40
)


@given(VALUES)
def test_what_is_written_reads_back(value: Value) -> None:
    assert decode(encode(value)) == value


@given(VALUES)
def test_equal_values_have_one_encoding(value: Value) -> None:
    assert encode(decode(encode(value))) == encode(value)


@given(st.binary(max_size=80))
@example(b"\x81\xa1a")
@example(b"\xdf\xff\xff\xff\xff")
@example(b"\xc6\xff\xff\xff\xff")
def test_any_bytes_are_refused_by_name_or_are_the_only_encoding(data: bytes) -> None:
    try:
        value = decode(data)
    except ObjectError:
        return
    assert encode(value) == data


@given(VALUES, st.data())
def test_one_other_byte_is_refused_or_another_value(value: Value, data: st.DataObject) -> None:
    encoded = bytearray(encode(value))
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= data.draw(st.integers(1, 255))
    try:
        other = decode(bytes(encoded))
    except ObjectError:
        return
    assert encode(other) == bytes(encoded)


@given(VALUES)
def test_other_encodings_of_the_same_value_are_refused(value: Value) -> None:
    # msgspec writes maps in the order in which they were made, and accepts what it writes.
    loose = msgspec.msgpack.encode(value)
    if loose != encode(value):
        with pytest.raises(ObjectError) as fault:
            decode(loose)
        assert fault.value.code is ErrorCode.ENCODING


@given(VALUES, st.integers(0, 60))
def test_a_cut_encoding_is_refused(value: Value, kept: int) -> None:
    encoded = encode(value)
    if kept < len(encoded):
        with pytest.raises(ObjectError):
            decode(encoded[:kept])


@given(VALUES)
def test_limits_hold_at_their_edge(value: Value) -> None:
    encoded = encode(value)
    exact = Limits(len(encoded), DEFAULT_LIMITS.depth, DEFAULT_LIMITS.count)
    assert decode(encoded, exact) == value
    with pytest.raises(ObjectError) as fault:
        decode(encoded, Limits(len(encoded) - 1, DEFAULT_LIMITS.depth, DEFAULT_LIMITS.count))
    assert fault.value.code is ErrorCode.TOO_LARGE


@pytest.mark.parametrize(
    "value",
    [1.5, float("nan"), 2**53, -(2**53), "\ud800", {1: "a"}, {"\udfff": 1}, {1, 2}, object(), bytearray(b"a")],
    ids=repr,
)
def test_what_has_no_canonical_form_is_not_written(value: object) -> None:
    for wrapped in (value, [value], {"a": [value]}):
        with pytest.raises(UsageError):
            encode(wrapped)  # type: ignore[arg-type]


def test_nesting_is_bounded_on_both_sides() -> None:
    value: Value = []
    for _ in range(DEFAULT_LIMITS.depth - 1):
        value = [value]
    assert decode(encode(value)) == value
    with pytest.raises(UsageError):
        encode([value])
