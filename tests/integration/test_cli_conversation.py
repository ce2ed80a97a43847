"""`./zegel client` from nothing to a conversation, by its commands alone."""

from __future__ import annotations

import dataclasses
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from support.samples import load_cases
from support.terminal import Terminal, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

TITLE = "Bijstand, alleenstaande ouder"
WORKER, CLIENT = "marijke", "c01"
NAMES = {WORKER: "Marijke Österlund", CLIENT: "Noor Bakker-Demir"}


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    with terminal(tmp_path_factory.mktemp("data")) as found:
        found.found(WORKER, NAMES[WORKER])
        found.ask(WORKER, "create-dossier", TITLE, "--informed", "brief:2026-11-20")
        found.bring(WORKER, TITLE, CLIENT, NAMES[CLIENT], "client", "--access", "look")
        yield found


def send(at: Terminal, person: str, text: str, *words: str, section: str = "conversation", **options: Any) -> Any:
    return at.ask(person, "send", TITLE, section, text, *words, **options)


def read(at: Terminal, person: str, *words: str, section: str = "conversation") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = at.ask(person, "read", TITLE, section, *words)
    return found


def test_sign_up_gives_recovery_words(at: Terminal) -> None:
    invitation = at.ask(WORKER, "invite-colleague", "Kwame Asante", "--role", "caseworker")
    assert set(invitation) >= {"invitation", "expires_at"}
    joined = at.join("kwame", invitation["invitation"])
    assert joined["handle"] == "kwame"
    assert len(joined["recovery"].split()) == 12
    assert str(uuid.UUID(joined["account"])) == joined["account"]
    (welcomed,) = at.ask(WORKER, "welcome")
    assert welcomed["person"] == "kwame"
    assert at.ask("kwame", "dossiers") == []
    at.ask(WORKER, "add", TITLE, "Kwame Asante", "--role", "caseworker")
    assert [it["title"] for it in at.ask("kwame", "dossiers")] == [TITLE]


def test_dossiers_tell_of_every_section(at: Terminal) -> None:
    at.ask(CLIENT, "members", TITLE)  # the own profile is made at the first opening
    (found,) = at.ask(CLIENT, "dossiers")
    assert (found["title"], found["organisation"]) == (TITLE, "Budgethulp Voorbeeld")
    rights = {it["kind"]: (it["read"], it["write"]) for it in found["sections"]}
    assert rights["conversation"] == (True, True)
    assert rights["notes"] == (False, False)
    assert rights["budget"] == (True, False)
    assert rights[f"profile-{CLIENT}"] == (True, True)


def test_a_message_there_and_back(at: Terminal) -> None:
    sent = send(at, CLIENT, "Kan het ook dinsdag?")
    answer = send(at, WORKER, "Ja hoor.", "--reply-to", sent["id"])
    messages = {it["id"]: it for it in read(at, WORKER)}
    assert answer["position"] > sent["position"]
    assert messages[sent["id"]] | {"sent_at": ""} == {
        "id": sent["id"],
        "from": NAMES[CLIENT],
        "sent_at": "",
        "text": "Kan het ook dinsdag?",
        "attachments": [],
        "recalled": False,
        "edited": False,
        "reply_to": None,
        "position": sent["position"],
        "confirmed": messages[sent["id"]]["confirmed"],
    }
    assert messages[answer["id"]]["reply_to"] == sent["id"]


@pytest.mark.parametrize(
    "text",
    [*(it.get("tekst", it.get("a", "")) for it in load_cases("hostile_texts") if it["id"] != "null"), "-5", "<b>x</b>"],
)
def test_texts_come_back_as_they_were_written(at: Terminal, text: str) -> None:
    sent = send(at, CLIENT, text)
    assert next(it["text"] for it in read(at, WORKER, "--limit", "1") if it["id"] == sent["id"]) == text


