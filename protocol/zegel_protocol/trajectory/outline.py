"""All of a trajectory together, in the shape of the household format and as the records that it is stored in.

Spec: ``protocol/spec/trajectory.md``, section "Outline".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self, TypeAlias

from zegel_protocol.fields.faults import Fault, FaultCode, InvalidRecordError
from zegel_protocol.fields.filed import Filed, show_filed
from zegel_protocol.fields.reader import PayloadReader
from zegel_protocol.trajectory.evaluation import Evaluation
from zegel_protocol.trajectory.goal import Goal
from zegel_protocol.trajectory.order import in_order, next_order
from zegel_protocol.trajectory.phase import Phase
from zegel_protocol.trajectory.step import Step
from zegel_protocol.trajectory.trajectory import Trajectory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from zegel_protocol.codec import Value

Part: TypeAlias = Trajectory | Phase | Goal | Step | Evaluation

MAX_PARTS: Final = 2_000
"""Most parts of one list in a file."""

_LISTS: Final = frozenset({"phases", "goals", "steps", "evaluations", "further"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A trajectory and its parts, each in the order in which it is shown.

    Attributes:
        trajectories: One as a rule; more where two people began one at the same time, for people to put together.
        steps: Of all goals; a step whose goal the reader may not see is among them.
        evaluations: Oldest first.
    """

    trajectories: tuple[Filed[Trajectory], ...] = ()
    phases: tuple[Filed[Phase], ...] = ()
    goals: tuple[Filed[Goal], ...] = ()
    steps: tuple[Filed[Step], ...] = ()
    evaluations: tuple[Filed[Evaluation], ...] = ()

    @classmethod
    def of(cls, parts: Iterable[Filed[Part]]) -> Self:
        """Puts records in order; their own order does not matter."""
        trajectories: list[Filed[Trajectory]] = []
        phases: list[Filed[Phase]] = []
        goals: list[Filed[Goal]] = []
        steps: list[Filed[Step]] = []
        evaluations: list[Filed[Evaluation]] = []
        for filed in parts:
            match filed.record:
                case Trajectory() as trajectory:
                    trajectories.append(Filed(filed.id, trajectory))
                case Phase() as phase:
                    phases.append(Filed(filed.id, phase))
                case Goal() as goal:
                    goals.append(Filed(filed.id, goal))
                case Step() as step:
                    steps.append(Filed(filed.id, step))
                case Evaluation() as evaluation:
                    evaluations.append(Filed(filed.id, evaluation))
        return cls(
            trajectories=tuple(sorted(trajectories, key=lambda filed: filed.id)),
            phases=in_order(phases),
            goals=in_order(goals),
            steps=in_order(steps),
            evaluations=tuple(sorted(evaluations, key=lambda filed: (filed.record.date, filed.id))),
        )

    def parts(self) -> list[Filed[Part]]:
        """Lists all records; what others refer to comes first."""
        return [*self.trajectories, *self.phases, *self.goals, *self.steps, *self.evaluations]

    def steps_of(self, goal_id: bytes) -> list[Filed[Step]]:
        """Lists the steps of a goal."""
        return [filed for filed in self.steps if filed.record.goal_id == goal_id]

    def loose_steps(self) -> list[Filed[Step]]:
        """Lists the steps of no goal, and those whose goal is not among the goals."""
        goals = {filed.id for filed in self.goals}
        return [filed for filed in self.steps if filed.record.goal_id not in goals]

    def to_record(self) -> dict[str, Value]:
        """Returns everything as one object in the shape of the household format, each part with its ``id``.

        Two lists are there only when they hold something: ``steps`` (those of no goal that is shown) and ``further``
        (trajectories beside the first).
        """
        first = show_filed(self.trajectories[0]) if self.trajectories else {"id": None, **Trajectory().to_record()}
        phases: list[Value] = [show_filed(phase) for phase in self.phases]
        goals: list[Value] = [
            {**show_filed(goal), "steps": [show_filed(step) for step in self.steps_of(goal.id)]} for goal in self.goals
        ]
        evaluations: list[Value] = [show_filed(evaluation) for evaluation in self.evaluations]
        loose: list[Value] = [show_filed(step) for step in self.loose_steps()]
        further: list[Value] = [show_filed(trajectory) for trajectory in self.trajectories[1:]]
        rare: dict[str, Value] = {"steps": loose, "further": further}
        return {
            **first,
            "phases": phases,
            "goals": goals,
            "evaluations": evaluations,
            **{name: items for name, items in rare.items() if items},
        }


def read_parts(
    record: Mapping[str, object], new_id: Callable[[], bytes], current: Mapping[bytes, Part] | None = None
) -> list[Filed[Part]]:
    """Reads what a file holds for the trajectory section: one part, a goal with its steps, or the whole object.

    Which part it is shows by its name: a step has ``step``, a phase ``phase``, a goal ``goal``, an evaluation
    ``date``; anything else is the trajectory.

    Args:
        record: A part or the whole, in the shape that `Outline.to_record` returns; ``id`` may be left out.
        new_id: Gives the 16 random bytes of a new record.
        current: The parts that are there: a part alone keeps its place and its goal, a new one comes last.

    Returns:
        The parts that were read, in the order of `Outline.parts`.

    Raises:
        InvalidRecordError: with every fault and its place, such as ``goals[1].steps[0].due``.
    """
    reading = _Reading(new_id, current or {})
    reading.any_part(record)
    if reading.faults:
        raise InvalidRecordError(reading.faults)
    return Outline.of(reading.parts).parts()


