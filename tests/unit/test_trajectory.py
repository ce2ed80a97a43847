"""The trajectory: its parts as payloads and in files, their order, and how far it is."""

from __future__ import annotations

import json
from datetime import date
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from support.faults import faults_of
from support.samples import SAMPLE_IDS, load_household, without_id

from zegel_protocol.codec import decode, encode
from zegel_protocol.fields import FaultCode, Filed, InvalidRecordError, show_filed
from zegel_protocol.ids import MAX_INTEGER, id_text
from zegel_protocol.records.record_kind import read_payload
from zegel_protocol.trajectory import (
    Evaluation,
    Goal,
    Outline,
    Phase,
    Step,
    StepState,
    Trajectory,
    find_current_phase,
    list_steps_due,
    progress,
    read_parts,
    score_table,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_protocol.trajectory import Part

WITH_TRAJECTORY = [sample_id for sample_id in SAMPLE_IDS if load_household(sample_id)["trajectory"]]
ON = date(2026, 11, 23)


def new_ids() -> Callable[[], bytes]:
    numbers = count(1)
    return lambda: next(numbers).to_bytes(16, "big")


def outline_of(sample_id: str) -> Outline:
    return Outline.of(read_parts(load_household(sample_id)["trajectory"], new_ids()))


def without_ids(record: dict[str, Any]) -> dict[str, Any]:
    """A trajectory as files hold it, where only the whole has an id."""
    return {**json.loads(json.dumps(record), object_hook=without_id), "id": record["id"]}


@pytest.mark.parametrize("sample_id", WITH_TRAJECTORY)
def test_samples_come_back_from_their_records(sample_id: str) -> None:
    trajectory = load_household(sample_id)["trajectory"]
    parts = read_parts(trajectory, new_ids())
    stored: list[Filed[Part]] = []
    for part in parts:
        record = read_payload(decode(encode(part.record.to_payload())))
        assert isinstance(record, Trajectory | Phase | Goal | Step | Evaluation)
        stored.append(Filed(part.id, record))
    assert stored == parts
    # Records arrive in any order.
    outline = Outline.of(reversed(stored))
    assert outline.to_record()["id"] == trajectory["id"]
    assert without_ids(outline.to_record()) == trajectory
    assert read_parts(outline.to_record(), new_ids()) == parts


def test_a_sample_is_so_far() -> None:
    found = progress(outline_of("D01"), ON)
    assert found.phase is not None
    assert found.phase.record.phase == "Schuldregeling"
    assert [(goal.count.done, goal.count.steps, goal.count.late) for goal in found.goals] == [
        (2, 3, 0),
        (1, 2, 0),
        (0, 2, 1),
    ]
    assert (found.count.done, found.count.steps, found.count.late) == (3, 7, 1)


def test_scores_of_a_sample() -> None:
    table = score_table(outline_of("D01").evaluations)
    assert table.months == ("2026-07", "2026-09", "2026-11")
    assert table.lines == {"post": (2, 4, 4), "rust": (2, 3, 4), "vertrouwen": (3, 4, 4)}


def test_a_missing_score_stays_a_gap_and_the_last_of_a_month_counts() -> None:
    evaluations = [
        Filed(b"3", Evaluation(date=date(2026, 3, 1), scores={"b": 5})),
        Filed(b"1", Evaluation(date=date(2026, 1, 31), scores={"a": 2, "b": None, "c": None})),
        Filed(b"2", Evaluation(date=date(2026, 1, 1), scores={"a": 1, "c": 0})),
    ]
    table = score_table(evaluations)
    assert table.months == ("2026-01", "2026-03")
    assert table.lines == {"a": (2, None), "c": (0, None), "b": (None, 5)}


@pytest.mark.parametrize(
    ("state", "due", "late"),
    [
        (StepState.OPEN, date(2026, 11, 22), True),
        (StepState.OPEN, ON, False),
        (StepState.BUSY, date(2026, 11, 22), True),
        (StepState.OPEN, None, False),
        (StepState.LATE, date(2027, 1, 1), True),
        (StepState.DONE, date(2026, 1, 1), False),
        (StepState.DROPPED, date(2026, 1, 1), False),
    ],
)
def test_late(state: StepState, due: date | None, late: bool) -> None:
    assert Step(step="x", state=state, due=due).is_late(ON) is late


def test_dropped_steps_do_not_count() -> None:
    goal = Filed(b"g" * 16, Goal(goal="g"))
    states = [StepState.DONE, StepState.DROPPED, StepState.OPEN]
    steps = [Filed(bytes([number]), Step(step="s", state=it, goal_id=goal.id)) for number, it in enumerate(states)]
    found = progress(Outline.of([goal, *steps]), ON)
    assert (found.goals[0].count.done, found.goals[0].count.steps) == (1, 2)


def test_steps_due_come_earliest_first() -> None:
    def step(name: bytes, due: date | None, state: StepState = StepState.OPEN) -> Filed[Step]:
        return Filed(name, Step(step="s", due=due, state=state))

    steps = [
        step(b"a", date(2026, 12, 2)),
        step(b"b", date(2026, 12, 1)),
        step(b"c", date(2026, 12, 3)),
        step(b"d", None),
        step(b"e", date(2026, 1, 1), StepState.DONE),
    ]
    assert [it.id for it in list_steps_due(steps, date(2026, 12, 2))] == [b"b", b"a"]


def test_the_phase_of_a_day() -> None:
    first = Filed(b"1", Phase(phase="1", start=date(2026, 1, 1), end=date(2026, 1, 31)))
    second = Filed(b"2", Phase(phase="2", start=date(2026, 1, 31), order=1))
    planned = Filed(b"3", Phase(phase="3", order=2))
    phases = [second, planned, first]
    assert find_current_phase(phases, date(2025, 12, 31)) is None
    assert find_current_phase(phases, date(2026, 1, 30)) == first
    assert find_current_phase(phases, date(2026, 1, 31)) == second
    assert find_current_phase([first], date(2026, 2, 1)) is None


def test_parts_are_shown_in_their_order() -> None:
    phases = [Filed(bytes([number]), Phase(phase=str(order), order=order)) for number, order in enumerate((2, 0, 1, 0))]
    assert [it.record.phase for it in Outline.of(phases).phases] == ["0", "0", "1", "2"]
    assert [it.id for it in Outline.of(phases).phases][:2] == [b"\x01", b"\x03"]


def test_one_part_of_a_file_keeps_its_place_and_its_goal() -> None:
    outline = outline_of("D01")
    current = {part.id: part.record for part in outline.parts()}
    step = outline.steps[3]
    changed = {**show_filed(step), "state": "done", "done_on": "2026-11-23"}
    (found,) = read_parts(changed, new_ids(), current)
    assert found.id == step.id
    assert isinstance(found.record, Step)
    assert (found.record.goal_id, found.record.order) == (step.record.goal_id, step.record.order)
    assert found.record.state is StepState.DONE


def test_a_new_part_comes_last() -> None:
    outline = outline_of("D01")
    current = {part.id: part.record for part in outline.parts()}
    goal = outline.goals[0].id
    phase, step = (
        read_parts(record, lambda: b"n" * 16, current)[0].record
        for record in ({"phase": "Nazorg"}, {"step": "Bellen", "goal_id": id_text(goal)})
    )
    assert isinstance(phase, Phase)
    assert phase.order == len(outline.phases)
    assert isinstance(step, Step)
    assert (step.goal_id, step.order) == (goal, 3)


def test_a_goal_of_a_file_brings_its_steps() -> None:
    goal, step = read_parts({"goal": "Rust", "steps": [{"step": "Bellen"}]}, new_ids())
    assert isinstance(step.record, Step)
    assert step.record.goal_id == goal.id


def test_a_step_whose_goal_is_hidden_is_shown() -> None:
    step = Filed(b"s" * 16, Step(step="Bellen", goal_id=b"h" * 16))
    record = Outline.of([step]).to_record()
    assert record["id"] is None
    assert record["steps"] == [show_filed(step)]
    assert read_parts(record, new_ids(), {step.id: step.record}) == [step]


def test_two_trajectories_are_both_shown() -> None:
    outline = Outline.of([Filed(b"b" * 16, Trajectory(plan="b")), Filed(b"a" * 16, Trajectory(plan="a"))])
    record = outline.to_record()
    assert record["plan"] == "a"
    assert record["further"] == [{"id": id_text(b"b" * 16), "start": None, "plan": "b"}]
    assert read_parts(record, new_ids()) == outline.parts()


def test_pairs_of_a_newer_version_are_kept_in_every_part() -> None:
    newer = {"newer": [1, {"x": None}]}
    record = {
        "plan": "p",
        **newer,
        "phases": [{"phase": "p", **newer}],
        "goals": [{"goal": "g", "steps": [{"step": "s", **newer}], **newer}],
        "evaluations": [{"date": "2026-01-01", **newer}],
    }
    parts = read_parts(record, new_ids())
    assert len(parts) == 5
    for part in parts:
        again = read_payload(decode(encode(part.record.to_payload())))
        assert again == part.record
        assert show_filed(part)["newer"] == newer["newer"]


FAULTY: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    (
        {"phases": [{"phase": "", "start": "x"}]},
        [("phases[0].phase", "text_empty"), ("phases[0].start", "not_a_date")],
    ),
    (
        {"phases": [{"phase": "x", "start": "2026-01-02", "end": "2026-01-01"}]},
        [("phases[0].end", "end_before_start")],
    ),
    ({"phases": {}}, [("phases", "wrong_type")]),
    ({"goals": ["x"]}, [("goals[0]", "wrong_type")]),
    (
        {"goals": [{"goal": "g", "steps": [{"step": "s", "state": "gone"}]}]},
        [("goals[0].steps[0].state", "unknown_word")],
    ),
    ({"goals": [{"goal": "g", "steps": 1}]}, [("goals[0].steps", "wrong_type")]),
    ({"goals": [{}]}, [("goals[0].goal", "missing")]),
    ({"step": "s", "goal_id": "x"}, [("goal_id", "not_an_id")]),
    ({"step": "s", "who": "C01"}, [("who", "wrong_type")]),
    ({"step": "s", "order": -1}, [("order", "negative")]),
    ({"step": "s", "id": "x"}, [("id", "not_an_id")]),
    ({"date": None}, [("date", "missing")]),
    ({"date": "2026-02-29"}, [("date", "not_a_date")]),
    ({"date": "2026-01-01", "scores": []}, [("scores", "wrong_type")]),
    ({"date": "2026-01-01", "scores": {"a": 3.5}}, [("scores[0]", "wrong_type")]),
    ({"date": "2026-01-01", "scores": {"a": True}}, [("scores[0]", "wrong_type")]),
    ({"date": "2026-01-01", "scores": {"a": 1001}}, [("scores[0]", "out_of_range")]),
    ({"date": "2026-01-01", "scores": {"": 1}}, [("scores[0]", "text_empty")]),
    ({"date": "2026-01-01", "scores": {str(n): 1 for n in range(101)}}, [("scores", "too_many")]),
    ({"plan": "p" * 10_001}, [("plan", "text_too_long")]),
    (
        {"phases": [{"id": id_text(b"a" * 16), "phase": "1"}, {"id": id_text(b"a" * 16), "phase": "2"}]},
        [("phases[1].id", "twice")],
    ),
]


@pytest.mark.parametrize(("record", "faults"), FAULTY)
def test_faults_name_their_place(record: dict[str, Any], faults: list[tuple[str, str]]) -> None:
    assert [(field, code.value) for field, code in faults_of(read_parts, record, new_ids())] == faults


def test_scores_of_a_payload_are_unique() -> None:
    payload = Evaluation(date=ON).to_payload()
    twice: list[Any] = [{"name": "a", "score": 1}, {"name": "a", "score": 2}]
    with pytest.raises(InvalidRecordError) as caught:
        Evaluation.from_payload({**payload, "scores": twice})
    assert [(fault.field, fault.code) for fault in caught.value.faults] == [("scores[1]", FaultCode.TWICE)]


def test_a_part_in_the_last_place_of_all_stops_nobody_from_adding_another() -> None:
    there = Goal(goal="Rust", order=MAX_INTEGER)
    (added,) = read_parts({"goal": "Werk"}, lambda: bytes([2]) * 16, {bytes([1]) * 16: there})
    assert isinstance(added.record, Goal)
    assert decode(encode(added.record.to_payload())) == added.record.to_payload()