def test_a_text_from_standard_input_is_kept_byte_for_byte(at: Terminal) -> None:
    text = "regel één\r\n\tregel twee\0\n\n"
    send(at, CLIENT, "-", stdin=text.encode())
    assert read(at, CLIENT, "--limit", "1")[0]["text"] == text
    at.refused(CLIENT, "send", TITLE, "conversation", "-", status=2, stdin=b"\xff\xfe")


def test_a_text_that_is_too_long_is_refused(at: Terminal) -> None:
    before = len(read(at, WORKER))
    at.refused(CLIENT, "send", TITLE, "conversation", "-", status=2, stdin=b"x" * 100_001)
    at.refused(CLIENT, "send", TITLE, "conversation", "", status=2)
    send(at, CLIENT, "-", stdin="é".encode() * 100_000)
    assert len(read(at, WORKER)) == before + 1


def test_the_newest_are_read(at: Terminal) -> None:
    for number in range(3):
        send(at, CLIENT, f"bericht {number}")
    assert [it["text"] for it in read(at, WORKER, "--limit", "2")] == ["bericht 1", "bericht 2"]


def test_files(at: Terminal, tmp_path: Any) -> None:
    content = bytes(range(256)) * 600
    path = tmp_path / "de brief.pdf"
    path.write_bytes(content)
    sent = send(at, CLIENT, "De brief", "--file", str(path))
    (attachment,) = read(at, WORKER, "--limit", "1")[0]["attachments"]
    assert attachment == {"name": "de brief.pdf", "media_type": "application/pdf", "size_bytes": len(content)}
    out = tmp_path / "out"
    (found,) = at.ask(WORKER, "download", TITLE, sent["id"], "--out", str(out))
    assert (out / "de brief.pdf").read_bytes() == content
    assert found == {"name": "de brief.pdf", "path": str(out / "de brief.pdf")}
    at.refused(CLIENT, "send", TITLE, "conversation", "x", "--file", str(tmp_path / "nothing"), status=2)


def test_edit_and_recall(at: Terminal) -> None:
    sent = send(at, CLIENT, "Tot mandag")
    assert at.ask(CLIENT, "edit", TITLE, sent["id"], "Tot maandag") == {"id": sent["id"]}
    shown = read(at, WORKER, "--limit", "1")[0]
    assert (shown["text"], shown["edited"], shown["recalled"]) == ("Tot maandag", True, False)
    at.refused(WORKER, "edit", TITLE, sent["id"], "Tot dinsdag")
    assert at.ask(CLIENT, "recall", TITLE, sent["id"], "--reason", "verkeerde dag") == {"id": sent["id"]}
    shown = read(at, WORKER, "--limit", "1")[0]
    assert (shown["id"], shown["text"], shown["recalled"], shown["attachments"]) == (sent["id"], "", True, [])
    at.refused(CLIENT, "edit", TITLE, sent["id"], "x")
    at.refused(CLIENT, "recall", TITLE, str(uuid.uuid4()))


def test_notes_are_closed_to_the_client(at: Terminal) -> None:
    send(at, WORKER, "Let op de huur", section="notes")
    assert [it["text"] for it in read(at, WORKER, section="notes")] == ["Let op de huur"]
    closed = at.refused(CLIENT, "read", TITLE, "notes")
    at.refused(CLIENT, "send", TITLE, "notes", "x")
    assert at.refused(CLIENT, "read", TITLE, "nothing-like-it").err == closed.err
    assert at.refused(CLIENT, "read", "Some other dossier", "conversation").err == closed.err
    assert at.refused(CLIENT, "read", str(uuid.uuid4()), "conversation").err == closed.err


def test_names_and_ids_are_taken_in_any_case(at: Terminal) -> None:
    (dossier,) = at.ask(CLIENT, "dossiers")
    section = next(it["section"] for it in dossier["sections"] if it["kind"] == "conversation")
    by_id = at.ask(CLIENT.upper(), "read", dossier["dossier"].upper(), section, environment=password(at))
    assert by_id == at.ask(CLIENT, "read", TITLE, "CONVERSATION")


