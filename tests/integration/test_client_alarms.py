"""When what a server shows contradicts what was verified, a client keeps what it has and sends nothing more there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from support.pair import Pair, pair

from zegel_protocol.errors import ErrorCode, HistoryError
from zegel_protocol.messages import (
    Answer,
    AppendEntry,
    Entries,
    GetPage,
    Page,
    PutMemory,
    PutReceipt,
    Submit,
)
from zegel_protocol.transcript import Point
from zegel_tools.attack.proxy import MaliciousServer
from zegel_tools.attack.schemer import Schemer
from zegel_tools.vectors.seeds import flipped

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zegel_tools.attack.schemer import Asked

_SENDS = (Submit, PutReceipt, PutMemory, AppendEntry)


class Bender(Schemer):
    """Changes pages, from when it is told to."""

    def __init__(self, bend: Callable[[Page], Page]) -> None:
        super().__init__()
        self.bend = bend
        self.is_on = False

    def on_answer(self, request: Asked, answer: Answer) -> Answer:
        if self.is_on and isinstance(request, GetPage) and isinstance(answer, Page):
            return self.bend(answer)
        return answer


def forget_the_newest(page: Page) -> Page:
    return Page(page.items[:-1], Point(page.head.position - 1, bytes(32)))


def name_another_head(page: Page) -> Page:
    return Page(page.items, Point(page.head.position, bytes(32)))


def swap_two(page: Page) -> Page:
    first, second = page.items[0], page.items[1]
    swapped = (replace(first, body=second.body), replace(second, body=first.body), *page.items[2:])
    return Page(swapped, page.head)


def drop_the_middle(page: Page) -> Page:
    kept = [item for number, item in enumerate(page.items) if number != 1]
    moved = tuple(replace(item, position=number) for number, item in enumerate(kept, 1))
    return Page(moved, Point(page.head.position - 1, bytes(32)))


async def write_some(two: Pair) -> None:
    for number in range(3):
        await two.own_section().send(f"bericht {number}")
        await two.their_section().read()


@pytest.mark.parametrize(
    ("bend", "codes"),
    [
        (name_another_head, {ErrorCode.TRANSCRIPT}),
        (swap_two, {ErrorCode.FORK, ErrorCode.TRANSCRIPT, ErrorCode.GAP}),
        (drop_the_middle, {ErrorCode.GAP, ErrorCode.FORK}),
    ],
)
async def test_a_bent_history_freezes_the_dossier(
    tmp_path: Path, bend: Callable[[Page], Page], codes: set[ErrorCode]
) -> None:
    async with pair(tmp_path / "data") as two:
        await write_some(two)
        schemer = Bender(bend)
        schemer.is_on = True
        async with MaliciousServer(two.server.url, schemer) as proxy:
            device = await two.device(server=proxy.url)
            dossier = await device.open(two.own.id)
            section = dossier.section("conversation")
            with pytest.raises(HistoryError) as raised:
                await section.read()
            assert raised.value.code in codes
            asked = len(schemer.asked)
            for attempt in (
                section.send("toch"),
                section.mark_read(),
                section.read(),
                dossier.remove(two.worker.account),
            ):
                with pytest.raises(HistoryError):
                    await attempt
            assert [alarm.is_frozen for alarm in dossier.alarms][:1] == [True]
            assert dossier.evidence
            await device.close()
            assert not [request for request in schemer.asked[asked:] if isinstance(request, _SENDS)]
        assert [message.text for message in await two.own_section().read()] == [f"bericht {n}" for n in range(3)]


async def test_what_was_read_stays_shown_and_other_dossiers_go_on(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        other = await two.worker.create_dossier("Een ander", "2026-01-02", "brief")
        schemer = Bender(forget_the_newest)
        async with MaliciousServer(two.server.url, schemer) as proxy:
            device = await two.device("w1", server=proxy.url)
            dossier = await device.open(two.own.id)
            section = dossier.section("conversation")
            await section.send("een")
            await section.send("twee")
            await two.their_section().send("drie")
            assert [message.text for message in await section.read()] == ["een", "twee", "drie"]
            schemer.is_on = True
            with pytest.raises(HistoryError):
                await section.read()
            assert dossier.title == "Een huishouden"
            assert [member.name for member in dossier.members()] == ["Marijke Österlund", "Noor Bakker"]
            schemer.is_on = False
            assert (await (await device.open(other.id)).section("notes").send("nog heel")).position == 1
            await device.close()


async def test_a_device_with_memory_is_not_shown_an_older_state(tmp_path: Path) -> None:
    class Older(Schemer):
        """Shows the ledger without its newest entry."""

        def on_answer(self, request: Asked, answer: Answer) -> Answer:
            if isinstance(answer, Entries) and answer.head_index > 3:
                cut = max(answer.head_index - 1, 0)
                return Entries(answer.first, answer.entries[: max(cut + 1 - answer.first, 0)], cut, bytes(32))
            return super().on_answer(request, answer)

    async with pair(tmp_path / "data") as two:
        device = await two.device()
        await device.open(two.own.id)
        await device.close()  # its memory is kept at the server, sealed
        async with MaliciousServer(two.server.url, Older()) as proxy:
            later = await two.device(server=proxy.url)
            with pytest.raises(HistoryError) as raised:
                await later.open(two.own.id)
            assert raised.value.code is ErrorCode.ROLLBACK
            await later.close()


async def test_a_changed_byte_is_told_by_the_envelope_and_by_the_order(tmp_path: Path) -> None:
    def flip(page: Page) -> Page:
        if not page.items:
            return page
        item = page.items[-1]
        return Page((*page.items[:-1], replace(item, body=flipped(item.body, -1))), page.head)

    async with pair(tmp_path / "data") as two:
        await two.own_section().send("een")
        schemer = Bender(flip)
        schemer.is_on = True
        async with MaliciousServer(two.server.url, schemer) as proxy:
            device = await two.device(server=proxy.url)
            dossier = await device.open(two.own.id)
            with pytest.raises(HistoryError) as raised:
                # The signature is part of what the transcript is hashed over: the head no longer follows.
                await dossier.section("conversation").read()
            assert raised.value.code is ErrorCode.TRANSCRIPT
            assert [alarm.code for alarm in dossier.alarms] == [ErrorCode.TRANSCRIPT, ErrorCode.SIGNATURE]
            await device.close()
