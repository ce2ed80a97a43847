"""A conversation from client to client over a real server: what is written is read, once, in order, by who may."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import pytest
from support.pair import Pair, pair

from zegel_client.client.events import Confirmed, SectionGrew, Typing
from zegel_client.errors import ConflictError, RefusedError
from zegel_protocol.conversation import Message
from zegel_protocol.envelope import TypeClass
from zegel_protocol.errors import ErrorCode, ProtocolError, UsageError
from zegel_protocol.ledger.operations import Right
from zegel_protocol.primitives import random_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from zegel_client.client import Section


T = TypeVar("T")


async def texts(section: Section, limit: int | None = None) -> list[str]:
    return [message.text for message in await section.read(limit)]


async def test_both_read_what_both_wrote(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        first = await two.own_section().send("Goedemorgen Noor")
        await two.their_section().send("e\u0301\u200f שלום \U0001f642\n<b>", reply_to=first.id)
        for section in (two.own_section(), two.their_section()):
            messages = await section.read()
            assert [m.text for m in messages] == ["Goedemorgen Noor", "e\u0301\u200f שלום \U0001f642\n<b>"]
            assert [m.author_name for m in messages] == ["Marijke Österlund", "Noor Bakker"]
            assert [m.position for m in messages] == [1, 2]
            assert messages[1].reply_to == first.id
            assert messages[0].is_confirmed  # the second message has seen it


async def test_edits_and_recalls_reach_the_other_side(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        mine, theirs = await two.own_section().send("frist"), await two.their_section().send("per ongeluk")
        await two.own_section().edit(mine.id, "first")
        await two.their_section().recall(theirs.id, "verkeerd dossier")
        first, second = await two.own_section().read()
        assert (first.text, first.is_edited, first.position) == ("first", True, 1)
        assert (second.text, second.is_recalled, second.recall_reason) == ("", True, "verkeerd dossier")
        assert second.recalled_by == two.client.account
        with pytest.raises(RefusedError):
            await two.their_section().edit(mine.id, "changed by another")
        with pytest.raises(RefusedError):
            await two.own_section().edit(theirs.id, "recalled already")
        # On a device that sees the stubs only, they are explained by the erasures.
        device = await two.device()
        section = (await device.open(two.own.id)).section("conversation")
        assert await texts(section) == ["first", ""]
        await device.close()


async def test_another_may_recall_only_where_they_give(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        mine, theirs = await two.own_section().send("een"), await two.their_section().send("twee")
        with pytest.raises(RefusedError) as raised:
            await two.their_section().recall(mine.id)
        assert raised.value.code is ErrorCode.TARGET
        await two.own_section().recall(theirs.id)
        assert await texts(two.their_section()) == ["een", ""]


async def test_a_new_device_reads_from_the_end(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        section = two.own_section()
        futures = [
            section.submit_payload(Message(text=f"bericht {n}").to_payload(), type=TypeClass.MESSAGE)
            for n in range(150)
        ]
        sent = await asyncio.gather(*futures)
        assert [result.position for result in sent] == list(range(1, 151))
        device = await two.device()
        read = (await device.open(two.own.id)).section("conversation")
        assert await texts(read, 3) == ["bericht 147", "bericht 148", "bericht 149"]
        assert await texts(read, 120) == [f"bericht {n}" for n in range(30, 150)]
        assert await texts(read) == [f"bericht {n}" for n in range(150)]
        found = await read.find_message(sent[0].id)
        assert found is not None
        assert found.text == "bericht 0"
        await device.close()


async def test_memory_is_gone_on_from_on_the_next_device(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        await two.own_section().send("een")
        device = await two.device()
        section = (await device.open("Een huishouden")).section("conversation")
        await section.read()
        await device.close()
        await two.own_section().send("twee")
        later = await two.device()
        dossier = await later.open("Een huishouden")
        assert await texts(dossier.section("conversation"), 1) == ["twee"]
        assert await texts(dossier.section("conversation")) == ["een", "twee"]
        assert not dossier.alarms
        await later.close()


async def test_files_arrive_whole_and_under_a_name_of_their_own(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        content = random_bytes(2_300_000)
        path = tmp_path / "brief.pdf"
        path.write_bytes(content)
        empty = tmp_path / "leeg.txt"
        empty.write_bytes(b"")
        sent = await two.own_section().send("met bijlagen", files=[path, empty])
        (message,) = await two.their_section().read()
        assert [(a.name, a.media_type, a.size_bytes) for a in message.attachments] == [
            ("brief.pdf", "application/pdf", len(content)),
            ("leeg.txt", "text/plain", 0),
        ]
        out = tmp_path / "out"
        written = await two.their_section().download(sent.id, out)
        assert [p.read_bytes() for p in written] == [content, b""]
        again = await two.their_section().download(sent.id, out)
        assert [p.name for p in again] == ["brief (2).pdf", "leeg (2).txt"]
        assert sorted(p.name for p in out.iterdir()) == sorted(p.name for p in (*written, *again))


async def test_a_name_never_leaves_the_folder(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        path = tmp_path / "x"
        path.write_bytes(b"x")
        section = two.own_section()
        names = ["../../etc/passwd", "/etc/passwd", ".ssh", "..", "a\\b\\c.txt", "n" * 396 + ".txt", " ", "con:1"]
        files = [await section.send_file(path, name=name) for name in names]
        payload = Message(attachments=tuple(files)).to_payload()
        sent = await section.submit_payload(payload, type=TypeClass.MESSAGE, files=[file.id for file in files])
        out = tmp_path / "out" / "deep"
        found = await two.their_section().download(sent.id, out)
        assert len(found) == len(names)
        for written in found:
            assert written.parent == out
            assert not written.name.startswith(".")
            assert len(written.name.encode()) <= 255


async def test_who_may_not_read_is_refused_and_sees_only_that_it_exists(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        await two.own_section("notes").send("werknotitie")
        notes = two.their_section("notes")
        assert not next(view for view in two.theirs.sections() if view.kind == "notes").may_read
        for attempt in (notes.read(), notes.records(), notes.mark_read()):
            with pytest.raises(ProtocolError) as raised:
                await attempt
            assert raised.value.code is ErrorCode.NO_ACCESS
        with pytest.raises(ProtocolError) as raised:
            await notes.send("ik ook")
        assert raised.value.code is ErrorCode.NO_ACCESS


async def test_records_have_versions_and_conflicts_are_the_persons_to_decide(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        record = random_bytes(16)
        mine, theirs = two.own_section("budget"), two.their_section("budget")
        await mine.put(record, {"format": 1, "kind": "test", "x": 1})
        await theirs.records()
        await mine.put(record, {"format": 1, "kind": "test", "x": 2})
        stale = theirs.submit_payload(
            {"format": 1, "kind": "test", "x": 3},
            type=TypeClass.RECORD,
            record=record,
            parents=[version.hash for version in (await mine.history(record))[:1]],
        )
        with pytest.raises(ConflictError) as raised:
            await stale
        assert raised.value.payload == {"format": 1, "kind": "test", "x": 3}
        await theirs.put(record, {"format": 1, "kind": "test", "x": 4})
        (found,) = await mine.records()
        assert found.payload == {"format": 1, "kind": "test", "x": 4}
        assert not found.is_conflict
        history = await mine.history(record)
        assert [v.payload["x"] for v in history if v.payload] == [1, 2, 4]
        assert [v.author_name for v in history] == ["Marijke Österlund", "Marijke Österlund", "Noor Bakker"]
        await mine.delete(record, "dubbel")
        assert await theirs.records() == []
        assert (await theirs.find_record(record)) is not None


async def test_records_are_gone_on_from_by_memory(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        records = [random_bytes(16) for _ in range(5)]
        section = two.own_section("budget")
        for number, record in enumerate(records):
            await section.put(record, {"format": 1, "kind": "test", "x": number})
        first = await two.device("w1")
        await (await first.open(two.own.id)).section("budget").records()
        await first.close()
        await section.put(records[0], {"format": 1, "kind": "test", "x": 100})
        await section.put(random_bytes(16), {"format": 1, "kind": "test", "x": 200})
        second = await two.device("w1")
        dossier = await second.open(two.own.id)
        found = await dossier.section("budget").records()
        assert sorted(r.payload["x"] for r in found if r.payload) == [1, 2, 3, 4, 100, 200]  # type: ignore[type-var]
        history = await dossier.section("budget").history(records[0])
        assert [v.payload["x"] for v in history if v.payload] == [0, 100]
        assert not dossier.alarms
        await second.close()


async def test_what_is_empty_or_too_long_is_refused_before_it_leaves(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        for text in ("", "x" * 100_001):
            with pytest.raises(UsageError):
                await two.own_section().send(text)
        await two.own_section().send("x" * 100_000)
        assert len((await texts(two.their_section()))[0]) == 100_000


async def test_what_happens_is_told_after_it_was_verified(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        await two.own_section().read()
        told: asyncio.Queue[object] = asyncio.Queue()

        async def listen() -> None:
            async for event in two.worker.events():
                told.put_nowait(event)

        task = asyncio.create_task(listen())
        async with asyncio.timeout(20):
            await told.get()  # connected
            await two.their_section().send_typing()
            await wait_for(told, Typing)
            await two.their_section().send("live")
            grew = await wait_for(told, SectionGrew)
            assert (grew.first, grew.last) == (1, 1)
            assert await texts(two.own_section()) == ["live"]
            await two.their_section().read()
            await two.their_section().mark_read()
            while (await wait_for(told, Confirmed)).confirmation.read_position != 1:
                pass
            (confirmation,) = await two.own_section().confirmations()
            assert (confirmation.name, confirmation.read_position) == ("Noor Bakker", 1)
            await two.worker.close()
            await task


async def wait_for(queue: asyncio.Queue[object], kind: type[T]) -> T:
    while True:
        event = await queue.get()
        if isinstance(event, kind):
            return event


async def test_a_removed_member_reads_and_writes_nothing_more(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        await two.their_section().send("ik was hier")
        epochs = await two.own.remove(two.client.account)
        assert epochs > 0
        await two.own_section().send("na het vertrek")
        for attempt in (two.their_section().read(), two.their_section().send("ik ben er nog")):
            with pytest.raises(ProtocolError) as raised:
                await attempt
            assert raised.value.code is ErrorCode.NO_ACCESS
        assert await texts(two.own_section()) == ["ik was hier", "na het vertrek"]
        line = (await two.own.timeline())[-1]
        assert "Noor Bakker" in line.sentence
        await two.theirs.refresh()
        assert not any(view.may_read or view.may_write for view in two.theirs.sections())
        assert [summary.is_member for summary in await two.client.list_dossiers()] == [False]


async def test_rights_change_while_somebody_writes(tmp_path: Path) -> None:
    """An epoch that begins behind a writer's back: what was sealed under the old one is sealed anew, once."""
    async with pair(tmp_path / "data") as two:
        await two.their_section().send("een")
        section = two.own_section("notes")
        await section.send("nota")
        conversation = next(view.id for view in two.own.sections() if view.kind == "conversation")
        await two.own.grant(two.client.account, conversation, Right.NONE)
        await two.own.grant(two.client.account, conversation, Right.READ | Right.WRITE)
        await two.their_section().send("twee")  # this client has not heard of it
        assert await texts(two.own_section()) == ["een", "twee"]
        assert not two.theirs.alarms


