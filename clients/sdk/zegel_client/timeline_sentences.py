"""Each event of a dossier's timeline as one readable sentence, in Dutch and in English.

Who did what, for whom, where, and until when; with the names that were vouched for, never with names that people
chose for themselves.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from zegel_client.clock import day_of
from zegel_client.engine.roles import CONVERSATION, NOTES, PROFILE, SIDE
from zegel_client.engine.timeline_event import (
    AccountRenewed,
    Founded,
    Invited,
    InviteWithdrawn,
    KeysMended,
    LocksRenewed,
    MemberAdded,
    MemberRemoved,
    NameChosen,
    PersonNoted,
    RightExpired,
    RightSet,
    SectionsMade,
    Settled,
    StewardSet,
)
from zegel_client.wording import DUTCH, ENGLISH, SECTIONS, category_word, date_words, list_words, role_word
from zegel_protocol.ledger.operations import LedgerKind, Right, ScopeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import tzinfo

    from zegel_client.engine.timeline_event import Change, Place, TimelineEvent

_MESSAGES: Final = (CONVERSATION, NOTES, SIDE)

# Characters that turn the direction of what follows, and letters that are written from right to left.
_TURNING: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
_ISOLATE: Final = "\u2068"
_POP: Final = "\u2069"

SENTENCES: Final[Mapping[str, Mapping[str, str]]] = {
    DUTCH: {
        "nobody": "iemand",
        "founded": "{by} heeft dit dossier gemaakt.",
        "founded.organisation": "{by} heeft de organisatie {title} gemaakt.",
        "section": "{by} heeft {places} gemaakt.",
        "right": "{whom} mag van {by} {places} {right}{since}{until}.",
        "right.self": "{whom} mag {places} {right}{since}{until}.",
        "right.less": "{whom} mag van {by} {places} alleen nog {right}{since}{until}.",
        "right.self.less": "{whom} mag {places} alleen nog {right}{since}{until}.",
        "right.end": "{whom} mag van {by} {places} niet meer {right}.",
        "right.self.end": "{whom} heeft het recht om {places} te {right} opgegeven.",
        "right.narrow.end": "{whom} heeft van {by} geen eigen recht meer op {places}.",
        "right.narrow.self.end": "{whom} heeft het eigen recht op {places} opgegeven.",
        "since": ", niets van vóór {date}",
        "until": ", tot en met {date}",
        "steward": "{whom} mag van {by} mensen toevoegen en verwijderen.",
        "steward.end": "{whom} mag van {by} geen mensen meer toevoegen of verwijderen.",
        "invited": "{by} heeft {whom} uitgenodigd{role}. De uitnodiging geldt tot en met {date}.",
        "invited.again": "{by} heeft {whom} opnieuw uitgenodigd{role}, tot en met {date}. De oude uitnodiging vervalt.",
        "invite.end": "{by} heeft de uitnodiging van {whom} ingetrokken.",
        "added": "{by} heeft {whom} toegevoegd{role}.",
        "added.by": "{by} heeft {whom} toegevoegd{role}, op uitnodiging van {inviter}.",
        "added.colleague": "{by} heeft collega {whom} toegevoegd{role}.",
        "removed": "{by} heeft {whom} verwijderd. Alle rechten van {whom} zijn gestopt.",
        "removed.self": "{whom} is weggegaan.",
        "expired": "{whom} heeft geen recht meer op {places}. Dat recht gold tot en met {date}.",
        "expired.removal": "{whom} hoort er niet meer bij. Het laatste recht, op {places}, gold tot en met {date}.",
        "person": "{by} heeft {whom} genoteerd, zonder account.",
        "name": "{by} wil {whom} genoemd worden.",
        "name.end": "{by} gebruikt geen eigen naam meer.",
        "locks": "{by} heeft het slot van {places} vernieuwd.",
        "mended": "{by} heeft hersteld dat iedereen met een recht op {places} het kan openen.",
        "account": "{by} heeft het eigen account opnieuw beveiligd.",
        "settled": "{by} heeft bevestigd welke stand van {places} geldt.",
        "look": "zien",
        "look.messages": "lezen",
        "edit": "zien en wijzigen",
        "edit.messages": "lezen en erin schrijven",
        "manage": "zien en wijzigen, en er rechten geven",
        "manage.messages": "lezen, erin schrijven en er rechten geven",
        "manage.look": "zien en er rechten geven",
        "drop": "aanvullen zonder te lezen",
        "slot": "{word} ({section})",
        "slot.unknown": "een onderdeel van {section}",
        "record": "één regel ({word}) van {section}",
        "profile": "de gegevens van {owner}",
        "profile.own": "de eigen gegevens",
        "lobby": "de ledenlijst",
        "named": "“{title}”",
    },
    ENGLISH: {
        "nobody": "somebody",
        "founded": "{by} created this dossier.",
        "founded.organisation": "{by} created the organisation {title}.",
        "section": "{by} made {places}.",
        "right": "{by} lets {whom} {right}{since}{until}.",
        "right.self": "{whom} may {right}{since}{until}.",
        "right.less": "{by} now lets {whom} only {right}{since}{until}.",
        "right.self.less": "{whom} may now only {right}{since}{until}.",
        "right.end": "{by} no longer lets {whom} {right}.",
        "right.self.end": "{whom} gave up the right to {right}.",
        "right.narrow.end": "{by} ended the separate right of {whom} to {places}.",
        "right.narrow.self.end": "{whom} gave up the separate right to {places}.",
        "since": ", nothing from before {date}",
        "until": ", until {date}",
        "steward": "{by} lets {whom} add and remove people.",
        "steward.end": "{by} no longer lets {whom} add or remove people.",
        "invited": "{by} invited {whom}{role}. The invitation is valid until {date}.",
        "invited.again": "{by} invited {whom}{role} anew, until {date}. The old invitation is no longer valid.",
        "invite.end": "{by} withdrew the invitation of {whom}.",
        "added": "{by} added {whom}{role}.",
        "added.by": "{by} added {whom}{role}, invited by {inviter}.",
        "added.colleague": "{by} added colleague {whom}{role}.",
        "removed": "{by} removed {whom}. All rights of {whom} have ended.",
        "removed.self": "{whom} left.",
        "expired": "{whom} has no right to {places} any more. That right ran until {date}.",
        "expired.removal": "{whom} is no longer a member. The last right, to {places}, ran until {date}.",
        "person": "{by} noted {whom}, without an account.",
        "name": "{by} wants to be called {whom}.",
        "name.end": "{by} uses no name of their own any more.",
        "locks": "{by} renewed the lock of {places}.",
        "mended": "{by} made sure that everybody with a right to {places} can open it.",
        "account": "{by} secured their account anew.",
        "settled": "{by} confirmed which state of {places} counts.",
        "look": "see {places}",
        "look.messages": "read {places}",
        "edit": "see and change {places}",
        "edit.messages": "read and write in {places}",
        "manage": "see and change {places}, and give rights there",
        "manage.messages": "read and write in {places}, and give rights there",
        "manage.look": "see {places}, and give rights there",
        "drop": "add to {places} without reading",
        "slot": "{word} ({section})",
        "slot.unknown": "a part of {section}",
        "record": "one line ({word}) of {section}",
        "profile": "the details of {owner}",
        "profile.own": "their own details",
        "lobby": "the list of members",
        "named": "“{title}”",
    },
}


def sentence(event: TimelineEvent, language: str = DUTCH, zone: tzinfo | None = None) -> str:
    """Says what happened.

    Args:
        event: From `timeline.timeline_events`.
        language: ``nl`` or ``en``; Dutch for any other.
        zone: In which days are told; None: the device's own time zone.
    """
    return _Teller(event, language if language in SENTENCES else DUTCH, zone).tell()


def isolated(name: str) -> str:
    """Returns a name so that its direction of writing does not spread: as it is, or between isolating marks."""
    turns = _TURNING.search(name) or any(unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT for sign in name)
    return f"{_ISOLATE}{name}{_POP}" if turns else name


class _Teller:
    """The words of one event."""

    def __init__(self, event: TimelineEvent, language: str, zone: tzinfo | None) -> None:
        self._event = event
        self._language = language
        self._zone = zone
        self._words = SENTENCES[language]

    def tell(self) -> str:
        """The sentence."""
        told = TELLING[type(self._event.change)](self, self._event.change)
        # Names begin as they are written; only our own word takes a capital.
        nobody = self._words["nobody"]
        return told.replace(nobody, nobody.capitalize(), 1) if told.startswith(nobody) else told

    def say(self, key: str, **parts: str) -> str:
        """Fills a sentence; names may hold braces, so parts are put in once and never read again."""
        return self._words[key].format(by=self.name(self._event.by), **parts)

    def name(self, name: str) -> str:
        """A name, or a word for somebody whose name cannot be read."""
        return isolated(name) if name else self._words["nobody"]

    def role(self, role: str) -> str:
        """A role in brackets."""
        return f" ({role_word(role, self._language)})" if role else ""

    def date(self, time_ms: int) -> str:
        """The day of a moment."""
        return date_words(day_of(time_ms, self._zone), self._language)

    def last_day(self, end_ms: int) -> str:
        """The last day before an end: who may until midnight, may on the day before."""
        return self.date(end_ms - 1)

    def places(self, places: Sequence[Place]) -> str:
        """What a right is about, as a list."""
        return list_words([self.place(place) for place in places], self._language)

    def place(self, place: Place) -> str:
        """What a right is about."""
        section = self.section(place)
        if place.scope is ScopeKind.SLOT:
            if not place.word:
                return self._words["slot.unknown"].format(section=section)
            word = isolated(category_word(place.word, self._language))
            return self._words["slot"].format(word=word, section=section)
        if place.scope is ScopeKind.RECORD:
            return self._words["record"].format(word=place.word, section=section)
        return section

    def section(self, place: Place) -> str:
        """A section as people call it."""
        if place.is_own:
            return self._words["profile.own"]
        if place.kind.startswith(PROFILE):
            return self._words["profile"].format(owner=self.name(place.owner))
        known = SECTIONS[self._language].get("side" if place.kind.startswith(SIDE) else place.kind)
        if known is not None:
            return known
        title = place.title or place.kind
        return self._words["named"].format(title=isolated(title)) if title else self._words["lobby"]

    def right(self, rights: Right, places: Sequence[Place]) -> str:
        """What somebody may do, in the words that fit messages or records."""
        if not rights & Right.READ:
            word = "drop"
        elif rights & Right.GIVE:
            word = "manage" if rights & Right.WRITE else "manage.look"
        else:
            word = "edit" if rights & Right.WRITE else "look"
        if all(place.kind.startswith(_MESSAGES) for place in places):
            word = f"{word}.messages" if f"{word}.messages" in self._words else word
        return self._words[word].format(places=self.places(places))


def _founded(teller: _Teller, change: Founded) -> str:
    if change.kind is LedgerKind.ORGANISATION:
        return teller.say("founded.organisation", title=teller.name(change.title))
    return teller.say("founded")


def _sections_made(teller: _Teller, change: SectionsMade) -> str:
    return teller.say("section", places=teller.places(change.places))


def _right_set(teller: _Teller, change: RightSet) -> str:
    whom, places = teller.name(change.whom), teller.places(change.places)
    who = ".self" if change.is_self else ""
    if not change.rights:
        is_narrow = all(place.scope is not ScopeKind.SECTION for place in change.places)
        key = f"right.narrow{who}.end" if is_narrow else f"right{who}.end"
        return teller.say(key, whom=whom, places=places, right=teller.right(change.before, change.places))
    is_less = bool(change.before & ~change.rights) and not change.rights & ~change.before
    since = teller.date(change.since_ms) if change.since_ms is not None else ""
    until = teller.last_day(change.ends_ms) if change.ends_ms else ""
    return teller.say(
        f"right{who}.less" if is_less else f"right{who}",
        whom=whom,
        places=places,
        right=teller.right(change.rights, change.places),
        since=teller.say("since", date=since) if since else "",
        until=teller.say("until", date=until) if until else "",
    )


def _steward_set(teller: _Teller, change: StewardSet) -> str:
    return teller.say("steward" if change.is_steward else "steward.end", whom=teller.name(change.whom))


def _invited(teller: _Teller, change: Invited) -> str:
    key = "invited.again" if change.is_again else "invited"
    return teller.say(
        key, whom=teller.name(change.whom), role=teller.role(change.role), date=teller.last_day(change.expires_ms)
    )


def _invite_withdrawn(teller: _Teller, change: InviteWithdrawn) -> str:
    return teller.say("invite.end", whom=teller.name(change.whom))


def _member_added(teller: _Teller, change: MemberAdded) -> str:
    whom, role = teller.name(change.whom), teller.role(change.role)
    if change.is_colleague:
        return teller.say("added.colleague", whom=whom, role=role)
    if change.inviter:
        return teller.say("added.by", whom=whom, role=role, inviter=teller.name(change.inviter))
    return teller.say("added", whom=whom, role=role)


def _member_removed(teller: _Teller, change: MemberRemoved) -> str:
    return teller.say("removed.self" if change.is_self else "removed", whom=teller.name(change.whom))


def _right_expired(teller: _Teller, change: RightExpired) -> str:
    key = "expired.removal" if change.is_removal else "expired"
    date = teller.last_day(change.ends_ms)
    return teller.say(key, whom=teller.name(change.whom), places=teller.place(change.place), date=date)


def _person_noted(teller: _Teller, change: PersonNoted) -> str:
    return teller.say("person", whom=teller.name(change.whom))


def _name_chosen(teller: _Teller, change: NameChosen) -> str:
    return teller.say("name", whom=teller.name(change.name)) if change.name else teller.say("name.end")


def _locks_renewed(teller: _Teller, change: LocksRenewed) -> str:
    return teller.say("locks", places=teller.places(change.places))


def _keys_mended(teller: _Teller, change: KeysMended) -> str:
    return teller.say("mended", places=teller.place(change.place))


def _account_renewed(teller: _Teller, _change: AccountRenewed) -> str:
    return teller.say("account")


def _settled(teller: _Teller, change: Settled) -> str:
    return teller.say("settled", places=teller.place(change.place))


TELLING: Final[Mapping[type[Change], Callable[[_Teller, Any], str]]] = {
    Founded: _founded,
    SectionsMade: _sections_made,
    RightSet: _right_set,
    StewardSet: _steward_set,
    Invited: _invited,
    InviteWithdrawn: _invite_withdrawn,
    MemberAdded: _member_added,
    MemberRemoved: _member_removed,
    RightExpired: _right_expired,
    PersonNoted: _person_noted,
    NameChosen: _name_chosen,
    LocksRenewed: _locks_renewed,
    KeysMended: _keys_mended,
    AccountRenewed: _account_renewed,
    Settled: _settled,
}