def password(at: Terminal) -> dict[str, str]:
    return {"ZEGEL_PASSWORD": at.passwords[CLIENT]}


def test_log_in_tells_nothing(at: Terminal) -> None:
    wrong = {"ZEGEL_PASSWORD": "fout-wachtwoord-1234"}
    one = at.refused(CLIENT, "dossiers", status=6, environment=wrong)
    other = at.refused("nobody-there", "dossiers", status=6, environment=wrong)
    assert one == other


def test_no_server() -> None:
    nowhere = Terminal("http://127.0.0.1:9", None, {"x": "password"})  # type: ignore[arg-type]
    assert "nothing was changed" in nowhere.refused("x", "dossiers", status=5).err


def test_people_read_prose(at: Terminal) -> None:
    send(at, CLIENT, "hallo \x1b[31mrood\u202e")
    shown = at.type("read", TITLE, "conversation", "--limit", "1", person=WORKER)
    assert NAMES[CLIENT] in shown.out
    assert "hallo ⟨U+001B⟩[31mrood⟨U+202E⟩" in shown.out
    for words in (["dossiers"], ["members", TITLE], ["timeline", TITLE], ["sessions"], ["consents"]):
        assert at.type(*words, person=WORKER).status == 0


# --- the account ---


def test_sessions(at: Terminal) -> None:
    (own,) = at.ask(CLIENT, "sessions")
    assert set(own) == {"session", "opened_at", "last_seen_day", "client", "current"}
    assert own["current"]
    at.refused(CLIENT, "revoke", str(uuid.uuid4()))


def test_a_profile_keeps_its_session_until_it_is_revoked(at: Terminal, tmp_path: Any) -> None:
    profile = ("--profile", str(tmp_path / "profile"))
    at.ask(CLIENT, "dossiers", *profile)
    kept = [it for it in at.ask(CLIENT, "sessions") if not it["current"]]
    assert len(kept) == 1
    assert at.ask(CLIENT, "revoke", kept[0]["session"]) == {"session": kept[0]["session"]}
    assert len(at.ask(CLIENT, "sessions")) == 1
    assert [it["title"] for it in at.ask(CLIENT, "dossiers", *profile)] == [TITLE]


def test_consents(at: Terminal) -> None:
    given = at.ask(CLIENT, "consents")
    assert [it["withdrawn_at"] for it in given] == [None, None]
    name = given[0]["consent"]
    withdrawn = at.ask(CLIENT, "consents", "--withdraw", name)
    assert next(it["withdrawn_at"] for it in withdrawn if it["consent"] == name)
    at.ask(CLIENT, "consents", "--give", name)


def test_password_and_recovery(at: Terminal) -> None:
    invitation = at.ask(WORKER, "invite", TITLE, "Sam", "--role", "family")["invitation"]
    words = at.join("sam", invitation)["recovery"]
    at.ask(WORKER, "welcome")
    texts = [it["text"] for it in at.ask("sam", "read", TITLE, "conversation")]
    at.ask("sam", "password", environment={"ZEGEL_NEW_PASSWORD": "another-password"})
    at.refused("sam", "dossiers", status=6)
    at.passwords["sam"] = "another-password"
    new = {"ZEGEL_PASSWORD": "third-password", "ZEGEL_RECOVERY": words}
    swapped = words.split()
    swapped[0], swapped[1] = swapped[1], swapped[0]
    at.refused("", "recover", "--handle", "sam", status=6, environment={**new, "ZEGEL_RECOVERY": "een twee"})
    if swapped[0] != swapped[1]:
        at.refused("", "recover", "--handle", "sam", status=6, environment={**new, "ZEGEL_RECOVERY": " ".join(swapped)})
    assert at.ask("", "recover", "--handle", "sam", environment=new)["handle"] == "sam"
    at.refused("sam", "dossiers", status=6)
    at.passwords["sam"] = "third-password"
    assert [it["text"] for it in at.ask("sam", "read", TITLE, "conversation")] == texts


