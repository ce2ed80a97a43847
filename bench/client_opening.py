"""Opening a dossier with the SDK over the network: it costs what changed, not what exists."""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import aiohttp
from byte_relay import ByteRelay
from envelope_chain import TEXT
from report import Table
from server_process import ServerProcess

from zegel_client.client import Client
from zegel_client.client.filing import Filing
from zegel_protocol import primitives
from zegel_protocol.conversation.message import Message
from zegel_protocol.envelope import TypeClass
from zegel_protocol.fields import Filed
from zegel_protocol.finance import Debt, Entry, Group, Period
from zegel_protocol.ids import ID_BYTES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from zegel_client.client.dossier import Dossier
    from zegel_client.client.views import Record, Sent

T = TypeVar("T")

PASSWORD = "benchmark benchmark"  # noqa: S105 - of accounts that live for seconds
PAGE = 50
AT_ONCE = 250
_COUNTED = re.compile(r'zegel_requests_total\{request="(\w+)",result="\w+"\} (\d+)')


@dataclass(frozen=True, slots=True)
class Size:
    """How much a dossier holds."""

    name: str
    debts: int
    versions: int
    entries: int
    messages: int


@dataclass(slots=True)
class Visit:
    """What one visit took: per step milliseconds of this process's CPU, and in all requests and bytes received."""

    steps_ms: dict[str, float] = field(default_factory=dict[str, float])
    requests: Counter[str] = field(default_factory=Counter[str])
    received_bytes: int = 0


def measure(*, is_quick: bool) -> Table:
    """Runs the benchmark."""
    short, long = Size("short", 150, 2, 300, 1_000), Size("long", 150, 20, 300, 10_000)
    if is_quick:
        short, long = Size("short", 15, 2, 24, 200), Size("long", 15, 4, 24, 400)
    with tempfile.TemporaryDirectory(prefix="zegel-opening-") as folder:
        return asyncio.run(_measure(ServerProcess(Path(folder)), (short, long)))


async def _measure(server: ServerProcess, sizes: Sequence[Size]) -> Table:
    await server.start()
    relay = ByteRelay(server.port)
    try:
        port = await relay.start()
        house = _House(server, f"http://127.0.0.1:{port}", relay)
        await house.found()
        rows: list[tuple[str, ...]] = []
        for size in sizes:
            dossier = await house.fill(size)
            first = await house.visit(dossier, size)
            rows.append(_row(f"{size.name}, without memory", first))
            again = await house.visit(dossier, size)
            rows.append(_row(f"{size.name}, with memory", again))
            changed = await house.change_a_debt(dossier)
            rows.append(_row(f"{size.name}, change one debt", changed))
        return Table(
            "SDK: opening a dossier over the network",
            f"A new device signs in, opens a dossier, shows the newest {PAGE} messages, all debts and all entries. "
            f"{' '.join(map(_describe, sizes))} CPU of the client in ms; logging in (Argon2id) is not counted.",
            ("dossier", "open", f"newest {PAGE}", "debts", "entries", "KiB received", "requests"),
            tuple(rows),
        )
    finally:
        await relay.stop()
        await server.stop()


def _describe(size: Size) -> str:
    return (
        f"*{size.name.capitalize()}*: {size.debts} debts of {size.versions} versions, {size.entries} entries, "
        f"{size.messages:,} messages."
    )


def _row(name: str, visit: Visit) -> tuple[str, ...]:
    steps = [f"{visit.steps_ms[step]:.1f}" if step in visit.steps_ms else "" for step in _House.STEPS]
    asked = ", ".join(f"{count} {kind}" for kind, count in sorted(visit.requests.items()))
    return (name, *steps, f"{visit.received_bytes / 1024:.1f}", asked)


