"""Who writes without reading: stopped by a contradicted history like everybody else, and shown what they sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.pair import pair

from zegel_protocol.errors import ErrorCode, HistoryError
from zegel_protocol.ledger.operations import Right
from zegel_protocol.messages import Answer, Entries, Submit
from zegel_tools.attack.proxy import MaliciousServer
from zegel_tools.attack.schemer import Schemer

if TYPE_CHECKING:
    from pathlib import Path

    from zegel_tools.attack.schemer import Asked


class Forker(Schemer):
    """Names another head of a ledger, from when it is told to."""

    is_on = False

    def on_answer(self, request: Asked, answer: Answer) -> Answer:
        if self.is_on and isinstance(answer, Entries):
            return Entries(answer.first, answer.entries, answer.head_index, bytes(32))
        return super().on_answer(request, answer)


async def test_nothing_is_dropped_into_a_frozen_dossier(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        section = two.own_section().id
        await two.own.grant(two.client.account, section, Right.WRITE)
        schemer = Forker()
        async with MaliciousServer(two.server.url, schemer) as proxy:
            device = await two.device(server=proxy.url)
            dossier = await device.open(two.own.id)
            await dossier.section(section).send("ongelezen")
            schemer.is_on = True
            with pytest.raises(HistoryError):
                await dossier.refresh()
            asked = len(schemer.asked)
            with pytest.raises(HistoryError) as raised:
                await dossier.section(section).send("niet meer")
            assert raised.value.code is ErrorCode.FORK
            await device.close()
            assert not [request for request in schemer.asked[asked:] if isinstance(request, Submit)]
        assert [message.text for message in await two.own_section().read()] == ["ongelezen"]


async def test_who_writes_without_reading_sees_what_they_sent_on_the_device_that_sent_it(tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    async with pair(tmp_path / "data") as two:
        section = two.own_section().id
        await two.own_section().send("niet voor wie er schrijft")
        await two.own.grant(two.client.account, section, Right.WRITE)
        device = await two.device(profile=profile)
        at = (await device.open(two.own.id)).section(section)
        sent = [await at.send(text) for text in ("een", "twee")]
        await device.close()
        for _ in range(2):
            again = await two.device(profile=profile)
            shown = await (await again.open(two.own.id)).section(section).sent()
            assert [(line.text, line.position, line.hash) for line in shown] == [
                ("een", sent[0].position, sent[0].hash),
                ("twee", sent[1].position, sent[1].hash),
            ]
            assert {line.author_name for line in shown} == {"Noor Bakker"}
            await again.close()
        assert not [path for path in profile.rglob("*") if path.is_file() and b"twee" in path.read_bytes()]
        other = await two.device()
        assert await (await other.open(two.own.id)).section(section).sent() == []
        await other.close()
        # Who reads keeps none beside what they read.
        own = await two.device("w1", profile=tmp_path / "worker")
        at = (await own.open(two.own.id)).section(section)
        await at.send("drie")
        assert await at.sent() == []
        assert [message.text for message in await at.read()][1:] == ["een", "twee", "drie"]
        await own.close()
