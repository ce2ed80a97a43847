"""Decoding what clients send, and saying what is wrong with what cannot be decoded."""

from __future__ import annotations

from typing import cast

import msgspec

from zegel_protocol import messages
from zegel_protocol.codec import ObjectCodec
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ids import MAX_INTEGER
from zegel_protocol.messages import MAX_FRAME_BYTES

FRAME: ObjectCodec[messages.RequestFrame] = ObjectCodec(messages.RequestFrame, MAX_FRAME_BYTES)
REQUEST: ObjectCodec[messages.Request] = ObjectCodec(cast("type[messages.Request]", messages.Request), MAX_FRAME_BYTES)
HELLO: ObjectCodec[messages.HelloFrame] = ObjectCodec(messages.HelloFrame, 1024)


class _BareFrame(msgspec.Struct, array_like=True):
    rid: int
    request: msgspec.Raw


class _Tagged(msgspec.Struct, array_like=True):
    tag: str


_BARE = msgspec.msgpack.Decoder(_BareFrame)
_TAGGED = msgspec.msgpack.Decoder(_Tagged)
_TAGS = {kind.__struct_config__.tag for kind in messages.Request.__args__}
_UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


def read_rid(frame: bytes) -> tuple[int, bytes] | None:
    """The number of a request that itself cannot be read, and its bytes; None: nothing can be read."""
    try:
        bare = _BARE.decode(frame)
    except _UNREADABLE:
        # Not a frame at all: the caller ends the connection.
        return None
    return (bare.rid, bytes(bare.request)) if 0 < bare.rid <= MAX_INTEGER else None


def explain(request: bytes, error: ObjectError) -> ObjectError:
    """Tells a request of an unknown type from a malformed one."""
    try:
        tag = _TAGGED.decode(request).tag
    except _UNREADABLE:
        # Not a request at all.
        return error
    if tag not in _TAGS:
        return ObjectError(ErrorCode.UNKNOWN_TYPE, "a request of a type that this server does not know")
    return error
