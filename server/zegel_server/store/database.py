"""The database: one writer that commits in groups, and a few readers, each in a thread of its own.

**Group commit.** Jobs gather while the writer's last commit runs; then all of them are committed at once, and only
after that is any of them said to be done. A failing job does not fail its group: the transaction is rolled back and
repeated with a savepoint around each job. Jobs may name a group (a ledger); once one of a group fails, later ones of
that group are not tried (`DisplacedError`), since they were made to stand on it.

Jobs are functions of the connection alone and may run twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from zegel_server.store import schema
from zegel_server.store.errors import ConflictError, DisplacedError, NoSpaceError, StoreError

if TYPE_CHECKING:
    from pathlib import Path

Connection = sqlite3.Connection
P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")

PAGE_BYTES = 8192
"""Holds five sealed messages with little to spare; one of 4 KiB two, and larger ones leave more of themselves free."""
BUSY_SECONDS = 10
_CACHE_KIB = 65_536
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}

Rows = Callable[[Connection, Sequence[Any]], None]
"""Writes many rows of one kind."""


def connect(path: Path, *, is_reader: bool = False) -> Connection:
    """Opens a connection with the settings that everything here relies on."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS, cached_statements=512
    )
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # What was erased is overwritten; without a word some builds of SQLite do that and some do not.
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    if is_reader:
        connection.execute("PRAGMA query_only = ON")
    return connection


@dataclass(slots=True, eq=False)
class _Job:
    """One write: a function with its result, or a row for `rows`, which takes all neighbouring ones at once."""

    run: Callable[[Connection], object] | None
    rows: Rows | None
    row: object
    group: bytes
    done: Callable[[object, Exception | None], None]


_Outcome = tuple[object, Exception | None]


