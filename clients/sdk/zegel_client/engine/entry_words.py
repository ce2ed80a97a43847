"""Words that people put into a ledger: short enough for a screen, and to be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.fields.faults import Fault, FaultCode, InvalidRecordError
from zegel_protocol.fields.reader import find_name_fault
from zegel_protocol.ledger.words import About

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zegel_protocol.codec import Value

_SHOWN = {About.LEDGER: "title", About.MEMBER: "name", About.INVITE: "name", About.SUBJECT: "name"}
"""What people know a thing or a person by: not blank."""


def check_words(about: About, words: Mapping[str, Value], place: str = "") -> None:
    """Refuses words that are too long for anybody's screen, or that nobody could see.

    Raises:
        InvalidRecordError: With every fault and its place.
    """
    faults: list[Fault] = []
    for name, value in words.items():
        if isinstance(value, dict):
            check_words(about, value, f"{place}{name}.")
        if isinstance(value, str):
            fault = find_name_fault(place + name, value)
            if fault is not None:
                faults.append(fault)
            elif place + name == _SHOWN.get(about) and not value.strip():
                faults.append(Fault(name, FaultCode.TEXT_EMPTY))
    if faults:
        raise InvalidRecordError(faults)
