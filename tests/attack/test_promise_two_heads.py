"""A record with two heads, at the command line: both stay visible, and a person makes one of them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from zegel_client.client.filing import Filing
from zegel_client.engine.roles import BUDGET
from zegel_protocol import primitives
from zegel_protocol.envelope import TypeClass, read_envelope
from zegel_protocol.fields import Filed
from zegel_protocol.finance import Entry
from zegel_protocol.ids import ID_BYTES, id_text
from zegel_tools.attack.forger import Forger
from zegel_tools.attack.pen import Pen
from zegel_tools.attack.proxy import MaliciousServer
from zegel_tools.attack.room import BRAM, NOOR, sync_of
from zegel_tools.attack.shown_section import hash_of

if TYPE_CHECKING:
    from pathlib import Path

    from zegel_tools.attack.room import Room

pytestmark = pytest.mark.asyncio(loop_scope="module")

OLD, NEW, OTHER, SETTLED = 10_000, 12_500, 99_900, 11_000


def record_of(cents: int) -> dict[str, Any]:
    return {
        "group": "household",
        "category": "groceries",
        "party": "Winkel",
        "amount_cents": cents,
        "period": "month",
        "start": "2026-01-01",
    }


async def command(room: Room, server: str, *words: str) -> tuple[Any, list[str]]:
    """What the program prints for Noor, and its notes."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "zegel_client", "--server", server, "--as", NOOR, "--json", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "ZEGEL_PASSWORD": room.password},
    )
    out, err = await program.communicate()
    assert program.returncode == 0, err.decode()
    return json.loads(out), err.decode().splitlines()


async def test_two_heads_are_shown_until_a_person_makes_one_of_them(room: Room, tmp_path: Path) -> None:
    case = await room.new_case(bram="client")
    groceries = primitives.random_bytes(ID_BYTES)
    filing = await Filing.of(case.worker, case.budget)
    for cents in (OLD, NEW):
        await filing.put([Filed(groceries, Entry.from_record(record_of(cents)))])
    shown = await case.shown(case.budget.id)
    first = next(body for body in shown.bodies if read_envelope(body).header.record == groceries)
    pen = Pen(sync_of(await case.opened_by(room.client(BRAM))).replica, case.worker.section(BUDGET).id)
    stale = pen.seal(
        Entry.from_record(record_of(OTHER)).to_payload(),
        type=TypeClass.RECORD,
        record=groceries,
        slot=read_envelope(first).header.slot,
        parents=(hash_of(first),),
    )
    shown.bodies.append(stale)
    forger = Forger(room.noor.account)
    forger.show_section(shown)
    async with MaliciousServer(room.server, forger) as between:
        (record,), notes = await command(room, between.url, "records", id_text(case.ledger), BUDGET)
        assert record["id"] == id_text(groceries)
        amounts = {record["amount_cents"], *(other["amount_cents"] for other in record["conflicts"])}
        assert amounts == {NEW, OTHER}
        assert {name: record[name] for name in ("category", "party")} == {"category": "groceries", "party": "Winkel"}
        assert [set(other) for other in record["conflicts"]] == [set(record) - {"id", "conflicts"}]
        assert any("two people changed it" in note and id_text(groceries) in note for note in notes), notes

        # Totals say so too, and count one of both.
        totals, notes = await command(room, between.url, "overview", id_text(case.ledger), "--on", "2026-11-30")
        assert any("two people changed it" in note for note in notes), notes
        assert totals["spending_cents"] in {NEW, OTHER}

        given = tmp_path / "settled"
        given.write_text(json.dumps({**record_of(SETTLED), "id": id_text(groceries)}))
        await command(room, between.url, "put", id_text(case.ledger), BUDGET, str(given))
        (record,), notes = await command(room, between.url, "records", id_text(case.ledger), BUDGET)
        assert record["amount_cents"] == SETTLED
        assert "conflicts" not in record
        assert notes == []
    merged = read_envelope(shown.bodies[-1]).header
    assert set(merged.parents) == {hash_of(body) for body in shown.bodies[-3:-1]}
