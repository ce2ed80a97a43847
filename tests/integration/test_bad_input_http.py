"""What is no request, no session, or no HTTP: refused in our own words, without a line in the log."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.bad_input import stored
from support.wire import ANSWER, User, scene, with_limits, world

from zegel_protocol import messages as m
from zegel_protocol.errors import ErrorCode
from zegel_protocol.file import SEALED_CHUNK_BYTES
from zegel_protocol.ids import id_text

if TYPE_CHECKING:
    from support.wire import World

PATHS = ("/", "/health", "/ready", "/metrics", "/v1/open", "/v1/call", "/v1/live", f"/v1/files/{id_text(bytes(16))}/0")
METHODS = ("GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get")
RIGHT = {
    ("GET", "/"), ("GET", "/health"), ("GET", "/ready"), ("GET", "/metrics"), ("POST", "/v1/open"),
    ("POST", "/v1/call"), ("GET", "/v1/live"), ("GET", PATHS[-1]), ("PUT", PATHS[-1]),
}  # fmt: skip
UPGRADE = b"Connection: Upgrade, close\r\n"


async def raw(w: World, sent: bytes) -> tuple[int, bytes]:
    """Sends bytes; returns the status and the body of the first answer, and demands that the server then closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(w.url.rpartition(":")[2]))
    writer.write(sent)
    received = b""
    async with asyncio.timeout(20):
        with contextlib.suppress(ConnectionError):
            received = await reader.read()
    writer.close()
    head, _, body = received.partition(b"\r\n\r\n")
    assert [line for line in head.split(b"\r\n") if line.lower().startswith(b"server:")] == [b"Server: Zegel"]
    return int(head.split(b" ", 2)[1]), body


def code_of(body: bytes) -> ErrorCode:
    answer = ANSWER.decode(body)
    assert isinstance(answer, m.Failure)
    return answer.code


async def serves(w: World, before: dict[str, object]) -> None:
    """Nothing was stored, nothing is in the log, and who asks well is answered."""
    assert stored(w.data) == before
    assert len((await w.call(w.owner, m.ListSessions(), m.Sessions)).sessions) == 1
    assert "fault" not in w.log.getvalue(), w.log.getvalue()


async def test_wrong_methods_and_paths(w: World) -> None:
    before = stored(w.data)
    paths = (*PATHS, "//", "/v1", "/v1/", "/v1/open/", "/v1/OPEN", "/v1/files", "/v1/files/x/0/0", "/%2e%2e/secrets",
             "/v1/files/..%2f..%2fsecrets/0", "/health%00", "/%ff", "*", "/v1/open?x", "/../zegel.db")  # fmt: skip
    for path in paths:
        for method in METHODS:
            if (method, path.partition("?")[0]) in RIGHT:
                continue
            line = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            status, body = await raw(w, line.encode())
            assert status in {400, 404}, (method, path)
            if method != "HEAD":
                assert code_of(body) is (ErrorCode.UNKNOWN_TYPE if status == 404 else ErrorCode.ENCODING)
    await serves(w, before)


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n\r\n\0",
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X%d: y\r\n" % n for n in range(2000)) + b"\r\n",
        b"POST /v1/open HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/open HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\n",
        b"POST /v1/open HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /v1/open HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST /v1/open HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/open HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_what_is_no_http(w: World, sent: bytes) -> None:
    before = stored(w.data)
    status, body = await raw(w, sent)
    assert (status, code_of(body)) == (400, ErrorCode.ENCODING)
    await serves(w, before)


@pytest.mark.parametrize(
    "headers",
    [
        b"",
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
        UPGRADE + b"Upgrade: h2c\r\n",
        UPGRADE + b"Upgrade: websocket\r\nSec-WebSocket-Version: 12\r\n",
        UPGRADE + b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
        UPGRADE + b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAA\r\n",
        UPGRADE + b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \xc3\xa9\r\n",
    ],
)
async def test_what_is_no_handshake(w: World, headers: bytes) -> None:
    before = stored(w.data)
    close = b"" if headers.startswith(UPGRADE) else b"Connection: close\r\n"
    status, body = await raw(w, b"GET /v1/live HTTP/1.1\r\nHost: x\r\n" + close + headers + b"\r\n")
    assert (status, code_of(body)) == (400, ErrorCode.INVALID)
    await serves(w, before)


