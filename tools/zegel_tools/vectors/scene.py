"""The people and places that vectors are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.account import AccountKeys
from zegel_protocol.epoch import EpochKeys
from zegel_protocol.ids import AccountId, LedgerId, RecordId, SectionId, SlotId
from zegel_tools.vectors.seeds import seeded

if TYPE_CHECKING:
    from zegel_tools.vectors.case import Fields

TIME_MS = 1_790_000_000_000
"""A moment in September 2026."""

DOSSIER = LedgerId(seeded("dossier", 16))
OTHER_DOSSIER = LedgerId(seeded("other dossier", 16))
SECTION = SectionId(seeded("section", 16))
OTHER_SECTION = SectionId(seeded("other section", 16))
SLOT = SlotId(seeded("slot", 16))
OTHER_SLOT = SlotId(seeded("other slot", 16))
RECORD = RecordId(seeded("record", 16))
OTHER_RECORD = RecordId(seeded("other record", 16))


def person(name: str, generation: int = 1) -> AccountKeys:
    """One generation of somebody's keys."""
    return AccountKeys(AccountId(seeded(f"{name} account", 16)), generation, secret_of(name, generation))


def secret_of(name: str, generation: int = 1) -> bytes:
    """The account secret behind `person`."""
    return seeded(f"{name} secret {generation}", 32)


def shown_person(name: str, generation: int = 1) -> Fields:
    """A person's keys as an input of a case."""
    keys = person(name, generation)
    return {"account": keys.account.hex(), "generation": generation, "secret": secret_of(name, generation).hex()}


ANNA = person("anna")
"""A caseworker."""
ANNA_2 = person("anna", 2)
BRAM = person("bram")
"""A client."""


def epoch(number: int) -> EpochKeys:
    """The keys of one epoch of `SECTION`."""
    return EpochKeys(DOSSIER, SECTION, number, seeded(f"content key {number}", 32), seeded(f"history key {number}", 32))
