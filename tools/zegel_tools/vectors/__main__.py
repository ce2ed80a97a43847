"""`python -m zegel_tools.vectors` plays all vectors; `--write` makes their files anew."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from zegel_tools.checks.steps import ROOT
from zegel_tools.vectors.areas import AREAS
from zegel_tools.vectors.case import parse
from zegel_tools.vectors.play import find_difference
from zegel_tools.vectors.recorded import RECORDINGS

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Play, or write with `--write`; returns 0, 1 when a vector fails, 2 for wrong use."""
    if list(argv) == ["--write"]:
        RECORDINGS.may_record = True
        for area in AREAS:
            (ROOT / area.path).write_bytes(area.text().encode())
        return 0
    if argv:
        print("error: wrong_use: usage: python -m zegel_tools.vectors [--write]", file=sys.stderr)
        return 2
    wrong = 0
    for area in AREAS:
        for case in parse((ROOT / area.path).read_text(encoding="ascii")).cases:
            difference = find_difference(area.doors, case)
            if difference is not None:
                wrong += 1
                print(f"{area.name}: {case.name}: {difference}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
