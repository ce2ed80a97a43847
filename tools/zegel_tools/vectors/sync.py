"""Vectors of transcript hashes and receipts. Spec: ``protocol/spec/sync.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from zegel_protocol import transcript
from zegel_protocol.codec import encode_object
from zegel_protocol.errors import ErrorCode
from zegel_protocol.labels import Label
from zegel_protocol.receipt import SIGNED_RECEIPT, Receipt, SignedReceipt, sign_receipt, verify_receipt
from zegel_protocol.transcript import Point
from zegel_tools.vectors.case import CaseList, Fields, Json, VectorFile
from zegel_tools.vectors.forms import add_form_failures, changed_object
from zegel_tools.vectors.read import fields_of, hex_of, hexes_of, number_of
from zegel_tools.vectors.scene import ANNA, BRAM, DOSSIER, OTHER_DOSSIER, OTHER_SECTION, SECTION, TIME_MS
from zegel_tools.vectors.seeds import flipped, seeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_tools.vectors.case import Door


def make() -> VectorFile:
    """Makes the vectors."""
    cases = CaseList()
    _add_transcript(cases)
    _add_receipts(cases)
    return VectorFile("Transcript hashes and receipts: protocol/spec/sync.md", tuple(cases.cases))


def _shown_point(point: Point) -> Fields:
    return {"position": point.position, "transcript": point.transcript.hex()}


def _walk(point: Point, hashes: Sequence[bytes]) -> Point:
    for envelope_hash in hashes:
        point = transcript.advance(point, envelope_hash)
    return point


def _add_transcript(cases: CaseList) -> None:
    start = transcript.start(DOSSIER, SECTION)
    cases.good(
        "transcript: start",
        "transcript_start",
        {"ledger": DOSSIER.hex(), "section": SECTION.hex()},
        {"point": _shown_point(start)},
    )
    hashes = [seeded(f"envelope {n}", 32) for n in range(1, 5)]
    shown: list[Json] = [item.hex() for item in hashes]
    door = "verify_advance"
    end = _walk(start, hashes)
    given: Fields = {"from": _shown_point(start), "hashes": shown, "anchor": _shown_point(end)}
    output: Fields = {"point": _shown_point(end)}
    cases.good("transcript: four envelopes", door, given, output)
    cases.good(
        "transcript: no envelope",
        door,
        {**given, "hashes": [], "anchor": _shown_point(start)},
        {"point": _shown_point(start)},
    )
    middle = _walk(start, hashes[:2])
    cases.good(
        "transcript: from a place in the middle",
        door,
        {"from": _shown_point(middle), "hashes": shown[2:], "anchor": _shown_point(end)},
        output,
    )
    far = Point(2**40, seeded("far transcript", 32))
    cases.good(
        "transcript: far along",
        door,
        {"from": _shown_point(far), "hashes": shown[:1], "anchor": _shown_point(transcript.advance(far, hashes[0]))},
        {"point": _shown_point(transcript.advance(far, hashes[0]))},
    )
    lists: tuple[tuple[str, list[Json]], ...] = (
        ("two envelopes swapped", [shown[1], shown[0], *shown[2:]]),
        ("the first envelope missing", shown[1:]),
        ("an envelope in the middle missing", [*shown[:1], *shown[2:]]),
        ("the last envelope missing", shown[:3]),
        ("an envelope twice", [*shown[:2], shown[1], *shown[2:]]),
        ("another envelope", [*shown[:3], seeded("another envelope", 32).hex()]),
        ("an envelope too many", [*shown, seeded("envelope 5", 32).hex()]),
    )
    for name, wrong in lists:
        cases.bad(f"transcript: {name}", door, given, ErrorCode.TRANSCRIPT, hashes=wrong)
    for name, other in (
        ("the start of another section", transcript.start(DOSSIER, OTHER_SECTION)),
        ("the start of another dossier", transcript.start(OTHER_DOSSIER, SECTION)),
        ("another position at the start", Point(1, start.transcript)),
    ):
        cases.bad(f"transcript: {name}", door, given, ErrorCode.TRANSCRIPT, **{"from": _shown_point(other)})
    for name, other in (
        ("an anchor at another position", Point(5, end.transcript)),
        ("an anchor with another hash", Point(4, flipped(end.transcript))),
    ):
        cases.bad(f"transcript: {name}", door, given, ErrorCode.TRANSCRIPT, anchor=_shown_point(other))


def _add_receipts(cases: CaseList) -> None:
    receipt = Receipt(
        1,
        ANNA.account,
        1,
        DOSSIER,
        5,
        seeded("ledger hash", 32),
        SECTION,
        12,
        seeded("receipt transcript", 32),
        9,
        TIME_MS,
    )
    signed = sign_receipt(ANNA.sign, receipt)
    given: Fields = {"encoded": encode_object(signed).hex(), "sign_public": ANNA.sign.public.hex()}
    door = "verify_receipt"
    cases.good("receipt", door, given, _shown_receipt(receipt))
    unread = structs.replace(receipt, read_position=0)
    cases.good(
        "receipt: delivered, not read",
        door,
        {**given, "encoded": encode_object(sign_receipt(ANNA.sign, unread)).hex()},
        _shown_receipt(unread),
    )
    for name, place, value in (
        ("account", 1, BRAM.account),
        ("generation", 2, 2),
        ("dossier", 3, OTHER_DOSSIER),
        ("ledger index", 4, 6),
        ("ledger hash", 5, seeded("another ledger hash", 32)),
        ("section", 6, OTHER_SECTION),
        ("position", 7, 13),
        ("transcript", 8, seeded("another transcript", 32)),
        ("read position", 9, 10),
        ("time", 10, TIME_MS + 1),
    ):
        other = structs.replace(signed, receipt=changed_object(signed.receipt, {place: value}))
        cases.bad(
            f"receipt: another {name} than signed", door, given, ErrorCode.SIGNATURE, encoded=encode_object(other).hex()
        )
    cases.bad("receipt: another person's key", door, given, ErrorCode.SIGNATURE, sign_public=BRAM.sign.public.hex())
    other_label = SignedReceipt(signed.receipt, ANNA.sign.sign(Label.LOG_IN, signed.receipt))
    cases.bad(
        "receipt: signed for another purpose",
        door,
        given,
        ErrorCode.SIGNATURE,
        encoded=encode_object(other_label).hex(),
    )
    ahead = sign_receipt(ANNA.sign, structs.replace(receipt, read_position=13))
    cases.bad(
        "receipt: read further than delivered", door, given, ErrorCode.INVALID, encoded=encode_object(ahead).hex()
    )

    def put(changed: bytes) -> Fields:
        return {"encoded": encode_object(SignedReceipt(changed, ANNA.sign.sign(Label.RECEIPT, changed))).hex()}

    add_form_failures(
        cases,
        "receipt",
        door,
        given,
        signed.receipt,
        put,
        {"an account of 15 bytes": {1: ANNA.account[:15]}, "a position beyond 2^53 - 1, as text": {7: "12"}},
    )
    add_form_failures(
        cases,
        "signed receipt",
        door,
        given,
        encode_object(signed),
        lambda changed: {"encoded": changed.hex()},
        {"a signature of 63 bytes": {1: bytes(63)}},
        has_version=False,
    )


def _shown_receipt(receipt: Receipt) -> Fields:
    shown: Fields = {}
    for name in Receipt.__struct_fields__:
        value = getattr(receipt, name)
        shown[name] = value.hex() if isinstance(value, bytes) else int(value)
    return shown


def _point_of(given: Fields, name: str) -> Point:
    fields = fields_of(given, name)
    return Point(number_of(fields, "position"), hex_of(fields, "transcript"))


def _transcript_start(given: Fields) -> Fields:
    return {"point": _shown_point(transcript.start(hex_of(given, "ledger"), hex_of(given, "section")))}


def _verify_advance(given: Fields) -> Fields:
    end = transcript.verify_advance(_point_of(given, "from"), hexes_of(given, "hashes"), _point_of(given, "anchor"))
    return {"point": _shown_point(end)}


def _verify_receipt(given: Fields) -> Fields:
    signed = SIGNED_RECEIPT.decode(hex_of(given, "encoded"))
    return _shown_receipt(verify_receipt(signed, hex_of(given, "sign_public")))


DOORS: dict[str, Door] = {
    "transcript_start": _transcript_start,
    "verify_advance": _verify_advance,
    "verify_receipt": _verify_receipt,
}
