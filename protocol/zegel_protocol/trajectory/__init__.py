"""The guidance trajectory: its plan, phases, goals, steps and evaluations, and how far it is.

Spec: ``protocol/spec/trajectory.md``.
"""

from zegel_protocol.trajectory.evaluation import Evaluation as Evaluation
from zegel_protocol.trajectory.goal import Goal as Goal
from zegel_protocol.trajectory.outline import Outline as Outline
from zegel_protocol.trajectory.outline import Part as Part
from zegel_protocol.trajectory.outline import read_parts as read_parts
from zegel_protocol.trajectory.phase import Phase as Phase
from zegel_protocol.trajectory.progress import GoalProgress as GoalProgress
from zegel_protocol.trajectory.progress import Progress as Progress
from zegel_protocol.trajectory.progress import ScoreTable as ScoreTable
from zegel_protocol.trajectory.progress import StepCount as StepCount
from zegel_protocol.trajectory.progress import find_current_phase as find_current_phase
from zegel_protocol.trajectory.progress import list_steps_due as list_steps_due
from zegel_protocol.trajectory.progress import progress as progress
from zegel_protocol.trajectory.progress import score_table as score_table
from zegel_protocol.trajectory.step import Step as Step
from zegel_protocol.trajectory.step import StepState as StepState
from zegel_protocol.trajectory.trajectory import Trajectory as Trajectory
