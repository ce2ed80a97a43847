"""Announcing files; their chunks travel bare.

Spec: ``protocol/spec/sync.md``.
"""

from __future__ import annotations

from zegel_protocol.codec import Closed
from zegel_protocol.ids import Hash, Id, Natural

FILE_CHUNKS_PER_REQUEST = 16
"""Sealed chunks of one file that travel together: a little over 1 MiB."""


class StartFile(Closed, tag="start_file"):
    """Announces a file version, or asks how far its upload came.

    Attributes:
        ledger: The ledger.
        section: The section; writing it needs the right there.
        file: 16 random bytes, new for each version.
        size_bytes: Of the ciphertext, all chunks.
        chunks: How many.
        digest: Of the ciphertext (label `FILE_CIPHERTEXT`).
    """

    ledger: Id
    section: Id
    file: Id
    size_bytes: Natural
    chunks: Natural
    digest: Hash


class FileState(Closed, tag="file_state"):
    """The next chunk that the server waits for; equal to the count: complete and verified."""

    file: Id
    next_chunk: Natural
    chunks: Natural
