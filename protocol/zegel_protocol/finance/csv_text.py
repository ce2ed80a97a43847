"""CSV as text: rows and cells, one guard against formulas, and the two variants that are written.

Spec: ``protocol/spec/finance.md``, section "CSV".
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from zegel_protocol.fields.faults import Fault, FaultCode, InvalidRecordError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_FILE_BYTES: Final = 16 * 2**20
MAX_ROWS: Final = 20_000


class Variant(StrEnum):
    """The two variants: for machines, and as a Dutch Excel reads and writes it."""

    PLAIN = "plain"
    EXCEL = "excel"


DELIMITERS: Final = {Variant.PLAIN: ",", Variant.EXCEL: ";"}

# What a spreadsheet may take for a formula begins with one of these signs; the last four are their wide forms.
_FORMULA_SIGNS: Final = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_QUOTED = re.compile('[",;|\t\r\n]|^ | $')


def guard(text: str) -> str:
    """Puts an apostrophe before an empty text and before what a spreadsheet would calculate; `unguard` undoes it."""
    return f"'{text}" if _needs_guard(text) else text


def unguard(cell: str) -> str:
    """Takes off the apostrophe that `guard` put; "'t Hooft" keeps its own."""
    return cell[1:] if cell.startswith("'") and _needs_guard(cell[1:]) else cell


def _needs_guard(text: str) -> bool:
    """Says whether apostrophes, if any, lead up to a formula sign or are all there is."""
    rest = text.lstrip("'")
    return not rest or rest[0] in _FORMULA_SIGNS


def write_rows(rows: Iterable[Sequence[str]], variant: Variant) -> bytes:
    """Writes rows as UTF-8 with CRLF; the Excel variant begins with a byte order mark."""
    delimiter = DELIMITERS[variant]
    text = "".join(delimiter.join(map(_quote, cells)) + "\r\n" for cells in rows)
    return (codecs.BOM_UTF8 if variant is Variant.EXCEL else b"") + text.encode()


def _quote(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if _QUOTED.search(cell) else cell


def read_text(content: bytes) -> str:
    """Decodes a file: UTF-8 with or without byte order mark, or UTF-16 with one.

    Raises:
        InvalidRecordError: another encoding, or more than 16 MiB.
    """
    if len(content) > MAX_FILE_BYTES:
        raise InvalidRecordError([Fault("", FaultCode.TOO_LARGE, {"most": MAX_FILE_BYTES})])
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRecordError([Fault("", FaultCode.FILE_ENCODING)]) from None


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row.

    Attributes:
        line: Number of the line on which it begins, from 1, as an editor counts.
        row: Number of the row, from 1, as a spreadsheet counts.
        cells: None when its quotes are wrong.
    """

    line: int
    row: int
    cells: list[str] | None


def read_rows(text: str, delimiter: str) -> Iterator[CsvRow]:
    """Parts a text into rows; CRLF, LF and CR end one. Empty lines are counted and left out.

    A quote that is never closed makes one faulty row of all that follows, because nobody can tell where it ends.
    """
    token = re.compile(
        rf'(?:"([^"]*(?:""[^"]*)*)"|([^"{re.escape(delimiter)}\r\n]*))({re.escape(delimiter)}|\r\n|\r|\n|\Z)'
    )
    at, line, row = 0, 1, 0
    while at < len(text):
        begin, cells, end = at, list[str](), delimiter
        while end == delimiter:
            match = token.match(text, at)
            if match is None:
                break
            cells.append(match[2] if match[1] is None else match[1].replace('""', '"'))
            at, end = match.end(), match[3]
        row += 1
        if end == delimiter:
            at = _end_of_faulty_row(text, at)
            yield CsvRow(line, row, None)
        elif cells != [""]:
            yield CsvRow(line, row, cells)
        line += len(re.findall("\r\n|\r|\n", text[begin:at]))


def _end_of_faulty_row(text: str, at: int) -> int:
    """Finds where the next row begins after the cell at `at`, whose quotes are wrong."""
    if text[at : at + 1] == '"':
        closed = re.compile('"[^"]*(?:""[^"]*)*"').match(text, at)
        if closed is None:
            return len(text)
        at = closed.end()
    end = re.compile("\r\n|\r|\n").search(text, at)
    return end.end() if end else len(text)
