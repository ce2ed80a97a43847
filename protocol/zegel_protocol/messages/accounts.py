"""The own account: sessions, password, recovery sheet, consents.

Spec: ``protocol/spec/sync.md``.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from zegel_protocol.account import KdfParameters
from zegel_protocol.codec import Closed
from zegel_protocol.ids import Id, Natural, Signature
from zegel_protocol.messages.fields import Small
from zegel_protocol.messages.strangers import NewSecrets

MAX_CONSENT_CHARACTERS = 64
"""Longest name and version of a text that people agree to."""


class ListSessions(Closed, tag="list_sessions"):
    """Asks for the account's own sessions."""


class SessionLine(Closed):
    """One session. Days are counted since 1970-01-01 (UTC): the server notes no time of day."""

    session: Id
    opened_ms: Natural
    last_seen_day: Natural
    client: str
    is_current: bool


class Sessions(Closed, tag="sessions"):
    """The account's sessions."""

    sessions: tuple[SessionLine, ...]


class EndSession(Closed, tag="end_session"):
    """Ends a session of one's own (the current one: log-out)."""

    session: Id


class SetPassword(Closed, tag="set_password"):
    """New password: a proof with the action `CHANGE_PASSWORD`, or none in a session that `RECOVER` opened.

    Ends all other sessions.
    """

    proof: Small
    signature: Annotated[bytes, Meta(max_length=64)]
    salt: Annotated[bytes, Meta(min_length=16, max_length=16)]
    kdf: KdfParameters
    password: NewSecrets


class SetRecovery(Closed, tag="set_recovery"):
    """A new recovery sheet: a proof with the action `STEP_UP`."""

    proof: Small
    signature: Signature
    recovery: NewSecrets


class GetConsents(Closed, tag="get_consents"):
    """Asks for the account's own consents."""


class ConsentLine(Closed):
    """A text agreed to, or no longer."""

    consent: str
    given_ms: Natural
    withdrawn_ms: Natural


class Consents(Closed, tag="consents"):
    """The account's own consents."""

    consents: tuple[ConsentLine, ...]


class SetConsent(Closed, tag="set_consent"):
    """Agrees to a text (name and version), or withdraws that."""

    consent: Annotated[str, Meta(min_length=1, max_length=MAX_CONSENT_CHARACTERS)]
    is_given: bool


class DeleteAccount(Closed, tag="delete_account"):
    """Deletes the account: a proof with the action `DELETE_ACCOUNT`."""

    proof: Small
    signature: Signature
