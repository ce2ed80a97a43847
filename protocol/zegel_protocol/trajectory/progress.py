"""How far a trajectory is: steps done for each goal, the phase of a day, what is due, scores month by month.

Spec: ``protocol/spec/trajectory.md``, section "Progress".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_protocol.trajectory.step import CLOSED, Step, StepState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from zegel_protocol.fields.filed import Filed
    from zegel_protocol.trajectory.evaluation import Evaluation
    from zegel_protocol.trajectory.goal import Goal
    from zegel_protocol.trajectory.outline import Outline
    from zegel_protocol.trajectory.phase import Phase


@dataclass(frozen=True, slots=True)
class StepCount:
    """Steps counted; dropped ones are in none of these.

    Attributes:
        steps: All that are to be done or were.
        done: Those that were.
        late: Those not done that are marked late, or were due before the day.
    """

    steps: int
    done: int
    late: int


@dataclass(frozen=True, slots=True)
class GoalProgress:
    """How far one goal is."""

    goal: Filed[Goal]
    count: StepCount


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a trajectory is on a day.

    Attributes:
        phase: The phase of the day; None between phases.
        goals: Each goal, in the order shown.
        count: All steps together, those of no goal included.
    """

    phase: Filed[Phase] | None
    goals: tuple[GoalProgress, ...]
    count: StepCount


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Scores month by month.

    Attributes:
        months: ``yyyy-mm`` of each month with an evaluation, oldest first.
        lines: For each name of a score, its score in each of these months; None: not given, which stays a gap.
    """

    months: tuple[str, ...]
    lines: dict[str, tuple[int | None, ...]]


def progress(outline: Outline, on: date) -> Progress:
    """Returns how far a trajectory is on a day."""
    return Progress(
        phase=find_current_phase(outline.phases, on),
        goals=tuple(
            GoalProgress(goal, _count((filed.record for filed in outline.steps_of(goal.id)), on))
            for goal in outline.goals
        ),
        count=_count((filed.record for filed in outline.steps), on),
    )


def find_current_phase(phases: Iterable[Filed[Phase]], on: date) -> Filed[Phase] | None:
    """Returns the phase that covers a day; where several do, the one that began last, then the last in order."""
    found = [phase for phase in phases if phase.record.covers(on)]
    return max(found, key=lambda phase: (phase.record.start or on, phase.record.order, phase.id), default=None)


def list_steps_due(steps: Iterable[Filed[Step]], until: date) -> list[Filed[Step]]:
    """Lists the steps that are neither done nor dropped and due on or before a day: the earliest first."""
    due = [(step.record.due, step) for step in steps if step.record.due and step.record.state not in CLOSED]
    return [step for day, step in sorted(due, key=lambda it: (it[0], it[1].id)) if day <= until]


def score_table(evaluations: Iterable[Filed[Evaluation]]) -> ScoreTable:
    """Returns the scores of each month with an evaluation; of several in a month the last that gives one counts."""
    months: dict[str, dict[str, int]] = {}
    names: dict[str, None] = {}
    for filed in sorted(evaluations, key=lambda it: (it.record.date, it.id)):
        day = filed.record.date
        scores = months.setdefault(f"{day.year:04}-{day.month:02}", {})
        for name, score in filed.record.scores.items():
            names[name] = None
            if score is not None:
                scores[name] = score
    return ScoreTable(
        months=tuple(months), lines={name: tuple(scores.get(name) for scores in months.values()) for name in names}
    )


def _count(steps: Iterable[Step], on: date) -> StepCount:
    kept = [step for step in steps if step.state is not StepState.DROPPED]
    return StepCount(
        steps=len(kept),
        done=sum(step.state is StepState.DONE for step in kept),
        late=sum(step.is_late(on) for step in kept),
    )
