"""A dossier's timeline: every change of members and rights as one sentence with names, in two languages."""

from __future__ import annotations

import ast
import inspect
import string
from datetime import UTC
from typing import TYPE_CHECKING

import pytest
from support.ledgers import DAY_MS, NOW_MS, Book, Person, found_dossier, found_organisation, read_lobby, whole

from zegel_client import timeline_sentences
from zegel_client.engine import timeline_event
from zegel_client.engine.timeline import timeline_events
from zegel_client.engine.timeline_event import Change, NameChosen, TimelineEvent
from zegel_client.timeline_sentences import isolated, sentence
from zegel_protocol import primitives
from zegel_protocol.invite_secret import InviteSecret
from zegel_protocol.ledger.entry import SIGNED_ENTRY, VerifiedEntry, entry_hash, read_entry
from zegel_protocol.ledger.operations import ALL_RIGHTS, PlannedGrant, Right, Scope, ScopeKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_client.engine.draft import Draft

EDIT = Right.READ | Right.WRITE
KINDS = ("conversation", "notes", "budget", "debts", "trajectory", "profile-c03")


class World:
    """A caseworker, a client and their dossier."""

    def __init__(self) -> None:
        self.worker = Person.new("Marijke Österlund")
        self.client = Person.new("Jiří 't Hooft")
        self.book = found_dossier(found_organisation(self.worker), self.worker, *KINDS)
        self.words: dict[tuple[bytes, bytes], str] = {}

    def section(self, kind: str) -> bytes:
        replica = self.worker.replica(self.book)
        assert self.book.state is not None
        return next(
            section
            for section, found in self.book.state.sections.items()
            if found.words.box and replica.section_words(section)["kind"] == kind
        )

    def write(self, build: Callable[[Draft], object], author: Person | None = None, now_ms: int = NOW_MS) -> None:
        (author or self.worker).write(self.book, build, now_ms)

    def invite(self, name: str = "Jiří 't Hooft") -> InviteSecret:
        secret = InviteSecret.generate()
        words = {"name": name, "role": "client"}
        self.write(lambda d: d.invite(secret, (read_lobby(self.book),), dict(words), {}))
        return secret

    def join(self) -> None:
        """The client accepts; budget and debts to look at, the conversation to write in."""
        secret = InviteSecret.generate()
        planned = (
            read_lobby(self.book),
            PlannedGrant(whole(self.section("conversation")), int(EDIT), 0, 0),
            PlannedGrant(whole(self.section("budget")), int(Right.READ), 0, 0),
            PlannedGrant(whole(self.section("debts")), int(Right.READ), 0, 0),
        )
        self.write(lambda d: d.invite(secret, planned, {"name": self.client.name, "role": "client"}, {}))
        claim = self.client.accept(self.book, secret)
        self.write(lambda d: d.add_invited(claim, {"name": self.client.name, "role": "client"}))

    def told(self, language: str, reader: Person | None = None) -> list[str]:
        replica = (reader or self.worker).catch_up(self.book)
        events = timeline_events(
            replica, entries_of(self.book), lambda section, slot: self.words.get((section, slot), "")
        )
        return [sentence(event, language, UTC) for event in events]

    def last(self, language: str = "en") -> str:
        return self.told(language)[-1]


def entries_of(book: Book) -> list[VerifiedEntry]:
    signed = [SIGNED_ENTRY.decode(encoded) for encoded in book.entries]
    return [VerifiedEntry(read_entry(item), item, entry_hash(item.entry)) for item in signed]


@pytest.fixture
def world() -> World:
    return World()


def test_beginning(world: World) -> None:
    sections = "the conversation, the working notes, the money, the debts, the plan and the details of somebody"
    assert world.told("en") == [
        "Marijke Österlund created this dossier.",
        f"Marijke Österlund made {sections}.",
        f"Marijke Österlund may see and change {sections}, and give rights there.",
    ]
    assert world.told("nl")[0] == "Marijke Österlund heeft dit dossier gemaakt."


def test_joining(world: World) -> None:
    world.join()
    assert world.told("en")[-4:] == [
        "Marijke Österlund invited Jiří 't Hooft (client). The invitation is valid until 11 June 2026.",
        "Marijke Österlund added Jiří 't Hooft (client).",
        "Marijke Österlund lets Jiří 't Hooft read and write in the conversation.",
        "Marijke Österlund lets Jiří 't Hooft see the money and the debts.",
    ]
    assert world.told("nl")[-4:] == [
        "Marijke Österlund heeft Jiří 't Hooft uitgenodigd (cliënt). De uitnodiging geldt tot en met 11 juni 2026.",
        "Marijke Österlund heeft Jiří 't Hooft toegevoegd (cliënt).",
        "Jiří 't Hooft mag van Marijke Österlund het gesprek lezen en erin schrijven.",
        "Jiří 't Hooft mag van Marijke Österlund het geld en de schulden zien.",
    ]


