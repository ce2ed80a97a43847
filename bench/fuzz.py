"""Fuzzing: mutated valid inputs at every decoder, for as long as one likes."""

from __future__ import annotations

import os
import random
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuzz_targets import list_targets
from mutation import Mutator
from report import ROOT, Table

from zegel_protocol.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzz_targets import Target

AT_A_TIME = 50
"""Inputs of one target before another is drawn."""
MAX_SECONDS = 2.0
"""An input that takes longer is told: whoever sends it could keep a server busy."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An input at which a target did anything but return or raise a `ProtocolError`.

    Attributes:
        target: Its name.
        error: What happened, and where.
        data: The first input that did it, as hex.
    """

    target: str
    error: str
    data: str


def fuzz_all(seconds: float, seed: int) -> tuple[Table, list[Finding]]:
    """Fuzzes every decoder; see `fuzz`."""
    draw = random.Random(seed)
    targets = list_targets(draw)
    tried, refused, findings = fuzz(targets, seconds, draw)
    table = Table(
        "Fuzzing",
        f"Mutated valid inputs at every decoder, seed {seed}. An input is taken, or refused with a `ProtocolError`; "
        "anything else is a finding.",
        ("targets", "inputs", "refused", "findings"),
        ((str(len(targets)), str(tried), str(refused), str(len(findings))),),
    )
    return table, findings


def fuzz(targets: Sequence[Target], seconds: float, draw: random.Random) -> tuple[int, int, list[Finding]]:
    """Fuzzes targets, each as often as its turn comes.

    Returns:
        How many inputs were tried, how many were refused, and one finding for each place where something else happened.
    """
    mutator = Mutator(draw)
    findings: dict[str, Finding] = {}
    tried = refused = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        target, other = draw.choice(targets), draw.choice(targets)
        for _ in range(AT_A_TIME):
            data = _draw_input(mutator, draw, target, other)
            tried += 1
            began = time.monotonic()
            try:
                target.run(data)
            except ProtocolError:
                refused += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
                _note(findings, target, _describe(error), data)
            if time.monotonic() - began > MAX_SECONDS:
                _note(findings, target, f"took longer than {MAX_SECONDS} s", data)
    return tried, refused, list(findings.values())


def _draw_input(mutator: Mutator, draw: random.Random, target: Target, other: Target) -> bytes:
    valid, foreign = draw.choice(target.samples), draw.choice(other.samples)
    if not target.is_text:
        return mutator.mutate(valid, foreign)
    return mutator.mutate_text(valid.decode("utf-8", "surrogatepass"), foreign.decode("utf-8", "replace")).encode()


def _describe(error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {os.path.relpath(place.filename, ROOT)}:{place.lineno} ({place.name})"


def _note(findings: dict[str, Finding], target: Target, error: str, data: bytes) -> None:
    findings.setdefault(error, Finding(target.name, error, data.hex()))
