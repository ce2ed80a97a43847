"""CSV files of entries and of debts: written in two variants, read from either, each refused row with its reasons.

Pure: bytes in, bytes out. Nothing is stored here, so nothing can be half stored; what a caller does with the rows
that were accepted is its own decision.

Spec: ``protocol/spec/finance.md``, section "CSV".
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, Generic, Protocol, Self, TypeVar, cast

from zegel_protocol.fields.faults import Fault, FaultCode, InvalidRecordError
from zegel_protocol.finance import csv_cells as cells
from zegel_protocol.finance.csv_text import DELIMITERS, MAX_ROWS, CsvRow, Variant, read_rows, read_text, write_rows
from zegel_protocol.finance.debt import Debt, DebtKind, DebtStatus, Liability
from zegel_protocol.finance.entry import Entry, Group
from zegel_protocol.finance.period import Period

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from zegel_protocol.codec import Value
    from zegel_protocol.finance.csv_cells import Cell


class _Record(Protocol):
    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Self: ...

    def to_record(self) -> dict[str, Value]: ...


R = TypeVar("R", bound=_Record)


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        field: Name of the field in the household format.
        heading: Heading of the plain variant; the name of the field is read as well.
        dutch: Heading of the Excel variant.
        needed: A file without it is refused.
    """

    field: str
    heading: str
    dutch: str
    cell: Cell
    needed: bool = False


_ID: Final = Column("id", "id", "id", cells.ID)
_EXTRA: Final = Column("extra", "extra", "extra", cells.EXTRA)

ENTRY_COLUMNS: Final = (
    _ID,
    Column("group", "group", "groep", cells.word_cell(Group)),
    Column("category", "category", "categorie", cells.TEXT, needed=True),
    Column("party", "party", "partij", cells.TEXT),
    Column("description", "description", "omschrijving", cells.TEXT),
    Column("amount_cents", "amount", "bedrag", cells.CENTS, needed=True),
    Column("period", "period", "periode", cells.word_cell(Period), needed=True),
    Column("start", "start", "begin", cells.DATE),
    Column("end", "end", "einde", cells.DATE),
    Column("notice_months", "notice_months", "opzegtermijn in maanden", cells.NUMBER),
    Column("reference", "reference", "kenmerk", cells.TEXT),
    Column("owner", "owner", "van wie", cells.TEXT),
    Column("note", "note", "notitie", cells.TEXT),
    _EXTRA,
)

DEBT_COLUMNS: Final = (
    _ID,
    Column("creditor", "creditor", "schuldeiser", cells.TEXT, needed=True),
    Column("collector", "collector", "incasso door", cells.TEXT),
    Column("category", "category", "categorie", cells.TEXT, needed=True),
    Column("kind", "kind", "soort", cells.word_cell(DebtKind)),
    Column("reference", "reference", "kenmerk", cells.TEXT),
    Column("principal_cents", "principal", "hoofdsom", cells.CENTS),
    Column("interest_cents", "interest", "rente", cells.CENTS),
    Column("costs_cents", "costs", "kosten", cells.CENTS),
    Column("outstanding_cents", "outstanding", "openstaand", cells.CENTS, needed=True),
    Column("agreed_monthly_cents", "agreed_monthly", "afspraak per maand", cells.CENTS),
    Column("since", "since", "sinds", cells.DATE),
    Column("as_of", "as_of", "stand op", cells.DATE),
    Column("preferential", "preferential", "preferent", cells.FLAG),
    Column("debtors", "debtors", "schuldenaren", cells.LABELS),
    Column("liability", "liability", "aansprakelijkheid", cells.word_cell(Liability)),
    Column("share", "share", "aandeel", cells.SHARE),
    Column("status", "status", "status", cells.word_cell(DebtStatus)),
    Column("attachment", "attachment", "beslag", cells.TEXT),
    Column("business", "business", "zakelijk", cells.FLAG),
    Column("note", "note", "notitie", cells.TEXT),
    _EXTRA,
)