class Database:
    """Doors to the one database of an installation.

    Attributes:
        batches: Commits so far.
        jobs: Jobs committed so far.
        largest: Most jobs in one commit.
        size_bytes: Of the database file after the last commit, its write-ahead log left out.
    """

    def __init__(self, path: Path, readers: int) -> None:
        self._path = path
        self._readers = readers
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pending: list[_Job] = []
        self._is_busy = False
        self._batches: queue.SimpleQueue[list[_Job] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._local = threading.local()
        self._opened: list[Connection] = []
        self._idle: asyncio.Event | None = None
        self.batches = 0
        self.jobs = 0
        self.largest = 0
        self.size_bytes = 0

    async def open(self) -> tuple[int, int]:
        """Opens and migrates the database and starts the threads.

        Returns:
            The version of the schema before (0: new) and after.

        Raises:
            StoreError: It cannot be opened or was made by a newer version.
        """
        self._loop = asyncio.get_running_loop()
        self._idle = asyncio.Event()
        self._idle.set()
        self._pool = ThreadPoolExecutor(self._readers, thread_name_prefix="zegel-reader")
        versions = await self._loop.run_in_executor(self._pool, prepare, self._path)
        writer = await self._loop.run_in_executor(self._pool, _connect, self._path)
        self._thread = threading.Thread(target=self._write_forever, args=(writer,), name="zegel-writer")
        self._thread.start()
        return versions

    async def close(self) -> None:
        """Waits until everything that was asked for is written, then closes."""
        if self._thread is None or self._pool is None or self._idle is None or self._loop is None:
            return
        await self._idle.wait()
        self._batches.put(None)
        pool, self._pool = self._pool, None
        await asyncio.to_thread(self._end, self._thread, pool)

    def _end(self, writer: threading.Thread, readers: ThreadPoolExecutor) -> None:
        writer.join()
        readers.shutdown(wait=True)
        for connection in self._opened:
            connection.close()

    async def drain(self) -> None:
        """Waits until everything that was asked for so far is written."""
        if self._idle is not None:
            await self._idle.wait()

    @property
    def queued(self) -> int:
        """Jobs that wait for the running commit."""
        return len(self._pending)

    # --- reading ---

    async def read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a query in a reader's thread, on what is committed."""
        if self._pool is None or self._loop is None:
            raise StoreError("the database is closed")
        return await self._loop.run_in_executor(self._pool, lambda: self._read(function, *args, **kwargs))

    def _read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        connection = cast("Connection | None", getattr(self._local, "connection", None))
        if connection is None:
            connection = _connect(self._path, is_reader=True)
            self._local.connection = connection
            self._opened.append(connection)
        try:
            # One transaction, so that several queries of one function see one state.
            connection.execute("BEGIN")
            return function(connection, *args, **kwargs)
        except sqlite3.Error as error:
            raise _translate(error) from error
        finally:
            if connection.in_transaction:
                connection.execute("COMMIT")

    # --- writing ---

    async def write(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a function in the writer's next transaction and returns when that is durable.

        Raises:
            StoreError: It was not done, and nothing of it stays.
        """
        return await self.write_in(b"", function, *args, **kwargs)

    async def write_in(
        self, group: bytes, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As `write`, as one of a group (see the module)."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def done(result: object, error: Exception | None) -> None:
            if future.cancelled():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(cast("T", result))

        self._submit(_Job(lambda connection: function(connection, *args, **kwargs), None, None, group, done))
        return await future

    def write_row(
        self,
        rows: Callable[[Connection, Sequence[R]], None],
        row: R,
        group: bytes,
        done: Callable[[Exception | None], None],
    ) -> None:
        """Hands one row to the writer; `done` is called in the loop when it is durable or was refused."""
        self._submit(_Job(None, rows, row, group, lambda _, error: done(error)))

    def write_soon(
        self, function: Callable[[Connection], None], group: bytes, done: Callable[[Exception | None], None]
    ) -> None:
        """As `write_row`, for a function."""
        self._submit(_Job(function, None, None, group, lambda _, error: done(error)))

    def _submit(self, job: _Job) -> None:
        if self._loop is None or self._idle is None or self._pool is None:
            raise StoreError("the database is closed")
        self._pending.append(job)
        if not self._is_busy:
            self._is_busy = True
            self._idle.clear()
            # Not at once: whatever else this turn of the loop brings goes into the same commit.
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        batch, self._pending = self._pending, []
        self.batches += 1
        self.jobs += len(batch)
        self.largest = max(self.largest, len(batch))
        self._batches.put(batch)

    def _finish(self, batch: list[_Job], outcomes: list[_Outcome]) -> None:
        failed = {job.group for job, (_, error) in zip(batch, outcomes, strict=True) if error is not None and job.group}
        displaced = [job for job in self._pending if job.group in failed] if failed else []
        if displaced:
            self._pending = [job for job in self._pending if job.group not in failed]
        if self._pending:
            self._flush()
        else:
            self._is_busy = False
        for job, (result, error) in zip(batch, outcomes, strict=True):
            job.done(result, error)
        for job in displaced:
            job.done(None, DisplacedError())
        if not self._is_busy and self._idle is not None:
            self._idle.set()

    # --- the writer's thread ---

    def _write_forever(self, connection: Connection) -> None:
        while (batch := self._batches.get()) is not None:
            outcomes = _commit(connection, batch)
            self.size_bytes = self._path.stat().st_size
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._finish, batch, outcomes)
        connection.close()


def _connect(path: Path, *, is_reader: bool = False) -> Connection:
    try:
        return connect(path, is_reader=is_reader)
    except sqlite3.Error as error:
        raise _translate(error) from error


def prepare(path: Path) -> tuple[int, int]:
    """Opens and migrates the database; returns the versions of the schema before and after.

    Raises:
        StoreError: It cannot be opened or was made by a newer version.
    """
    try:
        connection = connect(path)
        try:
            return schema.migrate(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _translate(error) from error


def run_alone(path: Path, function: Callable[[Connection], T]) -> T:
    """Runs one function in a transaction of its own, for commands; safe beside a running server.

    Raises:
        StoreError: It was not done, and nothing of it stays.
    """
    try:
        connection = connect(path)
        try:
            connection.execute("BEGIN IMMEDIATE")
            result = function(connection)
            connection.execute("COMMIT")
        finally:
            _roll_back(connection)
            connection.close()
    except sqlite3.Error as error:
        raise _translate(error) from error
    return result


def _commit(connection: Connection, batch: list[_Job]) -> list[_Outcome]:
    try:
        return _commit_together(connection, batch)
    except Exception as error:  # noqa: BLE001 - whatever a job raises is handed to who asked for it
        _roll_back(connection)
        failure = _translate(error)
        if len(batch) == 1 or isinstance(failure, NoSpaceError):
            return [(None, failure)] * len(batch)
    try:
        return _commit_one_by_one(connection, batch)
    except sqlite3.Error as error:
        # The transaction itself failed: nothing of the batch is there.
        _roll_back(connection)
        return [(None, _translate(error))] * len(batch)


def _commit_together(connection: Connection, batch: list[_Job]) -> list[_Outcome]:
    outcomes: list[_Outcome] = []
    connection.execute("BEGIN IMMEDIATE")
    at = 0
    while at < len(batch):
        job = batch[at]
        if job.run is not None:
            outcomes.append((job.run(connection), None))
            at += 1
            continue
        end = at + 1
        while end < len(batch) and batch[end].rows is job.rows:
            end += 1
        _write_rows(connection, batch[at:end])
        outcomes.extend([(None, None)] * (end - at))
        at = end
    connection.execute("COMMIT")
    return outcomes


def _write_rows(connection: Connection, jobs: list[_Job]) -> None:
    rows = jobs[0].rows
    if rows is not None:
        rows(connection, [job.row for job in jobs])


def _commit_one_by_one(connection: Connection, batch: list[_Job]) -> list[_Outcome]:
    outcomes: list[_Outcome] = []
    failed: set[bytes] = set()
    connection.execute("BEGIN IMMEDIATE")
    for job in batch:
        if job.group in failed:
            outcomes.append((None, DisplacedError()))
            continue
        connection.execute("SAVEPOINT job")
        try:
            result: object = None
            if job.run is not None:
                result = job.run(connection)
            else:
                _write_rows(connection, [job])
        except Exception as error:
            failure = _translate(error)
            if isinstance(failure, NoSpaceError):
                raise
            connection.execute("ROLLBACK TO job")
            if job.group:
                failed.add(job.group)
            outcomes.append((None, failure))
        else:
            outcomes.append((result, None))
        connection.execute("RELEASE job")
    connection.execute("COMMIT")
    return outcomes


def _roll_back(connection: Connection) -> None:
    if connection.in_transaction:
        # Where even this fails nothing becomes durable either; the next transaction begins with another try.
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def _translate(error: Exception) -> Exception:
    if isinstance(error, sqlite3.IntegrityError):
        return ConflictError(str(error))
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) or 0
        return NoSpaceError(str(error)) if code & 0xFF in _FULL else StoreError(str(error))
    return error
