"""Logging in, looking at an invitation, signing up: what is said before there is a session.

Spec: ``protocol/spec/sync.md``.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from zegel_protocol.account import Action, KdfParameters, MemberKeys, WrapKind
from zegel_protocol.codec import Closed
from zegel_protocol.ids import Hash, Id, Natural, Signature
from zegel_protocol.messages.fields import Small, Token


class GetChallenge(Closed, tag="get_challenge"):
    """Asks for what a log-in proof needs. The answer looks the same for handles that do not exist."""

    handle: Annotated[str, Meta(max_length=254)]
    action: Action


class Challenge(Closed, tag="challenge"):
    """Single use, 60 seconds. For `Action.RECOVER` salt and parameters play no part."""

    challenge: Hash
    salt: Annotated[bytes, Meta(min_length=16, max_length=16)]
    kdf: KdfParameters


class LogIn(Closed, tag="log_in"):
    """A signed `LogInProof` for `LOG_IN` or `RECOVER`. `client` names the device for the person's list of sessions."""

    proof: Small
    signature: Signature
    client: Annotated[str, Meta(max_length=64)]


class LoggedIn(Closed, tag="logged_in"):
    """A session. After `RECOVER` it takes `SetPassword` only, until that is done.

    `secret` is the newest generation's wrapped account secret (`account.SecretWrap`) of the kind asked for; `older`
    the boxes of older generations, newest first.
    """

    token: Token
    session: Id
    account: Id
    secret: Small
    older: tuple[Small, ...]
    expires_ms: Natural


class LookAtInvitation(Closed, tag="look_at_invitation"):
    """Asks for the box of an invitation."""

    invite: Id


class InvitationFound(Closed, tag="invitation_found"):
    """The sealed box of an open invitation."""

    box: Small
    expires_ms: Natural


class NewSecrets(Closed):
    """What a password or recovery sheet leaves at the server: a public key and a wrapped account secret."""

    kind: WrapKind
    auth_key: Hash
    secret: Small


class SignUpForm(Closed):
    """What the invite key signs: a new account for the holder of an invitation.

    Attributes:
        version: Of the protocol.
        origin: The client's own view of where it talks to.
        time_ms: At most 60 seconds from the server's clock.
        invite: The invitation.
        handle: Normalised.
        keys: The public keys of generation 1.
        salt: 16 random bytes, the server salt of the account.
        kdf: Parameters of the password.
        password: Auth key and wrap from the password.
        recovery: The same from the recovery sheet.
        consents: Names and versions of the texts agreed to, in order.
    """

    version: Natural
    origin: Annotated[str, Meta(max_length=512)]
    time_ms: Natural
    invite: Id
    handle: Annotated[str, Meta(max_length=254)]
    keys: MemberKeys
    salt: Annotated[bytes, Meta(min_length=16, max_length=16)]
    kdf: KdfParameters
    password: NewSecrets
    recovery: NewSecrets
    consents: Annotated[tuple[str, ...], Meta(max_length=16)]


class SignUp(Closed, tag="sign_up"):
    """An encoded `SignUpForm`, signed with the invite key (label `SIGN_UP`) and with the new account key."""

    form: Small
    invite_signature: Signature
    account_signature: Signature
    client: Annotated[str, Meta(max_length=64)]
