"""The plan of a household: everyone is there before they write, everything stands in the order of the file."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from support.samples import HOUSEHOLDS

from zegel_client.engine.roles import EDIT, Access, Role
from zegel_client.household import WRITTEN_FOR, Household, read_household
from zegel_protocol.ledger.operations import Right
from zegel_tools.loader.household_folder import FaultyFolderError, read_folder
from zegel_tools.loader.organisations import DEFAULT_NAME, key_of, list_organisations
from zegel_tools.loader.plan import (
    Action,
    AddColleague,
    AddSubject,
    CreateDossier,
    Join,
    OpenSideThread,
    Plan,
    PutRecords,
    Recall,
    Say,
    plan_household,
)

OWN = Path(__file__).resolve().parents[1] / "support" / "households"
NOW_MS = 1_795_600_000_000  # 2026-11-25
ALL = {household.id: household for folder in (HOUSEHOLDS, OWN) for household in read_folder(folder)}
A = TypeVar("A", bound=Action)


def plan(household: Household | str) -> Plan:
    found = ALL[household] if isinstance(household, str) else household
    return plan_household(found, key_of(found), NOW_MS)


def of_kind(actions: tuple[Action, ...], kind: type[A]) -> list[A]:
    return [action for action in actions if isinstance(action, kind)]


def changed(household_id: str, **changes: Any) -> Household:
    return replace(ALL[household_id], **changes)


@pytest.mark.parametrize("household_id", ALL)
def test_messages_keep_the_order_of_the_file_in_each_section(household_id: str) -> None:
    household = ALL[household_id]
    said = [action.message for action in of_kind(plan(household).actions, Say)]
    assert [(it.id, it.section, it.text) for it in said] == [(it.id, it.section, it.text) for it in household.messages]


@pytest.mark.parametrize("household_id", ALL)
def test_nobody_writes_before_they_joined(household_id: str) -> None:
    here: set[str] = set()
    actions = plan(household_id).actions
    assert isinstance(actions[0], CreateDossier)
    here.add(plan(household_id).caseworker.handle)
    for action in actions:
        match action:
            case Join():
                assert not here & {seat.person.handle for seat in action.seats}
                here |= {seat.person.handle for seat in action.seats}
            case AddColleague():
                here.add(action.person.handle)
            case Say() | Recall():
                assert action.author in here
            case _:
                pass


@pytest.mark.parametrize("household_id", ALL)
def test_everyone_has_one_place(household_id: str) -> None:
    household = ALL[household_id]
    actions = plan(household).actions
    seats = {seat.person.id for join in of_kind(actions, Join) for seat in join.seats}
    subjects = {action.person.id for action in of_kind(actions, AddSubject)}
    assert not seats & subjects
    assert {*household.clients, *household.others} <= seats | subjects
    assert subjects == {person.id for person in household.people if not household.has_account(person)}


@pytest.mark.parametrize("household_id", ALL)
def test_all_records_are_put_once_and_the_category_is_left_to_the_slot(household_id: str) -> None:
    household = ALL[household_id]
    put = {action.section: action.records for action in of_kind(plan(household).actions, PutRecords)}
    expected = {
        "budget": [(it.id, it.record.category) for it in household.entries],
        "debts": [(it.id, it.record.category) for it in household.debts],
        "trajectory": [(it.id, "") for it in household.trajectory.parts()],
    }
    assert {name: [(it.id, it.word) for it in records] for name, records in put.items()} == {
        name: records for name, records in expected.items() if records
    }
    assert all("category" not in record.payload for records in put.values() for record in records)


def test_an_interpreter_comes_right_before_their_first_message() -> None:
    actions = plan("D06").actions
    talk = [action for action in actions if isinstance(action, Say | Join)]
    assert [type(action) for action in talk] == [Join, Say, Join, Say, Say]
    late = talk[2]
    assert isinstance(late, Join)
    assert [(seat.person.id, seat.role) for seat in late.seats] == [("T1", Role.INTERPRETER)]


def test_an_interpreter_who_never_writes_comes_last() -> None:
    last = plan("K03").actions[-1]
    assert isinstance(last, Join)
    assert [seat.person.id for seat in last.seats] == ["Z3"]


def test_an_interpreter_comes_before_their_own_side_thread() -> None:
    first, *others = ALL["D06"].messages
    messages = (replace(first, section="side-t1", author="W3"), *others)
    kinds = [type(action) for action in plan(changed("D06", messages=messages)).actions]
    join = kinds.index(Join, kinds.index(Join) + 1)
    assert kinds[join : join + 3] == [Join, OpenSideThread, Say]


def test_a_recall_stands_where_it_happened() -> None:
    actions = plan("K01").actions
    recall = next(number for number, action in enumerate(actions) if isinstance(action, Recall))
    recalled, before, after = actions[recall], actions[recall - 1], actions[recall + 1]
    assert isinstance(recalled, Recall)
    assert isinstance(before, Say)
    assert isinstance(after, Say)
    assert before.message.id == recalled.message
    assert after.message.text == "Sorry, verkeerd gesprek."
    assert recalled.reason == "verkeerd gesprek"
    assert recalled.author == "k01a"


def test_a_recall_after_all_messages_comes_last() -> None:
    messages = tuple(replace(it, recalled_at_ms=NOW_MS - 1) if number == 0 else it for number, it in _numbered("D03"))
    assert isinstance(plan(changed("D03", messages=messages)).actions[-1], Recall)


def test_a_recall_waits_for_its_own_section_only() -> None:
    first, second = ALL["D03"].messages
    recalled = replace(first, recalled_at_ms=first.sent_at_ms + 1)
    elsewhere = replace(second, section="notes", author="W1")
    kinds = [type(action) for action in plan(changed("D03", messages=(recalled, elsewhere))).actions[-3:]]
    assert kinds == [Say, Say, Recall]


def test_each_of_two_clients_has_a_side_thread() -> None:
    threads = of_kind(plan("D08").actions, OpenSideThread)
    assert [(it.kind, it.right) for it in threads] == [("side-c08a", EDIT), ("side-c08b", EDIT)]


def test_one_client_has_none_unless_a_message_is_in_it() -> None:
    assert not of_kind(plan("D01").actions, OpenSideThread)
    messages = tuple(replace(it, section="side-c01") for it in ALL["D01"].messages)
    assert [it.kind for it in of_kind(plan(changed("D01", messages=messages)).actions, OpenSideThread)] == ["side-c01"]


def test_a_client_on_paper_is_a_subject_whose_words_are_written_down() -> None:
    found = plan("K02")
    assert not of_kind(found.actions, Join)
    assert [it.person.id for it in of_kind(found.actions, AddSubject)] == ["K02"]
    marks = [(it.author, it.message.extra.get(WRITTEN_FOR)) for it in of_kind(found.actions, Say)]
    assert marks == [("v1", None), ("v1", "Jacoba Proefkade"), ("v1", None)]
    assert len(found.notes) == 1


def test_who_may_not_write_in_a_section_does_not_sign_there() -> None:
    marks = {it.message.extra.get(WRITTEN_FOR): it.author for it in of_kind(plan("K03").actions, Say)}
    assert marks["Wim Proeftuin"] == "v2"


def test_a_colleague_of_another_dossier_is_added() -> None:
    assert [it.person.id for it in of_kind(plan("K03").actions, AddColleague)] == ["V1"]


def test_an_unknown_role_is_that_of_a_relative_and_access_narrows_it() -> None:
    seats = {seat.person.id: seat for join in of_kind(plan("K03").actions, Join) for seat in join.seats}
    assert (seats["Z2"].role, seats["Z2"].access) == (Role.FAMILY, Access.LOOK)
    assert seats["Z2"].rights("budget") == Right.READ
    assert seats["K03"].rights("budget") == Right.NONE
    assert seats["K03"].rights("conversation") == EDIT
    assert seats["Z1"].rights("conversation") == Right.NONE
    assert seats["K03"].rights("side-k03") == EDIT
    assert seats["K03"].rights("side-k01a") == Right.NONE


def test_what_lies_in_the_future_is_sent_as_of_now() -> None:
    found = plan("D11")
    assert max(it.message.sent_at_ms for it in of_kind(found.actions, Say)) == NOW_MS
    assert "317" in found.notes[0]


def test_steps_are_counted() -> None:
    assert plan("D10").steps == 2
    assert plan("D11").steps == 2_502


def test_organisations_gather_their_people() -> None:
    found, notes = list_organisations(ALL.values())
    by_key = {organisation.key: organisation for organisation in found}
    assert not notes
    assert by_key["ORG1"].owner.id == "W4"
    assert by_key["ORG7"].owner.id == "V3"
    assert {handle: by_key["ORG7"].role_of(person) for handle, person in by_key["ORG7"].staff.items()} == {
        "v1": "caseworker",
        "v2": "caseworker",
        "v3": "owner",
    }
    assert by_key[DEFAULT_NAME].owner.id == "h.4"
    assert by_key[DEFAULT_NAME].role_of(by_key[DEFAULT_NAME].owner) == "owner"


def test_two_names_of_one_organisation_are_told() -> None:
    found, notes = list_organisations([ALL["D01"], changed("D03", organisation_name="Anders")])
    assert [organisation.name for organisation in found] == [ALL["D01"].organisation_name]
    assert len(notes) == 1


def test_faults_name_file_and_place(tmp_path: Path) -> None:
    raw = json.loads((HOUSEHOLDS / "D01.household.json").read_text(encoding="utf-8"))
    raw["organisation"]["name"] = "n" * 301
    raw["entries"][2]["period"] = "fortnight"
    (tmp_path / "a.household.json").write_text(json.dumps(raw), encoding="utf-8")
    (tmp_path / "b.household.json").write_text("{", encoding="utf-8")
    with pytest.raises(FaultyFolderError) as caught:
        read_folder(tmp_path)
    assert [fault.partition(": ")[0] for fault in caught.value.faults] == ["a.household.json", "b.household.json"]
    assert "entries[2].period" in caught.value.faults[0]
    raw["entries"][2]["period"] = "month"
    (tmp_path / "a.household.json").write_text(json.dumps(raw), encoding="utf-8")
    (tmp_path / "b.household.json").write_text(json.dumps({**raw, "messages": []}), encoding="utf-8")
    with pytest.raises(FaultyFolderError) as caught:
        read_folder(tmp_path)
    places = [fault.split(": ")[1] for fault in caught.value.faults]
    assert places[0] == "organisation.name"
    assert caught.value.faults[-1].startswith("b.household.json: id: ")


def test_a_folder_without_households_is_told(tmp_path: Path) -> None:
    with pytest.raises(FaultyFolderError, match="no file"):
        read_folder(tmp_path)


def test_planning_needs_nothing_but_the_file() -> None:
    content = (HOUSEHOLDS / "D10.household.json").read_bytes()
    assert plan(read_household(content)) == plan("D10")


def _numbered(household_id: str) -> list[tuple[int, Any]]:
    return list(enumerate(ALL[household_id].messages))
