"""What it costs a client to verify and open one message, against what libsodium takes for the cryptography in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nacl.bindings as sodium
from envelope_chain import TEXT
from ledger_book import found_dossier, found_organisation, make_keys
from measure import ROUNDS, compare, now_ms
from report import Table, hold
from section_archive import SectionArchive

from zegel_client.engine.incoming import read_arrivals
from zegel_client.engine.section_replica import SectionReplica
from zegel_protocol import primitives
from zegel_protocol.codec import decode
from zegel_protocol.envelope import open_envelope, read_envelope, verify_envelope
from zegel_protocol.labels import Label
from zegel_protocol.transcript import start

if TYPE_CHECKING:
    from zegel_client.engine.ledger_replica import LedgerReplica

BAR = 1.5


def measure(*, is_quick: bool) -> Table:
    """Runs the benchmark."""
    count, rounds = (100, 5) if is_quick else (500, ROUNDS)
    began_ms = now_ms()
    own = make_keys()
    book, section = found_dossier(own, found_organisation(own, began_ms), began_ms)
    archive = SectionArchive(book.replica, section)
    archive.write(TEXT, count, began_ms)
    contestants = {
        "libsodium: 1 verify, 1 open, 1 keyed hash": _Bare(book.replica, archive).run,
        "protocol: decode, verify, derive the key, open": _Protocol(book.replica, archive).run,
        "engine: accept a page (validity, chain, transcript, payload too)": _Engine(book.replica, archive).run,
    }
    taken = compare(contestants, rounds)
    floor = next(iter(taken.values()))
    rows = tuple((name, f"{cost:.1f}", f"{cost / floor:.2f}") for name, cost in taken.items())
    protocol = list(taken.values())[1]
    return Table(
        "Client: verify and open one message",
        f"A text of {len(TEXT)} characters, sealed in {len(archive.bodies[0])} bytes. libsodium works on the "
        "same signed bytes, ciphertext and header. CPU of one core; medians.",
        ("what", "us a message", "x libsodium"),
        rows,
        (hold("protocol against libsodium", protocol / floor, BAR, "x"),),
    )


class _Bare:
    """The cryptography alone, called as PyNaCl offers it."""

    def __init__(self, replica: LedgerReplica, archive: SectionArchive) -> None:
        self._sign_key = replica.own.sign.public
        self._parts: list[tuple[bytes, bytes, bytes, bytes, bytes, bytes]] = []
        for body in archive.bodies:
            envelope = read_envelope(body)
            encoded = envelope.skeleton.encoded
            signed = b"".join(
                (
                    encoded.signature,
                    Label.ENVELOPE.value,
                    encoded.header,
                    encoded.commitment,
                    encoded.ciphertext_digest,
                )
            )
            header = Label.ENVELOPE_KEYS.value + encoded.header
            content_key = replica.content_key(envelope.header)
            key, _ = primitives.split_committed(Label.ENVELOPE_KEYS, content_key, encoded.header)
            self._parts.append((signed, header, envelope.ciphertext, envelope.header.nonce, content_key, key))

    def run(self) -> int:
        for signed, header, ciphertext, nonce, content_key, key in self._parts:
            sodium.crypto_sign_open(signed, self._sign_key)
            sodium.crypto_generichash_blake2b_salt_personal(header, 64, content_key)
            sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, header, nonce, key)
        return len(self._parts)


class _Protocol:
    """What any client must do with the bytes of one message, whatever it does besides."""

    def __init__(self, replica: LedgerReplica, archive: SectionArchive) -> None:
        self._replica = replica
        self._bodies = archive.bodies

    def run(self) -> int:
        sign_key = self._replica.own.sign.public
        for body in self._bodies:
            verified = verify_envelope(read_envelope(body), sign_key)
            decode(open_envelope(verified, self._replica.content_key(verified.header)))
        return len(self._bodies)


class _Engine:
    """What the SDK does with a page."""

    def __init__(self, replica: LedgerReplica, archive: SectionArchive) -> None:
        self._replica = replica
        self._archive = archive

    def run(self) -> int:
        section = SectionReplica(
            self._replica, self._archive.section, noted=start(self._replica.ledger, self._archive.section)
        )
        while section.last < len(self._archive.bodies):
            page = self._archive.answer(section.next_page())
            section.accept_next(read_arrivals(page.items, page.head))
        return len(self._archive.bodies)
