"""Bytes that look random and are the same every time."""

from __future__ import annotations

import hashlib


def seeded(name: str, size: int) -> bytes:
    """Returns `size` bytes that follow from a name."""
    return hashlib.shake_256(b"zegel vectors: " + name.encode()).digest(size)


def flipped(data: bytes, at: int = 0) -> bytes:
    """Returns the data with one bit of the byte `at` (from the end when negative) turned over."""
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)