def test_newcomer_reads_the_same(world: World) -> None:
    world.join()
    assert world.told("nl", world.client) == world.told("nl")


def test_one_category(world: World) -> None:
    world.join()
    slot = primitives.random_bytes(16)
    budget, client = world.section("budget"), world.client.account
    scope = Scope(budget, ScopeKind.SLOT, slot)
    world.write(lambda d: d.grant(client, scope, EDIT))
    assert world.last() == "Marijke Österlund lets Jiří 't Hooft see and change a part of the money."
    world.words[budget, slot] = "groceries"
    assert world.last() == "Marijke Österlund lets Jiří 't Hooft see and change groceries (the money)."
    assert world.last("nl") == "Jiří 't Hooft mag van Marijke Österlund boodschappen (het geld) zien en wijzigen."
    world.write(lambda d: d.grant(client, scope, Right.READ))
    assert world.last() == "Marijke Österlund now lets Jiří 't Hooft only see groceries (the money)."
    assert world.last("nl") == "Jiří 't Hooft mag van Marijke Österlund boodschappen (het geld) alleen nog zien."
    world.write(lambda d: d.grant(client, scope, Right.NONE))
    assert world.last() == "Marijke Österlund ended the separate right of Jiří 't Hooft to groceries (the money)."
    world.words[budget, slot] = "Oma's {by} spaarpot"
    assert "Oma's {by} spaarpot (the money)" in world.last()


def test_one_record(world: World) -> None:
    world.join()
    scope = Scope(world.section("debts"), ScopeKind.RECORD, bytes.fromhex("8d0c5073" + "00" * 12))
    world.write(lambda d: d.grant(world.client.account, scope, EDIT))
    assert world.last() == "Marijke Österlund lets Jiří 't Hooft see and change one line (8d0c5073) of the debts."


def test_end_date_is_the_last_day(world: World) -> None:
    world.join()
    midnight = NOW_MS - NOW_MS % DAY_MS + 3 * DAY_MS
    budget = whole(world.section("budget"))
    world.write(lambda d: d.grant(world.client.account, budget, EDIT, ends_ms=midnight))
    assert world.last() == "Marijke Österlund lets Jiří 't Hooft see and change the money, until 30 May 2026."
    world.write(lambda d: d.expire_passed(), now_ms=midnight + 1)
    assert world.last() == "Jiří 't Hooft has no right to the money any more. That right ran until 30 May 2026."
    assert world.last("nl") == (
        "Jiří 't Hooft heeft geen recht meer op het geld. Dat recht gold tot en met 30 mei 2026."
    )


def test_last_right_that_expires_is_the_removal(world: World) -> None:
    secret = InviteSecret.generate()
    planned = (
        read_lobby(world.book),
        PlannedGrant(whole(world.section("notes")), int(Right.READ), 0, NOW_MS + DAY_MS),
    )
    world.write(lambda d: d.invite(secret, planned, {"name": "Jiří 't Hooft", "role": "volunteer"}, {}))
    claim = world.client.accept(world.book, secret)
    world.write(lambda d: d.add_invited(claim, {"name": "Jiří 't Hooft", "role": "volunteer"}))
    world.write(lambda d: d.expire_passed(), now_ms=NOW_MS + 2 * DAY_MS)
    assert world.last().startswith("Jiří 't Hooft is no longer a member. The last right, to the working notes, ran")


def test_from_now_on(world: World) -> None:
    world.join()
    notes = world.section("notes")

    def build(draft: Draft) -> None:
        epoch = draft.advance(notes)
        draft.grant(world.client.account, whole(notes), Right.READ, since_epoch=epoch)

    world.write(build)
    assert world.last("nl") == (
        "Jiří 't Hooft mag van Marijke Österlund de werknotities lezen, niets van vóór 28 mei 2026."
    )


def test_right_without_reading(world: World) -> None:
    world.join()
    budget = world.section("budget")

    def build(draft: Draft) -> None:
        draft.grant(world.client.account, whole(budget), Right.WRITE)
        draft.advance(budget)

    world.write(build)
    assert world.last() == "Marijke Österlund lets Jiří 't Hooft add to the money without reading."