@dataclass(frozen=True, slots=True)
class AcceptedRow(Generic[R]):
    """A row that holds a record.

    Attributes:
        line: Line on which it begins, from 1, the header included.
        row: Row as a spreadsheet counts, from 1, the header included.
        record_id: The 16 bytes of its id; None: it has none, a new record.
    """

    line: int
    row: int
    record_id: bytes | None
    record: R


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was left out, with every reason."""

    line: int
    row: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Reading(Generic[R]):
    """What a file holds.

    Attributes:
        variant: Whose decimal sign was read: by the delimiter.
        ignored: Headings of columns that mean nothing here; what stood below them was not read.
    """

    variant: Variant
    accepted: tuple[AcceptedRow[R], ...]
    refused: tuple[RefusedRow, ...]
    ignored: tuple[str, ...]


def write_entries(entries: Iterable[tuple[bytes | None, Entry]], variant: Variant) -> bytes:
    """Writes entries beside the ids of their records."""
    return _write(ENTRY_COLUMNS, entries, variant)


def write_debts(debts: Iterable[tuple[bytes | None, Debt]], variant: Variant) -> bytes:
    """Writes debts beside the ids of their records."""
    return _write(DEBT_COLUMNS, debts, variant)


def read_entries(content: bytes) -> Reading[Entry]:
    """Reads entries.

    Raises:
        InvalidRecordError: the file as a whole cannot be read: encoding, size, header.
    """
    return _read(ENTRY_COLUMNS, Entry, content)


def read_debts(content: bytes) -> Reading[Debt]:
    """Reads debts.

    Raises:
        InvalidRecordError: the file as a whole cannot be read: encoding, size, header.
    """
    return _read(DEBT_COLUMNS, Debt, content)


def _write(columns: Sequence[Column], records: Iterable[tuple[bytes | None, _Record]], variant: Variant) -> bytes:
    names = {column.field for column in columns}
    rows: list[dict[str, Value]] = []
    for record_id, record in records:
        pairs = record.to_record()
        extra: dict[str, Value] = {name: pairs.pop(name) for name in list(pairs) if name not in names}
        rows.append({"id": record_id, **pairs, "extra": extra or None})
    # The column for pairs of a newer version is there only when there are any.
    shown = [column for column in columns if column is not _EXTRA or any(row["extra"] for row in rows)]
    header = [column.dutch if variant is Variant.EXCEL else column.heading for column in shown]
    written = [[_write_cell(column, row.get(column.field), variant) for column in shown] for row in rows]
    return write_rows([header, *written], variant)


def _write_cell(column: Column, value: Value, variant: Variant) -> str:
    return "" if value is None else column.cell.write(value, variant)


def _read(columns: Sequence[Column], record_type: type[R], content: bytes) -> Reading[R]:
    text = read_text(content)
    delimiter, header = _find_header(columns, text)
    variant = Variant.PLAIN if delimiter == DELIMITERS[Variant.PLAIN] else Variant.EXCEL
    matched = _match_columns(columns, header)
    rows = list(islice(read_rows(text, delimiter), 1, MAX_ROWS + 2))
    if len(rows) > MAX_ROWS:
        raise InvalidRecordError([Fault("", FaultCode.TOO_MANY, {"most": MAX_ROWS})])
    seen: set[bytes] = set()
    accepted: list[AcceptedRow[R]] = []
    refused: list[RefusedRow] = []
    for row in rows:
        try:
            accepted.append(_read_row(matched, record_type, variant, row, seen))
        except InvalidRecordError as error:
            refused.append(RefusedRow(row.line, row.row, error.faults))
    ignored = tuple(heading for heading, match in zip(header, matched, strict=True) if match is None)
    return Reading(variant, tuple(accepted), tuple(refused), ignored)


def _find_header(columns: Sequence[Column], text: str) -> tuple[str, list[str]]:
    """Finds the delimiter under which the first row holds most headings that are known, and that row."""
    known = _headings(columns)
    best: tuple[int, str, list[str]] = (0, "", [])
    for delimiter in (*DELIMITERS.values(), "\t"):
        first = next(read_rows(text, delimiter), None)
        header = [] if first is None or first.cells is None else [cell.strip() for cell in first.cells]
        count = sum(heading.casefold() in known for heading in header)
        if count > best[0]:
            best = (count, delimiter, header)
    if not best[0]:
        raise InvalidRecordError([Fault("", FaultCode.FILE_HEADER)])
    return best[1], best[2]


def _headings(columns: Sequence[Column]) -> dict[str, tuple[Column, Cell]]:
    """Returns what each heading means; an amount under the name of its field is in whole cents."""
    by_field = {
        column.field: (column, cells.NUMBER if column.cell is cells.CENTS else column.cell) for column in columns
    }
    shown = {heading: (column, column.cell) for column in columns for heading in (column.heading, column.dutch)}
    return by_field | shown


def _match_columns(columns: Sequence[Column], header: Sequence[str]) -> list[tuple[Column, Cell] | None]:
    known = _headings(columns)
    matched = [known.get(heading.casefold()) for heading in header]
    fields = [match[0].field for match in matched if match is not None]
    faults = [Fault(field, FaultCode.TWICE) for field in dict.fromkeys(fields) if fields.count(field) > 1]
    faults += [Fault(it.field, FaultCode.MISSING) for it in columns if it.needed and it.field not in fields]
    if faults:
        raise InvalidRecordError(faults)
    return matched


def _read_row(
    matched: Sequence[tuple[Column, Cell] | None], record_type: type[R], variant: Variant, row: CsvRow, seen: set[bytes]
) -> AcceptedRow[R]:
    if row.cells is None:
        raise InvalidRecordError([Fault("", FaultCode.QUOTES)])
    if len(row.cells) != len(matched):
        raise InvalidRecordError([Fault("", FaultCode.CELL_COUNT, {"found": len(row.cells), "needed": len(matched)})])
    pairs: dict[str, Value] = {}
    faults: list[Fault] = []
    for match, text in zip(matched, row.cells, strict=True):
        # An empty cell is an absent field: an empty text stands there as an apostrophe.
        if match is not None and text:
            column, cell = match
            try:
                pairs[column.field] = cell.read(text, variant, column.field)
            except InvalidRecordError as error:
                faults += error.faults
    record_id = cast("bytes | None", pairs.pop("id", None))
    if record_id in seen:
        faults.append(Fault("id", FaultCode.TWICE))
    record, record_faults = _read_record(record_type, pairs)
    named = {fault.field for fault in faults}
    faults += [fault for fault in record_faults if fault.field not in named]
    if faults or record is None:
        raise InvalidRecordError(faults)
    if record_id is not None:
        seen.add(record_id)
    return AcceptedRow(row.line, row.row, record_id, record)


def _read_record(record_type: type[R], pairs: dict[str, Value]) -> tuple[R | None, tuple[Fault, ...]]:
    extra = pairs.pop(_EXTRA.field, None) or {}
    if not isinstance(extra, dict):
        return None, (Fault(_EXTRA.field, FaultCode.WRONG_TYPE),)
    columns = ENTRY_COLUMNS if record_type is Entry else DEBT_COLUMNS
    if any(column.field in extra for column in columns):
        return None, (Fault(_EXTRA.field, FaultCode.RESERVED_NAME),)
    try:
        return record_type.from_record({**extra, **pairs}), ()
    except InvalidRecordError as error:
        return None, error.faults
