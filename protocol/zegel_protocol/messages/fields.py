"""Types of fields that several messages share.

Spec: ``protocol/spec/sync.md``.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

MAX_FRAME_BYTES = 8 << 20
"""Longest frame of the WebSocket, and longest body of a call."""

Token = Annotated[bytes, Meta(min_length=32, max_length=32)]
"""What a session is known by."""
Blob = Annotated[bytes, Meta(max_length=MAX_FRAME_BYTES)]
Small = Annotated[bytes, Meta(max_length=16_384)]
