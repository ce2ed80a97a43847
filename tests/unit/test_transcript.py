"""Transcript hashes and receipts as their makers use them. What is refused is in the vectors."""

from __future__ import annotations

from zegel_protocol import transcript
from zegel_protocol.account import AccountKeys
from zegel_protocol.codec import encode_object
from zegel_protocol.ids import AccountId
from zegel_protocol.receipt import SIGNED_RECEIPT, Receipt, sign_receipt, verify_receipt


def test_pages_lead_to_the_place_that_all_at_once_leads_to() -> None:
    hashes = [bytes([number]) * 32 for number in range(10)]
    start = transcript.start(b"l" * 16, b"s" * 16)
    end = start
    for envelope_hash in hashes:
        end = transcript.advance(end, envelope_hash)
    assert end.position == 10
    middle = start
    for envelope_hash in hashes[:4]:
        middle = transcript.advance(middle, envelope_hash)
    assert transcript.verify_advance(start, hashes[:4], middle) == middle
    assert transcript.verify_advance(middle, hashes[4:], end) == end


def test_every_section_starts_elsewhere() -> None:
    starts = {
        transcript.start(ledger * 16, section * 16).transcript for ledger in (b"1", b"2") for section in (b"1", b"2")
    }
    assert len(starts) == 4


def test_a_receipt_travels() -> None:
    anna = AccountKeys.generate(AccountId(b"a" * 16))
    receipt = Receipt(1, anna.account, 1, b"l" * 16, 3, b"h" * 32, b"s" * 16, 8, b"t" * 32, 5, 1_790_000_000_000)
    encoded = encode_object(sign_receipt(anna.sign, receipt))
    assert verify_receipt(SIGNED_RECEIPT.decode(encoded), anna.sign.public) == receipt