async def test_reading_and_writing_at_the_same_time_is_no_alarm(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        sections = (two.own_section(), two.their_section())

        async def write(section: Section) -> None:
            await asyncio.gather(
                *(section.submit_payload(Message(text=str(n)).to_payload(), type=TypeClass.MESSAGE) for n in range(60))
            )

        async def read(section: Section) -> None:
            for _ in range(30):
                await section.read()
                await section.mark_read()
                await section.confirmations()

        for writers in (sections[:1], sections):  # alone, and against each other
            async with asyncio.TaskGroup() as group:
                for section in writers:
                    group.create_task(write(section))
                for section in sections:
                    group.create_task(read(section))
        assert await texts(sections[0]) == await texts(sections[1])
        assert len(await texts(sections[0])) == 180
        assert two.own.alarms == two.theirs.alarms == []


async def test_a_right_to_the_past_changes_while_it_is_read(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        conversation = next(view.id for view in two.own.sections() if view.kind == "conversation")
        for n in range(3):
            await two.own_section().send(f"oud {n}")
        both = Right.READ | Right.WRITE
        assert len(await texts(two.their_section())) == 3
        await two.own.grant(two.client.account, conversation, Right.NONE)
        await two.own_section().send("niet voor de ander")
        await two.own.grant(two.client.account, conversation, both, history="now")
        await two.own_section().send("nieuw")
        reading = [asyncio.ensure_future(two.their_section().read()) for _ in range(3)]
        for result in await asyncio.gather(*reading):
            assert [message.text for message in result][-1:] == ["nieuw"]
        await two.their_section().send("gelezen")
        assert (await texts(two.own_section()))[-2:] == ["nieuw", "gelezen"]
        assert not two.theirs.alarms


async def test_pairs_are_kept_apart(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        other = await two.worker.create_dossier("Een ander", "2026-01-02", "brief")
        with pytest.raises(RefusedError):
            await two.client.open(other.id)
        with pytest.raises(RefusedError):
            await two.client.open("Een ander")
        assert [summary.title for summary in await two.client.list_dossiers()] == ["Een huishouden"]
        titles = [summary.title for summary in await two.worker.list_dossiers(with_sections=True)]
        assert titles == ["Een ander", "Een huishouden"]


def test_a_pair_has_names(tmp_path: Path) -> None:
    async def run() -> None:
        async with pair(tmp_path / "data") as two:
            check_members(two)

    asyncio.run(run())


def check_members(two: Pair) -> None:
    worker, client = two.theirs.members()
    assert (worker.name, worker.role, worker.handle) == ("Marijke Österlund", "caseworker", "w1")
    assert (client.name, client.role, client.handle, client.is_self) == ("Noor Bakker", "client", "c01", True)
    assert two.own.find_person("C01").person == two.client.account
    assert two.own.find_person("Noor Bakker").fingerprint == client.fingerprint
    assert [view.kind for view in two.own.view_as(two.client.account) if view.may_write] == [
        "conversation",
        "budget",
        "debts",
        "trajectory",
        "profile-c01",
    ]