class _House:
    """One who writes dossiers, and a colleague who opens them."""

    STEPS = ("open", "messages", "debts", "entries")

    def __init__(self, server: ServerProcess, address: str, relay: ByteRelay) -> None:
        self._server = server
        self._address = address
        self._relay = relay

    async def found(self) -> None:
        """Makes the organisation and both accounts."""
        organisation, secret = await asyncio.to_thread(self._server.create_organisation, "Benchmarks")
        writer, _ = await Client.sign_up(self._server.address, secret, "writer", PASSWORD)
        async with writer:
            await writer.create_organisation("Benchmarks", organisation)
            invitation, _ = await writer.invite_colleague("Reader")
            reader, _ = await Client.sign_up(self._server.address, invitation, "reader", PASSWORD)
            await reader.close()
            await writer.welcome()

    async def fill(self, size: Size) -> bytes:
        """Makes a dossier of a size, and adds the reader."""
        async with await Client.log_in(self._server.address, "writer", PASSWORD) as writer:
            dossier = await writer.create_dossier(f"Household, {size.name}", "2026-01-01", "letter")
            await _write_messages(dossier, size.messages)
            await _write_records(dossier, "debts", [_debt(number, 0) for number in range(size.debts)])
            for version in range(1, size.versions):
                await _change_all(dossier, version)
            await _write_records(dossier, "budget", [_entry(number) for number in range(size.entries)])
            await dossier.add("reader", "caseworker")
            return dossier.id

    async def visit(self, dossier_id: bytes, size: Size) -> Visit:
        """Opens the dossier on a new device of the reader and shows what is in it."""
        async with await Client.log_in(self._address, "reader", PASSWORD) as reader:
            found = Visit()
            before = await self._count()
            self._relay.received_bytes = 0
            dossier = await _timed(found, "open", reader.open(dossier_id))
            conversation = dossier.section("conversation")
            shown = await _timed(found, "messages", conversation.read(PAGE))
            debts = await _timed(found, "debts", dossier.section("debts").records())
            entries = await _timed(found, "entries", dossier.section("budget").records())
            found.received_bytes = self._relay.received_bytes
            found.requests = await self._count() - before
            if len(shown) != PAGE or _count_kind(debts, "debt") != size.debts:
                raise AssertionError("the dossier was not shown whole")
            if _count_kind(entries, "entry") != size.entries or dossier.alarms:
                raise AssertionError("the dossier was not shown whole, or not without an alarm")
            # What a client does once everything stands on the screen; the memory is written as it closes.
            await conversation.mark_read()
        return found

    async def change_a_debt(self, dossier_id: bytes) -> Visit:
        """Changes one amount in an open dossier."""
        async with await Client.log_in(self._address, "writer", PASSWORD) as writer:
            filing = await Filing.of(dossier := await writer.open(dossier_id), dossier.section("debts"))
            found = Visit()
            before = await self._count()
            self._relay.received_bytes = 0
            first = filing.of_type(Debt)[0]
            await _timed(found, "debts", filing.put([Filed(first.id, _debt(0, 1_000_000).record)]))
            found.received_bytes = self._relay.received_bytes
            found.requests = await self._count() - before
        return found

    async def _count(self) -> Counter[str]:
        async with aiohttp.ClientSession() as session, session.get(f"{self._server.address}/metrics") as told:
            text = await told.text()
        return Counter({kind: int(count) for kind, count in _COUNTED.findall(text)})


async def _timed(visit: Visit, step: str, work: Awaitable[T]) -> T:
    began = time.process_time_ns()
    result = await work
    visit.steps_ms[step] = (time.process_time_ns() - began) / 1_000_000
    return result


async def _write_messages(dossier: Dossier, count: int) -> None:
    section = dossier.section("conversation")
    for at in range(0, count, AT_ONCE):
        texts = [Message(text=f"{number} {TEXT}") for number in range(at, min(at + AT_ONCE, count))]
        await asyncio.gather(*(section.submit_payload(text.to_payload(), type=TypeClass.MESSAGE) for text in texts))


async def _write_records(dossier: Dossier, kind: str, items: Sequence[Filed[Debt] | Filed[Entry]]) -> None:
    await (await Filing.of(dossier, dossier.section(kind))).put(items)


async def _change_all(dossier: Dossier, version: int) -> None:
    """Writes a further version of every debt."""
    section = dossier.section("debts")
    filing = await Filing.of(dossier, section)
    sent: list[Awaitable[Sent]] = []
    for number, reading in enumerate(reading for reading in filing.readings if isinstance(reading.payload, Debt)):
        head = reading.record.heads[0]
        payload = _debt(number, version).record.to_payload()
        sent.append(
            section.submit_payload(
                payload, type=TypeClass.RECORD, record=reading.record.id, slot=head.slot, parents=(head.hash,)
            )
        )
    await asyncio.gather(*sent)


def _debt(number: int, version: int) -> Filed[Debt]:
    debt = Debt(
        category=("health_insurer", "tax_office", "energy", "mail_order")[number % 4],
        creditor=f"Creditor {number}",
        reference=f"R-{number:06}",
        outstanding_cents=100_000 + number * 1_000 - version * 100,
        agreed_monthly_cents=2_500,
        as_of=date(2026, 1, 1),
    )
    return Filed(primitives.random_bytes(ID_BYTES), debt)


def _entry(number: int) -> Filed[Entry]:
    year, month = 2022 + number // 60, 1 + number // 5 % 12
    entry = Entry(
        group=Group.FIXED,
        category=("rent", "energy", "water", "insurance", "local_tax")[number % 5],
        party=f"Party {number % 5}",
        amount_cents=10_000 + number,
        period=Period.MONTH,
        start=date(year, month, 1),
    )
    return Filed(primitives.random_bytes(ID_BYTES), entry)


def _count_kind(records: Sequence[Record], kind: str) -> int:
    return sum(1 for record in records if record.payload is not None and record.payload.get("kind") == kind)
