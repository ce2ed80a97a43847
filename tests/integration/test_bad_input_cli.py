"""Commands with wrong words, files and texts: one line with a code and a place; nothing half stored or harmful."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from support.samples import load_cases, load_household
from support.terminal import Ended, Terminal, terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TITLE = load_household("D03")["title"]
WORKER, CLIENT, GUARDIAN = "w1", "c03", "b1"
NO_ID = "00000000-0000-0000-0000-000000000001"
BELL = "\x1b]0;x\x07\x1b[31m\x9b\r\N{RIGHT-TO-LEFT OVERRIDE}\N{LEFT-TO-RIGHT ISOLATE}\u2028"
HARMFUL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066\u2067\u2028\u2029]")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    with terminal(tmp_path_factory.mktemp("data")) as found:
        found.found(WORKER, "Worker")
        found.take_in(WORKER, "D03")
        yield found


def failed(ended: Ended, status: int, code: str = "") -> str:
    """The one line of a command that must have failed."""
    assert ended.status == status, ended
    assert ended.out == ""
    first, *hint = ended.err.splitlines()
    assert first.startswith(f"error: {code}"), ended
    assert len(hint) <= 1
    assert "Traceback" not in ended.err
    assert not HARMFUL.search(ended.err), ended
    return first


# --- words on the line -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], "wrong_use"),
        (["\x1b[31m"], "wrong_use"),
        (["send"], "wrong_use"),
        (["send", "a", "b", "c", "d"], "wrong_use"),
        (["dossiers", "--nothing"], "wrong_use"),
        (["dossiers", "--language", "\x1b[31m"], "wrong_use"),
        (["dossiers", "--server", ""], "wrong_use"),
        (["dossiers", "--server", "ftp://zegel.example"], "wrong_use"),
        (["dossiers", "--server", "http://["], "wrong_use"),
        (["dossiers", "--server", "http://a..b"], "wrong_use"),
        (["dossiers", "--server", "http://a b"], "wrong_use"),
        (["dossiers", "--server", "http://" + "a" * 300], "wrong_use"),
        (["dossiers", "--server", "http://\udcff"], "wrong_use"),
        (["dossiers", "--server", "http://\x1b[31m"], "wrong_use"),
        (["dossiers", "--server", "http://user:secret@127.0.0.1"], "wrong_use"),
        (["dossiers", "--server", "http://127.0.0.1:99999"], "wrong_use"),
        (["dossiers", "--as", ""], "wrong_use"),
        (["dossiers", "--as", "a b"], "handle"),
        (["dossiers", "--as", "x" * 255], "handle"),
        (["dossiers", "--as", "\udcff"], "handle"),
        (["dossiers", "--as", BELL], "handle"),
        (["accept", "\udcff", "--handle", "x"], "invalid"),
        (["accept", "x" * 5000, "--handle", "x"], "invalid"),
        (["accept", BELL, "--handle", "x"], "invalid"),
        (["grant", "a", "b", "budget", "edit", "--until", "9999-12-31"], "not_a_date"),
        (["grant", "a", "b", "budget", "edit", "--until", "0001-01-01"], "not_a_date"),
        (["grant", "a", "b", "budget", "edit", "--until", "2027-02-29"], "not_a_date"),
        (["grant", "a", "b", "budget", "edit", "--until", ""], "not_a_date"),
        (["grant", "a", "b", "budget", "edit", "--until", "2027-01-01T00:00:00"], "not_a_date"),
        (["grant", "a", "b", "budget", "edit", "--until", BELL], "not_a_date"),
        (["grant", "a", "b", "budget", "fly"], "wrong_use"),
        (["overview", "a", "--on", ""], "not_a_date"),
        (["overview", "a", "--on", "2026-2-3"], "not_a_date"),
        (["debts", "a", "--divide", "-1"], "wrong_use"),
        (["debts", "a", "--divide", "1.5"], "wrong_use"),
        (["debts", "a", "--divide", "9" * 17], "wrong_use"),
        (["debts", "a", "--divide", "\N{ARABIC-INDIC DIGIT ONE}"], "wrong_use"),
        (["read", "a", "b", "--limit", "0"], "wrong_use"),
        (["create-dossier", "a", "--informed", ":2026-11-20"], "wrong_use"),
        (["create-dossier", "a", "--informed", "x:2026-13-01"], "not_a_date"),
        (["revoke", BELL], "wrong_use"),
        (["download", "a", "0" * 36], "wrong_use"),
        (["put", "a", "b", "/nothing/there"], "file"),
        (["put", "a", "b", "."], "file"),
        (["put", "a", "b", "x" * 5000], "file"),
        (["put", "a", "b", f"/nothing/{BELL}"], "file"),
        (["send", "a", "b", "c", "--file", "x" * 300], "file"),
        (["send", "a", "b", "c", "--file", "/dev/zero"], "file"),
        (["import-household", "/nothing/there"], "file"),
    ],
)
def test_wrong_words_end_before_anything_is_sent(at: Terminal, words: list[str], code: str) -> None:
    """No server is asked: it could not answer under this address."""
    nowhere = Terminal("http://127.0.0.1:9", at.data, {"x": "password"})
    named = [] if {"--as", "accept"} & set(words) else ["--as", "x"]
    failed(nowhere.type(*named, *words, environment={"ZEGEL_PASSWORD": "password"}), 2, code)


@pytest.mark.parametrize("password", ["", "\udcff", "x" * 1025, "wrong-password"])
def test_passwords_that_are_none(at: Terminal, password: str) -> None:
    ended = at.type("dossiers", person=WORKER, environment={"ZEGEL_PASSWORD": password})
    failed(ended, 2 if password in {"\udcff", "x" * 1025} else 6)


@pytest.mark.parametrize("new", ["", "short", "\udcff" * 20, "x" * 1025])
def test_new_passwords_that_are_none(at: Terminal, new: str) -> None:
    failed(at.type("password", person=WORKER, environment={"ZEGEL_NEW_PASSWORD": new}), 2, "invalid")


@pytest.mark.parametrize("words", ["", "abandon " * 11, "abandon " * 5000, "\udcff", BELL])
def test_recovery_words_that_are_none(at: Terminal, words: str) -> None:
    given = {"ZEGEL_RECOVERY": words, "ZEGEL_PASSWORD": "new-password"}
    failed(at.type("recover", "--handle", WORKER, environment=given), 6)


def test_profiles_that_are_none(at: Terminal, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", "/proc/nothing", "x" * 5000):
        failed(at.type("dossiers", "--profile", str(place), person=WORKER), 2, "vault")
    profile = tmp_path / "profile"
    assert at.type("dossiers", "--profile", str(profile), person=WORKER).status == 0
    failed(at.type("dossiers", "--profile", str(profile), person=CLIENT), 2)
    for name in ("rows.sqlite3", "vault"):
        (profile / name).write_bytes(b"no vault " * 100)
        failed(at.type("dossiers", "--profile", str(profile), person=WORKER), 2, "vault")


# --- what is not there, and what is not one's own ----------------------------------------------------------------


def test_names_of_nothing_look_like_names_of_what_is_closed(at: Terminal) -> None:
    lines = {
        failed(at.type(*words, person=CLIENT), 3)
        for words in (
            ["read", TITLE, "notes"],
            ["read", TITLE, "nothing"],
            ["read", TITLE, BELL],
            ["read", TITLE, ""],
            ["read", BELL, "conversation"],
            ["send", TITLE, "notes", "x"],
            ["records", TITLE, NO_ID],
            ["view-as", TITLE, BELL],
            ["download", TITLE, NO_ID],
            ["edit", TITLE, NO_ID, "x"],
        )
    }
    assert lines == {"error: no_access: there is no such thing, or you may not see or change it"}


# --- names and titles --------------------------------------------------------------------------------------------


def test_names_and_titles_that_cannot_be(at: Terminal) -> None:
    before = at.ask(WORKER, "timeline", TITLE), at.ask(WORKER, "dossiers")
    for name in ("", "  ", "x" * 401, "a\0b", "\udcff"):
        failed(at.type("create-dossier", name, "--informed", "brief:2026-11-20", person=WORKER), 2)
        failed(at.type("invite", TITLE, name, "--role", "family", person=WORKER), 2)
    failed(at.type("create-dossier", "T", "--informed", "x" * 401 + ":2026-11-20", person=WORKER), 2, "invalid")
    failed(at.type("grant", TITLE, CLIENT, "budget/" + "x" * 401, "look", person=WORKER), 2, "invalid")
    failed(at.type("consents", "--give", "x" * 65, person=WORKER), 2)
    failed(at.type("consents", "--give", "", person=WORKER), 2)
    assert (at.ask(WORKER, "timeline", TITLE), at.ask(WORKER, "dossiers")) == before


def test_hostile_names_are_kept_as_they_are_and_shown_harmlessly(at: Terminal) -> None:
    title = f"titel {BELL} titel"
    dossier = at.ask(WORKER, "create-dossier", title, "--informed", f"{BELL}:2026-11-20")["dossier"]
    assert next(it["title"] for it in at.ask(WORKER, "dossiers") if it["dossier"] == dossier) == title
    name = f"naam \N{POP DIRECTIONAL ISOLATE}{BELL}\N{FIRST STRONG ISOLATE}\nnaam \N{HEBREW LETTER ALEF}"
    invitation = at.ask(WORKER, "invite", dossier, name, "--role", "client")["invitation"]
    assert [it["name"] for it in at.ask(WORKER, "invitations", dossier)] == [name]
    at.join("hostile", invitation)
    at.ask(WORKER, "welcome")
    assert name in {it["name"] for it in at.ask(WORKER, "members", dossier)}
    at.ask(WORKER, "grant", dossier, "hostile", f"budget/{BELL}", "edit")
    for words in (["dossiers"], ["members", dossier], ["timeline", dossier], ["view-as", dossier, "hostile"],
                  ["timeline", dossier, "--language", "en"], ["invitations", dossier]):  # fmt: skip
        shown = at.type(*words, person=WORKER)
        assert shown.status == 0, shown
        assert not HARMFUL.search(shown.out), words
        # Every mark that begins an isolated piece ends on its line, so that no name turns what follows it.
        for line in shown.out.splitlines():
            assert line.count("\N{FIRST STRONG ISOLATE}") == line.count("\N{POP DIRECTIONAL ISOLATE}"), line


# --- messages ----------------------------------------------------------------------------------------------------


def hostile_texts() -> list[str]:
    found = [text for case in load_cases("hostile_texts") for name, text in case.items() if name != "id"]
    return [
        *found, BELL, "\N{BYTE ORDER MARK}x", "a\r\nb\rc\n\n", "-5", "--json", "-", "\U0001f600", "\0", " ", "é" * 1000,
        "<script>alert(1)</script>", "%s%n{0}",
    ]  # fmt: skip


def test_texts_come_back_byte_for_byte_and_are_shown_harmlessly(at: Terminal, file: Callable[[object], str]) -> None:
    texts = hostile_texts()
    assert len(texts) >= 18
    sent = at.ask(CLIENT, "put", TITLE, "conversation", file([{"text": text} for text in texts]))
    ended = at.type("--json", "read", TITLE, "conversation", "--limit", str(len(texts)), person=WORKER)
    assert [it["text"] for it in ended.value] == texts
    assert [it["id"] for it in ended.value] == [it["record"] for it in sent]
    for words in (["read", TITLE, "conversation"], ["records", TITLE, "conversation"]):
        shown = at.type(*words, person=WORKER)
        assert shown.status == 0
        assert not HARMFUL.search(shown.out)


def test_messages_that_cannot_be_sent(at: Terminal, file: Callable[[object], str], tmp_path: Path) -> None:
    before = at.ask(WORKER, "read", TITLE, "conversation")
    one = tmp_path / "one"
    one.write_text("x")
    for words in (
        ["-"],
        [""],
        ["\udcff"],
        ["x", "--reply-to", "0" * 36],
        ["x", *["--file", str(one)] * 33],
    ):
        stdin = b"x" * 100_001 if words == ["-"] else b""
        failed(at.type("send", TITLE, "conversation", *words, person=CLIENT, stdin=stdin), 2)
    for content in (
        [{"text": "good"}, {"text": 5}],
        [{"text": "good"}, {"text": "x" * 100_001}],
        [{"text": "good"}, {"text": ""}],
        [{"text": "good"}, {"text": "good", "id": "none"}],
        [{"text": "good"}, {"text": "good", "reply_to": 5}],
        [{"text": "good"}, {}],
        b'{"text": "good", "text": "bad"}',
        b"\xff",
    ):
        failed(at.type("put", TITLE, "conversation", file(content), person=CLIENT), 2)
    assert at.ask(WORKER, "read", TITLE, "conversation") == before


def test_names_of_files_lead_nowhere_else(at: Terminal, tmp_path: Path) -> None:
    names = ["..", "a\nb", BELL, "\N{RIGHT-TO-LEFT OVERRIDE}fdp.exe", ".hidden", "-rf", "x" * 250, "é" * 120, "a\\b:c"]
    (tmp_path / "in").mkdir()
    paths = [tmp_path / "in" / name for name in names[1:]]
    for path in paths:
        path.write_bytes(b"content")
    given = [word for path in paths for word in ("--file", str(path))]
    sent = at.ask(CLIENT, "send", TITLE, "conversation", "files", *given)["id"]
    shown = at.ask(WORKER, "read", TITLE, "conversation", "--limit", "1")[0]["attachments"]
    assert [it["name"] for it in shown] == names[1:]
    out = tmp_path / "out"
    prose = at.type("download", TITLE, sent, "--out", str(out), person=WORKER)
    assert prose.status == 0
    assert not HARMFUL.search(prose.out)
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path not in paths]
    assert len(written) == len(paths)
    assert {path.parent for path in written} == {out}
    assert not any(HARMFUL.search(path.name) or "\n" in path.name for path in written)
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", "/proc/nothing", "x" * 5000):
        failed(at.type("download", TITLE, sent, "--out", str(place), person=WORKER), 2, "file")
    unreadable = os.fsencode(tmp_path) + b"/\xff.txt"
    with open(unreadable, "wb") as other:  # noqa: PTH123 - a name that is not UTF-8
        other.write(b"x")
    failed(at.type("send", TITLE, "conversation", "x", "--file", os.fsdecode(unreadable), person=CLIENT), 2)


# --- records -----------------------------------------------------------------------------------------------------

ENERGY = {"category": "energy", "amount_cents": 100, "period": "month"}
FAULTY_ENTRIES: list[dict[str, Any]] = [
    *(case["entry"] for case in load_cases("entry_edge_cases") if case.get("expect") == "error" and "entry" in case),
    *(
        {**ENERGY, **change}
        for change in (
            {"amount_cents": 2**53}, {"amount_cents": 2**63}, {"amount_cents": -(2**53)}, {"amount_cents": 1.5},
            {"amount_cents": "100"}, {"amount_cents": True}, {"amount_cents": None}, {"period": "day"}, {"period": ""},
            {"start": "2027-13-01"}, {"start": "27-1-1"}, {"start": 20270101}, {"end": "0000-00-00"},
            {"start": "2027-02-02", "end": "2027-02-01"}, {"category": ""}, {"category": None}, {"category": "a\0b"},
            {"category": "x" * 401}, {"party": "x" * 100_000}, {"party": "\ud800"}, {"id": "none"}, {"id": 5},
            {"id": "0" * 36}, {"group": "fun"}, {"extra": 1.5}, {"extra": 2**70}, {"extra": "x" * 100_001},
            {"extra": [[[[[[[[[[1]]]]]]]]]]}, {"kind": "debt"}, {"format": 2},
        )
    ),
]  # fmt: skip


def test_faulty_entries_are_all_told_at_once_with_their_places(at: Terminal, file: Callable[[object], str]) -> None:
    before = at.ask(WORKER, "records", TITLE, "budget")
    line = failed(at.type("put", TITLE, "budget", file([ENERGY, *FAULTY_ENTRIES]), person=WORKER), 2, "invalid")
    for number in range(1, len(FAULTY_ENTRIES) + 1):
        assert f"[{number}]." in line, FAULTY_ENTRIES[number - 1]
    assert "[0]." not in line
    assert at.ask(WORKER, "records", TITLE, "budget") == before


def test_entries_that_are_asked_about_are_stored_with_a_question(at: Terminal, file: Callable[[object], str]) -> None:
    warnings = [case["entry"] for case in load_cases("entry_edge_cases") if case.get("expect") == "warning"]
    assert warnings
    ended = at.type("--json", "put", TITLE, "budget", file(warnings), person=WORKER)
    assert len(ended.value) == len(warnings)
    assert ended.err.count("note: record ") == len(warnings)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xfe", b"{", b"null", b"5", b'"x"', b"[1]", b"[[]]", b"{}", b'{"amount_cents": NaN}',
        b'{"amount_cents": 1e3}', b"[" * 100_000, b'{"a":' * 50_000, b'{"amount_cents": ' + b"9" * 5000 + b"}",
        b'{"category":"energy","category":"rent","amount_cents":1,"period":"month"}', b"\0" * 100, bytes(range(256)),
        b'[{"category":"energy","amount_cents":1,"period":"month"}, 5]',
    ],
)  # fmt: skip
def test_files_that_hold_no_records(at: Terminal, file: Callable[[object], str], content: bytes) -> None:
    failed(at.type("put", TITLE, "budget", file(content), person=WORKER), 2)


def test_faulty_debts_and_parts_of_a_trajectory(at: Terminal, file: Callable[[object], str]) -> None:
    before = at.ask(WORKER, "records", TITLE, "debts"), at.ask(WORKER, "records", TITLE, "trajectory")
    debt = {name: value for name, value in load_household("D03")["debts"][0].items() if name != "id"}
    changes: list[dict[str, Any]] = [
        {"outstanding_cents": 2**53}, {"share": "1/0"}, {"share": "3/2"}, {"share": "a"}, {"liability": "x"},
        {"status": "x"}, {"kind": "x"}, {"agreed_monthly_cents": -1}, {"debtors": "C03"}, {"debtors": ["x"] * 1000},
    ]  # fmt: skip
    line = failed(at.type("put", TITLE, "debts", file([{**debt, **it} for it in changes]), person=WORKER), 2, "invalid")
    assert all(f"[{number}]." in line for number in range(len(changes)))
    parts: list[object] = [{"step": "x", "state": "flying"}, {"goal": ""}, {"phase": "x", "start": "2027-02-30"},
                           {"date": "x", "scores": {"a": 10**9}}, {"goals": [{"steps": [{"state": "x"}]}]}]  # fmt: skip
    line = failed(at.type("put", TITLE, "trajectory", file(parts), person=WORKER), 2, "invalid")
    assert all(f"[{number}]." in line for number in range(len(parts)))
    assert (at.ask(WORKER, "records", TITLE, "debts"), at.ask(WORKER, "records", TITLE, "trajectory")) == before


def test_a_list_of_which_one_is_not_ones_own_is_refused_whole(at: Terminal, file: Callable[[object], str]) -> None:
    entries = at.ask(WORKER, "records", TITLE, "budget")
    mine = next(it for it in entries if it["category"] == "living_money")
    other = next(it for it in entries if it["category"] == "rent")
    at.ask(WORKER, "grant", TITLE, CLIENT, "budget/living_money", "edit")
    changed = [{**it, "amount_cents": it["amount_cents"] + 1} for it in (mine, other)]
    failed(at.type("put", TITLE, "budget", file(changed), person=CLIENT), 3, "no_access")
    assert at.ask(WORKER, "records", TITLE, "budget") == entries
    at.ask(CLIENT, "put", TITLE, "budget", file(changed[0]))


def test_what_others_wrote_into_records_is_shown_harmlessly(at: Terminal, file: Callable[[object], str]) -> None:
    entry = {**ENERGY, "party": BELL, "description": f"=cmd|{BELL}", "owner": BELL, "reference": "@x"}
    record = at.ask(GUARDIAN, "put", TITLE, "budget", file(entry))[0]["record"]
    shown = next(it for it in at.ask(WORKER, "records", TITLE, "budget") if it["id"] == record)
    assert (shown["party"], shown["description"]) == (entry["party"], entry["description"])
    for words in (["records", TITLE, "budget"], ["overview", TITLE]):
        prose = at.type(*words, person=WORKER)
        assert prose.status == 0
        assert not HARMFUL.search(prose.out)


# --- CSV and households ------------------------------------------------------------------------------------------


FAULTY_LINES = [
    (b"category,amount,period\nenergy,1\n", 1),
    (b'category,amount,period\n"energy,1,month\n', 1),
    ("category,amount,period\nrent,1,month\nrent,-1,month\nrent,\N{ARABIC-INDIC DIGIT ONE}x,month\n".encode(), 2),
    (b"category;amount;period\nrent;1,234.56;month\nrent;12,345;month\nrent;9007199254740993;month\n", 3),
    (b"category,amount,period,start,end\nrent,1,month,2027-03-01,2027-02-28\nrent,1,month,2027-02-29,\n", 2),
    (b"category,amount,period\n" + b"x" * 100_000 + b",1,month\n", 1),
    (b"id,category,amount,period\nnone,rent,1,month\n", 1),
    (b"category,amount,period\n\0,1,month\n\x1b[31m,1,month\n", 2),
]


def test_lines_of_a_csv_file_that_are_refused(at: Terminal, file: Callable[[object], str]) -> None:
    before = len(at.ask(WORKER, "records", TITLE, "budget"))
    created = 0
    for content, refused in FAULTY_LINES:
        told = at.ask(WORKER, "import-csv", TITLE, "budget", file(content))
        assert len(told["refused"]) == refused, content
        assert all(it["reasons"] and it["line"] >= 2 for it in told["refused"])
        created += told["created"]
    assert len(at.ask(WORKER, "records", TITLE, "budget")) == before + created
    prose = at.type("import-csv", TITLE, "budget", file(FAULTY_LINES[-1][0]), person=WORKER)
    assert not HARMFUL.search(prose.out + prose.err)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"a", b"amount\n1\n", b"category,category,amount,period\nx,y,1,month\n", bytes(range(256)) * 20,
        b"category,amount,period\n" + b"rent,1,month\n" * 20_001,
    ],
)  # fmt: skip
def test_files_that_are_no_csv(at: Terminal, file: Callable[[object], str], content: bytes) -> None:
    failed(at.type("import-csv", TITLE, "budget", file(content), person=WORKER), 2)


def test_faulty_households_make_nothing(at: Terminal, file: Callable[[object], str]) -> None:
    before = at.ask(WORKER, "dossiers")
    good = load_household("D03")
    message = {"id": NO_ID, "section": "conversation", "from": "W1", "sent_at": "2026-01-01T00:00:00Z", "text": "x"}
    changes: list[dict[str, Any]] = [
        {"format": "zegel-household/2"}, {"people": []}, {"people": 5}, {"title": ""}, {"title": "x" * 401},
        {"entries": [{}]}, {"entries": good["entries"] * 2}, {"debts": 5}, {"trajectory": 5}, {"caseworker": "nobody"},
        {"messages": [{**message, "from": "nobody"}]}, {"messages": [{**message, "section": "nothing"}]},
        {"messages": [{**message, "sent_at": "yesterday"}]}, {"messages": [{**message, "text": "x" * 100_001}]},
        {"messages": [message, message]},
    ]  # fmt: skip
    for content in [*({**good, **change} for change in changes), b"", b"\xff", b"[]", b"{}", b"[" * 100_000]:
        failed(at.type("import-household", file(content), "--as", WORKER, environment=password(at)), 2, "invalid")
    assert at.ask(WORKER, "dossiers") == before


def password(at: Terminal) -> dict[str, str]:
    return {"ZEGEL_PASSWORD": at.passwords[WORKER]}
