"""A server in a process of its own, so that it can be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

PATIENCE_S = 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class ServerProcess:
    """Runs ``zegel serve`` on a data folder, always on the same port. Blocks; a context manager.

    Args:
        data: The folder; its parent takes log and configuration.
        settings: TOML, where it is not all as by default.
    """

    def __init__(self, data: Path, settings: str = "") -> None:
        self.data = data
        self._config = data.parent / "server.toml"
        self._config.write_text(settings, encoding="utf-8")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._log = (data.parent / "server.log").open("ab")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._log.close()

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has written."""
        return (self.data.parent / "server.log").read_text(encoding="utf-8")

    def start(self) -> None:
        """Starts it and waits until it is ready."""
        words = ["serve", "--config", str(self._config), "--data", str(self.data), "--port", str(self.port)]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "zegel_server", *words],
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        deadline = time.monotonic() + PATIENCE_S
        while not self._is_ready():
            assert self._process.poll() is None, self.log[-500:]
            assert time.monotonic() < deadline, "the server does not get ready"
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        asking = HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(asking), contextlib.suppress(OSError, HTTPException):  # not listening yet
            asking.request("GET", "/ready")
            return asking.getresponse().status == 200
        return False

    def signal(self, number: int) -> int:
        """Sends a signal and waits for the end; returns the exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(PATIENCE_S)

    def kill(self) -> None:
        """SIGKILL, wherever it is."""
        if self._process is not None and self._process.poll() is None:
            self.signal(signal.SIGKILL)
