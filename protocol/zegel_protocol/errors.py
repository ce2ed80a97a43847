"""Errors of the protocol package.

    Exception
    +-- ProtocolError         the other side's fault; carries a closed ``ErrorCode``
    |   +-- ObjectError       this object is void, its section goes on
    |   +-- HistoryError      order or memory was tampered with: keep the last good state, stop sending
    +-- UsageError            a fault of the caller (wrong argument, wrong state)

Spec: ``protocol/spec/errors.md``.
"""

from __future__ import annotations

from enum import StrEnum


class ErrorCode(StrEnum):
    """The closed list of error codes, the same on the wire, in vectors and in every language."""

    # Form: what was sent cannot be read.
    ENCODING = "encoding"
    TOO_LARGE = "too_large"
    VERSION = "version"
    SUITE = "suite"
    UNKNOWN_TYPE = "unknown_type"
    INVALID = "invalid"
    # Cryptography: what was sent is not what it says.
    SIGNATURE = "signature"
    COMMITMENT = "commitment"
    DECRYPTION = "decryption"
    PADDING = "padding"
    KEY_MISMATCH = "key_mismatch"
    KDF_PARAMETERS = "kdf_parameters"
    # Account and session.
    HANDLE = "handle"
    HANDLE_TAKEN = "handle_taken"
    CHECKSUM = "checksum"
    LOG_IN_FAILED = "log_in_failed"
    SESSION_ENDED = "session_ended"
    CHALLENGE = "challenge"
    ORIGIN = "origin"
    # Rights. "No access" and "no such thing" look alike.
    NO_ACCESS = "no_access"
    EXPIRED = "expired"
    NARROWER = "narrower"
    # Ledger.
    STALE_PREV = "stale_prev"
    STALE_PIN = "stale_pin"
    STALE_CITATION = "stale_citation"
    LEDGER = "ledger"
    WRAPS = "wraps"
    ROOT_OF_TRUST = "root_of_trust"
    # Invitation.
    INVITATION = "invitation"
    ACCEPTANCE = "acceptance"
    # Sections and envelopes.
    DUE = "due"
    EPOCH = "epoch"
    GENERATION = "generation"
    CHAIN = "chain"
    SEEN = "seen"
    STALE_LEDGER = "stale_ledger"
    STALE_PARENT = "stale_parent"
    PARENT = "parent"
    TARGET = "target"
    DUPLICATE = "duplicate"
    CREATED_AT = "created_at"
    # Files.
    FILE = "file"
    FILE_INCOMPLETE = "file_incomplete"
    # History alarms.
    TRANSCRIPT = "transcript"
    PIN = "pin"
    RECEIPT = "receipt"
    ROLLBACK = "rollback"
    FORK = "fork"
    GAP = "gap"
    # The server's state.
    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    SLOW_READER = "slow_reader"
    NO_SPACE = "no_space"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class ProtocolError(Exception):
    """What the other side sent cannot be accepted.

    Attributes:
        code: One of the closed list.
        detail: A short English sentence for a log or a developer. It never holds content, names or keys.
    """

    def __init__(self, code: ErrorCode, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else str(self.code)


class ObjectError(ProtocolError):
    """One object is void: its position and hash still count, the section goes on."""


class HistoryError(ProtocolError):
    """The history shown contradicts what was verified before: nothing moves until a person settles it.

    Attributes:
        author: The account whose envelope is missing; None: that is not what is wrong.
    """

    def __init__(self, code: ErrorCode, detail: str = "", author: bytes | None = None) -> None:
        super().__init__(code, detail)
        self.author = author


class UsageError(Exception):
    """The caller asked for what cannot be: a wrong argument or a wrong order of calls."""
