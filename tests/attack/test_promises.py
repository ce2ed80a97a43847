"""The eight promises of `docs/threat-model.md`: for each a test that fails without it; other files hold many more."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from support.canaries import Canaries, amount_texts

from zegel_client.client import Client
from zegel_client.engine.roles import BUDGET, CONVERSATION
from zegel_protocol import primitives
from zegel_protocol.account import AccountKeys
from zegel_protocol.envelope import Header
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.finance import Entry
from zegel_protocol.ids import ID_BYTES, AccountId
from zegel_protocol.messages import GetWraps, Wraps
from zegel_protocol.wrap import read_wrap
from zegel_server.services.account_row import AccountRow
from zegel_tools.attack.catalogue import ATTACKS
from zegel_tools.attack.recorder import Recorder
from zegel_tools.attack.room import NOOR, context_of

if TYPE_CHECKING:
    from zegel_tools.attack.room import Room

pytestmark = pytest.mark.asyncio(loop_scope="module")

THREAT_MODEL: Final = Path(__file__).resolve().parents[2] / "docs" / "threat-model.md"
MLKEM_CIPHERTEXT_BYTES: Final = 1088
MLKEM_PUBLIC_BYTES: Final = 1184
HISTORY: Final = ("wat er was", "en nog iets")


async def test_promise_1_who_holds_the_server_learns_no_content(room: Room, tmp_path: Path) -> None:
    """No text, name, amount, kind, file, title, password or key is in the data or in the traffic."""
    title, text, file_name = "Huishouden Tulpenburg", "de kat heeft jongen gekregen", "loonstrook-oktober.pdf"
    dossier = await room.marijke.create_dossier(title, "2026-11-20", "aangetekende brief")
    secret, _ = await dossier.invite("Noor van Tulpenburg", "client")
    recorder = Recorder()
    (tmp_path / "sent").write_bytes(b"%PDF een geheim dat in een bestand staat")
    record = Entry.from_record(
        {
            "group": "household",
            "category": "boodschappen",
            "party": "Kruidenier Zonnebloem",
            "amount_cents": 91_357_246,
            "period": "month",
            "start": "2026-01-01",
        }
    )
    async with room.deceived(NOOR, recorder) as client:
        await client.accept(secret)
        await room.marijke.welcome()
        hers = await client.open(dossier.id)
        await hers.set_display_name("Noortje Weltevree")
        await hers.section(CONVERSATION).send(text)
        reference = await hers.section(CONVERSATION).send_file(tmp_path / "sent", name=file_name)
        assert reference.name == file_name
        await hers.section(BUDGET).put(primitives.random_bytes(ID_BYTES), record.to_payload())
        await hers.section(CONVERSATION).mark_read()
        keys = context_of(client).identity.keys
    words = [
        title,
        text,
        file_name,
        "Noor van Tulpenburg",
        "Noortje Weltevree",
        "boodschappen",
        "Kruidenier Zonnebloem",
    ]
    words += [room.password, room.sheets[NOOR], "aangetekende brief", "een geheim dat in een bestand", "conversation"]
    words += list(amount_texts(91_357_246))
    canaries = Canaries(words)
    assert len(recorder.passed) > 10_000
    assert canaries.find(bytes(recorder.passed)) == set()
    assert canaries.find_in_files(room.data) == set()
    for path in room.data.rglob("*"):
        if path.is_file() and path.name != "secrets":
            assert keys.self_key not in path.read_bytes()
    assert keys.self_key not in recorder.passed


@pytest.mark.parametrize("name", ["reader-writes", "ghost-member", "wrap-by-the-server", "made-up-dossier"])
async def test_promise_2_nobody_reads_without_a_key_nor_writes_without_a_grant(room: Room, name: str) -> None:
    """Members, roles, readers and public keys come from the verified ledger, never from an answer of the server."""
    assert await played(room, name, 2)


@pytest.mark.parametrize("name", ["envelope-is-altered", "message-is-dropped", "fork-shows-at-the-first-message"])
async def test_promise_3_what_was_sent_is_whole_or_an_alarm_names_what_is_wrong(room: Room, name: str) -> None:
    """It cannot be altered, moved, replayed, reordered or dropped in the middle; a fork shows at the first message."""
    assert await played(room, name, 3)


async def test_promise_4_nobody_makes_two_people_read_two_things(room: Room) -> None:
    """One commitment for all readers; what it guards against is carried out in `test_keys.py`."""
    assert await played(room, "two-keys-for-two-readers", 4)


@pytest.mark.parametrize("name", ["weak-parameters", "unknown-version", "unknown-suite"])
async def test_promise_5_nothing_falls_back(room: Room, name: str) -> None:
    """Neither to weaker parameters, nor to an older version, nor to an unknown suite."""
    assert await played(room, name, 5)


async def played(room: Room, name: str, promise: int) -> str:
    attack = ATTACKS[name]
    assert attack.promise == promise
    return await attack.play(room)


async def test_promise_6_a_lost_password_loses_no_history_and_no_key_is_left_with_anybody(room: Room) -> None:
    """The recovery sheet opens everything; so does a new invitation; the server keeps nothing else that would."""
    case = await room.new_case(noor="")
    for text in HISTORY:
        await case.conversation.send(text)
    secret, _ = await case.worker.invite("Sem", "client")
    first, sheet = await Client.sign_up(room.server, secret, "sem", room.password)
    await first.close()
    await room.marijke.welcome()
    async with await Client.recover(room.server, "sem", sheet.words(), "een nieuw wachtwoord") as found:
        await assert_reads_all(found, case.ledger)
    async with await Client.log_in(room.server, "sem", "een nieuw wachtwoord") as found:
        await assert_reads_all(found, case.ledger)
    again, _ = await case.worker.invite("Sem", "client")
    anew, _ = await Client.sign_up(room.server, again, "sem-again", room.password)
    async with anew:
        await room.marijke.welcome()
        await assert_reads_all(anew, case.ledger)
    assert set(AccountRow.__struct_fields__) == {"version", "salt", "kdf", "password", "recovery", "older"}


async def assert_reads_all(client: Client, ledger: bytes) -> None:
    section = (await client.open(ledger)).section(CONVERSATION)
    assert [message.text for message in await section.read()] == list(HISTORY)


async def test_promise_7_every_key_travels_under_both_mlkem_and_x25519(room: Room) -> None:
    """Neither half of the encapsulation or of the public key is enough, and none can be left out."""
    case = await room.new_case()
    wraps = (await context_of(room.noor).live.ask(GetWraps(case.ledger, 0), Wraps)).wraps
    assert wraps
    for stored in wraps:
        assert len(read_wrap(stored.wrap).sealed) > MLKEM_CIPHERTEXT_BYTES + 32
    keys, other = (AccountKeys.generate(AccountId(bytes(16))) for _ in range(2))
    wrapped = primitives.wrap(keys.wrap.public, bytes(32), b"info")
    assert keys.wrap.unwrap(wrapped, b"info") == bytes(32)
    mine, theirs = keys.wrap.public, other.wrap.public
    halves = [
        mine[:MLKEM_PUBLIC_BYTES] + theirs[MLKEM_PUBLIC_BYTES:],
        theirs[:MLKEM_PUBLIC_BYTES] + mine[MLKEM_PUBLIC_BYTES:],
    ]
    false = [primitives.wrap(public, bytes(32), b"info") for public in halves]
    foreign = primitives.wrap(theirs, bytes(32), b"info")
    false += [
        foreign[:MLKEM_CIPHERTEXT_BYTES] + wrapped[MLKEM_CIPHERTEXT_BYTES:],
        wrapped[:MLKEM_CIPHERTEXT_BYTES]
        + foreign[MLKEM_CIPHERTEXT_BYTES : MLKEM_CIPHERTEXT_BYTES + 32]
        + wrapped[MLKEM_CIPHERTEXT_BYTES + 32 :],
    ]
    for it in false:
        with pytest.raises(ObjectError) as raised:
            keys.wrap.unwrap(it, b"info")
        assert raised.value.code is ErrorCode.DECRYPTION


# --- promise 8 --------------------------------------------------------------------------------------------------------

SEALED: Final = frozenset({"account.sealed", "memory.box", "memory.brief", "invitation.box", "claim.note", "link.link"})
"""Columns that hold nothing but ciphertext."""

TOLD: Final = {
    "account": "account",
    "account.handle_digest": "handle",
    "kdf_mix": "log-in",
    "session": "sessions",
    "consent": "consents",
    "memory": "memory of devices",
    "notice": "account",
    "membership": "dossier",
    "ledger": "dossier",
    "entry": "dossier",
    "ledger_state": "dossier",
    "wrap": "dossier",
    "link": "section",
    "invitation": "invitations",
    "permission": "organisation",
    "organisation_storage": "organisation",
    "claim": "invitations",
    "section": "section",
    "envelope": "envelope",
    "name": "envelope",
    "new_name": "envelope",
    "version": "envelope",
    "chain": "envelope",
    "receipt": "receipts",
    "file": "file",
    "file_use": "file",
    "loose_file": "file",
}
"""Tables, or single columns, and the row of the page that tells of them."""


async def test_promise_8_everything_that_the_server_can_read_is_told(room: Room) -> None:
    """Each table is on the page, and each column of bytes that is none of ids and hashes is known to be sealed."""
    page = THREAT_MODEL.read_text(encoding="utf-8")
    section = page.partition("## What the server can read")[2].partition("\n## ")[0]
    rows = set(re.findall(r"^\| ([a-z][a-z -]*) \|", section, re.MULTILINE))
    with sqlite3.connect(room.data / "zegel.db") as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        columns = {
            f"{table}.{column[1]}"
            for table in tables
            if not table.startswith(("sqlite_", "zegel_schema"))
            for column in connection.execute(f"PRAGMA table_info({table})")
        }
    assert columns >= SEALED
    for column in columns - SEALED:
        row = TOLD.get(column, TOLD.get(column.partition(".")[0]))
        assert row is not None, f"{column}: what does the server learn by it? Tell it in docs/threat-model.md"
        assert row in rows, f"{column}: there is no row {row!r} in docs/threat-model.md"
    assert set(TOLD.values()) <= rows
    # What an envelope's header shows, word for word beside what the page says of it.
    assert set(Header.__struct_fields__) == {
        *("version", "suite", "type", "id", "dossier", "section", "epoch", "slot", "record", "parents", "targets"),
        *("files", "encapsulation", "author", "generation", "chain", "sequence", "prev", "ledger_index", "ledger_hash"),
        *("seen_position", "seen_transcript", "created_at_ms", "nonce"),
    }
