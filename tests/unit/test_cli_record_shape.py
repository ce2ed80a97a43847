"""Records of files in the shape of the household format: read, shown again, and every fault told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from support.faults import faults_of
from support.samples import SAMPLE_IDS, load_household

from zegel_client.cli.failure import CommandError
from zegel_client.cli.record_shape import read_records, show_records
from zegel_client.client.filing import Filing, Reading
from zegel_client.client.views import Record
from zegel_protocol.fields import FaultCode, InvalidRecordError
from zegel_protocol.finance import Debt, Entry
from zegel_protocol.ids import NO_ID, id_text
from zegel_protocol.records.record_kind import read_payload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_client.client import Dossier, Section
    from zegel_client.client.filing import Fileable
    from zegel_protocol.fields import Filed

ONE = "d3675d06-756a-5ffa-84bf-8d204b475f1e"


def empty() -> Filing:
    """A filing of a section that has nothing, and is asked for nothing."""
    return Filing(cast("Dossier", None), cast("Section", None))


def filed(items: Sequence[Filed[Fileable]]) -> Filing:
    """The same, as it would be after these were put."""
    filing = empty()
    for item in items:
        word = item.record.category if isinstance(item.record, Entry | Debt) else ""
        payload = item.record.to_payload()
        filing.readings.append(Reading(Record(item.id, (), payload), word, read_payload(payload, word)))
    return filing


def read(content: object, kind: str, filing: Filing | None = None) -> Sequence[Filed[Fileable]]:
    return read_records(json.dumps(content).encode(), kind, filing or empty())


@pytest.mark.parametrize("sample", SAMPLE_IDS)
@pytest.mark.parametrize(("kind", "name"), [("budget", "entries"), ("debts", "debts")])
def test_records_of_samples_come_out_as_they_went_in(sample: str, kind: str, name: str) -> None:
    records = load_household(sample)[name]
    assert show_records(kind, filed(read(records, kind))) == records


@pytest.mark.parametrize("sample", [it for it in SAMPLE_IDS if load_household(it)["trajectory"]])
def test_a_trajectory_is_one_object(sample: str) -> None:
    trajectory = load_household(sample)["trajectory"]
    (shown,) = cast("list[dict[str, Any]]", show_records("trajectory", filed(read(trajectory, "trajectory"))))
    assert (shown["id"], shown["plan"]) == (trajectory["id"], trajectory["plan"])
    assert [it["goal"] for it in shown["goals"]] == [it["goal"] for it in trajectory["goals"]]
    steps = [[step["step"] for step in goal["steps"]] for goal in trajectory["goals"]]
    assert [[step["step"] for step in goal["steps"]] for goal in shown["goals"]] == steps
    assert [it["phase"] for it in shown["phases"]] == [it["phase"] for it in trajectory["phases"]]


def test_an_empty_trajectory_is_an_empty_list() -> None:
    assert show_records("trajectory", empty()) == []


def test_a_step_alone_keeps_its_goal() -> None:
    trajectory = load_household("D03")["trajectory"]
    there = filed(read(trajectory, "trajectory"))
    (shown,) = cast("list[dict[str, Any]]", show_records("trajectory", there))
    step = shown["goals"][1]["steps"][0]
    (item,) = read({**step, "state": "done"}, "trajectory", there)
    assert id_text(item.id) == step["id"]
    assert item.record.to_payload()["goal_id"] is not None


def test_one_record_or_a_list() -> None:
    entry = load_household("D01")["entries"][0]
    assert [it.id for it in read(entry, "budget")] == [it.id for it in read([entry], "budget")]
    assert read([], "budget") == []


def test_a_new_record_needs_no_id() -> None:
    entry = {name: value for name, value in load_household("D01")["entries"][0].items() if name != "id"}
    one, other = read([entry, entry], "budget")
    assert one.id not in {other.id, NO_ID}


def test_a_new_profile_has_an_id_of_its_own() -> None:
    class _Section:
        id = bytes(range(16))

    filing = Filing(cast("Dossier", None), cast("Section", _Section()))
    (item,) = read_records(b'{"display_name": "Jiri"}', "profile-c03", filing)
    # The section's belongs to the slot table.
    assert item.id not in {_Section.id, NO_ID}


def test_every_fault_is_told_with_its_place() -> None:
    entry = load_household("D01")["entries"][0]
    wrong = [{**entry, "amount_cents": -1, "group": "fixed"}, entry, {**entry, "start": "2026-02-30", "period": "day"}]
    with pytest.raises(InvalidRecordError) as caught:
        read(wrong, "budget")
    assert [fault.field for fault in caught.value.faults] == ["[0].amount_cents", "[2].period", "[2].start"]


def test_a_record_stands_there_once() -> None:
    entry = load_household("D01")["entries"][0]
    with pytest.raises(InvalidRecordError) as caught:
        read([entry, entry], "budget")
    assert [fault.field for fault in caught.value.faults] == ["[1].id"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", FaultCode.NOT_JSON),
        (b"{", FaultCode.NOT_JSON),
        (b"[1]", FaultCode.WRONG_TYPE),
        (b"1", FaultCode.WRONG_TYPE),
        (b"null", FaultCode.WRONG_TYPE),
        (b'"x"', FaultCode.WRONG_TYPE),
        (b"\xff\xfe", FaultCode.FILE_ENCODING),
        (b"[" * 100_000, FaultCode.NOT_JSON),
        (b"1" * 10_000, FaultCode.NOT_JSON),
        (b'[{"party": "a", "party": "b"}]', FaultCode.TWICE),
    ],
    ids=lambda given: repr(given[:8]),
)
def test_no_records(content: bytes, code: FaultCode) -> None:
    assert [found for _, found in faults_of(read_records, content, "budget", empty())] == [code]


def test_a_section_of_another_kind_is_refused() -> None:
    with pytest.raises(CommandError):
        read({"text": "x"}, "letters")


def test_a_conflict_shows_both() -> None:
    entry = load_household("D01")["entries"][0]
    (item,) = read(entry, "budget")
    (reading,) = filed([item]).readings
    filing = empty()
    filing.readings.append(Reading(reading.record, reading.word, reading.payload, (reading.payload,)))
    (shown,) = show_records("budget", filing)
    assert shown["id"] == ONE
    assert len(cast("list[object]", shown["conflicts"])) == 1
