"""Vectors of CSV files of entries and debts. Spec: ``protocol/spec/finance.md``, section "CSV"."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from zegel_protocol.errors import ErrorCode
from zegel_protocol.fields import read_filed
from zegel_protocol.finance import Debt, Entry, Variant, read_debts, read_entries, write_debts, write_entries
from zegel_protocol.ids import id_text
from zegel_tools.vectors.case import CaseList, Fields, Json, VectorFile
from zegel_tools.vectors.finance import whole_debt, whole_entry
from zegel_tools.vectors.read import hex_of, list_of, text_of

if TYPE_CHECKING:
    from zegel_protocol.finance import Reading
    from zegel_tools.vectors.case import Door

_ID_1 = "00000000-0000-4000-8000-000000000001"
_ID_2 = "00000000-0000-4000-8000-000000000002"


def make() -> VectorFile:
    """Makes the vectors."""
    cases = CaseList()
    _add_entries(cases)
    _add_debts(cases)
    _add_refusals(cases)
    return VectorFile("CSV files of entries and debts: protocol/spec/finance.md", tuple(cases.cases))


_PLAIN = f"""\
id,group,category,party,description,amount,period,start,end,notice_months,reference,owner,note
{_ID_1},fixed,rent,"Gas & ""Licht""; NV",,1234.50,month,,2026-11-23,,','=1+1,
"""
_DUTCH = f"""\
\ufeffid;groep;categorie;partij;omschrijving;bedrag;periode;begin;einde;opzegtermijn in maanden;kenmerk;van wie;notitie
{_ID_1};vaste lasten;rent;"Gas & ""Licht""; NV";;"1234,50";maand;;23-11-2026;;';'=1+1;
"""
_DUTCH_DEBTS = (
    "\ufeffid;schuldeiser;incasso door;categorie;soort;kenmerk;hoofdsom;rente;kosten;openstaand;afspraak per maand;"
    "sinds;stand op;preferent;schuldenaren;aansprakelijkheid;aandeel;status;beslag;zakelijk;notitie\n"
    f'{_ID_2};CJIB;;government;overig;;;;;;;;;nee;"a\\|b|c";gedeeld;1 van 2;open;;nee;\'-5\n'
)
_BY_HAND = """\
Categorie;Bedrag;Periode;Kleur
rent;"€ 1.234,5";MAAND;rood

rent;"1,234.5";maand;
rent;1;"ma
and";
rent;1;maand
rent;1"2;maand;
rent;12,345;dag;
rent;-1;maand;
"""


def _file(text: str, line_end: str = "\r\n") -> str:
    return text.replace("\n", line_end).encode().hex()


def _add_entries(cases: CaseList) -> None:
    entry = whole_entry(123_450, party='Gas & "Licht"; NV', reference="", owner="=1+1", end="2026-11-23")
    row: Fields = {"id": _ID_1, **entry}
    for variant, text in (("plain", _PLAIN), ("excel", _DUTCH)):
        written: Fields = {"records": [row], "variant": variant}
        cases.good(f"entries: {variant} variant written", "write_entries", written, {"file": _file(text)})
        output: Fields = {"accepted": [[2, 2, row]], "refused": [], "ignored": []}
        cases.good(f"entries: {variant} variant read", "read_entries", {"file": _file(text)}, output)
        cases.good(f"entries: {variant} variant with LF read", "read_entries", {"file": _file(text, "\n")}, output)


def _add_debts(cases: CaseList) -> None:
    debt = whole_debt(None, debtors=["a|b", "c"], liability="shared", share="1/2", note="-5")
    row: Fields = {"id": _ID_2, **debt}
    content: Fields = {"file": _file(_DUTCH_DEBTS)}
    cases.good("debts: written", "write_debts", {"records": [row], "variant": "excel"}, content)
    cases.good("debts: read", "read_debts", content, {"accepted": [[2, 2, row]], "refused": [], "ignored": []})


def _add_refusals(cases: CaseList) -> None:
    refused: list[Json] = [
        [4, 4, [["amount_cents", "amount_ambiguous"]]],
        [5, 5, [["period", "unknown_word"]]],
        [7, 6, [["", "cell_count"]]],
        [8, 7, [["", "quotes"]]],
        [9, 8, [["amount_cents", "amount_decimals"], ["period", "unknown_word"]]],
        [10, 9, [["amount_cents", "negative"]]],
    ]
    accepted: list[Json] = [[2, 2, {"id": None, **whole_entry(123_450)}]]
    output: Fields = {"accepted": accepted, "refused": refused, "ignored": ["Kleur"]}
    cases.good("rows: each refused with its reasons", "read_entries", {"file": _file(_BY_HAND, "\n")}, output)
    good: Fields = {"file": _file(_PLAIN)}
    for name, content in (
        ("no header", b"1,2,3\n"),
        ("no column of amounts", b"category,period\nrent,month\n"),
        ("two columns of amounts", b"category,amount,bedrag,period\nrent,1,1,month\n"),
        ("another encoding", "category;amount;period\ncaf\u00e9;1;month\n".encode("latin-1")),
        ("nothing", b""),
    ):
        cases.bad(f"file: {name}", "read_entries", good, ErrorCode.INVALID, file=content.hex())


def _shown_reading(reading: Reading[Entry] | Reading[Debt]) -> Fields:
    accepted: list[Json] = []
    for row in reading.accepted:
        record = cast("Fields", row.record.to_record())
        accepted.append(
            [row.line, row.row, {"id": None if row.record_id is None else id_text(row.record_id), **record}]
        )
    refused: list[Json] = [
        [row.line, row.row, [[fault.field, fault.code.value] for fault in row.faults]] for row in reading.refused
    ]
    return {"accepted": accepted, "refused": refused, "ignored": [*reading.ignored]}


def _write_entries(given: Fields) -> Fields:
    filed = [read_filed(cast("Fields", record), Entry.from_record) for record in list_of(given, "records")]
    return {"file": write_entries([(it.id, it.record) for it in filed], Variant(text_of(given, "variant"))).hex()}


def _write_debts(given: Fields) -> Fields:
    filed = [read_filed(cast("Fields", record), Debt.from_record) for record in list_of(given, "records")]
    return {"file": write_debts([(it.id, it.record) for it in filed], Variant(text_of(given, "variant"))).hex()}


DOORS: dict[str, Door] = {
    "read_entries": lambda given: _shown_reading(read_entries(hex_of(given, "file"))),
    "read_debts": lambda given: _shown_reading(read_debts(hex_of(given, "file"))),
    "write_entries": _write_entries,
    "write_debts": _write_debts,
}