class _Reading:
    """One reading of a file: the parts found so far, and the faults of all of them."""

    def __init__(self, new_id: Callable[[], bytes], current: Mapping[bytes, Part]) -> None:
        self.new_id = new_id
        self.current = current
        self.faults: list[Fault] = []
        self.parts: list[Filed[Part]] = []

    def any_part(self, record: Mapping[str, object]) -> None:
        """Reads a part of any type, or the whole."""
        if "step" in record:
            self.step(record, "", None, None)
        elif "phase" in record:
            self.phase(record, "", None)
        elif "goal" in record:
            self.goal(record, "", None)
        elif "date" in record:
            self.evaluation(record, "")
        else:
            self.whole(record)

    def whole(self, record: Mapping[str, object]) -> None:
        """Reads a trajectory and the lists of its parts."""
        own = {name: value for name, value in record.items() if name not in _LISTS}
        # What `Outline.to_record` shows where there is no trajectory, only parts.
        if any(value is not None for value in own.values()):
            self.add(own, "", lambda pairs, _: Trajectory.from_record(pairs))
        for _, place, item in self.items(record, "further", ""):
            self.add(item, place, lambda pairs, _: Trajectory.from_record(pairs))
        for order, place, item in self.items(record, "phases", ""):
            self.phase(item, place, order)
        for order, place, item in self.items(record, "goals", ""):
            self.goal(item, place, order)
        for order, place, item in self.items(record, "steps", ""):
            self.step(item, place, None, order)
        for _, place, item in self.items(record, "evaluations", ""):
            self.evaluation(item, place)

    def phase(self, record: Mapping[str, object], place: str, order: int | None) -> None:
        """Reads a phase; without `order` it stays where it is, or comes last."""
        self.add(record, place, lambda pairs, known: Phase.from_record(pairs, self.order_of(Phase, known, order)))

    def goal(self, record: Mapping[str, object], place: str, order: int | None) -> None:
        """Reads a goal and the steps in it."""
        own = {name: value for name, value in record.items() if name != "steps"}
        goal_id = self.add(own, place, lambda pairs, known: Goal.from_record(pairs, self.order_of(Goal, known, order)))
        for number, inside, item in self.items(record, "steps", place):
            self.step(item, inside, goal_id, number)

    def step(self, record: Mapping[str, object], place: str, goal_id: bytes | None, order: int | None) -> None:
        """Reads a step; without `goal_id` it stays with the goal that it has."""

        def make(pairs: Mapping[str, object], known: Part | None) -> Step:
            goal = known.goal_id if goal_id is None and isinstance(known, Step) else goal_id
            return Step.from_record(pairs, goal, self.order_of(Step, known, order))

        self.add(record, place, make)

    def evaluation(self, record: Mapping[str, object], place: str) -> None:
        """Reads an evaluation."""
        self.add(record, place, lambda pairs, _: Evaluation.from_record(pairs))

    def add(
        self, record: Mapping[str, object], place: str, make: Callable[[Mapping[str, object], Part | None], Part]
    ) -> bytes:
        """Makes one part, notes what is wrong with it, and returns its id."""
        head = PayloadReader({"id": record.get("id")})
        part_id = head.written_id("id") or self.new_id()
        faults = head.faults
        if any(filed.id == part_id for filed in self.parts):
            head.fault("id", FaultCode.TWICE)
        pairs = {name: value for name, value in record.items() if name != "id"}
        try:
            part = make(pairs, self.current.get(part_id))
        except InvalidRecordError as error:  # gathered, so that all faults of a file are told at once
            faults = [*faults, *error.faults]
        else:
            self.parts.append(Filed(part_id, part))
        self.faults += [fault.inside(place) for fault in faults]
        return part_id

    def items(self, record: Mapping[str, object], name: str, path: str) -> Iterator[tuple[int, str, dict[str, object]]]:
        """Yields the maps of one list with their numbers and places."""
        reader = PayloadReader({name: record.get(name)})
        found = reader.maps(name, MAX_PARTS)
        self.faults += [fault.inside(path) for fault in reader.faults]
        for number, item in enumerate(found):
            yield number, f"{path}.{name}[{number}]" if path else f"{name}[{number}]", item

    def order_of(self, kind: type[Phase | Goal | Step], known: Part | None, order: int | None) -> int:
        """Returns the place in a list, or the one it has, or the one after all of its kind."""
        if order is not None:
            return order
        if isinstance(known, Phase | Goal | Step):
            return known.order
        return next_order(part for part in self.current.values() if isinstance(part, kind))
