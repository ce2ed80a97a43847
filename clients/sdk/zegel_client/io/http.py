"""HTTP: what happens before there is a session, and pieces of files.

The standard library's client in a thread: imported in a fraction of the time that a larger one takes, and these are
few requests.
"""

from __future__ import annotations

import asyncio
import http.client
import ssl
from typing import TYPE_CHECKING, TypeVar

from zegel_client.errors import UnreachableError
from zegel_client.io.answers import decode_answer, expect
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ids import id_text
from zegel_protocol.messages import MAX_FRAME_BYTES, SignUp, encode_message

if TYPE_CHECKING:
    from zegel_client.io.address import ServerAddress
    from zegel_protocol.messages import OpenRequest, Request

A = TypeVar("A")

_TIMEOUT_S = 10
"""How long a server may say nothing."""
_OK = 200
_OUR_TYPES = frozenset({"application/msgpack", "application/octet-stream"})
"""Of every answer that a server of this kind gives here; a proxy's own pages are of others."""


class Http:
    """One kept connection; requests wait for each other."""

    def __init__(self, address: ServerAddress) -> None:
        self._address = address
        self._connection: http.client.HTTPConnection | None = None
        self._turn = asyncio.Lock()

    async def open(self, request: OpenRequest, kind: type[A]) -> A:
        """Asks as a stranger.

        Raises:
            UnreachableError: No answer.
            RefusedError: The server's code.
            ProtocolError: `ENCODING`, `UNKNOWN_TYPE`: no answer to that.
        """
        try:
            _, body = await self._exchange("POST", "/v1/open", encode_message(request), b"")
        except UnreachableError as error:
            # Of what a stranger sends only a sign-up leaves something behind.
            arrived = error.may_have_arrived and isinstance(request, SignUp)
            raise UnreachableError(str(error), may_have_arrived=arrived) from error
        return expect(decode_answer(body), kind)

    async def call(self, token: bytes, request: Request, kind: type[A]) -> A:
        """Asks with a session; see `open`."""
        _, body = await self._exchange("POST", "/v1/call", encode_message(request), token)
        return expect(decode_answer(body), kind)

    async def put_piece(self, token: bytes, file: bytes, number: int, piece: bytes, kind: type[A]) -> A:
        """Sends a piece of a file's ciphertext."""
        _, body = await self._exchange("PUT", f"/v1/files/{id_text(file)}/{number}", piece, token)
        return expect(decode_answer(body), kind)

    async def get_piece(self, token: bytes, file: bytes, number: int) -> bytes:
        """Fetches a piece of a file's ciphertext."""
        status, body = await self._exchange("GET", f"/v1/files/{id_text(file)}/{number}", None, token)
        if status != _OK:
            expect(decode_answer(body), bytes)
        return body

    async def close(self) -> None:
        """Closes the connection."""
        async with self._turn:
            await asyncio.to_thread(self._forget)

    async def _exchange(self, method: str, path: str, body: bytes | None, token: bytes) -> tuple[int, bytes]:
        async with self._turn:
            return await asyncio.to_thread(self._exchange_now, method, path, body, token)

    def _exchange_now(self, method: str, path: str, body: bytes | None, token: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/octet-stream"}
        if token:
            headers["Authorization"] = f"Bearer {token.hex()}"
        is_kept = self._connection is not None
        try:
            return self._send(method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            # A kept connection may have been closed by the server meanwhile: then nothing was answered to it.
            self._forget()
            if is_kept and isinstance(error, http.client.RemoteDisconnected | ConnectionError):
                try:
                    return self._send(method, path, body, headers)
                except UnreachableError as again:  # but what was sent first may have arrived all the same
                    raise UnreachableError(str(again), may_have_arrived=True) from again
                except (OSError, http.client.HTTPException) as again:
                    self._forget()
                    raise UnreachableError(f"no answer from {self._address.origin}", may_have_arrived=True) from again
            raise UnreachableError(f"no answer from {self._address.origin}", may_have_arrived=True) from error

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        found = response.read(MAX_FRAME_BYTES + 1)
        if len(found) > MAX_FRAME_BYTES:
            self._forget()
            raise ProtocolError(ErrorCode.TOO_LARGE, "an answer longer than any may be")
        if response.headers.get_content_type() not in _OUR_TYPES:
            self._forget()
            sentence = f"{self._address.origin} is no server of this kind, or a proxy answers for it"
            raise UnreachableError(f"{sentence} (status {response.status})", may_have_arrived=True)
        return response.status, found

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        """Connects before anything is sent, so that a failure here says that nothing has arrived."""
        address = self._address
        connection = http.client.HTTPConnection(address.host, address.port, timeout=_TIMEOUT_S)
        if address.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(address.host, address.port, timeout=_TIMEOUT_S, context=context)
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as error:
            sentence = f"the certificate of {address.origin} is not accepted: {error.verify_message}"
            raise UnreachableError(sentence) from error
        except ssl.SSLError as error:
            raise UnreachableError(f"no TLS with {address.origin}") from error
        except OSError as error:
            raise UnreachableError(f"no answer from {address.origin}") from error
        return connection
