"""Whether keys can be those of a member. Spec: ``protocol/spec/ledger.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.account import FIRST_GENERATION
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ids import NO_ID
from zegel_protocol.primitives import verify_wrap_key

if TYPE_CHECKING:
    from zegel_protocol.account import MemberKeys


def verify_member_keys(keys: MemberKeys) -> None:
    """Refuses keys to which nobody could wrap: with one such reader no section of theirs could ever go on.

    Raises:
        ObjectError: `LEDGER` (no account), `GENERATION` (none), `KEY_MISMATCH` (no usable wrapping key).
    """
    if keys.account == NO_ID:
        raise ObjectError(ErrorCode.LEDGER, "an account of zeros")
    if keys.generation < FIRST_GENERATION:
        raise ObjectError(ErrorCode.GENERATION, "generations count from 1")
    verify_wrap_key(keys.wrap_key)
