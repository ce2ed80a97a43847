"""Decoding what a server answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from zegel_client.errors import RefusedError
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.messages import Answer, Failure, ServerFrame

if TYPE_CHECKING:
    from zegel_protocol.messages import Event

A = TypeVar("A")

_ANSWER: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
_FRAME: msgspec.msgpack.Decoder[ServerFrame] = msgspec.msgpack.Decoder(ServerFrame)


def decode_answer(body: bytes) -> Answer:
    """Decodes the body of an answer over HTTP.

    Raises:
        ProtocolError: `ENCODING`.
    """
    try:
        return _ANSWER.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ProtocolError(ErrorCode.ENCODING, "an answer that this client cannot read") from error


def decode_frame(frame: bytes) -> tuple[int, Answer | Event]:
    """Decodes a frame; returns (rid, message).

    Raises:
        ProtocolError: `ENCODING`.
    """
    try:
        found = _FRAME.decode(frame)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ProtocolError(ErrorCode.ENCODING, "a frame that this client cannot read") from error
    return found.rid, found.message


def expect(answer: object, kind: type[A]) -> A:
    """Returns an answer of the type that belongs to the request.

    Raises:
        RefusedError: The server refused.
        ProtocolError: `UNKNOWN_TYPE`: an answer to something else.
    """
    if isinstance(answer, Failure):
        raise RefusedError(answer.code, answer.detail, retry_after_ms=answer.retry_after_ms, heads=answer.heads)
    if not isinstance(answer, kind):
        raise ProtocolError(ErrorCode.UNKNOWN_TYPE, "an answer of another type than belongs to the request")
    return answer
