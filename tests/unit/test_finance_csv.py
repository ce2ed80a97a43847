"""CSV files in both variants: what is written, what is read back, what is refused and why."""

from __future__ import annotations

import codecs
from datetime import date
from typing import Any

import pytest
from support.faults import faults_of
from support.samples import ROOT, SAMPLE_IDS, hostile_texts, load_household, without_id

from zegel_protocol.fields import FaultCode
from zegel_protocol.finance import Debt, Entry, Variant, read_debts, read_entries, write_debts, write_entries
from zegel_protocol.finance.csv_file import DEBT_COLUMNS, ENTRY_COLUMNS
from zegel_protocol.finance.csv_text import MAX_FILE_BYTES, MAX_ROWS
from zegel_protocol.finance.wording import DUTCH_WORDS, ENGLISH_WORDS
from zegel_protocol.ids import parse_id

ID = parse_id("d3675d06-756a-5ffa-84bf-8d204b475f1e")
ENTRY = Entry.from_record(
    {
        "category": "energy",
        "party": 'Gas & "Licht"; NV',
        "description": "eerste\r\ntweede",
        "amount_cents": 123450,
        "period": "4weeks",
        "start": "2026-02-28",
        "notice_months": 1,
        "reference": "",
    }
)


def refused(content: bytes | str) -> list[tuple[int, int, list[tuple[str, FaultCode]]]]:
    reading = read_entries(content.encode() if isinstance(content, str) else content)
    return [(row.line, row.row, [(fault.field, fault.code) for fault in row.faults]) for row in reading.refused]


def test_plain_variant() -> None:
    assert write_entries([(ID, ENTRY)], Variant.PLAIN).decode() == (
        "id,group,category,party,description,amount,period,start,end,notice_months,reference,owner,note\r\n"
        'd3675d06-756a-5ffa-84bf-8d204b475f1e,fixed,energy,"Gas & ""Licht""; NV","eerste\r\ntweede",'
        "1234.50,4weeks,2026-02-28,,1,',,\r\n"
    )


def test_dutch_excel_variant() -> None:
    content = write_entries([(None, ENTRY)], Variant.EXCEL)
    assert content.startswith(codecs.BOM_UTF8)
    assert content.decode("utf-8-sig") == (
        "id;groep;categorie;partij;omschrijving;bedrag;periode;begin;einde;opzegtermijn in maanden;kenmerk;"
        "van wie;notitie\r\n"
        ';vaste lasten;energy;"Gas & ""Licht""; NV";"eerste\r\ntweede";"1234,50";4 weken;28-02-2026;;1;\';;\r\n'
    )


@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize("sample_id", SAMPLE_IDS)
def test_samples_go_out_and_in_again(sample_id: str, variant: Variant) -> None:
    household = load_household(sample_id)
    entries = [(parse_id(it["id"]), Entry.from_record(without_id(it))) for it in household["entries"]]
    debts = [(parse_id(it["id"]), Debt.from_record(without_id(it))) for it in household["debts"]]
    read = read_entries(write_entries(entries, variant))
    assert (read.refused, read.ignored) == ((), ())
    assert [(row.record_id, row.record) for row in read.accepted] == entries
    read_again = read_debts(write_debts(debts, variant))
    assert (read_again.refused, read_again.ignored) == ((), ())
    assert [(row.record_id, row.record) for row in read_again.accepted] == debts


@pytest.mark.parametrize(
    "text",
    [*hostile_texts(), "=1+1", "@SUM(A1)", "+31", "-5", "\t=cmd", "\r=1", "\uff1d1", "'=1", "'", "''", "'t Hooft", ""],
)
@pytest.mark.parametrize("variant", Variant)
def test_no_cell_is_a_formula_and_every_text_comes_back(text: str, variant: Variant) -> None:
    debt = Debt.from_record({"creditor": "X", "category": "other", "outstanding_cents": 1, "note": text})
    content = write_debts([(None, debt)], variant)
    for line in content.decode("utf-8-sig").split("\r\n")[1:]:
        for cell in line.replace('"', "").split("," if variant is Variant.PLAIN else ";"):
            assert not cell.startswith(tuple("=+@\t\uff1d\uff0b\uff20"))
    (row,) = read_debts(content).accepted
    assert row.record == debt


def test_labels_keep_their_signs() -> None:
    debt = Debt.from_record(
        {"creditor": "X", "category": "other", "outstanding_cents": 1, "debtors": ["a|b", "c\\", "=d", "e\nf"]}
    )
    (row,) = read_debts(write_debts([(None, debt)], Variant.EXCEL)).accepted
    assert row.record == debt


def test_pairs_of_a_newer_version_go_along() -> None:
    newer: dict[str, Any] = {"raw": b"\x00\xff", "$bytes": ["=x", {"$a": None}], "deep": {"x": [True, -1]}}
    entry = Entry.from_record({**ENTRY.to_record(), **newer})
    content = write_entries([(None, entry)], Variant.EXCEL)
    assert b"extra" in content
    (row,) = read_entries(content).accepted
    assert row.record == entry


def test_a_file_made_by_hand() -> None:
    reading = read_entries(
        "Categorie;Bedrag;Periode;Begin;Opmerking\r\n"
        "huur;\u20ac 1.234,5;maand;1-2-2026;x\r\n"
        "rent; 650 ;MAAND;2026-02-01;\r\n\r\n"
        "groceries;95,-;week;;\n".encode("utf-16")
    )
    assert reading.variant is Variant.EXCEL
    assert reading.ignored == ("Opmerking",)
    assert [(row.line, row.row) for row in reading.accepted] == [(3, 3), (5, 5)]
    first, second = (row.record for row in reading.accepted)
    assert (first.amount_cents, first.start, first.group.value) == (65000, date(2026, 2, 1), "fixed")
    assert second.amount_cents == 9500
    # "huur" is no word that has a usual group, and the file names none.
    assert [(row.line, [fault.field for fault in row.faults]) for row in reading.refused] == [(2, ["group"])]


