"""The secret of an invitation, and the box that its holder opens before anything is shown.

From `s`, 16 random bytes, come the invitation's id, the key that signs the answer and the key of the box. `s` travels
as QR, on paper or in a link's fragment; the server never sees it.

Spec: ``protocol/spec/invitation.md``.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from zegel_protocol import codec, primitives
from zegel_protocol.account import MemberKeys
from zegel_protocol.codec import VERSION_1, Closed, ObjectCodec, Value, encode_object
from zegel_protocol.errors import ErrorCode, ObjectError, UsageError
from zegel_protocol.ids import ID_BYTES, Hash, Id, InviteId, Natural
from zegel_protocol.labels import Label
from zegel_protocol.ledger.operations import Citation, LedgerKind
from zegel_protocol.padding import pad, unpad
from zegel_protocol.typed_code import SECRET_BYTES, encode_code, group_code, parse_code

VERSION = 1
LINK_PATH = "/invite"
MAX_WORDS_BYTES = 2048
MAX_BOX_BYTES = 4096
"""Padded. The keys alone take more than the bucket below, so that every box has this size."""
SEALED_BOX_BYTES = MAX_BOX_BYTES + primitives.BOX_OVERHEAD_BYTES
_WORDS_LIMITS = codec.Limits(length_bytes=MAX_WORDS_BYTES, depth=4, count=128)


class InviteSecret:
    """Sixteen random bytes and what is derived from them. Nothing of it shows in `repr`.

    Attributes:
        invite_id: The invitation's id, public.
        sign_key: Signs the acceptance; its public half stands in the ledger.
        box_key: Opens the box that the server keeps.
    """

    __slots__ = ("_secret", "box_key", "invite_id", "sign_key")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise UsageError("the secret of an invitation is 16 bytes")
        self._secret = secret
        self.invite_id = InviteId(primitives.derive(secret, Label.INVITE_ID)[:ID_BYTES])
        self.sign_key = primitives.SigningKey(primitives.derive(secret, Label.INVITE_SIGN_SEED))
        self.box_key = primitives.derive(secret, Label.INVITE_BOX_KEY)

    @classmethod
    def generate(cls) -> InviteSecret:
        """Draws a new secret."""
        return cls(primitives.random_bytes(SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> InviteSecret:
        """Reads a typed code, or a link with the code as its fragment.

        Raises:
            ProtocolError: `INVALID`, `CHECKSUM`.
        """
        return cls(parse_code(text.rpartition("#")[2], Label.INVITE_CHECK))

    def code(self) -> str:
        """Returns the code for paper: four groups of seven characters."""
        return group_code(encode_code(self._secret, Label.INVITE_CHECK))

    def link(self, origin: str) -> str:
        """Returns the link; browsers do not send the fragment to the server.

        Args:
            origin: Scheme and host of the server, such as ``https://zegel.example``.
        """
        return f"{origin.rstrip('/')}{LINK_PATH}#{encode_code(self._secret, Label.INVITE_CHECK)}"

    def __repr__(self) -> str:
        return f"InviteSecret(invite_id={self.invite_id.hex()[:8]}…)"


def link_origin(text: str) -> str | None:
    """Returns the server that a link names, as it stands there; None for a typed code."""
    origin, is_link, _ = text.strip().partition(f"{LINK_PATH}#")
    return origin if is_link and origin else None


class InviteBox(Closed):
    """What the newcomer must know before answering.

    Attributes:
        version: Of the protocol.
        kind: Dossier or organisation.
        ledger: Its id.
        create_hash: Hash of its first entry.
        head_index: Index of the entry that holds the invitation.
        head_hash: Its hash.
        inviter: Keys of who invites.
        organisation: The organisation that the dossier cites, at that head; None for an organisation's own invitation.
        words: Canonical map with text keys (see `read_invite_words`): names, title, role, languages.
    """

    version: Natural
    kind: LedgerKind
    ledger: Id
    create_hash: Hash
    head_index: Natural
    head_hash: Hash
    inviter: MemberKeys
    organisation: Citation | None
    words: Annotated[bytes, Meta(max_length=MAX_WORDS_BYTES)]


INVITE_BOX = ObjectCodec(InviteBox, MAX_BOX_BYTES, VERSION_1)


def write_invite_words(words: dict[str, Value]) -> bytes:
    """Encodes the words of a box.

    Raises:
        UsageError: They are larger than a reader accepts.
    """
    encoded = codec.encode(words)
    if len(encoded) > MAX_WORDS_BYTES:
        raise UsageError("the words of an invitation are at most 2 KiB")
    return encoded


def read_invite_words(box: InviteBox) -> dict[str, Value]:
    """Decodes the words of a box.

    Raises:
        ObjectError: `ENCODING`, `TOO_LARGE`.
    """
    words = codec.decode(box.words, _WORDS_LIMITS)
    if not isinstance(words, dict):
        raise ObjectError(ErrorCode.ENCODING, "words are a map")
    return words


def seal_invite_box(secret: InviteSecret, box: InviteBox, nonce: bytes | None = None) -> bytes:
    """Seals a box for who holds the secret; padded, so that its size tells no names.

    Returns:
        A box (see `primitives.seal_box`) of `SEALED_BOX_BYTES`, bound to the invitation's id.
    """
    return primitives.seal_box(secret.box_key, Label.INVITE_BOX, [secret.invite_id], pad(encode_object(box)), nonce)


def open_invite_box(secret: InviteSecret, sealed: bytes) -> InviteBox:
    """Opens the box that the server returned for the invitation.

    Raises:
        ObjectError: `TOO_LARGE`, `ENCODING`, `COMMITMENT` (another secret), `DECRYPTION`, `PADDING`, `VERSION`.
    """
    if len(sealed) > SEALED_BOX_BYTES:
        raise ObjectError(ErrorCode.TOO_LARGE, "the box of an invitation is at most 4 KiB")
    box = INVITE_BOX.decode(unpad(primitives.open_box(secret.box_key, Label.INVITE_BOX, [secret.invite_id], sealed)))
    read_invite_words(box)
    return box
