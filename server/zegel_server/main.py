"""The composition root: builds the real parts once, passes them in, starts and stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from zegel_protocol.errors import ErrorCode
from zegel_server.clock import SystemClock
from zegel_server.http.addresses import Addresses
from zegel_server.http.connections import LimitedServer
from zegel_server.http.live import Live
from zegel_server.http.routes import Routes
from zegel_server.log import EventName, LibraryFaults, Log
from zegel_server.metrics import Metrics
from zegel_server.secrets_file import SecretsError, load_secrets
from zegel_server.services.accounts import Accounts
from zegel_server.services.append import Appends
from zegel_server.services.challenges import Challenges
from zegel_server.services.delivery import Delivery
from zegel_server.services.dispatch import Dispatch, Services
from zegel_server.services.files import Files
from zegel_server.services.hub import Hub
from zegel_server.services.invitations import Invitations
from zegel_server.services.ledger_reading import LedgerReading
from zegel_server.services.ledgers import Ledgers
from zegel_server.services.memories import Memories
from zegel_server.services.origins import Origins
from zegel_server.services.pages import Pages
from zegel_server.services.receipts import Receipts
from zegel_server.services.room import Room
from zegel_server.services.sessions import Sessions
from zegel_server.services.submit import Submits
from zegel_server.store import accounts
from zegel_server.store.database import Database
from zegel_server.store.errors import StoreError
from zegel_server.store.file_folder import FileFolder

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

    from zegel_protocol.server_secrets import ServerSecrets
    from zegel_server.clock import Clock
    from zegel_server.config import Config

NOTICE_SECONDS = 2
DISK_SECONDS = 2
SWEEP_SECONDS = 60
STALL_CHECK_SECONDS = 5
BACKLOG = 2048


class StartError(Exception):
    """The server cannot start; the message says why in one sentence."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers.

    Attributes:
        url: Where, such as ``http://127.0.0.1:8460``.
        data: The folder that holds everything.
        sweep: Does the housekeeping of each minute now.
    """

    url: str
    data: Path
    sweep: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The places in the data folder."""

    root: Path

    @property
    def database(self) -> Path:
        """The database."""
        return self.root / "zegel.db"

    @property
    def secrets(self) -> Path:
        """Pepper and token key."""
        return self.root / "secrets"

    @property
    def files(self) -> Path:
        """Sealed files."""
        return self.root / "files"

    @property
    def lock(self) -> Path:
        """Held by the one server of this folder."""
        return self.root / "lock"

    def prepare(self) -> tuple[ServerSecrets, bool]:
        """Makes the folder and the secrets where there are none.

        Returns:
            The secrets, and whether they are new.

        Raises:
            StartError: The folder or the secrets cannot be used.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            return load_secrets(self.secrets, may_make=not self.database.exists())
        except OSError as error:
            raise StartError(f"{self.root}: {error.strerror}") from None
        except SecretsError as error:
            raise StartError(str(error)) from None


@contextlib.asynccontextmanager
async def running_server(
    config: Config, clock: Clock | None = None, log: Log | None = None
) -> AsyncGenerator[RunningServer, None]:
    """Runs a server in this event loop until the block ends, then stops it cleanly.

    Args:
        config: Port 0 takes a free one.
        clock: The machine's unless given.
        log: Standard error unless given.

    Raises:
        StartError: It cannot start.
    """
    clock = clock or SystemClock()
    log = log or Log(clock)
    folder = DataFolder(Path(config.storage.data))
    secrets, is_new = await asyncio.to_thread(folder.prepare)
    if is_new:
        log.event(EventName.SECRETS_MADE)
    with _only_one(folder), _library_faults(log):
        database = Database(folder.database, config.storage.readers)
        try:
            before, after = await database.open()
        except StoreError as error:
            raise StartError(f"{folder.database}: {error}") from None
        if before != after:
            log.event(EventName.SCHEMA_MIGRATED, schema=after)
        parts = _build(config, clock, log, database, secrets, folder)
        try:
            async with parts.serve() as url:
                yield RunningServer(url, folder.root, parts.sweep)
        finally:
            await database.close()
            log.event(EventName.STOPPED)


@contextlib.contextmanager
def _only_one(folder: DataFolder) -> Generator[None, None, None]:
    try:
        lock = folder.lock.open("w")
    except OSError as error:
        raise StartError(f"{folder.lock}: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartError(f"another server runs on {folder.root}") from None
        yield


@contextlib.contextmanager
def _library_faults(log: Log) -> Generator[None, None, None]:
    """Sends what aiohttp and asyncio complain about to our log while the server runs."""
    handler = LibraryFaults(log)
    loggers = [logging.getLogger(name) for name in ("aiohttp", "asyncio")]
    before = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, propagate in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.propagate = propagate


@dataclass(slots=True)
class _Parts:
    """What must be started and stopped."""

    config: Config
    log: Log
    database: Database
    services: Services
    ledgers: Ledgers
    room: Room
    live: Live
    routes: Routes
    server_factory: Callable[[], LimitedServer]
    metrics: Metrics

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncGenerator[str, None]:
        """Listens until the block ends; then refuses, finishes what was accepted, and closes."""
        context = self._tls()
        await self.room.look_at_disk()
        server = self.server_factory()
        runner = web.ServerRunner(server, shutdown_timeout=5.0)
        await runner.setup()
        host, port = self.config.server.host, self.config.server.port
        site = web.TCPSite(runner, host, port, ssl_context=context, backlog=BACKLOG)
        try:
            await site.start()
        except UnicodeError:
            await runner.cleanup()
            raise StartError(f"cannot listen on {host} port {port}: it is no name of a host") from None
        except OSError as error:
            await runner.cleanup()
            # asyncio wraps the reason in words of its own; of a name that is not found there is only its text.
            number = error.errno or 0
            reason = os.strerror(number) if number > 0 else error.strerror
            raise StartError(f"cannot listen on {host} port {port}: {reason}") from None
        self.metrics.add_gauge("connections", "TCP connections.", lambda: server.connection_count)
        url = f"{'https' if context else 'http'}://{f'[{host}]' if ':' in host else host}:{site.port}"
        tasks = [
            asyncio.create_task(self._repeat(STALL_CHECK_SECONDS, self._drop_stalled)),
            asyncio.create_task(self._repeat(NOTICE_SECONDS, self._read_notices)),
            asyncio.create_task(self._repeat(DISK_SECONDS, self.room.look_at_disk)),
            asyncio.create_task(self._repeat(SWEEP_SECONDS, self.sweep)),
        ]
        self.routes.is_ready = True
        self.log.event(EventName.STARTED, host=host, port=site.port, tls=context is not None)
        try:
            yield url
        finally:
            self.log.event(EventName.STOPPING)
            self.routes.is_ready = False
            self.live.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.services.submits.settle()
            await self.database.drain()
            await self.live.close_all()
            await runner.cleanup()

    def _tls(self) -> ssl.SSLContext | None:
        server = self.config.server
        if not server.certificate:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(server.certificate, server.private_key)
        except (OSError, ssl.SSLError) as error:
            reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
            reason = reason or "the files hold no certificate and its key"
            raise StartError(f"the certificate cannot be used: {reason}") from None
        return context

    async def _repeat(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - housekeeping goes on after a fault
                self.log.fault(error, request="housekeeping")

    async def _drop_stalled(self) -> None:
        self.live.drop_stalled()

    async def _read_notices(self) -> None:
        """Commands beside the server left word of whom they blocked or deleted."""
        if await self.database.read(accounts.has_notices):
            for account in await self.database.write(accounts.take_notices):
                self.services.hub.end_account(account, ErrorCode.SESSION_ENDED)

    async def sweep(self) -> None:
        """Ends sessions and drops files whose time has come."""
        await self.services.sessions.sweep()
        await self.services.files.sweep()


def _build(
    config: Config, clock: Clock, log: Log, database: Database, secrets: ServerSecrets, folder: DataFolder
) -> _Parts:
    hub = Hub()
    metrics = Metrics()
    limits, storage = config.limits, config.storage
    ledgers = Ledgers(database, clock, storage.cached_ledgers)
    delivery = Delivery(hub, clock)
    room = Room(database, storage, log, folder.root)
    origins = Origins(config.server.public_url, config.server.allowed_origins)
    sessions = Sessions(database, secrets, clock, config.sessions, hub)
    challenges = Challenges(clock, config.log_in.open_challenges)
    services = Services(
        accounts=Accounts(database, secrets, clock, config.log_in, challenges, origins, sessions, hub),
        appends=Appends(database, ledgers, clock, limits, storage, delivery, room),
        files=Files(database, ledgers, clock, FileFolder(folder.files), storage, limits, room),
        hub=hub,
        invitations=Invitations(database, ledgers, clock, delivery, limits.claims_per_invitation),
        memories=Memories(database, ledgers, delivery, room, storage.memory_bytes),
        pages=Pages(database, ledgers, clock),
        reading=LedgerReading(database, ledgers, clock, hub, limits),
        receipts=Receipts(database, ledgers, clock, delivery),
        sessions=sessions,
        submits=Submits(database, ledgers, clock, log, delivery, room),
    )
    dispatch = Dispatch(services, clock, limits, log, metrics)
    live = Live(dispatch, clock, limits, log, metrics)
    addresses = Addresses(config.server.trusted_proxies)
    routes = Routes(
        dispatch,
        live,
        addresses,
        origins,
        metrics,
        most_calls=limits.calls_per_account,
        public_metrics=config.server.public_metrics,
    )
    started = time.monotonic()
    metrics.add_gauge("up_seconds", "Since the start.", lambda: time.monotonic() - started)
    metrics.add_gauge("live_connections", "WebSockets with a session.", lambda: len(hub))
    metrics.add_gauge("ledgers_cached", "Ledgers in memory.", lambda: len(ledgers))
    metrics.add_gauge("commits_total", "Commits of the database.", lambda: database.batches)
    metrics.add_gauge("writes_total", "Writes in these commits.", lambda: database.jobs)
    metrics.add_gauge("largest_commit_writes", "Most writes in one commit.", lambda: database.largest)
    metrics.add_gauge("queued_writes", "Writes that wait for the running commit.", lambda: database.queued)
    metrics.add_gauge("queued_bytes", "What waits for readers of live connections.", lambda: live.queued_bytes)
    metrics.add_gauge("delivered_total", "Envelopes sent to readers as they came.", lambda: delivery.delivered)
    metrics.add_gauge("database_bytes", "Size of the database file.", lambda: database.size_bytes)
    metrics.add_gauge("free_bytes", "Free space on the disk.", lambda: room.free_bytes)
    return _Parts(
        config,
        log,
        database,
        services,
        ledgers,
        room,
        live,
        routes,
        lambda: LimitedServer(routes.handle, limits, config.server.trusted_proxies),
        metrics,
    )