async def test_bodies(w: World) -> None:
    before = stored(w.data)
    token = f"Authorization: Bearer {w.owner.token.hex()}\r\n".encode()
    file = f"/v1/files/{id_text(b'x' * 16)}/0".encode()
    most_of_file = m.FILE_CHUNKS_PER_REQUEST * SEALED_CHUNK_BYTES
    head = b"POST /v1/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s%s\r\n\r\n%s"
    valid = m.encode_message(m.ListSessions())
    cases = [
        # Longer than allowed, said beforehand and not.
        (head % (b"open", b"", b"Content-Length: 65537", bytes(65_537)), 413, ErrorCode.TOO_LARGE),
        (head % (b"open", b"", b"Transfer-Encoding: chunked", b"10001\r\n" + bytes(65_537) + b"\r\n0\r\n\r\n"), 413,
         ErrorCode.TOO_LARGE),
        (b"PUT %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%sContent-Length: %d\r\n\r\n"
         % (file, token, most_of_file + 1) + bytes(most_of_file + 1), 413, ErrorCode.TOO_LARGE),
        # Nothing is unpacked, whatever the header says.
        (head % (b"call", token, b"Content-Encoding: gzip\r\nContent-Length: 3", b"abc"), 400, ErrorCode.ENCODING),
        (head % (b"open", b"", b"Content-Encoding: br\r\nContent-Length: 1", b"\x90"), 400, ErrorCode.ENCODING),
        # A good body, and more.
        (head % (b"call", token, b"Content-Length: %d" % (len(valid) + 1), valid + b"\0"), 400, ErrorCode.ENCODING),
        (head % (b"call", token, b"Content-Length: 2", b"\x91\xc1"), 400, ErrorCode.ENCODING),
        (head % (b"call", token, b"Content-Length: 4", b"\x91\xa2\xff\xfe"), 400, ErrorCode.ENCODING),
        (head % (b"call", token, b"Content-Length: 100000", b"\x91" * 100_000), 400, ErrorCode.ENCODING),
        (head % (b"call", token, b"Content-Length: 5", b"\xdd\xff\xff\xff\xff"), 400, ErrorCode.ENCODING),
        # No WebSocket.
        (b"GET /v1/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400, ErrorCode.INVALID),
        (b"GET /v1/live HTTP/1.1\r\nHost: x\r\nConnection: close, upgrade\r\nUpgrade: websocket\r\n\r\n", 400,
         ErrorCode.INVALID),
    ]  # fmt: skip
    for sent, status, code in cases:
        found, body = await raw(w, sent)
        assert (found, code_of(body)) == (status, code), sent[:160]
    await serves(w, before)


async def test_tokens_that_open_nothing(w: World) -> None:
    before = stored(w.data)
    good = w.owner.token.hex()
    headers = (
        b"", b"Bearer", b"Bearer ", b"Bearer " + b"0" * 64, b"Bearer " + b"g" * 64, b"Bearer " + b" 0" * 32,
        b"Bearer \xff\xfe", "Bearer {}".format("\N{ARABIC-INDIC DIGIT ZERO}" * 64).encode(), b"Basic " + good.encode(),
        good.encode(), f"Bearer {good}0".encode(), f"Bearer {good[:-1]}".encode(), f"Bearer {good[::-1]}".encode(),
        f"Bearer {w.owner.session.hex()}".encode(),
    )  # fmt: skip
    answers: set[bytes] = set()
    for header in headers:
        for method, path in ((b"POST", b"/v1/call"), (b"GET", PATHS[-1].encode()), (b"PUT", PATHS[-1].encode())):
            line = b"Authorization: %s\r\n" % header if header else b""
            sent = b"%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n%s\r\n" % (
                method,
                path,
                line,
            )
            status, body = await raw(w, sent)
            assert (status, code_of(body)) == (401, ErrorCode.SESSION_ENDED), header
            answers.add(body)
    # Well-formed tokens that nobody has, ended ones and another's session id are told apart by nothing.
    unknown = [await w.post("/v1/call", b"", token) for token in (bytes(32), w.owner.token[::-1])]
    assert unknown[0] == unknown[1]
    await serves(w, before)


async def test_a_body_that_never_comes_holds_up_nobody(w: World) -> None:
    before = stored(w.data)
    port = int(w.url.rpartition(":")[2])
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
    for _, writer in opened:
        writer.write(b"POST /v1/open HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
    await serves(w, before)
    for _, writer in opened:
        writer.close()
    await serves(w, before)


async def test_calls_of_an_account_at_the_same_time_are_few(tmp_path: Path) -> None:
    """Each may hold megabytes of a body that does not end."""
    async with world(tmp_path, config=with_limits(calls_per_account=2)) as w:
        other = (await scene(w)).client
        port = int(w.url.rpartition(":")[2])
        head = "POST /v1/call HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\n"
        file = f"PUT /v1/files/{id_text(bytes(16))}/0 " + head.partition(" ")[2].partition(" ")[2]
        held = [Unfinished(port, (request % w.owner.token.hex()).encode()) for request in (head, file)]
        try:
            for _ in range(200):
                # One that came while a question was answered was refused itself.
                for call in held:
                    await call.hold()
                if await ask(w, w.owner) is ErrorCode.RATE_LIMITED:
                    break
            assert await ask(w, w.owner) is ErrorCode.RATE_LIMITED
            # Others have their own.
            await w.call(other, m.ListSessions(), m.Sessions)
        finally:
            for call in held:
                call.close()
        for _ in range(200):
            if await ask(w, w.owner) is None:
                break
            await asyncio.sleep(0.02)
        assert await ask(w, w.owner) is None
        assert "fault" not in w.log.getvalue(), w.log.getvalue()


async def ask(w: World, user: User) -> ErrorCode | None:
    """What a call is refused for, if it is."""
    _, answer = await w.post("/v1/call", m.encode_message(m.ListSessions()), user.token)
    return answer.code if isinstance(answer, m.Failure) else None


class Unfinished:
    """A request whose body does not come."""

    def __init__(self, port: int, head: bytes) -> None:
        self._port = port
        self._head = head
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def hold(self) -> None:
        """Sends it, again where it was answered."""
        if self._streams is not None:
            with contextlib.suppress(TimeoutError):  # no answer: it is still waited for
                await asyncio.wait_for(self._streams[0].read(1), 0.02)
                self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            self._streams[1].write(self._head)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system ends no stalled connections")
async def test_who_takes_nothing_of_an_answer_is_let_go(tmp_path: Path) -> None:
    async with world(tmp_path, config=with_limits(stall_seconds=1)) as w:
        s = await scene(w)
        chain = s.chain(s.client)
        for _ in range(4):
            await s.submit(s.client, chain.next("x" * 900_000)[0])
        body = m.encode_message(m.GetPage(s.book.ledger, s.section, 1, 0, 10, False, m.Form.ENVELOPE))
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", int(w.url.rpartition(":")[2])))
        connection.sendall(
            b"POST /v1/call HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
            % (s.owner.token.hex().encode(), len(body), body)
        )
        peer = connection.getsockname()
        try:
            for _ in range(200):
                if not is_connected(peer):
                    break
                await asyncio.sleep(0.05)
            assert not is_connected(peer)
        finally:
            connection.close()


def is_connected(peer: tuple[str, int]) -> bool:
    """Whether this machine still holds the server's side of a connection, by the system's own list."""
    port = f":{peer[1]:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[2].endswith(port) and line.split()[3] == "01" for line in lines)


async def test_of_files_nobody_learns_which_are_there(w: World) -> None:
    s = await scene(w)
    file = b"f" * 16
    await w.call(s.owner, m.StartFile(s.book.ledger, s.section, file, 100, 1, bytes(32)), m.FileState)
    stranger = await _stranger(w)
    before = stored(w.data)
    answers: set[tuple[int, bytes]] = set()
    for user in (stranger, s.client):
        for name in (file, b"g" * 16):
            for method in ("GET", "PUT"):
                # The client of the same dossier may write there, yet it is not their upload.
                headers = {"Authorization": f"Bearer {user.token.hex()}"}
                path = f"{w.url}/v1/files/{id_text(name)}/0"
                async with w.http.request(method, path, data=bytes(100), headers=headers) as response:
                    answers.add((response.status, await response.read()))
    assert len(answers) == 1
    assert code_of(answers.pop()[1]) is ErrorCode.NO_ACCESS
    await serves(w, before)


async def _stranger(w: World) -> User:
    _, secret = await w.create_organisation()
    user = User.new("stranger")
    await w.sign_up(user, secret)
    return user
