"""The shipped server, started as anybody starts it, with all its checks on.

Only limits that count people or requests are raised: a load generator is many people at one address.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
from pathlib import Path

from zegel_protocol.ids import LedgerId, parse_id
from zegel_protocol.invite_secret import InviteSecret

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60
STOP_SECONDS = 30
_CONFIG = """\
[log_in]
per_address_per_minute = 1000000
[limits]
connections_per_address = 20000
open_requests_per_minute = 1000000
requests_per_second = 1000000
request_burst = 1000000
invitations_per_day = 1000000
ledgers_per_day = 1000000
"""


class ServerProcess:
    """One server on a free port of the loopback, with its data in a folder of its own.

    Attributes:
        folder: Where `config.toml`, `data` and `server.log` lie.
        port: Where it listens.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.toml").write_text(_CONFIG, encoding="utf-8")

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data"

    @property
    def address(self) -> str:
        """Its address, which is also the origin that log-in proofs name."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """Its process id."""
        if self._process is None:
            raise RuntimeError("the server does not run")
        return self._process.pid

    async def start(self) -> None:
        """Starts it and waits until it is ready.

        Raises:
            RuntimeError: It ended, or was not ready in time; `server.log` says why.
        """
        self._process = self._spawn()
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while not await self._is_ready():
            if self._process.poll() is not None or asyncio.get_running_loop().time() > deadline:
                raise RuntimeError(f"the server did not start: see {self.folder / 'server.log'}")
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Stops it cleanly; its data stays, and `start` works again."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # A server that does not stop must not stay behind; what it left is in its log.
            process.kill()
            await asyncio.to_thread(process.wait)

    def create_organisation(self, name: str) -> tuple[LedgerId, InviteSecret]:
        """Makes the permission for an organisation, as its operator does; returns its id and the owner's invitation."""
        done = subprocess.run(
            [str(ROOT / "zegel"), "organisation", "create", name, "--json", "--data", str(self.data)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            text=True,
        )
        told = json.loads(done.stdout)
        return LedgerId(parse_id(told["organisation"])), InviteSecret.parse(told["invitation"])

    def _spawn(self) -> subprocess.Popen[bytes]:
        words = ["serve", "--config", str(self.folder / "config.toml"), "--data", str(self.data)]
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.Popen(
                [str(ROOT / "zegel"), *words, "--port", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def _is_ready(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            # Nobody listens yet.
            return False
        try:
            writer.write(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return b" 200 " in await reader.readline()
        finally:
            writer.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
