"""Padding: a payload grows to one of few sizes, so that its own size says little.

Layout: ``payload || 0x80 || zeros``, long as the smallest bucket that holds payload and mark: 256 B, 1, 4, 16 or
64 KiB, above that the Padme length. Each padded length has exactly one form, so unpadding takes no other.

Padme (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", 2019) keeps as
many leading bits of a length as it takes to write the length of that length, and rounds up: at most 12 % is added, and
lengths up to n leak O(log log n) bits.

Spec: ``protocol/spec/envelope.md``, section "Padding".
"""

from __future__ import annotations

from zegel_protocol.errors import ErrorCode, ObjectError, UsageError

BUCKETS_BYTES = (256, 1024, 4096, 16_384, 65_536)
"""The fixed sizes; above the last one Padme decides."""

_MARK = b"\x80"


def padme(size: int) -> int:
    """Rounds a length up to its Padme length.

    Args:
        size: 1 or more.

    Raises:
        UsageError: The size is below 1.
    """
    if size < 1:
        raise UsageError("Padme is defined for lengths from 1")
    exponent = size.bit_length() - 1
    loose_bits = exponent - exponent.bit_length()
    if loose_bits <= 0:
        return size
    mask = (1 << loose_bits) - 1
    return (size + mask) & ~mask


def _bucket(size: int) -> int:
    for bucket in BUCKETS_BYTES:
        if size <= bucket:
            return bucket
    return padme(size)


def is_bucket(size: int) -> bool:
    """Whether padding gives this size for some payload."""
    return size >= 1 and _bucket(size) == size


def pad(payload: bytes) -> bytes:
    """Pads to the smallest bucket that holds the payload and its mark."""
    size = len(payload) + len(_MARK)
    return payload + _MARK + bytes(_bucket(size) - size)


def unpad(padded: bytes) -> bytes:
    """Takes the padding off; accepts exactly what `pad` gives.

    Raises:
        ObjectError: `PADDING` when the mark is missing or the size is not the smallest bucket for the payload.
    """
    marked = padded.rstrip(b"\0")
    if not marked.endswith(_MARK) or _bucket(len(marked)) != len(padded):
        raise ObjectError(ErrorCode.PADDING, "not padded as it must be")
    return marked[: -len(_MARK)]
