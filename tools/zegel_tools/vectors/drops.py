"""Vectors of which drop key somebody writes under who may not read. Spec: ``protocol/spec/envelope.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.codec import encode_object
from zegel_protocol.envelope import HEADER, Header, TypeClass
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.validity import drop_kind
from zegel_tools.vectors.case import CaseList, Fields, VectorFile
from zegel_tools.vectors.ledger_cast import BUDGET, CONVERSATION, DAAN, EVA, HOUSEHOLD
from zegel_tools.vectors.ledger_cast import DOSSIER as LEDGER
from zegel_tools.vectors.ledger_states import state_after
from zegel_tools.vectors.read import hex_of, text_of
from zegel_tools.vectors.scene import BRAM, OTHER_SLOT, RECORD, SLOT, TIME_MS
from zegel_tools.vectors.seeds import seeded

if TYPE_CHECKING:
    from zegel_protocol.account import AccountKeys
    from zegel_tools.vectors.case import Door

DOOR = "drop_kind"
IN_SECTION, IN_SLOT = "grant: to write unread", "grant: to write into a slot unread"
ONE_RECORD, ENDED = "grant: a record", "grant: nothing any more"
LATER = "advance: of a section in which somebody writes a slot unread"
CONTENT, SLOT_KIND = 1, 3


def make() -> VectorFile:
    """Makes the vectors."""
    cases = CaseList()
    for name, kind, given in (
        ("who writes the section unread", CONTENT, _given(IN_SECTION, DAAN)),
        ("who writes the section unread, in a slot", CONTENT, _given(IN_SECTION, DAAN, slot=SLOT)),
        ("who writes a slot unread", SLOT_KIND, _given(IN_SLOT, DAAN, slot=SLOT)),
        ("who writes a slot unread, in a later epoch", SLOT_KIND, _given(LATER, DAAN, slot=SLOT)),
        ("who reads and writes the section", CONTENT, _given(HOUSEHOLD, BRAM)),
        ("who held the right then", CONTENT, _given(ENDED, BRAM, at=HOUSEHOLD)),
    ):
        cases.good(f"drop: {name}", DOOR, given, {"kind": kind})
    for name, given in (
        ("another slot", _given(IN_SLOT, DAAN, slot=OTHER_SLOT)),
        ("no slot", _given(IN_SLOT, DAAN)),
        ("the slot table", _given(IN_SLOT, DAAN, slot=SLOT, record=BUDGET)),
        ("another section", _given(IN_SECTION, DAAN, section=CONVERSATION)),
        ("a section that there is not", _given(IN_SECTION, DAAN, section=seeded("nowhere", 16))),
        ("by who only reads", _given(HOUSEHOLD, DAAN)),
        ("by nobody", _given(IN_SECTION, EVA)),
        ("before the right was given", _given(IN_SECTION, DAAN, at=HOUSEHOLD)),
        ("after it had ended", _given(ENDED, BRAM)),
        ("a record, which has no drop key", _given(ONE_RECORD, DAAN, record=RECORD)),
    ):
        cases.bad(f"drop: {name}", DOOR, given, ErrorCode.NO_ACCESS)
    about = (
        "Under which drop key an envelope is sealed, 1 the section's, 3 the slot's: protocol/spec/envelope.md. `after` "
        "names the case of ledger-entries.json that the ledger stands at"
    )
    return VectorFile(about, tuple(cases.cases))


def _given(
    after: str,
    author: AccountKeys,
    at: str = "",
    section: bytes = BUDGET,
    slot: bytes = NO_ID,
    record: bytes = b"\1" * 16,
) -> Fields:
    named = state_after(at or after)
    found = named.sections.get(section)
    header = Header(
        version=1,
        suite=1,
        type=TypeClass.RECORD,
        id=seeded("drop", 16),
        dossier=LEDGER,
        section=section,
        epoch=found.epoch if found is not None else 1,
        slot=slot,
        record=record,
        parents=(),
        targets=(),
        files=(),
        encapsulation=b"",
        author=author.account,
        generation=1,
        chain=seeded("drop chain", 16),
        sequence=1,
        prev=bytes(32),
        ledger_index=named.head_index,
        ledger_hash=named.head_hash,
        seen_position=0,
        seen_transcript=bytes(32),
        created_at_ms=TIME_MS,
        nonce=bytes(24),
    )
    return {"after": after, "header": encode_object(header).hex()}


def _drop_kind(given: Fields) -> Fields:
    header = HEADER.decode(hex_of(given, "header"))
    return {"kind": int(drop_kind(state_after(text_of(given, "after")), header))}


DOORS: dict[str, Door] = {DOOR: _drop_kind}
