"""Rows of text in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.cli.visible import visible_line, width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GAP = "  "


def table(heading: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[str] = ()) -> str:
    """Lays out rows below a heading.

    Args:
        heading: One word a column.
        rows: As many texts each; made harmless here.
        right: Headings of columns that end at the right: amounts.
    """
    lines = [tuple(heading), *(tuple(visible_line(cell) for cell in row) for row in rows)]
    widths = [max(width(line[column]) for line in lines) for column in range(len(heading))]
    ends = {column for column, word in enumerate(heading) if word in set(right)}
    return "\n".join(
        _GAP.join(_pad(cell, widths[column], column in ends) for column, cell in enumerate(line)).rstrip()
        for line in lines
    )


def _pad(cell: str, wanted: int, ends_right: bool) -> str:  # noqa: FBT001 - private, one place
    space = " " * (wanted - width(cell))
    return space + cell if ends_right else cell + space
