"""Payloads of every kind: dispatch, messages, files, profiles, slot tables, tombstones, and the words of faults."""

from __future__ import annotations

import dataclasses
import string
from typing import Any

import pytest
from support.faults import faults_of
from support.samples import ROOT, hostile_texts

from zegel_protocol.codec import Value, decode, encode
from zegel_protocol.conversation import MAX_ATTACHMENTS, MAX_MESSAGE, Erasure, Message
from zegel_protocol.fields import Fault, FaultCode, InvalidRecordError, Kind, fault_sentence
from zegel_protocol.fields.reader import MAX_EXTRA_VALUES
from zegel_protocol.fields.wording import DUTCH, ENGLISH
from zegel_protocol.file import MAX_FILE_BYTES, FileReference
from zegel_protocol.finance import Entry
from zegel_protocol.ids import FileId, SlotId, id_text
from zegel_protocol.profile import Profile
from zegel_protocol.records.record_kind import UnknownPayload, read_payload
from zegel_protocol.records.slot_table import MAX_SLOTS, SlotTable, verify_next_slot_table
from zegel_protocol.records.tombstone import Tombstone

FILE = FileReference(
    id=FileId(b"i" * 16),
    key=b"\xaa" * 32,
    header=b"\xbb" * 24,
    size_bytes=5,
    chunks=1,
    digest=b"\xcc" * 32,
    name="brief.pdf",
    media_type="application/pdf",
)
A, B = SlotId(b"a" * 16), SlotId(b"b" * 16)


def stored(payload: dict[str, Value]) -> Any:
    return decode(encode(payload))


@pytest.mark.parametrize(
    "record",
    [
        Message(text="Hoi", reply_to=b"r" * 16, attachments=(FILE,), extra={"mood": [1]}),
        Message(attachments=(dataclasses.replace(FILE, extra={"width": 640}),)),
        Profile(display_name="Noor", language="nl", email=None, extra={"newer": b"\0"}),
        SlotTable(words={A: "groceries", B: "Jiří"}),
        Tombstone(of="entry", reason="dubbel"),
        Erasure(reason=None),
    ],
    ids=lambda record: type(record).__name__,
)
def test_payloads_come_back_as_their_type(record: Any) -> None:
    assert read_payload(stored(record.to_payload())) == record


def test_the_word_of_the_slot_comes_beside_the_payload() -> None:
    entry = Entry.from_record({"category": "rent", "amount_cents": 1, "period": "month"})
    assert read_payload(stored(entry.to_payload()), "rent") == entry


@pytest.mark.parametrize("payload", [{"kind": "letter", "format": 1, "x": [1]}, {"kind": "entry", "format": 2, "x": 1}])
def test_newer_payloads_are_kept_as_they_came(payload: dict[str, Value]) -> None:
    found = read_payload(stored(payload))
    assert isinstance(found, UnknownPayload)
    assert found.to_payload() == payload


@pytest.mark.parametrize(
    ("payload", "field", "code"),
    [
        ([], "", FaultCode.WRONG_TYPE),
        ({"format": 1}, "kind", FaultCode.MISSING),
        ({"kind": 1, "format": 1}, "kind", FaultCode.WRONG_TYPE),
        ({"kind": "", "format": 1}, "kind", FaultCode.WRONG_TYPE),
        ({"kind": "message"}, "format", FaultCode.MISSING),
        ({"kind": "message", "format": 0}, "format", FaultCode.WRONG_TYPE),
        ({"kind": "message", "format": True}, "format", FaultCode.WRONG_TYPE),
    ],
)
def test_what_is_no_payload(payload: Any, field: str, code: FaultCode) -> None:
    assert faults_of(read_payload, payload) == [(field, code)]


def test_every_kind_is_read() -> None:
    for kind in Kind:
        try:
            found = read_payload({"kind": kind.value, "format": 1}, "x")
        except InvalidRecordError:
            continue
        assert not isinstance(found, UnknownPayload)