def test_ends_and_leaves(world: World) -> None:
    world.join()
    budget = whole(world.section("budget"))
    world.write(lambda d: d.grant(world.client.account, budget, Right.NONE))
    assert world.last() == "Marijke Österlund no longer lets Jiří 't Hooft see the money."
    assert world.last("nl") == "Jiří 't Hooft mag van Marijke Österlund het geld niet meer zien."
    world.write(lambda d: d.remove(world.client.account))
    assert world.last() == "Marijke Österlund removed Jiří 't Hooft. All rights of Jiří 't Hooft have ended."
    assert "Jiří 't Hooft" in world.last("nl")


def test_leaves_by_oneself(world: World) -> None:
    world.join()
    world.write(lambda d: d.remove(world.client.account), world.client)
    assert world.last() == "Jiří 't Hooft left."
    world.write(lambda d: d.advance_due())
    assert (
        world.last()
        == "Marijke Österlund renewed the lock of the list of members, the conversation, the money and the debts."
    )


def test_invitations_end(world: World) -> None:
    secret = world.invite()
    again = InviteSecret.generate()

    def reissue(draft: Draft) -> None:
        draft.cancel(secret.invite_id)
        draft.invite(again, (read_lobby(world.book),), {"name": "Jiří 't Hooft", "role": "client"}, {})

    world.write(reissue)
    assert world.last().startswith("Marijke Österlund invited Jiří 't Hooft (client) anew, until 11 June 2026.")
    assert not any("withdrew" in line for line in world.told("en"))
    world.write(lambda d: d.cancel(again.invite_id))
    assert world.last() == "Marijke Österlund withdrew the invitation of Jiří 't Hooft."


def test_steward(world: World) -> None:
    world.join()
    assert world.book.state is not None
    lobby = whole(world.book.state.lobby)
    world.write(lambda d: d.grant(world.client.account, lobby, ALL_RIGHTS))
    assert world.last() == "Marijke Österlund lets Jiří 't Hooft add and remove people."
    world.write(lambda d: d.grant(world.client.account, lobby, Right.READ))
    assert world.last("nl") == "Jiří 't Hooft mag van Marijke Österlund geen mensen meer toevoegen of verwijderen."


def test_people_and_names(world: World) -> None:
    world.write(lambda d: d.add_subject({"name": "Sam"}))
    assert world.last() == "Marijke Österlund noted Sam, without an account."
    world.write(lambda d: d.set_name("Marijke (hulpverlener)"))
    assert world.last() == "Marijke Österlund wants to be called Marijke (hulpverlener)."


def test_direction_of_a_name_does_not_spread() -> None:
    assert isolated("Şeyma") == "Şeyma"
    assert isolated("ليلى الحسن") == "\u2068ليلى الحسن\u2069"
    assert isolated("a\u202eb") == "\u2068a\u202eb\u2069"
    told = sentence(TimelineEvent(0, 0, b"", "ليلى الحسن", NameChosen("Layla")), "nl")
    assert told == "\u2068ليلى الحسن\u2069 wil Layla genoemd worden."


def test_a_name_begins_as_it_is_written_and_an_unknown_one_is_told() -> None:
    assert sentence(TimelineEvent(0, 0, b"", "van den Berg", NameChosen("J"))).startswith("van den Berg ")
    assert sentence(TimelineEvent(0, 0, b"", "", NameChosen("J"))).startswith("Iemand ")


def test_every_change_has_its_sentence() -> None:
    assert set(timeline_sentences.TELLING) == set(Change.__args__)
    classes = {
        node.name for node in ast.parse(inspect.getsource(timeline_event)).body if isinstance(node, ast.ClassDef)
    }
    assert classes - {"Place", "TimelineEvent"} == {kind.__name__ for kind in Change.__args__}


def test_languages_have_the_same_sentences_with_the_same_parts() -> None:
    dutch, english = timeline_sentences.SENTENCES["nl"], timeline_sentences.SENTENCES["en"]
    assert set(dutch) == set(english)

    def parts(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    rights = {"look", "edit", "manage", "drop", "look.messages", "edit.messages", "manage.messages", "manage.look"}
    for key in set(dutch) - rights:
        # English puts what a right is about inside the right itself.
        assert parts(dutch[key]) - {"places"} == parts(english[key]) - {"places"}, key