def test_an_account_accepts_once_more(at: Terminal) -> None:
    at.ask(WORKER, "create-dossier", "Tweede dossier", "--informed", "telefoon:2026-11-21")
    invitation = at.ask(WORKER, "invite", "Tweede dossier", NAMES[CLIENT], "--role", "client")["invitation"]
    joined = at.ask(CLIENT, "accept", invitation)
    assert (joined["handle"], joined["recovery"]) == (CLIENT, None)
    at.ask(WORKER, "welcome")
    assert [it["title"] for it in at.ask(CLIENT, "dossiers")] == [TITLE, "Tweede dossier"]


def test_a_link_names_its_server(at: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    # Instead of the usual port, where a demo may run: one that nobody listens on.
    monkeypatch.setattr("zegel_client.cli.arguments.DEFAULT_SERVER", "http://127.0.0.1:1")
    at.ask(WORKER, "create-dossier", "Dossier met link", "--informed", "brief:2026-11-22")
    invited = at.ask(WORKER, "invite", "Dossier met link", "Oom Joost", "--role", "family")
    assert invited["link"].startswith(at.url)
    elsewhere, password = dataclasses.replace(at, url=""), {"ZEGEL_PASSWORD": "joost-password"}
    # A typed code is looked for where nothing else is said.
    elsewhere.refused("", "accept", invited["invitation"], "--handle", "joost", environment=password, status=5)
    joined = elsewhere.ask("", "accept", invited["link"], "--handle", "joost", environment=password)
    assert joined["handle"] == "joost"
    # Nobody takes an account that is there to the server of a link.
    elsewhere.refused("joost", "accept", invited["link"], environment=password, status=5)


def test_keys_are_given_anew(at: Terminal) -> None:
    sections = at.ask(WORKER, "rewrap", TITLE, CLIENT)["sections"]
    assert sections > 1
    assert at.ask(WORKER, "rewrap", TITLE, CLIENT, "--section", "conversation") == {"sections": 1}
    send(at, WORKER, "met dezelfde sleutels")
    assert at.ask(CLIENT, "read", TITLE, "conversation")[-1]["text"] == "met dezelfde sleutels"
    at.refused(CLIENT, "rewrap", TITLE, WORKER, "--section", "notes")
    at.refused(WORKER, "rewrap", TITLE, "nobody")


def test_invitations_end(at: Terminal) -> None:
    first = at.ask(WORKER, "invite", TITLE, "Tante Truus", "--role", "family")["invitation"]
    (line,) = at.ask(WORKER, "invitations", TITLE)
    assert (line["name"], line["role"], line["expired"]) == ("Tante Truus", "family", False)
    second = at.ask(WORKER, "reissue", first)["invitation"]
    at.refused("", "accept", first, "--handle", "truus", environment={"ZEGEL_PASSWORD": "truus-password"})
    (again,) = at.ask(WORKER, "invitations", TITLE)
    assert again["invitation"] != line["invitation"]
    assert at.ask(WORKER, "withdraw", again["invitation"]) == {"invitation": again["invitation"]}
    at.refused("", "accept", second, "--handle", "truus", environment={"ZEGEL_PASSWORD": "truus-password"})
    assert at.ask(WORKER, "invitations", TITLE) == []
    at.refused(WORKER, "reissue", second)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["accept", "nonsense", "--handle", "x"], 2),
        (["accept", "0000000-0000000-0000000-0000000", "--handle", "x"], 2),
        (["create-dossier", "T", "--informed", "2026-11-20"], 2),
        (["create-dossier", "T", "--informed", "brief:2026-02-30"], 2),
        (["create-dossier", "T", "--informed", "brief:2026-11-20", "--organisation", "Anders"], 2),
        (["recall", TITLE, "nonsense"], 2),
        (["read", TITLE, "conversation", "--limit", "0"], 2),
        (["read", TITLE, "budget"], 2),
    ],
)
def test_wrong_use(at: Terminal, words: list[str], status: int) -> None:
    at.refused(WORKER, *words, status=status)