@pytest.mark.parametrize("text", [*hostile_texts(), "\u202e" * 9, "<script>alert(1)</script>", "é", "e\u0301", ""])
def test_texts_come_back_byte_for_byte(text: str) -> None:
    found = read_payload(stored(Message(text=text).to_payload()))
    assert isinstance(found, Message)
    assert found.text.encode() == text.encode()


def test_the_longest_text() -> None:
    Message(text="😣" * MAX_MESSAGE).check()
    assert faults_of(Message(text="a" * (MAX_MESSAGE + 1)).check) == [("text", FaultCode.TEXT_TOO_LONG)]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"text": "\udc00"}, "text", FaultCode.TEXT_SURROGATE),
        ({"text": 1}, "text", FaultCode.WRONG_TYPE),
        ({"reply_to": b"short"}, "reply_to", FaultCode.NOT_AN_ID),
        ({"reply_to": "r" * 16}, "reply_to", FaultCode.NOT_AN_ID),
        ({"attachments": {}}, "attachments", FaultCode.WRONG_TYPE),
        ({"attachments": [1]}, "attachments[0]", FaultCode.WRONG_TYPE),
        ({"attachments": [FILE.to_payload()] * (MAX_ATTACHMENTS + 1)}, "attachments", FaultCode.TOO_MANY),
        ({"attachments": [{**FILE.to_payload(), "key": b"k"}]}, "attachments[0].key", FaultCode.WRONG_LENGTH),
        ({"attachments": [{**FILE.to_payload(), "header": "h"}]}, "attachments[0].header", FaultCode.WRONG_TYPE),
        ({"attachments": [{**FILE.to_payload(), "chunks": 0}]}, "attachments[0].chunks", FaultCode.OUT_OF_RANGE),
        ({"attachments": [{**FILE.to_payload(), "size_bytes": -1}]}, "attachments[0].size_bytes", FaultCode.NEGATIVE),
        ({"attachments": [{**FILE.to_payload(), "name": ""}]}, "attachments[0].name", FaultCode.TEXT_EMPTY),
        ({"attachments": [{**FILE.to_payload(), "name": "a\0.exe"}]}, "attachments[0].name", FaultCode.TEXT_NUL),
        ({"attachments": [{**FILE.to_payload(), "digest": None}]}, "attachments[0].digest", FaultCode.MISSING),
        ({"attachments": [{**FILE.to_payload(), "chunks": 2}]}, "attachments[0].chunks", FaultCode.OUT_OF_RANGE),
        (
            {"attachments": [{**FILE.to_payload(), "size_bytes": MAX_FILE_BYTES + 1}]},
            "attachments[0].size_bytes",
            FaultCode.OUT_OF_RANGE,
        ),
        ({"attachments": [{**FILE.to_payload(), "name": "€" * 342}]}, "attachments[0].name", FaultCode.TOO_LARGE),
        (
            {"attachments": [{**FILE.to_payload(), "media_type": "x" * 256}]},
            "attachments[0].media_type",
            FaultCode.TOO_LARGE,
        ),
    ],
)
def test_faulty_messages(change: dict[str, Any], field: str, code: FaultCode) -> None:
    assert faults_of(Message.from_payload, {**Message().to_payload(), **change}) == [(field, code)]


def test_a_message_with_nothing_in_it() -> None:
    assert Message().is_empty
    assert not Message(text=" ").is_empty
    assert not Message(attachments=(FILE,)).is_empty


def test_key_and_name_of_a_file_are_not_shown() -> None:
    shown = repr(Message(attachments=(FILE,)))
    assert "xaa" not in shown
    assert "brief.pdf" not in shown
    assert "size_bytes=5" in shown


def test_a_slot_table_grows() -> None:
    first = SlotTable(extra={"newer": 1}).with_slot(A, "rent")
    second = first.with_slot(B, "energy")
    assert second.find_slot("energy") == B
    assert second.find_slot("Energy") is None
    assert second.extra == {"newer": 1}
    verify_next_slot_table(first, second)
    verify_next_slot_table(second, second)


