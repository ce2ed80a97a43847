"""Household files: what is read, and that every fault names its place."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from support.samples import HOUSEHOLDS, SAMPLE_IDS

from zegel_client.engine.roles import Access
from zegel_client.household import Household, load_household, read_household
from zegel_protocol.fields import FaultCode, InvalidRecordError, show_filed
from zegel_protocol.ids import id_text

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL: dict[str, Any] = {
    "format": "zegel-household/1",
    "id": "X1",
    "title": "Proef",
    "caseworker": "W1",
    "clients": ["C1", "C2"],
    "others": ["V1"],
    "access": {"C1": "look_and_edit", "C2": "none", "V1": "look"},
    "people": [
        {"id": "W1", "name": "Marijke", "role": "caseworker", "language": "nl"},
        {"id": "C1", "name": "Noor", "role": "client", "language": "nl", "email": None},
        {"id": "C2", "name": "Bram", "role": "client"},
        {"id": "V1", "name": "Vera", "role": "neighbour", "shoe_size": 38.5},
        {"id": "W2", "name": "Kwame", "role": "owner"},
    ],
    "entries": [
        {"id": "00000000-0000-0000-0000-000000000001", "category": "rent", "amount_cents": 1, "period": "month"}
    ],
    "messages": [
        {
            "id": "00000000-0000-0000-0000-000000000002",
            "section": "side-c1",
            "from": "C1",
            "sent_at": "2026-06-02T20:14:00+02:00",
            "text": "voor\0na \u202e",
            "attachments": [{"name": "a.pdf", "media_type": "application/pdf", "size_bytes": 0}],
            "recalled_at": "2026-06-02T18:15:00.250Z",
            "recall_reason": "verkeerd dossier",
            "mood": 3,
        },
        {
            "id": "00000000-0000-0000-0000-000000000002",
            "section": "notes",
            "from": "W1",
            "sent_at": "2026-06-02T20:14:00+02:00",
        },
    ],
}


def read(household: dict[str, Any]) -> Household:
    return read_household(json.dumps(household).encode())


@pytest.mark.parametrize("sample_id", SAMPLE_IDS)
def test_samples_come_back_as_they_were(sample_id: str) -> None:
    path = HOUSEHOLDS / f"{sample_id}.household.json"
    source = json.loads(path.read_text(encoding="utf-8"))
    household = load_household(path)
    assert [show_filed(entry) for entry in household.entries] == source["entries"]
    assert [show_filed(debt) for debt in household.debts] == source["debts"]
    assert [(id_text(it.id), it.section, it.author, it.text) for it in household.messages] == [
        (it["id"], it["section"], it["from"], it["text"]) for it in source["messages"]
    ]
    assert [(it.id, it.name, it.display_name, it.email) for it in household.people] == [
        (it["id"], it["name"], it["display_name"], it["email"]) for it in source["people"]
    ]
    assert {person: access.value for person, access in household.access.items()} == source["access"]
    assert bool(household.trajectory.parts()) == bool(source["trajectory"])


def test_what_a_sample_says_of_a_recalled_message_and_of_files() -> None:
    household = load_household(HOUSEHOLDS / "D01.household.json")
    photos, recalled = household.messages[2], household.messages[4]
    assert [(it.name, it.media_type, it.size_bytes) for it in photos.attachments] == [
        ("IMG_2041.HEIC", "image/heic", 3412233),
        ("IMG_2042.HEIC", "image/heic", 2988001),
    ]
    assert recalled.recalled_at_ms is not None
    assert recalled.recalled_at_ms - recalled.sent_at_ms == 70_000
    assert recalled.to_erasure().reason == "verkeerd dossier"
    assert photos.recalled_at_ms is None


def test_a_small_file() -> None:
    household = read(SMALL)
    message = household.messages[0]
    assert message.section == "side-c1"
    assert message.sent_at_ms == 1_780_424_040_000
    assert message.recalled_at_ms == 1_780_424_100_250
    assert message.to_message().text == "voor\0na \u202e"
    assert message.to_message().extra == {"mood": 3}
    assert household.debts == ()
    assert household.trajectory.parts() == []
    assert household.get_person("C1").to_profile().language == "nl"


def test_who_gets_an_account() -> None:
    household = read(SMALL)
    assert {person.handle: household.has_account(person) for person in household.people} == {
        "w1": True,
        "c1": True,
        "c2": False,
        "v1": True,
        "w2": True,
    }
    assert household.access_of("W2") is Access.NONE


def test_ids_of_parts_come_from_the_caller() -> None:
    content = json.dumps({**SMALL, "trajectory": {"plan": "p"}}).encode()
    assert [part.id for part in read_household(content, lambda: b"n" * 16).trajectory.parts()] == [b"n" * 16]
    assert read_household(content).trajectory != read_household(content).trajectory


def put(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(household: dict[str, Any]) -> None:
        place: Any = household
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        (put("format", value="zegel-household/2"), "format", FaultCode.UNKNOWN_WORD),
        (put("title", value=""), "title", FaultCode.TEXT_EMPTY),
        (put("title", value="a\0b"), "title", FaultCode.TEXT_NUL),
        (put("id", value=None), "id", FaultCode.MISSING),
        (put("reference_date", value="2026-02-30"), "reference_date", FaultCode.NOT_A_DATE),
        (put("organisation", value={"name": 1}), "organisation.name", FaultCode.WRONG_TYPE),
        (put("neutral_notices", value=1), "neutral_notices", FaultCode.WRONG_TYPE),
        (put("caseworker", value="W9"), "caseworker", FaultCode.UNKNOWN_REFERENCE),
        (put("clients", value=["C9"]), "clients", FaultCode.UNKNOWN_REFERENCE),
        (put("others", value=["V1", "V1"]), "others", FaultCode.TWICE),
        (put("access", "C1", value="all"), "access.C1", FaultCode.UNKNOWN_WORD),
        (put("access", "C9", value="look"), "access", FaultCode.UNKNOWN_REFERENCE),
        (put("people", value="all"), "people", FaultCode.WRONG_TYPE),
        (put("people", 1, "name", value=""), "people[1].name", FaultCode.TEXT_EMPTY),
        (put("people", 4, "id", value="w1"), "people[4].id", FaultCode.TWICE),
        (put("people", 4, "id", value="W 2"), "people[4].id", FaultCode.NOT_A_HANDLE),
        (put("entries", 0, "id", value="1"), "entries[0].id", FaultCode.NOT_AN_ID),
        (put("entries", 0, "id", value=None), "entries[0].id", FaultCode.MISSING),
        (put("entries", 0, "amount_cents", value=-1), "entries[0].amount_cents", FaultCode.NEGATIVE),
        (put("entries", value=[SMALL["entries"][0]] * 2), "entries[1].id", FaultCode.TWICE),
        (put("debts", value=[1]), "debts[0]", FaultCode.WRONG_TYPE),
        (put("trajectory", value={"phases": [{}]}), "trajectory.phases[0].phase", FaultCode.MISSING),
        (put("trajectory", value=[]), "trajectory", FaultCode.WRONG_TYPE),
        (put("messages", 1, "from", value="C9"), "messages[1].from", FaultCode.UNKNOWN_REFERENCE),
        (put("messages", 1, "section", value="budget"), "messages[1].section", FaultCode.UNKNOWN_WORD),
        (put("messages", 1, "section", value="side-C9"), "messages[1].section", FaultCode.UNKNOWN_REFERENCE),
        (put("messages", 1, "section", value="side-C1"), "messages[1].id", FaultCode.TWICE),
        (put("messages", 1, "sent_at", value="2026-06-02T20:14:00"), "messages[1].sent_at", FaultCode.NOT_A_MOMENT),
        (put("messages", 1, "sent_at", value="1969-12-31T23:59:59Z"), "messages[1].sent_at", FaultCode.NOT_A_MOMENT),
        (put("messages", 1, "sent_at", value=None), "messages[1].sent_at", FaultCode.MISSING),
        (put("messages", 1, "text", value="a" * 100_001), "messages[1].text", FaultCode.TEXT_TOO_LONG),
        (put("messages", 1, "text", value="\ud800"), "messages[1].text", FaultCode.TEXT_SURROGATE),
        (put("messages", 1, "reply_to", value=id_text(b"9" * 16)), "messages[1].reply_to", FaultCode.UNKNOWN_REFERENCE),
        (
            put("messages", 0, "attachments", 0, "size_bytes", value=-1),
            "messages[0].attachments[0].size_bytes",
            FaultCode.NEGATIVE,
        ),
        (
            put("messages", 0, "attachments", 0, "size_bytes", value=100_000_001),
            "messages[0].attachments[0].size_bytes",
            FaultCode.OUT_OF_RANGE,
        ),
        (
            put("messages", 0, "attachments", 0, "name", value="€" * 400),
            "messages[0].attachments[0].name",
            FaultCode.TOO_LARGE,
        ),
        (
            put("messages", 0, "attachments", 0, "media_type", value="m" * 256),
            "messages[0].attachments[0].media_type",
            FaultCode.TOO_LARGE,
        ),
    ],
)
def test_a_fault_names_its_place(change: Callable[[dict[str, Any]], None], field: str, code: FaultCode) -> None:
    household = copy.deepcopy(SMALL)
    change(household)
    with pytest.raises(InvalidRecordError) as caught:
        read(household)
    assert [(fault.field, fault.code) for fault in caught.value.faults] == [(field, code)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", FaultCode.NOT_JSON),
        (b"{", FaultCode.NOT_JSON),
        (b"[" * 100_000, FaultCode.NOT_JSON),
        (b"[]", FaultCode.WRONG_TYPE),
        (b"{}", FaultCode.UNKNOWN_WORD),
        (b"\xff", FaultCode.FILE_ENCODING),
        (b'{"format": "zegel-household/1", "format": "zegel-household/1"}', FaultCode.TWICE),
        (b" " * (64 * 2**20 + 1), FaultCode.TOO_LARGE),
    ],
    ids=["empty", "broken", "deep", "list", "no format", "not utf-8", "name twice", "too large"],
)
def test_what_is_no_household(content: bytes, code: FaultCode) -> None:
    with pytest.raises(InvalidRecordError) as caught:
        read_household(content)
    assert [fault.code for fault in caught.value.faults] == [code]


def test_a_section_has_no_more_categories_than_slots() -> None:
    household = copy.deepcopy(SMALL)
    first = household["entries"][0]
    household["entries"] = [
        {**first, "id": id_text(number.to_bytes(16, "big")), "category": f"c{number}", "group": "fixed"}
        for number in range(501)
    ]
    with pytest.raises(InvalidRecordError) as caught:
        read(household)
    assert [(fault.field, fault.code) for fault in caught.value.faults] == [("entries.category", FaultCode.TOO_MANY)]
