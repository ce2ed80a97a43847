"""Money, records and rights by the commands alone, on the household of a guardian and a client who looks along."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from support.samples import load_expected, load_household
from support.terminal import Terminal, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUSEHOLD, EXPECTED = load_household("D03"), load_expected("D03")
TITLE = HOUSEHOLD["title"]
WORKER, CLIENT, GUARDIAN = "w1", "c03", "b1"
NAMES = {person["id"].lower(): person["name"] for person in HOUSEHOLD["people"]}
ALLOWANCE = next(it for it in HOUSEHOLD["entries"] if it["category"] == "living_money")
RENT = next(it for it in HOUSEHOLD["entries"] if it["category"] == "rent")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    with terminal(tmp_path_factory.mktemp("data")) as found:
        found.found(WORKER, NAMES[WORKER])
        _, welcomed = found.take_in(WORKER, "D03")
        assert welcomed == {CLIENT, GUARDIAN}
        for person in (CLIENT, GUARDIAN):
            found.ask(person, "members", TITLE)  # the own profile is made at the first opening
        yield found


def rights_of(at: Terminal, person: str) -> dict[str, tuple[str, str | None]]:
    member = next(it for it in at.ask(WORKER, "members", TITLE) if it["person"] == person)
    return {it["scope"]: (it["right"], it["until"]) for it in member["rights"]}


# --- what was imported ---


def test_totals_on_every_date(at: Terminal) -> None:
    for day, wanted in EXPECTED["budget"].items():
        assert at.ask(CLIENT, "overview", TITLE, "--on", day) == wanted


def test_debts_and_their_division(at: Terminal) -> None:
    wanted = dict(EXPECTED["debts"])
    division = wanted.pop("division_of_12345_cents")
    assert at.ask(GUARDIAN, "debts", TITLE) == wanted
    assert at.ask(GUARDIAN, "debts", TITLE, "--divide", "12345") == {**wanted, "division": division}
    at.refused(GUARDIAN, "debts", TITLE, "--divide", "-1", status=2)


def test_records_come_out_as_they_went_in(at: Terminal) -> None:
    def by_id(records: list[dict[str, Any]]) -> dict[str, Any]:
        return {it["id"]: it for it in records}

    assert by_id(at.ask(CLIENT, "records", TITLE, "budget")) == by_id(HOUSEHOLD["entries"])
    assert by_id(at.ask(CLIENT, "records", TITLE, "DEBTS")) == by_id(HOUSEHOLD["debts"])
    (trajectory,) = at.ask(CLIENT, "records", TITLE, "trajectory")
    assert trajectory["plan"] == HOUSEHOLD["trajectory"]["plan"]
    assert [it["goal"] for it in trajectory["goals"]] == [it["goal"] for it in HOUSEHOLD["trajectory"]["goals"]]


def test_messages_of_others_say_whose_they_are(at: Terminal) -> None:
    read = at.ask(CLIENT, "read", TITLE, "conversation")
    assert [it["text"] for it in read] == [it["text"] for it in HOUSEHOLD["messages"]]
    assert {it["from"] for it in read} == {NAMES[WORKER]}


def test_seats(at: Terminal) -> None:
    assert rights_of(at, CLIENT) == {
        "conversation": ("edit", None),
        "budget": ("look", None),
        "debts": ("look", None),
        "trajectory": ("look", None),
        f"profile-{CLIENT}": ("manage", None),
    }
    guardian = rights_of(at, GUARDIAN)
    assert [guardian[kind][0] for kind in ("budget", "debts", "trajectory")] == ["manage"] * 3
    assert "notes" not in guardian


# --- writing ---


def test_who_looks_along_changes_nothing(at: Terminal, file: Any) -> None:
    changed = {**ALLOWANCE, "amount_cents": ALLOWANCE["amount_cents"] + 1}
    at.refused(CLIENT, "put", TITLE, "budget", file(changed))
    at.refused(CLIENT, "put", TITLE, "budget", file({**changed, "id": str(uuid.uuid4()), "category": "pets"}))
    at.refused(CLIENT, "import-csv", TITLE, "budget", file([]), status=2)
    assert at.ask(CLIENT, "overview", TITLE, "--on", "2026-11-30") == EXPECTED["budget"]["2026-11-30"]


def test_put_creates_and_changes(at: Terminal, file: Any) -> None:
    new = {name: value for name, value in ALLOWANCE.items() if name != "id"} | {
        "category": "pets",
        "party": "Dierenwinkel",
    }
    (created,) = at.ask(GUARDIAN, "put", TITLE, "budget", file(new))
    assert set(created) == {"record", "version"}
    (changed,) = at.ask(WORKER, "put", TITLE, "budget", file({**new, "id": created["record"], "amount_cents": 1}))
    assert changed["record"] == created["record"]
    assert changed["version"] != created["version"]
    shown = next(it for it in at.ask(CLIENT, "records", TITLE, "budget") if it["id"] == created["record"])
    assert (shown["category"], shown["amount_cents"]) == ("pets", 1)
    # Moved to another category, then to none of our own.
    at.ask(WORKER, "put", TITLE, "budget", file({**new, "id": created["record"], "category": "living_money"}))
    shown = next(it for it in at.ask(CLIENT, "records", TITLE, "budget") if it["id"] == created["record"])
    assert shown["category"] == "living_money"
    at.ask(WORKER, "put", TITLE, "budget", file({**new, "id": created["record"], "period": "once"}))


def test_put_takes_a_list_or_nothing_of_it(at: Terminal, file: Any) -> None:
    before = at.ask(WORKER, "records", TITLE, "debts")
    debt = HOUSEHOLD["debts"][0]
    wrong = at.refused(
        WORKER, "put", TITLE, "debts", file([{**debt, "note": "nieuw"}, {**debt, "share": "3/2"}]), status=2
    )
    assert "[1].share" in wrong.err
    assert at.ask(WORKER, "records", TITLE, "debts") == before
    assert len(at.ask(WORKER, "put", TITLE, "debts", file(HOUSEHOLD["debts"]))) == 2
    at.refused(WORKER, "put", TITLE, "debts", file("nonsense"), status=2)
    at.refused(WORKER, "put", TITLE, "debts", "/nothing/there.json", status=2)


def test_put_a_step(at: Terminal, file: Any) -> None:
    (trajectory,) = at.ask(WORKER, "records", TITLE, "trajectory")
    step = trajectory["goals"][1]["steps"][1]
    at.ask(GUARDIAN, "put", TITLE, "trajectory", file({**step, "state": "done", "done_on": "2027-01-04"}))
    (changed,) = at.ask(CLIENT, "records", TITLE, "trajectory")
    assert changed["goals"][1]["steps"][1]["state"] == "done"


def test_own_profile(at: Terminal, file: Any) -> None:
    at.ask(CLIENT, "put", TITLE, f"profile-{CLIENT}", file({"display_name": "Jiří", "language": "nl"}))
    at.ask(CLIENT, "put", TITLE, f"profile-{CLIENT}", file({"display_name": "Jirka", "language": "nl"}))
    (profile,) = at.ask(WORKER, "records", TITLE, f"profile-{CLIENT}")
    assert profile["display_name"] == "Jirka"
    at.refused(GUARDIAN, "records", TITLE, f"profile-{CLIENT}")
    at.refused(WORKER, "put", TITLE, f"profile-{CLIENT}", file({"display_name": "x"}))


def test_a_section_of_records_takes_no_messages(at: Terminal) -> None:
    at.refused(WORKER, "send", TITLE, "budget", "x", status=2)
    at.refused(CLIENT, "send", TITLE, "budget", "x", status=3)
    at.refused(CLIENT, "read", TITLE, "budget", status=2)
    at.refused(CLIENT, "records", TITLE, "notes")


def test_messages_are_records_too(at: Terminal, file: Any) -> None:
    (sent,) = at.ask(CLIENT, "put", TITLE, "conversation", file({"text": "Uit een bestand"}))
    at.ask(CLIENT, "put", TITLE, "conversation", file({"id": sent["record"], "text": "Uit hetzelfde bestand"}))
    assert at.ask(WORKER, "records", TITLE, "conversation")[-1]["text"] == "Uit hetzelfde bestand"
    at.refused(CLIENT, "put", TITLE, "notes", file({"text": "x"}))


def test_what_income_seldom_does_is_asked(at: Terminal, file: Any) -> None:
    income = next(it for it in HOUSEHOLD["entries"] if it["group"] == "income")
    ended = at.type("put", TITLE, "budget", file({**income, "end": "2027-01-01"}), person=WORKER)
    assert ended.status == 0
    assert "this income ends" in ended.err
    at.ask(WORKER, "put", TITLE, "budget", file(income))


# --- CSV ---


@pytest.mark.parametrize("variant", [[], ["--excel"]])
@pytest.mark.parametrize("kind", ["budget", "debts"])
def test_csv_there_and_back(at: Terminal, tmp_path: Path, kind: str, variant: list[str]) -> None:
    path = tmp_path / "out.csv"
    records = at.ask(GUARDIAN, "records", TITLE, kind)
    assert at.ask(CLIENT, "export-csv", TITLE, kind, str(path), *variant)["records"] == len(records)
    title = f"{kind}{len(variant)}"
    at.ask(WORKER, "create-dossier", title, "--informed", "brief:2026-11-20")
    assert at.ask(WORKER, "import-csv", title, kind, str(path))["created"] == len(records)
    assert sorted(at.ask(WORKER, "records", title, kind), key=id_of) == sorted(records, key=id_of)
    again = at.ask(WORKER, "import-csv", title, kind, str(path))
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, len(records))


def id_of(record: dict[str, Any]) -> str:
    return str(record["id"])


def test_refused_lines_are_told(at: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("category,amount,period,colour\ngroceries,12.50,week,red\nrent,x,month,blue\npets,1.00,day,\n")
    at.ask(WORKER, "create-dossier", "Fouten", "--informed", "brief:2026-11-20")
    told = at.ask(WORKER, "import-csv", "Fouten", "budget", str(path))
    assert (told["created"], told["ignored"]) == (1, ["colour"])
    assert [(it["line"], it["reasons"][0].partition(":")[0]) for it in told["refused"]] == [
        (3, "amount_cents"),
        (4, "group"),
    ]
    path.write_bytes(b"\xff\xff")
    at.refused(WORKER, "import-csv", "Fouten", "budget", str(path), status=2)
    at.refused(WORKER, "import-csv", "Fouten", "conversation", str(path), status=2)
    at.refused(WORKER, "export-csv", "Fouten", "budget", str(tmp_path / "none" / "x.csv"), status=2)


# --- rights ---


def test_one_category_and_no_more(at: Terminal, file: Any) -> None:
    one = file({**ALLOWANCE, "amount_cents": ALLOWANCE["amount_cents"] + 100})
    at.ask(GUARDIAN, "grant", TITLE, CLIENT.upper(), "budget/living_money", "edit")
    assert rights_of(at, CLIENT)["budget/living_money"] == ("edit", None)
    at.ask(CLIENT, "put", TITLE, "budget", one)
    at.refused(CLIENT, "put", TITLE, "budget", file({**RENT, "amount_cents": 1}))
    last = at.ask(CLIENT, "timeline", TITLE, "--language", "nl")[-1]
    assert (last["by"], last["sentence"]) == (
        NAMES[GUARDIAN],
        f"{NAMES[CLIENT]} mag van {NAMES[GUARDIAN]} leefgeld (het geld) zien en wijzigen.",
    )
    view = next(it for it in at.ask(WORKER, "view-as", TITLE, CLIENT) if it["kind"] == "budget")
    assert (view["read"], view["write"]) == (True, False)
    assert view["narrower"] == [{"scope": "budget/living_money", "right": "edit", "until": None}]
    at.refused(WORKER, "grant", TITLE, CLIENT, "budget/living_money", "none", status=2)
    at.ask(WORKER, "grant", TITLE, CLIENT, "budget/living_money", "look")
    at.refused(CLIENT, "put", TITLE, "budget", file(ALLOWANCE))
    at.ask(WORKER, "put", TITLE, "budget", file(ALLOWANCE))


def test_one_record(at: Terminal, file: Any) -> None:
    one, other = HOUSEHOLD["debts"]
    at.ask(GUARDIAN, "grant", TITLE, CLIENT, one["id"], "edit")
    at.ask(CLIENT, "put", TITLE, "debts", file({**one, "note": "gebeld"}))
    at.refused(CLIENT, "put", TITLE, "debts", file({**other, "note": "gebeld"}))
    assert rights_of(at, CLIENT)[one["id"]] == ("edit", None)
    at.ask(GUARDIAN, "grant", TITLE, CLIENT, one["id"], "look")
    at.ask(WORKER, "put", TITLE, "debts", file(one))
    at.refused(WORKER, "grant", TITLE, CLIENT, str(uuid.uuid4()), "edit")


def test_only_a_slot_and_nothing_else_of_the_section(at: Terminal, file: Any) -> None:
    at.bring(WORKER, TITLE, "tante", "Tante Truus", "family", "--access", "conversation_only")
    at.refused("tante", "records", TITLE, "budget")
    at.ask(WORKER, "grant", TITLE, "Tante Truus", "budget/living_money", "edit")
    (shown,) = [it for it in at.ask("tante", "records", TITLE, "budget") if it["id"] == ALLOWANCE["id"]]
    assert shown == ALLOWANCE
    assert {it["category"] for it in at.ask("tante", "records", TITLE, "budget")} == {"living_money"}
    at.ask("tante", "put", TITLE, "budget", file({**ALLOWANCE, "amount_cents": 5}))
    at.refused("tante", "put", TITLE, "budget", file({**RENT, "amount_cents": 5}))
    new = {name: value for name, value in ALLOWANCE.items() if name != "id"}
    at.ask("tante", "put", TITLE, "budget", file({**new, "period": "once"}))
    at.ask(WORKER, "grant", TITLE, "tante", "budget/living_money", "none")
    at.refused("tante", "records", TITLE, "budget")
    at.refused("tante", "put", TITLE, "budget", file({**ALLOWANCE, "amount_cents": 6}))
    at.ask(WORKER, "put", TITLE, "budget", file(ALLOWANCE))


def test_an_end_date(at: Terminal) -> None:
    until = (dt.datetime.now().astimezone().date() + dt.timedelta(days=3)).isoformat()
    at.ask(WORKER, "grant", TITLE, GUARDIAN, "notes", "look", "--until", until)
    assert rights_of(at, GUARDIAN)["notes"] == ("look", until)
    assert f"{int(until[-2:])} " in at.ask(GUARDIAN, "timeline", TITLE, "--language", "en")[-1]["sentence"]
    at.ask(GUARDIAN, "read", TITLE, "notes")
    at.refused(WORKER, "grant", TITLE, GUARDIAN, "notes", "look", "--until", "2020-01-01")
    at.refused(WORKER, "grant", TITLE, GUARDIAN, "notes", "look", "--until", "soon", status=2)
    soon = grant_for_a_moment(at, GUARDIAN, "notes")
    time.sleep(max((soon - dt.datetime.now(dt.UTC)).total_seconds(), 0))
    at.refused(GUARDIAN, "read", TITLE, "notes")


def grant_for_a_moment(at: Terminal, person: str, section: str) -> dt.datetime:
    """Lets somebody look, until a moment that is still to come when the command gets there: how long that takes varies.

    Returns:
        The moment.
    """
    for seconds in (1, 2, 4, 8, 16):
        soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
        words = ("grant", TITLE, person, section, "look", "--until", soon.isoformat())
        if at.type("--json", *words, person=WORKER).status == 0:
            return soon
    raise AssertionError("no command is as slow as this")


def test_from_now_on(at: Terminal) -> None:
    at.ask(WORKER, "send", TITLE, "notes", "van vroeger")
    at.ask(WORKER, "grant", TITLE, GUARDIAN, "notes", "edit", "--history", "now")
    at.ask(WORKER, "send", TITLE, "notes", "van nu")
    assert [it["text"] for it in at.ask(GUARDIAN, "read", TITLE, "notes")] == ["van nu"]
    assert "van vroeger" in [it["text"] for it in at.ask(WORKER, "read", TITLE, "notes")]
    at.ask(WORKER, "grant", TITLE, GUARDIAN, "notes", "none")
    at.refused(GUARDIAN, "read", TITLE, "notes")


def test_who_may_not_give_gives_nothing(at: Terminal) -> None:
    before = at.ask(WORKER, "timeline", TITLE)
    at.refused(CLIENT, "grant", TITLE, GUARDIAN, "budget", "look")
    at.refused(CLIENT, "grant", TITLE, CLIENT, "notes", "look")
    at.refused(CLIENT, "remove", TITLE, WORKER)
    at.refused(GUARDIAN, "grant", TITLE, CLIENT, "conversation", "none")
    at.refused(WORKER, "grant", TITLE, GUARDIAN, "budget/rent", "look", status=2)
    at.refused(WORKER, "grant", TITLE, "nobody", "budget", "look")
    at.refused(WORKER, "grant", TITLE, CLIENT, "nothing", "look")
    at.refused(WORKER, "grant", TITLE, CLIENT, "budget/", "look", status=2)
    at.refused(WORKER, "grant", TITLE, CLIENT, "budget/rent", "manage", status=2)
    assert at.ask(WORKER, "timeline", TITLE) == before


def test_timeline_is_in_the_order_of_time(at: Terminal) -> None:
    told = at.ask(CLIENT, "timeline", TITLE, "--language", "en")
    assert told[0]["sentence"] == f"{NAMES[WORKER]} created this dossier."
    # As moments: a whole second is written without its milliseconds, and text would put it behind them.
    times = [datetime.fromisoformat(it["time"]) for it in told]
    assert times == sorted(times)
    assert all(set(it) == {"time", "by", "sentence"} for it in told)


def test_a_person_without_an_account(at: Terminal) -> None:
    added = at.ask(WORKER, "invite", TITLE, "Oma", "--role", "family", "--access", "none")
    assert (added["invitation"], added["expires_at"]) == (None, None)
    assert "Oma" in at.ask(WORKER, "timeline", TITLE)[-1]["sentence"]


def test_removal_ends_everything(at: Terminal) -> None:
    at.bring(WORKER, TITLE, "buur", "De buurman", "volunteer")
    at.ask("buur", "records", TITLE, "trajectory")
    assert at.ask(WORKER, "remove", TITLE, "De buurman")["epochs"] >= 1
    at.ask(WORKER, "send", TITLE, "conversation", "na het vertrek")
    at.refused("buur", "records", TITLE, "trajectory")
    at.refused("buur", "send", TITLE, "conversation", "x")
    assert at.ask("buur", "dossiers") == []
    at.refused(WORKER, "remove", TITLE, "De buurman")


def test_a_household_of_two_has_two_side_threads(at: Terminal) -> None:
    dossier, _ = at.take_in(WORKER, "D08")
    at.ask("c08a", "send", dossier, "side-C08A", "alleen wij")
    assert [it["text"] for it in at.ask(WORKER, "read", dossier, "side-c08a")] == ["alleen wij"]
    at.refused("c08b", "read", dossier, "side-c08a")
    at.refused("c08b", "send", dossier, "side-c08a", "x")
    sections = {it["kind"]: it["read"] for found in at.ask("c08b", "dossiers") for it in found["sections"]}
    assert (sections["side-c08a"], sections["side-c08b"]) == (False, True)
    debts = load_expected("D08")["debts"]
    assert at.ask("c08b", "debts", dossier)["outstanding_cents"] == debts["outstanding_cents"]


def test_a_faulty_household_makes_nothing(at: Terminal, file: Any) -> None:
    before = at.ask(WORKER, "dossiers")
    wrong = {**HOUSEHOLD, "entries": [{**RENT, "start": "2026-02-30"}]}
    assert "entries[0].start" in at.refused(WORKER, "import-household", file(wrong), status=2).err
    at.refused(WORKER, "import-household", "/nothing/there", status=2)
    assert at.ask(WORKER, "dossiers") == before
