"""Vectors of memories, briefs and notes of a device. Spec: ``protocol/spec/sync.md``, section "Memory"."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from zegel_protocol import memory, primitives
from zegel_protocol.account import AccountKeys
from zegel_protocol.codec import encode, encode_object
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import NO_ID, AccountId
from zegel_protocol.labels import Label
from zegel_protocol.ledger.operations import LedgerKind
from zegel_protocol.ledger.state import encode_state
from zegel_protocol.memory import (
    NO_RECORDS,
    NOTE,
    Brief,
    GenerationMemory,
    Memory,
    Note,
    NotedSection,
    SectionMemory,
    VerifiedPerson,
)
from zegel_protocol.padding import pad
from zegel_protocol.transcript import Point
from zegel_tools.vectors.case import CaseList, Fields, Json, VectorFile
from zegel_tools.vectors.forms import add_form_failures, changed_object
from zegel_tools.vectors.ledger_cast import BUDGET, CONVERSATION, HOUSEHOLD, LOBBY
from zegel_tools.vectors.ledger_cast import DOSSIER as LEDGER
from zegel_tools.vectors.ledger_states import state_after
from zegel_tools.vectors.read import fields_of, hex_of, list_of, number_of, text_of
from zegel_tools.vectors.scene import ANNA, ANNA_2, BRAM, OTHER_DOSSIER, RECORD, TIME_MS, shown_person
from zegel_tools.vectors.seeds import flipped, seeded

if TYPE_CHECKING:
    import msgspec

    from zegel_protocol.codec import Value
    from zegel_tools.vectors.case import Door

COUNTER = 7
_FIRST = "create: a dossier"
_EARLIER = "invite: a client and a friend"


def make() -> VectorFile:
    """Makes the vectors."""
    cases = CaseList()
    _add_states(cases)
    _add_memories(cases)
    _add_briefs(cases)
    _add_digests(cases)
    _add_notes(cases)
    about = (
        "Memories, briefs, notes of a device: protocol/spec/sync.md. `after` names the case of ledger-entries.json "
        "that the ledger stands at"
    )
    return VectorFile(about, tuple(cases.cases))


def _add_states(cases: CaseList) -> None:
    """What one client of an account seals, another opens: the state of a ledger is encoded alike everywhere."""
    for after in (_FIRST, _EARLIER, HOUSEHOLD, "generation: of a member", "remove: by a steward, and the next epochs"):
        cases.good(f"state: after {after}", "encode_state", {"after": after}, {"state": _state(after).hex()})


def _state(after: str) -> bytes:
    return encode_state(state_after(after))


def _memory() -> Memory:
    state = state_after(_FIRST)
    return Memory(
        1,
        LEDGER,
        COUNTER,
        state.create_hash,
        2,
        _state(_FIRST),
        tuple(
            SectionMemory(section, 1, position, seeded(f"transcript {position}", 32), digest)
            for section, position, digest in sorted(
                ((LOBBY, 0, NO_RECORDS), (CONVERSATION, 12, NO_RECORDS), (BUDGET, 3, seeded("records digest", 32)))
            )
        ),
        (GenerationMemory(ANNA.account, 2),),
        (VerifiedPerson(BRAM.account, 1, BRAM.sign.public),),
        "Jir\u030ci\u0301 \u202e",
        TIME_MS,
    )


def _brief() -> Brief:
    state = state_after(_FIRST)
    organisation = state.citation.organisation if state.citation is not None else NO_ID
    return Brief(1, COUNTER, LedgerKind.DOSSIER, "Gezin Bakker", organisation, "Budgethulp", 0, state.head_hash)


def _seal(keys: AccountKeys, context: list[Value], padded: bytes) -> bytes:
    nonce = seeded(f"memory nonce {context} {len(padded)} {padded[:24].hex()}", 24)
    return primitives.seal_box(keys.self_key, Label.MEMORY, [keys.account, keys.generation, *context], padded, nonce)


def _add_box_failures(
    cases: CaseList, name: str, door: str, given: Fields, encoded: bytes, context: list[Value]
) -> None:
    """What is wrong with a box, whatever is in it."""
    box = hex_of(given, "box")
    commitment = ErrorCode.COMMITMENT
    for what, code, other in (
        ("of another account", commitment, {"own": shown_person("bram")}),
        ("of another generation", commitment, {"own": shown_person("anna", 2)}),
        ("of another ledger", commitment, {"ledger": OTHER_DOSSIER.hex()}),
        ("with another nonce", commitment, {"box": flipped(box).hex()}),
        ("with another commitment", commitment, {"box": flipped(box, 24).hex()}),
        ("with another ciphertext", ErrorCode.DECRYPTION, {"box": flipped(box, 60).hex()}),
        ("cut off", ErrorCode.DECRYPTION, {"box": box[:-1].hex()}),
        ("shorter than a box", ErrorCode.ENCODING, {"box": box[:71].hex()}),
        ("empty", ErrorCode.ENCODING, {"box": ""}),
        ("without padding", ErrorCode.PADDING, {"box": _seal(ANNA, context, encoded).hex()}),
    ):
        cases.bad(f"{name}: {what}", door, given, code, **other)


def _add_memories(cases: CaseList) -> None:
    door, found = "open_memory", _memory()
    encoded = encode_object(found)
    context: list[Value] = [LEDGER, COUNTER]
    box = _seal(ANNA, context, pad(encoded))
    given: Fields = {
        "own": shown_person("anna"),
        "ledger": LEDGER.hex(),
        "counter": COUNTER,
        "box": box.hex(),
    }
    cases.good("memory: of a dossier", door, given, _shown(found))
    newer: Fields = {**given, "own": shown_person("anna", 2), "box": _seal(ANNA_2, context, pad(encoded)).hex()}
    cases.good("memory: of the next generation", door, newer, _shown(found))
    _add_box_failures(cases, "memory", door, given, encoded, context)
    cases.bad("memory: an older one", door, given, ErrorCode.COMMITMENT, counter=COUNTER - 1)
    brief = _seal(ANNA, [LEDGER, "brief"], pad(encode_object(_brief())))
    cases.bad("memory: a brief in its place", door, given, ErrorCode.COMMITMENT, box=brief.hex())

    def put(changed: bytes) -> Fields:
        return {"box": _seal(ANNA, context, pad(changed)).hex()}

    add_form_failures(
        cases,
        "opened memory",
        door,
        given,
        encoded,
        put,
        {
            "a ledger of 15 bytes": {1: LEDGER[:15]},
            "a counter below zero": {2: -1},
            "a trust that there is not": {4: 4},
            "a section of four fields": {6: [[LOBBY, 1, 0, bytes(32)]]},
            "a title of bytes": {9: b"Gezin Bakker"},
        },
    )
    for name, place, value in (("of another ledger inside", 1, OTHER_DOSSIER), ("of another counter inside", 2, 8)):
        changed = changed_object(encoded, {place: value})
        cases.bad(f"memory: {name}", door, given, ErrorCode.INVALID, **put(changed))


def _add_briefs(cases: CaseList) -> None:
    door, found = "open_brief", _brief()
    encoded = encode_object(found)
    context: list[Value] = [LEDGER, "brief"]
    box = _seal(ANNA, context, pad(encoded))
    given: Fields = {
        "own": shown_person("anna"),
        "ledger": LEDGER.hex(),
        "counter": COUNTER,
        "box": box.hex(),
    }
    cases.good("brief: of a dossier", door, given, _shown(found))
    _add_box_failures(cases, "brief", door, given, encoded, context)
    whole = _seal(ANNA, [LEDGER, COUNTER], pad(encode_object(_memory())))
    cases.bad("brief: a memory in its place", door, given, ErrorCode.COMMITMENT, box=whole.hex())
    cases.bad("brief: of another memory", door, given, ErrorCode.INVALID, counter=COUNTER + 1)

    def put(changed: bytes) -> Fields:
        return {"box": _seal(ANNA, context, pad(changed)).hex()}

    add_form_failures(
        cases,
        "opened brief",
        door,
        given,
        encoded,
        put,
        {
            "an unknown kind": {2: 3},
            "a title of 4,097 characters": {3: "x" * 4097},
            "a head of 31 bytes": {7: bytes(31)},
        },
    )


def _add_digests(cases: CaseList) -> None:
    """Of records at a place: the same whatever order they were read in."""
    door = "records_digest"
    one: list[Json] = [RECORD.hex(), [seeded("head 1", 32).hex(), seeded("head 2", 32).hex()], 9]
    turned: list[Json] = [RECORD.hex(), [seeded("head 2", 32).hex(), seeded("head 1", 32).hex()], 9]
    two: list[Json] = [seeded("some other record", 16).hex(), [seeded("head 3", 32).hex()], 4]
    lists: list[tuple[str, list[Json]]] = [
        ("none", []),
        ("one with two heads", [one]),
        ("two", [one, two]),
        ("two in another order", [two, turned]),
        ("one without heads", [[RECORD.hex(), [], 11]]),
    ]
    for name, records in lists:
        cases.good(f"records digest: {name}", door, {"records": records}, {"digest": _digest(records).hex()})


def _digest(records: list[Json]) -> bytes:
    lines = cast("list[tuple[str, list[str], int]]", records)
    return memory.records_digest(
        (bytes.fromhex(record), [bytes.fromhex(head) for head in heads], position) for record, heads, position in lines
    )


def _add_notes(cases: CaseList) -> None:
    """What a device noted, held against the ledger that it is shown."""
    door = "verify_noted"
    early, late = state_after(_EARLIER), state_after(HOUSEHOLD)
    sections = (NotedSection(CONVERSATION, Point(12, seeded("transcript 12", 32))),)

    def given(after: str, note: Note) -> Fields:
        return {"after": after, "note": encode_object(note).hex()}

    noted = Note(1, LEDGER, COUNTER, early.create_hash, early.head_index, early.head_hash, sections)
    cases.good("note: of this very state", door, given(_EARLIER, noted), {})
    cases.good("note: of an earlier state", door, given(HOUSEHOLD, noted), {})
    newest = Note(1, LEDGER, COUNTER, late.create_hash, late.head_index, late.head_hash, ())
    cases.bad("note: of a later state", door, given(_EARLIER, newest), ErrorCode.ROLLBACK)
    cases.bad("note: of a later state, shown the first entry", door, given(_FIRST, newest), ErrorCode.ROLLBACK)
    other_head = Note(1, LEDGER, COUNTER, early.create_hash, early.head_index, seeded("other head", 32), ())
    cases.bad("note: of another entry there", door, given(HOUSEHOLD, other_head), ErrorCode.FORK)
    moved = Note(1, LEDGER, COUNTER, early.create_hash, early.head_index - 1, early.head_hash, ())
    cases.bad("note: of the entry before", door, given(HOUSEHOLD, moved), ErrorCode.FORK)
    founded = Note(1, LEDGER, COUNTER, seeded("other create hash", 32), early.head_index, early.head_hash, ())
    cases.bad("note: of another beginning", door, given(HOUSEHOLD, founded), ErrorCode.FORK)
    add_form_failures(
        cases,
        "note",
        door,
        given(HOUSEHOLD, noted),
        encode_object(noted),
        lambda changed: {"note": changed.hex()},
        {"a section without its place": {6: [[CONVERSATION]]}, "an index below zero": {4: -1}},
    )
    nothing: Value = [1]
    cases.bad("note: a version alone", door, given(HOUSEHOLD, noted), ErrorCode.ENCODING, note=encode(nothing).hex())


def _shown(found: msgspec.Struct) -> Fields:
    return {name: _shown_value(getattr(found, name)) for name in found.__struct_fields__}


def _shown_value(value: object) -> Json:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [list(_shown(item).values()) for item in cast("tuple[msgspec.Struct, ...]", value)]
    return value if isinstance(value, str) else int(cast("int", value))


def _own(given: Fields) -> AccountKeys:
    own = fields_of(given, "own")
    return AccountKeys(AccountId(hex_of(own, "account")), number_of(own, "generation"), hex_of(own, "secret"))


def _encode_state(given: Fields) -> Fields:
    return {"state": _state(text_of(given, "after")).hex()}


def _open_memory(given: Fields) -> Fields:
    return _shown(
        memory.open_memory(_own(given), hex_of(given, "ledger"), number_of(given, "counter"), hex_of(given, "box"))
    )


def _open_brief(given: Fields) -> Fields:
    return _shown(
        memory.open_brief(_own(given), hex_of(given, "ledger"), number_of(given, "counter"), hex_of(given, "box"))
    )


def _records_digest(given: Fields) -> Fields:
    return {"digest": _digest(list_of(given, "records")).hex()}


def _verify_noted(given: Fields) -> Fields:
    memory.verify_noted(NOTE.decode(hex_of(given, "note")), state_after(text_of(given, "after")))
    return {}


DOORS: dict[str, Door] = {
    "encode_state": _encode_state,
    "open_memory": _open_memory,
    "open_brief": _open_brief,
    "records_digest": _records_digest,
    "verify_noted": _verify_noted,
}
