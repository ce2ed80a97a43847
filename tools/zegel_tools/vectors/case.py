"""One vector: a door, what goes in, and what must come out. Format: ``protocol/spec/README.md``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from zegel_protocol.errors import ErrorCode

SUCCESS = "success"

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]
Fields = dict[str, Json]
Door = Callable[[Fields], Fields]
"""Plays one kind of case: takes the input, returns the output or raises a `ProtocolError`."""


@dataclass(frozen=True, slots=True)
class Case:
    """One vector.

    Attributes:
        name: Unique in its file; says what is right or the one thing that is wrong.
        door: Which function of an implementation is played.
        input: Bytes are lower-case hex.
        expect: ``success`` or an `ErrorCode`.
        output: Of a success, what the door gives.
    """

    name: str
    door: str
    input: Fields
    expect: str = SUCCESS
    output: Fields = field(default_factory=dict[str, "Json"])


@dataclass(frozen=True, slots=True)
class VectorFile:
    """One file of vectors."""

    about: str
    cases: tuple[Case, ...]


class CaseList:
    """Gathers the cases of one file."""

    def __init__(self) -> None:
        self.cases: list[Case] = []

    def good(self, name: str, door: str, given: Fields, output: Fields) -> None:
        """Adds a success."""
        self.cases.append(Case(name, door, given, SUCCESS, output))

    def bad(self, name: str, door: str, given: Fields, expect: ErrorCode, **other: Json) -> None:
        """Adds a failure: a valid input with `other` in the place of the fields that are wrong."""
        self.cases.append(Case(name, door, {**given, **other}, str(expect)))


def render(file: VectorFile) -> str:
    """Writes a file of vectors, one case a line.

    Raises:
        ValueError: Two cases have one name, two are the same, or a case expects an unknown code.
    """
    names: set[str] = set()
    bodies: set[str] = set()
    lines: list[str] = []
    for case in file.cases:
        if case.expect != SUCCESS and case.expect not in set(ErrorCode):
            raise ValueError(f"{case.name}: {case.expect} is no error code")
        fields: Fields = {"name": case.name, "door": case.door, "input": case.input, "expect": case.expect}
        if case.expect == SUCCESS:
            fields["output"] = case.output
        body = json.dumps([case.door, case.input])
        if case.name in names or body in bodies:
            raise ValueError(f"{case.name}: stands twice")
        names.add(case.name)
        bodies.add(body)
        lines.append(json.dumps(fields, ensure_ascii=True))
    head = f'{{"about": {json.dumps(file.about)},\n"cases": [\n'
    return head + ",\n".join(lines) + "\n]}\n"


def parse(text: str) -> VectorFile:
    """Reads what `render` wrote."""
    found = json.loads(text)
    cases = tuple(
        Case(case["name"], case["door"], case["input"], case["expect"], case.get("output", {}))
        for case in found["cases"]
    )
    return VectorFile(found["about"], cases)


Doors = Mapping[str, Door]