def test_whole_cents_under_the_name_of_the_field() -> None:
    (row,) = read_entries(b"category,amount_cents,period\nrent,12345,month\n").accepted
    assert row.record.amount_cents == 12345


def test_each_refused_row_has_its_numbers_and_every_reason() -> None:
    assert refused(
        "category,amount,period,start,end\n"  # 1
        'rent,"1,5",month,,\n'
        "rent,-1,month,2027-02-29,\n"
        'rent,1,"mo\nnth",,\n'
        "rent,1\n"
        'rent,"1"2,month,,\n'
        "rent,1,month,2027-01-02,2027-01-01\n"
        "rent,1,month,,\n"
        ",,,,\n"
    ) == [
        (2, 2, [("amount_cents", FaultCode.AMOUNT_AMBIGUOUS)]),
        (3, 3, [("amount_cents", FaultCode.NEGATIVE), ("start", FaultCode.NOT_A_DATE)]),
        (4, 4, [("period", FaultCode.UNKNOWN_WORD)]),
        (6, 5, [("", FaultCode.CELL_COUNT)]),
        (7, 6, [("", FaultCode.QUOTES)]),
        (8, 7, [("end", FaultCode.END_BEFORE_START)]),
        (
            10,
            9,
            [
                ("category", FaultCode.MISSING),
                ("group", FaultCode.MISSING),
                ("amount_cents", FaultCode.MISSING),
                ("period", FaultCode.MISSING),
            ],
        ),
    ]


def test_a_quote_without_end_refuses_all_that_follows() -> None:
    assert refused('category,amount,period\nrent,1,month\nrent,"1,month\nrent,1,month\n') == [
        (3, 3, [("", FaultCode.QUOTES)])
    ]


@pytest.mark.parametrize(
    ("cell", "code"),
    [("not-an-id", FaultCode.NOT_AN_ID), ("D3675D06756A5FFA84BF8D204B475F1E", FaultCode.NOT_AN_ID)],
)
def test_a_faulty_id(cell: str, code: FaultCode) -> None:
    assert refused(f"id,category,amount,period\n{cell},rent,1,month\n") == [(2, 2, [("id", code)])]


def test_one_id_on_two_rows() -> None:
    row = "d3675d06-756a-5ffa-84bf-8d204b475f1e,rent,1,month\n"
    assert refused(f"id,category,amount,period\n{row}{row}") == [(3, 3, [("id", FaultCode.TWICE)])]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("nothing", [("extra", FaultCode.WRONG_TYPE)]),
        ("[1]", [("extra", FaultCode.WRONG_TYPE)]),
        ('{"x": 0.5}', [("x", FaultCode.WRONG_TYPE)]),
        ('{"x": {"$bytes": "?"}}', [("extra", FaultCode.WRONG_TYPE)]),
        ('{"x": 1, "x": 2}', [("extra", FaultCode.WRONG_TYPE)]),
        ('{"$x": 1}', [("extra", FaultCode.WRONG_TYPE)]),
        ('{"amount_cents": 1}', [("extra", FaultCode.RESERVED_NAME)]),
        ('{"kind": 1}', [("kind", FaultCode.RESERVED_NAME)]),
    ],
)
def test_faulty_pairs_of_a_newer_version(cell: str, found: list[tuple[str, FaultCode]]) -> None:
    quoted = cell.replace('"', '""')
    assert refused(f'category,amount,period,extra\nrent,1,month,"{quoted}"\n') == [(2, 2, found)]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", [("", FaultCode.FILE_HEADER)]),
        (b"a,b,c\n1,2,3\n", [("", FaultCode.FILE_HEADER)]),
        (b"PK\x03\x04\xff\xfe", [("", FaultCode.FILE_ENCODING)]),
        ("category;amount;period\ncafé;1;month\n".encode("cp1252"), [("", FaultCode.FILE_ENCODING)]),
        (b"category,period\n", [("amount_cents", FaultCode.MISSING)]),
        (b"category,amount,bedrag,period\n", [("amount_cents", FaultCode.TWICE)]),
        (b"category,amount,period\n" + b"rent,1,month\n" * (MAX_ROWS + 1), [("", FaultCode.TOO_MANY)]),
        (b" " * (MAX_FILE_BYTES + 1), [("", FaultCode.TOO_LARGE)]),
    ],
    ids=["empty", "no header", "binary", "cp1252", "no amount", "two amounts", "too many rows", "too large"],
)
def test_files_that_are_refused_as_a_whole(content: bytes, found: list[tuple[str, FaultCode]]) -> None:
    assert faults_of(read_entries, content) == found


def test_the_spec_has_every_word_and_heading() -> None:
    page = (ROOT / "protocol" / "spec" / "finance.md").read_text(encoding="utf-8")
    assert [word for word, dutch in DUTCH_WORDS.items() if f"| `{word}` | {dutch} |" not in page] == []
    listed = " ".join(page.split("## CSV")[1].split("In a file, an amount")[0].split())
    for columns in (ENTRY_COLUMNS, DEBT_COLUMNS):
        assert f"`{' '.join(column.heading for column in columns[:-1])}`" in listed
    assert DUTCH_WORDS.keys() == ENGLISH_WORDS.keys()
