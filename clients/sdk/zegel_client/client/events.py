"""What `Client.events` yields: changes that were verified before they are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zegel_client.client.views import AlarmView, Confirmation


@dataclass(frozen=True, slots=True)
class SectionGrew:
    """New envelopes were verified: read the section again from `first` on."""

    dossier: bytes
    section: bytes
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class LedgerGrew:
    """New ledger entries were verified."""

    dossier: bytes
    index: int


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Somebody's receipt agrees with what is here."""

    dossier: bytes
    section: bytes
    confirmation: Confirmation


@dataclass(frozen=True, slots=True)
class Typing:
    """Somebody types."""

    dossier: bytes
    section: bytes
    person: bytes


@dataclass(frozen=True, slots=True)
class Claimed:
    """An invitation was answered; `Client.welcome` adds who answered."""

    dossier: bytes
    invite: bytes


@dataclass(frozen=True, slots=True)
class Alarmed:
    """Something is wrong."""

    dossier: bytes
    alarm: AlarmView


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """The connection came or went; while it is away, what is sent waits in the outbox."""

    is_connected: bool


ClientEvent = SectionGrew | LedgerGrew | Confirmed | Typing | Claimed | Alarmed | ConnectionChanged
