"""Generated files: `python -m zegel_tools.checks.generated` compares them, `--write` makes them anew.

A file that is generated is committed, so that it can be read and reviewed where it is used. What keeps it honest is
this comparison: the bytes in the repository against the bytes that its source gives now.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_tools.checks.steps import ROOT
from zegel_tools.schema import api_page, json_schema
from zegel_tools.vectors.areas import AREAS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Generated:
    """A committed file that is made from something else.

    Attributes:
        path: Where it lies, from the folder of `./zegel`.
        make: Gives its whole text; the same text every time.
    """

    path: str
    make: Callable[[], str]


# A further generated file is a further line here.
GENERATED: tuple[Generated, ...] = (
    *(Generated(area.path, area.text) for area in AREAS),
    Generated(json_schema.PATH, json_schema.schema_text),
    Generated(api_page.PATH, api_page.page_text),
)


def list_stale(files: Iterable[Generated], root: Path) -> list[str]:
    """The paths of files that are missing below `root` or that differ from what would be made now."""
    stale: list[str] = []
    for file in files:
        path = root / file.path
        if not path.is_file() or path.read_bytes() != file.make().encode():
            stale.append(file.path)
    return stale


def write(files: Iterable[Generated], root: Path) -> None:
    """Make every file anew below `root`."""
    for file in files:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.make().encode())


def main(argv: Sequence[str]) -> int:
    """Compare, or write with `--write`; returns 0, 1 when a file is stale, 2 for wrong use."""
    if list(argv) == ["--write"]:
        write(GENERATED, ROOT)
        return 0
    if argv:
        print("error: wrong_use: usage: python -m zegel_tools.checks.generated [--write]", file=sys.stderr)
        return 2
    stale = list_stale(GENERATED, ROOT)
    for path in stale:
        print(f"{path}: stale; make it anew: .venv/bin/python -m zegel_tools.checks.generated --write")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
