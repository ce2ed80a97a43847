"""Who wrote what arrives in one section: a header counts only once its author's signature was verified.

Spec: ``protocol/spec/envelope.md``, section "Opening".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.envelope import VerifiedEnvelope, VerifiedSkeleton, verify_envelope, verify_skeleton
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ledger.validity import find_author_keys

if TYPE_CHECKING:
    from zegel_client.engine.incoming import Arrival
    from zegel_client.engine.ledger_replica import LedgerReplica


class Authors:
    """Verifies by the keys in the ledger; each author's are looked up once."""

    def __init__(self, ledger: LedgerReplica, section: bytes) -> None:
        self._ledger = ledger
        self._section = section
        self._sign_keys: dict[tuple[bytes, int], bytes] = {}

    def verify(self, arrival: Arrival) -> VerifiedEnvelope | VerifiedSkeleton:
        """Verifies the signature.

        Raises:
            ObjectError: `ENCODING` and others of a header; `INVALID` (of another section), `NO_ACCESS`, `GENERATION`,
                `SIGNATURE`.
        """
        if arrival.skeleton is None:
            raise arrival.fault or ObjectError(ErrorCode.ENCODING, "no header")
        header = arrival.skeleton.header
        if header.section != self._section or header.dossier != self._ledger.ledger:
            raise ObjectError(ErrorCode.INVALID, "an envelope of another section stands here")
        who = (header.author, header.generation)
        sign_key = self._sign_keys.get(who)
        if sign_key is None:
            sign_key = self._sign_keys[who] = find_author_keys(self._ledger.state, header).sign_key
        if arrival.envelope is None:
            return verify_skeleton(arrival.skeleton, sign_key)
        return verify_envelope(arrival.envelope, sign_key)
