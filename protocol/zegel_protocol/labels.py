"""Domain separation: every signature, MAC, KDF, hash and AAD begins with its own label and 0x00.

Spec: ``protocol/spec/encoding.md``.
"""

from __future__ import annotations

from enum import Enum


class Label(bytes, Enum):
    """``zegel/<object>/v1`` and 0x00, ready to be put in front."""

    # Account
    SALT = b"zegel/salt/v1\0"
    AUTH_SEED = b"zegel/auth-seed/v1\0"
    WRAP_KEY = b"zegel/wrap-key/v1\0"
    LOG_IN = b"zegel/log-in/v1\0"
    ACCOUNT_SECRET = b"zegel/account-secret/v1\0"
    ACCOUNT_SIGN_SEED = b"zegel/account-sign-seed/v1\0"
    ACCOUNT_KEM_SEED = b"zegel/account-kem-seed/v1\0"
    ACCOUNT_SELF_KEY = b"zegel/account-self-key/v1\0"
    OLDER_SECRET = b"zegel/older-secret/v1\0"
    RECOVERY_AUTH_SEED = b"zegel/recovery-auth-seed/v1\0"
    RECOVERY_WRAP_KEY = b"zegel/recovery-wrap-key/v1\0"
    RECOVERY_CHECK = b"zegel/recovery-check/v1\0"
    SELF_SEALED = b"zegel/self-sealed/v1\0"
    SIGN_UP = b"zegel/sign-up/v1\0"
    PERMIT = b"zegel/permit/v1\0"
    # Server secrets
    SERVER_ACCOUNT_ROW = b"zegel/server-account-row/v1\0"
    SERVER_FAKE_SALT = b"zegel/server-fake-salt/v1\0"
    SERVER_HANDLE = b"zegel/server-handle/v1\0"
    SERVER_TOKEN = b"zegel/server-token/v1\0"
    SERVER_PURPOSE = b"zegel/server-purpose/v1\0"
    # Ledger
    LEDGER_ENTRY = b"zegel/ledger-entry/v1\0"
    LEDGER_HASH = b"zegel/ledger-hash/v1\0"
    ACCEPTANCE = b"zegel/acceptance/v1\0"
    WORDS = b"zegel/words/v1\0"
    GENERATION = b"zegel/generation/v1\0"
    MEMORY = b"zegel/memory/v1\0"
    MEMORY_RECORDS = b"zegel/memory-records/v1\0"
    RECEIPT = b"zegel/receipt/v1\0"
    # Invitation
    INVITE_ID = b"zegel/invite-id/v1\0"
    INVITE_SIGN_SEED = b"zegel/invite-sign-seed/v1\0"
    INVITE_BOX_KEY = b"zegel/invite-box-key/v1\0"
    INVITE_BOX = b"zegel/invite-box/v1\0"
    INVITE_CHECK = b"zegel/invite-check/v1\0"
    INVITE_CLAIM = b"zegel/invite-claim/v1\0"
    INVITE_NOTE = b"zegel/invite-note/v1\0"
    PERSON_WORDS = b"zegel/person-words/v1\0"
    FINGERPRINT = b"zegel/fingerprint/v1\0"
    # Keys
    WRAP = b"zegel/wrap/v1\0"
    WRAP_HASH = b"zegel/wrap-hash/v1\0"
    KEY_COMMITMENT = b"zegel/key-commitment/v1\0"
    EPOCH_LINK = b"zegel/epoch-link/v1\0"
    LINK_HASH = b"zegel/link-hash/v1\0"
    SECTION = b"zegel/section/v1\0"
    SLOT = b"zegel/slot/v1\0"
    RECORD = b"zegel/record/v1\0"
    DROP_SEED = b"zegel/drop-seed/v1\0"
    DROP = b"zegel/drop/v1\0"
    # Envelope
    ENVELOPE = b"zegel/envelope/v1\0"
    ENVELOPE_KEYS = b"zegel/envelope-keys/v1\0"
    ENVELOPE_CIPHERTEXT = b"zegel/envelope-ciphertext/v1\0"
    ENVELOPE_HASH = b"zegel/envelope-hash/v1\0"
    TRANSCRIPT_START = b"zegel/transcript-start/v1\0"
    TRANSCRIPT = b"zegel/transcript/v1\0"
    # Files
    FILE = b"zegel/file/v1\0"
    FILE_CIPHERTEXT = b"zegel/file-ciphertext/v1\0"
    # Client
    VAULT = b"zegel/vault/v1\0"
    VAULT_KEY = b"zegel/vault-key/v1\0"
    # Boxes: derivation of encryption key and commitment from a box key
    BOX = b"zegel/box/v1\0"
