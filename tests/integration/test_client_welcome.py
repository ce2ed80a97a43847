"""Taking up answers to invitations: a dossier that cannot be used holds up no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.pair import pair

from zegel_client.client.welcome_error import WelcomeError
from zegel_protocol.errors import ErrorCode, HistoryError
from zegel_protocol.messages import Answer, AppendEntry, Entries, Failure, GetEntries
from zegel_tools.attack.proxy import MaliciousServer
from zegel_tools.attack.schemer import Schemer

if TYPE_CHECKING:
    from pathlib import Path

    from zegel_tools.attack.schemer import Asked


class Spoiler(Schemer):
    """Names another head of one ledger, and takes no entry of another."""

    def __init__(self, forked: bytes, shut: bytes) -> None:
        super().__init__()
        self.forked = forked
        self.shut = shut

    def on_answer(self, request: Asked, answer: Answer) -> Answer:
        if isinstance(answer, Entries) and isinstance(request, GetEntries) and request.ledger == self.forked:
            return Entries(answer.first, answer.entries, answer.head_index, bytes(32))
        if isinstance(request, AppendEntry) and self.shut in request.entry:
            return Failure(ErrorCode.LEDGER, "not today")
        return super().on_answer(request, answer)


async def test_a_dossier_that_cannot_be_used_holds_up_no_other(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        others = [await two.worker.create_dossier(f"Dossier {n}", "2026-01-02", "brief") for n in range(4)]
        for dossier in others:
            secret, _ = await dossier.invite("Noor Bakker", "client")
            await two.client.accept(secret)
        # The list of dossiers goes by id: the first cannot be used, whichever it is.
        forked, shut, *good = sorted(dossier.id for dossier in others)
        async with MaliciousServer(two.server.url, Spoiler(forked, shut)) as proxy:
            device = await two.device("w1", server=proxy.url)
            with pytest.raises(WelcomeError) as raised:
                await device.welcome()
            await device.close()
        assert [joined.dossier for joined in raised.value.joined] == good
        assert {ledger: error.code for ledger, error in raised.value.failures.items()} == {
            forked: ErrorCode.FORK,
            shut: ErrorCode.LEDGER,
        }
        assert isinstance(raised.value.failures[forked], HistoryError)
        assert raised.value.code is ErrorCode.FORK
        await two.client.open(good[0])