def test_a_word_never_changes_goes_or_returns() -> None:
    before = SlotTable(words={A: "rent", B: "energy"})
    assert faults_of(verify_next_slot_table, before, SlotTable(words={A: "energy", B: "rent"})) == [
        (f"slots.{id_text(A)}", FaultCode.WORD_CHANGED),
        (f"slots.{id_text(B)}", FaultCode.WORD_CHANGED),
    ]
    assert faults_of(verify_next_slot_table, before, SlotTable(words={A: "rent"})) == [
        (f"slots.{id_text(B)}", FaultCode.WORD_LOST)
    ]
    assert faults_of(before.with_slot, A, "water") == [(f"slots.{id_text(A)}", FaultCode.TWICE)]
    assert faults_of(before.with_slot, SlotId(b"c" * 16), "rent") == [(f"slots.{id_text(b'c' * 16)}", FaultCode.TWICE)]


@pytest.mark.parametrize(
    ("slots", "field", "code"),
    [
        ([], "slots", FaultCode.WRONG_TYPE),
        ({"x": "rent"}, "slots", FaultCode.NOT_AN_ID),
        ({id_text(b"\xaa" * 16).upper(): "rent"}, "slots", FaultCode.NOT_AN_ID),
        ({id_text(bytes(16)): "rent"}, "slots", FaultCode.NOT_AN_ID),
        ({id_text(A): ""}, f"slots.{id_text(A)}", FaultCode.TEXT_EMPTY),
        ({id_text(A): 1}, f"slots.{id_text(A)}", FaultCode.WRONG_TYPE),
        ({id_text(A): "a\0b"}, f"slots.{id_text(A)}", FaultCode.TEXT_NUL),
        ({id_text(A): "rent", id_text(B): "rent"}, f"slots.{id_text(B)}", FaultCode.TWICE),
        (
            {id_text(bytes(14) + n.to_bytes(2, "big")): str(n) for n in range(1, MAX_SLOTS + 2)},
            "slots",
            FaultCode.TOO_MANY,
        ),
    ],
)
def test_faulty_slot_tables(slots: Any, field: str, code: FaultCode) -> None:
    assert faults_of(SlotTable.from_payload, {**SlotTable().to_payload(), "slots": slots}) == [(field, code)]


def test_the_spec_names_every_kind_and_fault() -> None:
    page = (ROOT / "protocol" / "spec" / "payloads.md").read_text(encoding="utf-8")
    faults = page.split("## Faults")[1].split("## Days and moments")[0]
    assert {code for code in FaultCode if f"`{code}`" in faults} == set(FaultCode)
    kinds = page.split("## Kinds")[1].split("## Fields")[0]
    assert {kind for kind in Kind if f"`{kind}`" in kinds} == set(Kind)


def test_every_fault_has_a_sentence_in_both_languages() -> None:
    for words in (DUTCH, ENGLISH):
        assert set(words) == set(FaultCode)
    for code in FaultCode:
        named = [
            {name for _, name, _, _ in string.Formatter().parse(words[code]) if name} for words in (DUTCH, ENGLISH)
        ]
        assert named[0] == named[1]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("nl", "notice_months: dit moet tussen 0 en 120 liggen"),
        ("en", "notice_months: this must lie between 0 and 120"),
        ("ar", "notice_months: dit moet tussen 0 en 120 liggen"),
    ],
)
def test_sentences(language: str, sentence: str) -> None:
    fault = Fault("notice_months", FaultCode.OUT_OF_RANGE, {"least": 0, "most": 120})
    assert fault_sentence(fault, language) == sentence
    assert fault_sentence(Fault("", FaultCode.NOT_JSON), "en") == "this is not JSON"


def test_what_is_accepted_here_can_be_read_again() -> None:
    """Many small values take few bytes, and a decoder counts values too."""
    record = {"category": "rent", "amount_cents": 1, "period": "month"}
    most = MAX_EXTRA_VALUES - 5  # the map of unknown pairs, two names, a list, one more value
    full = Entry.from_record({**record, "x": [0] * most, "y": None})
    assert read_payload(stored(full.to_payload()), "rent") == full
    assert faults_of(Entry.from_record, {**record, "x": [0] * (most + 1), "y": None}) == [("", FaultCode.TOO_MANY)]
