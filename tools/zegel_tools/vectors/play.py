"""Plays one vector with the Python implementation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.errors import ProtocolError
from zegel_tools.vectors.case import SUCCESS

if TYPE_CHECKING:
    from zegel_tools.vectors.case import Case, Doors


def find_difference(doors: Doors, case: Case) -> str | None:
    """Says how what came out differs from what the vector expects; None when it does not."""
    try:
        output = doors[case.door](case.input)
    except ProtocolError as fault:
        return None if str(fault.code) == case.expect else f"expected {case.expect}, got {fault}"
    if case.expect != SUCCESS:
        return f"expected {case.expect}, got success"
    if output != case.output:
        names = [name for name in {**output, **case.output} if output.get(name) != case.output.get(name)]
        return f"another {', '.join(names)}"
    return None
